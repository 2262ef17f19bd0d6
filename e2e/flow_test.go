package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"

	"github.com/golang-jwt/jwt/v5"
)

// TestDecisions sends one request for each row of the decision table and looks
// at all that the outside can see: status, challenge, body, response code
// details, the metric, and whether the API was called.
func TestDecisions(t *testing.T) {
	w := harness.Shared(t)
	a := w.Auth0
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	mint := func(m auth0.Mint, change func(auth0.Claims)) []string {
		t.Helper()
		claims := a.ClientClaims(auth0.DefaultClientID, auth0.DefaultAudience, "read:orders")
		if change != nil {
			change(claims)
		}
		token, err := a.MintToken(claims, m)
		if err != nil {
			t.Fatal(err)
		}
		return bearer(token)
	}
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	token := a.Token()
	parts := strings.Split(token, ".")

	for _, tc := range []struct {
		name    string
		headers []string
		status  int
		reason  string
	}{
		{"valid", bearer(token), 200, "accepted"},
		{"valid, signed with the next key", mint(auth0.Mint{Next: true}, nil), 200, "accepted"},
		{"valid, scheme in lower case", []string{"authorization", "bearer " + token}, 200, "accepted"},
		{"valid, several audiences", mint(auth0.Mint{}, func(c auth0.Claims) { c["aud"] = []string{"https://x", auth0.DefaultAudience} }), 200, "accepted"},
		{"expired within the skew", mint(auth0.Mint{}, func(c auth0.Claims) { c["exp"] = in(-30 * time.Second) }), 200, "accepted"},
		{"no token", nil, 401, "token_missing"},
		{"another scheme", []string{"authorization", "Basic dXNlcjpwYXNz"}, 401, "token_missing"},
		{"Bearer alone", []string{"authorization", "Bearer"}, 401, "token_missing"},
		{"Bearer and a space", []string{"authorization", "Bearer "}, 401, "token_missing"},
		{"empty value", []string{"authorization", ""}, 401, "token_missing"},
		{"two Authorization headers", []string{"authorization", "Bearer " + token, "authorization", "Bearer " + token}, 400, "token_ambiguous"},
		{"two tokens joined with a comma", []string{"authorization", "Bearer " + token + ", Bearer " + token}, 400, "token_ambiguous"},
		{"not a JWS", bearer("abc"), 401, "token_opaque"},
		{"an empty signature", bearer(parts[0] + "." + parts[1] + "."), 401, "signature_invalid"},
		{"padded base64url", bearer(parts[0] + "=." + parts[1] + "." + parts[2]), 401, "token_malformed"},
		{"crit", mint(auth0.Mint{Header: map[string]any{"crit": []string{"exp"}}}, nil), 401, "token_malformed"},
		{"over 16 KiB", mint(auth0.Mint{}, func(c auth0.Claims) { c["x"] = strings.Repeat("x", 17<<10) }), 401, "token_too_large"},
		{"alg none", mint(auth0.Mint{Method: jwt.SigningMethodNone, Key: jwt.UnsafeAllowNoneSignatureType}, nil), 401, ""},
		{"HS256 with the public key", mint(auth0.Mint{Method: jwt.SigningMethodHS256, Key: a.KeySet()}, nil), 401, "algorithm_not_allowed"},
		{"RS512", mint(auth0.Mint{Method: jwt.SigningMethodRS512}, nil), 401, "algorithm_not_allowed"},
		{"another issuer", mint(auth0.Mint{}, func(c auth0.Claims) { c["iss"] = "https://evil.example/" }), 401, "issuer_unknown"},
		{"issuer without the slash", mint(auth0.Mint{}, func(c auth0.Claims) { c["iss"] = "https://tenant.auth0.example" }), 401, "issuer_unknown"},
		{"expired", mint(auth0.Mint{}, func(c auth0.Claims) { c["exp"] = in(-2 * time.Minute) }), 401, "token_expired"},
		{"no exp", mint(auth0.Mint{}, func(c auth0.Claims) { delete(c, "exp") }), 401, "claim_invalid"},
		{"exp as text", mint(auth0.Mint{}, func(c auth0.Claims) { c["exp"] = fmt.Sprint(in(time.Hour)) }), 401, "claim_invalid"},
		{"not yet valid", mint(auth0.Mint{}, func(c auth0.Claims) { c["nbf"] = in(time.Hour) }), 401, "token_not_yet_valid"},
		{"another audience", mint(auth0.Mint{}, func(c auth0.Claims) { c["aud"] = auth0.OtherAudience }), 401, "audience_mismatch"},
		{"no audience", mint(auth0.Mint{}, func(c auth0.Claims) { delete(c, "aud") }), 401, ""},
		{"a foreign key under a known kid", mint(auth0.Mint{Key: foreign}, nil), 401, "signature_invalid"},
		{"an unknown kid", mint(auth0.Mint{Key: foreign, Header: map[string]any{"kid": "nobody"}}, nil), 401, "key_unknown"},
		{"its own key in the header", mint(auth0.Mint{Key: foreign, Header: map[string]any{"jwk": jwkOf(foreign)}}, nil), 401, "signature_invalid"},
		{"changed payload", bearer(parts[0] + "." + forge(t, parts[1]) + "." + parts[2]), 401, "signature_invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w.ResetSeen()
			counted := w.Count(tc.reason)
			got := w.Get("/orders", tc.headers...)
			if got.Err != nil || got.Status != tc.status {
				t.Fatalf("want %d, got %v", tc.status, got)
			}
			seen := w.Seen()
			if tc.status == 200 {
				if len(seen) != 1 {
					t.Errorf("the API saw %d requests", len(seen))
				}
				return
			}
			if len(seen) != 0 {
				t.Errorf("the API saw %v", seen)
			}
			if tc.reason != "" && got.Reason != tc.reason {
				t.Errorf("reason %q, want %q", got.Reason, tc.reason)
			}
			if tc.reason != "" && w.Count(tc.reason) != counted+1 {
				t.Errorf("edgejwt_requests for %s went from %d to %d", tc.reason, counted, w.Count(tc.reason))
			}
			checkRefusal(t, got)
			w.Eventually(5*time.Second, "the access log names the reason", func() bool {
				log := w.AccessLog()
				return len(log) > 0 && strings.HasPrefix(log[len(log)-1], fmt.Sprintf("%d %s ", tc.status, got.Reason))
			})
		})
	}
	checkQuiet(t, w, token)
}

