package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"

	"github.com/coder/websocket"
)

// places is a configuration for browsers: a token in a cookie, or in the URL of
// what cannot send headers, is taken, and none of them reaches the API.
const places = `
auth0:
  domain: tenant.auth0.example
  audience: https://api.example.com
  cluster: auth0
  fromHeaders: [{name: authorization, prefix: "Bearer "}, {name: x-token, prefix: ""}]
  fromCookies: [session]
  fromParams: [access_token]
  forwardOriginalToken: false
  outputClaimToHeaders: [{header: x-user, claim: sub}]
`

// sockets is a configuration for the WebSockets of browsers, which can send no header
// but Sec-WebSocket-Protocol; prefixed is one for protocols with dots in their names.
const (
	sockets = `
auth0:
  domain: tenant.auth0.example
  audience: https://api.example.com
  cluster: auth0
  fromHeaders: [{name: authorization, prefix: "Bearer "}, {name: sec-websocket-protocol}]
  forwardOriginalToken: false
  outputClaimToHeaders: [{header: x-user, claim: sub}]
`
	prefixed = `
auth0:
  domain: tenant.auth0.example
  audience: https://api.example.com
  cluster: auth0
  fromHeaders: [{name: Sec-WebSocket-Protocol, prefix: jwt.}, {name: x-credentials, prefix: "token=", list: true}]
  forwardOriginalToken: false
  outputClaimToHeaders: [{header: x-user, claim: sub}]
`
	largeTokens = `
auth0:
  domain: tenant.auth0.example
  audience: https://api.example.com
  cluster: auth0
  maxTokenBytes: 32Ki
  outputPayloadToHeader: x-payload
  outputPayloadPadding: true
`
)

func placeEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	upgrades := harness.Normalising + "upgrade_configs: [{upgrade_type: websocket}]\n"
	routes := `- match: {path: /chat}
  route: {cluster: chat}
- match: {prefix: /}
  route: {cluster: api}
`
	return []harness.Edge{
		{Name: "places", Plugin: fromYAML(t, places)},
		{Name: "sockets", Plugin: fromYAML(t, sockets), Manager: upgrades, Routes: routes},
		{Name: "prefixed", Plugin: fromYAML(t, prefixed), Manager: upgrades, Routes: routes},
		{Name: "large-tokens", Plugin: fromYAML(t, largeTokens)},
	}, nil
}

