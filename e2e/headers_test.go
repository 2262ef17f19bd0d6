package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// spelled judges headers, and tells the API nothing.
const spelled = `
auth0: {domain: tenant.auth0.example, audience: https://api.example.com, cluster: auth0}
routes:
- {name: tenant, path: {prefix: /tenant}, claimMatches: [{claim: org_id, header: x-tenant}]}
- {name: open, path: {prefix: /version}, headers: [{name: x-version, values: ["1", "2"]}], auth: none}
- {name: admin, path: {prefix: /guarded}, headers: [{name: x-admin}], permissions: [admin]}
- {name: public, path: {prefix: /public}, auth: none}
`

// placed looks for tokens in two headers. It has no condition on host, method or path.
const placed = `
auth0:
  domain: tenant.auth0.example
  audience: https://api.example.com
  cluster: auth0
  fromHeaders: [{name: authorization, prefix: "Bearer "}, {name: x-token}]
`

func spelledEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	manager := harness.Normalising + "http_protocol_options: {enable_trailers: true}\n"
	routes := "- match: {prefix: /, headers: [{name: x-shows-trailers, present_match: true}]}\n  route: {cluster: trailers}\n- match: {prefix: /}\n  route: {cluster: api}\n"
	policy := `- match: {prefix: /tenant}
  route: {cluster: trailers}
  metadata: {filter_metadata: {edgejwt: {policy: '{"claimMatches": [{"claim": "org_id", "header": "x-tenant"}]}'}}}
- match: {prefix: /guarded, headers: [{name: x-original-url, string_match: {prefix: /open}}]}
  route: {cluster: api}
  metadata: {filter_metadata: {edgejwt: {policy: '{"auth": "none"}'}}}
- match: {prefix: /}
  route: {cluster: api}
`
	return []harness.Edge{
			{Name: "spelled", Plugin: fromYAML(t, spelled), Manager: manager, Routes: routes},
			{Name: "spelled-keep", Plugin: fromYAML(t, spelled+"overrideHeaders: keep\n"), Manager: manager, Routes: routes},
			{Name: "placed", Plugin: fromYAML(t, placed), Manager: manager, Routes: routes},
			{Name: "spelled-policies", Plugin: fromYAML(t, placed+"routeMetadata: true\n"), Manager: manager, Routes: policy},
		}, []harness.Cluster{
			{Name: "trailers", Address: httptest.NewServer(http.HandlerFunc(showTrailers)).Listener.Addr().String(), Trailers: true},
		}
}

// showTrailers answers with the names and values of the request's trailers, one a
// line. It stands for a server that adds trailers to the headers.
func showTrailers(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	for name, values := range r.Trailer {
		io.WriteString(w, strings.ToLower(name)+": "+strings.Join(values, ",")+"\n")
	}
}

// TestRespelledHeaders: servers of the CGI family take X-Tenant, X.Tenant and
// X~Tenant for one header. A request in which they differ satisfies no claimMatches,
// and one in which a condition holds by another spelling comes to no laxer rule.
func TestRespelledHeaders(t *testing.T) {
	w := edges(t)
	acme := "Authorization: Bearer " + signed(t, w.Auth0, auth0.Claims{"org_id": "acme"})
	for _, tc := range []struct{ request, headers, want string }{
		{"GET /tenant", acme + "|X-Tenant: acme", ""},
		{"GET /tenant", acme + "|X-Tenant: acme|X-TENANT: acme", ""},
		{"GET /tenant", acme + "|X-Tenant: acme|X.Tenant: acme", ""},
		{"GET /tenant", acme + "|X-Tenant: acme|X.Tenant: globex", "claim_mismatch"},
		{"GET /tenant", acme + "|X.Tenant: globex|X-Tenant: acme", "claim_mismatch"},
		{"GET /tenant", acme + "|X-Tenant: acme|X~Tenant: globex", "claim_mismatch"},
		{"GET /tenant", acme + "|X-Tenant: acme|X_Tenant: globex", "claim_mismatch"},
		{"GET /tenant", acme + "|X-Tenant: acme|X!TENANT: globex", "claim_mismatch"},
		{"GET /tenant", acme + "|X-Tenant: acme|X-Tenants: globex", ""},
		{"GET /tenant", acme + "|X~Tenant: globex", "claim_mismatch"},
		{"GET /tenant", acme + "|X~Tenant: acme", "claim_mismatch"},
		{"GET /version", "X-Version: 2", ""},
		{"GET /version", "X-Version: 2|X.Version: 1", ""},
		{"GET /version", "X-Version: 2|X.Version: 3", "token_missing"},
		{"GET /version", "X.Version: 2", "token_missing"},
		{"GET /version", "X.Version: 3", "token_missing"},
		{"GET /guarded", acme, ""},
		{"GET /guarded", acme + "|X-Admin: 1", "permission_missing"},
		{"GET /guarded", acme + "|X~Admin: 1", "permission_missing"},
	} {
		for range 2 { // the second time the token has been seen
			if got, arrived := ask(w, "spelled", tc.request, strings.Split(tc.headers, "|")); got.Err != nil || got.Reason != tc.want || arrived != (tc.want == "") {
				t.Errorf("%s with %s: %v, want %q; it arrived: %v", tc.request, strings.ReplaceAll(tc.headers, acme, "…"), got, tc.want, arrived)
			}
		}
	}
	// Where a token may stand.
	for headers, want := range map[string]string{
		"X-Token: " + acme[len("Authorization: Bearer "):]: "",
		acme + "|X~Token: a.b.c":                           "token_ambiguous",
		acme + "|X.Token: a.b.c":                           "token_ambiguous",
		"X_Token: " + acme[len("Authorization: Bearer "):]: "token_ambiguous",
		acme + "|X-Tokens: a.b.c":                          "",
	} {
		if got, arrived := ask(w, "placed", "GET /", strings.Split(headers, "|")); got.Reason != want || arrived != (want == "") {
			t.Errorf("%q: %v, want %q", headers, got, want)
		}
	}
}

