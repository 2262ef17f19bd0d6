package e2e

import (
	"encoding/base64"
	"strings"
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// TestOddRequests: what HTTP/2 lets a client say, and HTTP/1.1 with it, is judged
// as the API will read it, or refused.
func TestOddRequests(t *testing.T) {
	w := edges(t)
	token := w.Auth0.Token()
	get := func(path, authority string) [][2]string {
		fields := [][2]string{{":method", "GET"}, {":scheme", "http"}, {":path", path}}
		if authority != "" {
			fields = append(fields, [2]string{":authority", authority})
		}
		return fields
	}
	for _, tc := range []struct {
		name, edge string
		fields     [][2]string
		want       string // reason; "" to pass; "-" for a refusal of Envoy's own
		host       string // that the API must see then
		cookies    string
	}{
		{name: "as usual", edge: "routes", fields: get("/hosts", "api.example.com"), host: "api.example.com"},
		{name: "host in place of :authority", edge: "routes", fields: append(get("/hosts", ""), [2]string{"host", "api.example.com"}), host: "api.example.com"},
		{name: "another host beside :authority", edge: "routes", fields: append(get("/hosts", "evil.com"), [2]string{"host", "api.example.com"}), want: "token_missing"},
		{name: "neither", edge: "routes", fields: get("/hosts", ""), want: "-"},
		{name: "a user in :authority", edge: "routes", fields: get("/hosts", "evil.com@api.example.com"), want: "-"},
		{name: "a method in lower case", edge: "routes", fields: append([][2]string{{":method", "get"}}, get("/methods", "edge")[1:]...), want: "path_ambiguous"},
		{name: "a method that nobody knows", edge: "routes", fields: append([][2]string{{":method", "BREW"}}, get("/methods", "edge")[1:]...), want: "token_missing"},
		{name: "no path", edge: "routes", fields: [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "edge"}}, want: "-"},
		{name: "two paths", edge: "routes", fields: append(get("/exact", "edge"), [2]string{":path", "/scopes"}), want: "-"},
		{name: "a path behind the headers", edge: "routes", fields: [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "edge"}, {"x-a", "b"}, {":path", "/exact"}}, want: "-"},
		{name: "an unknown pseudo field", edge: "routes", fields: append(get("/exact", "edge"), [2]string{":admin", "1"}), want: "-"},
		{name: "a name in capitals", edge: "routes", fields: append(get("/exact", "edge"), [2]string{"Authorization", "Bearer " + token}), want: "-"},
		{name: "CONNECT", edge: "routes", fields: [][2]string{{":method", "CONNECT"}, {":authority", "api.example.com:443"}}, want: "path_ambiguous"},
		{name: "two authorization fields", edge: "routes", fields: append(get("/none", "edge"), [2]string{"authorization", "Bearer " + token}, [2]string{"authorization", "Bearer " + token}), want: "token_ambiguous"},
		{name: "cookies parted into fields", edge: "places", fields: append(get("/page", "edge"), [2]string{"cookie", "a=1"}, [2]string{"cookie", "session=" + token}, [2]string{"cookie", "b=2"}), cookies: "a=1; b=2"},
		{name: "two tokens in parted cookies", edge: "places", fields: append(get("/page", "edge"), [2]string{"cookie", "session=" + token}, [2]string{"cookie", "session=" + token + "x"}), want: "token_ambiguous"},
	} {
		w.ResetSeen()
		got := harness.Raw2(w.At(tc.edge), tc.fields, "")
		seen := w.Seen()
		switch {
		case tc.want == "-":
			if got.Reason != "" || got.Err == nil && got.Status < 400 || len(seen) != 0 {
				t.Errorf("%s: %v, want a refusal of Envoy's own; the API saw %v", tc.name, got, seen)
			}
		case got.Reason != tc.want || (len(seen) == 1) != (tc.want == ""):
			t.Errorf("%s: %v, want %q; the API saw %v", tc.name, got, tc.want, seen)
		case tc.want == "" && (tc.host != "" && seen[0].Header("host") != tc.host || seen[0].Header("cookie") != tc.cookies):
			t.Errorf("%s: the API saw %+v", tc.name, seen[0])
		}
	}
}

// TestHopByHop: a client that names a header as the connection's own cannot have
// it taken from what the API is told (RFC 9110 §7.6.1).
func TestHopByHop(t *testing.T) {
	w := edges(t)
	for _, named := range []string{"x-user", "authorization", "x-user, authorization, close"} {
		w.ResetSeen()
		got := harness.Raw(w.At("tenants"), "GET /me HTTP/1.1\r\nHost: edge\r\nX-User: root\r\nAuthorization: Bearer "+w.Auth0.Token()+
			"\r\nConnection: "+named+"\r\n\r\n")
		if seen := w.Seen(); got.Status == 200 && (len(seen) != 1 || seen[0].Header("x-user") != auth0.DefaultClientID+"@clients") {
			t.Errorf("Connection: %s: %v; the API saw %v", named, got, seen)
		} else if got.Status != 200 && len(seen) != 0 {
			t.Errorf("Connection: %s: %v, and the API saw %v", named, got, seen)
		}
	}
}

// TestManyBrackets: an unsigned token that nests thousands deep is refused like any
// other that is not well formed. A parser that recurses without a bound would end the
// VM, which then answers 503 to everybody.
func TestManyBrackets(t *testing.T) {
	w := harness.Start(t, harness.Options{})
	w.AwaitKeys()
	const header, payload = `{"alg":"RS256","kid":"k"}`, `{"iss":"x"}`
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, n := range []int{6000, 8000, 12000} {
		for _, open := range []string{"[", `{"":`} {
			many := strings.Repeat(open, n/len(open))
			for name, token := range map[string]string{
				"raw header":            encode(many) + "." + encode(payload) + ".",
				"raw payload":           encode(header) + "." + encode(many) + ".",
				"in a header object":    encode(`{"alg":"RS256","kid":"k","x":`+many) + ".e30.",
				"in a payload object":   encode(header) + "." + encode(`{"x":`+many) + ".",
				"behind a closed value": encode(header) + "." + encode(`{"y":[],"x":`+many) + ".",
				"behind a string":       encode(header) + "." + encode(`{"y":"\\","x":`+many) + ".",
			} {
				if len(token) > 16<<10 {
					t.Fatalf("%s, %d: the token is too long to be read", name, n)
				}
				got := w.Get("/orders", bearer(token+encode("s"))...)
				if got.Status != 401 || got.Reason != "token_too_large" {
					t.Errorf("%d brackets %s, %s: %v", n, open, name, got)
				}
				passes(t, w)
			}
		}
	}
	if n := w.Stat("edgejwt_panics"); n != 0 {
		t.Errorf("edgejwt_panics is %d", n)
	}
}