// TestPlacesOfTokens: found where the configuration names it, refused where two
// might be meant, and gone when the API sees the request; over HTTP/1.1, and over
// HTTP/2, which may part one cookie header into many (RFC 9113 §8.2.3).
func TestPlacesOfTokens(t *testing.T) {
	w := edges(t)
	token, other := w.Auth0.Token(), signed(t, w.Auth0, map[string]any{"sub": "another"})
	encoded := strings.ReplaceAll(token, ".", "%2E")
	for _, tc := range []struct {
		name    string
		path    string
		headers []string
		reason  string
		query   string // that the API sees
		cookies string // that the API sees, joined
	}{
		{name: "a header", path: "/page", headers: bearer(token)},
		{name: "a header of its own", path: "/page", headers: []string{"x-token", token}},
		{name: "a cookie", path: "/page", headers: []string{"cookie", "session=" + token}},
		{name: "a cookie between others", path: "/page?a=1", headers: []string{"cookie", "theme=dark; session=" + token + "; lang=de"}, query: "a=1", cookies: "theme=dark; lang=de"},
		{name: "a quoted cookie", path: "/page", headers: []string{"cookie", `a=1; session="` + token + `"; b=2`}, cookies: "a=1; b=2"},
		{name: "a cookie that is quoted once", path: "/page", headers: []string{"cookie", `session="` + token}, reason: "token_malformed"},
		{name: "a quoted cookie with another inside", path: "/page", headers: []string{"cookie", `session="` + token + `\"`}, reason: "token_malformed"},
		{name: "two cookies of one name, the same", path: "/page", headers: []string{"cookie", "session=" + token + "; a=1; session=" + token}, cookies: "a=1"},
		{name: "two cookies of one name, the same, one quoted", path: "/page", headers: []string{"cookie", `session="` + token + `"; session=` + token}},
		{name: "two cookies of one name, one quoted", path: "/page", headers: []string{"cookie", `session="` + other + `"; session=` + token}, reason: "token_ambiguous"},
		{name: "a parameter", path: "/page?access_token=" + token},
		{name: "a parameter between others", path: "/page?a=1&access_token=" + token + "&b=%20x&c", query: "a=1&b=%20x&c"},
		{name: "a parameter with escapes", path: "/page?access%5Ftoken=" + encoded + "&a=1", query: "a=1"},
		{name: "the same token everywhere", path: "/page?access_token=" + token, headers: append(bearer(token), "cookie", "session="+token, "x-token", token)},
		{name: "a cookie of another name", path: "/page", headers: []string{"cookie", "Session=" + token}, reason: "token_missing"},
		{name: "a parameter of another name", path: "/page?access_tokens=" + token, reason: "token_missing"},
		{name: "a parameter in another case", path: "/page?Access_Token=" + token, reason: "token_ambiguous"},
		{name: "a parameter behind a fragment", path: "/page?a=1#access_token=" + token, reason: "token_ambiguous"},
		{name: "two tokens, header and cookie", path: "/page", headers: append(bearer(token), "cookie", "session="+other), reason: "token_ambiguous"},
		{name: "two tokens, header and parameter", path: "/page?access_token=" + other, headers: bearer(token), reason: "token_ambiguous"},
		{name: "two tokens, cookie and parameter", path: "/page?access_token=" + other, headers: []string{"cookie", "session=" + token}, reason: "token_ambiguous"},
		{name: "two cookies of one name", path: "/page", headers: []string{"cookie", "session=" + token + "; session=" + other}, reason: "token_ambiguous"},
		{name: "two parameters of one name", path: "/page?access_token=" + token + "&access_token=" + other, reason: "token_ambiguous"},
		{name: "a bad token in a cookie", path: "/page", headers: []string{"cookie", "session=abc"}, reason: "token_opaque"},
		{name: "a malformed token in a cookie", path: "/page", headers: []string{"cookie", "session=a.b.c"}, reason: "token_malformed"},
	} {
		for _, http2 := range []bool{false, true} {
			w.ResetSeen()
			got := w.Do(harness.Request{Path: tc.path, Headers: tc.headers, HTTP2: http2, To: w.At("places")})
			if strings.Contains(tc.path, "#") { // which no library sends
				got = harness.Raw(w.At("places"), "GET "+tc.path+" HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n")
			}
			seen := w.Seen()
			if got.Err != nil || tc.reason != "" {
				// Envoy itself refuses a fragment.
				if got.Reason != tc.reason && (got.Status != 400 || !strings.Contains(tc.path, "#")) || len(seen) != 0 {
					t.Errorf("%s (HTTP/2 %v): %v, want %s; the API saw %v", tc.name, http2, got, tc.reason, seen)
				}
				continue
			}
			if got.Status != 200 || len(seen) != 1 {
				t.Fatalf("%s (HTTP/2 %v): %v; the API saw %v", tc.name, http2, got, seen)
			}
			s := seen[0]
			if s.Query != tc.query || s.Header("cookie") != tc.cookies || s.Header("authorization") != "" || s.Header("x-token") != "" {
				t.Errorf("%s (HTTP/2 %v): the API saw %+v", tc.name, http2, s)
			}
			if s.Header("x-user") != auth0.DefaultClientID+"@clients" {
				t.Errorf("%s (HTTP/2 %v): x-user is %q", tc.name, http2, s.Header("x-user"))
			}
		}
	}
}

