package plugin_test

import (
	"strings"
	"testing"
)

// TestHeadersOfOtherSpellings: a request is judged by what any server may read of
// its headers, and no trailer says otherwise.
func TestHeadersOfOtherSpellings(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, `{"auth0": {"domain": "tenant.auth0.example", "audience": "https://api.example.com", "cluster": "auth0"},
			"routes": [{"path": {"prefix": "/t"}, "claimMatches": [{"claim": "org", "header": "x-tenant"}]}, {"path": {"prefix": "/public"}, "auth": "none"}]}`)
		acme := bearer(f.sign("k1", map[string]any{"org": "acme"}))
		w.to("GET", "/t", acme).waiting()
		w.serveKeys(keySet("k1"))
		tenant := [2]string{"x-tenant", "acme"}
		w.to("GET", "/t", acme, tenant).accepted()
		for _, name := range []string{"x.tenant", "x~tenant", "x_tenant"} {
			w.to("GET", "/t", acme, tenant, [2]string{name, "globex"}).refusedWith(403, "claim_mismatch")
		}

		for _, path := range []string{"/t", "/public", "/other"} {
			got := w.to("GET", path, acme, tenant, [2]string{"x-http-method-override", "DELETE"}, [2]string{"x_forwarded_host", "a"}, [2]string{"x-forwarded-for", "b"}).accepted()
			for name, kept := range map[string]bool{"x-http-method-override": false, "x_forwarded_host": false, "x-forwarded-for": true} {
				if _, there := got[name]; there != kept {
					t.Errorf("%s: %s arrives: %v", path, name, there)
				}
			}
		}
	})
}

// TestTrailersOfOtherSpellings: trailers with the name of a compared header or of a token's
// header are removed, also without output headers.
func TestTrailersOfOtherSpellings(t *testing.T) {
	v := newVM(t)
	v.plugin(1, strings.TrimSuffix(inline("k1", "a", ""), "}")+`, "routes": [{"path": {"prefix": "/"}, "claimMatches": [{"claim": "org", "header": "x-tenant"}]}]}`)
	v.request(10, 1, bearer(v.sign("k1", map[string]any{"aud": "a", "org": "acme"})), [2]string{"x-tenant", "acme"})
	if reply := v.replies[10]; reply != "" {
		t.Fatal(reply)
	}
	v.trailers[10] = [][2]string{{"x-tenant", "globex"}, {"x.tenant", "globex"}, {"authorization", "Bearer other"}, {"cookie", "a=b"},
		{"x-original-url", "/admin"}, {"x-checksum", "7"}}
	if action := v.enter(10, "proxy_on_request_trailers", 6); action != 0 || len(v.trailers[10]) != 1 || v.trailers[10][0][0] != "x-checksum" {
		t.Errorf("action %d, left %q", action, v.trailers[10])
	}
}
