package validate

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestEnvoyFilter(t *testing.T) {
	const policy = "                failure_policy: FAIL_RELOAD\n"
	check(t, "../../../envoy.yaml", []change{
		{"camel case is as good", "failure_policy: FAIL_RELOAD", "failurePolicy: FAIL_RELOAD", nil},
		{"no failure policy", policy, "", []string{"warning |              config:| failure_policy is not FAIL_RELOAD"}},
		{"closed", "FAIL_RELOAD", "FAIL_CLOSED", []string{"warning HERE failure_policy is not FAIL_RELOAD"}},
		{"open", "FAIL_RELOAD", "FAIL_OPEN", []string{"error HERE failure_policy is FAIL_OPEN"}},
		{"open by number", "FAIL_RELOAD", "3", []string{"error HERE failure_policy is FAIL_OPEN"}},
		{"fail_open", "failure_policy: FAIL_RELOAD", "fail_open: true", []string{"error HERE fail_open is true"}},
		{"fail_open false", "failure_policy: FAIL_RELOAD", "failure_policy: FAIL_RELOAD\n                fail_open: false", nil},
		{"no vm_id", "                  vm_id: edgejwt\n", "", []string{"hint |vm_config:| vm_config.vm_id is not set"}},
		{"another runtime", "runtime.v8", "runtime.wamr", []string{"warning HERE envoy.wasm.runtime.wamr is not the runtime that edgejwt is tested with"}},
		{"no runtime at all", "runtime.v8", "runtime.null", []string{"error HERE envoy.wasm.runtime.null is not the runtime that edgejwt is tested with"}},
		{"headers stop", policy, policy + "                allow_on_headers_stop_iteration: true\n",
			[]string{"warning |allow_on| allow_on_headers_stop_iteration is true"}},
		{"capabilities", policy, policy + "                capability_restriction_config: {allowed_capabilities: {proxy_log: {}}}\n",
			[]string{"error |allowed_cap| allowed_capabilities lacks fd_prestat_get", "error |allowed_cap| allowed_capabilities lacks proxy_on_request_headers"}},
		{"capabilities of the VM", "vm_id: edgejwt", "vm_id: edgejwt\n                  capability_restriction_config: {allowed_capabilities: {fd_prestat_get: {}}}",
			[]string{"error |allowed_cap| allowed_capabilities lacks proxy_on_request_headers"}},
		{"no restriction", policy, policy + "                capability_restriction_config: {allowed_capabilities: {}}\n", nil},
		{"a Struct", "type.googleapis.com/google.protobuf.StringValue", "type.googleapis.com/google.protobuf.Struct",
			[]string{"error |configuration:| configuration is a Struct"}},
		{"no vm_id beside another", "vm_id: edgejwt", "vm_id: ''", []string{"hint |vm_config:| vm_config.vm_id is not set"}},
		{"nothing configured", "                  value: |\n", "                  other: |\n",
			[]string{"error |configuration:| configuration is not a StringValue with JSON in it"}},
	})
}

