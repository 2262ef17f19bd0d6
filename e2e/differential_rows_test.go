package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"edgejwt/cmd/edgejwt/convert"
	"edgejwt/e2e/differential"
)

// row is a configuration that got requests in after its conversion which it
// refuses, or a neighbour of one.
type row struct {
	name string
	// filters are the source as Envoy has it; source is its text where that is
	// another, as Istio's.
	filters []any
	source  string
	tries   []try
}

// try is a request, and who lets it through.
type try struct {
	request      *differential.Request
	theirs, ours bool
}

// TestDifferentialRows sends requests to sources and to what convert makes of
// them, in one Envoy. What edgejwt lets through, the source lets through.
func TestDifferentialRows(t *testing.T) {
	const module = "dist/edgejwt.wasm"
	g, err := differential.New(1)
	if err != nil {
		t.Fatal(err)
	}
	rows := hostRows(g)
	rows = append(rows, dryRunRow(g))
	rows = append(rows, scopeRows(g)...)
	var twins []*twin
	for _, r := range rows {
		text := []byte(r.source)
		if r.source == "" {
			if text, err = json.Marshal(typed{"http_filters": r.filters}); err != nil {
				t.Fatal(err)
			}
		}
		converted, err := convert.Convert(text)
		if err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		twins = append(twins, &twin{native: &differential.Config{Filters: r.filters, Normalize: true}, converted: converted})
	}
	startTwins(t, module, twins)
	for i, r := range rows {
		for _, c := range r.tries {
			theirs, err := twins[i].listeners[0].send(c.request)
			if err != nil {
				t.Fatalf("%s: the source: %v: %v", r.name, c.request, err)
			}
			ours, err := twins[i].listeners[1].send(c.request)
			if err != nil {
				t.Fatalf("%s: edgejwt: %v: %v", r.name, c.request, err)
			}
			if theirs.passed != c.theirs || ours.passed != c.ours {
				t.Errorf("%s: %v: the source says %d %s, edgejwt %d %s; let through %v and %v was wanted\n%s",
					r.name, c.request, theirs.status, theirs.reason, ours.status, ours.reason, c.theirs, c.ours, twins[i].converted.YAML)
			}
		}
	}
}

const filterTypes = "type.googleapis.com/envoy.extensions.filters.http."

// jwtAuthn is the filter with one provider and the rules.
func jwtAuthn(g *differential.Generator, rules ...any) any {
	return typed{"name": "envoy.filters.http.jwt_authn", "typed_config": typed{
		"@type": filterTypes + "jwt_authn.v3.JwtAuthentication", "rules": rules,
		"providers": typed{"a": typed{
			"issuer": g.Issuer(), "audiences": []any{"api"}, "forward": true, "payload_in_metadata": "payload",
			"normalize_payload_in_metadata": typed{"space_delimited_claims": []any{"scope", "permission"}},
			"from_headers":                  []any{typed{"name": "authorization", "value_prefix": "Bearer "}},
			"local_jwks":                    typed{"inline_string": g.KeySet()},
		}},
	}}
}

// optional is jwt_authn as Istio writes it: a token may be missing.
func optional(g *differential.Generator) any {
	return jwtAuthn(g, typed{"match": typed{"prefix": "/"}, "requires": typed{"requires_any": typed{"requirements": []any{
		typed{"provider_name": "a"}, typed{"allow_missing": typed{}}}}}})
}

// istio is a RequestAuthentication for the same, and the policies.
func istio(g *differential.Generator, policies ...string) string {
	return "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a}\nspec: {jwtRules: [{issuer: '" + g.Issuer() +
		"', audiences: [api], forwardOriginalToken: true, fromHeaders: [{name: authorization, prefix: 'Bearer '}], jwks: '" + g.KeySet() + "'}]}\n" +
		strings.Join(policies, "")
}

func istioPolicy(metadata, spec string) string {
	return "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: " + metadata + "\nspec: " + spec + "\n"
}

