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

// answered answers a callout of plugin 1 with a key set.
func (v *vm) answered(callout int, kids ...string) {
	v.Helper()
	v.answer = keySet(kids...)
	v.enter(1, "proxy_on_http_call_response", uint64(callout), 1, uint64(len(v.answer)), 0)
}

// pass lets time pass, with the ticks that the plugin asks for.
func (v *vm) pass(d time.Duration) {
	v.Helper()
	for end := v.now.Add(d); ; {
		next := v.now.Add(time.Duration(v.period) * time.Millisecond)
		if next.After(end) {
			v.now = end
			return
		}
		v.now = next
		v.enter(1, "proxy_on_tick")
	}
}

// issuedBy is a token of an issuer.
func (v *vm) issuedBy(issuer, kid string) [2]string {
	return bearer(signWith(signerOf(kid), kid, v.now, map[string]any{"iss": "https://" + issuer + ".example/"}))
}

// TestUnreachableProvider: while one provider does not answer, requests with tokens of
// another neither wait nor fail. Each issuer has its own keys.wait: a request that came later
// may be refused first.
func TestUnreachableProvider(t *testing.T) {
	rule := func(name, keys string) string {
		return `{"issuer": "https://` + name + `.example/", "audiences": ["` + audience + `"], "jwksUri": "https://` + name + `.example/keys", "jwksCluster": "` + name + `", "keys": ` + keys + `}`
	}
	v := newVM(t)
	if !v.plugin(1, `{"jwtRules": [`+rule("a", `{"wait": "25s", "timeout": "20s"}`)+`, `+rule("b", `{"wait": "300ms"}`)+`]}`) {
		t.Fatalf("the plugin did not start: %q", v.logs)
	}
	if a, b := v.request(10, 1, v.issuedBy("a", "k1")), v.request(11, 1, v.issuedBy("b", "k1")); a != "held" || b != "held" {
		t.Fatalf("%s, %s", a, b)
	}
	if v.pass(200 * time.Millisecond); len(v.callouts) != 2 || v.replies[11] != "" {
		t.Fatalf("%d callouts, replies %v", len(v.callouts), v.replies)
	}
	v.pass(150 * time.Millisecond)
	if v.replies[10] != "" || v.replies[11] != "keys_unavailable" {
		t.Errorf("after keys.wait of b: replies %v", v.replies)
	}
	v.answered(2, "k1")
	for id := range uint32(100) {
		if got := v.request(100+id, 1, v.issuedBy("b", "k1")); got != "passed" {
			t.Fatalf("b's token: %s", got)
		}
		v.pass(100 * time.Millisecond)
	}
	if v.request(12, 1, v.issuedBy("a", "k1")); len(v.resumed) != 0 || len(v.replies) != 1 || len(v.callouts) != 2 {
		t.Fatalf("resumed %v, replies %v, %d callouts", v.resumed, v.replies, len(v.callouts))
	}
	v.answered(1, "k1")
	if !slices.Equal(v.resumed, []uint32{10, 12}) {
		t.Errorf("resumed %v", v.resumed)
	}
}

// TestKeysOfEachIssuer: issuers with one key set share its fetch if they fetch it in the same
// way. If not, each has its own settings and denied kids, and they still share the key set.
func TestKeysOfEachIssuer(t *testing.T) {
	rule := func(name, more string) string {
		return `{"issuer": "https://` + name + `.example/", "audiences": ["` + audience + `"], "jwksUri": "https://keys.example/", "jwksCluster": "keys"` + more + `}`
	}
	v := newVM(t)
	if !v.plugin(1, `{"jwtRules": [`+rule("a", "")+`, `+rule("b", "")+`, `+rule("c", `, "keys": {"deny": ["k1"]}`)+`], "keys": {"deny": ["k2"]}}`) {
		t.Fatalf("the plugin did not start: %q", v.logs)
	}
	v.pass(100 * time.Millisecond)
	v.answered(1, "k1", "k2", "k3")
	v.pass(2 * time.Second)
	id := uint32(10)
	for _, issuer := range []string{"a", "b", "c"} {
		for kid, want := range map[string]string{"k1": "passed", "k2": "key_unknown", "k3": "passed"} {
			if issuer == "c" && kid == "k1" {
				want = "key_unknown"
			}
			id++
			if got := v.request(id, 1, v.issuedBy(issuer, kid)); got != want {
				t.Errorf("issuer %s, key %s: %s, want %s", issuer, kid, got, want)
			}
		}
	}
	if len(v.callouts) != 1 {
		t.Errorf("%d fetches, want 1", len(v.callouts))
	}
}
