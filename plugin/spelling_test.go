package plugin_test

import (
	"strings"
	"testing"
)

// TestSpellings: another spelling of a request for an open rule needs what the
// request as Envoy routes it would need, and the log says what to set.
func TestSpellings(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, with(`"routes": [
			{"hosts": ["www.example.com"], "auth": "none"},
			{"path": {"exact": "/status"}, "methods": ["GET"], "auth": "none"},
			{"path": {"exact": "/twin"}, "scopes": ["a"]}, {"path": {"exact": "/twin/"}, "scopes": ["b"]}]`))
		for _, c := range []struct {
			method, host, path string
			status             uint32 // 0: goes on
			reason             string
		}{
			{"GET", "www.example.com", "/x", 0, ""},
			{"GET", "www.example.com:1", "/x", 401, "token_missing"},
			{"GET", "www.example.com.", "/x", 401, "token_missing"},
			{"GET", "WWW.example.com", "/x", 401, "token_missing"},
			{"GET", "api.example.com", "/status", 0, ""},
			{"GET", "api.example.com", "/status/", 401, "token_missing"},
			{"HEAD", "api.example.com", "/status", 401, "token_missing"},
			{"get", "api.example.com", "/status", 400, "path_ambiguous"},
			{"GET", "api.example.com", "/twin/", 400, "request_ambiguous"},
		} {
			id := w.InitializeHttpContext()
			s := &stream{w, id, w.CallOnRequestHeaders(id, [][2]string{{":method", c.method}, {":path", c.path}, {":authority", c.host}}, true)}
			if c.status == 0 {
				s.accepted()
				continue
			}
			s.refusedWith(c.status, c.reason)
		}
		if all := strings.Join(w.GetWarnLogs(), "\n"); strings.Count(all, "set strip_any_host_port in Envoy") != 1 || strings.Contains(all, "www.example.com") {
			t.Errorf("the log must name the remedy once, and quote nothing of the request:\n%s", all)
		}
	})
}