// TestTrailersThatAreHeaders: some servers add trailers to the headers. What was
// judged, read as a token or removed as a header is removed as a trailer.
func TestTrailersThatAreHeaders(t *testing.T) {
	w := edges(t)
	token := signed(t, w.Auth0, auth0.Claims{"org_id": "acme"})
	// Several edges share a VM, which does not know whose request a trailer is of: what
	// one of them removes, all do.
	for _, tc := range []struct {
		edge, path, headers string
		gone                []string
	}{
		{"spelled", "/tenant", "X-Tenant: acme\r\nX-Shows-Trailers: 1\r\n",
			[]string{"x-tenant", "X.Tenant", "x~tenant", "authorization", "cookie", "host", "x-version", "X_Admin", "x-original-url", "X-HTTP-Method-Override", "_method"}},
		{"spelled", "/public", "X-Shows-Trailers: 1\r\n", []string{"x-tenant", "authorization", "x-forwarded-host"}},
		{"spelled-keep", "/tenant", "X-Tenant: acme\r\nX-Shows-Trailers: 1\r\n", []string{"x-tenant", "authorization"}},
		{"placed", "/", "X-Shows-Trailers: 1\r\n", []string{"x-token", "X.Token", "authorization", "cookie"}},
		{"spelled-policies", "/tenant", "X-Tenant: acme\r\n", []string{"x-tenant", "X.Tenant", "x-token", "x-rewrite-url"}},
	} {
		all := ""
		for _, name := range append([]string{"x-checksum", "x-tenants"}, tc.gone...) {
			all += name + ": told\r\n"
		}
		got := harness.Raw(w.At(tc.edge), "POST "+tc.path+" HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n"+tc.headers+
			"Authorization: Bearer "+token+"\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"+all+"\r\n")
		if got.Status != 200 || !strings.Contains(got.Body, "x-checksum: told") || !strings.Contains(got.Body, "x-tenants: told") {
			t.Errorf("%s%s: %v; an honest trailer must arrive, or this shows nothing", tc.edge, tc.path, got)
			continue
		}
		arrived := "\n" + got.Body
		for _, name := range tc.gone {
			if strings.Contains(arrived, "\n"+strings.ToLower(name)+":") {
				t.Errorf("%s%s: the trailer %s arrived", tc.edge, tc.path, name)
			}
		}
	}
}

// overriding are headers by which servers take another method, path or host.
var overriding = []string{"X-Forwarded-Host", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method", "X-Original-URL", "X-Rewrite-URL",
	"x_forwarded_host", "x.http.method.override", "X~Original~URL"}

// TestOverrideHeaders: a header that makes the API serve another request than the
// one that was judged does not arrive, where a rule depends on it.
func TestOverrideHeaders(t *testing.T) {
	w := edges(t)
	acme := "Authorization: Bearer " + signed(t, w.Auth0, auth0.Claims{"org_id": "acme"})
	for _, name := range overriding {
		folded := strings.ToLower(name)
		for _, tc := range []struct {
			edge, request, headers string
			kept                   bool
			want                   string
		}{
			{"spelled", "GET /public/x", "", false, ""},
			{"spelled", "GET /tenant", acme + "|X-Tenant: acme", false, ""},
			{"spelled", "GET /other", acme, false, ""},
			{"spelled", "OPTIONS /other", "Origin: https://app.example|Access-Control-Request-Method: GET", false, ""},
			{"spelled", "GET /other", "", false, "token_missing"},
			{"spelled-keep", "GET /public/x", "", true, ""},
			{"spelled-keep", "GET /tenant", acme + "|X-Tenant: acme", true, ""},
			{"placed", "GET /public/x", acme, true, ""},
			// Envoy may have chosen its route, and with it the policy, by the header.
			{"spelled-policies", "GET /guarded", "", false, "identity_forged"},
			{"spelled-policies", "GET /other", acme, false, "identity_forged"},
		} {
			for range 2 {
				w.ResetSeen()
				lines := []string{name + ": /open"}
				if tc.headers != "" {
					lines = append(lines, strings.Split(tc.headers, "|")...)
				}
				want := tc.want
				if strings.HasPrefix(tc.request, "OPTIONS") && strings.Contains(folded, "method") {
					want = "token_missing" // no browser sends such a preflight
				}
				got, arrived := ask(w, tc.edge, tc.request, lines)
				if got.Reason != want || arrived != (want == "") {
					t.Errorf("%s at %s with %s: %v, want %q", tc.request, tc.edge, name, got, want)
					continue
				}
				if seen := w.Seen(); arrived && (seen[0].Header(folded) == "/open") != tc.kept {
					t.Errorf("%s at %s: %s is %q at the API", tc.request, tc.edge, name, seen[0].Header(folded))
				}
			}
		}
	}
	if got, _ := ask(w, "spelled-policies", "GET /guarded", nil); got.Reason != "token_missing" {
		t.Errorf("without such a header: %v", got)
	}
}
