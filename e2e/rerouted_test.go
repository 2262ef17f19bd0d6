package e2e

import (
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// rerouted has routes that Envoy chooses by what edgejwt sets and removes, each
// before one of the same path. No configuration should.
const rerouted = `
auth0:
  domain: tenant.auth0.example
  audience: https://api.example.com
  cluster: auth0
  forwardOriginalToken: false
  outputClaimToHeaders: [{header: x-jwt-sub, claim: sub}]
  outputClaimToFilterState: [{key: edgejwt.sub, claim: sub}]
routeMetadata: true
hostPort: ignored
`

const reroutedRoutes = `- match: {prefix: /open, headers: [{name: x-jwt-sub, string_match: {exact: admin}}]}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"auth": "none"}'}}}
- match: {prefix: /trial, headers: [{name: x_jwt_sub, string_match: {exact: admin}}]}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"mode": "report"}'}}}
- match: {prefix: /plain, headers: [{name: x-jwt-sub, string_match: {exact: admin}}]}
  route: {cluster: api}
- match: {prefix: /told, headers: [{name: x-jwt-sub, present_match: true}]}
  route: {cluster: api}
  request_headers_to_add: [{header: {key: x-served-by, value: another}}]
  metadata: {filter_metadata: {edgejwt: {policy: '{"permissions": ["read:bills"]}'}}}
- match: {prefix: /told}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{}'}}}
- match: {prefix: /state, filter_state: [{key: wasm.edgejwt.sub, string_match: {safe_regex: {regex: .+}}}]}
  route: {cluster: api}
  request_headers_to_add: [{header: {key: x-served-by, value: another}}]
  metadata: {filter_metadata: {edgejwt: {policy: '{"permissions": ["read:bills"]}'}}}
- match: {prefix: /state}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{}'}}}
- match: {prefix: /stripped, headers: [{name: authorization, present_match: true}]}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{}'}}}
- match: {prefix: /stripped}
  route: {cluster: api}
  request_headers_to_add: [{header: {key: x-served-by, value: another}}]
  metadata: {filter_metadata: {edgejwt: {policy: '{"permissions": ["read:bills"]}'}}}
- match: {prefix: /closed, headers: [{name: x-jwt-sub, string_match: {exact: admin}}]}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{}'}}}
- match: {prefix: /closed}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"auth": "deny"}'}}}
- match: {prefix: /}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"permissions": ["read:bills"]}'}}}
`

func reroutedEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	return []harness.Edge{{Name: "rerouted", Plugin: fromYAML(t, rerouted), Routes: reroutedRoutes, IgnoreHostPort: true}}, nil
}

// TestForgedHeadersChooseNoPolicy: Envoy chooses its route, and with it the policy,
// by what the client sent, and chooses anew when edgejwt has removed what was
// forged. A request that is judged by one policy must not be served by another's route.
func TestForgedHeadersChooseNoPolicy(t *testing.T) {
	w := edges(t)
	token := "Authorization: Bearer " + w.Auth0.Token()
	const preflight = "Origin: https://app.example\r\nAccess-Control-Request-Method: GET"
	for _, tc := range []struct {
		name, request string
		lines         string
		want          string // reason, or "" to pass
		status        int
	}{
		{"nothing forged", "GET /open", "X-Nothing: 1", "token_missing", 401},
		{"nothing forged, a token that is not enough", "GET /open", token, "permission_missing", 403},
		{"an open policy", "GET /open", "X-JWT-Sub: admin", "identity_forged", 400},
		{"an open policy, and a token", "GET /open", token + "\r\nx-jwt-sub: admin", "identity_forged", 400},
		{"a policy that only reports, in another spelling", "GET /trial", "X_JWT_Sub: admin", "identity_forged", 400},
		{"no policy, where the next route has one", "GET /plain", token + "\r\nx-jwt-sub: admin", "identity_forged", 400},
		{"a preflight, where the next route denies", "OPTIONS /closed", preflight + "\r\nx-jwt-sub: admin", "identity_forged", 400},
		{"a preflight, nothing forged", "OPTIONS /closed", preflight, "route_denied", 403},
		{"what chooses no route", "GET /open", token + "\r\nx-jwt-sub: user", "identity_forged", 400},
	} {
		w.ResetSeen()
		got := harness.Raw(w.At("rerouted"), tc.request+" HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n"+tc.lines+"\r\n\r\n")
		if got.Status != tc.status || got.Reason != tc.want || (len(w.Seen()) == 1) != (tc.want == "") {
			t.Errorf("%s: %v, the API saw %d requests; want %d %s", tc.name, got, len(w.Seen()), tc.status, tc.want)
		}
	}
}

// TestWhatIsToldChoosesARoute shows why the pages forbid such routes, and why
// validate calls them an error: what edgejwt changes of an accepted request leads to
// a route whose policy was not asked. When this fails, Envoy or edgejwt got better.
func TestWhatIsToldChoosesARoute(t *testing.T) {
	w := edges(t)
	token := signed(t, w.Auth0, auth0.Claims{})
	for _, path := range []string{"/told", "/state", "/stripped"} {
		w.ResetSeen()
		got := w.Do(harness.Request{Path: path, To: w.At("rerouted"), Headers: bearer(token)})
		if seen := w.Seen(); got.Status != 200 || len(seen) != 1 || seen[0].Header("x-served-by") != "another" {
			t.Errorf("%s: %v, %v", path, got, seen)
		}
	}
}