func TestEnvoyChain(t *testing.T) {
	const router = "          - name: envoy.filters.http.router\n"
	const own = "          - name: edgejwt\n"
	filter := func(kind, message string) string {
		return `          - {name: ` + kind + `, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.` + kind + `.v3.` + message + "}}\n"
	}
	check(t, "../../../envoy.yaml", []change{
		{"cors before", own, filter("cors", "Cors") + own, nil},
		{"cors after", router, filter("cors", "Cors") + router, []string{"warning HERE cors stands after edgejwt"}},
		{"grpc_web after", router, filter("grpc_web", "GrpcWeb") + router, []string{"warning HERE grpc_web stands after edgejwt"}},
		{"oauth2 after", router, filter("oauth2", "OAuth2") + router, []string{"warning HERE oauth2 stands after edgejwt"}},
		{"health_check after", router, filter("health_check", "HealthCheck") + router, []string{"hint HERE health_check stands after edgejwt"}},
		{"rbac before", own, filter("rbac", "RBAC") + own, []string{"warning HERE rbac stands before edgejwt"}},
		{"rbac after", router, filter("rbac", "RBAC") + router, nil},
		{"ext_authz before", own, filter("ext_authz", "ExtAuthz") + own, []string{"warning HERE ext_authz stands before edgejwt"}},
		{"ratelimit before", own, filter("ratelimit", "RateLimit") + own, []string{"hint HERE ratelimit stands before edgejwt"}},
		{"cache before", own, filter("cache", "CacheConfig") + own, []string{"error HERE cache stands before edgejwt"}},
		{"others", own, filter("lua", "Lua") + own, nil},
		{"disabled", own, own + "            disabled: true\n", []string{"error |disabled: true| the filter is disabled"}},
		{"optional", own, own + "            is_optional: true\n", []string{"error |is_optional| the filter is optional"}},
		{"no normalisation", "          normalize_path: true\n", "", []string{"warning |typed_config| normalize_path is not true"}},
		{"normalisation off", "normalize_path: true", "normalize_path: false", []string{"warning HERE normalize_path is not true"}},
		{"slashes kept", "          merge_slashes: true\n", "", []string{"hint |typed_config| merge_slashes is not true"}},
		{"escaped slashes kept", "UNESCAPE_AND_REDIRECT", "KEEP_UNCHANGED", []string{"hint HERE path_with_escaped_slashes_action keeps %2F and %5C"}},
		{"underscores", "DROP_HEADER", "ALLOW", []string{"hint HERE headers with underscores are let through"}},
		{"upgrades by themselves", "          codec_type: AUTO\n",
			"          upgrade_configs: [{upgrade_type: websocket, filters: [{name: r, typed_config: {\"@type\": x.filters.http.router.v3.Router}}]}]\n",
			[]string{"error HERE upgrades to websocket have filters of their own, without edgejwt"}},
		{"tokens over Envoy's bound", `"auth0": {`, `"auth0": {"maxTokenBytes": "64Ki", `, []string{"warning |typed_config| max_request_headers_kb is less than auth0.maxTokenBytes needs"}},
		{"long tokens within Envoy's bound", `"auth0": {`, `"auth0": {"maxTokenBytes": "48Ki", `, nil},
		{"upgrades through edgejwt", "          codec_type: AUTO\n",
			"          upgrade_configs: [{upgrade_type: websocket, filters: [{name: e, typed_config: {\"@type\": x.filters.http.wasm.v3.Wasm}}, {name: r, typed_config: {\"@type\": x.filters.http.router.v3.Router}}]}]\n", nil},
		{"escaped slashes rejected", "UNESCAPE_AND_REDIRECT", "REJECT_REQUEST", nil},
		{"escaped slashes forwarded", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD", nil},
		{"escaped slashes by number", "UNESCAPE_AND_REDIRECT", "3", nil},
		{"underscores rejected", "DROP_HEADER", "REJECT_REQUEST", nil},
		{"upgrades through all", "          codec_type: AUTO\n", "          upgrade_configs: [{upgrade_type: websocket}]\n", nil},
		{"off for a route", "                route: {cluster: api}\n",
			"                route: {cluster: api}\n                typed_per_filter_config: {edgejwt: {\"@type\": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true}}\n",
			[]string{"warning |typed_per_filter| edgejwt is off here"}},
		{"configured for a route", "              domains: [\"*\"]\n",
			"              domains: [\"*\"]\n              typed_per_filter_config: {edgejwt: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm}}\n",
			[]string{"error |typed_per_filter| a Wasm filter takes no configuration of its own for a route"}},
		{"another filter off for a route", "                route: {cluster: api}\n",
			"                route: {cluster: api}\n                typed_per_filter_config: {cors: {\"@type\": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true}}\n", nil},
		{"a policy that nobody reads", "                route: {cluster: api}\n",
			"                route: {cluster: api}\n                metadata: {filter_metadata: {edgejwt: {policy: '{\"scopes\": [\"a\"]}'}}}\n",
			[]string{"error |filter_metadata| a policy stands here, which edgejwt does not read"}},
		{"no tags", `regex: "(;reason=(.*?);;)"`, `regex: "(x)"`, []string{"hint |stats_tags:| no stats_tags for edgejwt's metrics"}},
	})
}

// TestTokenBytes: a token must get through Envoy's bound on all headers.
func TestTokenBytes(t *testing.T) {
	text, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const codec = "          codec_type: AUTO\n"
	for kib, want := range map[int]int{64: 1, 65: 0, 96: 0, 8: 1} {
		changed := strings.Replace(string(text), `"auth0": {`, `"auth0": {"maxTokenBytes": "64Ki", `, 1)
		if changed = strings.Replace(changed, codec, codec+"          max_request_headers_kb: "+strconv.Itoa(kib)+"\n", 1); !strings.Contains(changed, "max_request") {
			t.Fatal("envoy.yaml has no codec_type")
		}
		if got := found(changed); len(got) != want {
			t.Errorf("%d: %q", kib, got)
		}
	}
}

func TestPolicyOfRoute(t *testing.T) {
	text, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reading := strings.Replace(string(text), `{"auth0": {`, `{"routeMetadata": true, "auth0": {`, 1)
	for _, c := range []struct{ name, policy, want string }{
		{"good", `'{"scopes": ["a"]}'`, ""},
		{"an object", `{scopes: [a]}`, "error HERE the policy is not a string that holds JSON"},
		{"unknown name", `'{"scope": ["a"]}'`, "error HERE "},
	} {
		t.Run(c.name, func(t *testing.T) {
			const route = "                route: {cluster: api}\n"
			line := 2 + strings.Count(reading[:strings.Index(reading, route)], "\n")
			want := strings.Replace(c.want, "HERE", strconv.Itoa(line), 1)
			got := found(strings.Replace(reading, route, route+"                metadata: {filter_metadata: {edgejwt: {policy: "+c.policy+"}}}\n", 1))
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], want)) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestRouteChosenByWhatIsChanged: with routeMetadata, a route that a header chooses
// which edgejwt sets or removes is chosen twice, and judged once. It is an error where
// there is a policy to be judged by.
func TestRouteChosenByWhatIsChanged(t *testing.T) {
	text, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const route, auth0 = "                route: {cluster: api}\n", `{"auth0": {`
	const stripped = `{"routeMetadata": true, "auth0": {"forwardOriginalToken": false, "fromCookies": ["session"], "fromParams": ["access_token"], "fromHeaders": [{"name": "x-token"}], `
	for _, c := range []struct {
		name, auth0, match, want string
	}{
		{"a header of another host", `{"routeMetadata": true, "auth0": {`, "{prefix: /, headers: [{name: X_Forwarded_Host, present_match: true}]}", "chosen by the header X_Forwarded_Host,"},
		{"a header of another host that is kept", `{"routeMetadata": true, "overrideHeaders": "keep", "auth0": {`, "{prefix: /, headers: [{name: x-forwarded-host, present_match: true}]}", ""},
		{"an identity header", `{"routeMetadata": true, "auth0": {`, "{prefix: /, headers: [{name: x-jwt-sub, present_match: true}]}", "chosen by the header x-jwt-sub,"},
		{"in another spelling", `{"routeMetadata": true, "auth0": {`, "{prefix: /, headers: [{name: X_JWT_Sub, present_match: true}]}", "chosen by the header X_JWT_Sub,"},
		{"the payload's", `{"routeMetadata": true, "auth0": {`, "{prefix: /, headers: [{name: x-jwt-payload}]}", "chosen by the header x-jwt-payload,"},
		{"the token's header, stripped", stripped, "{prefix: /, headers: [{name: x-token}]}", "chosen by the header x-token,"},
		{"the cookie, stripped", stripped, "{prefix: /, headers: [{name: cookie}]}", "chosen by the header cookie,"},
		{"the parameter, stripped", stripped, "{prefix: /, query_parameters: [{name: access_token}]}", "chosen by the query parameter access_token,"},
		{"the token's header, kept", `{"routeMetadata": true, "auth0": {`, "{prefix: /, headers: [{name: authorization}]}", ""},
		{"another header", `{"routeMetadata": true, "auth0": {`, "{prefix: /, headers: [{name: x-api-version}]}", ""},
		{"another parameter", stripped, "{prefix: /, query_parameters: [{name: page}]}", ""},
		{"filter state of a claim", `{"routeMetadata": true, "auth0": {"outputClaimToFilterState": [{"key": "edgejwt.org", "claim": "org"}], `,
			"{prefix: /, filter_state: [{key: wasm.edgejwt.org, string_match: {exact: acme}}]}", "chosen by the filter state wasm.edgejwt.org,"},
		{"filter state of the decision", `{"routeMetadata": true, "filterState": true, "auth0": {`,
			"{prefix: /, filter_state: [{key: wasm.edgejwt.decision, string_match: {exact: accepted}}]}", "chosen by the filter state wasm.edgejwt.decision,"},
		{"another's filter state", `{"routeMetadata": true, "auth0": {`, "{prefix: /, filter_state: [{key: wasm.edgejwt.decision}]}", ""},
		{"routes of the configuration", auth0, "{prefix: /, headers: [{name: x-jwt-sub}]}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := strings.Replace(string(text), auth0, c.auth0, 1)
			changed = strings.Replace(changed, "match: {prefix: /}\n"+route, "match: "+c.match+"\n"+route, 1)
			if !strings.Contains(changed, c.match) {
				t.Fatal("envoy.yaml has no such route")
			}
			const policy = route + "                metadata: {filter_metadata: {edgejwt: {policy: '{}'}}}\n"
			for severity, text := range map[string]string{"warning ": changed, "error ": strings.Replace(changed, route, policy, 1)} {
				var got []string
				for _, f := range found(text) {
					if strings.Contains(f, "(routeMetadata)") {
						got = append(got, f)
					}
				}
				if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], severity) || !strings.Contains(got[0], c.want)) {
					t.Errorf("got %q, want %s%q", got, severity, c.want)
				}
			}
		})
	}
	const tree = `              matcher: {matcher_list: {matchers: [{predicate: {single_predicate: {input: {typed_config: {"@type": type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput, header_name: x-jwt-sub}}}}}]}}
`
	changed := strings.Replace(string(text), auth0, `{"routeMetadata": true, "auth0": {`, 1)
	changed = strings.Replace(changed, "              domains: [\"*\"]\n", "              domains: [\"*\"]\n"+tree, 1)
	if got := strings.Join(found(changed), "\n"); !strings.Contains(got, "chosen by the header x-jwt-sub,") {
		t.Errorf("in a tree of matchers: got %q", got)
	}
	const unseen = "the routes come from elsewhere, and are not looked at (routeMetadata)"
	for _, c := range []struct {
		auth0 string
		want  bool
	}{{`{"routeMetadata": true, "auth0": {`, true}, {auth0, false}} {
		changed = strings.Replace(strings.Replace(string(text), auth0, c.auth0, 1), "          route_config:\n", "          rds: {route_config_name: r}\n          other:\n", 1)
		if got := strings.Join(found(changed), "\n"); strings.Contains(got, unseen) != c.want {
			t.Errorf("routes by RDS, %s: got %q", c.auth0, got)
		}
	}
}

