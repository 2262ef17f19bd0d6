package e2e

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

const described = `
auth0: {domain: tenant.auth0.example, audience: https://api.example.com, cluster: auth0}
resourceMetadata:
  resource: https://api.example.com/mcp
  scopesSupported: [read:orders, write:orders]
  resourceName: "Orders, for agents"
  resourceDocumentation: https://api.example.com/docs
`

// policies is for operators whose routes are Envoy's.
const policies = `
auth0: {domain: tenant.auth0.example, audience: https://api.example.com, cluster: auth0}
routeMetadata: true
routes: [{name: usual, path: {prefix: /}, scopes: [read:orders]}]
`

const policyRoutes = `- match: {prefix: /billing}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"name": "billing", "permissions": ["read:bills"]}'}}}
- match: {prefix: /open}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"auth": "none"}'}}}
- match: {prefix: /closed}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"auth": "deny"}'}}}
- match: {prefix: /trial}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"mode": "report", "permissions": ["read:bills"]}'}}}
- match: {prefix: /mistaken}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"auth": "nobody"}'}}}
- match: {prefix: /}
  route: {cluster: api}
`

func discoveryEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	return []harness.Edge{{Name: "described", Plugin: fromYAML(t, described)},
		{Name: "policies", Plugin: fromYAML(t, policies), Manager: harness.AsSent, Routes: policyRoutes}}, nil
}

// TestResourceMetadata goes the way of a client that knows nothing but the API's
// address, as the Model Context Protocol has it: challenge, the API's metadata,
// the authorization server's, a token, the API (RFC 9728 §5).
func TestResourceMetadata(t *testing.T) {
	w := edges(t)
	at := w.At("described")
	got := w.Do(harness.Request{Path: "/mcp", To: at})
	found := regexp.MustCompile(`^Bearer realm="api", resource_metadata="https://api\.example\.com(/[^"]*)"$`).FindStringSubmatch(got.Header.Get("WWW-Authenticate"))
	if got.Status != 401 || found == nil {
		t.Fatal(got)
	}
	var resource struct {
		Resource string
		Servers  []string `json:"authorization_servers"`
		Scopes   []string `json:"scopes_supported"`
		Methods  []string `json:"bearer_methods_supported"`
		Name     string   `json:"resource_name"`
		Page     string   `json:"resource_documentation"`
	}
	counted := w.Count("resource_metadata")
	got = w.Do(harness.Request{Path: found[1], To: at, Headers: []string{"origin", "https://inspector.example"}})
	if err := json.Unmarshal([]byte(got.Body), &resource); err != nil || got.Status != 200 || got.Header.Get("Content-Type") != "application/json" || got.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatal(got, err)
	}
	// RFC 9728 §3.3: it must be the address that the client had, or it is not to be used.
	if resource.Resource != "https://api.example.com/mcp" || !slices.Equal(resource.Servers, []string{w.Auth0.Issuer()}) ||
		!slices.Equal(resource.Scopes, []string{"read:orders", "write:orders"}) || !slices.Equal(resource.Methods, []string{"header"}) ||
		resource.Name != "Orders, for agents" || resource.Page != "https://api.example.com/docs" {
		t.Errorf("the metadata: %+v", resource)
	}
	if w.Count("resource_metadata") != counted+1 {
		t.Error("it is not counted")
	}
	head := w.Do(harness.Request{Method: "HEAD", Path: found[1], To: at})
	if head.Status != 200 || head.Body != "" || head.Header.Get("Content-Length") != got.Header.Get("Content-Length") {
		t.Errorf("HEAD: %v", head)
	}
	for path, headers := range map[string][]string{found[1] + "/x": nil, "/.well-known/oauth-protected-resource": nil} {
		if other := w.Do(harness.Request{Path: path, To: at, Headers: headers}); other.Status != 401 {
			t.Errorf("%s is another place: %v", path, other)
		}
	}
	if post := w.Do(harness.Request{Method: "POST", Path: found[1], To: at}); post.Status != 401 {
		t.Errorf("POST is not answered: %v", post)
	}
	token := askToken(t, w.Auth0, auth0.DefaultAudience) // of the server that was named
	if got = w.Do(harness.Request{Path: "/mcp", To: at, Headers: bearer(token)}); got.Status != http.StatusOK {
		t.Error(got)
	}
	if got = w.Do(harness.Request{Path: "/mcp", To: at, Headers: bearer("abc")}); !strings.HasSuffix(got.Header.Get("WWW-Authenticate"), `error="invalid_token", resource_metadata="https://api.example.com`+found[1]+`"`) {
		t.Errorf("a bad token is told where to get a better one: %v", got)
	}
}

// TestPoliciesOfEnvoysRoutes: what an Envoy route says in its metadata takes the
// place of the configuration's routes, and a mistake in it closes the route.
func TestPoliciesOfEnvoysRoutes(t *testing.T) {
	w := edges(t)
	for _, tc := range []struct {
		name, path string
		claims     auth0.Claims // nil: no token
		want       string       // reason, or "" to pass
		status     int
	}{
		{"no policy, by the configuration's routes", "/orders/1", auth0.Claims{"scope": "read:orders"}, "", 200},
		{"no policy, without the scope", "/orders/1", auth0.Claims{}, "scope_missing", 403},
		{"a policy, satisfied", "/billing", auth0.Claims{"permissions": []string{"read:bills"}}, "", 200},
		{"a policy, not satisfied", "/billing", auth0.Claims{"scope": "read:orders"}, "permission_missing", 403},
		{"a policy, no token", "/billing", nil, "token_missing", 401},
		{"an open route", "/open", nil, "", 200},
		{"a route that nobody passes", "/closed", auth0.Claims{"scope": "read:orders"}, "route_denied", 403},
		{"a route on trial", "/trial", nil, "", 200},
		{"a mistaken policy", "/mistaken", auth0.Claims{"scope": "read:orders"}, "internal", 500},
		{"a mistaken policy, without a token", "/mistaken", nil, "internal", 500},
		{"another reading of the path", "/open/../billing", nil, "path_ambiguous", 400},
		{"another reading of a path without a policy", "//billing", nil, "path_ambiguous", 400},
	} {
		w.ResetSeen()
		line := "X-Nothing: 1"
		if tc.claims != nil {
			line = "Authorization: Bearer " + signed(t, w.Auth0, tc.claims)
		}
		got := harness.Raw(w.At("policies"), "GET "+tc.path+" HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n"+line+"\r\n\r\n")
		if got.Status != tc.status || got.Reason != tc.want || (len(w.Seen()) == 1) != (tc.want == "") {
			t.Errorf("%s: %v, want %d %s", tc.name, got, tc.status, tc.want)
		}
	}
	if log := w.Envoy.Output(); strings.Count(log, `auth: "nobody"`) != 1 {
		t.Error("Envoy's log must say once what is wrong with the mistaken policy")
	}
}
