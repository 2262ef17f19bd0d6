package e2e

import (
	"testing"

	"edgejwt/e2e/harness"
)

// TestBesideNative: Envoy's own filter in the same Envoy, for the comparisons.
func TestBesideNative(t *testing.T) {
	w := harness.Start(t, harness.Options{NativeJWT: true, Workers: 2})
	w.AwaitKeys()
	for _, listener := range []string{w.Edge, w.Native} {
		valid := harness.Request{Path: "/me", Headers: bearer(w.Auth0.Token()), To: listener}
		if got := w.Do(valid); got.Status != 200 {
			t.Errorf("valid: %v", got)
		}
		if got := w.Do(harness.Request{To: listener}); got.Status != 401 {
			t.Errorf("no token: %v", got)
		}
	}
	seen := w.Seen()
	if len(seen) != 2 || seen[0].Header("x-jwt-payload") == "" || seen[0].Header("x-jwt-sub") != seen[1].Header("x-jwt-sub") {
		t.Errorf("the API saw %v", seen)
	}
}
