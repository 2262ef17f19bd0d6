package convert

import (
	"strings"
	"testing"
)

// istioText is a RequestAuthentication with the given rules, and resources behind it.
func istioText(rules string, more ...string) string {
	return "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: r}\nspec: {jwtRules: [" + rules + "]}\n" + strings.Join(more, "")
}

// policyText is an AuthorizationPolicy.
func policyText(metadata, spec string) string {
	return "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: " + metadata + "\nspec: " + spec + "\n"
}

// filtersText is a list of filters: jwt_authn with the given members, and more of them.
func filtersText(authn string, more ...string) string {
	return "http_filters:\n- name: jwt\n  typed_config:\n    '@type': type.googleapis.com/" + jwtType + "\n    " +
		strings.ReplaceAll(strings.TrimSpace(authn), "\n", "\n    ") + "\n" + strings.Join(more, "")
}

// rbacText is an RBAC filter with one policy for every path.
func rbacText(action, principals string) string {
	return "- name: rbac\n  typed_config:\n    '@type': type.googleapis.com/" + rbacType + "\n" +
		"    rules: {action: " + action + ", policies: {p: {permissions: [{any: true}], principals: [" + principals + "]}}}\n"
}

// claimText is a principal by the claim of a token.
func claimText(claim, value string) string {
	return "{metadata: {filter: envoy.filters.http.jwt_authn, path: [{key: p}, {key: " + claim + "}], value: " + value + "}}"
}

// TestScopes: a condition on a claim becomes one on this claim and no other, with
// its text split at spaces where the source splits it.
func TestScopes(t *testing.T) {
	const (
		plain  = "{issuer: 'https://a.example', audiences: [x]}"
		split  = "{issuer: 'https://b.example', audiences: [x], spaceDelimitedClaims: [groups]}"
		holds  = "{list_match: {one_of: {string_match: {exact: admin}}}}"
		always = "requires: {provider_name: a}"
	)
	when := func(claim, rest string) string {
		return policyText("{name: p}", "{rules: [{when: [{key: 'request.auth.claims["+claim+"]', "+rest+"}]}]}")
	}
	authn := func(spaced string) string {
		return strings.Replace(onePrefix, "payload_in_metadata: p", "payload_in_metadata: p, normalize_payload_in_metadata: {space_delimited_claims: ["+spaced+"]}", 1) +
			"rules: [{match: {prefix: /}, " + always + "}]"
	}
	gateway := func(claim string) string {
		return "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: s}\n" +
			"spec: {jwt: {providers: [{name: a, issuer: 'https://a.example', audiences: [x], remoteJWKS: {uri: 'https://a.example/k'}}]}, " +
			"authorization: {rules: [{action: Allow, principal: {jwt: {provider: a, claims: [" + claim + "]}}}]}}\n"
	}
	for _, c := range []struct{ name, text, want string }{
		{"Istio, scope", istioText(plain, when("scope", "values: [admin]")), "claims: [{claim: scope, values: [admin], spaceDelimited: true}]"},
		{"Istio, two scopes", istioText(plain, when("scope", "values: [admin, root]")), "claims: [{claim: scope, values: [admin, root], spaceDelimited: true}]"},
		{"Istio, permission", istioText(plain, when("permission", "values: [admin]")), "claims: [{claim: permission, values: [admin], spaceDelimited: true}]"},
		{"Istio, scp", istioText(plain, when("scp", "values: [admin]")), "claims: {scp: [admin]}"},
		{"Istio, below scope", istioText(plain, when("scope][x", "values: [admin]")), "claims: [{claim: [scope, x], values: [admin]}]"},
		{"Istio, a claim that is named", istioText(split, when("groups", "values: [admin]")), "claims: [{claim: groups, values: [admin], spaceDelimited: true}]"},
		{"Istio, a claim that one of two names", istioText(plain+", "+split, when("groups", "values: [admin]")), "claims: {groups: [admin]}"},
		{"Istio, a text with a space that one of two splits", istioText(plain+", "+split, when("groups", "values: ['a b']")), "what it allows by claim groups a b is refused"},
		{"Istio, a text with a space that is split", istioText(plain, when("scope", "values: ['a b']")), "claims: [{claim: scope, values: [\"a b\"], spaceDelimited: true}]"},
		{"Istio, all but", istioText(plain, strings.Replace(when("scope", "notValues: [admin]"), "{rules", "{action: DENY, rules", 1)), "claims: [{claim: scope, values: [admin], spaceDelimited: true}]"},
		{"RBAC, scope", filtersText(authn("scope"), rbacText("ALLOW", claimText("scope", holds))), "claims: [{claim: scope, values: [admin], spaceDelimited: true}]"},
		{"RBAC, another claim", filtersText(authn("groups"), rbacText("ALLOW", claimText("groups", holds))), "claims: [{claim: groups, values: [admin], spaceDelimited: true}]"},
		{"RBAC, scp that is not split", filtersText(authn("scope"), rbacText("ALLOW", claimText("scp", holds))), "claims: {scp: [admin]}"},
		{"RBAC, one of two", filtersText(authn("scope"), rbacText("ALLOW", claimText("scope", holds)+", "+claimText("scope", strings.Replace(holds, "admin", "root", 1)))),
			"claims: [{claim: scope, values: [admin, root], spaceDelimited: true}]"},
		{"RBAC, both", filtersText(authn("scope"), rbacText("ALLOW", "{and_ids: {ids: ["+claimText("scope", holds)+", "+claimText("scope", strings.Replace(holds, "admin", "root", 1))+"]}}")),
			"claims: [{claim: scope, values: [admin], spaceDelimited: true}, {claim: scope, values: [root], spaceDelimited: true}]"},
		{"Envoy Gateway, the claim scope as a list", gateway("{name: scope, valueType: StringArray, values: [admin]}"), "claims: [{claim: scope, values: [admin], spaceDelimited: true}]"},
		{"Envoy Gateway, the claim scope as one text", gateway("{name: scope, values: [admin]}"), "what it allows by the claim scope as one text is refused"},
		{"Envoy Gateway, the claim scp as one text", gateway("{name: scp, valueType: String, values: [admin]}"), "what it allows by the claim scp as one text is refused"},
		{"Envoy Gateway, another claim", gateway("{name: role, values: [admin]}"), "claims: {role: [admin]}"},
	} {
		r, err := Convert([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		y := strings.Join(strings.Fields(string(r.YAML)), " ")
		if !strings.Contains(y, c.want) && !strings.Contains(y, strings.NewReplacer("[{", "- ", "}, {", " - ", "}]", "").Replace(c.want)) {
			t.Errorf("%s: no %q in\n%s", c.name, c.want, r.YAML)
		}
		if strings.Contains(y, " scopes: ") || strings.Contains(y, " anyScope: ") {
			t.Errorf("%s: scopes look into scp too:\n%s", c.name, r.YAML)
		}
	}
}
