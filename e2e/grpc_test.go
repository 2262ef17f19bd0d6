package e2e

import (
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// TestGRPC: a gRPC client understands a status in headers, not an HTTP status.
func TestGRPC(t *testing.T) {
	call := func(w *harness.World, token string) harness.Answer {
		headers := []string{"content-type", "application/grpc", "te", "trailers"}
		if token != "" {
			headers = append(headers, bearer(token)...)
		}
		return w.Do(harness.Request{Method: "POST", Path: "/orders.Orders/List", Headers: headers, Body: "\x00\x00\x00\x00\x00", HTTP2: true})
	}
	check := func(t *testing.T, got harness.Answer, status string) {
		t.Helper()
		if got.Err != nil || got.Status != 200 || got.Header.Get("Grpc-Status") != status || got.Header.Get("Grpc-Message") == "" {
			t.Errorf("want grpc-status %s with a message, got %v", status, got)
		}
	}
	t.Run("with keys", func(t *testing.T) {
		w := harness.Shared(t)
		check(t, call(w, ""), "16")
		check(t, call(w, "abc"), "16")
		if seen := w.Seen(); len(seen) != 0 {
			t.Errorf("the API saw %v", seen)
		}
	})
	t.Run("without keys", func(t *testing.T) {
		w := harness.Start(t, harness.Options{Plugin: with(`"keys": {"wait": "200ms"}`), Prepare: (*auth0.Server).Stop})
		check(t, call(w, w.Auth0.Token()), "14")
	})
}
