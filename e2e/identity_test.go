package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// TestForgedIdentity: what a client says about its own identity never reaches
// the API, whatever name it is spelt under, whatever becomes of the request.
func TestForgedIdentity(t *testing.T) {
	for _, underscores := range []string{"ALLOW", "DROP_HEADER"} {
		t.Run(underscores, func(t *testing.T) {
			w := harness.Shared(t)
			if underscores != "ALLOW" {
				w = harness.Start(t, harness.Options{Underscores: underscores})
				w.AwaitKeys()
			}
			token := w.Auth0.Token()
			preflight := []string{"Origin: https://app.example", "Access-Control-Request-Method: GET"}
			for _, name := range []string{
				"x-jwt-sub", "X-JWT-Sub", "X-Jwt-SUB", "x_jwt_sub", "X_JWT_SUB", "x-jwt_sub", "X_Jwt-Sub",
				"x-jwt-payload", "X-JWT-PAYLOAD", "x_jwt_payload", "X_Jwt_Payload", "x-jwt_payload",
			} {
				lies := []string{name + ": administrator", name + ": administrator"}
				for path, lines := range map[string][]string{
					"accepted":  append(lies, "Authorization: Bearer "+token),
					"refused":   lies,
					"preflight": append(lies, preflight...),
				} {
					w.ResetSeen()
					method := "GET"
					if path == "preflight" {
						method = "OPTIONS"
					}
					got := harness.Raw(w.Edge, method+" /me HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n"+strings.Join(lines, "\r\n")+"\r\n\r\n")
					if got.Err != nil || (got.Status == 401) != (path == "refused") {
						t.Fatalf("%s, %s: %v", name, path, got)
					}
					for _, seen := range w.Seen() {
						for _, h := range seen.Headers {
							if h[1] == "administrator" {
								t.Errorf("%s, %s: the API was told %v", name, path, h)
							}
						}
						if sub := seen.Header("x-jwt-sub"); path == "accepted" && sub != auth0.DefaultClientID+"@clients" {
							t.Errorf("%s: x-jwt-sub is %q", name, sub)
						}
					}
					if n := len(w.Seen()); (n == 0) != (path == "refused") {
						t.Errorf("%s, %s: the API saw %d requests", name, path, n)
					}
				}
			}
		})
	}
}

// TestForgedTrailers: some servers add trailers to the headers. Uvicorn throws
// them away, so a server that shows them stands in the API's place.
func TestForgedTrailers(t *testing.T) {
	got := make(chan http.Header, 1)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodPost {
			got <- r.Trailer
		}
	}))
	defer upstream.Close()
	w := harness.Start(t, harness.Options{Upstream: upstream.Listener.Addr().String()})
	w.AwaitKeys()
	answer := harness.Raw(w.Edge, "POST /orders HTTP/1.1\r\nHost: edge\r\nConnection: close\r\nContent-Type: application/json\r\n"+
		"Authorization: Bearer "+w.Auth0.Token()+"\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"e\r\n{\"item\":\"ink\"}\r\n0\r\nx-jwt-sub: administrator\r\nX_JWT_SUB: administrator\r\nx-checksum: 7\r\n\r\n")
	if answer.Status != 200 {
		t.Fatal(answer)
	}
	trailers := <-got
	if trailers.Get("X-Checksum") != "7" {
		t.Errorf("an honest trailer must arrive, or this shows nothing: %v", trailers)
	}
	for name, values := range trailers {
		if slices.Contains(values, "administrator") {
			t.Errorf("the API was told %s by trailer", name)
		}
	}
}

// TestStrippedToken: forwardOriginalToken false keeps the token from the API.
func TestStrippedToken(t *testing.T) {
	plugin := strings.Replace(harness.DefaultPlugin, `"cluster"`, `"forwardOriginalToken": false, "cluster"`, 1)
	w := harness.Start(t, harness.Options{Plugin: plugin})
	w.AwaitKeys()
	if got := w.Get("/me", bearer(w.Auth0.Token())...); got.Status != 200 {
		t.Fatal(got)
	}
	seen := w.Seen()
	if len(seen) != 1 || seen[0].Header("authorization") != "" || seen[0].Header("x-jwt-sub") == "" {
		t.Errorf("the API saw %v", seen)
	}
}
