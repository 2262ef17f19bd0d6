package convert

import (
	"strings"
	"testing"

	"edgejwt/plugin/config"
	"edgejwt/verify/route"
)

// TestDryRun: a policy that Istio only tries decides nothing, and it is said that
// it was left out.
func TestDryRun(t *testing.T) {
	const (
		rule      = "{issuer: 'https://a.example', audiences: [x]}"
		principal = "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}"
		inside    = "{rules: [{to: [{operation: {paths: [/internal]}}]}]}"
	)
	enforced := policyText("{name: enforced}", principal)
	tried := func(value, spec string) string {
		return policyText("{name: tried, annotations: {istio.io/dry-run: '"+value+"'}}", spec)
	}
	demand := func(t *testing.T, r *Result, path string) route.Auth {
		t.Helper()
		c, err := config.Parse(r.JSON)
		if err != nil {
			t.Fatal(err)
		}
		table, faults := route.NewTable(c.Routes, c.RouteOptions)
		if faults != nil {
			t.Fatal(faults)
		}
		var m route.Match
		if err := table.Find(&route.Request{Method: "GET", Host: "a.example", Path: path}, &m); err != nil {
			t.Fatal(err)
		}
		return m.Route.Auth
	}
	for _, c := range []struct {
		name, text string
		internal   route.Auth
		told       bool
	}{
		{"ALLOW that is tried, beside one that holds", istioText(rule, enforced, tried("true", inside)), route.Required, true},
		{"the same the other way round", istioText(rule, tried("1", inside), enforced), route.Required, true},
		{"ALLOW that holds", istioText(rule, enforced, tried("false", inside)), route.Optional, false},
		{"ALLOW that is tried, alone", istioText(rule, tried("true", principal)), route.Optional, true},
		{"DENY that is tried", istioText(rule, tried("true", "{action: DENY, rules: [{to: [{operation: {paths: [/internal]}}]}]}")), route.Optional, true},
		{"DENY that holds", istioText(rule, tried("f", "{action: DENY, rules: [{to: [{operation: {paths: [/internal]}}]}]}")), route.Deny, false},
		{"AUDIT that is tried", istioText(rule, enforced, tried("true", "{action: AUDIT, rules: [{}]}")), route.Required, true},
	} {
		r, err := Convert([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := demand(t, r, "/internal"); got != c.internal {
			t.Errorf("%s: /internal: auth %d, want %d\n%s", c.name, got, c.internal, r.YAML)
		}
		said := strings.Join(r.Comments, "\n")
		if told := strings.Contains(said, "AuthorizationPolicy tried is left out: it is a dry run"); told != c.told {
			t.Errorf("%s: told: %v, want %v\n%s", c.name, told, c.told, said)
		}
	}
}

// TestAnnotations: what Istio reads in annotations, and convert does not know, is
// a problem.
func TestAnnotations(t *testing.T) {
	const rule = "{issuer: 'https://a.example', audiences: [x]}"
	authentication := func(metadata string) string {
		return strings.Replace(istioText(rule), "{name: r}", metadata, 1)
	}
	const security = "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: s, annotations: {istio.io/x: y}}\n" +
		"spec: {jwt: {providers: [{name: a, issuer: https://a.example, audiences: [x], remoteJWKS: {uri: 'https://a.example/k'}}]}}\n"
	for _, c := range []struct{ name, text, want string }{
		{"of a policy", istioText(rule, policyText("{name: p, annotations: {istio.io/new: 'true'}}", "{}")), "AuthorizationPolicy p: the annotation istio.io/new"},
		{"of a part of Istio", istioText(rule, policyText("{name: p, annotations: {security.istio.io/new: 'true'}}", "{}")), "security.istio.io/new"},
		{"a dry run that is neither", istioText(rule, policyText("{name: p, annotations: {istio.io/dry-run: maybe}}", "{}")), `istio.io/dry-run: "maybe"`},
		{"a dry run of what cannot be tried", authentication("{name: r, annotations: {istio.io/dry-run: 'true'}}"), "RequestAuthentication r: the annotation istio.io/dry-run"},
		{"in a list", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {name: r, annotations: {istio.io/new: a}}, spec: {jwtRules: [" + rule + "]}}\n", "istio.io/new"},
		{"of Envoy Gateway's resource", security, "SecurityPolicy s: the annotation istio.io/x"},
		{"another revision's policy", istioText(rule, policyText("{name: p, labels: {istio.io/rev: canary}}", "{}")), "different workloads"},
	} {
		r, err := Convert([]byte(c.text))
		if err == nil {
			t.Errorf("%s: converted:\n%s", c.name, r.YAML)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; wanted something about %q", c.name, err, c.want)
		}
	}
	const others = "{name: r, annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}', example.com/istio.io: a}, labels: {app: a}}"
	if r, err := Convert([]byte(authentication(others))); err != nil {
		t.Errorf("annotations that are not Istio's: %v", err)
	} else if _, err := config.Parse(r.JSON); err != nil {
		t.Error(err)
	}
}
