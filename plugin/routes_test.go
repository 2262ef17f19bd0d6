package plugin_test

import (
	"strings"
	"testing"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// with is the usual configuration with more members at its top.
func with(members string) string { return strings.TrimSuffix(auth0Config, "}") + ", " + members + "}" }

const someRoutes = `"routes": [
	{"name": "public", "path": {"prefix": "/public"}, "auth": "none"},
	{"name": "maybe", "path": {"prefix": "/maybe"}, "auth": "optional"},
	{"name": "opaque", "path": {"prefix": "/opaque"}, "allowOpaque": true},
	{"name": "write", "path": {"template": "/orders/{id}"}, "methods": ["POST"], "scopes": ["write:orders"], "anyScope": ["a", "b"]},
	{"name": "own", "path": {"template": "/users/{user}"}, "claimMatches": [{"claim": "sub", "variable": "user"}]},
	{"name": "try", "path": {"prefix": "/try"}, "mode": "report", "scopes": ["new"]}
]`

// to sends a request to a path.
func (w *world) to(method, path string, headers ...[2]string) *stream {
	w.Helper()
	id := w.InitializeHttpContext()
	all := append([][2]string{{":method", method}, {":path", path}, {":authority", "api.example.com"}}, headers...)
	return &stream{w, id, w.CallOnRequestHeaders(id, all, true)}
}

func TestRoutes(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, with(someRoutes+`, "resourceMetadata": {"resource": "https://api.example.com"}`))
		const about = `, resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"`
		w.to("POST", "/orders/7", bearer(f.sign("k1", nil))).waiting()
		w.serveKeys(keySet("k1"))
		valid := f.sign("k1", nil)
		write := f.sign("k1", map[string]any{"scope": "write:orders b"})
		for _, c := range []struct {
			name         string
			method, path string
			headers      [][2]string
			status       uint32 // 0: goes on
			reason       string
			challenge    string
			grpc         int32
			identity     bool
		}{
			{"public", "GET", "/public/x", nil, 0, "public", "", 0, false},
			{"public, with a token", "GET", "/public/x", [][2]string{bearer(valid)}, 0, "public", "", 0, false},
			{"optional, none", "GET", "/maybe", nil, 0, "anonymous", "", 0, false},
			{"optional, valid", "GET", "/maybe", [][2]string{bearer(valid)}, 0, "accepted", "", 0, true},
			{"optional, bad", "GET", "/maybe", [][2]string{bearer("x")}, 401, "token_opaque", `Bearer realm="api", error="invalid_token"` + about, 16, false},
			{"opaque", "GET", "/opaque", [][2]string{bearer("x")}, 0, "opaque", "", 0, false},
			{"scopes", "POST", "/orders/7", [][2]string{bearer(write)}, 0, "accepted", "", 0, true},
			{"no scopes", "POST", "/orders/7", [][2]string{bearer(valid)}, 403, "scope_missing",
				`Bearer realm="api", error="insufficient_scope", scope="write:orders a b"` + about, 7, false},
			{"another's", "GET", "/users/other", [][2]string{bearer(valid)}, 403, "claim_mismatch", `Bearer realm="api", error="insufficient_scope"` + about, 7, false},
			{"own", "GET", "/users/client@clients", [][2]string{bearer(valid)}, 0, "accepted", "", 0, true},
			{"unreadable", "GET", "/public%2f..%2forders", nil, 400, "path_ambiguous", "", 3, false},
			{"no route", "GET", "/x", nil, 401, "token_missing", `Bearer realm="api"` + about, 16, false},
			{"WebSocket", "GET", "/x", [][2]string{{"upgrade", "websocket"}, {"connection", "upgrade"}}, 401, "token_missing", `Bearer realm="api"` + about, 16, false},
			{"gRPC-Web", "POST", "/x", [][2]string{{"content-type", "application/grpc-web+proto"}}, 401, "token_missing", `Bearer realm="api"` + about, 16, false},
		} {
			before := w.counter(reasonCounter(c.reason))
			s := w.to(c.method, c.path, append(c.headers, [2]string{"x-jwt-sub", "forged"})...)
			if got := w.counterAfterTick(reasonCounter(c.reason)) - before; got != 1 {
				t.Errorf("%s: counted %d times", c.name, got)
			}
			if c.status == 0 {
				if got, ok := s.accepted()["x-jwt-sub"]; ok != c.identity || c.identity && got != "client@clients" {
					t.Errorf("%s: output headers %q", c.name, got)
				}
				continue
			}
			reply := s.refusedWith(c.status, c.reason)
			if got := headerOf(reply, "www-authenticate"); got != c.challenge || reply.GRPCStatus != c.grpc {
				t.Errorf("%s: challenge %s, gRPC %d; want %s, %d", c.name, got, reply.GRPCStatus, c.challenge, c.grpc)
			}
			if headerOf(reply, "content-type") != "application/json" || !strings.HasPrefix(string(reply.Data), "{") {
				t.Errorf("%s: %v %q", c.name, reply.Headers, reply.Data)
			}
		}
		assertNoTokenLogged(t, w, valid)
	})
}

