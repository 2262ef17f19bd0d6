package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// patientPlugin is the usual configuration with more patience than a test needs.
var patientPlugin = with(`"keys": {"wait": "20s", "timeout": "20s"}`)

// with adds members to the usual configuration.
func with(members string) string {
	return strings.TrimSuffix(strings.TrimSpace(harness.DefaultPlugin), "}") + ", " + members + "}"
}

// gated holds the key endpoint's first answer back until open is called.
func gated(a *auth0.Server) { a.SetFault(auth0.Fault{Kind: auth0.Gate}) }

func open(w *harness.World) { w.Auth0.SetFault(auth0.Fault{}) }

// TestColdStartFetchesOnce: eight workers, none has keys, 200 requests at once.
// All of them wait, the key set is fetched once, all are answered with 200.
func TestColdStartFetchesOnce(t *testing.T) {
	const requests = 200
	w := harness.Start(t, harness.Options{Workers: 8, Plugin: patientPlugin, Prepare: gated})
	token := w.Auth0.Token()
	answers := make([]harness.Answer, requests)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = w.Get(fmt.Sprintf("/orders?n=%d", i), bearer(token)...) })
	}
	w.Eventually(15*time.Second, "all requests wait at the edge", func() bool {
		return w.Stat("http.edge.downstream_rq_active") == requests
	})
	if seen := w.Seen(); len(seen) != 0 {
		t.Errorf("the API saw %d requests before there were keys", len(seen))
	}
	open(w)
	all.Wait()
	for i, a := range answers {
		if a.Status != 200 {
			t.Errorf("request %d: %v", i, a)
		}
	}
	if n := len(w.Seen()); n != requests {
		t.Errorf("the API saw %d requests", n)
	}
	if n := w.Auth0.Fetches(); n != 1 {
		t.Errorf("%d fetches of the key set, want 1", n)
	}
	if w.Stat("edgejwt_parked") == 0 {
		t.Error("no request was counted as parked")
	}
}

// TestBodyWaitsForTheDecision: a POST arrives before the keys. Nothing of it may
// reach the API until the token is judged, whichever way Envoy treats a pause.
func TestBodyWaitsForTheDecision(t *testing.T) {
	order := `{"item": "` + strings.Repeat("x", 256<<10) + `"}`
	for _, headersStop := range []bool{false, true} {
		t.Run(fmt.Sprintf("allow_on_headers_stop_iteration %v", headersStop), func(t *testing.T) {
			w := harness.Start(t, harness.Options{HeadersStop: headersStop, Plugin: patientPlugin, Prepare: gated})
			post := func(token string) <-chan harness.Answer {
				done := make(chan harness.Answer, 1)
				headers := append(bearer(token), "content-type", "application/json")
				go func() { done <- w.Do(harness.Request{Method: "POST", Headers: headers, Body: order}) }()
				return done
			}
			tampered := strings.Split(w.Auth0.Token(), ".")
			tampered[1] = forge(t, tampered[1])
			good, bad := post(w.Auth0.Token()), post(strings.Join(tampered, "."))
			w.Eventually(10*time.Second, "both requests wait", func() bool { return w.Stat("http.edge.downstream_rq_active") == 2 })
			time.Sleep(500 * time.Millisecond) // long after a body that is not held back would be through
			if seen := w.Seen(); len(seen) != 0 {
				t.Fatalf("the API saw %v before the decision", seen)
			}
			if n := w.Stat("cluster.api.upstream_cx_total"); n != 0 {
				t.Errorf("%d connections to the API before the decision", n)
			}
			open(w)
			if got := <-good; got.Status != 201 {
				t.Errorf("valid token: %v", got)
			}
			if got := <-bad; got.Status != 401 || got.Reason != "signature_invalid" {
				t.Errorf("tampered token: %v", got)
			}
			seen := w.Seen()
			if len(seen) != 1 || seen[0].BodyBytes != len(order) || !seen[0].BodyComplete {
				t.Errorf("the API saw %.300v; want one order of %d bytes", seen, len(order))
			}
		})
	}
}

