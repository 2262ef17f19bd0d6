package validate

import (
	"strings"
	"testing"
)

// TestOrder: an earlier route takes requests of a later one, and asks less.
func TestOrder(t *testing.T) {
	const top = "auth0: {domain: tenant.eu.auth0.com, audience: x}\nunmatched: deny\n"
	for _, c := range []struct{ name, routes, want string }{
		{"a prefix before an expression below it", "{path: {prefix: /api}, auth: none}, {path: {regex: '/api/admin/.*'}, scopes: [admin]}", "GET /api/admin/x"},
		{"an expression for everything before a prefix", "{path: {regex: '/.*'}, scopes: [read]}, {path: {prefix: /admin}, scopes: [admin]}", "GET /admin/some-path"},
		{"hosts below before one of them", "{hosts: ['*.example.com'], auth: optional}, {hosts: [admin.example.com], scopes: [admin]}", "GET admin.example.com/some-path"},
		{"hosts below before some of them", "{hosts: ['*.example.com'], scopes: [a]}, {hosts: ['*.admin.example.com'], scopes: [admin]}", "GET some-host.admin.example.com/some-path"},
		{"one of the methods", "{path: {prefix: /api}, methods: [GET, HEAD], auth: none}, {path: {prefix: /api/admin}, methods: [GET, POST], scopes: [admin]}", "GET /api/admin/some-path"},
		{"one of all methods", "{path: {prefix: /api}, methods: [GET, HEAD], auth: none}, {path: {prefix: /api/admin}, scopes: [admin]}", "GET /api/admin/some-path"},
		{"some of the methods of one path", "{path: {exact: /a}, methods: [POST, PUT], auth: none}, {path: {exact: /a}, methods: [PUT, DELETE], scopes: [w]}", "PUT /a"},
		{"a template before an expression", "{path: {template: '/orders/{id}'}, scopes: [read]}, {path: {regex: '/orders/[0-9]+'}, scopes: [read, admin]}", "GET /orders/0"},
		{"a template before a template", "{path: {template: '/{a}/{b}'}, methods: [POST], scopes: [a]}, {path: {template: '/orders/{id}'}, scopes: [b]}", "POST /orders/some-segment"},
		{"an expression before a template with a rest", "{path: {regex: '/a/.*'}, auth: none}, {path: {template: '/a/{id}/{rest=**}'}, scopes: [b]}", "GET /a/some-segment/some-path"},
		{"before a route that denies", "{path: {regex: '/.*'}, scopes: [admin]}, {path: {prefix: /internal}, auth: deny}", "GET /internal/some-path"},
		{"a valid token before one with a claim", "{path: {regex: '/.*'}}, {path: {exact: /me}, claims: [{claim: a, values: [b]}]}", "GET /me"},
		{"an alternative of an expression", "{path: {prefix: /b}, auth: none}, {path: {regex: '/(a|b/c)'}, scopes: [a]}", "GET /b/c"},
		{"reported only", "{path: {regex: '/.*'}, scopes: [a], mode: report}, {path: {prefix: /admin}, scopes: [a]}", "GET /admin/some-path"},
		{"under a condition on a header", "{path: {regex: '/.*'}, auth: none}, {path: {exact: /a}, headers: [{name: x-a, values: [b]}], scopes: [a]}", "GET /a"},

		{"an exception before the rule", "{path: {prefix: /api/public}, auth: none}, {path: {prefix: /api}, scopes: [a]}", ""},
		{"an exception of one path", "{path: {exact: /}, auth: none}, {methods: [GET, POST], scopes: [a]}", ""},
		{"an exception of one method", "{path: {exact: /orders}, methods: [GET, HEAD], scopes: [read]}, {path: {exact: /orders}, scopes: [write]}", ""},
		{"an exception of one host", "{hosts: [status.example.com], auth: optional}, {hosts: ['*.example.com'], scopes: [a]}", ""},
		{"an exception by an expression", "{path: {regex: '/orders/[0-9]+'}, methods: [PUT], scopes: [a]}, {path: {template: '/orders/{id}'}, methods: [PUT], scopes: [b]}", ""},
		{"preflights", "{methods: [OPTIONS], auth: optional}, {path: {prefix: /api}, scopes: [a]}", ""},
		{"other methods", "{path: {prefix: /api}, methods: [GET, HEAD], auth: none}, {path: {prefix: /api/admin}, methods: [POST], scopes: [a]}", ""},
		{"the earlier one asks for more", "{path: {regex: '/.*'}, scopes: [a, b]}, {path: {prefix: /admin}, scopes: [b]}", ""},
		{"the later one is open", "{path: {regex: '/.*'}, scopes: [a]}, {path: {prefix: /admin}, auth: none}", ""},
		{"another host", "{hosts: [a.example], scopes: [a]}, {path: {prefix: /admin}, scopes: [b]}", ""},
		{"another path", "{path: {prefix: /api}, methods: [GET, HEAD], auth: none}, {path: {prefix: /apis}, scopes: [b]}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range found(top + "routes: [" + c.routes + "]\n") {
				if _, what, ok := strings.Cut(f, ", and routes[0] stands before it, asks for less, and takes "); ok && strings.HasPrefix(f, "warning 3 routes[1] guards ") {
					got = append(got, what)
				} else if !strings.Contains(f, "hosts") && !strings.Contains(f, "is none for every path") && !strings.Contains(f, "open the route") && !strings.Contains(f, "refuses no request") {
					t.Errorf("also found: %s", f)
				}
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOrderIsToldOnce: what never applies is told as that, and one of several earlier
// routes is named.
func TestOrderIsToldOnce(t *testing.T) {
	const top = "auth0: {domain: tenant.eu.auth0.com, audience: x}\nunmatched: deny\n"
	for _, c := range []struct{ routes, want string }{
		{"{path: {prefix: /api}, scopes: [a]}, {path: {prefix: /api/admin}, scopes: [b]}", "warning never applies: routes[0] stands before it and matches whatever it would"},
		{"{path: {regex: '/.*'}, methods: [POST], scopes: [a]}, {path: {regex: '/.*'}, methods: [PUT], scopes: [a]}, {path: {prefix: /api}, methods: [POST, PUT], scopes: [b]}",
			"warning routes[2] guards /api and below, and routes[0] stands before it, asks for less, and takes POST /api/some-path\n" +
				"warning routes[2] guards /api and below, and routes[1] stands before it, asks for less, and takes PUT /api/some-path"},
	} {
		if got := unplaced(found(top + "routes: [" + c.routes + "]\n")); got != c.want {
			t.Errorf("%s: got %q, want %q", c.routes, got, c.want)
		}
	}
}