// TestRouteAfterWaiting: what the route demands is remembered while keys are
// fetched.
func TestRouteAfterWaiting(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, with(someRoutes+`, "filterState": true`))
		own := w.to("GET", "/users/client@clients", bearer(f.sign("k1", nil)))
		other := w.to("GET", "/users/other", bearer(f.sign("k1", nil)))
		lacks := w.to("GET", "/try", bearer(f.sign("k1", nil)))
		own.waiting()
		other.waiting()
		lacks.waiting()
		w.serveKeys(keySet("k1"))
		own.accepted()
		other.refusedWith(403, "claim_mismatch")
		if got := lacks.accepted()["x-jwt-sub"]; got != "client@clients" {
			t.Errorf("only reported, and output headers %q", got)
		}
		if n := w.counter("edgejwt_would_refuse;reason=scope_missing;;"); n != 1 {
			t.Errorf("reported %d times, want once", n)
		}
	})
}

func TestReportMode(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		config := strings.Replace(with(`"mode": "report", `+someRoutes), `"cluster"`, `"forwardOriginalToken": false, "cluster"`, 1)
		w := newWorld(t, f, config)
		w.to("GET", "/x", bearer(f.sign("k1", nil))).waiting()
		w.serveKeys(keySet("k1"))
		valid := f.sign("k1", nil)
		for _, c := range []struct {
			name, method, path string
			headers            [][2]string
			reason, route      string
			identity           bool
		}{
			{"none", "GET", "/x", nil, "token_missing", "", false},
			{"bad", "GET", "/maybe", [][2]string{bearer("x")}, "token_opaque", "maybe", false},
			{"expired", "GET", "/x", [][2]string{bearer(f.sign("k1", map[string]any{"exp": 1}))}, "token_expired", "", false},
			{"lacks a scope", "POST", "/orders/7", [][2]string{bearer(valid)}, "scope_missing", "write", true},
			{"unreadable", "GET", "/x%2f", nil, "path_ambiguous", "", false},
		} {
			logged := len(w.GetInfoLogs())
			would := "edgejwt_would_refuse;reason=" + c.reason + ";;"
			before, carriedOut := w.counter(would), w.counter(reasonCounter(c.reason))
			headers := w.to(c.method, c.path, append(c.headers, [2]string{"x-jwt-sub", "forged"})...).accepted()
			if got, ok := headers["x-jwt-sub"]; ok != c.identity || c.identity && got != "client@clients" {
				t.Errorf("%s: output headers %q", c.name, got)
			}
			if _, ok := headers["authorization"]; ok != (c.headers != nil) {
				t.Errorf("%s: its token was taken away", c.name)
			}
			if w.counter(would)-before != 1 || w.counter(reasonCounter(c.reason)) != carriedOut {
				t.Errorf("%s: reported %d times, refused %d times", c.name, w.counter(would)-before, w.counter(reasonCounter(c.reason))-carriedOut)
			}
			want := "would refuse: " + c.reason
			if c.route != "" {
				want += ", route " + c.route
			}
			if said := w.GetInfoLogs()[logged:]; len(said) != 1 || said[0] != want {
				t.Errorf("%s: logged %q, want %q", c.name, said, want)
			}
		}
		if _, ok := w.to("GET", "/x", bearer(valid)).accepted()["authorization"]; ok {
			t.Error("an accepted token was not taken away")
		}
		assertNoTokenLogged(t, w, valid)
	})
}

func TestResourceMetadata(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, with(`"resourceMetadata": {"resource": "https://api.example.com/v1", "resourceName": "Orders"}`))
		reply := w.to("GET", "/.well-known/oauth-protected-resource/v1").refusedWith(200, "resource_metadata")
		for name, want := range map[string]string{"content-type": "application/json", "access-control-allow-origin": "*",
			"cache-control": "max-age=3600", "www-authenticate": ""} {
			if got := headerOf(reply, name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if body := string(reply.Data); !strings.Contains(body, `"resource":"https://api.example.com/v1"`) || !strings.Contains(body, "Orders") {
			t.Errorf("body %s", body)
		}
		if n := w.counter(reasonCounter("resource_metadata")); n != 1 {
			t.Errorf("counted %d times", n)
		}
		w.to("POST", "/.well-known/oauth-protected-resource/v1").refusedWith(401, "token_missing")
	})
}

