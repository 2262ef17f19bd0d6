package authz_test

import (
	"testing"
	"time"

	"edgejwt/internal/attacks"
	"edgejwt/plugin/authz"
	"edgejwt/verify"
)

// TestBindings sends tokens that are bound to keys and certificates as bearer tokens. Each
// is sent twice: a token in the cache is no more than a new one.
func TestBindings(t *testing.T) {
	for _, c := range []struct {
		setting string
		want    func(c attacks.Case) verify.Reason
	}{
		{`"clockSkew": "60s"`, func(c attacks.Case) verify.Reason { return c.Want }},
		{`"senderConstraint": "whenBound"`, func(c attacks.Case) verify.Reason { return c.Want }},
		{`"senderConstraint": "required"`, func(c attacks.Case) verify.Reason {
			if c.Want == verify.Accepted {
				return verify.BindingMissing // a token that is not bound
			}
			return c.Want
		}},
		{`"senderConstraint": "ignore"`, func(c attacks.Case) verify.Reason {
			if c.Want == verify.BindingMissing {
				return verify.Accepted
			}
			return c.Want
		}},
	} {
		g := newAuthorizer(t, c.setting)
		for _, attack := range attacks.Bindings(now, attacks.Options{}) {
			for _, pass := range []string{"new", "cached"} {
				d := decide(g, attack.Headers, now)
				if want := c.want(attack); d.Reason != want || (want == verify.BindingMissing) != (d.Step() == authz.StepBinding) {
					t.Errorf("%s, %s, %s: %v (%v) at step %d, want %v: %s", c.setting, attack.Name, pass, d.Reason, d.Detail, d.Step(), want, attack.Why)
				}
				if changes := d.Changes(); d.Reason == verify.BindingMissing && (d.Valid() || len(changes.Set) > 0) {
					t.Errorf("%s, %s: the API is told of who did not prove to be the one", c.setting, attack.Name)
				}
			}
		}
		if n := g.Lookups()[authz.Hit]; n == 0 {
			t.Errorf("%s: no token came from the cache", c.setting)
		}
	}
}

// TestBindingOutweighsTheRoute: who does not prove to be the one to whom the token is bound
// is not told what the route requires.
func TestBindingOutweighsTheRoute(t *testing.T) {
	g := newEdge(t, "", `"routes": [{"path": {"exact": "/scope"}, "scopes": ["s"]}, {"path": {"exact": "/maybe"}, "auth": "optional"}, {"path": {"exact": "/tried"}, "mode": "report"}]`)
	bound := token(map[string]any{"cnf": map[string]any{"kid": "k"}})
	for path, allowed := range map[string]bool{"/scope": false, "/maybe": false, "/tried": true} {
		if d := decide(g, request("GET "+path, bearer(bound)), now); d.Reason != verify.BindingMissing || d.Allowed() != allowed {
			t.Errorf("%s: %v, passes %v", path, d.Reason, d.Allowed())
		}
	}
}

// TestBindingAfterAWait: a request that has waited for keys must prove as much as others.
func TestBindingAfterAWait(t *testing.T) {
	g, machine := newWaiting(t, "", "")
	d := decide(g, request("GET /", bearer(token(map[string]any{"cnf": map[string]any{"kid": "k"}}))), now)
	if d.Decided {
		t.Fatalf("%v without keys", d.Reason)
	}
	if d.Resume(serve(t, machine, now.Add(time.Second), edgeKeys())); d.Reason != verify.BindingMissing {
		t.Errorf("%v", d.Reason)
	}
}