// rbacFilter is the filter with one policy, which holds where permission and principal do.
func rbacFilter(action string, permission, principal any) typed {
	return typed{"name": "envoy.filters.http.rbac", "typed_config": typed{
		"@type": filterTypes + "rbac.v3.RBAC", "rules": typed{"action": action, "policies": typed{"p": typed{
			"permissions": []any{permission}, "principals": []any{principal}}}},
	}}
}

var anything = typed{"any": true}

// claimHolds is a principal whose claim is a list with the text.
func claimHolds(claim, text string) any {
	return typed{"metadata": typed{"filter": "envoy.filters.http.jwt_authn", "path": []any{typed{"key": "payload"}, typed{"key": claim}},
		"value": typed{"list_match": typed{"one_of": typed{"string_match": typed{"exact": text}}}}}}
}

// hostRows open one host, or shut it.
func hostRows(g *differential.Generator) []row {
	authority := func(name, text string, more typed) typed {
		match := typed{"exact": text}
		for key, value := range more {
			match[key] = value
		}
		return typed{"name": name, "string_match": match}
	}
	www := authority(":authority", "www.example.com", nil)
	guarded := typed{"match": typed{"prefix": "/"}, "requires": typed{"provider_name": "a"}}
	anyCase := authority(":authority", "www.example.com", typed{"ignore_case": true})
	// tries are requests without a token: to hosts that both let through, that only
	// the source does, and that neither does.
	tries := func(both, theirs, none string) (all []try) {
		for _, host := range strings.Fields(both) {
			all = append(all, try{g.Made("GET", host, "/orders", nil), true, true})
		}
		for _, host := range strings.Fields(theirs) {
			all = append(all, try{g.Made("GET", host, "/orders", nil), true, false})
		}
		for _, host := range strings.Fields(none) {
			all = append(all, try{g.Made("GET", host, "/orders", nil), false, false})
		}
		return all
	}
	const others = "www.example.com:1 www.example.com:80 www.example.com. www.example.com:"
	withToken := try{g.Made("GET", "WWW.example.com:1", "/orders", map[string]any{}), true, true}
	return []row{
		{name: "jwt_authn, an open host", filters: []any{jwtAuthn(g, typed{"match": typed{"prefix": "/", "headers": []any{www}}}, guarded)},
			tries: append(tries("www.example.com", "", others+" WWW.example.com WWW.example.com:1 api.example.com"), withToken)},
		{name: "jwt_authn, an open host with its port", filters: []any{jwtAuthn(g, typed{"match": typed{"prefix": "/", "headers": []any{authority("host", "www.example.com:80", nil)}}}, guarded)},
			tries: tries("www.example.com:80", "", "www.example.com www.example.com:1 www.example.com. www.example.com: WWW.example.com:80 www.example.com.:80")},
		{name: "jwt_authn, an open host with a dot", filters: []any{jwtAuthn(g, typed{"match": typed{"prefix": "/", "headers": []any{authority(":authority", "www.example.com.", nil)}}}, guarded)},
			tries: tries("", "www.example.com.", "www.example.com WWW.example.com. www.example.com.:1")},
		{name: "RBAC, a host is allowed", filters: []any{optional(g), rbacFilter("ALLOW", typed{"header": www}, anything)},
			tries: tries("www.example.com", "", others+" WWW.example.com api.example.com")},
		{name: "RBAC, a host is denied", filters: []any{optional(g), rbacFilter("DENY", typed{"header": www}, anything)},
			tries: tries("api.example.com api.example.com:80 API.example.com", others+" WWW.example.com", "www.example.com")},
		{name: "RBAC, all but a host are denied", filters: []any{optional(g), rbacFilter("DENY", typed{"not_rule": typed{"header": www}}, anything)},
			tries: tries("www.example.com", "", others+" WWW.example.com api.example.com")},
		{name: "Istio, hosts", filters: []any{optional(g), rbacFilter("ALLOW", typed{"header": anyCase}, anything)},
			source: istio(g, istioPolicy("{name: p}", "{rules: [{to: [{operation: {hosts: [www.example.com]}}]}]}")),
			tries:  tries("www.example.com", "WWW.example.com", others+" api.example.com")},
		{name: "Istio, hosts with any port", filters: []any{optional(g), rbacFilter("ALLOW", typed{"or_rules": typed{"rules": []any{typed{"header": anyCase},
			typed{"header": typed{"name": ":authority", "string_match": typed{"prefix": "www.example.com:", "ignore_case": true}}}}}}, anything)},
			source: istio(g, istioPolicy("{name: p}", "{rules: [{to: [{operation: {hosts: [www.example.com, 'www.example.com:*']}}]}]}")),
			// An empty port is refused (400): Envoy does not take it for one.
			tries: tries("www.example.com www.example.com:1 www.example.com:80", "WWW.example.com WWW.example.com:1", "www.example.com. www.example.com.:1 api.example.com api.example.com:1")},
		{name: "Istio, notHosts", filters: []any{optional(g), rbacFilter("DENY", typed{"not_rule": typed{"header": anyCase}}, anything)},
			source: istio(g, istioPolicy("{name: p}", "{action: DENY, rules: [{to: [{operation: {notHosts: [www.example.com]}}]}]}")),
			tries:  tries("www.example.com", "WWW.example.com", others+" api.example.com")},
	}
}

