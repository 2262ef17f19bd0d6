package plugin_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/plugin"
)

func TestDecisions(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		valid := f.sign("k1", nil)
		tampered := valid[:len(valid)-12] + "AAAAAAAAAAAA"
		cases := []struct {
			name      string
			headers   [][2]string
			status    uint32 // 0: goes on
			reason    string
			challenge string
			grpc      int32
		}{
			{"valid", [][2]string{bearer(valid)}, 0, "accepted", "", 0},
			{"scheme in another case", [][2]string{{"authorization", "bEARER " + valid}}, 0, "accepted", "", 0},
			{"preflight", [][2]string{{":method", "OPTIONS"}, {"origin", "https://app.example.com"}, {"access-control-request-method", "POST"}}, 0, "preflight", "", 0},
			{"OPTIONS that is no preflight", [][2]string{{":method", "OPTIONS"}, {"origin", "https://app.example.com"}}, 401, "token_missing", `Bearer realm="api"`, 16},
			{"GET dressed as a preflight", [][2]string{{"origin", "https://app.example.com"}, {"access-control-request-method", "POST"}}, 401, "token_missing", `Bearer realm="api"`, 16},
			{"none", nil, 401, "token_missing", `Bearer realm="api"`, 16},
			{"another scheme", [][2]string{{"authorization", "Basic dXNlcjpwYXNz"}}, 401, "token_missing", `Bearer realm="api"`, 16},
			{"two headers", [][2]string{bearer(valid), bearer(valid)}, 400, "token_ambiguous", `Bearer realm="api", error="invalid_request"`, 3},
			{"joined", [][2]string{{"authorization", "Bearer " + valid + ",Bearer " + valid}}, 400, "token_ambiguous", `Bearer realm="api", error="invalid_request"`, 3},
			{"no JWS", [][2]string{bearer("opaque")}, 401, "token_malformed", `Bearer realm="api", error="invalid_token"`, 16},
			{"tampered", [][2]string{bearer(tampered)}, 401, "signature_invalid", `Bearer realm="api", error="invalid_token"`, 16},
			{"signed by another under our kid", [][2]string{bearer(f.signAs("k1", "other"))}, 401, "signature_invalid", `Bearer realm="api", error="invalid_token"`, 16},
			{"expired", [][2]string{bearer(f.sign("k1", map[string]any{"exp": f.now.Add(-2 * time.Minute).Unix()}))}, 401, "token_expired", `Bearer realm="api", error="invalid_token"`, 16},
			{"not yet", [][2]string{bearer(f.sign("k1", map[string]any{"nbf": f.now.Add(2 * time.Minute).Unix()}))}, 401, "token_not_yet_valid", `Bearer realm="api", error="invalid_token"`, 16},
			{"no exp", [][2]string{bearer(f.sign("k1", map[string]any{"exp": nil}))}, 401, "claim_invalid", `Bearer realm="api", error="invalid_token"`, 16},
			{"for another API", [][2]string{bearer(f.sign("k1", map[string]any{"aud": "https://other.example.com"}))}, 401, "audience_mismatch", `Bearer realm="api", error="invalid_token"`, 16},
			{"of another issuer", [][2]string{bearer(f.sign("k1", map[string]any{"iss": "https://evil.example.com/"}))}, 401, "issuer_unknown", `Bearer realm="api", error="invalid_token"`, 16},
		}
		w := newWorld(t, f, auth0Config)
		w.serveKeys(keySet("k1", "k2"))
		for _, c := range cases {
			before := w.counter(reasonCounter(c.reason))
			s := w.send(c.headers...)
			if c.reason == "signature_invalid" && w.served == 1 {
				// The first of these asks whether the key has new material.
				s.waiting()
				w.serveKeys(keySet("k1", "k2"))
			}
			if got := w.counter(reasonCounter(c.reason)) - before; got != 1 {
				t.Errorf("%s: counted %d times, want once", c.name, got)
			}
			if c.status == 0 {
				s.accepted()
				continue
			}
			reply := s.refusedWith(c.status, c.reason)
			if got := headerOf(reply, "www-authenticate"); got != c.challenge {
				t.Errorf("%s: challenge %q, want %q", c.name, got, c.challenge)
			}
			if reply.GRPCStatus != c.grpc {
				t.Errorf("%s: grpc-status %d, want %d", c.name, reply.GRPCStatus, c.grpc)
			}
			var body struct{ Error, Error_description string }
			if err := json.Unmarshal(reply.Data, &body); err != nil || body.Error != c.reason || body.Error_description == "" {
				t.Errorf("%s: body %q (%v)", c.name, reply.Data, err)
			}
		}
		assertNoTokenLogged(t, w, valid)
	})
}

