package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/harness"

	"github.com/coder/websocket"
)

const protocols = `
auth0: {domain: tenant.auth0.example, audience: https://api.example.com, cluster: auth0}
routes:
- {name: public, path: {prefix: /public}, auth: none}
- {name: shut, path: {prefix: /shut}, auth: deny}
- {name: check, path: {exact: /grpc.health.v1.Health/Check}, scopes: [read:health]}
- {name: chat, path: {exact: /chat}, scopes: [chat]}
- {name: internal, path: {prefix: /me}, hosts: ["*.internal.example.com"]}
- {name: outside, path: {prefix: /me}, permissions: [nobody]}
`

// protocolEdges: an edge with the filters that belong before the plugin, one
// without, and both again where preflights are judged.
func protocolEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	routes := `- match: {path: /chat}
  route: {cluster: chat, upgrade_configs: [{upgrade_type: websocket}]}
- match: {prefix: /grpc.health.v1.Health/}
  route: {cluster: grpc}
- match: {prefix: /}
  route: {cluster: api}
`
	cors := strings.ReplaceAll(routes, "  route:", `  typed_per_filter_config:
    envoy.filters.http.cors:
      "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
      allow_origin_string_match: [{exact: "https://app.example"}]
      allow_methods: GET, POST
      allow_headers: authorization
      expose_headers: www-authenticate
  route:`)
	manager := harness.Normalising + "upgrade_configs: [{upgrade_type: websocket, enabled: false}]\nhttp2_protocol_options: {allow_connect: true}\n"
	before := `- name: envoy.filters.http.cors
  typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors}
- name: envoy.filters.http.grpc_web
  typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb}
`
	plugin, judging := fromYAML(t, protocols), fromYAML(t, protocols+"corsPreflight: judge\n")
	return []harness.Edge{
			{Name: "plain", Plugin: plugin, Manager: manager, Routes: routes},
			{Name: "browsers", Plugin: plugin, Manager: manager, Routes: cors, Before: before},
			{Name: "judging", Plugin: judging, Manager: manager, Routes: routes},
			{Name: "browsers-judging", Plugin: judging, Manager: manager, Routes: cors, Before: before},
		}, []harness.Cluster{
			{Name: "chat", Address: httptest.NewServer(http.HandlerFunc(echo)).Listener.Addr().String()},
			{Name: "grpc", Address: healthServer(t), HTTP2: true},
		}
}

// echo is a WebSocket that sends back what it gets.
func echo(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: []string{"echo"}})
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, message, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, message) != nil {
			return
		}
	}
}

// TestWebSocket: the token is asked for before the upgrade, and once.
func TestWebSocket(t *testing.T) {
	w := edges(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	dial := func(token string) (*websocket.Conn, *http.Response, error) {
		o := &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://app.example"}}}
		if token != "" {
			o.HTTPHeader.Set("Authorization", "Bearer "+token)
		}
		return websocket.Dial(ctx, "ws://"+w.At("plain")+"/chat", o)
	}
	for token, status := range map[string]int{"": 401, "abc": 401, w.Auth0.Token(): 403} {
		c, resp, err := dial(token)
		if err == nil {
			c.CloseNow()
			t.Errorf("an upgrade without what it needs, want %d", status)
		} else if resp == nil || resp.StatusCode != status || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("want %d with a challenge, got %v, %v", status, resp, err)
		}
	}
	c, resp, err := dial(signed(t, w.Auth0, map[string]any{"scope": "chat"}))
	if err != nil {
		t.Fatal(resp, err)
	}
	defer c.CloseNow()
	for _, text := range []string{"hello", strings.Repeat("x", 20<<10)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, back, err := c.Read(ctx); err != nil || string(back) != text {
			t.Fatalf("got %d bytes back, %v", len(back), err)
		}
	}
	// Over HTTP/2 an upgrade is an extended CONNECT (RFC 8441).
	fields := [][2]string{{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/chat"},
		{":authority", "edge"}, {"sec-websocket-version", "13"}}
	if got := harness.Raw2(w.At("plain"), fields, ""); got.Reason != "token_missing" {
		t.Errorf("an extended CONNECT without a token: %v", got)
	}
	if got := harness.Raw2(w.At("plain"), append(fields, [2]string{"authorization", "Bearer " + w.Auth0.Token()}), ""); got.Reason != "scope_missing" {
		t.Errorf("an extended CONNECT without the scope: %v", got)
	}
}

// TestCORS: with Envoy's cors filter before the plugin, a web page is told what it
// may do, and may read a refusal. Without it, preflights are the API's matter.
func TestCORS(t *testing.T) {
	w := edges(t)
	origin := []string{"origin", "https://app.example"}
	preflight := append(origin, "access-control-request-method", "POST", "access-control-request-headers", "authorization")
	ask := func(edge, method, path string, headers ...string) harness.Answer {
		w.ResetSeen()
		return w.Do(harness.Request{Method: method, Path: path, Headers: headers, To: w.At(edge)})
	}
	got := ask("browsers", "OPTIONS", "/me", preflight...)
	if got.Status != 200 || got.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || got.Header.Get("Access-Control-Allow-Headers") != "authorization" || len(w.Seen()) != 0 {
		t.Errorf("the filter's own answer to a preflight: %v", got)
	}
	got = ask("browsers", "GET", "/me", origin...)
	if got.Status != 401 || got.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || got.Header.Get("Access-Control-Expose-Headers") != "www-authenticate" {
		t.Errorf("a refusal that the page may read: %v", got)
	}
	if got = ask("browsers", "GET", "/me", "origin", "https://evil.example"); got.Status != 401 || got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a refusal to a foreign page: %v", got)
	}
	if got = ask("browsers", "OPTIONS", "/me", "origin", "https://evil.example", "access-control-request-method", "POST"); got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a preflight of a foreign page: %v", got)
	}
	w.Grows(harness.Requests("preflight"), 1, func() {
		if ask("plain", "OPTIONS", "/me", preflight...); len(w.Seen()) != 1 {
			t.Errorf("a preflight without the filter must reach the API, which saw %v", w.Seen())
		}
	})
	for name, headers := range map[string][]string{
		"without an origin":    {"access-control-request-method", "POST"},
		"without the method":   origin,
		"with an empty origin": {"origin", "", "access-control-request-method", "POST"},
		"without either":       nil,
	} {
		if got := ask("plain", "OPTIONS", "/me", headers...); got.Status != 401 {
			t.Errorf("no preflight, for it is %s: %v", name, got)
		}
	}
}

