package e2e

import (
	"strings"
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// These edges have an open site beside a guarded API, parted by Envoy's routes. Each
// request here got to the API once, because edgejwt took its spelling for that of the
// site, and Envoy did not.

const spellingTenant = `
auth0: {domain: tenant.auth0.example, audience: https://api.example.com, cluster: auth0}
`

// bySite marks what the site serves.
const bySite = "\n  request_headers_to_add: [{header: {key: x-served-by, value: site}}]\n"

const siteHost = `- name: site
  domains: [www.example.com, "www.example.com:9000"]
  request_headers_to_add: [{header: {key: x-served-by, value: site}}]
  routes:
  - match: {prefix: /}
    route: {cluster: api}
`

const sitePaths = "- match: {path: /status}\n  route: {cluster: api}" + bySite +
	"- match: {path: /items/}\n  route: {cluster: api}" + bySite +
	"- match: {path: /health, headers: [{name: ':method', string_match: {exact: GET}}]}\n  route: {cluster: api}" + bySite +
	"- match: {prefix: /}\n  route: {cluster: api}\n"

// policed has the guarded places as policies of Envoy's routes; whatever else is
// open to any valid token.
const policed = `- match: {path: /admin}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"permissions": ["admin"]}'}}}
- match: {path: /orders/7, headers: [{name: ':method', string_match: {exact: DELETE}}]}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"permissions": ["admin"]}'}}}
- match: {path: /reports, headers: [{name: ':method', string_match: {exact: GET}}]}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"permissions": ["admin"]}'}}}
- match: {prefix: /files}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"auth": "none", "spellings": ["trailingSlash", "head", "port"]}'}}}
- match: {prefix: /}
  route: {cluster: api}
`

func spellingEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	return []harness.Edge{
		{Name: "site-host", Plugin: fromYAML(t, spellingTenant+`routes: [{name: site, hosts: [www.example.com, "www.example.com:9000"], auth: none}]`), VirtualHosts: siteHost},
		{Name: "site-host-portless", Plugin: fromYAML(t, spellingTenant+"hostPort: ignored\nroutes: [{name: site, hosts: [www.example.com], auth: none}]"),
			VirtualHosts: strings.Replace(siteHost, `, "www.example.com:9000"`, "", 1), IgnoreHostPort: true},
		{Name: "site-host-denied", Plugin: fromYAML(t, spellingTenant+"unmatched: deny\nroutes: [{name: site, hosts: [www.example.com], auth: none}, {name: api, hosts: [api.example.com]}]"), VirtualHosts: siteHost},
		{Name: "site-paths", Plugin: fromYAML(t, spellingTenant+`routes: [{path: {exact: /status}, auth: none}, {path: {exact: /items/}, auth: none}, {path: {exact: /health}, methods: [GET], auth: none}]`), Routes: sitePaths},
		{Name: "policed", Plugin: fromYAML(t, spellingTenant+`routeMetadata: true`), Routes: policed},
		{Name: "twins", Plugin: fromYAML(t, spellingTenant+`routes: [{path: {exact: /twin}, scopes: [a]}, {path: {exact: /twin/}, scopes: [b]}]`)},
	}, nil
}

