package convert

import (
	"strings"
	"testing"

	jwtv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	security "istio.io/api/security/v1beta1"
)

// TestFields: each field of a message that convert reads is read, or left out with
// a word. A new one of Envoy or Istio fails here first.
func TestFields(t *testing.T) {
	seen := map[protoreflect.FullName]bool{}
	var visit func(m protoreflect.MessageDescriptor)
	visit = func(m protoreflect.MessageDescriptor) {
		if seen[m.FullName()] {
			return
		}
		seen[m.FullName()] = true
		list, ok := read[m.FullName()]
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			if _, leftOut := left[f.FullName()]; leftOut {
				seen[f.FullName()] = true
				continue
			}
			is := false
			for _, name := range strings.Fields(list) {
				is = is || name == string(f.Name())
			}
			if ok && !is {
				t.Errorf("%s is neither read nor left out", f.FullName())
			}
			if f.Message() != nil {
				visit(f.Message())
			}
		}
	}
	for _, m := range []proto.Message{new(jwtv3.JwtAuthentication), new(rbacv3.RBAC), new(security.RequestAuthentication), new(security.AuthorizationPolicy)} {
		visit(m.ProtoReflect().Descriptor())
	}
	for name := range read {
		if !seen[name] {
			t.Errorf("there is no message %s", name)
		}
	}
	for name := range left {
		if !seen[name] {
			t.Errorf("there is no field %s", name)
		}
	}
}