func TestCluster(t *testing.T) {
	const ca = "trusted_ca: {filename: .run/ca.pem}"
	// From the switch that compares names to the authority.
	const names = "auto_sni_san_validation: true  # the certificate must bear the name above\n" +
		"        common_tls_context:\n          validation_context:\n            " + ca
	check(t, "../../../envoy.yaml", []change{
		{"no such cluster", `"cluster": "auth0"`, `"cluster": "auth1"`, []string{"error |{\"auth0\": {| cluster auth1 is not there"}},
		{"Istio's name", `"cluster": "auth0",`, ``, []string{"error |{\"auth0\": {| cluster outbound|443||tenant.auth0.example is not there"}},
		{"no TLS", "    transport_socket:\n", "    other:\n", []string{"error |- name: auth0| cluster auth0 has no TLS"}},
		{"a key server without TLS", `{"auth0": {`, `{"jwtRules": [{"issuer": "https://x.example", "anyAudience": true, "jwksUri": "https://localhost:8000/k", "jwksCluster": "api"}], "auth0": {`,
			[]string{"error |- name: api\n    type| cluster api has no TLS"}},
		{"a key server without TLS, allowed", `{"auth0": {`, `{"jwtRules": [{"issuer": "https://x.example", "anyAudience": true, "jwksUri": "http://localhost:8000/k", "jwksCluster": "api", "allowHttp": true}], "auth0": {`, nil},
		{"a key server without TLS, far away", `{"auth0": {`, `{"jwtRules": [{"issuer": "https://x.example", "anyAudience": true, "jwksUri": "http://keys.example/k", "jwksCluster": "api", "allowHttp": true}], "auth0": {`,
			[]string{`warning |{"jwtRules"| "http://keys.example/k" is http (allowHttp: true), and the host is neither this machine nor inside the mesh: ` +
				`who is between the proxy and it can replace the keys, unless the cluster adds TLS`}},
		{"plain text socket", "tls.v3.UpstreamTlsContext", "raw_buffer.v3.RawBuffer",
			[]string{"warning |transport_socket:| the transport socket is not UpstreamTlsContext, which is all that is looked at"}},
		{"QUIC", "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", "x.v3.QuicUpstreamTransport",
			[]string{"error 1 no trusted authority: any certificate is accepted", "error 1 a certificate of any name is accepted", "warning 1 no sni"}},
		{"sockets to choose from", "    transport_socket:\n", "    transport_socket_matches: []\n    transport_socket:\n", []string{"hint HERE transport_socket_matches are not looked at"}},
		{"no authority", ca, "{}", []string{"error |typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.transport| no trusted authority: any certificate is accepted"}},
		{"the system's authorities", ca, "system_root_certs: {}", nil},
		{"a pinned certificate", ca, "verify_certificate_hash: [aa]", nil},
		{"a pinned key", ca, "verify_certificate_spki: [aa]", nil},
		{"a pinned key and no name", names, "common_tls_context: {validation_context: {verify_certificate_spki: [aa]}} #", nil},
		{"authorities by SDS, combined", "          validation_context:\n", "          combined_validation_context: {validation_context_sds_secret_config: {name: ca}}\n          other:\n",
			[]string{"hint |combined| the trusted authorities come by SDS, and are not looked at"}},
		{"names by the cluster's options", "        auto_sni_san_validation: true", "        x: 1", []string{"error |typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.transport| a certificate of any name is accepted"}},
		{"names by the cluster's options, set", names + "   # (4) /etc/ssl/certs/ca-certificates.crt\n", "common_tls_context: {validation_context: {system_root_certs: {}}}\n" +
			"    typed_extension_protocol_options: {o: {\"@type\": x.HttpProtocolOptions, upstream_http_protocol_options: {auto_sni: true, auto_san_validation: true}}}\n", nil},
		{"authorities by SDS", "          validation_context:\n", "          validation_context_sds_secret_config: {name: ca}\n          other:\n",
			[]string{"hint HERE the trusted authorities come by SDS, and are not looked at"}},
		{"combined", "          validation_context:\n", "          combined_validation_context: {default_validation_context: {system_root_certs: {}}}\n          other:\n", nil},
		{"untrusted", ca, ca + "\n            trust_chain_verification: ACCEPT_UNTRUSTED", []string{"error |trust_chain| any certificate is accepted"}},
		{"expired", ca, ca + "\n            allow_expired_certificate: true", []string{"warning |allow_expired| expired certificates are accepted"}},
		{"any name", "auto_sni_san_validation: true", "other: x", []string{"error |typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.transport| a certificate of any name is accepted"}},
		{"its name", names, "common_tls_context: {validation_context: {system_root_certs: {}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: tenant.auth0.example}}]}} #", nil},
		{"a name above it", names, "common_tls_context: {validation_context: {system_root_certs: {}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: '*.auth0.example'}}]}} #", nil},
		{"a pattern", names, "common_tls_context: {validation_context: {system_root_certs: {}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {suffix: .auth0.example}}]}} #", nil},
		{"another name", names, "common_tls_context: {validation_context: {system_root_certs: {}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: x.example}}]}} #",
			[]string{"warning HERE no accepted name is tenant.auth0.example"}},
		{"its name, in the old form", names, "common_tls_context: {validation_context: {system_root_certs: {}, match_subject_alt_names: [{exact: tenant.auth0.example}]}} #", nil},
		{"no sni to compare with", "        sni: tenant.auth0.example      # (1) your tenant\n", "", []string{"error |typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.transport| no sni"}},
		{"another sni", "sni: tenant.auth0.example ", "sni: x.example ", []string{`warning HERE sni is "x.example", and the keys are those of tenant.auth0.example`}},
		{"sni by itself", "        sni: tenant.auth0.example      # (1) your tenant\n", "        auto_host_sni: true\n", nil},
		{"a name with STATIC", "{address: 127.0.0.1, port_value: 9443}", "{address: tenant.auth0.example, port_value: 443}",
			[]string{`error |STATIC                       #| "tenant.auth0.example" is a name, and the cluster STATIC`}},
		{"no type", "    type: STATIC                       # (3) LOGICAL_DNS for a real tenant\n", "", nil},
		{"a name with DNS", "type: STATIC                       # (3)", "type: LOGICAL_DNS #", nil},
		{"the right port", "{address: 127.0.0.1, port_value: 9443}", "{address: 192.0.2.1, port_value: 443}", nil},
		{"an original destination", "type: STATIC                       # (3)", "type: ORIGINAL_DST #", nil},
		{"another port", "{address: 127.0.0.1, port_value: 9443}", "{address: 192.0.2.1, port_value: 80}", []string{"warning HERE port 80, and the keys are at port 443"}},
		{"a service that gives endpoints", "type: STATIC                       # (3)", "type: EDS #", nil},
	})
}

