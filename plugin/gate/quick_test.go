package gate_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"edgejwt/plugin/gate"
	"edgejwt/verify"
)

// agree asserts that Quick says of a request what Judge says, or nothing. It
// reports whether it said something.
func agree(t testing.TB, g *gate.Gate, headers [][2]string, at time.Time) bool {
	t.Helper()
	quick, rule, route := g.Quick(headers, at)
	forged, rest := g.Forged(headers)
	var j gate.Judgement
	g.Judge(&j, rest, forged, nil, at)
	if quick != nil && (len(forged) > 0 || !quicklyRight(quick, &j)) {
		t.Fatalf("quickly accepted with\n%+v, but %v (%v), %d forged, with\n%+v:\n%q", *quick, j.Reason, j.Detail, len(forged), j.Changes(), headers)
	}
	if quick != nil && (rule != j.Rule() || route != j.Match().Index) {
		t.Fatalf("counted for rule %d and route %d, not %d and %d: %q", rule, route, j.Rule(), j.Match().Index, headers)
	}
	j.Changes() // as the plugin asks for them
	return quick != nil
}

// quicklyRight reports whether a judgement is what Quick said.
func quicklyRight(quick *gate.Changes, j *gate.Judgement) bool {
	want := j.Changes()
	return j.Decided && j.Reason == verify.Accepted && !j.Report && slices.Equal(quick.Remove, want.Remove) && slices.Equal(quick.Set, want.Set) &&
		slices.Equal(quick.State, want.State) && quick.Dropped == want.Dropped && quick.ClearRoute == want.ClearRoute
}

// quickly are configurations that Quick knows how to decide by, and how many of
// the requests below it decides at least.
var quickly = map[string]struct{ rule, top string }{
	"plain":        {"", ""},
	"outputs":      {`"outputPayloadToHeader": "x-payload", "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}, {"header": "x-bad", "claim": "bad"}]`, ""},
	"stripped":     {`"forwardOriginalToken": false, "outputClaimToFilterState": [{"key": "who", "claim": "sub"}]`, `"clearRouteCache": true`},
	"filter state": {"", `"filterState": true`},
	"reported":     {"", `"mode": "report"`},
	"preflights":   {"", `"corsPreflight": "judge"`},
	"routes": {`"clockSkew": "60s", "forwardOriginalToken": false, "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}]`, `"routes": [
		{"path": {"prefix": "/public"}, "auth": "none"}, {"path": {"prefix": "/maybe"}, "auth": "optional"}, {"path": {"prefix": "/opaque"}, "allowOpaque": true},
		{"path": {"prefix": "/closed"}, "auth": "deny"}, {"path": {"prefix": "/shut"}, "auth": "deny", "mode": "report"},
		{"path": {"prefix": "/write"}, "methods": ["POST"], "scopes": ["write"]}, {"path": {"prefix": "/lenient"}, "scopes": ["write"], "mode": "report"},
		{"path": {"template": "/users/{user}"}, "claimMatches": [{"claim": "sub", "variable": "user"}]}, {"path": {"prefix": "/young"}, "maxAge": "10m"},
		{"hosts": ["*.tenant.example"], "claimMatches": [{"claim": "org", "host": true}]}, {"headers": [{"name": "x-v", "values": ["2"]}], "scopes": ["write"]}]`},
}

// slowly are configurations by which Quick must not decide.
var slowly = map[string]struct{ rule, top string }{
	"cookies":       {`"fromCookies": ["session"]`, ""},
	"two places":    {`"fromHeaders": [{"name": "authorization", "prefix": "Bearer "}, {"name": "x-token"}]`, ""},
	"another place": {`"fromHeaders": [{"name": "x-token"}]`, ""},
	"no cache":      {"", `"tokenCache": {"entries": 0}`},
	"policies":      {`"outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}]`, `"routeMetadata": true`},
	"description":   {"", `"resourceMetadata": {"resource": "https://api.example.com"}`},
	"route's name":  {"", `"filterState": true, "routes": [{"name": "a", "path": {"exact": "/"}}]`},
}

