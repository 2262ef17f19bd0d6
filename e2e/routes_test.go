package e2e

import (
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// every has one route for each thing that a route may ask.
const every = `
auth0: {domain: tenant.auth0.example, audience: [https://api.example.com, https://other.example.com], cluster: auth0}
routes:
- {name: exact, path: {exact: /exact}, auth: none}
- {name: prefix, path: {prefix: /prefix}, auth: none}
- {name: template, path: {template: "/template/{a}/x/{rest=**}"}, auth: none}
- {name: methods, path: {prefix: /methods}, methods: [GET, PUT], auth: none}
- {name: hosts, path: {prefix: /hosts}, hosts: [api.example.com, "*.example.org"], auth: none}
- {name: headers, path: {prefix: /headers}, headers: [{name: x-version, values: ["1", "2"]}, {name: x-there}], auth: none}
- {name: optional, path: {prefix: /optional}, auth: optional}
- {name: closed, path: {prefix: /closed}, auth: deny}
- {name: opaque, path: {prefix: /opaque}, allowOpaque: true}
- {name: scopes, path: {prefix: /scopes}, scopes: [a, b]}
- {name: any-scope, path: {prefix: /any-scope}, anyScope: [a, b]}
- {name: permissions, path: {prefix: /permissions}, permissions: [a, b]}
- {name: any-permission, path: {prefix: /any-permission}, anyPermission: [a, b]}
- {name: claims, path: {prefix: /claims/url}, claims: {"https://example.com/roles": [admin, owner]}}
- {name: claim-number, path: {prefix: /claims/number}, claims: {level: [3]}}
- {name: claim-flag, path: {prefix: /claims/flag}, claims: {vip: [true]}}
- {name: claim-nested, path: {prefix: /claims/nested}, claims: [{claim: [realm_access, roles], values: [admin]}]}
- {name: variable, path: {template: "/variable/{org}"}, claimMatches: [{claim: org_id, variable: org}]}
- {name: header, path: {prefix: /header}, claimMatches: [{claim: [tenant, id], header: x-tenant}]}
- {name: host, path: {prefix: /host}, claimMatches: [{claim: site, host: true}]}
- {name: required, path: {prefix: /required}, requiredClaims: [email, [address, country]]}
- {name: issuers, path: {prefix: /issuers}, issuers: [urn:edgejwt:nobody]}
- {name: audiences, path: {prefix: /audiences}, audiences: [https://other.example.com]}
- {name: subjects, path: {prefix: /subjects}, subjects: [anna]}
- {name: clients, path: {prefix: /clients}, clients: [robot]}
- {name: types, path: {prefix: /types}, tokenTypes: [JWT]}
- {name: rfc9068, path: {prefix: /rfc9068}, tokenTypes: [at+jwt]}
- {name: age, path: {prefix: /age}, maxAge: 1h}
- {name: step-up, path: {prefix: /step-up}, acr: [urn:mfa, urn:phr], maxAuthAge: 5m}
- {name: lifetime, path: {prefix: /lifetime}, maxLifetime: 2h}
`

func routeEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	return []harness.Edge{{Name: "routes", Plugin: fromYAML(t, every)},
		{Name: "ignoring-case", Plugin: fromYAML(t, every+"ignorePathCase: true\n")}}, nil
}

// none stands for a request without a token.
var none = auth0.Claims(nil)

