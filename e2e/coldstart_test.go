package e2e

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// TestColdStartInOutage: Envoy starts while the provider is down, which it stays
// for 20 seconds. Until then every valid token gets 503 with Retry-After, never
// 401. Within two seconds of the provider's return all eight workers have the
// keys, although nobody asks for them meanwhile.
func TestColdStartInOutage(t *testing.T) {
	w := harness.Start(t, harness.Options{Workers: 8, Plugin: with(`"keys": {"wait": "500ms"}`), Prepare: (*auth0.Server).Stop})
	token := w.Auth0.Token()
	refused := 0
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		got := w.Get("/orders", bearer(token)...)
		after, err := strconv.Atoi(got.Header.Get("Retry-After"))
		if got.Status != 503 || got.Reason != "keys_unavailable" || err != nil || after < 1 || after > 30 {
			t.Fatalf("want 503 with Retry-After, got %v", got)
		}
		refused++
	}
	if err := w.Auth0.Resume(); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	for w.Stat("edgejwt_jwks_keys") == 0 && time.Since(back) < 2*time.Second {
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("%d requests refused; keys %v after the provider's return", refused, time.Since(back).Round(10*time.Millisecond))
	time.Sleep(time.Until(back.Add(2 * time.Second)))
	if n := w.Auth0.Fetches(); n != 1 {
		t.Errorf("%d fetches since the provider's return, want 1", n)
	}
	parked := w.Stat("edgejwt_parked")
	// New connections, so that the kernel spreads them over the workers.
	for range 64 {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
		q, _ := http.NewRequest(http.MethodGet, "http://"+w.Edge+"/orders", nil)
		q.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("two seconds after the provider's return: %s", resp.Status)
		}
	}
	if n := w.Stat("edgejwt_parked"); n != parked {
		t.Errorf("%d requests had to wait although the keys were there", n-parked)
	}
	if seen := w.Seen(); len(seen) != 64 {
		t.Errorf("the API saw %d requests, want 64", len(seen))
	}
}
