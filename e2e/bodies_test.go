package e2e

import (
	"strconv"
	"strings"
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// bodyEdges have the local_reply_config that docs/error-bodies.md shows.
func bodyEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	t.Helper()
	for _, b := range blocksOf(fileInRoot(t, "docs", "error-bodies.md")) {
		if b.kind == "yaml" && strings.Contains(b.text, "\nlocal_reply_config:\n") {
			return []harness.Edge{{Name: "bodies", Manager: harness.AsSent + b.text, Plugin: fromYAML(t, `
auth0: {domain: tenant.auth0.example, audience: https://api.example.com, cluster: auth0}
routes:
- {path: {exact: /orders}, methods: [GET]}
- {path: {exact: /orders}, methods: [DELETE], scopes: [delete:orders]}
unmatched: deny
`)}}, nil
		}
	}
	t.Fatal("docs/error-bodies.md has no local_reply_config")
	return nil, nil
}

// TestErrorBodies sends what the table of docs/error-bodies.md lists through an Envoy
// with the page's configuration. Status, challenge and no-store stay the plugin's.
func TestErrorBodies(t *testing.T) {
	w := edges(t)
	requests := map[string]harness.Request{
		"an expired token":                    {Path: "/orders", Headers: bearer(signed(t, w.Auth0, auth0.Claims{"exp": ago(3600e9)}))},
		"no token":                            {Path: "/orders"},
		"a scope is missing":                  {Method: "DELETE", Path: "/orders", Headers: bearer(w.Auth0.Token())},
		"a path that can be read in two ways": {Path: "/orders%2f..", Headers: bearer(w.Auth0.Token())},
	}
	rows := tableOf(t, fileInRoot(t, "docs", "error-bodies.md"), "| request | status |")[1:]
	if len(rows) != len(requests) {
		t.Errorf("%d rows, want %d", len(rows), len(requests))
	}
	for _, row := range rows {
		r, known := requests[row[0]]
		if !known {
			t.Errorf("no request for %q", row[0])
			continue
		}
		r.To = w.At("bodies")
		got := w.Do(r)
		contentType, body := strings.Trim(row[2], "`"), strings.Trim(row[3], "`")
		if body == "edgejwt's own" {
			body = got.Body
			if got.Reason == "" || !strings.Contains(body, `"error":"`+got.Reason+`"`) {
				t.Errorf("%s: %s is not edgejwt's own body", row[0], body)
			}
		}
		if got.Err != nil || strconv.Itoa(got.Status) != row[1] || got.Header.Get("Content-Type") != contentType || strings.TrimSpace(got.Body) != body {
			t.Errorf("%s: %v %s, want %v", row[0], got, got.Header.Get("Content-Type"), row)
		}
		if got.Header.Get("Cache-Control") != "no-store" || (got.Header.Get("WWW-Authenticate") == "") != (got.Status == 400) {
			t.Errorf("%s: headers are %v", row[0], got.Header)
		}
	}
}