// TestRoutesThroughEnvoy: both sides of each condition and of each demand.
func TestRoutesThroughEnvoy(t *testing.T) {
	w := edges(t)
	hour := int64(3600)
	now := time.Now().Unix()
	for _, tc := range []struct {
		request string // method, path, and Host if it matters
		headers string // lines, parted by |
		claims  auth0.Claims
		want    string
	}{
		{"GET /exact", "", none, ""},
		{"GET /exact/", "", none, "token_missing"},
		{"GET /exact/x", "", none, "token_missing"},
		{"GET /prefix/x/y", "", none, ""},
		{"GET /prefixed", "", none, "token_missing"},
		{"GET /template/1/x", "", none, ""},
		{"GET /template/1/x/2/3", "", none, ""},
		{"GET /template/1/y", "", none, "token_missing"},
		{"GET /methods", "", none, ""},
		{"HEAD /methods", "", none, "token_missing"},
		{"PUT /methods", "", none, ""},
		{"POST /methods", "", none, "token_missing"},
		{"DELETE /methods", "X-HTTP-Method-Override: GET", none, "token_missing"},
		{"GET /hosts api.example.com", "", none, ""},
		{"GET /hosts API.Example.com:8080", "", none, "token_missing"},
		{"GET /hosts api.example.com.", "", none, "token_missing"},
		{"GET /hosts a.b.example.org", "", none, ""},
		{"GET /hosts example.org", "", none, "token_missing"},
		{"GET /hosts a.example.org.evil.com", "", none, "token_missing"},
		{"GET /hosts evil.com", "X-Forwarded-Host: api.example.com", none, "token_missing"},
		{"GET /hosts api.example.com.evil.com", "", none, "token_missing"},
		{"GET /hosts api.example.com:x", "", none, "path_ambiguous"},
		{"GET /headers", "X-Version: 2|X-There: ", none, ""},
		{"GET /headers", "X-Version: 3|X-There: yes", none, "token_missing"},
		{"GET /headers", "X-Version: 2", none, "token_missing"},
		{"GET /headers", "X-Version: 2|X-Version: 3|X-There: yes", none, "token_missing"},
		{"GET /optional", "", none, ""},
		{"GET /optional", "", auth0.Claims{}, ""},
		{"GET /optional", "", auth0.Claims{"exp": now - hour}, "token_expired"},
		{"GET /closed", "", none, "route_denied"},
		{"GET /closed/x", "", auth0.Claims{}, "route_denied"},
		{"POST /closed", "Authorization: Bearer a.b.c", none, "route_denied"},
		{"GET /closed", "", auth0.Claims{"exp": now - hour}, "route_denied"},
		{"GET /closedness", "", auth0.Claims{}, ""},
		{"GET /opaque", "Authorization: Bearer 2YotnFZFEjr1zCsicMWpAA", none, ""},
		{"GET /opaque", "", none, "token_missing"},
		{"GET /opaque", "Authorization: Bearer a.b.c", none, "token_malformed"},
		{"GET /opaque", "", auth0.Claims{"exp": now - hour}, "token_expired"},
		{"GET /scopes", "Authorization: Bearer 2YotnFZFEjr1zCsicMWpAA", none, "token_opaque"},
		{"GET /scopes", "", auth0.Claims{"scope": "c b a"}, ""},
		{"GET /scopes", "", auth0.Claims{"scp": []string{"a", "b"}}, ""},
		{"GET /scopes", "", auth0.Claims{"scope": "a"}, "scope_missing"},
		{"GET /scopes", "", auth0.Claims{"scope": "ab"}, "scope_missing"},
		{"GET /any-scope", "", auth0.Claims{"scope": "b"}, ""},
		{"GET /any-scope", "", auth0.Claims{"scope": "c"}, "scope_missing"},
		{"GET /permissions", "", auth0.Claims{"permissions": []string{"b", "a"}}, ""},
		{"GET /permissions", "", auth0.Claims{"permissions": []string{"b"}}, "permission_missing"},
		{"GET /permissions", "", auth0.Claims{"scope": "a b"}, "permission_missing"},
		{"GET /any-permission", "", auth0.Claims{"permissions": []string{"b"}}, ""},
		{"GET /any-permission", "", auth0.Claims{"permissions": []string{}}, "permission_missing"},
		{"GET /claims/url", "", auth0.Claims{"https://example.com/roles": []string{"x", "owner"}}, ""},
		{"GET /claims/url", "", auth0.Claims{"https://example.com/roles": "admin"}, ""},
		{"GET /claims/url", "", auth0.Claims{"https://example.com/roles": "administrator"}, "claim_mismatch"},
		{"GET /claims/url", "", auth0.Claims{"https://example": map[string]any{"com/roles": "admin"}}, "claim_mismatch"},
		{"GET /claims/number", "", auth0.Claims{"level": 3}, ""},
		{"GET /claims/number", "", auth0.Claims{"level": "3"}, "claim_mismatch"},
		{"GET /claims/number", "", auth0.Claims{"level": 30}, "claim_mismatch"},
		{"GET /claims/flag", "", auth0.Claims{"vip": true}, ""},
		{"GET /claims/flag", "", auth0.Claims{"vip": "true"}, "claim_mismatch"},
		{"GET /claims/nested", "", auth0.Claims{"realm_access": map[string]any{"roles": []string{"admin"}}}, ""},
		{"GET /claims/nested", "", auth0.Claims{"roles": []string{"admin"}}, "claim_mismatch"},
		{"GET /variable/acme", "", auth0.Claims{"org_id": "acme"}, ""},
		{"GET /variable/globex", "", auth0.Claims{"org_id": "acme"}, "claim_mismatch"},
		{"GET /variable/ACME", "", auth0.Claims{"org_id": "acme"}, "claim_mismatch"},
		{"GET /header", "X-Tenant: t1", auth0.Claims{"tenant": map[string]any{"id": "t1"}}, ""},
		{"GET /header", "X-Tenant: t2", auth0.Claims{"tenant": map[string]any{"id": "t1"}}, "claim_mismatch"},
		{"GET /header", "X-Tenant: t1|X-Tenant: t2", auth0.Claims{"tenant": map[string]any{"id": "t1"}}, "claim_mismatch"},
		{"GET /header", "", auth0.Claims{"tenant": map[string]any{"id": ""}}, "claim_mismatch"},
		{"GET /host Shop.example.com:443", "", auth0.Claims{"site": "shop.example.com"}, ""},
		{"GET /host blog.example.com", "", auth0.Claims{"site": "shop.example.com"}, "claim_mismatch"},
		{"GET /required", "", auth0.Claims{"email": "a@b", "address": map[string]any{"country": "DE"}}, ""},
		{"GET /required", "", auth0.Claims{"email": "a@b", "address": map[string]any{}}, "claim_mismatch"},
		{"GET /issuers", "", auth0.Claims{}, "issuer_unknown"},
		{"GET /audiences", "", auth0.Claims{"aud": []string{auth0.DefaultAudience, auth0.OtherAudience}}, ""},
		{"GET /audiences", "", auth0.Claims{}, "audience_mismatch"},
		{"GET /subjects", "", auth0.Claims{"sub": "anna"}, ""},
		{"GET /subjects", "", auth0.Claims{"sub": "Anna"}, "claim_mismatch"},
		{"GET /clients", "", auth0.Claims{"azp": "robot"}, ""},
		{"GET /clients", "", auth0.Claims{"azp": nil, "client_id": "robot"}, ""},
		{"GET /clients", "", auth0.Claims{"azp": "robot", "client_id": "other"}, "claim_mismatch"},
		{"GET /clients", "", auth0.Claims{"azp": nil}, "claim_mismatch"},
		{"GET /types", "", auth0.Claims{}, ""},
		{"GET /rfc9068", "", auth0.Claims{}, "claim_invalid"},
		{"GET /age", "", auth0.Claims{"auth_time": now - hour/2}, ""},
		{"GET /age", "", auth0.Claims{"auth_time": now - 2*hour}, "token_expired"},
		{"GET /age", "", auth0.Claims{"iat": now - 2*hour}, "token_expired"},
		{"GET /step-up", "", auth0.Claims{"acr": "urn:phr", "auth_time": now - 60}, ""},
		{"GET /step-up", "", auth0.Claims{"acr": "urn:pwd", "auth_time": now - 60}, "authentication_insufficient"},
		{"GET /step-up", "", auth0.Claims{"acr": "urn:phr", "auth_time": now - hour}, "authentication_insufficient"},
		{"GET /step-up", "", auth0.Claims{"acr": "urn:phr"}, "authentication_insufficient"},
		{"GET /step-up", "", auth0.Claims{"acr": "urn:phr", "auth_time": "now"}, "claim_invalid"},
		{"GET /step-up", "", auth0.Claims{}, "authentication_insufficient"},
		{"GET /step-up", "", none, "token_missing"},
		{"GET /lifetime", "", auth0.Claims{"iat": now - hour/2, "exp": now + hour}, ""},
		{"GET /lifetime", "", auth0.Claims{}, "claim_mismatch"},
		{"GET /of/no/route", "", none, "token_missing"},
		{"GET /of/no/route", "", auth0.Claims{}, ""},
	} {
		lines := strings.Split(tc.headers, "|")
		if tc.headers == "" {
			lines = nil
		}
		if tc.claims != nil {
			lines = append(lines, "Authorization: Bearer "+signed(t, w.Auth0, tc.claims))
		}
		for range 2 { // a token that was seen before is the same to every rule
			got, arrived := ask(w, "routes", tc.request, lines)
			if strings.HasPrefix(tc.request, "HEAD") && got.Status == 401 {
				got.Reason = "token_missing" // an answer to HEAD has no body
			}
			if got.Err != nil || got.Reason != tc.want || arrived != (tc.want == "") {
				t.Errorf("%s with %s, %v: %v, want %q; it arrived: %v", tc.request, tc.headers, tc.claims, got, tc.want, arrived)
			}
		}
	}
}

