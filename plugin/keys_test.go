package plugin_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func TestWaitsForTheFirstKeys(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, auth0Config)
		good := w.send(bearer(f.sign("k1", nil)))
		bad := w.send(bearer(f.signAs("k1", "other")))
		expired := w.send(bearer(f.sign("k1", map[string]any{"exp": 1})))
		gone := w.send(bearer(f.sign("k1", nil)))
		good.waiting()
		bad.waiting()
		gone.waiting()
		expired.refusedWith(401, "token_expired") // needs no key
		if f.native {                             // of the shipped module: TestPending
			if got := w.CallOnRequestBody(good.id, []byte("x"), false); got != types.ActionPause {
				t.Errorf("body while waiting: %v, want Pause", got)
			}
			w.CompleteHttpContext(gone.id)
		}

		w.serveKeys(keySet("k1"))
		if headers := good.accepted(); headers["x-jwt-sub"] != "client@clients" {
			t.Errorf("x-jwt-sub %q after waiting", headers["x-jwt-sub"])
		}
		bad.waiting() // the provider may have put new material under its kid
		w.serveKeys(keySet("k1"))
		bad.refusedWith(401, "signature_invalid")
		if !f.native {
			return
		}
		if got := w.CallOnRequestBody(good.id, []byte("y"), true); got != types.ActionContinue {
			t.Errorf("body after the decision: %v, want Continue", got)
		}
		if w.GetSentLocalResponse(gone.id) != nil {
			t.Error("answered a client that had left")
		}
	})
}

func TestKeysUnavailable(t *testing.T) {
	config := strings.TrimSuffix(auth0Config, "}") + `, "keys": {"wait": "100ms", "timeout": "1s"}}`
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, config)
		s := w.send(bearer(f.sign("k1", nil)))
		call := w.tickUntilFetch(0)
		s.waiting()
		for i := 0; i < 500 && w.GetSentLocalResponse(s.id) == nil; i++ {
			time.Sleep(time.Millisecond)
			w.Tick()
		}
		reply := s.refusedWith(503, "keys_unavailable")
		if headerOf(reply, "retry-after") == "" || headerOf(reply, "www-authenticate") != "" || reply.GRPCStatus != 14 {
			t.Errorf("503 with headers %v, grpc-status %d", reply.Headers, reply.GRPCStatus)
		}
		if w.counter("edgejwt_wait_timeouts") != 1 {
			t.Error("the wait that ran out is not counted")
		}
		// What is no key set changes nothing.
		w.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}}, nil, []byte("<html>"))
		late := w.send(bearer(f.sign("k1", nil)))
		if reply := w.GetSentLocalResponse(late.id); reply != nil && reply.StatusCode != 503 {
			t.Errorf("reply %d after a failed fetch, want 503 or waiting", reply.StatusCode)
		}
	})
}

// TestLooksForKeysOfOthers: a request that is refused for want of keys has the
// plugin look soon whether another worker has them, but not each of a crowd.
func TestLooksForKeysOfOthers(t *testing.T) {
	config := strings.TrimSuffix(auth0Config, "}") + `, "keys": {"wait": "100ms", "timeout": "1s"}}`
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, config)
		token := bearer(f.sign("k1", nil))
		call := w.tickUntilFetch(0)
		w.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "503"}, {"retry-after", "30"}}, nil, nil)
		if period := w.GetTickPeriod(); period < 100 {
			t.Fatalf("ticks every %d ms, with nothing to do", period)
		}
		w.send(token).refusedWith(503, "keys_unavailable")
		if period := w.GetTickPeriod(); period != 1 {
			t.Errorf("the next tick comes after %d ms", period)
		}
		began := time.Now()
		w.Tick()
		w.send(token).refusedWith(503, "keys_unavailable")
		if period := w.GetTickPeriod(); period == 1 && time.Since(began) < 10*time.Millisecond {
			t.Error("a crowd makes it look all the time")
		}
		w.Tick()
		for n := 0; w.GetTickPeriod() != 1; n++ {
			if n == 100 {
				t.Fatal("later ones do not make it look again")
			}
			time.Sleep(time.Millisecond)
			w.send(token).refusedWith(503, "keys_unavailable")
		}
	})
}

