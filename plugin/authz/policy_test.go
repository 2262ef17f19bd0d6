package authz_test

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"edgejwt/plugin/authz"
	"edgejwt/verify"
)

// decideBy decides about a request whose Envoy route has a policy.
func decideBy(g *authz.Authorizer, policy string, headers [][2]string) *authz.Decision {
	var j authz.Decision
	g.Decide(&j, headers, &policy, now)
	return &j
}

// toHost is a request to another host.
func toHost(host string, headers [][2]string) [][2]string {
	for i := range headers {
		if headers[i][0] == ":authority" {
			headers[i][1] = host
		}
	}
	return headers
}

func TestPolicyOfEnvoysRoute(t *testing.T) {
	g := newEdge(t, "", `"routeMetadata": true, "routes": [{"name": "open", "auth": "none"}]`)
	off := newEdge(t, "", `"routes": [{"name": "open", "auth": "none"}]`)
	reporting := newEdge(t, "", `"routeMetadata": true, "mode": "report"`)
	if !g.UsesPolicies() || off.UsesPolicies() || !g.Reports() {
		t.Error("UsesPolicies or Reports is wrong")
	}
	valid := token(nil)
	for _, c := range []struct {
		name, policy string
		g            *authz.Authorizer
		request      [][2]string
		want         verify.Reason
		report       bool
	}{
		{"scope", `{"name": "p", "scopes": ["s"]}`, g, request("GET /", bearer(valid)), verify.ScopeMissing, false},
		{"scope, there", `{"scopes": ["s"]}`, g, request("GET /", bearer(scoped("s"))), verify.Accepted, false},
		{"needs a token", `{}`, g, request("GET /"), verify.TokenMissing, false},
		{"none", `{"auth": "none"}`, g, request("GET /"), verify.Public, false},
		{"deny", `{"auth": "deny"}`, g, request("GET /", bearer(valid)), verify.RouteDenied, false},
		{"deny, inherits", `{"auth": "deny"}`, reporting, request("GET /", bearer(valid)), verify.RouteDenied, true},
		{"deny, enforces", `{"auth": "deny", "mode": "enforce"}`, reporting, request("GET /"), verify.RouteDenied, false},
		{"deny with scopes", `{"auth": "deny", "scopes": ["s"]}`, g, request("GET /", bearer(scoped("s"))), verify.Internal, false},
		{"bound to a header", `{"claimMatches": [{"claim": "sub", "header": "x-user"}]}`, g, request("GET /", bearer(valid), "x-user: client"), verify.Accepted, false},
		{"bound to a header that says another", `{"claimMatches": [{"claim": "sub", "header": "x-user"}]}`, g, request("GET /", bearer(valid), "x-user: admin"), verify.ClaimMismatch, false},
		{"reports", `{"mode": "report"}`, g, request("GET /"), verify.TokenMissing, true},
		{"enforces", `{"mode": "enforce"}`, reporting, request("GET /"), verify.TokenMissing, false},
		{"inherits", `{}`, reporting, request("GET /"), verify.TokenMissing, true},
		{"is ignored", `{"scopes": ["s"]}`, off, request("GET /"), verify.Public, false},
		{"a path that cannot be read", `{"auth": "none"}`, g, request("GET /public/..%2fadmin"), verify.PathAmbiguous, false},
		{"a path that some read in another way", `{"auth": "none"}`, g, request("GET /public/../admin"), verify.PathAmbiguous, false},
		{"a path that cannot be read, while reporting", `{"mode": "report"}`, reporting, request("GET /public/..%2fadmin"), verify.PathAmbiguous, false},
		{"a query", `{"auth": "none"}`, g, request("GET /public?../x"), verify.Public, false},
		{"a trailing slash", `{"auth": "none"}`, g, request("GET /public/"), verify.RequestAmbiguous, false},
		{"a trailing slash that is no other route's", `{"auth": "none", "spellings": ["trailingSlash"]}`, g, request("GET /public/"), verify.Public, false},
		{"HEAD", `{"auth": "none"}`, g, request("HEAD /public"), verify.RequestAmbiguous, false},
		{"HEAD that is no other route's", `{"auth": "none", "spellings": ["head", "port"]}`, g, request("HEAD /public"), verify.Public, false},
		{"lower case", `{"auth": "none", "spellings": ["head", "port", "trailingSlash"]}`, g, request("delete /public"), verify.PathAmbiguous, false},
		{"a port", `{"auth": "none"}`, g, toHost("api.example.com:1", request("GET /")), verify.RequestAmbiguous, false},
		{"a port that is no other route's", `{"auth": "none", "spellings": ["port"]}`, g, toHost("api.example.com:1", request("GET /")), verify.Public, false},
		{"a trailing dot", `{"auth": "none", "spellings": ["head", "port", "trailingSlash"]}`, g, toHost("api.example.com.", request("GET /")), verify.RequestAmbiguous, false},
		{"capitals in the host", `{"auth": "none"}`, g, toHost("API.example.com", request("GET /")), verify.RequestAmbiguous, false},

		{"no JSON", `{`, g, request("GET /", bearer(valid)), verify.Internal, false},
		{"empty", ``, g, request("GET /", bearer(valid)), verify.Internal, false},
		{"a condition", `{"path": {"prefix": "/"}}`, g, request("GET /", bearer(valid)), verify.Internal, false},
		{"unknown field", `{"scope": ["s"]}`, g, request("GET /", bearer(valid)), verify.Internal, false},
		{"refused while reporting", `{`, reporting, request("GET /", bearer(valid)), verify.Internal, false},

		{"refused, preflight", `{`, g, preflight("/"), verify.Internal, false},
		{"deny, preflight", `{"auth": "deny"}`, g, preflight("/"), verify.RouteDenied, false},
		{"deny, preflight, reported", `{"auth": "deny"}`, reporting, preflight("/"), verify.RouteDenied, true},
		{"scope, preflight", `{"scopes": ["s"]}`, g, preflight("/"), verify.Preflight, false},
		{"preflight whose path may have another policy", `{"scopes": ["s"]}`, g, preflight("/x/../y"), verify.PathAmbiguous, false},
		{"is ignored, preflight", `{"auth": "deny"}`, off, preflight("/x/../y"), verify.Preflight, false},
	} {
		for range 2 { // as read, and as remembered
			j := decideBy(c.g, c.policy, c.request)
			if j.Reason != c.want || j.Report != c.report {
				t.Errorf("%s: %v (%v), reported %v; want %v, %v", c.name, j.Reason, j.Detail, j.Report, c.want, c.report)
			}
			early := c.want == verify.Internal || c.want == verify.PathAmbiguous || c.want == verify.RequestAmbiguous
			if early != (j.Step() == authz.StepPolicy) || c.g == g && !early && c.want != verify.Preflight && !j.ByPolicy() {
				t.Errorf("%s: step %d, by policy %v", c.name, j.Step(), j.ByPolicy())
			}
		}
	}
	if j := decide(g, request("GET /"), now); j.Reason != verify.Public || j.ByPolicy() || j.Match().Route.Name != "open" {
		t.Errorf("without a policy: %v, want public by the route", j.Reason)
	}
	if j := decide(g, request("GET /x/../y"), now); j.Reason != verify.PathAmbiguous {
		t.Errorf("without a policy, and another path may have one: %v, want path_ambiguous", j.Reason)
	}
}

