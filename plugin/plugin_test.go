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
			{"no JWS", [][2]string{bearer("opaque")}, 401, "token_opaque", `Bearer realm="api", error="invalid_token"`, 16},
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
			if got := w.counterAfterTick(reasonCounter(c.reason)) - before; got != 1 {
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

func TestOutputHeaders(t *testing.T) {
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
		if n := w.counterAfterTick("edgejwt_claims_dropped;output=x-jwt-sub;;"); n != 1 {
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

func TestTokenIsRemoved(t *testing.T) {
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
			host, reset := f.start(c.config)
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

// TestDiscoveryMustNotWander: whoever is named by the document could sign tokens.

// TestNearMissesInTheDebugLog: an issuer or audience that people take for the right one
// is told from any other, to the operator alone.
func TestNearMissesInTheDebugLog(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, auth0Config)
		w.serveKeys(keySet("k1"))
		for claims, want := range map[[2]string]string{
			{"iss", "https://tenant.auth0.example"}:  "no rule for this issuer; it differs from a rule's issuer only by the slash at the end",
			{"iss", "http://tenant.auth0.example/"}:  "no rule for this issuer; it differs from a rule's issuer only by the scheme",
			{"aud", "https://api.example.com/"}:      "aud names none of the rule's audiences; it differs from one of them only by the slash at the end",
			{"aud", "https://API.example.com"}:       "aud names none of the rule's audiences; it differs from one of them only by upper and lower case",
			{"aud", "https://other.api.example.com"}: "aud names none of the rule's audiences",
		} {
			before := len(w.GetDebugLogs())
			s := w.send(bearer(f.sign("k1", map[string]any{claims[0]: claims[1]})))
			logged := w.GetDebugLogs()[before:]
			if !slices.ContainsFunc(logged, func(line string) bool { return strings.HasPrefix(line, "refused: ") && strings.HasSuffix(line, want) }) {
				t.Errorf("%v: debug log %q, want %q", claims, logged, want)
			}
			if reply := w.GetSentLocalResponse(s.id); reply == nil || strings.Contains(string(reply.Data), "differs") {
				t.Errorf("%v: the client is told %+v", claims, reply)
			}
			for _, log := range [][]string{w.GetInfoLogs(), w.GetWarnLogs(), w.GetErrorLogs()} {
				if strings.Contains(strings.Join(log, "\n"), "differs") {
					t.Errorf("%v: it is logged above debug: %q", claims, log)
				}
			}
		}
	})
}
