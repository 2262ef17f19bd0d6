package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// telling hands on every kind of claim.
const telling = `
auth0:
  domain: tenant.auth0.example
  audience: https://api.example.com
  cluster: auth0
  outputClaimToHeaders:
  - {header: x-text, claim: text}
  - {header: x-number, claim: number}
  - {header: x-flag, claim: flag}
  - {header: x-list, claim: list}
  - {header: x-object, claim: object}
  - {header: x-nested, claim: [object, inner]}
  - {header: x-url, claim: "https://example.com/roles"}
  - {header: x-percent, claim: name, encoding: percent}
  - {header: x-base64, claim: name, encoding: base64url}
  - {header: x-plain, claim: name}
  - {header: x-evil, claim: evil}
  - {header: x-commas, claim: commas}
  - {header: x-words, claim: words}
  - {header: x-words-percent, claim: words, encoding: percent}
  - {header: x-null, claim: nothing}
  - {header: x-absent, claim: absent}
  - {header: x-org, claim: org_id}
  outputClaimToFilterState:
  - {key: edgejwt.sub, claim: sub}
  - {key: edgejwt.org, claim: org_id}
filterState: true
clearRouteCache: true
routes:
- {name: admin, path: {prefix: /admin}, permissions: [admin]}
- {name: open, path: {prefix: /by-org/open}, auth: none}
- {name: anything, path: {prefix: /}}
`

// rbac lets nobody but Acme to /acme, by what the plugin told.
const rbac = `- name: envoy.filters.http.rbac
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC
    rules:
      action: ALLOW
      policies:
        acme:
          permissions: [{url_path: {path: {prefix: /acme}}}]
          principals: [{filter_state: {key: wasm.edgejwt.org, string_match: {exact: org_acme}}}]
        others:
          permissions: [{not_rule: {url_path: {path: {prefix: /acme}}}}]
          principals: [{any: true}]
`

func toldEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	var state []string
	for _, name := range []string{"decision", "route", "issuer", "sub", "org"} {
		state = append(state, "%FILTER_STATE(wasm.edgejwt."+name+":PLAIN)%")
	}
	recipe := fromYAML(t, recipeOfThePage(t))
	const byHand = `{\"status\":%RESPONSE_CODE%,\"org\":\"%FILTER_STATE(wasm.edgejwt.org:PLAIN)%\"}`
	return []harness.Edge{{Name: "logging", Plugin: fromYAML(t, telling), LogFormat: recipe},
		{Name: "logging-text", Plugin: fromYAML(t, telling), Log: byHand}, {Name: "telling", Plugin: fromYAML(t, telling), Behind: rbac, Log: "%RESPONSE_CODE% " + strings.Join(state, " "),
			Routes: `- match: {prefix: /by-org, headers: [{name: x-org, string_match: {exact: org_acme}}]}
  direct_response: {status: 200, body: {inline_string: "a server of Acme's own"}}
- match: {prefix: /}
  route: {cluster: api}
`}}, nil
}

