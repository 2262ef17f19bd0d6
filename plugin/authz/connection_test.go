package authz_test

import "testing"

// TestConnectionNamesAJudgedHeader: Envoy forwards Connection with an upgrade, and the next
// proxy removes the headers that it names (RFC 9110 §7.6.1): what edgejwt compared or wrote
// would not reach the API.
func TestConnectionNamesAJudgedHeader(t *testing.T) {
	g := newEdge(t, `"outputClaimToHeaders": [{"header": "x-jwt-sub", "claim": "sub"}]`,
		`"routes": [{"path": {"prefix": "/tenant"}, "claimMatches": [{"claim": "org", "header": "x-tenant"}]}]`)
	valid := token(map[string]any{"org": "acme"})
	for _, c := range []struct {
		path, connection string
		passes           bool
	}{
		{"/chat", "Upgrade", true},
		{"/chat", "keep-alive, Upgrade", true},
		{"/chat", "Upgrade, X-Jwt-Sub", false},
		{"/chat", "x_jwt_sub,Upgrade", false},
		{"/chat", "Upgrade, Authorization", false},
		{"/tenant", "Upgrade, X-Tenant", false},
	} {
		d := decide(g, request("GET "+c.path, bearer(valid), "x-tenant: acme", "upgrade: websocket", "connection: "+c.connection), now)
		if d.Allowed() != c.passes {
			t.Errorf("%s, Connection: %s: %v", c.path, c.connection, d.Reason)
		}
	}
}
