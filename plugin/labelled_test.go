package plugin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edgejwt/plugin/version"
)

func routeCounter(route, outcome string) string {
	return fmt.Sprintf("edgejwt_route_requests;route=%s;outcome=%s;;", route, outcome)
}

func issuerCounter(issuer, outcome string) string {
	return fmt.Sprintf("edgejwt_issuer_requests;issuer=%s;outcome=%s;;", issuer, outcome)
}

// shows asserts what counters show after the next tick, -1 standing for one that
// is not defined.
func (w *world) shows(want map[string]int) {
	w.Helper()
	w.Tick()
	for name, n := range want {
		got := -1
		if value, err := w.GetCounterMetric(name); err == nil {
			got = int(value)
		}
		if got != n {
			w.Errorf("%s: %d, want %d", name, got, n)
		}
	}
}

// TestCountsByRoute: each way to a decision, the quick one too, counts for the
// route that was taken, and what was decided without one for none.
func TestCountsByRoute(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, with(strings.Replace(someRoutes, `"routes": [`, `"keys": {"wait": "100ms"}, "routes": [{"path": {"exact": "/nameless"}}, {"path": {"exact": "/nameless2"}}, `, 1)+
			`, "resourceMetadata": {"resource": "https://api.example.com"}`))
		valid := bearer(f.sign("k1", nil))
		waits := w.to("GET", "/users/client@clients", valid)
		for w.GetSentLocalResponse(waits.id) == nil {
			time.Sleep(time.Millisecond)
			w.Tick()
		}
		w.serveKeys(keySet("k1"))
		w.shows(map[string]int{routeCounter("own", "unavailable"): 1, routeCounter("own", "passed"): -1})
		for range 3 {
			w.to("GET", "/users/client@clients", valid).accepted()
			w.to("GET", "/x", valid).accepted()
		}
		w.to("GET", "/nameless", valid).accepted()
		w.to("GET", "/nameless2", valid).accepted()
		w.to("GET", "/public").accepted()
		w.to("GET", "/try", valid).accepted() // would be refused
		w.to("POST", "/orders/7", valid).refusedWith(403, "scope_missing")
		w.to("GET", "/x").refusedWith(401, "token_missing")
		w.to("GET", "/public%2f").refusedWith(400, "path_ambiguous")
		w.to("OPTIONS", "/x", [2]string{"origin", "https://a.example"}, [2]string{"access-control-request-method", "PUT"}).accepted()
		w.to("GET", "/.well-known/oauth-protected-resource").refusedWith(200, "resource_metadata")
		w.shows(map[string]int{
			routeCounter("own", "passed"): 3, routeCounter("own", "unavailable"): 1, routeCounter("own", "refused"): -1,
			routeCounter("none", "passed"): 3, routeCounter("none", "refused"): 1, routeCounter("unnamed", "passed"): 2,
			routeCounter("public", "passed"): 1, routeCounter("try", "reported"): 1, routeCounter("try", "passed"): -1,
			routeCounter("write", "refused"): 1, routeCounter("maybe", "passed"): -1, routeCounter("other", "passed"): -1,
		})
	})
}

// TestCachedTokensCount: requests whose token is in the cache count like any other.
func TestCachedTokensCount(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, with(someRoutes))
		valid := bearer(f.sign("k1", nil))
		w.to("GET", "/x", valid).waiting()
		w.serveKeys(keySet("k1"))
		for range 4 {
			w.to("GET", "/maybe", valid).accepted()
			w.to("GET", "/users/client@clients", valid).accepted()
		}
		w.shows(map[string]int{
			routeCounter("maybe", "passed"): 4, routeCounter("own", "passed"): 4, routeCounter("none", "passed"): 1,
			issuerCounter("tenant.auth0.example/", "passed"): 9, reasonCounter("accepted"): 9,
			"edgejwt_token_cache;result=hit;;": 8, "edgejwt_token_cache;result=miss;;": 1, "edgejwt_token_cache;result=bad;;": 0,
		})
	})
}

// TestCountsOfPolicies: those of Envoy's routes count by their own name.
func TestCountsOfPolicies(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, with(`"routeMetadata": true`))
		policy := func(text string) {
			if err := w.SetProperty([]string{"xds", "route_metadata", "filter_metadata", "edgejwt", "policy"}, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		w.to("GET", "/x").refusedWith(401, "token_missing")
		policy(`{"auth": "none"}`)
		w.to("GET", "/x").accepted()
		policy(`{"name": "orders", "auth": "none"}`)
		w.to("GET", "/x").accepted()
		policy(`{"name": 1}`)
		w.to("GET", "/x").refusedWith(500, "internal")
		w.shows(map[string]int{routeCounter("none", "refused"): 1, routeCounter("policy", "passed"): 1, routeCounter("orders", "passed"): 1, routeCounter("policy", "refused"): -1})
	})
}