// TestPreflights: they pass but where nobody does, or are judged like any other
// request; those that Envoy's cors filter answers never come to the plugin.
func TestPreflights(t *testing.T) {
	w := edges(t)
	page := []string{"origin", "https://app.example", "access-control-request-method", "POST"}
	token := bearer(w.Auth0.Token())
	for _, tc := range []struct {
		edge, path string
		headers    []string
		reason     string // "" when it passes
		status     int    // 0: the API's own
	}{
		{"plain", "/orders", page, "", 0},
		{"plain", "/public/x", page, "", 0},
		{"plain", "/shut", page, "route_denied", 403},
		{"plain", "/shut/x", append(token, page...), "route_denied", 403},
		{"plain", "/public;x/shut", page, "path_ambiguous", 400},
		{"judging", "/orders", page, "token_missing", 401},
		{"judging", "/orders", append(bearer("a.b.c"), page...), "token_malformed", 401},
		{"judging", "/orders", append(token, page...), "", 0},
		{"judging", "/public/x", page, "", 0},
		{"judging", "/shut", page, "route_denied", 403},
		{"browsers-judging", "/orders", page, "", 200},
		{"browsers-judging", "/shut", page, "", 200},
		{"browsers-judging", "/orders", []string{"origin", "https://evil.example", "access-control-request-method", "POST"}, "token_missing", 401},
	} {
		for _, http2 := range []bool{false, true} {
			w.ResetSeen()
			got := w.Do(harness.Request{Method: "OPTIONS", Path: tc.path, Headers: tc.headers, HTTP2: http2, To: w.At(tc.edge)})
			passed := tc.reason == "" && tc.status == 0
			if got.Reason != tc.reason || tc.status != 0 && got.Status != tc.status || (len(w.Seen()) == 1) != passed {
				t.Errorf("%s: OPTIONS %s with %.40q, HTTP/2 %v: %v, and the API saw %v; want %d %s", tc.edge, tc.path, tc.headers, http2, got, w.Seen(), tc.status, tc.reason)
			}
		}
	}
}

// TestHEAD: the same answer as to GET, without its body (RFC 9110 §9.3.2).
func TestHEAD(t *testing.T) {
	w := edges(t)
	for name, tc := range map[string]struct {
		path    string
		headers []string
		status  int
	}{
		"refused":            {"/me", nil, 401},
		"not allowed":        {"/me", bearer(w.Auth0.Token()), 403},
		"two readings":       {"/public;x/me", nil, 400},
		"a page for anybody": {"/public/x", nil, 200},
	} {
		for _, http2 := range []bool{false, true} {
			ask := func(method string) harness.Answer {
				a := w.Do(harness.Request{Method: method, Path: tc.path, Headers: tc.headers, HTTP2: http2, To: w.At("plain")})
				for _, changing := range []string{"Date", "X-Envoy-Upstream-Service-Time", "Allow"} {
					a.Header.Del(changing)
				}
				return a
			}
			get, head := ask("GET"), ask("HEAD")
			if tc.status == 200 { // FastAPI routes HEAD as GET only where told so; that it gets there is the point
				if head.Status != 200 && head.Status != 405 {
					t.Errorf("%s: HEAD %v", name, head)
				}
				continue
			}
			if head.Status != tc.status || get.Status != tc.status || head.Body != "" || get.Body == "" {
				t.Errorf("%s: GET %v, HEAD %v, want %d", name, get, head, tc.status)
			}
			for header := range get.Header {
				if get.Header.Get(header) != head.Header.Get(header) {
					t.Errorf("%s: GET has %s %q, HEAD %q", name, header, get.Header.Get(header), head.Header.Get(header))
				}
			}
		}
	}
}
