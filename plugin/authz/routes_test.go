package authz_test

import (
	"strings"
	"testing"
	"time"

	"edgejwt/plugin/authz"
	"edgejwt/verify"
)

const edgeRoutes = `"routes": [
	{"name": "public", "path": {"prefix": "/public"}, "auth": "none"},
	{"name": "maybe", "path": {"prefix": "/maybe"}, "auth": "optional", "anonymousPasses": true, "scopes": ["read"]},
	{"name": "write", "path": {"template": "/orders/{id}"}, "methods": ["POST"], "scopes": ["write"]},
	{"name": "own", "path": {"template": "/users/{user}"}, "claimMatches": [{"claim": "sub", "variable": "user"}]},
	{"name": "tenant", "path": {"exact": "/tenant"}, "claimMatches": [{"claim": "org", "header": "x-tenant"}, {"claim": "host", "host": true}]},
	{"name": "legacy", "path": {"prefix": "/legacy"}, "allowOpaque": true, "scopes": ["legacy"]},
	{"name": "fresh", "path": {"exact": "/fresh"}, "maxAge": "10s"},
	{"name": "closed", "path": {"prefix": "/closed"}, "auth": "deny"},
	{"name": "admin", "hosts": ["admin.example.com"], "permissions": ["all"]}
]`

