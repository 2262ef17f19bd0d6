package validate

import (
	"strings"
	"testing"
)

// TestUnreadPolicies: metadata that looks like a policy, and that edgejwt never reads.
func TestUnreadPolicies(t *testing.T) {
	const policy = `policy: '{"scopes": ["a"]}'`
	in := func(metadata string) string { return "metadata: {filter_metadata: {" + metadata + "}}" }
	ours := in("edgejwt: {" + policy + "}")
	config := func(route, host, config string) string {
		return "          route_config: {" + config + "virtual_hosts: [{" + host + "name: api, domains: ['*'], routes: [{" + route + "match: {prefix: /}}]}]}\n"
	}
	of := func(route string) string { return config(route+", route: {cluster: api}, ", "", "") }
	for _, c := range []struct{ name, routes, want string }{
		{"as it should be", of(ours), ""},
		{"in camelCase", of(strings.Replace(ours, "filter_metadata", "filterMetadata", 1)), ""},
		{"of somebody else", of(in("envoy.lb: {canary: true}, other: {policies: x}")), ""},
		{"another key", of(in(`edgejwt: {policies: '{"scopes": ["a"]}'}`)), "policies is not a key that edgejwt reads"},
		{"another key beside it", of(in("edgejwt: {" + policy + ", Policy: x}")), "Policy is not a key that edgejwt reads"},
		{"no key", of(in("edgejwt: {}")), "the metadata of edgejwt has no policy"},
		{"the policy without its key", of(in(`edgejwt: '{"scopes": ["a"]}'`)), "the metadata of edgejwt has no policy"},
		{"underscore", of(in("edge_jwt: {" + policy + "}")), "edge_jwt is not the namespace that edgejwt reads"},
		{"capitals", of(in("EdgeJWT: {" + policy + "}")), "EdgeJWT is not the namespace that edgejwt reads"},
		{"key in the namespace", of(in("edgejwt.policy: {" + policy + "}")), "edgejwt.policy is not the namespace that edgejwt reads"},
		{"with wasm", of(in("wasm.edgejwt: {" + policy + "}")), "wasm.edgejwt is not the namespace that edgejwt reads"},
		{"below the filter's name", of(in("envoy.filters.http.wasm: {edgejwt: {" + policy + "}}")), "envoy.filters.http.wasm is not the namespace that edgejwt reads"},
		{"typed", of("metadata: {typed_filter_metadata: {edgejwt: {\"@type\": x.Struct, value: {" + policy + "}}}}"), "typed_filter_metadata is not read by edgejwt"},
		{"of the virtual host", config("route: {cluster: api}, ", ours+", ", ""), "a policy of edgejwt that is not in the metadata of a route"},
		{"of the route configuration", config("route: {cluster: api}, ", "", ours+", "), "a policy of edgejwt that is not in the metadata of a route"},
		{"in the match of endpoints", config("route: {cluster: api, metadata_match: {filter_metadata: {edgejwt: {"+policy+"}}}}, ", "", ""), "a policy of edgejwt that is not in the metadata of a route"},
		{"of a weighted cluster", config("route: {weighted_clusters: {clusters: [{name: api, weight: 1, metadata_match: {filter_metadata: {edgejwt: {"+policy+"}}}}]}}, ", "", ""),
			"a policy of edgejwt that is not in the metadata of a route"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := ""
			if c.want != "" {
				want = "error " + c.want
			}
			if got := unplaced(found(example(t, byPolicy, stripped, c.routes))); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestUnreadPoliciesOfOtherFiles: routes by RDS that no connection manager here names,
// a mesh's patches, and clusters.
func TestUnreadPoliciesOfOtherFiles(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"RDS", `resources: [{"@type": x.RouteConfiguration, virtual_hosts: [{metadata: {filter_metadata: {edgejwt: {policy: '{}'}}}}]}]`, "error a policy of edgejwt that is not in the metadata of a route"},
		{"a patch of routes", `{kind: EnvoyFilter, spec: {configPatches: [{applyTo: HTTP_ROUTE, patch: {operation: MERGE, value: {metadata: {filter_metadata: {edgejwt: {policy: '{}'}}}}}}]}}`, ""},
		{"a patch of hosts", `{kind: EnvoyFilter, spec: {configPatches: [{applyTo: VIRTUAL_HOST, patch: {operation: MERGE, value: {metadata: {filter_metadata: {edgejwt: {policy: '{}'}}}}}}]}}`,
			"error a policy of edgejwt that is not in the metadata of a route"},
		{"a patch of routes, in an action", `{kind: EnvoyFilter, spec: {configPatches: [{applyTo: HTTP_ROUTE, match: {context: GATEWAY}, patch: {operation: MERGE, value: {route: {metadata_match: {filter_metadata: {edgejwt: {policy: '{}'}}}}}}}]}}`,
			"error a policy of edgejwt that is not in the metadata of a route"},
		{"a cluster", `resources: [{"@type": x.Cluster, name: a, metadata: {filter_metadata: {edgejwt: {policy: '{}'}}}}]`, "error a policy of edgejwt that is not in the metadata of a route"},
	} {
		if got := unplaced(found(c.text)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// unplaced gives severity and text of each finding, a line for each.
func unplaced(findings []string) string {
	for i, f := range findings {
		severity, rest, _ := strings.Cut(f, " ")
		_, what, _ := strings.Cut(rest, " ")
		findings[i] = severity + " " + what
	}
	return strings.Join(findings, "\n")
}
