package harness

import (
	"cmp"
	_ "embed"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"go.yaml.in/yaml/v3"

	"edgejwt/e2e/parts"
)

// DefaultPlugin is the shipped example's configuration of the plugin.
const DefaultPlugin = `{
  "auth0": {
    "domain": "tenant.auth0.example",
    "audience": "https://api.example.com",
    "cluster": "auth0",
    "outputPayloadToHeader": "x-jwt-payload",
    "outputClaimToHeaders": [{"header": "x-jwt-sub", "claim": "sub"}]
  }
}`

// DefaultNative is jwt_authn at its best for the same job: keys fetched ahead,
// before the listener opens, tokens cached.
const DefaultNative = `providers:
  auth0:
    issuer: https://tenant.auth0.example/
    audiences: [https://api.example.com]
    remote_jwks:
      http_uri: {uri: https://tenant.auth0.example/.well-known/jwks.json, cluster: auth0, timeout: 5s}
      cache_duration: 600s
      async_fetch: {failed_refetch_duration: 1s}
      retry_policy: {num_retries: 3}
    forward: true
    forward_payload_header: x-jwt-payload
    claim_to_headers: [{header_name: x-jwt-sub, claim_name: sub}]
    jwt_cache_config: {jwt_cache_size: 1000}
rules:
- match: {prefix: /}
  requires: {provider_name: auth0}
`

//go:embed envoy.yaml.tmpl
var envoyTemplate string

var envoyConfig = template.Must(template.New("envoy").Funcs(template.FuncMap{
	"indent": func(n int, s string) string {
		pad := strings.Repeat(" ", n)
		return pad + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+pad)
	},
	"host": func(a string) string { h, _, _ := net.SplitHostPort(a); return h },
	"port": func(a string) string { _, p, _ := net.SplitHostPort(a); return p },
	"pair": func(world any, plugin string) map[string]any { return map[string]any{"World": world, "Plugin": plugin} },
}).Parse(envoyTemplate))

// write renders the configuration and returns the bootstrap's path. Files are
// replaced by a rename, which is what Envoy watches for.
func (w *World) write() string {
	w.T.Helper()
	o := w.opts
	if o.Plugin == "" {
		o.Plugin = DefaultPlugin
	}
	if o.Module == "" {
		o.Module = cmp.Or(os.Getenv("E2E_MODULE"), "dist/edgejwt.wasm")
	}
	if o.Native == "" {
		o.Native = DefaultNative
	}
	if o.Underscores == "" {
		o.Underscores = "ALLOW"
	}
	o.Edges = completed(o.Edges)
	w.version++
	data := map[string]any{
		"O": o, "Edge": w.Edge, "Native": w.Native, "Edges": w.edges, "API": cmp.Or(o.Upstream, w.API.Address),
		"Clusters": w.clusters(), "Dir": w.Dir, "Version": w.version,
	}
	render := func(name string) string {
		var b strings.Builder
		if err := envoyConfig.ExecuteTemplate(&b, name, data); err != nil {
			w.T.Fatal(err)
		}
		return b.String()
	}
	if o.Reloadable {
		// Alone in its folder: Envoy looks again at whatever moves in there.
		if err := os.MkdirAll(filepath.Join(w.Dir, "lds"), 0o755); err != nil {
			w.T.Fatal(err)
		}
		w.put("lds/listeners.yaml", render("lds"))
	}
	bootstrap := render("bootstrap")
	if o.Shape != nil {
		var tree map[string]any
		if err := yaml.Unmarshal([]byte(bootstrap), &tree); err != nil {
			w.T.Fatal(err)
		}
		o.Shape(tree, w.Dir)
		shaped, err := yaml.Marshal(tree)
		if err != nil {
			w.T.Fatal(err)
		}
		bootstrap = string(shaped)
	}
	w.put("envoy.yaml", bootstrap)
	return filepath.Join(w.Dir, "envoy.yaml")
}

func (w *World) put(name, content string) {
	w.T.Helper()
	draft := filepath.Join(w.Dir, "draft")
	if err := os.WriteFile(draft, []byte(content), 0o644); err != nil {
		w.T.Fatal(err)
	}
	if err := os.Rename(draft, filepath.Join(w.Dir, name)); err != nil {
		w.T.Fatal(err)
	}
}

// freeAddress is a loopback port for Envoy; a restart of Envoy must find the same one.
func freeAddress(t testing.TB) string {
	t.Helper()
	address, err := parts.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}
