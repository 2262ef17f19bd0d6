package demo

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"edgejwt/e2e/auth0"
)

func TestFlowWithTheStandIn(t *testing.T) {
	h := newTheatre(t)
	if err := h.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.wantShown(
		"--connect-to ::"+h.listen["9443"]+" https://tenant.auth0.example/oauth/token", `-> 200 {"access_token":"`,
		`/orders -H "authorization: Bearer $(cat `, "-> 200 [{",
		"-H 'x-jwt-sub: administrator'", `-> 200 {"sub":"`+auth0.DefaultClientID+"@clients",
		`-> 401 {"error":"token_missing"`, `www-authenticate: Bearer realm="api"`,
		`-> 401 {"error":"signature_invalid"`, "https://other.example.com", "-> 200",
		`-> 401 {"error":"audience_mismatch"`,
		"edgejwt init --domain", "make run CONFIG=my.yaml",
	)
}

// TestRealTenant plays against a tenant of another name, which stands in for a
// real one: other domain, API and client, and a wildcard certificate like Auth0's.
func TestRealTenant(t *testing.T) {
	const domain, api, secret = "acme.eu.auth0.example", "https://orders.acme.example", "this-must-be-nowhere-1a2b3c"
	h := newTheatre(t)
	ca := filepath.Join(h.opts.Run, "private-ca.pem")
	tenant, err := auth0.Start(auth0.Options{
		Domain: domain, Certificate: []string{"*.eu.auth0.example"}, CAFile: ca, Audiences: []string{api, "https://second"},
		Clients: map[string]auth0.Client{"acme": {Secret: secret, Grants: map[string]string{api: "read:orders", "https://second": ""}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	h.env = map[string]string{
		"AUTH0_DOMAIN": domain, "AUTH0_AUDIENCE": api, "AUTH0_CLIENT_ID": "acme", "AUTH0_CLIENT_SECRET": secret,
		"AUTH0_CONNECT": tenant.Address(), "AUTH0_CA_FILE": ca,
	}
	if err := h.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.wantShown(domain, `"client_secret":"'"$AUTH0_CLIENT_SECRET"'"`, "-> 200", "-> 200 [{", `"sub":"acme@clients"`,
		"token_missing", "signature_invalid", "Set AUTH0_OTHER_AUDIENCE")
	// One to start with, and at most one because a signature did not verify.
	if n := tenant.Fetches(); n < 1 || n > 2 {
		t.Errorf("%d fetches of the key set", n)
	}

	written, err := os.ReadFile(filepath.Join(h.opts.Run, "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"tenant.auth0.example", "https://api.example.com"} {
		if strings.Contains(string(written), old) {
			t.Errorf("the written configuration still names %s", old)
		}
	}
	files, _ := filepath.Glob(filepath.Join(h.opts.Run, "*"))
	for _, file := range files {
		if data, _ := os.ReadFile(file); bytes.Contains(data, []byte(secret)) {
			t.Errorf("the secret is in %s", file)
		}
	}
	if strings.Contains(h.out.String(), secret) {
		t.Error("the secret was printed")
	}

	t.Run("a second API", func(t *testing.T) {
		h.env["AUTH0_OTHER_AUDIENCE"] = "https://second"
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.wantShown("audience_mismatch")
	})
	t.Run("a wrong secret", func(t *testing.T) {
		h.env["AUTH0_CLIENT_SECRET"] = "wrong"
		err := h.run(t.Context())
		if err == nil || !strings.Contains(err.Error(), `acme.eu.auth0.example refuses a token: 401 Unauthorized {"error":"access_denied"`) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRealTenantCluster(t *testing.T) {
	h := newTheatre(t)
	template, err := readTemplate(h.opts.Config)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(h.opts.Run, "written.yaml")
	if err := template.write(path, &tenant{domain: "acme.auth0.com", audience: `https://a"b`, caFile: "/ca.pem", clientSecret: "s"}); err != nil {
		t.Fatal(err)
	}
	again, err := readTemplate(path)
	if err != nil {
		t.Fatal(err)
	}
	cluster := again.cluster("auth0")
	kind, _ := text(cluster, "type")
	sni, _ := text(again.tls(), "sni")
	if kind != "LOGICAL_DNS" || sni != "acme.auth0.com" || again.ports.auth0 != "acme.auth0.com:443" ||
		again.domain != "acme.auth0.com" || again.audience != `https://a"b` || again.caFile != "/ca.pem" {
		t.Errorf("type %s, sni %s, address %s, %+v", kind, sni, again.ports.auth0, again)
	}
	if find(again.tls(), "auto_sni_san_validation") != true {
		t.Error("the certificate's name is not checked")
	}
}

func TestEnvironmentFaults(t *testing.T) {
	whole := map[string]string{"AUTH0_DOMAIN": "acme.auth0.com", "AUTH0_AUDIENCE": "a", "AUTH0_CLIENT_ID": "c", "AUTH0_CLIENT_SECRET": "hush"}
	for _, tc := range []struct{ name, value, says string }{
		{"AUTH0_DOMAIN", "", "AUTH0_DOMAIN must be set too"},
		{"AUTH0_CLIENT_SECRET", "", "AUTH0_CLIENT_SECRET must be set too"},
		{"AUTH0_DOMAIN", "https://acme.auth0.com/", "bare name in lower case"},
		{"AUTH0_DOMAIN", "Acme.auth0.com", "bare name in lower case"},
		{"AUTH0_DOMAIN", "localhost", "bare name in lower case"},
		{"AUTH0_CONNECT", "nowhere", "host:port"},
		{"AUTH0_CA_FILE", "/no/such/file", "AUTH0_CA_FILE"},
	} {
		t.Run(tc.name+"="+tc.value, func(t *testing.T) {
			_, err := tenantFrom(func(name string) string {
				if name == tc.name {
					return tc.value
				}
				return whole[name]
			})
			if err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %v, want %q", err, tc.says)
			}
		})
	}
	if got, err := tenantFrom(func(string) string { return "" }); got != nil || err != nil {
		t.Errorf("nothing set: %v, %v; want the stand-in", got, err)
	}
}

func TestBusyPort(t *testing.T) {
	h := newTheatre(t)
	l, err := net.Listen("tcp", h.listen["8000"])
	if err != nil {
		t.Fatal(err)
	}
	err = h.run(t.Context())
	l.Close()
	_, port, _ := net.SplitHostPort(h.listen["8000"])
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("port %s, which the API needs, is busy", port)) {
		t.Errorf("got %v", err)
	}
}

func TestPartDiesEarly(t *testing.T) {
	h := newTheatre(t)
	h.opts.Once = false
	ended := make(chan error, 1)
	go func() { ended <- Run(t.Context(), h.opts) }()
	h.await("All of it stays up")
	if _, err := http.Post("http://"+h.listen["9901"]+"/quitquitquit", "", nil); err != nil {
		t.Fatal(err)
	}
	if err := h.end(ended); err == nil || !strings.HasPrefix(err.Error(), "Envoy ended (exited). The last lines of ") {
		t.Errorf("got %v", err)
	}
}

// TestCtrlC stops the built program as a terminal, an init system and a closed
// window do.
func TestCtrlC(t *testing.T) {
	h := newTheatre(t)
	binary := filepath.Join(h.opts.Run, "demo")
	if out, err := exec.Command("go", "build", "-o", binary, "edgejwt/e2e/cmd/demo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			h.out.reset()
			cmd := exec.Command(binary, "-config", h.opts.Config, "-run", h.opts.Run, "-control", h.opts.Control)
			cmd.Stdout, cmd.Stderr = h.out, h.out
			cmd.Env = append(os.Environ(), "AUTH0_DOMAIN=", "AUTH0_AUDIENCE=", "AUTH0_CLIENT_ID=", "AUTH0_CLIENT_SECRET=", "DEMO_EXIT=")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			defer cmd.Process.Kill()
			h.await("All of it stays up")
			cmd.Process.Signal(sig)
			if err := h.end(ended); err != nil {
				t.Errorf("got %v\n%s", err, h.out)
			}
			h.nothingLeft()
		})
	}
}