// TestTokensInLists: of a header that is a list the element is taken that is the token, and
// the API gets the others.
func TestTokensInLists(t *testing.T) {
	w := edges(t)
	token, other := w.Auth0.Token(), signed(t, w.Auth0, map[string]any{"sub": "another"})
	const protocol = "sec-websocket-protocol"
	for _, tc := range []struct {
		name, edge string
		headers    []string
		reason     string
		left       map[string]string // that the API sees
	}{
		{name: "behind a protocol", edge: "sockets", headers: []string{protocol, "graphql-ws, " + token}, left: map[string]string{protocol: "graphql-ws"}},
		{name: "before a protocol", edge: "sockets", headers: []string{protocol, token + ",graphql-ws"}, left: map[string]string{protocol: "graphql-ws"}},
		{name: "alone", edge: "sockets", headers: []string{protocol, token}},
		{name: "in two lines", edge: "sockets", headers: []string{protocol, "graphql-ws", protocol, token}, left: map[string]string{protocol: "graphql-ws"}},
		{name: "two tokens", edge: "sockets", headers: []string{protocol, token + ", " + other}, reason: "token_ambiguous"},
		{name: "two tokens in two lines", edge: "sockets", headers: []string{protocol, token, protocol, other}, reason: "token_ambiguous"},
		{name: "a protocol that may be a token", edge: "sockets", headers: []string{protocol, "wamp.2.json, " + token}, reason: "token_ambiguous"},
		{name: "another token in authorization", edge: "sockets", headers: append(bearer(other), protocol, token), reason: "token_ambiguous"},
		{name: "protocols, and a token in authorization", edge: "sockets", headers: append(bearer(token), protocol, "graphql-ws, soap"), left: map[string]string{protocol: "graphql-ws, soap"}},
		{name: "protocols alone", edge: "sockets", headers: []string{protocol, "graphql-ws, soap"}, reason: "token_missing"},
		{name: "a forged token", edge: "sockets", headers: []string{protocol, "graphql-ws, " + token[:len(token)-8] + "AAAAAAAA"}, reason: "signature_invalid"},
		{name: "after a prefix", edge: "prefixed", headers: []string{protocol, "wamp.2.json, jwt." + token + ", v4.channel.k8s.io"}, left: map[string]string{protocol: "wamp.2.json, v4.channel.k8s.io"}},
		{name: "without its prefix", edge: "prefixed", headers: []string{protocol, "graphql-ws, " + token}, reason: "token_missing"},
		{name: "two after the prefix", edge: "prefixed", headers: []string{protocol, "jwt." + token + ", jwt." + other}, reason: "token_ambiguous"},
		{name: "in a list of one's own", edge: "prefixed", headers: []string{"x-credentials", "a=b, token=" + token}, left: map[string]string{"x-credentials": "a=b"}},
		{name: "in two lists", edge: "prefixed", headers: []string{"x-credentials", "a=b, token=" + token, protocol, "soap, jwt." + token}, left: map[string]string{"x-credentials": "a=b", protocol: "soap"}},
		{name: "in quotes", edge: "prefixed", headers: []string{"x-credentials", `a="b, token=` + token + `, c"`}, reason: "token_ambiguous"},
	} {
		for _, http2 := range []bool{false, true} {
			w.ResetSeen()
			got := w.Do(harness.Request{Path: "/page", Headers: tc.headers, HTTP2: http2, To: w.At(tc.edge)})
			seen := w.Seen()
			if tc.reason != "" {
				if got.Reason != tc.reason || len(seen) != 0 {
					t.Errorf("%s (HTTP/2 %v): %v, want %s; the API saw %v", tc.name, http2, got, tc.reason, seen)
				}
				continue
			}
			if got.Status != 200 || len(seen) != 1 {
				t.Errorf("%s (HTTP/2 %v): %v; the API saw %v", tc.name, http2, got, seen)
				continue
			}
			for _, name := range []string{protocol, "x-credentials", "authorization"} {
				if value := seen[0].Header(name); value != tc.left[name] {
					t.Errorf("%s (HTTP/2 %v): the API saw %s: %q, want %q", tc.name, http2, name, value, tc.left[name])
				}
			}
			if user := seen[0].Header("x-user"); user != auth0.DefaultClientID+"@clients" {
				t.Errorf("%s (HTTP/2 %v): x-user is %q", tc.name, http2, user)
			}
		}
	}
}

