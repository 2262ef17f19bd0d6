package bench

import (
	"strings"
	"text/template"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/bench/settings"
)

// listeners are the ways of checking. FastAPI's stand behind the same Envoy.
func listeners(m *modules) []*Listener {
	all := []*Listener{
		{Name: "none"},
		{Name: "empty", Filter: wasmFilter("empty", m.empty, "")},
		{Name: "trimmed", Filter: wasmFilter("trimmed", m.trimmed, "")},
		{Name: "native", Filter: nativeFilter(nativeCache, "")},
		{Name: "native-uncached", Filter: nativeFilter("", "")},
		{Name: "native-rich", Filter: nativeFilter(nativeCache, nativeClaims) + rbacFilter},
		{Name: "ext_authz", Filter: authzFilter},
		{Name: "edgejwt", Filter: wasmFilter("edgejwt", m.edgejwt, settings.Plain)},
		{Name: "edgejwt-host", Filter: wasmFilter("edgejwt-host", m.edgejwt, settings.Host)},
		{Name: "edgejwt-rich", Filter: wasmFilter("edgejwt-rich", m.edgejwt, settings.Rich)},
		{Name: "edgejwt-params", Filter: wasmFilter("edgejwt-params", m.edgejwt, settings.Params)},
		{Name: "edgejwt-cookies", Filter: wasmFilter("edgejwt-cookies", m.edgejwt, settings.Cookies)},
		{Name: "edgejwt-regex-8", RawPaths: true, Filter: wasmFilter("edgejwt-regex-8", m.edgejwt, settings.Regexes(8))},
		{Name: "edgejwt-regex-64", RawPaths: true, Filter: wasmFilter("edgejwt-regex-64", m.edgejwt, settings.Regexes(64))},
		{Name: "edgejwt-templates-10", RawPaths: true, Filter: wasmFilter("edgejwt-templates-10", m.edgejwt, settings.Templates(10, false))},
		{Name: "edgejwt-templates-256", RawPaths: true, Filter: wasmFilter("edgejwt-templates-256", m.edgejwt, settings.Templates(256, true))},
		{Name: listenerBefore, Filter: wasmFilter(listenerBefore, m.before, settings.Plain)},
		{Name: "api", Upstream: "api"},
		{Name: "api-edgejwt", Upstream: "api", Filter: wasmFilter("api-edgejwt", m.edgejwt, settings.Plain)},
		{Name: "api-pyjwt", Upstream: "api-pyjwt"},
		{Name: "api-seed", Upstream: "api-seed"},
	}
	for name := range floors {
		all = append(all, &Listener{Name: name, Filter: wasmFilter(name, m.floors[name], "")})
	}
	return all
}

// wasmFilter is a plugin in a VM of its own.
func wasmFilter(name, module, plugin string) string {
	return render(`- name: {{.name}}
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
    config:
      name: {{.name}}
      failure_policy: FAIL_RELOAD
      vm_config:
        vm_id: {{.name}}
        runtime: envoy.wasm.runtime.v8
        code: {local: {filename: {{.module}}}}
      configuration:
        "@type": type.googleapis.com/google.protobuf.StringValue
        value: |-
{{indent 10 .plugin}}
`, map[string]string{"name": name, "module": module, "plugin": plugin})
}

// nativeFilter is jwt_authn at its best: keys fetched ahead, before the listener
// opens. more are lines of the provider.
func nativeFilter(cache, more string) string {
	return render(`- name: envoy.filters.http.jwt_authn
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
    providers:
      auth0:
        issuer: https://{{.domain}}/
        audiences: [{{.audience}}]
        remote_jwks:
          http_uri: {uri: https://{{.domain}}/.well-known/jwks.json, cluster: auth0, timeout: 5s}
          cache_duration: 600s
          async_fetch: {failed_refetch_duration: 1s}
        forward: true
{{indent 8 .cache}}
{{indent 8 .more}}
    rules:
    - match: {prefix: /}
      requires: {provider_name: auth0}
`, map[string]string{"domain": auth0.DefaultDomain, "audience": auth0.DefaultAudience, "cache": cache, "more": more})
}

const (
	nativeCache  = "jwt_cache_config: {jwt_cache_size: 1000}"
	nativeClaims = `payload_in_metadata: token
normalize_payload_in_metadata: {space_delimited_claims: [scope]}
claim_to_headers:
- {header_name: x-jwt-sub, claim_name: sub}
- {header_name: x-jwt-client, claim_name: azp}
- {header_name: x-jwt-scope, claim_name: scope}
- {header_name: x-jwt-expires, claim_name: exp}`
)

// rbacFilter says what settings.Rich's routes say. RBAC has no order: every policy
// whose path fits may allow.
var rbacFilter = render(`- name: envoy.filters.http.rbac
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC
    rules:
      action: ALLOW
      policies:
{{- range .}}
        {{.Name}}:
          permissions:
          - and_rules:
              rules:
              - url_path: {path: { {{.Path}} }}
{{- with .Method}}
              - header: {name: ":method", string_match: {exact: {{.}}}}
{{- end}}
          principals:
          - and_ids:
              ids:
              - any: true
{{- range .Scopes}}
              - sourced_metadata:
                  metadata_matcher:
                    filter: envoy.filters.http.jwt_authn
                    path: [{key: token}, {key: scope}]
                    value: {list_match: {one_of: {string_match: {exact: "{{.}}"}}}}
{{- end}}
{{- end}}
`, []struct {
	Name, Path, Method string
	Scopes             []string
}{
	{Name: "health", Path: "exact: /health"},
	{Name: "public", Path: "prefix: /public/", Method: "GET"},
	{Name: "me", Path: "exact: /me"},
	{Name: "admin", Path: "prefix: /admin/", Scopes: []string{"admin"}},
	{Name: "users", Path: "safe_regex: {regex: '/users/[^/]+'}", Scopes: []string{"read:users"}},
	{Name: "reports", Path: "prefix: /reports/", Scopes: []string{"read:reports"}},
	{Name: "orders-list", Path: "exact: /orders", Method: "GET", Scopes: []string{"read:orders"}},
	{Name: "orders-add", Path: "exact: /orders", Method: "POST", Scopes: []string{"write:orders"}},
	{Name: "orders-write", Path: "safe_regex: {regex: '/orders/[^/]+/lines'}", Method: "POST", Scopes: []string{"write:orders"}},
	{Name: "orders-read", Path: "safe_regex: {regex: '/orders/[^/]+/lines'}", Method: "GET", Scopes: []string{"read:orders", "write:orders"}},
})

const authzFilter = `- name: envoy.filters.http.ext_authz
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
    transport_api_version: V3
    grpc_service:
      envoy_grpc: {cluster_name: authz}
      timeout: 20s
`

var helpers = template.FuncMap{
	"indent": func(n int, s string) string {
		pad := strings.Repeat(" ", n)
		return pad + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+pad)
	},
	"host": func(a string) string { return a[:strings.LastIndexByte(a, ':')] },
	"port": func(a string) string { return a[strings.LastIndexByte(a, ':')+1:] },
}

func render(text string, data any) string {
	var b strings.Builder
	if err := template.Must(template.New("").Funcs(helpers).Parse(text)).Execute(&b, data); err != nil {
		panic(err) // our own template and data
	}
	return b.String()
}