func TestRoutes(t *testing.T) {
	g := newEdge(t, `"clockSkew": "60s", "outputClaimToHeaders": [{"header": "x-tenant-id", "claim": "org"}]`, edgeRoutes)
	valid, write := token(nil), scoped("read write")
	expired := token(map[string]any{"exp": now.Add(-time.Hour).Unix()})
	tenant := token(map[string]any{"org": "o1", "host": "api.example.com"})
	for _, c := range []struct {
		name    string
		request [][2]string
		want    verify.Reason
		route   string // "-" when none was found
		step    authz.Step
	}{
		{"public", request("GET /public/x"), verify.Public, "public", authz.StepRoute},
		{"public, bad token", request("GET /public/x", bearer("nonsense")), verify.Public, "public", authz.StepRoute},
		{"public, two tokens", request("GET /public/x", bearer(valid), bearer(write)), verify.Public, "public", authz.StepRoute},
		{"public, good token", request("GET /public/x", bearer(valid)), verify.Public, "public", authz.StepRoute},
		{"not public", request("GET /publicity"), verify.TokenMissing, "", authz.StepExtract},
		{"out of public", request("GET /public/../orders"), verify.PathAmbiguous, "-", authz.StepRoute},
		{"encoded slash", request("GET /public%2fx"), verify.PathAmbiguous, "-", authz.StepRoute},
		{"encoded slash with a good token", request("GET /x%2fy", bearer(valid)), verify.PathAmbiguous, "-", authz.StepRoute},
		{"query is no path", request("GET /orders?/public"), verify.TokenMissing, "", authz.StepExtract},

		{"deny, no token", request("GET /closed"), verify.RouteDenied, "closed", authz.StepRoute},
		{"deny, good token", request("GET /closed/x", bearer(valid)), verify.RouteDenied, "closed", authz.StepRoute},
		{"deny, bad token", request("GET /closed", bearer("nonsense")), verify.RouteDenied, "closed", authz.StepRoute},
		{"deny, two tokens", request("POST /closed", bearer(valid), bearer(write)), verify.RouteDenied, "closed", authz.StepRoute},
		{"deny, on a host for others", request("GET /closed", ":authority: admin.example.com", bearer(valid)), verify.RouteDenied, "closed", authz.StepRoute},
		{"deny, by another reading", request("GET /public/../closed", bearer(valid)), verify.PathAmbiguous, "-", authz.StepRoute},
		{"deny, a preflight", request("OPTIONS /closed", "origin: https://a.example", "access-control-request-method: PUT"), verify.RouteDenied, "closed", authz.StepRoute},
		{"deny, a preflight below", request("OPTIONS /closed/x", "origin: https://a.example", "access-control-request-method: PUT", bearer(valid)), verify.RouteDenied, "closed", authz.StepRoute},
		{"deny, a preflight by another reading", request("OPTIONS /public/../closed", "origin: https://a.example", "access-control-request-method: PUT"), verify.PathAmbiguous, "-", authz.StepRoute},
		{"beside deny, a preflight", request("OPTIONS /closedness", "origin: https://a.example", "access-control-request-method: PUT"), verify.Preflight, "-", authz.StepPreflight},
		{"beside deny", request("GET /closedness", bearer(valid)), verify.Accepted, "", authz.StepRequirements},

		{"optional, none", request("GET /maybe"), verify.Anonymous, "maybe", authz.StepExtract},
		{"optional, another scheme", request("GET /maybe", "authorization: Basic eA=="), verify.Anonymous, "maybe", authz.StepExtract},
		{"optional, empty", request("GET /maybe", "authorization: Bearer"), verify.Anonymous, "maybe", authz.StepExtract},
		{"optional, nonsense", request("GET /maybe", bearer("nonsense")), verify.TokenOpaque, "maybe", authz.StepParse},
		{"optional, expired", request("GET /maybe", bearer(expired)), verify.TokenExpired, "maybe", authz.StepClaims},
		{"optional, two", request("GET /maybe", bearer(valid), bearer(write)), verify.TokenAmbiguous, "maybe", authz.StepExtract},
		{"optional, no scope", request("GET /maybe", bearer(valid)), verify.ScopeMissing, "maybe", authz.StepRequirements},
		{"optional, good", request("GET /maybe", bearer(write)), verify.Accepted, "maybe", authz.StepRequirements},

		{"scope", request("POST /orders/7", bearer(write)), verify.Accepted, "write", authz.StepRequirements},
		{"scope missing", request("POST /orders/7", bearer(valid)), verify.ScopeMissing, "write", authz.StepRequirements},
		{"scope missing, and expired", request("POST /orders/7", bearer(expired)), verify.TokenExpired, "write", authz.StepClaims},
		{"scope missing, and forged", request("POST /orders/7", bearer(spoilt(valid))), verify.SignatureInvalid, "write", authz.StepSignature},
		{"scope claimed by a forger", request("POST /orders/7", bearer(spoilt(write))), verify.SignatureInvalid, "write", authz.StepSignature},
		{"no token where a scope is needed", request("POST /orders/7"), verify.TokenMissing, "write", authz.StepExtract},
		{"another method needs none", request("GET /orders/7", bearer(valid)), verify.Accepted, "", authz.StepRequirements},
		{"a method in lower case", request("post /orders/7", bearer(write)), verify.PathAmbiguous, "-", authz.StepRoute},

		{"own", request("GET /users/client", bearer(valid)), verify.Accepted, "own", authz.StepRequirements},
		{"another's", request("GET /users/admin", bearer(valid)), verify.ClaimMismatch, "own", authz.StepRequirements},
		{"bound to header and host", request("GET /tenant", bearer(tenant), "x-tenant: o1"), verify.Accepted, "tenant", authz.StepRequirements},
		{"bound to a header that says another", request("GET /tenant", bearer(tenant), "x-tenant: o2"), verify.ClaimMismatch, "tenant", authz.StepRequirements},
		{"bound to a header that is not there", request("GET /tenant", bearer(tenant)), verify.ClaimMismatch, "tenant", authz.StepRequirements},

		{"opaque where it may be", request("GET /legacy", bearer("opaque-token_1")), verify.Opaque, "legacy", authz.StepParse},
		{"encrypted where it may be", request("GET /legacy", bearer("e30.a.b.c.d")), verify.Opaque, "legacy", authz.StepParse},
		{"opaque, too long for any rule", request("GET /legacy", bearer(strings.Repeat("a", verify.DefaultTokenBytes+1))), verify.TokenTooLarge, "legacy", authz.StepParse},
		{"opaque, as long as may be", request("GET /legacy", bearer(strings.Repeat("a", verify.DefaultTokenBytes))), verify.Opaque, "legacy", authz.StepParse},
		{"a bad JWS is not opaque", request("GET /legacy", bearer("a.b.c")), verify.TokenMalformed, "legacy", authz.StepParse},
		{"a JWS is checked there too", request("GET /legacy", bearer(valid)), verify.ScopeMissing, "legacy", authz.StepRequirements},
		{"none where opaque may be", request("GET /legacy"), verify.TokenMissing, "legacy", authz.StepExtract},
		{"opaque elsewhere", request("GET /orders", bearer("opaque-token_1")), verify.TokenOpaque, "", authz.StepParse},

		{"fresh with the skew of the rule", request("GET /fresh", bearer(token(map[string]any{"iat": now.Add(-70 * time.Second).Unix()}))), verify.Accepted, "fresh", authz.StepRequirements},
		{"not fresh", request("GET /fresh", bearer(token(map[string]any{"iat": now.Add(-71 * time.Second).Unix()}))), verify.TokenExpired, "fresh", authz.StepRequirements},

		{"no route", request("GET /other", bearer(valid)), verify.Accepted, "", authz.StepRequirements},
		{"no route, no token", request("GET /other"), verify.TokenMissing, "", authz.StepExtract},
		{"preflight of no route", request("OPTIONS /other", "origin: https://a.example", "access-control-request-method: PUT"), verify.Preflight, "-", authz.StepPreflight},
		{"preflight of a public route", request("OPTIONS /public", "origin: https://a.example", "access-control-request-method: PUT"), verify.Preflight, "-", authz.StepPreflight},
		{"preflight that may be of a route that denies", request("OPTIONS /public%2fx", "origin: https://a.example", "access-control-request-method: PUT"), verify.PathAmbiguous, "-", authz.StepRoute},
		{"no description unless asked for", request("GET /.well-known/oauth-protected-resource"), verify.TokenMissing, "", authz.StepExtract},
	} {
		j := decide(g, c.request, now)
		if !j.Decided || j.Reason != c.want || j.Report || j.Allowed() != c.want.Passes() {
			t.Errorf("%s: %v (%v), reported %v; want %v", c.name, j.Reason, j.Detail, j.Report, c.want)
		}
		if j.Step() != c.step {
			t.Errorf("%s: decided at step %d, want %d", c.name, j.Step(), c.step)
		}
		name := "-"
		if m := j.Match(); m != nil {
			name = m.Route.Name
		}
		if name != c.route {
			t.Errorf("%s: route %q, want %q", c.name, name, c.route)
		}
		if valid := j.Step() == authz.StepRequirements; j.Valid() != valid {
			t.Errorf("%s: valid %v", c.name, j.Valid())
		}
	}
}