func TestQuick(t *testing.T) {
	a := request("GET /", bearer(token(nil)), "user-agent: test")
	for name, c := range quickly {
		g := newEdge(t, c.rule, c.top)
		if agree(t, g, a, now) {
			t.Errorf("%s: a token is known that never was seen", name)
		}
		if !agree(t, g, a, now) || !agree(t, g, a, now.Add(time.Minute)) {
			t.Errorf("%s: a token that was seen is not known", name)
		}
	}
	for name, c := range slowly {
		g := newEdge(t, c.rule, c.top)
		for range 3 {
			if agree(t, g, request("GET /", "x-token: "+token(nil)), now) || agree(t, g, a, now) {
				t.Errorf("%s: decided quickly", name)
			}
		}
	}
}

// TestQuickKnowsWhenNot has what chance would not find.
func TestQuickKnowsWhenNot(t *testing.T) {
	g := newEdge(t, quickly["routes"].rule, quickly["routes"].top)
	own := token(map[string]any{"iat": now.Unix()})
	for _, c := range []struct {
		name    string
		request [][2]string
		after   time.Duration
		want    bool
	}{
		{"new, and reported", request("GET /lenient", bearer(own)), 0, false},
		{"accepted for the first time", request("GET /", bearer(own)), 0, false},
		{"seen", request("GET /", bearer(own)), 0, true},
		{"preflight", request("OPTIONS /", "origin: https://a.example", "access-control-request-method: PUT", bearer(own)), 0, false},
		{"reported", request("GET /lenient", bearer(own)), 0, false},
		{"no token wanted", request("GET /public", bearer(own)), 0, false},
		{"nobody may", request("GET /closed", bearer(own)), 0, false},
		{"nobody may, and reported", request("GET /shut", bearer(own)), 0, false},
		{"beside what nobody may", request("GET /closedness", bearer(own)), 0, true},
		{"old enough but for the skew", request("GET /young", bearer(own)), 10*time.Minute + 59*time.Second, true},
		{"too old", request("GET /young", bearer(own)), 10*time.Minute + 61*time.Second, false},
		{"the last second", request("GET /", bearer(own)), time.Hour + 59*time.Second, true},
		{"expired", request("GET /", bearer(own)), time.Hour + 60*time.Second, false},
		{"nothing first", request("GET /", "authorization: ", bearer(own)), 0, false},
		{"another method for some servers", request("GET /", bearer(own), "x-http-method-override: DELETE"), 0, false},
		{"another path for some servers", request("GET /", bearer(own), "x_original_url: /write"), 0, false},
	} {
		if got := agree(t, g, c.request, now.Add(c.after)); got != c.want {
			t.Errorf("%s: decided quickly %v, want %v", c.name, got, c.want)
		}
	}
}

// TestQuickKnowsWhose: the rule and the route that a request is counted by.
func TestQuickKnowsWhose(t *testing.T) {
	cfg := parseEdge(t, "", `"routes": [{"path": {"exact": "/a"}}, {"path": {"prefix": "/b"}}]`)
	other := cfg.Rules[0]
	other.Issuer = "https://other.example/"
	cfg.Rules = append(cfg.Rules, other)
	g := gate.New(cfg, verify.GoEngine, fixedKeys)
	for rule, text := range []string{token(nil), token(map[string]any{"iss": other.Issuer})} {
		for path, index := range map[string]int{"/a": 0, "/b/c": 1, "/c": -1} {
			r := request("GET "+path, bearer(text))
			agree(t, g, r, now)
			if c, gotRule, got := g.Quick(r, now); c == nil || gotRule != rule || got != index {
				t.Errorf("%s: rule %d, route %d; want %d, %d", path, gotRule, got, rule, index)
			}
		}
	}
}