// TestForgedIdentityUnderPolicies: Envoy may choose another route when the forged headers
// are removed. So nothing passes, whether the first route has a policy or not, and nothing
// is only reported.
func TestForgedIdentityUnderPolicies(t *testing.T) {
	const outputs = `"outputPayloadToHeader": "x-payload", "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}]`
	const open = `"routes": [{"auth": "none"}], "resourceMetadata": {"resource": "https://api.example.com"}, "mode": "report"`
	g, table := newEdge(t, outputs, `"routeMetadata": true, `+open), newEdge(t, outputs, open)
	keeps := newEdge(t, outputs, `"routeMetadata": true, "overrideHeaders": "keep", `+open)
	reads := func(policy string) *string { return &policy }
	valid := bearer(token(nil))
	for _, c := range []struct {
		name    string
		g       *authz.Authorizer
		policy  *string
		request [][2]string
		want    verify.Reason
	}{
		{"open", g, reads(`{"auth": "none"}`), request("GET /", "x-sub: admin"), verify.IdentityForged},
		{"optional", g, reads(`{"auth": "optional"}`), request("GET /", "x_sub: admin"), verify.IdentityForged},
		{"reports", g, reads(`{"mode": "report"}`), request("GET /", "X-Payload: e30"), verify.IdentityForged},
		{"a valid token", g, reads(`{}`), request("GET /", "x-sub: ", valid), verify.IdentityForged},
		{"a policy that is refused", g, reads(`{`), request("GET /", "x-sub: admin", valid), verify.IdentityForged},
		{"a path that some read in another way", g, reads(`{}`), request("GET /x/../y", "x-sub: admin"), verify.IdentityForged},
		{"preflight", g, reads(`{}`), append(preflight("/"), [2]string{"x-sub", "admin"}), verify.IdentityForged},
		{"no policy", g, nil, request("GET /", "x-sub: admin"), verify.IdentityForged},
		{"no policy, a valid token", g, nil, request("GET /", "x-sub: admin", valid), verify.IdentityForged},
		{"no policy, preflight", g, nil, append(preflight("/"), [2]string{"x-sub", "admin"}), verify.IdentityForged},

		{"another host for some servers", g, reads(`{}`), request("GET /", "x-forwarded-host: a", valid), verify.IdentityForged},
		{"another path for some servers, no policy", g, nil, request("GET /", "x_original_url: /x"), verify.IdentityForged},
		{"another host, and overrideHeaders: keep", keeps, reads(`{}`), request("GET /", "x-forwarded-host: a", valid), verify.Accepted},

		{"answered here", g, nil, request("GET /.well-known/oauth-protected-resource", "x-sub: admin"), verify.ResourceMetadata},
		{"honest", g, reads(`{}`), request("GET /", "x-subject: admin", valid), verify.Accepted},
		{"honest, no policy", g, nil, request("GET /"), verify.Public},
		{"no route of Envoy's is asked", table, reads(`{}`), request("GET /", "x-sub: admin"), verify.Public},
	} {
		var j authz.Decision
		c.g.Decide(&j, c.request, c.policy, now)
		if refused := c.want == verify.IdentityForged; j.Reason != c.want || j.Report || refused && (j.Allowed() || j.Step() != authz.StepPolicy || len(j.Changes().Set) > 0) {
			t.Errorf("%s: %v (%v), step %d, reported %v; want %v", c.name, j.Reason, j.Detail, j.Step(), j.Report, c.want)
		}
	}
}