func TestFetchesFromTheConfiguredPlace(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, auth0Config)
		if p := w.GetTickPeriod(); p != 1 {
			t.Errorf("first tick after %d ms, want 1", p)
		}
		call := w.tickUntilFetch(0)
		headers := map[string]string{}
		for _, h := range call.Headers {
			headers[h[0]] = h[1]
		}
		if call.Upstream != "auth0" || headers[":authority"] != "tenant.auth0.example" ||
			headers[":path"] != "/.well-known/jwks.json" || headers[":method"] != "GET" {
			t.Errorf("callout to %q with %v", call.Upstream, headers)
		}
		for range 5 {
			w.Tick()
		}
		if n := len(w.callouts()); n != 1 {
			t.Errorf("%d callouts at once, want 1", n)
		}
		w.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}}, nil, keySet("k1", "k2"))
		if info := strings.Join(w.GetInfoLogs(), "\n"); !strings.Contains(info, "k1") || !strings.Contains(info, "k2") {
			t.Errorf("the log does not tell of the new keys: %q", info)
		}
	})
}

func TestKeyMetrics(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, auth0Config)
		pending := w.send(bearer(f.sign("k1", nil)))
		pending.waiting()
		gauge := func(name string) uint64 {
			t.Helper()
			value, err := w.GetGaugeMetric(name)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
		if n := gauge("edgejwt_parked_now"); n != 1 {
			t.Errorf("%d requests wait, want 1", n)
		}
		w.serveKeys(keySet("k1", "k2"))
		pending.accepted()
		const jwks = ";jwks=tenant.auth0.example/.well-known/jwks.json"
		for name, want := range map[string]uint64{
			"edgejwt_parked_now":                     0,
			"edgejwt_jwks_keys" + jwks + ";;":        2,
			"edgejwt_jwks_generation" + jwks + ";;":  1,
			"edgejwt_jwks_age_seconds" + jwks + ";;": 0,
		} {
			if got := gauge(name); got != want {
				t.Errorf("%s is %d, want %d", name, got, want)
			}
		}
		if n := w.counter("edgejwt_jwks_fetches" + jwks + ";result=changed;;"); n != 1 {
			t.Errorf("%d fetches that changed the keys, want 1", n)
		}
		if w.counter("edgejwt_parked") != 1 || w.counter("edgejwt_wait_timeouts") != 0 {
			t.Error("pending and timeouts are not 1 and 0")
		}
	})
}

func TestDiscovery(t *testing.T) {
	const config = `{"jwtRules": [{"issuer": "` + issuer + `", "audiences": ["` + audience + `"], "jwksHost": "keys.example", "jwksCluster": "keys", "discoveryCluster": "idp"}]}`
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, config)
		pending := w.send(bearer(f.sign("k1", nil)))
		call := w.tickUntilFetch(0)
		if call.Upstream != "idp" || !slices.Contains(call.Headers, [2]string{":path", "/.well-known/openid-configuration"}) {
			t.Fatalf("first callout to %q with %v, want the discovery document", call.Upstream, call.Headers)
		}
		document := `{"issuer": "` + issuer + `", "jwks_uri": "https://keys.example/certs?v=1"}`
		w.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}}, nil, []byte(document))
		pending.waiting()
		call = w.tickUntilFetch(1)
		if call.Upstream != "keys" || !slices.Contains(call.Headers, [2]string{":path", "/certs?v=1"}) ||
			!slices.Contains(call.Headers, [2]string{":authority", "keys.example"}) {
			t.Fatalf("second callout to %q with %v, want the key set", call.Upstream, call.Headers)
		}
		w.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}}, nil, keySet("k1"))
		pending.accepted()
	})
}

func TestDiscoveryMustNotWander(t *testing.T) {
	const config = `{"jwtRules": [{"issuer": "` + issuer + `", "audiences": ["` + audience + `"], "jwksCluster": "idp"}]}`
	for name, document := range map[string]string{
		"another host":   `{"issuer": "` + issuer + `", "jwks_uri": "https://evil.example/certs"}`,
		"no TLS":         `{"issuer": "` + issuer + `", "jwks_uri": "http://tenant.auth0.example/certs"}`,
		"another issuer": `{"issuer": "https://evil.example/", "jwks_uri": "https://tenant.auth0.example/certs"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, native(), config)
			call := w.tickUntilFetch(0)
			w.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}}, nil, []byte(document))
			for range 50 {
				w.Tick()
			}
			for _, call := range w.callouts()[1:] {
				if !slices.Contains(call.Headers, [2]string{":path", "/.well-known/openid-configuration"}) {
					t.Errorf("followed %s: %v", document, call.Headers)
				}
			}
			if len(w.GetWarnLogs()) == 0 {
				t.Error("no warning")
			}
		})
	}
}