// TestManyRoutes: those that come after 64 names share a series.
func TestManyRoutes(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		var routes []string
		for i := range 70 {
			routes = append(routes, fmt.Sprintf(`{"name": "r%d", "path": {"exact": "/%d"}, "auth": "none"}`, i, i))
		}
		w := newWorld(t, f, with(`"routes": [`+strings.Join(routes, ",")+`]`))
		for i := range 70 {
			w.to("GET", fmt.Sprintf("/%d", i)).accepted()
		}
		w.shows(map[string]int{routeCounter("r0", "passed"): 1, routeCounter("r63", "passed"): 1, routeCounter("r64", "passed"): -1, routeCounter("other", "passed"): 6})
	})
}

// TestCountsByIssuer: by the configuration's name of it, never by the token's.
func TestCountsByIssuer(t *testing.T) {
	const odd = `https://odd.example/a b;c?secret`
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q], "jwks": %s}, {"issuer": %q, "audiences": [%q], "jwks": %s}]}`,
			issuer, audience, keySet("k1"), odd, audience, keySet("k1")))
		valid := bearer(f.sign("k1", nil))
		w.send(valid).accepted()
		w.send(valid).accepted()
		w.send(bearer(f.sign("k1", map[string]any{"iss": odd}))).accepted()
		w.send(bearer(f.sign("k1", map[string]any{"iss": odd, "exp": 1}))).refusedWith(401, "token_expired")
		w.send(bearer(f.sign("k1", map[string]any{"iss": "https://evil.example/"}))).refusedWith(401, "issuer_unknown")
		w.send(bearer(f.signAs("k1", "k2"))).refusedWith(401, "signature_invalid")
		w.send(bearer("x")).refusedWith(401, "token_opaque")
		w.send().refusedWith(401, "token_missing")
		w.shows(map[string]int{
			issuerCounter("tenant.auth0.example/", "passed"): 2, issuerCounter("tenant.auth0.example/", "refused"): 1,
			issuerCounter("odd.example/a_b", "passed"): 1, issuerCounter("odd.example/a_b", "refused"): 1,
			issuerCounter("evil.example/", "refused"): -1, routeCounter("none", "passed"): -1,
			"edgejwt_token_cache;result=hit;;": 1, "edgejwt_token_cache;result=miss;;": 3,
		})
	})
}

// TestCacheIsCounted: known bad signatures, and nothing without a cache.
func TestCacheIsCounted(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		config := fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q], "jwks": %s}]`, issuer, audience, keySet("k1"))
		w := newWorld(t, f, config+"}")
		bad := bearer(f.signAs("k1", "k2"))
		for range 3 {
			w.send(bad).refusedWith(401, "signature_invalid")
		}
		w.shows(map[string]int{"edgejwt_token_cache;result=hit;;": 0, "edgejwt_token_cache;result=miss;;": 1, "edgejwt_token_cache;result=bad;;": 2})
	})
}

func TestNoCacheIsNotCounted(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, with(`"tokenCache": {"entries": 0}`))
		w.shows(map[string]int{"edgejwt_token_cache;result=miss;;": -1})
	})
}

func TestBuildInfo(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, auth0Config)
		if n, err := w.GetGaugeMetric("edgejwt_build_info;version=" + version.Number + ";;"); n != 1 || err != nil {
			t.Errorf("%d, %v; want 1", n, err)
		}
	})
}

// TestUntriedKeysAreCounted: a token without kid is tried with four of five keys. The log
// says once that there are more, and quotes nothing of the token.
func TestUntriedKeysAreCounted(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		keys := []string{"k1", "k2", "k3", "k4", "k5"}
		w := newWorld(t, f, fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q], "jwks": %s}, {"issuer": "https://few.example/", "audiences": [%q], "jwks": %s}]}`,
			issuer, audience, keySet(keys...), audience, keySet("k1")))
		const untried = "edgejwt_keys_untried;issuer=tenant.auth0.example/;;"
		w.send(bearer(f.sign("k1", nil))).accepted()
		w.send(bearer(f.signAs("k1", "other"))).refusedWith(401, "signature_invalid") // its kid names one key
		w.send(bearer(f.signAs("unknown", "other"))).refusedWith(401, "key_unknown")
		w.shows(map[string]int{untried: -1})
		for range 2 {
			w.send(bearer(f.signAs("", "other"))).refusedWith(401, "kid_missing")
			w.send(bearer(signWith(signerOf("other"), "", f.now, map[string]any{"iss": "https://few.example/"}))).refusedWith(401, "signature_invalid")
		}
		w.shows(map[string]int{untried: 2, "edgejwt_keys_untried;issuer=few.example/;;": -1})
		const said = `keys of "https://tenant.auth0.example/": the signature of a token fails under 4 keys, and 1 more that may have signed it are not tried`
		if logs := strings.Join(w.GetWarnLogs(), "\n"); strings.Count(logs, said) != 1 || strings.Contains(logs, "client@clients") {
			t.Errorf("the log must say once %q:\n%s", said, logs)
		}
	})
}
