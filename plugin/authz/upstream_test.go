package authz_test

import (
	"slices"
	"testing"

	"edgejwt/verify"
)

func pairs(all ...string) (list [][2]string) {
	for i := 0; i < len(all); i += 2 {
		list = append(list, [2]string{all[i], all[i+1]})
	}
	return list
}

// TestTokenIsRemoved: the token is removed from all its locations, and nothing else is.
func TestTokenIsRemoved(t *testing.T) {
	const places = `"fromHeaders": [{"name": "authorization", "prefix": "Bearer "}, {"name": "x-token"}], "fromCookies": ["session", "old"], "fromParams": ["access_token"]`
	g := newEdge(t, places+`, "forwardOriginalToken": false`, "")
	keeps := newEdge(t, places, "")
	valid := token(nil)
	for _, c := range []struct {
		name    string
		request [][2]string
		remove  []string
		set     [][2]string
	}{
		{"header", request("GET /", bearer(valid)), []string{"authorization"}, nil},
		{"two headers", request("GET /", bearer(valid), "x-token: "+valid), []string{"authorization", "x-token"}, nil},
		{"header, cookies of others", request("GET /", bearer(valid), "cookie: a=1"), []string{"authorization"}, nil},
		{"the only cookie", request("GET /", "cookie: session="+valid), []string{"cookie"}, nil},
		{"a cookie among others", request("GET /", "cookie: a=1; session="+valid+"; b=2"), []string{"cookie"}, pairs("cookie", "a=1; b=2")},
		{"both cookies", request("GET /", "cookie: old="+valid+"; session="+valid+"; b=2"), []string{"cookie"}, pairs("cookie", "b=2")},
		{"lines of cookies", request("GET /", "cookie: a=1", "cookie: session="+valid, "cookie: b=2"), []string{"cookie"}, pairs("cookie", "a=1; b=2")},
		{"the only parameter", request("GET /x?access_token=" + valid), nil, pairs(":path", "/x")},
		{"a parameter among others", request("GET /x?a=1&access_token=" + valid + "&b=%20"), nil, pairs(":path", "/x?a=1&b=%20")},
		{"everywhere", request("GET /x?a&access_token="+valid, bearer(valid), "cookie: a; session="+valid), []string{"authorization", "cookie"}, pairs("cookie", "a", ":path", "/x?a")},
	} {
		j := decide(g, c.request, now)
		if got := j.Changes(); j.Reason != verify.Accepted || !slices.Equal(got.Remove, c.remove) || !slices.Equal(got.Set, c.set) {
			t.Errorf("%s: %v, remove %q, set %q", c.name, j.Reason, got.Remove, got.Set)
		}
		if got := decide(keeps, c.request, now).Changes(); got.Remove != nil || got.Set != nil {
			t.Errorf("%s: an Authorizer that keeps tokens changes %+v", c.name, got)
		}
	}
}

func TestOutputClaims(t *testing.T) {
	g := newEdge(t, `"outputPayloadToHeader": "x-payload",
		"outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}, {"header": "x-name", "claim": "name", "encoding": "percent"},
			{"header": "x-city", "claim": ["address", "city"]}, {"header": "x-raw", "claim": "name"}, {"header": "x-none", "claim": "none"}],
		"outputClaimToFilterState": [{"key": "edgejwt.sub", "claim": "sub"}, {"key": "edgejwt.name", "claim": "name", "encoding": "base64url"},
			{"key": "edgejwt.raw", "claim": "name"}, {"key": "edgejwt.none", "claim": "none"}]`, "")
	text := token(map[string]any{"name": "Zoë", "address": map[string]any{"city": "Ulm"}})
	j := decide(g, request("GET /", bearer(text)), now)
	got := j.Changes()
	if want := pairs("x-payload", j.Token().Payload(), "x-sub", "client", "x-name", "Zo%C3%AB", "x-city", "Ulm"); !slices.Equal(got.Set, want) {
		t.Errorf("headers %q, want %q", got.Set, want)
	}
	if want := pairs("edgejwt.sub", "client", "edgejwt.name", "Wm_Dqw"); !slices.Equal(got.State, want) {
		t.Errorf("state %q, want %q", got.State, want)
	}
	if got.Dropped != 2 || got.Remove != nil || got.ClearRoute {
		t.Errorf("%+v", got)
	}
}

