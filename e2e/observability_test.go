package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"edgejwt/deploy/observability"
	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
	"edgejwt/plugin/version"
)

// TestQueriesFindSeries scrapes a real Envoy and asks what the dashboard and the
// alerts ask: every name, label and value must be there. Once with the labels made
// by Envoy, as in the shipped examples, and once as Istio's proxies are: without tags
// of ours, most statistics left out, and the keys' cluster under Istio's name, which
// the configuration does not mention because it is the default.
func TestQueriesFindSeries(t *testing.T) {
	tenant, err := auth0.Start(auth0.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	const routes = `"outputClaimToHeaders": [{"header": "x-name", "claim": "name"}]}, "mode": "report", "routes": [{"name": "orders.read", "path": {"prefix": "/orders"}}]`
	unsigned := strings.NewReplacer(".", "_", "-", "_")
	for _, proxy := range []struct {
		name, plugin string
		clusters     []harness.Cluster
		stats        any
		labels       map[string]string
	}{
		{
			name:   "tags as in envoy.yaml",
			plugin: `{"auth0": {"domain": "tenant.auth0.example", "audience": "https://api.example.com", "cluster": "auth0", ` + routes + `}`,
			stats:  shippedStats(t),
			labels: map[string]string{"jwks": "tenant.auth0.example/.well-known/jwks.json", "issuer": "tenant.auth0.example/", "route": "orders.read", "output": "x-name", "version": version.Number},
		},
		{
			name:     "Istio's proxy",
			plugin:   `{"auth0": {"domain": "tenant.auth0.example", "audience": "https://api.example.com", ` + routes + `}`,
			clusters: []harness.Cluster{{Name: "outbound|443||tenant.auth0.example", Provider: tenant}},
			stats:    istioStats(t),
			labels:   map[string]string{"jwks": "tenant_auth0_example__well_known_jwks_json", "issuer": "tenant_auth0_example_", "route": "orders_read", "output": "x_name", "version": unsigned.Replace(version.Number)},
		},
	} {
		t.Run(proxy.name, func(t *testing.T) {
			tenant.SetFault(auth0.Fault{Kind: auth0.Status, Times: 1}) // so that a failed fetch is counted
			w := harness.Start(t, harness.Options{
				Plugin: proxy.plugin, Auth0: tenant, Clusters: proxy.clusters,
				Shape: func(bootstrap map[string]any, _ string) { bootstrap["stats_config"] = proxy.stats },
			})
			// In report mode everything is answered with 200: what counts is the reason.
			w.Eventually(20*time.Second, "the keys are there", func() bool {
				w.Get("/orders", bearer(tenant.Token())...)
				return w.Count("accepted") > 0
			})
			w.Get("/orders", bearer(signed(t, tenant, auth0.Claims{"name": "Zoë"}))...)
			w.Get("/orders")
			w.Grows("edgejwt_token_cache", 1, func() { w.Get("/orders", bearer(tenant.Token())...) }) // all is told by then
			text, err := w.Envoy.Get("/stats/prometheus")
			if err != nil {
				t.Fatal(err)
			}
			series, err := observability.Series(text)
			if err != nil {
				t.Fatal(err)
			}
			folder := filepath.Join(harness.Root(), "deploy/observability")
			if series, err = observability.Relabel(folder, series); err != nil {
				t.Fatal(err)
			}
			records, err := observability.Records(folder)
			if err != nil {
				t.Fatal(err)
			}
			queries, err := observability.Queries(folder)
			if err != nil || len(queries) < 30 {
				t.Fatal(len(queries), err)
			}
			for _, expr := range []string{`edgejwt_jwks_fetch_failures{kind="status", jwks="` + proxy.labels["jwks"] + `"}`, `edgejwt_jwks_keys{jwks="` + proxy.labels["jwks"] + `"}`, `edgejwt_route_requests{route="` + proxy.labels["route"] + `"}`,
				`edgejwt_issuer_requests{issuer="` + proxy.labels["issuer"] + `"}`, `edgejwt_claims_dropped{output="` + proxy.labels["output"] + `"}`, `edgejwt_build_info{version="` + proxy.labels["version"] + `"}`, `edgejwt_signatures{engine="go"}`,
				`edgejwt_route_requests{outcome=~"passed|reported"}`, `edgejwt_issuer_requests{outcome="passed"}`, `edgejwt_token_cache{result=~"hit|miss|bad"}`} {
				queries = append(queries, observability.Query{Where: "a label's value", Expr: expr})
			}
			for _, q := range queries {
				for _, fault := range observability.Unknown(q, append(series, records...)) {
					t.Error(fault)
				}
			}
		})
	}
}

// shippedStats is the stats_config of envoy.yaml.
func shippedStats(t *testing.T) any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(harness.Root(), "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var example map[string]any
	if err := yaml.Unmarshal(text, &example); err != nil || example["stats_config"] == nil {
		t.Fatal("envoy.yaml has no stats_config", err)
	}
	return example["stats_config"]
}

// istioStats is how Istio's bootstrap chooses statistics, with the prefixes that
// deploy/istio/README.md tells to add.
func istioStats(t *testing.T) any {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(harness.Root(), "deploy/istio/README.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`inclusionPrefixes: \[(.*)\]`).FindStringSubmatch(string(page))
	if found == nil {
		t.Fatal("deploy/istio/README.md has no inclusionPrefixes")
	}
	patterns := []any{map[string]any{"prefix": "reporter="}, map[string]any{"prefix": "component"}, map[string]any{"prefix": "istio"}}
	for _, prefix := range strings.Split(found[1], ", ") {
		patterns = append(patterns, map[string]any{"prefix": prefix})
	}
	return map[string]any{
		"use_all_default_tags": false,
		"stats_tags":           []any{map[string]any{"tag_name": "cluster_name", "regex": `^cluster(\.(.+);)`}},
		"stats_matcher":        map[string]any{"inclusion_list": map[string]any{"patterns": patterns}},
	}
}