// TestNamed: what is not understood is named, and what is left where it is, too.
func TestNamed(t *testing.T) {
	const rules = onePrefix + "rules: [{match: {prefix: /}, requires: {provider_name: a}}]"
	rbac := "'@type': type.googleapis.com/" + rbacType
	const policy = "rules: {action: DENY, policies: {p: {permissions: [{any: true}], principals: [{any: true}]}}}"
	entry := func(name, config string) string { return "- {name: " + name + ", " + config + "}\n" }
	provider := func(more string) string { return strings.Replace(rules, "payload_in_metadata: p", more, 1) }
	remote := func(more string) string {
		return "providers: {a: {issuer: 'https://a.example', audiences: [x], remote_jwks: {http_uri: {uri: 'https://a.example/k', cluster: c, timeout: 5s}, " + more + "}}}\n" +
			"rules: [{match: {prefix: /}, requires: {provider_name: a}}]"
	}
	for _, c := range []struct{ name, text, problem, says string }{
		{"RBAC in ExtensionWithMatcher", filtersText(rules, entry("authz", "typed_config: {'@type': type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher, "+
			"extension_config: {name: rbac, typed_config: {"+rbac+", "+policy+"}}, xds_matcher: {}}")), "http_filters[1].typed_config.extension_config.typed_config", ""},
		{"RBAC by config_discovery", filtersText(rules, entry("authz", "config_discovery: {config_source: {ads: {}}, type_urls: [type.googleapis.com/"+rbacType+"]}")), "http_filters[1].config_discovery", ""},
		{"RBAC as a TypedStruct", filtersText(rules, entry("authz", "typed_config: {'@type': type.googleapis.com/xds.type.v3.TypedStruct, type_url: type.googleapis.com/"+rbacType+", value: {}}")), "http_filters[1].typed_config", ""},
		{"RBAC in a composite", filtersText(rules, entry("pick", "typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.composite.v3.Composite, named_filter_chains: {x: {typed_config: [{name: r, typed_config: {"+rbac+"}}]}}}")), "RBAC filter", ""},
		{"jwt_authn in ExtensionWithMatcher, alone", "http_filters:\n" + entry("authn", "typed_config: {'@type': type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher, "+
			"extension_config: {name: jwt, typed_config: {'@type': type.googleapis.com/"+jwtType+"}}}"), "a jwt_authn filter", ""},
		{"jwt_authn by config_discovery, beside another", filtersText(rules, entry("more", "config_discovery: {type_urls: [type.googleapis.com/"+jwtType+"]}")), "a jwt_authn filter", ""},
		{"RBAC in camelCase", strings.Replace(filtersText(rules, "- name: rbac\n  typedConfig: {"+rbac+", "+policy+"}\n"), "http_filters", "httpFilters", 1), "", "RBAC policy p"},
		{"a filter's unknown field", filtersText(rules, entry("rbac", "typed_config: {"+rbac+"}, on_match: x")), "on_match", ""},
		{"RBAC by matcher", filtersText(rules, entry("rbac", "typed_config: {"+rbac+", matcher: {on_no_match: {action: {name: x, typed_config: {'@type': type.googleapis.com/google.protobuf.Empty}}}}}")), "matcher", ""},
		{"RBAC of another list", "listeners:\n- " + strings.ReplaceAll(filtersText(rules), "\n", "\n  ") + "\n- http_filters:\n  " + entry("rbac", "typed_config: {"+rbac+"}"), "",
			"RBAC filter in listeners[1].http_filters[0] stands in a list without jwt_authn"},
		{"other filters", filtersText(rules, entry("envoy.filters.http.lua", "typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua}"),
			entry("envoy.filters.http.ext_authz", "typed_config: {'@type': x}"), entry("envoy.filters.http.router", "typed_config: {'@type': x}")), "",
			"Filters that convert has not read, and that stay where they are: envoy.filters.http.lua, envoy.filters.http.ext_authz."},
		{"routes that are elsewhere", "listener:\n  rds: {route_config_name: r}\n  " + strings.ReplaceAll(filtersText(rules), "\n", "\n  "), "", "listener.rds: the routes are not in this file"},
		{"a route that switches a filter off by its name", filtersText(rules) + "r: {typed_per_filter_config: {jwt: {'@type': type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true}}}", "", "switches jwt off"},
		{"a route that configures a filter by its name", filtersText(rules) + "r: {typed_per_filter_config: {jwt: {'@type': x}}}", "settings of its own (jwt)", ""},
		{"a route's RBAC in a TypedStruct", filtersText(rules) + "r: {typed_per_filter_config: {authz: {'@type': type.googleapis.com/xds.type.v3.TypedStruct, type_url: type.googleapis.com/" + rbacType + "PerRoute}}}", "settings of its own (authz)", ""},
		{"a route's settings of another filter", filtersText(rules) + "r: {typed_per_filter_config: {envoy.filters.http.lua: {'@type': x, disabled: true}}}", "", ""},

		{"jwt_cache_config", provider("jwt_cache_config: {jwt_cache_size: 5}"), "", "jwt_cache_config is left out"},
		{"strip_failure_response", rules + "\nstrip_failure_response: true", "", "strip_failure_response is left out"},
		{"async_fetch", remote("async_fetch: {}"), "", "async_fetch is left out"},
		{"retry_policy", remote("retry_policy: {}"), "", "retry_policy is left out"},
		{"a timeout", strings.Replace(remote("retry_policy: {}"), "timeout: 5s", "timeout: 1s", 1), "", "keys: {timeout: 1s}"},
		{"our timeout", remote("cache_duration: 300s"), "", ""},
		{"an audit log", filtersText(rules, entry("rbac", "typed_config: {"+rbac+", rules: {audit_logging_options: {audit_condition: ON_DENY}, policies: {p: {permissions: [{any: true}], principals: [{any: true}]}}}}")), "", "audit_logging_options are left out"},
		{"Istio's timeout", istioText("{issuer: 'https://a.example', audiences: [x], timeout: 2s}"), "", "keys: {timeout: 2s}"},
	} {
		r, err := Convert([]byte(c.text))
		switch {
		case c.problem != "" && err == nil:
			t.Errorf("%s: converted:\n%s", c.name, r.YAML)
		case c.problem != "" && !strings.Contains(err.Error(), c.problem):
			t.Errorf("%s: %v; wanted something about %q", c.name, err, c.problem)
		case c.problem == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.problem == "" && !strings.Contains(strings.Join(r.Comments, "\n"), c.says) && !strings.Contains(string(r.YAML), c.says):
			t.Errorf("%s: not %q, but\n%s", c.name, c.says, strings.Join(r.Comments, "\n"))
		case c.problem == "" && c.says == "" && (strings.Contains(string(r.YAML), "timeout") || strings.Contains(string(r.YAML), "lua")):
			t.Errorf("%s: said what is not so:\n%s", c.name, r.YAML)
		}
	}
}
