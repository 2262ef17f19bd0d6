package validate

import "testing"

// TestIssuers: what is written where no token will match, or may not.
func TestIssuers(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{"{issuer: 'https://login.example.com', audiences: [a], jwksUri: 'https://login.example.com/.well-known/jwks.json'}", "hint the issuer does not end in a slash"},
		{"{issuer: 'https://login.example.com/', audiences: [a], jwksUri: 'https://login.example.com/.well-known/jwks.json'}", ""},
		{"{issuer: 'https://login.example.com', audiences: [a], jwksUri: 'https://login.example.com/keys'}", ""},
		{"{issuer: 'https://login.example.com', audiences: [a]}", ""},
		{"{issuer: 'https://tenant.eu.auth0.com', audiences: [a], jwksUri: 'https://tenant.eu.auth0.com/.well-known/jwks.json'}",
			`warning "https://tenant.eu.auth0.com" does not end in a slash; the issuer of Auth0's tokens does, and no token will match`},
		{"{issuer: 'https://*.example.com/', audiences: [a], jwksUri: 'https://a.example/keys'}",
			`warning "https://*.example.com/" has "*" in it, which stands for nothing: the issuer is compared byte for byte with iss; write one rule for each issuer`},
		{"{issuer: 'https://i.example', audiences: [a], outputClaimToHeaders: [{header: x-r, claim: realm_access.roles}]}",
			`warning "realm_access.roles" is taken literally, as the name of one claim; jwt_authn and Istio split names at dots: for the nested claim write ["realm_access", "roles"]`},
	} {
		if got := unplaced(found("jwtRules: [" + c.rule + "]\n")); got != c.want {
			t.Errorf("%s: got %q, want %q", c.rule, got, c.want)
		}
	}
}

// TestNeeds: methods that nobody sends, and names that look like lists.
func TestNeeds(t *testing.T) {
	const top = "auth0: {domain: tenant.eu.auth0.com, audience: x}\nunmatched: deny\n"
	for _, c := range []struct{ route, want string }{
		{"methods: ['*'], scopes: [a]", `warning "*" is taken literally, and no client sends this method`},
		{"methods: [ANY], scopes: [a]", `warning "ANY" is taken literally, and no client sends this method`},
		{"methods: [POST, ALL], scopes: [a]", `warning "ALL" is taken literally, and no client sends this method`},
		{"methods: [POST, PROPFIND], scopes: [a]", ""},
		{"scopes: ['read,write']", `warning "read,write" looks like a list`},
		{"anyScope: [a, 'read;write']", `warning "read;write" looks like a list`},
		{"permissions: ['[read]']", `warning "[read]" looks like a list`},
		{"anyPermission: ['read:a|read:b']", `warning "read:a|read:b" looks like a list`},
		{"permissions: ['read:a', 'https://a.example/b.c']", ""},
	} {
		if got := unplaced(found(top + "routes: [{" + c.route + "}]\n")); got != c.want {
			t.Errorf("%s: got %q, want %q", c.route, got, c.want)
		}
	}
	policy := `          route_config: {virtual_hosts: [{name: api, domains: ['*'], routes: [{match: {prefix: /}, route: {cluster: api}, metadata: {filter_metadata: {edgejwt: {policy: '{"scopes": ["a,b"]}'}}}}]}]}` + "\n"
	if got, want := unplaced(found(example(t, byPolicy, stripped, policy))), `warning "a,b" looks like a list`; got != want {
		t.Errorf("in a policy: got %q, want %q", got, want)
	}
}