func headerOf(reply *proxytest.LocalHttpResponse, name string) string {
	for _, h := range reply.Headers {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

func assertNoTokenLogged(t *testing.T, w *world, token string) {
	t.Helper()
	signature := token[strings.LastIndexByte(token, '.')+1:]
	for _, lines := range [][]string{w.GetTraceLogs(), w.GetDebugLogs(), w.GetInfoLogs(), w.GetWarnLogs(), w.GetErrorLogs(), w.GetCriticalLogs()} {
		for _, line := range lines {
			if strings.Contains(line, signature[:16]) || strings.Contains(line, "client@clients") {
				t.Errorf("logged: %.80q", line)
			}
		}
	}
}

func TestTellsTheAPI(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, auth0Config)
		w.serveKeys(keySet("k1"))

		token := f.sign("k1", map[string]any{"https://example.com/org": "org_123"})
		got := w.send(bearer(token), [2]string{"x-jwt-sub", "admin"}, [2]string{"x_jwt_sub", "admin"}, [2]string{"x_jwt-payload", "e30"}, [2]string{"x-other", "kept"}).accepted()
		want := map[string]string{
			"x-jwt-sub": "client@clients", "x-org": "org_123", "x-other": "kept", "authorization": "Bearer " + token,
			"x-jwt-payload": strings.Split(token, ".")[1], "x_jwt_sub": "", "x_jwt-payload": "",
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: %q, want %q", name, got[name], value)
			}
		}
		if payload, err := base64.RawURLEncoding.DecodeString(got["x-jwt-payload"]); err != nil || !json.Valid(payload) {
			t.Errorf("payload header does not decode: %v", err)
		}

		// A claim that no header can carry leaves no header at all, not the client's.
		got = w.send(bearer(f.sign("k1", map[string]any{"sub": "a\r\nx-admin: 1"})), [2]string{"x-jwt-sub", "admin"}).accepted()
		if v, ok := got["x-jwt-sub"]; ok {
			t.Errorf("x-jwt-sub: %q, want none", v)
		}
		if n := w.counter("edgejwt_claims_dropped"); n != 1 {
			t.Errorf("%d claims dropped, want 1", n)
		}
	})
}

func TestForgedIdentityIsRemovedOnEveryPath(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, auth0Config)
		forged := [][2]string{{"x-jwt-sub", "admin"}, {"x-jwt-payload", "e30"}, {"x_org", "org_1"}}
		paths := map[string][][2]string{
			"waiting":   {bearer(f.sign("k1", nil))},
			"preflight": {{":method", "OPTIONS"}, {"origin", "https://a.example"}, {"access-control-request-method", "GET"}},
			"refused":   {bearer("nonsense")},
			"missing":   nil,
		}
		for name, headers := range paths {
			s := w.send(append(forged, headers...)...)
			for _, h := range w.GetCurrentRequestHeaders(s.id) {
				if strings.HasPrefix(strings.ReplaceAll(h[0], "_", "-"), "x-") {
					t.Errorf("%s: %s is still there", name, h[0])
				}
			}
		}
	})
}

func TestStripsTheTokenFromWhereverItStood(t *testing.T) {
	const config = `{"jwtRules": [{"issuer": "` + issuer + `", "audiences": ["` + audience + `"], "jwksUri": "https://tenant.auth0.example/keys", "jwksCluster": "c",
		"fromHeaders": [{"name": "Authorization", "prefix": "Bearer "}, {"name": "X-Token"}], "forwardOriginalToken": false}]}`
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, config)
		w.serveKeys(keySet("k1"))
		token := f.sign("k1", nil)
		got := w.send(bearer(token), [2]string{"x-token", token}).accepted()
		for _, name := range []string{"authorization", "x-token"} {
			if v, ok := got[name]; ok {
				t.Errorf("%s still has %.20q", name, v)
			}
		}
		// Another scheme in authorization is not ours to remove.
		got = w.send([2]string{"authorization", "Basic abc"}, [2]string{"x-token", token}).accepted()
		if got["authorization"] != "Basic abc" {
			t.Errorf("authorization: %q, want it left alone", got["authorization"])
		}
		w.send(bearer(token), [2]string{"x-token", f.sign("k1", map[string]any{"jti": "2"})}).refusedWith(400, "token_ambiguous")
	})
}

