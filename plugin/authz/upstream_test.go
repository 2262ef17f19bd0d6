package authz_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"edgejwt/plugin/authz"
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
	dropped := []authz.DroppedClaim{{"x-raw", verify.ErrNotPrintable}, {"wasm.edgejwt.raw", verify.ErrNotPrintable}}
	if !slices.Equal(got.Dropped, dropped) || got.Remove != nil || got.ClearRoute {
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
		{"lacks a scope", request("GET /r", bearer(token(nil))), pairs(decision, "scope_missing", name, "r", issuer, edgeIssuer, "edgejwt.sub", "client")},
		{"lacks a scope, and is forged", request("GET /r", bearer(spoilt(token(nil)))), pairs(decision, "signature_invalid", name, "r")},
		{"lacks a scope, and has expired", request("GET /r", bearer(token(map[string]any{"exp": now.Add(-time.Hour).Unix()}))), pairs(decision, "token_expired", name, "r")},
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

// TestRefusedIsTold: a valid token that is not allowed tells filter state who it was, and
// the API nothing. What was seen before is told alike.
func TestRefusedIsTold(t *testing.T) {
	const rule = `"forwardOriginalToken": false, "outputPayloadToHeader": "x-p", "outputClaimToHeaders": [{"header": "x-name", "claim": "name"}],
		"outputClaimToFilterState": [{"key": "sub", "claim": "sub"}, {"key": "name", "claim": "name"}]`
	const routes = `"routes": [{"path": {"exact": "/scope"}, "scopes": ["s"]}, {"path": {"exact": "/permission"}, "permissions": ["p"]}, {"path": {"exact": "/claim"}, "claims": {"org": ["o"]}},
		{"path": {"exact": "/reported"}, "scopes": ["s"], "mode": "report"}]`
	for _, cache := range []string{`, "tokenCache": {"entries": 0}`, ""} {
		g := newEdge(t, rule, routes+cache)
		text := token(map[string]any{"name": "Zoë"})
		for range 2 {
			for path, want := range map[string]verify.Reason{"/scope": verify.ScopeMissing, "/permission": verify.PermissionMissing, "/claim": verify.ClaimMismatch} {
				d := decide(g, request("GET "+path, bearer(text)), now)
				got := d.Changes()
				if d.Reason != want || !slices.Equal(got.State, pairs("sub", "client")) || got.Set != nil || got.Remove != nil || got.ClearRoute ||
					!slices.Equal(got.Dropped, []authz.DroppedClaim{{"wasm.name", verify.ErrNotPrintable}}) {
					t.Errorf("%s: %v, %+v", path, d.Reason, got)
				}
			}
			d := decide(g, request("GET /reported", bearer(text)), now)
			if got := d.Changes(); !slices.Equal(got.State, pairs("sub", "client")) || len(got.Set) != 1 || len(got.Dropped) != 2 {
				t.Errorf("reported: %+v", got)
			}
		}
	}
}

// TestPayloadPadding: padded or not, the payload decodes to the same.
func TestPayloadPadding(t *testing.T) {
	padded := newEdge(t, `"outputPayloadToHeader": "x-p", "outputPayloadPadding": true`, "")
	plain := newEdge(t, `"outputPayloadToHeader": "x-p"`, "")
	remainders := map[int]bool{}
	for n := range 6 {
		headers := request("GET /", bearer(token(map[string]any{"name": strings.Repeat("n", n)})))
		for range 2 { // the second comes from the cache
			with, without := decide(padded, headers, now).Changes().Set[0][1], decide(plain, headers, now).Changes().Set[0][1]
			got, err := base64.URLEncoding.Strict().DecodeString(with)
			want, err2 := base64.RawURLEncoding.Strict().DecodeString(without)
			if err != nil || err2 != nil || string(got) != string(want) || !strings.HasPrefix(with, without) {
				t.Errorf("%s\n%s: %v, %v", with, without, err, err2)
			}
			remainders[len(without)%4] = true
		}
	}
	if len(remainders) != 3 {
		t.Errorf("payloads of these lengths only: %v", remainders)
	}
}

// TestStripsFromLists: of a list, only the token's elements go.
func TestStripsFromLists(t *testing.T) {
	const name = "sec-websocket-protocol"
	const places = `"fromHeaders": [{"name": "Sec-WebSocket-Protocol", "prefix": "a."}, {"name": "sec-websocket-protocol", "prefix": "b."}, {"name": "x-list", "prefix": "t=", "list": true}], "fromCookies": ["session"]`
	g := newEdge(t, places+`, "forwardOriginalToken": false`, "")
	keeps := newEdge(t, places, "")
	valid, other := token(nil), token(map[string]any{"sub": "other"})
	line := func(value string) string { return name + ": " + value }
	for _, c := range []struct {
		name    string
		request [][2]string
		want    verify.Reason
		remove  []string
		set     [][2]string
	}{
		{"behind another", request("GET /", line("graphql-ws, a."+valid)), verify.Accepted, []string{name}, pairs(name, "graphql-ws")},
		{"alone", request("GET /", line("a."+valid)), verify.Accepted, []string{name}, nil},
		{"after both prefixes", request("GET /", line("b."+valid+", soap, a."+valid)), verify.Accepted, []string{name}, pairs(name, "soap")},
		{"in two lines", request("GET /", line("soap, a."+valid), line("wamp")), verify.Accepted, []string{name}, pairs(name, "soap, wamp")},
		{"in two lists", request("GET /", line("soap, a."+valid), "x-list: x, t="+valid), verify.Accepted, []string{name, "x-list"}, pairs(name, "soap", "x-list", "x")},
		{"in a list and a cookie", request("GET /", line("soap, a."+valid), "cookie: session="+valid), verify.Accepted, []string{name, "cookie"}, pairs(name, "soap")},
		{"in a cookie, beside a list", request("GET /", line("soap"), "cookie: session="+valid), verify.Accepted, []string{"cookie"}, nil},
		{"two tokens", request("GET /", line("a."+other+", b."+valid)), verify.TokenAmbiguous, nil, nil},
		{"none", request("GET /", line("graphql-ws, soap")), verify.TokenMissing, nil, nil},
	} {
		d := decide(g, c.request, now)
		if got := d.Changes(); d.Reason != c.want || !slices.Equal(slices.Sorted(slices.Values(got.Remove)), slices.Sorted(slices.Values(c.remove))) || !slices.Equal(got.Set, c.set) {
			t.Errorf("%s: %v, remove %q, set %q", c.name, d.Reason, got.Remove, got.Set)
		}
		if got := decide(keeps, c.request, now).Changes(); got.Remove != nil || got.Set != nil {
			t.Errorf("%s: where tokens are kept: %+v", c.name, got)
		}
		if c.want != verify.Accepted {
			continue
		}
		// The same, after it has waited for keys while the host's buffer was overwritten.
		waits, machine := newWaiting(t, places+`, "forwardOriginalToken": false`, "")
		buffer, headers := buffered(c.request)
		var w authz.Decision
		if waits.Decide(&w, headers, nil, now); w.Decided {
			t.Fatalf("%s: %v without keys", c.name, w.Reason)
		}
		clear(buffer)
		w.Resume(serve(t, machine, now, edgeKeys()))
		if got := w.Changes(); w.Reason != c.want || !slices.Equal(got.Remove, d.Changes().Remove) || !slices.Equal(got.Set, c.set) {
			t.Errorf("%s, after a wait: %v, remove %q, set %q", c.name, w.Reason, got.Remove, got.Set)
		}
	}
}