// TestHostsOfRoutes: the same request, to another host.
func TestHostsOfRoutes(t *testing.T) {
	g := newEdge(t, "", edgeRoutes)
	r := request("GET /x", bearer(token(nil)))
	r[0][1] = "Admin.Example.com:443"
	if j := decide(g, r, now); j.Reason != verify.PermissionMissing || j.Match().Route.Name != "admin" {
		t.Errorf("%v, want permission_missing", j.Reason)
	}
}

// TestForgedHeadersChooseNoRoute: what only the edge may say is gone before
// anything else looks at the request.
func TestForgedHeadersChooseNoRoute(t *testing.T) {
	cfg := parseEdge(t, "", `"routes": [{"headers": [{"name": "x-role", "values": ["admin"]}], "auth": "none"}]`)
	cfg.Rules[0].OutputPayloadToHeader = "x-role" // which Parse would not have
	g := authz.New(cfg, verify.GoEngine, fixedKeys)
	if j := decide(g, request("GET /", "x-role: admin"), now); j.Reason != verify.TokenMissing {
		t.Errorf("%v, want token_missing", j.Reason)
	}
}

// TestTokenOnlyWhereItsRuleLooks: a location of another rule is not one of this issuer's.
func TestTokenOnlyWhereItsRuleLooks(t *testing.T) {
	cfg := parseEdge(t, `"fromHeaders": [{"name": "x-token"}]`, "")
	other := parseEdge(t, "", "").Rules[0]
	other.Issuer = "https://other.example/"
	cfg.Rules = append(cfg.Rules, other)
	g := authz.New(cfg, verify.GoEngine, fixedKeys)
	if j := decide(g, request("GET /", "x-token: "+token(nil)), now); j.Reason != verify.Accepted || j.Rule() != 0 {
		t.Errorf("%v by rule %d, want accepted", j.Reason, j.Rule())
	}
	if j := decide(g, request("GET /", bearer(token(nil))), now); j.Reason != verify.IssuerUnknown || j.Valid() {
		t.Errorf("%v, want issuer_unknown", j.Reason)
	}
	if j := decide(g, request("GET /", bearer(token(map[string]any{"iss": other.Issuer}))), now); j.Reason != verify.Accepted || j.Rule() != 1 {
		t.Errorf("%v by rule %d, want accepted", j.Reason, j.Rule())
	}
}

func TestUnsoundRoutesMakeNoAuthorizer(t *testing.T) {
	cfg := parseEdge(t, "", edgeRoutes)
	cfg.Routes[0].Path.Text = "public"
	defer func() {
		if recover() == nil {
			t.Error("an Authorizer was made")
		}
	}()
	authz.New(cfg, verify.GoEngine, fixedKeys)
}

func TestExplains(t *testing.T) {
	g := newEdge(t, `"fromHeaders": [{"name": "authorization", "prefix": "Bearer "}], "fromCookies": ["session"]`, edgeRoutes)
	valid := token(nil)
	j := decide(g, request("GET /users/client", bearer(valid), "cookie: session="+valid), now)
	at := j.Locations()
	if len(at) != 2 || at[0] != verify.Authorization || at[1].In != verify.InCookie {
		t.Errorf("found at %v", at)
	}
	if j.Token() == nil || j.Rule() != 0 || j.Match().Index != 3 || j.ByPolicy() {
		t.Errorf("token %v, rule %d, route %d", j.Token(), j.Rule(), j.Match().Index)
	}
	if text, _ := j.Match().Variable("user"); text != "client" {
		t.Errorf("variable %q", text)
	}
	j = decide(g, request("GET /users/client"), now)
	if j.Token() != nil || j.Rule() != -1 || j.Locations() != nil {
		t.Errorf("without a token: token %v, rule %d, found at %v", j.Token(), j.Rule(), j.Locations())
	}
}