// TestUnreadableIsRefusedWhereAPolicyMayEnforce: also what only the table finds.
func TestUnreadableIsRefusedWhereAPolicyMayEnforce(t *testing.T) {
	const routes = `"mode": "report", "routes": [{"methods": ["GET"], "auth": "none"}]`
	r := request("get /")
	if j := decide(newEdge(t, "", routes), r, now); j.Reason != verify.PathAmbiguous || !j.Report {
		t.Errorf("%v, reported %v; want it reported", j.Reason, j.Report)
	}
	if j := decide(newEdge(t, "", `"routeMetadata": true, `+routes), r, now); j.Reason != verify.PathAmbiguous || j.Report {
		t.Errorf("%v, reported %v; want it refused", j.Reason, j.Report)
	}
}

// TestFaultOfPolicyIsLoggedOnce: and again only when the policy is no longer in the map.
func TestFaultOfPolicyIsLoggedOnce(t *testing.T) {
	g := newEdge(t, "", `"routeMetadata": true`)
	notice := func(policy string) string { return decideBy(g, policy, request("GET /")).Notice }
	const bad = `{"scope": ["s"]}`
	buffer := []byte(bad)
	first := notice(unsafe.String(&buffer[0], len(buffer)))
	clear(buffer) // which belongs to the host
	if !strings.Contains(first, "scope") || !strings.Contains(first, "metadata") {
		t.Errorf("notice %q", first)
	}
	if second := notice(bad); second != "" {
		t.Errorf("a second notice: %q", second)
	}
	if notice(`{}`) != "" {
		t.Error("a notice about a policy without a fault")
	}
	if notice(`{"scopes": []}`) == "" {
		t.Error("no notice about another policy with a fault")
	}
	for i := range 1000 {
		notice(fmt.Sprintf(`{"name": "n%d"}`, i))
	}
	if notice(bad) == "" {
		t.Error("a thousand other policies, and this one is still in the map")
	}
}

// TestPoliciesIgnoringCase: paths that servers which ignore case read in other ways are
// refused where policies stand in Envoy's routes, too.
func TestPoliciesIgnoringCase(t *testing.T) {
	g := newEdge(t, "", `"routeMetadata": true, "ignorePathCase": true`)
	for _, path := range []string{"/admin.", "/caf%C3%89"} {
		if d := decideBy(g, `{"auth": "none"}`, request("GET "+path)); d.Reason != verify.PathAmbiguous {
			t.Errorf("%s: %v", path, d.Reason)
		}
	}
}