// TestAnotherSpellingReachesNoOpenRule: a request that Envoy's routes lead to the API
// needs the API's token, however close its spelling is to the open site's.
func TestAnotherSpellingReachesNoOpenRule(t *testing.T) {
	w := edges(t)
	token := signed(t, w.Auth0, auth0.Claims{"scope": "a b"})
	for _, tc := range []struct {
		edge, method, host, path string
		token                    bool
		want                     string // reason; "site" when the site serves it, "api" when the API does
	}{
		{"site-host", "GET", "www.example.com", "/orders", false, "site"},
		{"site-host", "GET", "www.example.com:9000", "/orders", false, "site"},
		{"site-host", "GET", "www.example.com:1", "/orders", false, "token_missing"},
		{"site-host", "GET", "www.example.com:80", "/orders", false, "token_missing"},
		{"site-host", "GET", "www.example.com:", "/orders", false, "token_missing"},
		{"site-host", "GET", "www.example.com.", "/orders", false, "token_missing"},
		{"site-host", "GET", "www.example.com.:9000", "/orders", false, "token_missing"},
		{"site-host", "GET", "WWW.example.com", "/orders", false, "token_missing"},
		{"site-host", "GET", "api.example.com", "/orders", false, "token_missing"},
		{"site-host", "GET", "www.example.com:1", "/orders", true, "api"},
		{"site-host-portless", "GET", "www.example.com:8443", "/orders", false, "site"},
		{"site-host-portless", "GET", "www.example.com.:8443", "/orders", false, "token_missing"},
		{"site-host-portless", "GET", "api.example.com:8443", "/orders", false, "token_missing"},
		{"site-host-denied", "GET", "www.example.com", "/orders", false, "site"},
		{"site-host-denied", "GET", "www.example.com:1", "/orders", true, "route_denied"},
		{"site-host-denied", "GET", "api.example.com", "/orders", true, "api"},

		{"site-paths", "GET", "edge", "/status", false, "site"},
		{"site-paths", "GET", "edge", "/status/", false, "token_missing"},
		{"site-paths", "GET", "edge", "/status//", false, "token_missing"},
		{"site-paths", "GET", "edge", "/status?x=/", false, "site"},
		{"site-paths", "GET", "edge", "/items/", false, "site"},
		{"site-paths", "GET", "edge", "/items", false, "token_missing"},
		{"site-paths", "GET", "edge", "/health", false, "site"},
		{"site-paths", "HEAD", "edge", "/health", false, "token_missing"},
		{"site-paths", "get", "edge", "/health", false, "path_ambiguous"},

		{"policed", "GET", "edge", "/admin", true, "permission_missing"},
		{"policed", "GET", "edge", "/admin/", true, "request_ambiguous"},
		{"policed", "DELETE", "edge", "/orders/7", true, "permission_missing"},
		{"policed", "delete", "edge", "/orders/7", true, "path_ambiguous"},
		{"policed", "GET", "edge", "/reports", true, "permission_missing"},
		{"policed", "HEAD", "edge", "/reports", true, "request_ambiguous"},
		{"policed", "GET", "edge:80", "/orders", true, "request_ambiguous"},
		{"policed", "GET", "Edge", "/orders", true, "request_ambiguous"},
		{"policed", "GET", "edge", "/orders", true, "api"},
		{"policed", "HEAD", "edge:80", "/files/", false, "api"},

		{"twins", "GET", "edge", "/twin/", true, "request_ambiguous"},
		{"twins", "GET", "edge", "/other/", true, "api"},
	} {
		w.ResetSeen()
		fields := [][2]string{{":method", tc.method}, {":scheme", "http"}, {":authority", tc.host}, {":path", tc.path}}
		if tc.token {
			fields = append(fields, [2]string{"authorization", "Bearer " + token})
		}
		got := harness.Raw2(w.At(tc.edge), fields, "")
		served := ""
		if seen := w.Seen(); len(seen) == 1 {
			if served = "api"; seen[0].Header("x-served-by") == "site" {
				served = "site"
			}
		}
		// An answer to HEAD has no body, so its status tells.
		refused := got.Reason == tc.want || tc.method == "HEAD" && got.Status >= 400
		if got.Err != nil || served != tc.want && (served != "" || !refused) {
			t.Errorf("%s: %s %s%s: %v, served by %q; want %s", tc.edge, tc.method, tc.host, tc.path, got, served, tc.want)
		}
	}
	w.Eventually(10e9, "the log names the spelling and the remedy, once", func() bool {
		return strings.Count(w.Envoy.Output(), "set strip_any_host_port in Envoy") >= 1
	})
}