// TestDecisionInFilterState: with filterState every decision is in the filter state, but
// nothing of a token that is not valid.
func TestDecisionInFilterState(t *testing.T) {
	g := newEdge(t, `"outputClaimToFilterState": [{"key": "edgejwt.sub", "claim": "sub"}]`,
		`"filterState": true, "mode": "report", "routes": [{"name": "r", "mode": "enforce", "path": {"exact": "/r"}, "scopes": ["s"]}, {"path": {"exact": "/p"}, "auth": "none"}, {"name": "d", "path": {"exact": "/d"}, "auth": "deny"}]`)
	without := newEdge(t, "", "")
	const decision, name, issuer = "edgejwt.decision", "edgejwt.route", "edgejwt.issuer"
	for _, c := range []struct {
		name    string
		request [][2]string
		want    [][2]string
	}{
		{"accepted", request("GET /r", bearer(scoped("s"))), pairs(decision, "accepted", name, "r", issuer, edgeIssuer, "edgejwt.sub", "client")},
		{"lacks a scope", request("GET /r", bearer(token(nil))), pairs(decision, "scope_missing", name, "r", issuer, edgeIssuer)},
		{"forged", request("GET /r", bearer(spoilt(scoped("s")))), pairs(decision, "signature_invalid", name, "r")},
		{"none", request("GET /r"), pairs(decision, "token_missing", name, "r")},
		{"no route, reported", request("GET /"), pairs(decision, "token_missing")},
		{"public, no name", request("GET /p"), pairs(decision, "public")},
		{"unreadable", request("GET /p%2f"), pairs(decision, "path_ambiguous")},
		{"preflight", preflight("/"), pairs(decision, "preflight")},
		{"preflight of a route", preflight("/r"), pairs(decision, "preflight")},
		{"preflight where nobody passes", preflight("/d"), pairs(decision, "route_denied", name, "d")},
	} {
		if got := decide(g, c.request, now).Changes(); !slices.Equal(got.State, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got.State, c.want)
		}
		if got := decide(without, c.request, now).Changes(); got.State != nil {
			t.Errorf("%s: set without filterState: %q", c.name, got.State)
		}
	}
}

// TestClearsTheRoute: only when asked, and only for accepted requests whose
// headers change.
func TestClearsTheRoute(t *testing.T) {
	const output = `"outputClaimToHeaders": [{"header": "x-org", "claim": "org"}]`
	org := request("GET /", bearer(token(map[string]any{"org": "o"})))
	for _, c := range []struct {
		name      string
		rule, top string
		request   [][2]string
		want      bool
	}{
		{"set", output, `"clearRouteCache": true`, org, true},
		{"removed", `"forwardOriginalToken": false`, `"clearRouteCache": true`, org, true},
		{"not asked for", output, ``, org, false},
		{"nothing set", output, `"clearRouteCache": true`, request("GET /", bearer(token(nil))), false},
		{"refused", output, `"clearRouteCache": true`, request("GET /"), false},
		{"refused for the route", output, `"clearRouteCache": true, "routes": [{"scopes": ["s"]}]`, org, false},
	} {
		if got := decide(newEdge(t, c.rule, c.top), c.request, now).Changes(); got.ClearRoute != c.want {
			t.Errorf("%s: %v", c.name, got.ClearRoute)
		}
	}
}

func TestNoChangesBeforeTheDecision(t *testing.T) {
	g, _ := newWaiting(t, `"outputPayloadToHeader": "x-p"`, `"filterState": true`)
	j := decide(g, request("GET /", bearer(token(nil))), now)
	if c := j.Changes(); j.Decided || c.Set != nil || c.State != nil || c.Remove != nil {
		t.Errorf("decided %v: %+v", j.Decided, c)
	}
}
