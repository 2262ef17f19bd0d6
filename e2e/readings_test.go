package e2e

import (
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// Requests whose bytes Envoy and some servers read in different ways. None may reach the
// API without what its rule asks for.

const readingSite = "- match: {path: '/caf%C3%A9'}\n  route: {cluster: api}" + bySite +
	"- match: {path: '/a%7Cb'}\n  route: {cluster: api}" + bySite +
	"- match: {path: /status}\n  route: {cluster: api}" + bySite +
	"- match: {prefix: /}\n  route: {cluster: api}\n"

// readingPolicies are what Envoy's routes say of some paths; whatever else is open to
// any valid token.
const readingPolicies = `- match: {path: '/pr%C3%A4mien'}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"permissions": ["admin"]}'}}}
- match: {prefix: '/r%7Cs'}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"permissions": ["admin"]}'}}}
- match: {path: /admin}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"permissions": ["admin"]}'}}}
- match: {prefix: /}
  route: {cluster: api}
`

const readingSiteHost = `- name: site
  domains: [www.example.com]
  request_headers_to_add: [{header: {key: x-served-by, value: site}}]
  routes:
  - match: {prefix: /}
    route: {cluster: api}
`

func readingEdges(t *testing.T) []harness.Edge {
	const open = `routes: [{path: {exact: /café}, auth: none}, {path: {exact: "/a|b"}, auth: none}, {path: {exact: /status}, auth: none}]`
	const expressions = "routes: [{path: {regex: '/pr%c3%a4mien.*'}, auth: deny}, {path: {regex: '/admin/.+'}, auth: deny}]\nunmatched: token"
	return []harness.Edge{
		{Name: "escapes", Plugin: fromYAML(t, spellingTenant+open), Routes: readingSite},
		{Name: "escapes-as-sent", Plugin: fromYAML(t, spellingTenant+open), Routes: readingSite, Manager: harness.AsSent},
		{Name: "case", Plugin: fromYAML(t, spellingTenant+"routes: [{path: {exact: /status}, auth: none}]\nignorePathCase: true"), Routes: readingSite},
		{Name: "policed", Plugin: fromYAML(t, spellingTenant+"routeMetadata: true"), Routes: readingPolicies},
		{Name: "policed-case", Plugin: fromYAML(t, spellingTenant+"routeMetadata: true\nignorePathCase: true"), Routes: readingPolicies},
		{Name: "plain", Plugin: fromYAML(t, spellingTenant)},
		{Name: "prefixed", Plugin: fromYAML(t, spellingTenant+"routes: [{path: {prefix: /public}, auth: none}]")},
		{Name: "expressions", Plugin: fromYAML(t, spellingTenant+expressions)},
		{Name: "expressions-as-sent", Plugin: fromYAML(t, spellingTenant+expressions), Manager: harness.AsSent},
		{Name: "stripped", Plugin: fromYAML(t, spellingTenant+"hostPort: ignored\nroutes: [{hosts: [www.example.com], auth: none}]"),
			VirtualHosts: readingSiteHost, Manager: "strip_any_host_port: true\n"},
	}
}

func TestReadingsReachNoOpenRule(t *testing.T) {
	w := harness.SharedAs(t, "readings", harness.Options{App: "everything:app", Edges: readingEdges(t)})
	token := signed(t, w.Auth0, auth0.Claims{"scope": "a b"})
	preflight := func(name, value string) [][2]string {
		return [][2]string{{"origin", "https://x.example"}, {"access-control-request-method", "GET"}, {name, value}}
	}
	for _, tc := range []struct {
		name, edge, method, host, path string
		token                          bool
		more                           [][2]string
		want                           string // who may serve it: "site", "api" or nobody
		not                            string // a header that the API must not see
	}{
		{"the site's own path", "escapes", "GET", "edge", "/caf%C3%A9", false, nil, "site", ""},
		{"an escape in lower case is another path to Envoy", "escapes", "GET", "edge", "/caf%c3%a9", false, nil, "", ""},
		{"an escape half in lower case", "escapes-as-sent", "GET", "edge", "/caf%C3%a9", false, nil, "", ""},
		{"an escape of a bar in lower case", "escapes", "GET", "edge", "/a%7cb", false, nil, "", ""},
		{"a bar as it is", "escapes-as-sent", "GET", "edge", "/a|b", false, nil, "", ""},

		{"Envoy's routes do not ignore case", "case", "GET", "edge", "/status", false, nil, "site", ""},
		{"Envoy's routes do not ignore case", "case", "GET", "edge", "/STATUS", false, nil, "", ""},

		{"a policy's own path", "policed", "GET", "edge", "/pr%C3%A4mien", true, nil, "", ""},
		{"a policy's path with escapes in lower case", "policed", "GET", "edge", "/pr%c3%a4mien", true, nil, "", ""},
		{"a policy's prefix with escapes in lower case", "policed", "GET", "edge", "/r%7cs/x", true, nil, "", ""},
		{"a policy's path in capitals, and a server that ignores case", "policed-case", "GET", "edge", "/ADMIN", true, nil, "", ""},

		{"a preflight that some servers take for a DELETE", "plain", "OPTIONS", "edge", "/orders/7", false, preflight("x-http-method-override", "DELETE"), "", ""},
		{"the same by another header", "plain", "OPTIONS", "edge", "/orders/7", false, preflight("x_method_override", "DELETE"), "", ""},

		{"gunicorn cuts SCRIPT_NAME off the path", "prefixed", "GET", "edge", "/public/orders/7", false, [][2]string{{"script_name", "/public"}}, "api", "script_name"},
		{"popular middleware does it by X-Script-Name", "prefixed", "GET", "edge", "/public/orders/7", false, [][2]string{{"x-script-name", "/public"}}, "api", "x-script-name"},

		{"an expression for a path as it is sent", "expressions", "GET", "edge", "/pr%c3%a4mien", true, nil, "", ""},
		{"two slashes at the end", "expressions-as-sent", "GET", "edge", "/admin//", true, nil, "", ""},

		{"the site's host", "stripped", "GET", "www.example.com:1", "/orders", false, nil, "site", ""},
		{"a port that is none, which Envoy does not strip", "stripped", "GET", "www.example.com:", "/orders", false, nil, "", ""},
		{"a port beyond 32 bits", "stripped", "GET", "www.example.com:99999999999", "/orders", false, nil, "", ""},
	} {
		w.ResetSeen()
		fields := [][2]string{{":method", tc.method}, {":scheme", "http"}, {":authority", tc.host}, {":path", tc.path}}
		if tc.token {
			fields = append(fields, [2]string{"authorization", "Bearer " + token})
		}
		got := harness.Raw2(w.At(tc.edge), append(fields, tc.more...), "")
		served := ""
		if seen := w.Seen(); len(seen) == 1 {
			if served = "api"; seen[0].Header("x-served-by") == "site" {
				served = "site"
			}
			if tc.not != "" && seen[0].Header(tc.not) != "" {
				t.Errorf("%s: %s: the API sees the header %s", tc.edge, tc.name, tc.not)
			}
		}
		if got.Err != nil || served != tc.want {
			t.Errorf("%s: %s: %s %s%s: %d %s %v, served by %q; want %q", tc.edge, tc.name, tc.method, tc.host, tc.path, got.Status, got.Reason, got.Err, served, tc.want)
		}
	}
}