// ask sends "GET /path host" with header lines, and tells whether it arrived.
func ask(w *harness.World, edge, request string, lines []string) (got harness.Answer, arrived bool) {
	w.T.Helper()
	w.ResetSeen()
	words := strings.Fields(request)
	host := "edge"
	if len(words) > 2 {
		host = words[2]
	}
	lines = append([]string{words[0] + " " + words[1] + " HTTP/1.1", "Host: " + host, "Connection: close"}, lines...)
	got = harness.Raw(w.At(edge), strings.Join(lines, "\r\n")+"\r\n\r\n")
	return got, len(w.Seen()) > 0
}

// TestIgnoredCase: for servers that ignore the case of paths.
func TestIgnoredCase(t *testing.T) {
	w := edges(t)
	for _, tc := range []struct{ edge, request, want string }{
		{"routes", "GET /EXACT", "token_missing"},
		{"ignoring-case", "GET /EXACT", "token_missing"},
		{"ignoring-case", "GET /Prefix/X", "token_missing"},
		{"ignoring-case", "GET /exact./", "path_ambiguous"},
		{"ignoring-case", "GET /SCOPES", "token_missing"},
	} {
		if got, arrived := ask(w, tc.edge, tc.request, nil); got.Reason != tc.want || arrived != (tc.want == "") {
			t.Errorf("%s at %s: %v, want %q", tc.request, tc.edge, got, tc.want)
		}
	}
}

