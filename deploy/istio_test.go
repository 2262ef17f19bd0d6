package deploy

import (
	"encoding/json"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	extensions "istio.io/api/extensions/v1alpha1"
	networking "istio.io/api/networking/v1alpha3"

	"edgejwt/deploy/crd"
)

// TestIstioReadsItSo reads the resources into Istio's own types, where an unknown
// name is an error, and looks at what Istio would then see.
func TestIstioReadsItSo(t *testing.T) {
	for _, dir := range []string{"istio/gateway", "istio/gateway-api", "istio/sidecar"} {
		objects, err := crd.Documents(build(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		var plugin extensions.WasmPlugin
		var entry networking.ServiceEntry
		var rule networking.DestinationRule
		for _, o := range objects {
			into := map[any]proto.Message{"WasmPlugin": &plugin, "ServiceEntry": &entry, "DestinationRule": &rule}[o["kind"]]
			text, err := json.Marshal(o["spec"])
			if err == nil {
				err = protojson.Unmarshal(text, into)
			}
			if err != nil {
				t.Fatalf("%s, %v: %v", dir, o["kind"], err)
			}
		}
		if plugin.Phase != extensions.PluginPhase_AUTHN || plugin.FailStrategy != extensions.FailStrategy_FAIL_RELOAD || len(plugin.Sha256) != 64 {
			t.Errorf("%s: phase %v, failStrategy %v, sha256 %q", dir, plugin.Phase, plugin.FailStrategy, plugin.Sha256)
		}
		targets := len(plugin.TargetRefs)
		if plugin.Selector != nil {
			targets++
		}
		if targets != 1 {
			t.Errorf("%s: %d targets, want 1: without one it is for all of the namespace", dir, targets)
		}
		// TLS at the very port that the plugin calls, and at no other.
		port := map[string]uint32{"istio/sidecar": 8443}[dir]
		if port == 0 {
			port = 443
		}
		levels := rule.GetTrafficPolicy().GetPortLevelSettings()
		if len(levels) != 1 || levels[0].Port.Number != port || rule.GetTrafficPolicy().GetTls() != nil {
			t.Fatalf("%s: TLS at %v, want it at %d", dir, levels, port)
		}
		host := entry.Hosts[0]
		if tls := levels[0].Tls; tls.Mode != networking.ClientTLSSettings_SIMPLE || tls.Sni != host || len(tls.SubjectAltNames) != 1 || tls.SubjectAltNames[0] != host || rule.Host != host {
			t.Errorf("%s: TLS for %s is %v to %s", dir, host, tls, rule.Host)
		}
		if p := entry.Ports[0]; p.Number != port || port != 443 && p.TargetPort != 443 {
			t.Errorf("%s: port %v", dir, p)
		}
	}
}
