package authz_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"edgejwt/plugin/authz"
	"edgejwt/verify"
)

// cachings are configurations in which tokens are cached.
var cachings = map[string]struct{ rule, top string }{
	"plain":        {"", ""},
	"outputs":      {`"outputPayloadToHeader": "x-payload", "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}, {"header": "x-bad", "claim": "bad"}]`, ""},
	"removed":      {`"forwardOriginalToken": false, "outputClaimToFilterState": [{"key": "who", "claim": "sub"}]`, `"clearRouteCache": true`},
	"filter state": {"", `"filterState": true`},
	"reported":     {"", `"mode": "report"`},
	"preflights":   {"", `"corsPreflight": "judge"`},
	"routes": {`"clockSkew": "60s", "forwardOriginalToken": false, "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}]`, `"routes": [
		{"path": {"prefix": "/public"}, "auth": "none"}, {"path": {"prefix": "/maybe"}, "auth": "optional"}, {"path": {"prefix": "/opaque"}, "allowOpaque": true},
		{"path": {"prefix": "/closed"}, "auth": "deny"}, {"path": {"prefix": "/shut"}, "auth": "deny", "mode": "report"},
		{"path": {"prefix": "/write"}, "methods": ["POST"], "scopes": ["write"]}, {"path": {"prefix": "/lenient"}, "scopes": ["write"], "mode": "report"},
		{"path": {"template": "/users/{user}"}, "claimMatches": [{"claim": "sub", "variable": "user"}]}, {"path": {"prefix": "/young"}, "maxAge": "10m"},
		{"hosts": ["*.tenant.example"], "claimMatches": [{"claim": "org", "host": true}]}, {"headers": [{"name": "x-v", "values": ["2"]}], "scopes": ["write"]}]`},
	"cookies":       {`"fromCookies": ["session"]`, ""},
	"two places":    {`"fromHeaders": [{"name": "authorization", "prefix": "Bearer "}, {"name": "x-token"}]`, ""},
	"another place": {`"fromHeaders": [{"name": "x-token"}]`, ""},
	"policies":      {`"outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}]`, `"routeMetadata": true`},
	"metadata":      {"", `"resourceMetadata": {"resource": "https://api.example.com"}`},
	"route's name":  {"", `"filterState": true, "routes": [{"name": "a", "path": {"exact": "/"}}]`},
}

// TestDenyOfKnownTokens: a route that denies refuses a token in the cache, too. With mode:
// report nothing of the token is in the output headers.
func TestDenyOfKnownTokens(t *testing.T) {
	g := newEdge(t, cachings["routes"].rule, cachings["routes"].top)
	own := bearer(token(nil))
	for range 2 {
		decide(g, request("GET /", own), now)
	}
	if g.Lookups()[authz.Hit] != 1 {
		t.Fatal("the token is not cached")
	}
	for path, report := range map[string]bool{"/closed": false, "/closed/x": false, "/shut": true} {
		r := request("GET "+path, own)
		j := decide(g, r, now)
		if j.Reason != verify.RouteDenied || j.Report != report || j.Allowed() != report || j.Valid() || j.Token() != nil || j.Locations() != nil {
			t.Errorf("%s: %v, reported %v, valid %v", path, j.Reason, j.Report, j.Valid())
		}
		if c := j.Changes(); len(c.Set) > 0 || len(c.Remove) > 0 {
			t.Errorf("%s: sets %v, removes %v", path, c.Set, c.Remove)
		}
	}
}

// TestCacheChangesNoDecision: whatever is sent, a token from the cache skips parsing
// and signature, and nothing else.
func TestCacheChangesNoDecision(t *testing.T) {
	tokens := []string{token(nil), scoped("write"), scoped("read"), token(map[string]any{"sub": "ann", "org": "a.tenant.example", "bad": "\u0001"}),
		token(map[string]any{"exp": now.Add(5 * time.Minute).Unix()}), token(map[string]any{"nbf": now.Add(10 * time.Minute).Unix()}), token(map[string]any{"aud": "other"})}
	tokens = append(tokens, spoilt(tokens[0]), "", "opaque", tokens[0]+","+tokens[1], " "+tokens[0], tokens[0]+" ")
	lines := []string{"GET /", "POST /write", "GET /write", "POST /write/x", "OPTIONS /", "options /write", "HEAD /public", "GET /public", "GET /maybe",
		"GET /opaque", "POST /lenient", "GET /closed", "GET /closed/x", "GET /shut", "GET /users/ann", "GET /users/client", "GET /users/%61nn", "GET /young", "POST /x/../write", "POST /write%2f", "POST //write", "PUT /", "GET /write;x"}
	schemes := []string{"Bearer ", "Bearer ", "Bearer ", "bearer ", "Bearer", "Basic ", "Bearer  ", ""}
	others := pairs("user-agent", "test", "content-type", "application/grpc", "x-sub", "forged", "x_sub", "forged", "X-PAYLOAD", "forged",
		"origin", "https://a.example", "access-control-request-method", "POST", "x-v", "2", "x-v", "3", "x.v", "2", "x-http-method-override", "PUT", "x_original_url", "/", "cookie", "a=b", "x-other", "1", "x-token", tokens[0], "cookie", "session="+tokens[1],
		":authority", "a.tenant.example", ":path", "/public", ":method", "OPTIONS", "x-empty", "", "", "nameless")
	for name, c := range cachings {
		comma := ""
		if c.top != "" {
			comma = ", "
		}
		cached, plain, hits := newEdge(t, c.rule, c.top), newEdge(t, c.rule, c.top+comma+`"tokenCache": {"entries": 0}`), int64(0)
		for range 4000 {
			line := lines[rand.IntN(len(lines))]
			if rand.IntN(2) == 0 {
				line = lines[0]
			}
			headers := request(line)
			for range []int{1, 1, 1, 1, 1, 1, 0, 2}[rand.IntN(8)] {
				headers = append(headers, [2]string{"authorization", schemes[rand.IntN(len(schemes))] + tokens[rand.IntN(len(tokens))]})
			}
			for range rand.IntN(3) {
				headers = append(headers, others[rand.IntN(len(others))])
			}
			rand.Shuffle(len(headers), func(i, k int) { headers[i], headers[k] = headers[k], headers[i] })
			at := now
			if rand.IntN(3) == 0 {
				at = now.Add(time.Duration(rand.IntN(90)-5) * time.Minute)
			}
			got, want := decide(cached, headers, at), decide(plain, headers, at)
			c, d := got.Changes(), want.Changes()
			if got.Reason != want.Reason || got.Report != want.Report || got.Rule() != want.Rule() || got.Step() != want.Step() || got.GRPC != want.GRPC ||
				(got.Match() == nil) != (want.Match() == nil) || got.Match() != nil && got.Match().Index != want.Match().Index ||
				!slices.Equal(got.Forged, want.Forged) || !slices.Equal(c.Remove, d.Remove) || !slices.Equal(c.Set, d.Set) ||
				!slices.Equal(c.State, d.State) || !slices.Equal(c.Dropped, d.Dropped) || c.ClearRoute != d.ClearRoute {
				t.Fatalf("%s: %v (%v) with\n%+v; without a cache %v (%v) with\n%+v:\n%q", name, got.Reason, got.Detail, c, want.Reason, want.Detail, d, headers)
			}
			hits += cached.Lookups()[authz.Hit]
		}
		if hits < 100 {
			t.Errorf("%s: only %d tokens came from the cache", name, hits)
		}
	}
}