// TestNoEndpoint stands apart, because it takes several lines out.
func TestNoEndpoint(t *testing.T) {
	text, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "    load_assignment:\n      cluster_name: auth0\n")
	_, after, _ := strings.Cut(rest, "    transport_socket:\n")
	if got := found(before + "    transport_socket:\n" + after); len(got) != 1 || !strings.HasSuffix(got[0], "cluster auth0 has no endpoint") {
		t.Errorf("got %q", got)
	}
}

// TestOtherManagers: a second listener without edgejwt is told, and what it says
// is not judged.
func TestOtherManagers(t *testing.T) {
	text, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const listener = `  - name: other
    filter_chains:
    - filters:
      - name: m
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          http_filters: [{name: r, typed_config: {"@type": x.filters.http.router.v3.Router}}]
`
	got := found(strings.Replace(string(text), "\n  clusters:\n", "\n"+listener+"\n  clusters:\n", 1))
	if len(got) != 1 || !strings.HasPrefix(got[0], "hint ") || !strings.HasSuffix(got[0], "no edgejwt among the http_filters") {
		t.Errorf("got %q", got)
	}
}

// TestAlone: a filter by itself, as in another resource's patch; and what names
// it goes by.
func TestAlone(t *testing.T) {
	const wrap = `kind: EnvoyFilter
spec: {configPatches: [{patch: {value: {name: x, typed_config: {"@type": type.googleapis.com/udpa.type.v1.TypedStruct,
  type_url: type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm, value: {config: CONFIG}}}}}]}
`
	for _, c := range []struct{ config, want string }{
		{"{name: edgejwt}", "no configuration"},
		{"{root_id: EdgeJWT}", "no configuration"},
		{"{vm_config: {vm_id: my-edgejwt}}", "no configuration"},
		{"{vm_config: {code: {local: {filename: /x/edgejwt.wasm}}}}", "no configuration"},
		{"{vm_config: {code: {remote: {http_uri: {uri: 'https://x/edgejwt.wasm'}}}}}", "no configuration"},
		{"{name: other}", ""},
		{"{configuration: {\"@type\": x.BytesValue, value: eyJhdXRoMCI6IHsiZG9tYWluIjogInRlbmFudC5ldS5hdXRoMC5jb20iLCAiYXVkaWVuY2UiOiA3fX0=}}", "7 is neither a string nor a list of strings"},
		{`{configuration: {"@type": x.StringValue, value: '{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a", "cluster": "c"}}'}}`, "cluster c is not in these files"},
	} {
		got := strings.Join(found(strings.Replace(wrap, "CONFIG", c.config, 1)), "\n")
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", c.config, got, c.want)
		}
	}
	if got := found(`{"@type": "x.filters.http.wasm.v3.Wasm", "name": "edgejwt"}`); len(got) != 0 {
		t.Errorf("a filter that says nothing of whose it is: %q", got)
	}
}

