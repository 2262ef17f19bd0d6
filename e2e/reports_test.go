package e2e

import (
	"strings"
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// reporting tries a configuration out: it refuses nothing, but for one place
// that was never to be open.
const reporting = `
auth0: {domain: tenant.auth0.example, audience: https://api.example.com, cluster: auth0, forwardOriginalToken: false,
  outputClaimToHeaders: [{header: x-user, claim: sub}]}
mode: report
routes:
- {name: admin, path: {prefix: /admin}, mode: enforce, permissions: [admin]}
- {name: orders, path: {prefix: /orders}, scopes: [delete:orders]}
- {name: public, path: {prefix: /public}, auth: none}
`

// trial tries one route out.
const trial = `
auth0: {domain: tenant.auth0.example, audience: https://api.example.com, cluster: auth0}
routes:
- {name: new, path: {prefix: /orders}, mode: report, scopes: [delete:orders]}
- {name: old, path: {prefix: /admin}, permissions: [admin]}
`

func reportEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	return []harness.Edge{{Name: "reporting", Plugin: fromYAML(t, reporting), Manager: harness.AsSent},
		{Name: "trial", Plugin: fromYAML(t, trial)}}, nil
}

// TestReportMode: what would be refused goes on, counted and logged; it has an
// identity only where the token itself was good; what is enforced stays so.
func TestReportMode(t *testing.T) {
	w := edges(t)
	good := w.Auth0.Token()
	const caller = auth0.DefaultClientID + "@clients"
	for _, tc := range []struct {
		edge, name, path string
		token            string
		would            string // the reason that is reported; "" for none
		refused          string // the reason of a refusal
		user             string // that the API is told
		stripped         bool
	}{
		{edge: "reporting", name: "no token", path: "/orders/1", would: "token_missing"},
		{edge: "reporting", name: "an expired token", path: "/orders/1", token: signed(t, w.Auth0, auth0.Claims{"exp": ago(3600e9)}), would: "token_expired"},
		{edge: "reporting", name: "no token at all", path: "/orders/1", token: "abc", would: "token_opaque"},
		{edge: "reporting", name: "a good token without the scope", path: "/orders/1", token: good, would: "scope_missing", user: caller},
		{edge: "reporting", name: "a good token with it", path: "/orders/1", token: signed(t, w.Auth0, auth0.Claims{"scope": "delete:orders"}), user: caller, stripped: true},
		{edge: "reporting", name: "a path of no route", path: "/elsewhere", would: "token_missing"},
		{edge: "reporting", name: "a public page", path: "/public/x"},
		{edge: "reporting", name: "where it is enforced", path: "/admin", token: good, refused: "permission_missing"},
		{edge: "reporting", name: "a path that may lead to where it is enforced", path: "/public/../admin", token: good, refused: "path_ambiguous"},
		{edge: "trial", name: "the route on trial", path: "/orders/1", would: "token_missing"},
		{edge: "trial", name: "another route", path: "/admin", refused: "token_missing"},
		{edge: "trial", name: "no route", path: "/elsewhere", refused: "token_missing"},
	} {
		w.ResetSeen()
		wouldBefore, allBefore := w.Stat("edgejwt_would_refuse;reason="+tc.would+";"), w.Stat("edgejwt_would_refuse;")
		headers := []string{"x-user", "root"}
		if tc.token != "" {
			headers = append(headers, bearer(tc.token)...)
		}
		lines := []string{}
		for i := 0; i < len(headers); i += 2 {
			lines = append(lines, headers[i]+": "+headers[i+1])
		}
		got := harness.Raw(w.At(tc.edge), "GET "+tc.path+" HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n"+strings.Join(lines, "\r\n")+"\r\n\r\n")
		seen := w.Seen()
		if tc.refused != "" {
			if got.Reason != tc.refused || len(seen) != 0 {
				t.Errorf("%s: %v, want %s; the API saw %v", tc.name, got, tc.refused, seen)
			}
			continue
		}
		if got.Status != 200 || len(seen) != 1 {
			t.Errorf("%s: %v; the API saw %v", tc.name, got, seen)
			continue
		}
		user := seen[0].Header("x-user")
		if tc.edge == "trial" {
			user = "" // which tells the API nothing, and so removes nothing
		}
		if user != tc.user {
			t.Errorf("%s: x-user is %q, want %q", tc.name, user, tc.user)
		}
		if stripped := tc.token != "" && seen[0].Header("authorization") == ""; stripped != tc.stripped {
			t.Errorf("%s: the token was stripped: %v, want %v", tc.name, stripped, tc.stripped)
		}
		would, all := w.Stat("edgejwt_would_refuse;reason="+tc.would+";")-wouldBefore, w.Stat("edgejwt_would_refuse;")-allBefore
		if tc.would != "" && (would != 1 || all != 1) || tc.would == "" && all != 0 {
			t.Errorf("%s: edgejwt_would_refuse for %q grew by %d, in all by %d", tc.name, tc.would, would, all)
		}
	}
	log := w.Envoy.Output()
	for _, line := range []string{"edgejwt: would refuse: token_missing\n", "edgejwt: would refuse: scope_missing, route orders\n", "edgejwt: would refuse: token_missing, route new\n"} {
		if !strings.Contains(log, line) {
			t.Errorf("Envoy's log lacks %q", line)
		}
	}
	checkQuiet(t, w, good)
}
