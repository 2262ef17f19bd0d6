package validate

import (
	"os"
	"strings"
	"testing"
)

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
		{"gateway by one reference", "selector: {matchLabels: {istio: ingressgateway}}", "targetRef: {kind: Gateway, name: edge}", nil},
		{"another reference", "selector: {matchLabels: {istio: ingressgateway}}", "targetRefs: [{kind: Service, name: api}]", []string{"hint |spec:| no match"}},
		{"HTTP filter", "  phase: AUTHN\n", "  phase: AUTHN\n  type: HTTP\n", nil},
		{"filter of no type", "  phase: AUTHN\n", "  phase: AUTHN\n  type: UNSPECIFIED_PLUGIN_TYPE\n", nil},
		{"no url", "  url: oci", "  uri: oci", []string{"error |spec:| url is missing"}},
		{"no configuration", "  pluginConfig:\n", "  config:\n", []string{"error |spec:| pluginConfig is missing"}},
		{"file", "url: oci://registry.example.com/edgejwt:1.0\n  sha256", "url: file:///opt/edgejwt.wasm\n  x", nil},
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
		{"from a server", "      type: Image\n      image:", "      type: HTTP\n      http:", nil},
		{"from a server, not pinned", "      image:\n        url: registry.example.com/edgejwt:1.0\n        sha256", "      http:\n        url: https://x/edgejwt.wasm\n        x",
			[]string{"warning |http:\n| the code is not pinned"}},
		{"no code", "      image:\n", "      x:\n", []string{"error |name: edgejwt\n    rootID| code names neither image nor http"}},
		{"no configuration", "    config:\n", "    other:\n", []string{"error |name: edgejwt\n    rootID| config is missing"}},
	})
}

// TestPolicyInPlaceOfTheGateways: what a route's own policy does to the Gateway's.
func TestPolicyInPlaceOfTheGateways(t *testing.T) {
	text, err := os.ReadFile("testdata/gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const head = "\n---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nmetadata: {name: other}\n"
	const lua, wasm = "lua: [{type: Inline, inline: x}]", "wasm: [{name: other, code: {type: Image, image: {url: r.example/other}}}]"
	for _, c := range []struct {
		name, spec string
		warned     bool
	}{
		{"a route's", "targetRefs: [{kind: HTTPRoute, name: a}], " + lua, true},
		{"a gRPC route's, by the old name", "targetRef: {kind: GRPCRoute, name: a}, " + lua, true},
		{"routes' by labels", "targetSelectors: [{kind: HTTPRoute, matchLabels: {a: b}}], " + lua, true},
		{"a listener's", "targetRefs: [{kind: Gateway, name: edge, sectionName: https}], " + lua, true},
		{"a route's, of another plugin", "targetRefs: [{kind: HTTPRoute, name: a}], " + wasm, true},
		{"merged, of another plugin", "mergeType: StrategicMerge, targetRefs: [{kind: HTTPRoute, name: a}], " + wasm, true},
		{"merged", "mergeType: StrategicMerge, targetRefs: [{kind: HTTPRoute, name: a}], " + lua, false},
		{"another Gateway's", "targetRefs: [{kind: Gateway, name: other}], " + lua, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"apart": string(text) + head + "spec: {" + c.spec + "}\n"}
			files["in a list"] = string(text) + "\n---\napiVersion: v1\nkind: List\nitems:\n- {kind: EnvoyExtensionPolicy, spec: {" + c.spec + "}}\n"
			for how, file := range files {
				got := strings.Join(found(file), "\n")
				if warned := strings.Contains(got, "a policy without edgejwt for a part of a Gateway"); warned != c.warned {
					t.Errorf("%s: warned %v, want %v: %s", how, warned, c.warned, got)
				}
			}
		})
	}
	alone := strings.TrimPrefix(head, "\n---\n") + "spec: {targetRefs: [{kind: HTTPRoute, name: a}], " + lua + "}\n"
	if got := found(alone); len(got) != 0 {
		t.Errorf("where there is no edgejwt: %q", got)
	}
}