// TestProviderDown: no keys can be had. That is 503 with Retry-After, never 401
// for a token that may be good, and it ends by itself when the provider is back.
func TestProviderDown(t *testing.T) {
	w := harness.Start(t, harness.Options{Workers: 2, Plugin: with(`"keys": {"wait": "200ms"}`), Prepare: (*auth0.Server).Stop})
	token := w.Auth0.Token()
	for range 10 {
		got := w.Get("/orders", bearer(token)...)
		if got.Status != 503 || got.Reason != "keys_unavailable" {
			t.Fatalf("want 503, got %v", got)
		}
		checkRefusal(t, got)
	}
	// What can be refused without keys still is.
	if got := w.Get("/orders"); got.Status != 401 {
		t.Errorf("no token: %v", got)
	}
	if got := w.Get("/orders", bearer("abc")...); got.Status != 401 {
		t.Errorf("malformed: %v", got)
	}
	// Long enough for the pauses between attempts to have grown.
	time.Sleep(8 * time.Second)
	if seen := w.Seen(); len(seen) != 0 {
		t.Errorf("the API saw %v", seen)
	}
	// Nobody asks meanwhile: the keys must come without a request that wants them.
	if err := w.Auth0.Resume(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	fetches := w.Auth0.Fetches()
	if got := w.Get("/orders", bearer(token)...); got.Status != 200 || fetches == 0 {
		t.Errorf("two seconds after the provider's return and %d fetches: %v", fetches, got)
	}
}

// TestBrokenAnswers: whatever the key endpoint says, a valid token is never told
// that it is bad, and the good set that is there stays.
func TestBrokenAnswers(t *testing.T) {
	w := harness.Start(t, harness.Options{Workers: 2, Plugin: with(`"keys": {"wait": "200ms", "timeout": "1s"}`),
		Prepare: func(a *auth0.Server) { a.SetFault(auth0.Fault{Kind: auth0.HTML}) }})
	token := w.Auth0.Token()
	for _, kind := range []auth0.Kind{auth0.HTML, auth0.Garbage, auth0.Truncated, auth0.Empty, auth0.NoKeys, auth0.Huge, auth0.Redirect, auth0.Reset, auth0.Hang, auth0.Status} {
		w.Auth0.SetFault(auth0.Fault{Kind: kind, RetryAfter: "1"})
		before := w.Auth0.Fetches()
		w.Eventually(40*time.Second, "a fetch that meets "+string(kind), func() bool {
			if got := w.Get("/orders", bearer(token)...); got.Status != 503 {
				t.Fatalf("%s: %v", kind, got)
			}
			return w.Auth0.Fetches() > before
		})
	}
	open(w)
	w.AwaitKeys()
	checkQuiet(t, w, token)
}

// TestWrongCertificate: whoever can answer for the key endpoint decides which
// tokens are valid, so the right authority with another name is not enough.
func TestWrongCertificate(t *testing.T) {
	w := harness.Start(t, harness.Options{Plugin: with(`"keys": {"wait": "1s"}`),
		Tenant: auth0.Options{Certificate: []string{"evil.auth0.example"}}})
	if got := w.Get("/orders", bearer(w.Auth0.Token())...); got.Status != 503 {
		t.Errorf("want 503, got %v", got)
	}
	if n := w.Auth0.Fetches(); n != 0 {
		t.Errorf("%d fetches over a connection that must not be", n)
	}
}

// TestWildcardCertificate: Auth0's own certificates name *.eu.auth0.com.
func TestWildcardCertificate(t *testing.T) {
	w := harness.Start(t, harness.Options{Tenant: auth0.Options{Certificate: []string{"*.auth0.example"}}})
	w.AwaitKeys()
}