// checkRefusal compares what must agree in every refusal with RFC 6750 §3.
func checkRefusal(t *testing.T, got harness.Answer) {
	t.Helper()
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal([]byte(got.Body), &body); err != nil || body.Error == "" || body.Description == "" {
		t.Errorf("body %q", got.Body)
	}
	if kind := got.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("content-type %q", kind)
	}
	challenge := got.Header.Get("WWW-Authenticate")
	want := map[string]string{
		"token_missing":    `Bearer realm="api"`,
		"token_ambiguous":  `Bearer realm="api", error="invalid_request"`,
		"keys_unavailable": "",
	}
	prefix, ok := want[got.Reason]
	if !ok {
		prefix = `Bearer realm="api", error="invalid_token"`
	}
	if challenge != prefix && !strings.HasPrefix(challenge, prefix+", error_description=") {
		t.Errorf("WWW-Authenticate %q, want %q", challenge, prefix)
	}
	retry := got.Header.Get("Retry-After")
	if (got.Status == http.StatusServiceUnavailable) != (retry != "") {
		t.Errorf("%d with Retry-After %q", got.Status, retry)
	}
}

// checkQuiet looks for pieces of the token in Envoy's log.
func checkQuiet(t *testing.T, w *harness.World, token string) {
	t.Helper()
	log := w.Envoy.Output()
	parts := strings.Split(token, ".")
	for _, secret := range []string{parts[1][:40], parts[2][:40], auth0.DefaultClientID} {
		if strings.Contains(log, secret) {
			t.Errorf("Envoy's log holds a piece of a token: %.20s", secret)
		}
	}
}

// TestEveryMethodIsGuarded: no method and no path gets by.
func TestEveryMethodIsGuarded(t *testing.T) {
	w := harness.Shared(t)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"} {
		for _, path := range []string{"/", "/public", "/orders?access_token=" + w.Auth0.Token(), "//orders", "/x/../orders", "/.well-known/jwks.json"} {
			if got := w.Do(harness.Request{Method: method, Path: path}); got.Status != 401 {
				t.Errorf("%s %.20s: %v", method, path, got)
			}
		}
	}
	if seen := w.Seen(); len(seen) != 0 {
		t.Errorf("the API saw %v", seen)
	}
	preflight := harness.Request{Method: "OPTIONS", Headers: []string{"origin", "https://app.example", "access-control-request-method", "GET"}}
	w.Grows(harness.Requests("preflight"), 1, func() {
		if got := w.Do(preflight); got.Status != 405 { // FastAPI's own answer
			t.Errorf("a CORS preflight must reach the API: %v", got)
		}
	})
}

// TestClientCredentials is the whole flow: the token comes from the token
// endpoint, over TLS, and the API shows who called.
func TestClientCredentials(t *testing.T) {
	w := harness.Shared(t)
	token := askToken(t, w.Auth0, auth0.DefaultAudience)
	got := w.Get("/me", bearer(token)...)
	var me struct {
		Sub    string
		Claims map[string]any
	}
	if err := json.Unmarshal([]byte(got.Body), &me); err != nil || got.Status != 200 {
		t.Fatal(got)
	}
	if want := auth0.DefaultClientID + "@clients"; me.Sub != want || me.Claims["sub"] != want || me.Claims["gty"] != "client-credentials" {
		t.Errorf("the API was told %+v", me)
	}
	order := w.Do(harness.Request{Method: "POST", Headers: append(bearer(token), "content-type", "application/json"), Body: `{"item":"ink"}`})
	if order.Status != 201 {
		t.Error(order)
	}
	if got := w.Get("/orders", bearer(askToken(t, w.Auth0, auth0.OtherAudience))...); got.Reason != "audience_mismatch" {
		t.Error(got)
	}
	if i := slices.IndexFunc(w.Seen(), func(s harness.Seen) bool { return s.Header("authorization") != "Bearer "+token }); i >= 0 {
		t.Error("the API gets the token as it was sent")
	}
}