// TestWebSocketOfABrowser: the protocol that the server chooses is one that the client
// offers beside the token.
func TestWebSocketOfABrowser(t *testing.T) {
	w := edges(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for edge, prefix := range map[string]string{"sockets": "", "prefixed": "jwt."} {
		dial := func(protocols ...string) (*websocket.Conn, *http.Response, error) {
			return websocket.Dial(ctx, "ws://"+w.At(edge)+"/chat", &websocket.DialOptions{Subprotocols: protocols, HTTPHeader: http.Header{"Origin": {"https://app.example"}}})
		}
		c, resp, err := dial("echo", prefix+w.Auth0.Token())
		if err != nil {
			t.Fatal(edge, resp, err)
		}
		if got := c.Subprotocol(); got != "echo" {
			t.Errorf("%s: the server chose %q", edge, got)
		}
		if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, back, err := c.Read(ctx); err != nil || string(back) != "hello" {
			t.Errorf("%s: got %q back, %v", edge, back, err)
		}
		c.CloseNow()
		for name, protocols := range map[string][]string{"no token": {"echo"}, "an opaque token": {"echo", prefix + "a.b"}, "two tokens": {prefix + "a.b.c", prefix + w.Auth0.Token()}} {
			if c, resp, err := dial(protocols...); err == nil {
				c.CloseNow()
				t.Errorf("%s: an upgrade with %s", edge, name)
			} else if resp == nil || resp.StatusCode != 400 && resp.StatusCode != 401 {
				t.Errorf("%s, %s: %v, %v", edge, name, resp, err)
			}
		}
	}
}

// TestWordsOfRefusals: what is wrong with a token is said by its own name, in words that
// tell the client what to do, and in the counter.
func TestWordsOfRefusals(t *testing.T) {
	w := edges(t)
	encode := base64.RawURLEncoding.EncodeToString
	jwe := encode([]byte(`{"alg":"dir","enc":"A256GCM"}`)) + "..AAAA.AAAA.AAAA"
	withExp := func(number string) string { return signed(t, w.Auth0, auth0.Claims{"exp": json.RawMessage(number)}) }
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	nameless := func(kid any) string {
		token, err := w.Auth0.MintToken(w.Auth0.ClientClaims(auth0.DefaultClientID, auth0.DefaultAudience, ""), auth0.Mint{Key: stranger, Header: map[string]any{"kid": kid}})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for _, tc := range []struct{ name, token, reason, says string }{
		{"too long", signed(t, w.Auth0, auth0.Claims{"groups": strings.Repeat("g", 20<<10)}), "token_too_large", "larger than this server accepts"},
		{"too many values", signed(t, w.Auth0, auth0.Claims{"groups": make([]int, 2000)}), "token_too_large", "larger than this server accepts"},
		{"encrypted", jwe, "token_encrypted", "encrypted and not for this API: was it requested with this API's audience?"},
		{"opaque", "bm8tYXVkaWVuY2UtYXNrZWQtZm9y", "token_opaque", "not a JWT: was it requested with this API's audience?"},
		{"opaque with a dot", "ya29.a0AfB_byEXAMPLE", "token_opaque", "not a JWT"},
		{"cut", strings.Join(strings.Split(w.Auth0.Token(), ".")[:2], "."), "token_malformed", "malformed"},
		{"exp beyond all numbers", withExp("1e400"), "claim_out_of_range", "out of range"},
		{"exp in yoctoseconds", withExp("1.7e26"), "claim_out_of_range", "out of range"},
		{"exp a string", withExp(`"1700000000"`), "claim_invalid", "of the wrong type"},
		{"no kid, of no key", nameless(nil), "kid_missing", "does not name its key (kid)"},
		{"an empty kid, of no key", nameless(""), "kid_missing", "does not name its key (kid)"},
	} {
		before := w.Count(tc.reason)
		got := w.Do(harness.Request{Path: "/page", Headers: bearer(tc.token), To: w.At("places")})
		if got.Status != 401 || got.Reason != tc.reason || !strings.Contains(got.Body, tc.says) || got.Header.Get("WWW-Authenticate") != `Bearer realm="api", error="invalid_token"` {
			t.Errorf("%s: %v, want %s: %s", tc.name, got, tc.reason, tc.says)
		}
		w.Eventually(5*time.Second, tc.name+" is counted", func() bool { return w.Count(tc.reason) == before+1 })
	}
}

// TestLargeTokens: a rule may take longer tokens, and pad the payload that it hands on.
func TestLargeTokens(t *testing.T) {
	w := edges(t)
	for kib, want := range map[int]string{0: "", 20: "", 23: "", 24: "token_too_large", 30: "token_too_large"} { // base64url adds a third
		token := signed(t, w.Auth0, auth0.Claims{"groups": strings.Repeat("g", kib<<10)})
		w.ResetSeen()
		got := w.Do(harness.Request{Path: "/page", Headers: bearer(token), To: w.At("large-tokens")})
		if got.Reason != want {
			t.Errorf("%d KiB, %d bytes: %v, want %q", kib, len(token), got, want)
		}
		if seen := w.Seen(); want == "" && kib == 0 {
			if len(seen) != 1 {
				t.Fatalf("the API saw %v", seen)
			}
			payload, err := base64.URLEncoding.DecodeString(seen[0].Header("x-payload"))
			if err != nil || !json.Valid(payload) {
				t.Errorf("x-payload is %q: %v", seen[0].Header("x-payload"), err)
			}
		}
	}
}
