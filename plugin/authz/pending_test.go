package authz_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
	"unsafe"

	"edgejwt/jwks"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// newWaiting makes an Authorizer whose keys must be fetched.
func newWaiting(t testing.TB, rule, top string) (*authz.Authorizer, *jwks.Source) {
	t.Helper()
	cfg := parseEdge(t, rule, top)
	machine := jwks.New(jwks.Policy{URL: "https://idp.example/keys", Issuer: edgeIssuer}, 1, func() float64 { return 0.5 })
	return authz.New(cfg, verify.GoEngine, func(*config.Rule) *jwks.Source { return machine }), machine
}

// buffered puts all texts of a request into one buffer, as the host does.
func buffered(request [][2]string) (buffer []byte, copied [][2]string) {
	for _, h := range request {
		buffer = append(append(buffer, h[0]...), h[1]...)
	}
	at := 0
	text := func(size int) string {
		at += size
		return unsafe.String(unsafe.SliceData(buffer[at-size:]), size)
	}
	for _, h := range request {
		copied = append(copied, [2]string{text(len(h[0])), text(len(h[1]))})
	}
	return buffer, copied
}

// TestWaitingHoldsNothingOfTheRequest: the decision is the same although the host's
// buffer is overwritten while the request waits.
func TestWaitingHoldsNothingOfTheRequest(t *testing.T) {
	const rule = `"fromHeaders": [{"name": "authorization", "prefix": "Bearer "}], "fromCookies": ["session"], "fromParams": ["access_token"],
		"forwardOriginalToken": false, "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}]`
	const top = `"filterState": true, "routes": [{"name": "own", "path": {"template": "/users/{user}"}, "scopes": ["s"], "claimMatches": [
		{"claim": "sub", "variable": "user"}, {"claim": "org", "header": "x-org"}, {"claim": "host", "host": true}]}]`
	own := token(map[string]any{"scope": "s", "org": "o1", "host": "api.example.com"})
	for _, c := range []struct {
		name    string
		request [][2]string
		want    verify.Reason
		set     [][2]string
	}{
		{"header", request("GET /users/client", bearer(own), "x-org: o1"), verify.Accepted, pairs("x-sub", "client")},
		{"cookie and parameter", request("GET /users/client?a=1&access_token="+own, "cookie: a=1; session="+own, "x-org: o1"), verify.Accepted,
			pairs("cookie", "a=1", ":path", "/users/client?a=1", "x-sub", "client")},
		{"another user", request("GET /users/admin", bearer(own), "x-org: o1"), verify.ClaimMismatch, nil},
		{"another tenant", request("GET /users/client", bearer(own), "x-org: o2"), verify.ClaimMismatch, nil},
		{"no scope", request("GET /users/client", bearer(token(nil)), "x-org: o1"), verify.ScopeMissing, nil},
	} {
		g, machine := newWaiting(t, rule, top)
		buffer, headers := buffered(c.request)
		var j authz.Decision
		g.Decide(&j, headers, nil, now)
		if j.Decided || j.KeySource() != machine || j.Token() != nil || j.Step() != authz.StepKey {
			t.Fatalf("%s: %v at step %d, want it to wait", c.name, j.Reason, j.Step())
		}
		clear(buffer)
		j.Resume(serve(t, machine, now, edgeKeys()))
		if j.Reason != c.want || j.Match().Route.Name != "own" {
			t.Errorf("%s: %v (%v), want %v", c.name, j.Reason, j.Detail, c.want)
		}
		changes := j.Changes()
		if !slices.Equal(changes.Set, c.set) {
			t.Errorf("%s: set %q, want %q", c.name, changes.Set, c.set)
		}
		if want := pairs("edgejwt.decision", c.want.String(), "edgejwt.route", "own", "edgejwt.issuer", edgeIssuer); !slices.Equal(changes.State, want) {
			t.Errorf("%s: state %q", c.name, changes.State)
		}
	}
}

// TestPolicyOutlivesTheWait: a request that waits keeps its policy, also when the policy
// is no longer in the map of compiled policies.
func TestPolicyOutlivesTheWait(t *testing.T) {
	g, machine := newWaiting(t, "", `"routeMetadata": true`)
	buffer := []byte(`{"scopes": ["s"]}`)
	policy := unsafe.String(&buffer[0], len(buffer))
	var j authz.Decision
	g.Decide(&j, request("GET /", bearer(token(nil))), &policy, now)
	clear(buffer)
	for i := range 1000 {
		decideBy(g, fmt.Sprintf(`{"name": "n%d"}`, i), request("GET /"))
	}
	if j.Resume(serve(t, machine, now, edgeKeys())); j.Reason != verify.ScopeMissing {
		t.Errorf("%v, want scope_missing", j.Reason)
	}
}

// TestReportWaits: with mode: report a request waits for keys, too.
func TestReportWaits(t *testing.T) {
	g, machine := newWaiting(t, `"outputPayloadToHeader": "x-p"`, `"mode": "report"`)
	good, bad, late := decide(g, request("GET /", bearer(token(nil))), now), decide(g, request("GET /", bearer(spoilt(token(nil)))), now), decide(g, request("GET /", bearer(token(nil))), now)
	if good.Decided || bad.Decided {
		t.Fatal("decided without keys")
	}
	late.Timeout(now)
	if late.Reason != verify.KeysUnavailable || !late.Report || !late.Allowed() || late.RetryAfter == 0 || late.Changes().Set != nil {
		t.Errorf("given up: %v, reported %v", late.Reason, late.Report)
	}
	at := serve(t, machine, now, edgeKeys())
	if good.Resume(at); good.Reason != verify.Accepted || good.Report || len(good.Changes().Set) != 1 {
		t.Errorf("good: %v, reported %v", good.Reason, good.Report)
	}
	for range 3 { // the provider may have replaced its key
		bad.Resume(at)
		at = at.Add(time.Minute)
		machine.Tick(at, 0, false)
		bad.Timeout(at)
	}
	if bad.Reason.Passes() || !bad.Report || bad.Changes().Set != nil {
		t.Errorf("bad: %v, reported %v", bad.Reason, bad.Report)
	}
}