// TestChallengeNamesTheScopes: RFC 6750 §3, "scope" lists what is needed.
func TestChallengeNamesTheScopes(t *testing.T) {
	w := edges(t)
	line := []string{"Authorization: Bearer " + signed(t, w.Auth0, auth0.Claims{"scope": "a"})}
	got, _ := ask(w, "routes", "GET /scopes", line)
	if want := `Bearer realm="api", error="insufficient_scope", scope="a b"`; got.Status != 403 || got.Header.Get("WWW-Authenticate") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// TestStepUpChallenge: a client learns from the challenge how its user must authenticate (RFC
// 9470 §3), from the same worker whether the token is new to it or not.
func TestStepUpChallenge(t *testing.T) {
	w := edges(t)
	token := signed(t, w.Auth0, auth0.Claims{"acr": "urn:pwd", "auth_time": time.Now().Unix()})
	for range 2 {
		got := w.Do(harness.Request{Path: "/step-up", Headers: bearer(token), To: w.At("routes")})
		const want = `Bearer realm="api", error="insufficient_user_authentication", acr_values="urn:mfa urn:phr", max_age="300"`
		if got.Status != 401 || got.Header.Get("WWW-Authenticate") != want {
			t.Errorf("%v, want the challenge %s", got, want)
		}
	}
}
