package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"sigs.k8s.io/yaml"

	"edgejwt/deploy/crd"
)

// TestTenantIsWrittenOnce: who changes the tenant's name in the one place that the
// pages tell of has changed it everywhere.
func TestTenantIsWrittenOnce(t *testing.T) {
	for dir, file := range map[string]string{
		"istio/gateway": "istio/base/wasmplugin.yaml", "istio/gateway-api": "istio/base/wasmplugin.yaml", "istio/sidecar": "istio/base/wasmplugin.yaml",
		"envoy-gateway/base": "envoy-gateway/base/policy.yaml", "envoy-gateway/http": "envoy-gateway/base/policy.yaml",
	} {
		mine := t.TempDir()
		for _, folder := range []string{"istio", "envoy-gateway"} {
			if err := os.CopyFS(filepath.Join(mine, folder), os.DirFS(folder)); err != nil {
				t.Fatal(err)
			}
		}
		replace(t, filepath.Join(mine, file), "tenant.eu.auth0.com", "login.example.org", 1)
		text := build(t, filepath.Join(mine, dir))
		if strings.Contains(text, "tenant.eu") {
			t.Errorf("%s: the old name is still there:\n%s", dir, text)
		}
		if n := strings.Count(text, "login.example.org"); n < 3 {
			t.Errorf("%s: the new name stands in %d places only", dir, n)
		}
	}
}

// TestNamespaceIsInTheCluster: Envoy Gateway's name for the keys' cluster follows
// the namespace that the resources are put into.
func TestNamespaceIsInTheCluster(t *testing.T) {
	mine := t.TempDir()
	if err := os.CopyFS(mine, os.DirFS("envoy-gateway")); err != nil {
		t.Fatal(err)
	}
	replace(t, filepath.Join(mine, "base/kustomization.yaml"), "namespace: ingress ", "namespace: edge ", 1)
	if text := build(t, filepath.Join(mine, "base")); !strings.Contains(text, "cluster: httproute/edge/edgejwt-keys/rule/0\n") {
		t.Errorf("the cluster's name has not followed:\n%s", text)
	}
}

// TestGatewayNamesClustersSo holds the form of the cluster's name, which Envoy
// Gateway does not promise, against what its own tests expect.
func TestGatewayNamesClustersSo(t *testing.T) {
	for _, name := range []string{"Envoy Gateway 1.7", "Envoy Gateway 1.9"} {
		file := filepath.Join(published(t, name), "internal/gatewayapi/testdata/backendtlspolicy-system-truststore.out.yaml")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"kind: HTTPRoute", "name: httproute-btls\n", "namespace: envoy-gateway\n", // this route …
			"name: httproute/envoy-gateway/httproute-btls/rule/0\n", // … gives this cluster
		} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: %s has no %q", name, filepath.Base(file), want)
			}
		}
	}
}

// TestMergingReplacesLists holds what the pages say of mergeType against Envoy
// Gateway's own tests: of two policies with a list, the route's is all that is left.
func TestMergingReplacesLists(t *testing.T) {
	base := filepath.Join(published(t, "Envoy Gateway 1.9"), "internal/gatewayapi/testdata/envoyextensionpolicy-with-merge-needs-fieldowner.")
	given, err := os.ReadFile(base + "in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(base + "out.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(given), "    lua:\n"); n != 2 || !strings.Contains(string(given), "mergeType: StrategicMerge") {
		t.Errorf("%d policies have a list, want 2 that are merged", n)
	}
	if text := string(made); strings.Count(text, "/lua/") != 1 || !strings.Contains(text, "policy-for-route/lua/0") {
		t.Error("the Gateway's list is no longer replaced by the route's")
	}
}

// TestBootstrapIsEnvoys: what is merged into the bootstrap has only names that Envoy
// knows, and holds Envoy's own constraints. Envoy Gateway merges the same way.
func TestBootstrapIsEnvoys(t *testing.T) {
	objects, err := crd.Documents(build(t, "envoy-gateway/static"))
	if err != nil {
		t.Fatal(err)
	}
	json, err := yaml.YAMLToJSON([]byte(bootstrapOf(objects)))
	if err != nil {
		t.Fatal(err)
	}
	var bootstrap bootstrapv3.Bootstrap
	if err := protojson.Unmarshal(json, &bootstrap); err != nil {
		t.Fatal(err)
	}
	if err := bootstrap.ValidateAll(); err != nil {
		t.Error(err)
	}
	if n := len(bootstrap.GetStaticResources().GetClusters()); n != 1 {
		t.Errorf("%d clusters, want 1", n)
	}
}

func replace(t *testing.T, file, from, to string, want int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), from); n != want {
		t.Fatalf("%s has %q %d times, want %d", file, from, n, want)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), from, to)), 0o644); err != nil {
		t.Fatal(err)
	}
}
