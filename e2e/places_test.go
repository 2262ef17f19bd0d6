package e2e

import (
	"strings"
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
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

func placeEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	return []harness.Edge{{Name: "places", Plugin: fromYAML(t, places)}}, nil
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
		{name: "a quoted cookie, quotes and all", path: "/page", headers: []string{"cookie", `session="` + token + `"`}, reason: "token_malformed"},
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
		{name: "a bad token in a cookie", path: "/page", headers: []string{"cookie", "session=abc"}, reason: "token_malformed"},
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