func TestTokenOnlyFromItsIssuersHeader(t *testing.T) {
	config := `{"jwtRules": [
		{"issuer": "https://a.example/", "audiences": ["a"], "jwks": ` + string(keySet("k1")) + `, "fromHeaders": [{"name": "x-a"}]},
		{"issuer": "https://b.example/", "audiences": ["b"], "jwks": ` + string(keySet("k2")) + `}]}`
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, config)
		a := f.sign("k1", map[string]any{"iss": "https://a.example/", "aud": "a"})
		b := f.sign("k2", map[string]any{"iss": "https://b.example/", "aud": "b"})
		w.send([2]string{"x-a", a}).accepted()
		w.send(bearer(b)).accepted()
		w.send(bearer(a)).refusedWith(401, "issuer_unknown")
		w.send([2]string{"x-a", b}).refusedWith(401, "issuer_unknown")
		w.send(bearer(f.sign("k1", map[string]any{"iss": "https://b.example/", "aud": "b"}))).refusedWith(401, "key_unknown")
		if len(w.callouts()) != 0 {
			t.Error("a key set in the configuration was fetched")
		}
	})
}

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
		if got := w.CallOnRequestBody(good.id, []byte("x"), false); got != types.ActionPause {
			t.Errorf("body while waiting: %v, want Pause", got)
		}
		w.CompleteHttpContext(gone.id)

		w.serveKeys(keySet("k1"))
		if headers := good.accepted(); headers["x-jwt-sub"] != "client@clients" {
			t.Errorf("x-jwt-sub %q after waiting", headers["x-jwt-sub"])
		}
		bad.waiting() // the provider may have put new material under its kid
		w.serveKeys(keySet("k1"))
		bad.refusedWith(401, "signature_invalid")
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

func TestRefusesBadConfiguration(t *testing.T) {
	cases := map[string]struct{ config, want string }{
		"empty":         {``, "configuration"},
		"not JSON":      {`{`, "JSON"},
		"Struct":        {"\x0a\x05hello", "StringValue"},
		"two faults, 1": {`{"auth0": {"domain": "https://x.example"}, "realm": 1}`, "auth0.domain"},
		"two faults, 2": {`{"auth0": {"domain": "https://x.example"}, "realm": 1}`, "realm"},
		"no audience":   {`{"auth0": {"domain": "x.example"}}`, "audience"},
	}
	forms(t, func(t *testing.T, f form) {
		for name, c := range cases {
			host, reset := proxytest.NewHostEmulator(proxytest.NewEmulatorOption().WithVMContext(f.vm).WithPluginConfiguration([]byte(c.config)))
			host.StartVM()
			if host.StartPlugin() != types.OnPluginStartStatusFailed {
				t.Errorf("%s: started", name)
			}
			if said := strings.Join(host.GetCriticalLogs(), "\n"); !strings.Contains(said, c.want) {
				t.Errorf("%s: said %q, want something of %q", name, said, c.want)
			}
			reset()
		}
	})
}

func TestGRPC(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, auth0Config)
		reply := w.send([2]string{"content-type", "application/grpc+proto"}).refusedWith(401, "token_missing")
		if reply.GRPCStatus != 16 || strings.HasPrefix(string(reply.Data), "{") {
			t.Errorf("grpc-status %d, message %q", reply.GRPCStatus, reply.Data)
		}
	})
}

func TestKeyMetrics(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, auth0Config)
		parked := w.send(bearer(f.sign("k1", nil)))
		parked.waiting()
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
		parked.accepted()
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
			t.Error("parked and timeouts are not 1 and 0")
		}
	})
}

func TestDiscovery(t *testing.T) {
	const config = `{"jwtRules": [{"issuer": "` + issuer + `", "audiences": ["` + audience + `"], "jwksHost": "keys.example", "jwksCluster": "keys", "discoveryCluster": "idp"}]}`
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, config)
		parked := w.send(bearer(f.sign("k1", nil)))
		call := w.tickUntilFetch(0)
		if call.Upstream != "idp" || !slices.Contains(call.Headers, [2]string{":path", "/.well-known/openid-configuration"}) {
			t.Fatalf("first callout to %q with %v, want the discovery document", call.Upstream, call.Headers)
		}
		document := `{"issuer": "` + issuer + `", "jwks_uri": "https://keys.example/certs?v=1"}`
		w.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}}, nil, []byte(document))
		parked.waiting()
		call = w.tickUntilFetch(1)
		if call.Upstream != "keys" || !slices.Contains(call.Headers, [2]string{":path", "/certs?v=1"}) ||
			!slices.Contains(call.Headers, [2]string{":authority", "keys.example"}) {
			t.Fatalf("second callout to %q with %v, want the key set", call.Upstream, call.Headers)
		}
		w.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}}, nil, keySet("k1"))
		parked.accepted()
	})
}

// TestDiscoveryMustNotWander: whoever is named by the document could sign tokens.
func TestDiscoveryMustNotWander(t *testing.T) {
	const config = `{"jwtRules": [{"issuer": "` + issuer + `", "audiences": ["` + audience + `"], "jwksCluster": "idp"}]}`
	for name, document := range map[string]string{
		"another host":   `{"issuer": "` + issuer + `", "jwks_uri": "https://evil.example/certs"}`,
		"no TLS":         `{"issuer": "` + issuer + `", "jwks_uri": "http://tenant.auth0.example/certs"}`,
		"another issuer": `{"issuer": "https://evil.example/", "jwks_uri": "https://tenant.auth0.example/certs"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, form{plugin.NewVM(), time.Now()}, config)
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
