package convert

import (
	"strings"
	"testing"
)

// TestPrincipals: what a principal with slashes in its subject means depends on
// Istio's version; it lets nobody pass here, and that is said.
func TestPrincipals(t *testing.T) {
	const (
		issuer = "https://token.actions.example"
		rule   = "{issuer: '" + issuer + "', audiences: [deployer]}"
	)
	from := func(action, field, principal string) string {
		return policyText("{name: p}", "{action: "+action+", rules: [{from: [{source: {"+field+": ['"+principal+"']}}], to: [{operation: {paths: [/deploy]}}]}]}")
	}
	for _, c := range []struct{ name, text, want, says string }{
		{"a prefix with a slash", istioText(rule, from("ALLOW", "requestPrincipals", issuer+"/repo:my-org/*")), "routes: [{auth: deny}]\n",
			`what it allows by requestPrincipals ` + issuer + `/repo:my-org/* (a subject with a slash in it, or, for Istio from 1.21 on, the issuer ` + issuer + `/repo:my-org) is refused`},
		{"a subject with a slash", istioText(rule, from("ALLOW", "requestPrincipals", issuer+"/repo:my-org/x")), "routes: [{auth: deny}]\n", "a subject with a slash in it"},
		{"all but a prefix with a slash", istioText(rule, from("ALLOW", "notRequestPrincipals", issuer+"/repo:my-org/*")), "routes: [{auth: deny}]\n", "a subject with a slash in it"},
		{"such a prefix is denied", istioText(rule, from("DENY", "requestPrincipals", issuer+"/repo:evil-org/*")), "- path: {exact: /deploy}\n  auth: deny\n",
			"refuses path /deploy without regard to requestPrincipals " + issuer + "/repo:evil-org/*"},
		{"a prefix without a slash", istioText(rule, from("ALLOW", "requestPrincipals", issuer+"/repo:my-org*")), "routes: [{auth: deny}]\n",
			"what it allows by requestPrincipals " + issuer + "/repo:my-org* is refused"},
		{"an issuer of no rule", istioText(rule, from("ALLOW", "requestPrincipals", "https://elsewhere.example/*")), "issuers: [https://elsewhere.example]",
			"requestPrincipals https://elsewhere.example/*: no rule has the issuer https://elsewhere.example, so no token is of it."},
		{"an issuer that ends in a slash", istioText("{issuer: 'https://a.example/', audiences: [x]}", from("ALLOW", "requestPrincipals", "https://a.example//*")), "issuers: [https://a.example/]", ""},
		{"an issuer that another begins with", istioText(rule+", {issuer: '"+issuer+"/octo', audiences: [deployer]}", from("ALLOW", "requestPrincipals", issuer+"/octo/*")), "issuers: [" + issuer + "/octo]", ""},
		{"issuers that begin so", istioText(rule, from("ALLOW", "requestPrincipals", "https:*")), "requiredClaims: [sub]", ""},
	} {
		r, err := Convert([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !strings.Contains(string(r.YAML), c.want) {
			t.Errorf("%s: no %q in\n%s", c.name, c.want, r.YAML)
		}
		said := strings.Join(r.Comments, "\n")
		if !strings.Contains(said, c.says) || c.says == "" && (strings.Contains(said, "requestPrincipals") || strings.Contains(said, "Stricter here: Auth")) {
			t.Errorf("%s: not %q, but\n%s", c.name, c.says, said)
		}
	}
	text := istioText(rule, strings.Replace(from("DENY", "requestPrincipals", issuer+"/repo:evil-org/*"), ", to: [{operation: {paths: [/deploy]}}]", "", 1),
		policyText("{name: in}", "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}"))
	if r, err := Convert([]byte(text)); err == nil {
		t.Errorf("a DENY that cannot be said became\n%s", r.YAML)
	} else if !strings.Contains(err.Error(), "requestPrincipals "+issuer+"/repo:evil-org/*") {
		t.Error(err)
	}
}

// TestDottedClaims: dots lead into objects, as they did, and that is said.
func TestDottedClaims(t *testing.T) {
	gateway := "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: s}\n" +
		"spec: {jwt: {providers: [{name: a, issuer: https://a.example, audiences: [x], remoteJWKS: {uri: 'https://a.example/k'}}]}, " +
		"authorization: {rules: [{action: Allow, principal: {jwt: {provider: a, claims: [{name: 'CLAIM', values: [v]}]}}}]}}\n"
	istio := istioText("{issuer: 'https://a.example', audiences: [x], outputClaimToHeaders: [{header: x-a, claim: 'CLAIM'}]}")
	envoy := strings.Replace(onePrefix, "payload_in_metadata: p", "claim_to_headers: [{header_name: x-a, claim_name: 'CLAIM'}]", 1) + "rules: [{match: {prefix: /}, requires: {provider_name: a}}]"
	for _, text := range []string{gateway, istio, envoy} {
		for _, c := range []struct{ claim, want, says string }{
			{"sub", "sub", ""},
			{"realm_access.roles", "[realm_access, roles]", "The claim realm_access.roles is looked for as roles in realm_access: each dot leads into an object, as it did."},
			{"kubernetes.io.namespace", "[kubernetes, io, namespace]", "The claim kubernetes.io.namespace is looked for as namespace in io in kubernetes: each dot leads into an object, as it did."},
			{"https://corp.example/claims/tenant", "[https://corp, example/claims/tenant]", "The claim https://corp.example/claims/tenant is looked for as example/claims/tenant in https://corp: " +
				"each dot leads into an object, as it did, and so it was hardly ever found."},
		} {
			r, err := Convert([]byte(strings.ReplaceAll(text, "CLAIM", c.claim)))
			if err != nil {
				t.Errorf("%s: %v", c.claim, err)
				continue
			}
			if !strings.Contains(string(r.YAML), "claim: "+c.want) && !strings.Contains(string(r.YAML), c.want+": [v]") {
				t.Errorf("%s: no %q in\n%s", c.claim, c.want, r.YAML)
			}
			said := strings.Join(r.Comments, "\n")
			if !strings.Contains(said, c.says) || c.says == "" && strings.Contains(said, "each dot") {
				t.Errorf("%s: not %q, but\n%s", c.claim, c.says, said)
			}
		}
	}
	when := istioText("{issuer: 'https://a.example', audiences: [x]}", policyText("{name: p}", "{rules: [{when: [{key: 'request.auth.claims[kubernetes.io][namespace]', values: [batch]}]}]}"))
	r, err := Convert([]byte(when))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(r.YAML), "claims: [{claim: [kubernetes.io, namespace], values: [batch]}]") || strings.Contains(string(r.YAML), "each dot") {
		t.Errorf("brackets part names, and dots do not:\n%s", r.YAML)
	}
}