// TestClaimsAsHeaders: each kind of claim arrives as one header, or not at all.
func TestClaimsAsHeaders(t *testing.T) {
	w := edges(t)
	token := signed(t, w.Auth0, auth0.Claims{
		"text": "plain text", "number": 42, "flag": true, "list": []any{"a", "b", 3},
		"object": map[string]any{"inner": "deep"}, "https://example.com/roles": []string{"staff", "admin"},
		"name": "Zoë Ω", "evil": "a\r\nx-admin: yes", "commas": []string{"a,b", "c"}, "words": "user,admin", "nothing": nil, "org_id": "org_acme",
	})
	forged := []string{"x-null", "forged", "x-absent", "forged", "x-evil", "forged", "x-plain", "forged"}
	// Dropped are a name that is not ASCII, a line break, commas in a list, and a text
	// that a list would be. A claim that is absent has nothing that could be; here
	// "nothing" was left out of the token by signed.
	dropped := func(output string) int64 { return w.Stat("edgejwt_claims_dropped;output=" + output + ";;") }
	w.Grows("edgejwt_claims_dropped", 4, func() {
		if got := w.Do(harness.Request{Path: "/orders/1", To: w.At("telling"), Headers: append(bearer(token), forged...)}); got.Status != 200 {
			t.Fatal(got)
		}
	})
	for output, want := range map[string]int64{"x-plain": 1, "x-evil": 1, "x-commas": 1, "x-words": 1, "x-percent": 0, "x-absent": 0} {
		if got := dropped(output); got != want {
			t.Errorf("%s was dropped %d times, want %d", output, got, want)
		}
	}
	seen := w.Seen()[0]
	for name, want := range map[string]string{
		"x-text": "plain text", "x-number": "42", "x-flag": "true", "x-list": "a,b,3", "x-object": `{"inner":"deep"}`,
		"x-nested": "deep", "x-url": "staff,admin", "x-percent": "Zo%C3%AB%20%CE%A9", "x-base64": "Wm_DqyDOqQ",
		"x-plain": "", "x-evil": "", "x-commas": "", "x-words": "", "x-words-percent": "user%2Cadmin", "x-null": "", "x-absent": "", "x-admin": "", "x-org": "org_acme",
	} {
		if got := seen.Header(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestFilterState: what was decided is in the access log, and Envoy's RBAC filter
// and its routes may go by it.
func TestFilterState(t *testing.T) {
	w := edges(t)
	for _, tc := range []struct {
		name, path string
		claims     auth0.Claims
		status     int
		body       string
		log        string
	}{
		{"accepted", "/orders/1", auth0.Claims{"sub": "anna", "org_id": "org_acme"}, 200, "order", "200 accepted anything https://tenant.auth0.example/ anna org_acme"},
		{"refused", "/orders/1", nil, 401, "token_missing", "401 token_missing anything - - -"},
		{"expired", "/orders/1", auth0.Claims{"sub": "anna", "exp": ago(time.Hour)}, 401, "token_expired", "401 token_expired anything - - -"},
		{"valid, not allowed", "/admin", auth0.Claims{"sub": "anna"}, 403, "permission_missing", "403 permission_missing admin https://tenant.auth0.example/ anna -"},
		{"valid, not allowed, of an organisation", "/admin", auth0.Claims{"sub": "gina", "org_id": "org_globex"}, 403, "permission_missing", "403 permission_missing admin https://tenant.auth0.example/ gina org_globex"},
		{"not allowed, and expired", "/admin", auth0.Claims{"sub": "anna", "exp": ago(time.Hour)}, 401, "token_expired", "401 token_expired admin - - -"},
		{"by RBAC let through", "/acme", auth0.Claims{"sub": "anna", "org_id": "org_acme"}, 200, "page", "200 accepted anything https://tenant.auth0.example/ anna org_acme"},
		{"by RBAC refused", "/acme", auth0.Claims{"sub": "gina", "org_id": "org_globex"}, 403, "RBAC: access denied", "403 accepted anything https://tenant.auth0.example/ gina org_globex"},
		{"by RBAC refused, without an organisation", "/acme", auth0.Claims{"sub": "sam"}, 403, "RBAC: access denied", "403 accepted anything https://tenant.auth0.example/ sam -"},
		{"routed by a claim", "/by-org", auth0.Claims{"sub": "anna", "org_id": "org_acme"}, 200, "a server of Acme's own", "200 accepted anything https://tenant.auth0.example/ anna org_acme"},
		{"not routed by it", "/by-org", auth0.Claims{"sub": "gina", "org_id": "org_globex"}, 200, "page", "200 accepted anything https://tenant.auth0.example/ gina org_globex"},
		{"not routed by a lie", "/by-org/open", nil, 200, "page", "200 public open - - -"},
	} {
		headers := []string{"x-org", "org_acme"} // a lie
		if tc.claims != nil {
			headers = append(headers, bearer(signed(t, w.Auth0, tc.claims))...)
		}
		logged := len(w.LogOf("telling"))
		got := w.Do(harness.Request{Path: tc.path, To: w.At("telling"), Headers: headers})
		if got.Status != tc.status || !strings.Contains(got.Body, tc.body) {
			t.Errorf("%s: %v, want %d with %q", tc.name, got, tc.status, tc.body)
		}
		w.Eventually(10*time.Second, tc.name+" is in the access log", func() bool { return len(w.LogOf("telling")) > logged })
		if log := w.LogOf("telling"); log[len(log)-1] != tc.log {
			t.Errorf("%s: the access log says %q, want %q", tc.name, log[len(log)-1], tc.log)
		}
	}
}

// recipeOfThePage is the log format of docs/tokens.md, its "log_format:" left out.
func recipeOfThePage(t *testing.T) string {
	t.Helper()
	for _, b := range blocksOf(fileInRoot(t, "docs", "tokens.md")) {
		if recipe, ok := strings.CutPrefix(b.text, "log_format:\n"); ok && b.kind == "yaml" {
			return recipe
		}
	}
	t.Fatal("docs/tokens.md has no block that starts with log_format")
	return ""
}

// TestClaimsInTheAccessLog: by the format of docs/tokens.md a line is one JSON object, and the
// claim its text, whatever that holds. By a text format the claim writes the line.
func TestClaimsInTheAccessLog(t *testing.T) {
	w := edges(t)
	for _, org := range []string{"org_acme", `a"b`, `a\nb\u000ac\`, `]}{[`, `acme"} {"status":200`, `acme" : "x"}\n{"decision":"accepted`, `%DURATION% ${x} <script>`} {
		token := signed(t, w.Auth0, auth0.Claims{"org_id": org})
		line := func(edge string) (line string, object map[string]any, err error) {
			logged := len(w.LogOf(edge))
			if got := w.Do(harness.Request{To: w.At(edge), Headers: bearer(token)}); got.Status != 200 {
				t.Fatal(got)
			}
			w.Eventually(10*time.Second, "a line in the access log", func() bool { return len(w.LogOf(edge)) > logged })
			lines := w.LogOf(edge)[logged:]
			if len(lines) != 1 {
				t.Errorf("%q: %d lines: %q", org, len(lines), lines)
			}
			err = json.Unmarshal([]byte(lines[0]), &object)
			return lines[0], object, err
		}
		if line, object, err := line("logging"); err != nil || object["org"] != org || object["decision"] != "accepted" || len(object) != 3 {
			t.Errorf("%q: %s is %v, %v", org, line, object, err)
		}
		// Otherwise the format would be no matter.
		if line, object, err := line("logging-text"); err == nil && object["org"] == org && strings.ContainsAny(org, `"\\`) {
			t.Errorf("%q: escaped by a text format too: %s", org, line)
		}
	}
}
