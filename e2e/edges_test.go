package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"

	"go.yaml.in/yaml/v3"
)

// edges is the one Envoy behind which the tests of routes, tenants and protocols
// each have listeners of their own: compiling the module is what a start costs.
func edges(t *testing.T) *harness.World {
	t.Helper()
	var list []harness.Edge
	var clusters []harness.Cluster
	for _, of := range []func(*testing.T) ([]harness.Edge, []harness.Cluster){
		routeEdges, trickEdges, tenantEdges, placeEdges, protocolEdges, reportEdges, discoveryEdges, toldEdges, demoEdges, http3Edges, reroutedEdges, spellingEdges, spelledEdges, bodyEdges,
	} {
		e, c := of(t)
		list, clusters = append(list, e...), append(clusters, c...)
	}
	return harness.SharedAs(t, "edges", harness.Options{App: "everything:app", Edges: list, Clusters: clusters})
}

// fromYAML is a configuration as the plugin gets it.
func fromYAML(t *testing.T, text string) string {
	t.Helper()
	var tree any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatal(err)
	}
	raw, err := json.MarshalIndent(tree, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// fileInRoot reads a file of the project.
func fileInRoot(t *testing.T, path ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{harness.Root()}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// signed is a token of a tenant's usual client, with the claims given besides.
func signed(t *testing.T, by *auth0.Server, claims auth0.Claims) string {
	t.Helper()
	all := by.ClientClaims(auth0.DefaultClientID, auth0.DefaultAudience, "")
	for name, value := range claims {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	token, err := by.MintToken(all, auth0.Mint{})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// ago is a time in the past, as a claim.
func ago(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