// TestPolicyOfEnvoysRoute: the property is what Envoy has of its route's metadata.
func TestPolicyOfEnvoysRoute(t *testing.T) {
	path := []string{"xds", "route_metadata", "filter_metadata", "edgejwt", "policy"}
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, with(`"routeMetadata": true, `+someRoutes))
		w.to("GET", "/x", bearer(f.sign("k1", nil))).waiting()
		w.serveKeys(keySet("k1"))
		w.to("GET", "/public").accepted()
		set := func(policy string) {
			if err := w.SetProperty(path, []byte(policy)); err != nil {
				t.Fatal(err)
			}
		}
		set(`{"scopes": ["s"]}`)
		w.to("GET", "/public").refusedWith(401, "token_missing")
		w.to("GET", "/public", bearer(f.sign("k1", nil))).refusedWith(403, "scope_missing")
		w.to("GET", "/public", bearer(f.sign("k1", map[string]any{"scope": "s"}))).accepted()
		set(`{"auth": "none"}`)
		w.to("POST", "/orders/7").accepted()
		w.to("GET", "/public", [2]string{"x-jwt-sub", "forged"}).refusedWith(400, "identity_forged")
		set(`{"path": {"exact": "/"}}`)
		for range 3 {
			w.to("GET", "/public", bearer(f.sign("k1", nil))).refusedWith(500, "internal")
		}
		if said := w.GetErrorLogs(); len(said) != 1 || !strings.Contains(said[0], "path") {
			t.Errorf("logged %q, want one line that names the field", said)
		}
	})
}

func TestFilterState(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, strings.Replace(with(`"filterState": true, `+someRoutes), `"cluster"`,
			`"outputClaimToFilterState": [{"key": "edgejwt.sub", "claim": "sub"}], "cluster"`, 1))
		says := func(key, want string) {
			t.Helper()
			if got, err := w.GetProperty([]string{key}); string(got) != want || (err == types.ErrorStatusNotFound) != (want == "") {
				t.Errorf("%s: %q (%v), want %q", key, got, err, want)
			}
		}
		w.to("POST", "/orders/7").refusedWith(401, "token_missing")
		says("edgejwt.decision", "token_missing")
		says("edgejwt.route", "write")
		says("edgejwt.issuer", "")
		waits := w.to("GET", "/users/client@clients", bearer(f.sign("k1", nil)))
		says("edgejwt.route", "write") // nothing is set before the decision
		w.serveKeys(keySet("k1"))
		waits.accepted()
		says("edgejwt.decision", "accepted")
		says("edgejwt.route", "own")
		says("edgejwt.issuer", issuer)
		says("edgejwt.sub", "client@clients")
		if n := w.counter("edgejwt_state_failures"); n != 0 {
			t.Errorf("%d failures", n)
		}
	})
}

func TestClearsTheRouteWhenAsked(t *testing.T) {
	for members, want := range map[string]int{`"clearRouteCache": true`: 1, `"clearRouteCache": false`: 0} {
		forms(t, func(t *testing.T, f form) {
			cleared := 0
			w := newWorld(t, f, with(members))
			w.RegisterForeignFunction("clear_route_cache", func([]byte) []byte { cleared++; return []byte{0} })
			s := w.to("GET", "/", bearer(f.sign("k1", nil)))
			w.serveKeys(keySet("k1"))
			s.accepted()
			w.to("GET", "/").refusedWith(401, "token_missing")
			if cleared != want {
				t.Errorf("%s: cleared %d times, want %d", members, cleared, want)
			}
		})
	}
}

// TestCookiesAndParametersAreRemoved: also after a wait.
func TestCookiesAndParametersAreRemoved(t *testing.T) {
	config := strings.Replace(auth0Config, `"cluster"`, `"fromCookies": ["session"], "fromParams": ["access_token"], "forwardOriginalToken": false, "cluster"`, 1)
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, config)
		token := f.sign("k1", nil)
		send := func() *stream {
			return w.to("GET", "/x?a=1&access_token="+token, [2]string{"cookie", "a=1; session=" + token}, [2]string{"cookie", "b=2"})
		}
		waits := send()
		waits.waiting()
		w.serveKeys(keySet("k1"))
		for name, s := range map[string]*stream{"waiting": waits, "at once": send()} {
			if got := s.accepted(); got[":path"] != "/x?a=1" || got["cookie"] == "" || strings.Contains(got["cookie"], "session") {
				t.Errorf("%s: path %q, cookie %q", name, got[":path"], got["cookie"])
			}
		}
		only := w.to("GET", "/?access_token="+token, [2]string{"cookie", "session=" + token}).accepted()
		if _, ok := only["cookie"]; ok || only[":path"] != "/" {
			t.Errorf("path %q, cookie %q", only[":path"], only["cookie"])
		}
		w.to("GET", "/?access_token=x", [2]string{"cookie", "session=" + token}).refusedWith(400, "token_ambiguous")
	})
}