// TestPort: a provider at a port of its own.
func TestPort(t *testing.T) {
	const text = `static_resources:
  clusters:
  - name: idp
    type: STRICT_DNS
    load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: idp.example, port_value: PORT}}}}]}]}
    transport_socket: {typed_config: {"@type": x.UpstreamTlsContext, sni: idp.example, auto_sni_san_validation: true, common_tls_context: {validation_context: {system_root_certs: {}}}}}
stats_config: {stats_tags: [{regex: "reason="}]}
x: {"@type": x.filters.http.wasm.v3.Wasm, config: {failure_policy: FAIL_RELOAD, vm_config: {vm_id: a}, configuration: {"@type": x.StringValue,
  value: '{"jwtRules": [{"issuer": "https://idp.example:8443", "audiences": ["a"], "jwksCluster": "idp"}]}'}}}
`
	if got := found(strings.Replace(text, "PORT", "8443", 1)); len(got) != 0 {
		t.Errorf("got %q", got)
	}
	if got := found(strings.Replace(text, "PORT", "443", 1)); len(got) != 1 || got[0] != "warning 5 port 443, and the keys are at port 8443" {
		t.Errorf("got %q", got)
	}
}

// TestParts: what is not in the files is no error.
func TestParts(t *testing.T) {
	text, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	listeners, clusters, _ := strings.Cut(string(text), "  clusters:\n")
	if got := found("dynamic_resources: {}\n" + listeners); len(got) != 1 || !strings.HasSuffix(got[0], "cluster auth0 is not in these files") {
		t.Errorf("listeners alone: %q", got)
	}
	clusters = strings.ReplaceAll("resources:\n"+clusters, "  - name:", "  - \"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\n    name:")
	report := Files([]File{{"lds.yaml", []byte("dynamic_resources: {}\n" + listeners)}, {"cds.yaml", []byte(clusters)}})
	if len(report.Findings) > 0 || len(report.Places) != 1 || !report.Places[0].Valid {
		t.Errorf("both: %+v", report)
	}
	report = Files([]File{{"cds.yaml", []byte(strings.ReplaceAll(clusters, "auto_sni_san_validation: true", ""))}, {"lds.yaml", []byte("dynamic_resources: {}\n" + listeners)}})
	if len(report.Findings) != 1 || report.Findings[0].File != "cds.yaml" {
		t.Errorf("both, a fault in one: %+v", report)
	}
}