// TestDenyOfKnownTokens: that a token was accepted elsewhere opens no route that
// nobody passes, and where that is only reported nothing is told of it.
func TestDenyOfKnownTokens(t *testing.T) {
	g := newEdge(t, quickly["routes"].rule, quickly["routes"].top)
	own := bearer(token(nil))
	for range 2 {
		agree(t, g, request("GET /", own), now)
	}
	if !agree(t, g, request("GET /", own), now) {
		t.Fatal("the token is not known")
	}
	for path, report := range map[string]bool{"/closed": false, "/closed/x": false, "/shut": true} {
		r := request("GET "+path, own)
		if c, _, _ := g.Quick(r, now); c != nil {
			t.Errorf("%s: accepted quickly", path)
		}
		j := judge(g, r, now)
		if j.Reason != verify.RouteDenied || j.Report != report || j.GoesOn() != report || j.Valid() || j.Token() != nil || j.Locations() != nil {
			t.Errorf("%s: %v, reported %v, valid %v", path, j.Reason, j.Report, j.Valid())
		}
		if c := j.Changes(); len(c.Set) > 0 || len(c.Remove) > 0 {
			t.Errorf("%s: the API is told %v, and not %v", path, c.Set, c.Remove)
		}
	}
}

// TestQuickAgrees: whatever is sent, Quick never says what Judge does not.
func TestQuickAgrees(t *testing.T) {
	tokens := []string{token(nil), scoped("write"), scoped("read"), token(map[string]any{"sub": "ann", "org": "a.tenant.example", "bad": "\u0001"}),
		token(map[string]any{"exp": now.Add(5 * time.Minute).Unix()}), token(map[string]any{"nbf": now.Add(10 * time.Minute).Unix()}), token(map[string]any{"aud": "other"})}
	tokens = append(tokens, spoilt(tokens[0]), "", "opaque", tokens[0]+","+tokens[1], " "+tokens[0], tokens[0]+" ")
	lines := []string{"GET /", "POST /write", "GET /write", "POST /write/x", "OPTIONS /", "options /write", "HEAD /public", "GET /public", "GET /maybe",
		"GET /opaque", "POST /lenient", "GET /closed", "GET /closed/x", "GET /shut", "GET /users/ann", "GET /users/client", "GET /users/%61nn", "GET /young", "POST /x/../write", "POST /write%2f", "POST //write", "PUT /", "GET /write;x"}
	schemes := []string{"Bearer ", "Bearer ", "Bearer ", "bearer ", "Bearer", "Basic ", "Bearer  ", ""}
	others := pairs("user-agent", "test", "content-type", "application/grpc", "x-sub", "forged", "x_sub", "forged", "X-PAYLOAD", "forged",
		"origin", "https://a.example", "access-control-request-method", "POST", "x-v", "2", "x-v", "3", "x.v", "2", "x-http-method-override", "PUT", "x_original_url", "/", "cookie", "a=b", "x-other", "1",
		":authority", "a.tenant.example", ":path", "/public", ":method", "OPTIONS", "x-empty", "", "", "nameless")
	for name, c := range quickly {
		g, decided, accepted := newEdge(t, c.rule, c.top), 0, 0
		for range 6000 {
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
			at := now.Add(time.Duration(rand.IntN(90)-5) * time.Minute)
			if rand.IntN(3) > 0 {
				at = now
			}
			if agree(t, g, headers, at) {
				decided++
			}
			if judge(g, headers, at).Reason == verify.Accepted {
				accepted++
			}
		}
		t.Logf("%s: %d accepted, %d of them quickly", name, accepted, decided)
		if decided < accepted/4 {
			t.Errorf("%s: only %d of %d were decided quickly", name, decided, accepted)
		}
	}
}

// TestQuickHostile: the whole hostile table, after all that it accepts was seen.
func TestQuickHostile(t *testing.T) {
	g := newGate(t, `"clockSkew": "60s", "outputClaimToHeaders": [{"header": "x-jwt-sub", "claim": "sub"}]`)
	quick := 0
	for range 2 {
		for _, c := range table() {
			var lower [][2]string
			for _, h := range c.Headers {
				lower = append(lower, [2]string{strings.ToLower(h[0]), strings.Trim(h[1], " \t")})
			}
			said := agree(t, g, lower, now)
			if said && c.Want != verify.Accepted {
				t.Errorf("%s/%s: accepted quickly, want %v", c.Group, c.Name, c.Want)
			}
			if said {
				quick++
			}
		}
	}
	if quick < 10 {
		t.Errorf("only %d cases were decided quickly", quick)
	}
}