// dryRunRow has a policy that is only tried, as Istio writes it: shadow rules.
func dryRunRow(g *differential.Generator) row {
	enforced := rbacFilter("ALLOW", anything, typed{"metadata": typed{"filter": "envoy.filters.http.jwt_authn", "path": []any{typed{"key": "payload"}, typed{"key": "sub"}},
		"value": typed{"string_match": typed{"safe_regex": typed{"regex": ".+"}}}}})
	tried := rbacFilter("ALLOW", typed{"url_path": typed{"path": typed{"exact": "/internal"}}}, anything)
	enforced["typed_config"].(typed)["shadow_rules"] = tried["typed_config"].(typed)["rules"]
	return row{name: "Istio, a dry run", filters: []any{optional(g), enforced},
		source: istio(g, istioPolicy("{name: enforced}", "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}"),
			istioPolicy("{name: tried, annotations: {istio.io/dry-run: 'true'}}", "{rules: [{to: [{operation: {paths: [/internal]}}]}]}")),
		tries: []try{
			{g.Made("GET", "edge", "/internal", nil), false, false},
			{g.Made("GET", "edge", "/internal", map[string]any{}), true, true},
			{g.Made("GET", "edge", "/other", nil), false, false},
		}}
}

// scopeRows ask for a word of one claim.
func scopeRows(g *differential.Generator) (rows []row) {
	carries := func(theirs, ours bool, claims map[string]any) try {
		return try{g.Made("GET", "edge", "/orders", claims), theirs, ours}
	}
	type claims = map[string]any
	ask := func(claim string) []try {
		return []try{
			carries(true, true, claims{claim: "admin"}),
			carries(true, true, claims{claim: "read admin"}),
			carries(true, true, claims{claim: "read  admin "}),
			carries(true, true, claims{claim: []any{"read", "admin"}}),
			carries(false, false, claims{claim: "read"}),
			carries(false, false, claims{claim: "administrator"}),
			carries(false, false, claims{claim: []any{"read admin"}}),
			carries(false, false, claims{claim: "read\tadmin"}),
			carries(false, false, claims{claim: "read", "scp": "admin"}),
			carries(false, false, claims{claim: "read", "scp": []any{"admin"}}),
			carries(false, false, claims{claim: "", "scp": "admin", "permissions": []any{"admin"}}),
			carries(false, false, claims{"scp": "admin"}),
			carries(false, false, claims{}),
			carries(false, false, nil),
		}
	}
	for _, claim := range []string{"scope", "permission"} {
		filters := []any{optional(g), rbacFilter("ALLOW", anything, claimHolds(claim, "admin"))}
		rows = append(rows, row{name: "RBAC, " + claim, filters: filters, tries: ask(claim)},
			row{name: "Istio, " + claim, filters: filters, tries: ask(claim),
				source: istio(g, istioPolicy("{name: p}", "{rules: [{when: [{key: 'request.auth.claims["+claim+"]', values: [admin]}]}]}"))})
	}
	return rows
}
