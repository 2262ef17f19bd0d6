package validate

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// change is one edit of a file that is good as it is, and what must be found
// then: "severity line what" each, in order.
type change struct {
	name     string
	old, new string
	want     []string
}

// check makes each change by itself.
func check(t *testing.T, file string, changes []change) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := found(string(text)); len(got) > 0 {
		t.Fatalf("%s as it is: %q", file, got)
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(string(text), c.old) != 1 {
				t.Fatalf("%q stands %d times in %s", c.old, strings.Count(string(text), c.old), file)
			}
			changed := strings.Replace(string(text), c.old, c.new, 1)
			line := 1 + strings.Count(string(text)[:strings.Index(string(text), c.old)], "\n")
			var want []string
			for _, w := range c.want {
				want = append(want, placed(w, changed, line))
			}
			if got := found(changed); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("line %d; got\n  %s\nwant\n  %s", line, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}

// placed writes the line into what is wanted: HERE is that of the change, and
// |text| the first one that has the text.
func placed(want, text string, here int) string {
	if first, rest, ok := strings.Cut(want, " |"); ok {
		mark, rest, _ := strings.Cut(rest, "|")
		return fmt.Sprintf("%s %d%s", first, 1+strings.Count(text[:max(0, strings.Index(text, mark))], "\n"), rest)
	}
	return strings.Replace(want, "HERE", fmt.Sprint(here), 1)
}

func found(text string) (lines []string) {
	for _, f := range Files([]File{{"file.yaml", []byte(text)}}).Findings {
		lines = append(lines, fmt.Sprintf("%s %d %s", f.Severity, f.Line, f.What))
	}
	return lines
}

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

func TestPolicyOfRoute(t *testing.T) {
	text, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	reading := strings.Replace(string(text), `{"auth0": {`, `{"routeMetadata": true, "auth0": {`, 1)
	for _, c := range []struct{ name, policy, want string }{
		{"good", `'{"scopes": ["a"]}'`, ""},
		{"an object", `{scopes: [a]}`, "error 51 the policy is not a string that holds JSON"},
		{"unknown name", `'{"scope": ["a"]}'`, "error 51 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			const route = "                route: {cluster: api}\n"
			got := found(strings.Replace(reading, route, route+"                metadata: {filter_metadata: {edgejwt: {policy: "+c.policy+"}}}\n", 1))
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
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
		{"plain text socket", "tls.v3.UpstreamTlsContext", "raw_buffer.v3.RawBuffer",
			[]string{"warning |transport_socket:| the transport socket is not UpstreamTlsContext, which is all that is looked at"}},
		{"QUIC", "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", "x.v3.QuicUpstreamTransport",
			[]string{"error 1 no trusted authority: any certificate is accepted", "error 1 a certificate of any name is accepted", "warning 1 no sni"}},
		{"sockets to choose from", "    transport_socket:\n", "    transport_socket_matches: []\n    transport_socket:\n", []string{"hint HERE transport_socket_matches are not looked at"}},
		{"no authority", ca, "{}", []string{"error |typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.transport| no trusted authority: any certificate is accepted"}},
		{"the system's authorities", ca, "system_root_certs: {}", nil},
		{"a pinned certificate", ca, "verify_certificate_hash: [aa]", nil},
		{"authorities by SDS", "          validation_context:\n", "          validation_context_sds_secret_config: {name: ca}\n          other:\n",
			[]string{"hint HERE the trusted authorities come by SDS, and are not looked at"}},
		{"combined", "          validation_context:\n", "          combined_validation_context: {default_validation_context: {system_root_certs: {}}}\n          other:\n", nil},
		{"untrusted", ca, ca + "\n            trust_chain_verification: ACCEPT_UNTRUSTED", []string{"error |trust_chain| any certificate is accepted"}},
		{"expired", ca, ca + "\n            allow_expired_certificate: true", []string{"warning |allow_expired| expired certificates are accepted"}},
		{"any name", "auto_sni_san_validation: true", "other: x", []string{"error |typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.transport| a certificate of any name is accepted"}},
		{"its name", names, "common_tls_context: {validation_context: {system_root_certs: {}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: tenant.auth0.example}}]}} #", nil},
		{"a name above it", names, "common_tls_context: {validation_context: {system_root_certs: {}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: '*.auth0.example'}}]}} #", nil},
		{"a pattern", names, "common_tls_context: {validation_context: {system_root_certs: {}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {suffix: example}}]}} #", nil},
		{"another name", names, "common_tls_context: {validation_context: {system_root_certs: {}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: x.example}}]}} #",
			[]string{"warning HERE no accepted name is tenant.auth0.example"}},
		{"its name, in the old form", names, "common_tls_context: {validation_context: {system_root_certs: {}, match_subject_alt_names: [{exact: tenant.auth0.example}]}} #", nil},
		{"no sni to compare with", "        sni: tenant.auth0.example      # (1) your tenant\n", "", []string{"error |typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.transport| no sni"}},
		{"another sni", "sni: tenant.auth0.example ", "sni: x.example ", []string{`warning HERE sni is "x.example", and the keys are those of tenant.auth0.example`}},
		{"sni by itself", "        sni: tenant.auth0.example      # (1) your tenant\n", "        auto_host_sni: true\n", nil},
		{"a name with STATIC", "{address: 127.0.0.1, port_value: 9443}", "{address: tenant.auth0.example, port_value: 443}",
			[]string{`error |STATIC                       #| "tenant.auth0.example" is a name, and the cluster STATIC`}},
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

func TestIstio(t *testing.T) {
	check(t, "testdata/istio.yaml", []change{
		{"no phase", "  phase: AUTHN\n", "", []string{"warning |spec:| phase is not AUTHN"}},
		{"late phase", "AUTHN", "STATS", []string{"warning HERE phase is not AUTHN"}},
		{"open", "FAIL_RELOAD", "FAIL_OPEN", []string{"error HERE failStrategy is FAIL_OPEN"}},
		{"closed", "  failStrategy: FAIL_RELOAD\n", "", []string{"hint |spec:| failStrategy is not FAIL_RELOAD"}},
		{"not pinned", "  sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\n", "", []string{"warning |url:| the image is not pinned"}},
		{"pinned by digest", "edgejwt:1.0\n  sha256: ", "edgejwt@sha256:abc\n  # ", nil},
		{"network filter", "  phase: AUTHN\n", "  phase: AUTHN\n  type: NETWORK\n", []string{"error |type: NET| type is NETWORK"}},
		{"sidecar", "istio: ingressgateway", "app: api", []string{"hint |spec:| no match"}},
		{"sidecar, incoming only", "  selector: {matchLabels: {istio: ingressgateway}}", "  match: [{mode: SERVER}]", nil},
		{"gateway by reference", "selector: {matchLabels: {istio: ingressgateway}}", "targetRefs: [{kind: Gateway, name: edge}]", nil},
		{"faulty configuration", "audience: https://api.example.com", "audiences: https://api.example.com", []string{"error |audiences:| is not a field; did you mean audience?"}},
		{"another entry", "hosts: [tenant.eu.auth0.com]", "hosts: [other.eu.auth0.com]", []string{"warning |auth0:| no ServiceEntry for tenant.eu.auth0.com in these files"}},
		{"another port", "number: 443", "number: 80", []string{"error |ports:| the ServiceEntry for tenant.eu.auth0.com has no port 443"}},
		{"no rule", "kind: DestinationRule", "kind: Gateway", []string{"warning |auth0:| no DestinationRule for tenant.eu.auth0.com in these files"}},
		{"no TLS", "mode: SIMPLE", "mode: DISABLE", []string{"error HERE the DestinationRule for tenant.eu.auth0.com does not start TLS"}},
		{"TLS of the mesh", "mode: SIMPLE", "mode: ISTIO_MUTUAL", []string{"error HERE the DestinationRule for tenant.eu.auth0.com does not start TLS"}},
		{"TLS for a port", "    tls:\n", "    portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE, sni: tenant.eu.auth0.com, subjectAltNames: [tenant.eu.auth0.com]}}]\n    x:\n", nil},
		{"any certificate", "mode: SIMPLE", "mode: SIMPLE\n      insecureSkipVerify: true", []string{"error |insecureSkip| any certificate is accepted"}},
		{"no sni", "      sni: tenant.eu.auth0.com\n", "", []string{"warning |tls:| sni is not tenant.eu.auth0.com"}},
		{"no names", "      subjectAltNames: [tenant.eu.auth0.com]\n", "", []string{"warning |tls:| subjectAltNames does not name tenant.eu.auth0.com"}},
	})
}

func TestEnvoyGateway(t *testing.T) {
	check(t, "testdata/gateway.yaml", []change{
		{"open", "    rootID: edgejwt\n", "    failOpen: true\n", []string{"error HERE failOpen is true"}},
		{"not pinned", "        sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\n", "", []string{"warning |image:\n| the code is not pinned"}},
		{"Istio's cluster", "        cluster: auth0\n", "", []string{"error |auth0:| cluster outbound|443||tenant.eu.auth0.com is Istio's name"}},
		{"no configuration", "    config:\n", "    other:\n", []string{"error |name: edgejwt\n    rootID| config is missing"}},
	})
}

func TestConfiguration(t *testing.T) {
	const good = "auth0: {domain: tenant.eu.auth0.com, audience: x}\n"
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"good", good, nil},
		{"good JSON", `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "x"}}`, nil},
		{"faults", good + "realm: 7\nroutes:\n- path: {exact: x}\n- auth: maybe\n", []string{"error 2 7 is not a string", "error 4 ", "error 5 "}},
		{"no issuer", "realm: x\n", []string{"error 1 names no issuer; write auth0 (with domain and audience) or an entry of jwtRules"}},
		{"member twice", `{"auth0": {"domain": "a.b", "domain": "a.b"}}`, []string{`error 1 cannot be read: line 1: the member "domain" stands twice`}},
		{"neither YAML nor JSON", "a: [", []string{"error 1 cannot be read: "}},
		{"only for the full module", good + "routes:\n- path: {regex: '/v[12]'}\n", []string{"hint 3 "}},
		{"warning", good + "keys: {maxStale: 720h}\n", []string{"warning 2 720h is long"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := found(c.text)
			ok := len(got) == len(c.want)
			for i := range got {
				ok = ok && strings.HasPrefix(got[i], c.want[i])
			}
			if !ok {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestFull: what only the full module can do, beside the module that is named.
func TestFull(t *testing.T) {
	text, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	needs := strings.Replace(string(text), `{"auth0": {`, `{"routes": [{"path": {"regex": "/v[12]"}}], "auth0": {`, 1)
	for _, c := range []struct{ module, want string }{
		{"dist/edgejwt.wasm", "error"},
		{"dist/edgejwt-full.wasm", ""},
		{"/opt/jwt.wasm", "warning"},
	} {
		report := Files([]File{{"f", []byte(strings.Replace(needs, "dist/edgejwt.wasm", c.module, 1))}})
		got := ""
		for _, f := range report.Findings {
			got += string(f.Severity)
		}
		if got != c.want || len(report.Places) != 1 || len(report.Places[0].Full) != 1 {
			t.Errorf("%s: %+v", c.module, report)
		}
	}
}

// TestOthers: what is not edgejwt is left alone.
func TestOthers(t *testing.T) {
	for _, text := range []string{
		"kind: WasmPlugin\nspec: {url: oci://x/other:1, failStrategy: FAIL_OPEN}\n",
		"static_resources: {clusters: [{name: a}]}\n",
		"a: 1\n",
		"kind: EnvoyExtensionPolicy\nspec: {wasm: [{name: other, failOpen: true}]}\n",
		`{"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": {"name": "other", "fail_open": true}}`,
	} {
		if report := Files([]File{{"f", []byte(text)}}); len(report.Findings)+len(report.Places) > 0 {
			t.Errorf("%s: %+v", text, report)
		}
	}
}
