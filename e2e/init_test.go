package e2e

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
	"edgejwt/e2e/parts"
)

// TestInit does what README.md shows to a newcomer: edgejwt init, edgejwt validate, and
// make run CONFIG=…; then a token opens the API, and without one nothing passes.
func TestInit(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "edgejwt")
	build := exec.Command("go", "build", "-o", tool, "./edgejwt")
	build.Dir = filepath.Join(harness.Root(), "cmd")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	api, err := parts.StartAPI(ctx, parts.APIOptions{Root: harness.Root(), App: "main:app", Log: filepath.Join(t.TempDir(), "api.log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Stop)

	for _, c := range []struct {
		name   string
		domain func(address string) string // of the provider, which listens at the address
		args   func(domain string) []string
		// connect is true when the domain is in no DNS: the address is written instead.
		connect bool
	}{
		{"Auth0", func(string) string { return "acme.auth0.example" },
			func(domain string) []string { return []string{"--domain", domain} }, true},
		{"discovery", func(address string) string { return "localhost:" + portOf(t, address) },
			func(domain string) []string { return []string{"--issuer", "https://" + domain + "/"} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			const audience = "https://orders.acme.dev"
			dir := t.TempDir()
			ca := filepath.Join(dir, "ca.pem")
			at, listen, admin := free(t), free(t), free(t)
			domain := c.domain(at)
			host, _, _ := strings.Cut(domain, ":")
			provider, err := auth0.Start(auth0.Options{
				Domain: domain, Certificate: []string{host}, Address: at, Audiences: []string{audience}, CAFile: ca,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { provider.Close() })

			args := append([]string{"init", "--audience", audience, "--upstream", api.Address, "--listen", listen, "--admin", admin, "--ca-file", ca}, c.args(domain)...)
			written, err := exec.Command(tool, args...).Output()
			if err != nil {
				t.Fatal(err, string(written))
			}
			file := filepath.Join(dir, "my.yaml")
			if err := os.WriteFile(file, written, 0o644); err != nil {
				t.Fatal(err)
			}
			report, err := exec.Command(tool, "validate", "--strict", file).CombinedOutput()
			if err != nil || !strings.HasSuffix(string(report), "Envoy: the plugin starts with it\n0 errors, 0 warnings, 0 hints\n") {
				t.Errorf("validate: %v\n%s", err, report)
			}
			if c.connect {
				old := "{address: " + domain + ", port_value: 443}"
				if strings.Count(string(written), old) != 1 {
					t.Fatalf("not once in the file: %s", old)
				}
				connected := strings.Replace(string(written), old, "{address: 127.0.0.1, port_value: "+portOf(t, at)+"}", 1)
				if err := os.WriteFile(file, []byte(connected), 0o644); err != nil {
					t.Fatal(err)
				}
			}

			envoy := makeRun(t, file, listen)
			checkAnswer := func(token string, status int, want string) {
				t.Helper()
				got, body := call(t, listen, token)
				if got != status || !strings.Contains(body, want) {
					t.Errorf("%d %s, want %d with %s\n%s", got, body, status, want, envoy.Tail(20))
				}
			}
			checkAnswer("", 401, "token_missing")
			checkAnswer(provider.Token(), 200, `"sub":"`+auth0.DefaultClientID+`@clients"`)
			other, err := provider.MintToken(provider.ClientClaims(auth0.DefaultClientID, "https://another.acme.dev", ""), auth0.Mint{})
			if err != nil {
				t.Fatal(err)
			}
			checkAnswer(other, 401, "audience_mismatch")

			envoy.Stop()
			if conn, err := net.Dial("tcp", listen); err == nil {
				conn.Close()
				t.Error("Envoy still listens")
			}
			if shown := envoy.Output(); !strings.Contains(shown, "Envoy starts with "+file) || !strings.Contains(shown, "GET /me 401 ") || !strings.Contains(shown, "token_missing") {
				t.Errorf("a reader sees\n%s", shown)
			}
		})
	}
}

// TestMakeRunWithoutTheFile: a name that is wrong is said at once, before anything is
// installed or built.
func TestMakeRunWithoutTheFile(t *testing.T) {
	run := exec.Command("make", "run", "CONFIG=nowhere.yaml", "PYTHON=no-python", "GO=no-go")
	run.Dir = harness.Root()
	out, err := run.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || !strings.Contains(string(out), "nowhere.yaml cannot be read. edgejwt init writes a first one.") ||
		strings.Contains(string(out), "missing") {
		t.Errorf("%v\n%s", err, out)
	}
}

// makeRun starts Envoy as `make run CONFIG=file` does, with the module and the Envoy
// that are there, and waits until it listens.
func makeRun(t *testing.T, file, listen string) *parts.Process {
	t.Helper()
	envoy, err := parts.Start(parts.Program{Name: "make run", Dir: harness.Root(), Log: file + ".log",
		Args: []string{"/usr/bin/env", "make", "--old-file=deps", "--old-file=build", "run", "CONFIG=" + file}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(envoy.Stop)
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", listen)
		if err == nil {
			conn.Close()
			return envoy
		}
		select {
		case <-envoy.Done():
			t.Fatal(envoy.Died())
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("Envoy does not listen on %s\n%s", listen, envoy.Tail(30))
		}
	}
}

// call asks who the caller is.
func call(t *testing.T, address, token string) (status int, body string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text := make([]byte, 4096)
	n, _ := resp.Body.Read(text)
	return resp.StatusCode, string(text[:n])
}

func free(t *testing.T) string {
	t.Helper()
	address, err := parts.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
