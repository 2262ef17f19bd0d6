package validate

import "testing"

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
