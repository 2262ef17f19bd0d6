package convert

import (
	"strings"
	"testing"

	"edgejwt/plugin/config"
	"edgejwt/verify/route"
)

// TestHosts: a rule for a host opens nothing to another spelling of it that the
// source does not take for this host.
func TestHosts(t *testing.T) {
	const rule = "{issuer: 'https://a.example', audiences: [x]}"
	authn := func(header string) string {
		return onePrefix + "rules:\n- {match: {prefix: /, headers: [" + header + "]}}\n- {match: {prefix: /}, requires: {provider_name: a}}\n"
	}
	istio := func(action, operation string) string {
		return istioText(rule, policyText("{name: p}", "{action: "+action+", rules: [{to: [{operation: {"+operation+"}}]}]}"))
	}
	permission := func(action, header string) string {
		return filtersText(onePrefix+"rules: [{match: {prefix: /}, requires: {allow_missing: {}}}]",
			"- name: rbac\n  typed_config:\n    '@type': type.googleapis.com/"+rbacType+"\n    rules: {action: "+action+", policies: {p: {permissions: [{header: "+header+"}], principals: [{any: true}]}}}\n")
	}
	for _, c := range []struct {
		name, text string
		open, shut string // hosts that pass without a token, and that do not
		has        string // in the YAML
	}{
		{"jwt_authn", authn("{name: ':authority', string_match: {exact: www.example.com}}"), "www.example.com",
			"www.example.com:1 www.example.com:80 www.example.com. www.example.com: WWW.example.com WWW.example.com:1 example.com x.www.example.com", "hosts: [www.example.com]"},
		{"jwt_authn, with a port", authn("{name: host, string_match: {exact: 'www.example.com:80'}}"), "www.example.com:80",
			"www.example.com www.example.com:1 www.example.com.:80 www.example.com: WWW.example.com:80", "hosts: [www.example.com:80]"},
		{"jwt_authn, a dot", authn("{name: ':authority', string_match: {exact: www.example.com.}}"), "", "www.example.com www.example.com.", "rule 1, which asks for no token, is left out"},
		{"jwt_authn, a colon", authn("{name: ':authority', string_match: {exact: 'www.example.com:'}}"), "", "www.example.com www.example.com:", "rule 1, which asks for no token, is left out"},
		{"jwt_authn, capitals", authn("{name: ':authority', string_match: {exact: WWW.example.com}}"), "", "www.example.com WWW.example.com", "rule 1, which asks for no token, is left out"},
		{"jwt_authn, all but", authn("{name: ':authority', string_match: {exact: www.example.com}, invert_match: true}"), "", "www.example.com www.example.com:1 WWW.example.com api.example.com", "is left out"},
		{"RBAC, allowed", permission("ALLOW", "{name: ':authority', string_match: {exact: www.example.com}}"), "www.example.com",
			"www.example.com:1 www.example.com. www.example.com: WWW.example.com api.example.com", "hosts: [www.example.com]"},
		{"RBAC, denied", permission("DENY", "{name: ':authority', string_match: {exact: www.example.com}}"), "api.example.com api.example.com:1 API.example.com",
			"www.example.com www.example.com:1 www.example.com. WWW.example.com", "hosts: [www.example.com]"},
		{"RBAC, all but one denied", permission("DENY", "{name: ':authority', string_match: {exact: www.example.com}, invert_match: true}"), "www.example.com",
			"www.example.com:1 www.example.com. www.example.com: WWW.example.com api.example.com", "hosts: [www.example.com]"},
		{"Istio, allowed", istio("ALLOW", "hosts: [Www.example.com]"), "www.example.com", "www.example.com:1 www.example.com. www.example.com: api.example.com", "hosts: [www.example.com]"},
		{"Istio, below a name", istio("ALLOW", "hosts: ['*.example.com']"), "www.example.com a.b.example.com", "www.example.com:1 www.example.com. example.com", `hosts: ["*.example.com"]`},
		{"Istio, a port", istio("ALLOW", "hosts: ['www.example.com:8443']"), "www.example.com:8443", "www.example.com www.example.com:1 www.example.com.:8443", "hosts: [www.example.com:8443]"},
		{"Istio, any port", istio("ALLOW", "hosts: [www.example.com, 'www.example.com:*']"), "www.example.com www.example.com:1 www.example.com:80", "www.example.com. www.example.com.:1 api.example.com", "hostPort: ignored"},
		{"Istio, any port, denied", istio("DENY", "notHosts: ['www.example.com:*', www.example.com]"), "www.example.com www.example.com:1", "www.example.com. api.example.com:1", "hostPort: ignored"},
		{"Istio, any port but none", istio("ALLOW", "hosts: ['www.example.com:*']"), "", "www.example.com www.example.com:1", "what it allows by hosts www.example.com:* is refused"},
		{"Istio, any port of one of two", istio("ALLOW", "hosts: [www.example.com, 'www.example.com:*', api.example.com]"), "www.example.com api.example.com", "www.example.com:1 api.example.com:1", "what it allows by hosts www.example.com:* is refused"},
		{"Istio, all but", istio("ALLOW", "notHosts: [www.example.com]"), "api.example.com api.example.com:1", "www.example.com WWW.example.com", "hosts: [www.example.com]"},
		{"Istio, denied", istio("DENY", "hosts: [www.example.com]"), "api.example.com", "www.example.com WWW.example.com www.example.com:1", "hosts: [www.example.com]"},
	} {
		r, err := Convert([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !strings.Contains(strings.Join(strings.Fields(string(r.YAML)), " "), c.has) && !strings.Contains(strings.Join(r.Comments, "\n"), c.has) {
			t.Errorf("%s: no %q in\n%s", c.name, c.has, r.YAML)
		}
		read, err := config.Parse(r.JSON)
		if err != nil {
			t.Fatal(err)
		}
		table, faults := route.NewTable(read.Routes, read.RouteOptions)
		if faults != nil {
			t.Fatal(faults)
		}
		passes := func(host string) bool {
			var m route.Match
			err := table.Find(&route.Request{Method: "GET", Host: host, Path: "/orders"}, &m)
			return err == nil && (m.Route.Auth == route.None || m.Route.Auth == route.Optional)
		}
		for _, host := range strings.Fields(c.open) {
			if !passes(host) {
				t.Errorf("%s: %s is refused\n%s", c.name, host, r.YAML)
			}
		}
		for _, host := range strings.Fields(c.shut) {
			if passes(host) {
				t.Errorf("%s: %s passes\n%s", c.name, host, r.YAML)
			}
		}
	}
}

// TestPathAndBelow: a path and what is below it are one route, where the same is
// asked of both.
func TestPathAndBelow(t *testing.T) {
	const rule = "{issuer: 'https://a.example', audiences: [x]}"
	for _, c := range []struct{ paths, want string }{
		{"[/orders, /orders/*]", "- path: {prefix: /orders}"},
		{"[/orders/*, /orders]", "- path: {prefix: /orders}"},
		{"[/orders/*]", "- path: {prefix: /orders/}"},
		{"[/orders]", "- path: {exact: /orders}"},
		{"[/orders/]", "- path: {exact: /orders/}"},
		{"[/orders/, /orders/*]", "- path: {prefix: /orders/}"},
		{"['/orders/{**}']", "- path: {prefix: /orders/}"},
		{"['/{*}/orders/{**}']", `- path: {regex: "/[^/]+/orders/.*"}`},
		{"['/{*}/orders/']", `- path: {regex: "/[^/]+/orders/"}`},
		{"['/{*}/orders']", `- path: {template: "/{p1}/orders"}`},
	} {
		r, err := Convert([]byte(istioText(rule, policyText("{name: p}", "{rules: [{to: [{operation: {paths: "+c.paths+"}}]}]}"))))
		if err != nil {
			t.Errorf("%s: %v", c.paths, err)
		} else if !strings.Contains(string(r.YAML), c.want+"\n") || strings.Count(string(r.YAML), "path:") != 1 {
			t.Errorf("%s: not %q alone:\n%s", c.paths, c.want, r.YAML)
		}
	}
}