// TestNamesOfStrangers: a matcher of names that takes others than the provider's.
func TestNamesOfStrangers(t *testing.T) {
	const host = "tenant.eu.auth0.com"
	for _, c := range []struct{ host, name, want string }{
		{host, "{san_type: DNS, matcher: {exact: HOST}}", ""},
		{host, "{san_type: DNS, matcher: {suffix: .eu.auth0.com}}", ""},
		{host, "{san_type: DNS, matcher: {suffix: .auth0.com}}", ""},
		{host, "{san_type: DNS, matcher: {suffix: .com}}", "a certificate of stranger.com would be accepted"},
		{host, "{san_type: DNS, matcher: {suffix: .COM, ignore_case: true}}", "a certificate of stranger.com would be accepted"},
		{host, "{san_type: DNS, matcher: {suffix: auth0.com}}", "a certificate of strangerauth0.com would be accepted"},
		{host, "{san_type: DNS, matcher: {prefix: tenant.}}", "a certificate of tenant.eu.auth0.com.stranger.invalid would be accepted"},
		{host, "{san_type: DNS, matcher: {contains: auth0}}", "a certificate of tenant.eu.auth0.com.stranger.invalid would be accepted"},
		{host, "{san_type: DNS, matcher: {safe_regex: {regex: '.*'}}}", "a certificate of stranger.invalid would be accepted"},
		{host, `{san_type: DNS, matcher: {safe_regex: {regex: '.*\.auth0\.com'}}}`, ""},
		{host, "{san_type: DNS, matcher: {safe_regex: {regex: '.*.auth0.com'}}}", "a certificate of strangerauth0.com would be accepted"},
		{host, "{san_type: DNS, matcher: {prefix: ''}}", "a certificate of stranger.invalid would be accepted"},
		{host, "{san_type: EMAIL, matcher: {exact: HOST}}", "the certificate's names of type EMAIL are compared, and tenant.eu.auth0.com is a host"},
		{host, "{san_type: 1, matcher: {exact: HOST}}", "the certificate's names of type 1 are compared, and tenant.eu.auth0.com is a host"},
		{host, "{sanType: URI, matcher: {exact: HOST}}", "the certificate's names of type URI are compared, and tenant.eu.auth0.com is a host"},
		{"192.0.2.1", "{san_type: IP_ADDRESS, matcher: {exact: HOST}}", ""},
		{"login.example.co.uk", "{san_type: DNS, matcher: {suffix: .example.co.uk}}", ""},
		{"login.example.co.uk", "{san_type: DNS, matcher: {suffix: .co.uk}}", "a certificate of stranger.co.uk would be accepted"},
		{"login.example.co.uk", "{san_type: DNS, matcher: {suffix: example.co.uk}}", "a certificate of strangerexample.co.uk would be accepted"},
		{host, "{exact: HOST}", ""},
		{host, "{suffix: .com}", "a certificate of stranger.com would be accepted"},
	} {
		field := "match_typed_subject_alt_names"
		if strings.HasPrefix(c.name, "{exact") || strings.HasPrefix(c.name, "{suffix") {
			field = "match_subject_alt_names"
		}
		text := `static_resources:
  clusters:
  - name: idp
    type: STRICT_DNS
    load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: HOST, port_value: 443}}}}]}]}
    transport_socket: {typed_config: {"@type": x.UpstreamTlsContext, sni: HOST, common_tls_context: {validation_context: {system_root_certs: {}, ` + field + `: [` + c.name + `]}}}}
stats_config: {stats_tags: [{regex: "reason="}]}
x: {"@type": x.filters.http.wasm.v3.Wasm, config: {failure_policy: FAIL_RELOAD, vm_config: {vm_id: a}, configuration: {"@type": x.StringValue,
  value: '{"jwtRules": [{"issuer": "https://HOST/", "audiences": ["a"], "jwksCluster": "idp"}]}'}}}
`
		want := ""
		if c.want != "" {
			want = "warning 6 " + c.want
		}
		if got := strings.Join(found(strings.ReplaceAll(text, "HOST", c.host)), "\n"); got != want {
			t.Errorf("%s at %s: got %q, want %q", c.name, c.host, got, want)
		}
	}
}
