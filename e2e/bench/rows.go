package bench

import (
	"slices"
	"strings"
	"text/template"

	"edgejwt/e2e/auth0"
)

// Listener is one way of checking tokens: a filter in front of Envoy's own
// answer, or of an API.
type Listener struct {
	Name     string
	Filter   string // YAML of one HTTP filter; empty for none
	Upstream string // an API's name; empty lets Envoy answer by itself
	Address  string // host:port, set when the listener is up
}

// Row is one line of the table: a listener and what is sent to it.
type Row struct {
	ID       string
	Name     string // for the table
	Listener string
	Traffic  Traffic
	Path     string // default /orders
	Status   int    // default 200
	Reason   string // expected in the body of a refusal by edgejwt; "" is not looked at
	Group    string // heading in the table
	Quick    bool   // also in the short form
	Latency  bool   // also measured at half of saturation
	// Also names the processes besides Envoy that do this row's work on Envoy's
	// core: an API's name, or "authz".
	Also string
}

// The names of rows that goals and ratios refer to.
const (
	rowNone     = "none"
	rowFloor    = "floor"
	rowEmpty    = "empty"
	rowTrimmed  = "trimmed"
	rowNative   = "native"
	rowUncached = "native-uncached"
	rowAuthz    = "ext_authz"
	rowRepeated = "repeated"
	rowNewGo    = "new-go"
	rowNewHost  = "new-host"
	rowRich     = "rich"
	rowAPI      = "api"
	rowAPIEdge  = "api-edgejwt"
	rowAPIKeys  = "api-pyjwt"
	rowAPISeed  = "api-seed"
)

// Groups of rows, in the table's order.
const (
	groupFloor   = "What any filter costs"
	groupOthers  = "Other ways"
	groupEdgejwt = "edgejwt"
	groupRefuse  = "Refusals"
	groupAPI     = "FastAPI behind Envoy"
)

// rows is the table, in its order.
var rows = []Row{
	{ID: rowNone, Name: "no filter", Listener: "none", Group: groupFloor, Quick: true, Latency: true},
	{ID: rowFloor, Name: "hand-written module: one callback, one header read", Listener: "floor", Group: groupFloor, Quick: true},
	{ID: rowEmpty, Name: "empty SDK plugin", Listener: "empty", Group: groupFloor, Quick: true},
	{ID: rowTrimmed, Name: "empty SDK plugin, exports trimmed", Listener: "trimmed", Group: groupFloor, Quick: true, Latency: true},

	{ID: rowNative, Name: "jwt_authn with its cache, repeated token", Listener: "native", Group: groupOthers, Quick: true, Latency: true},
	{ID: "native-new", Name: "jwt_authn with its cache, new token each time", Listener: "native", Traffic: New, Group: groupOthers},
	{ID: rowUncached, Name: "jwt_authn without cache", Listener: "native-uncached", Group: groupOthers, Quick: true, Latency: true},
	{ID: rowAuthz, Name: "ext_authz, gRPC server in Go", Listener: "ext_authz", Group: groupOthers, Quick: true, Latency: true, Also: "authz"},

	{ID: rowRepeated, Name: "repeated token", Listener: "edgejwt", Group: groupEdgejwt, Quick: true, Latency: true},
	{ID: rowNewGo, Name: "new token each time, signature: go", Listener: "edgejwt", Traffic: New, Group: groupEdgejwt, Quick: true, Latency: true},
	{ID: rowNewHost, Name: "new token each time, signature: host", Listener: "edgejwt-host", Traffic: New, Group: groupEdgejwt, Quick: true, Latency: true},
	{ID: "tenth-go", Name: "one token in ten is new, signature: go", Listener: "edgejwt", Traffic: Tenth, Group: groupEdgejwt, Latency: true},
	{ID: "tenth-host", Name: "one token in ten is new, signature: host", Listener: "edgejwt-host", Traffic: Tenth, Group: groupEdgejwt},
	{ID: rowRich, Name: "ten routes, scopes, four claim headers, repeated token", Listener: "edgejwt-rich", Path: "/orders/7/lines?page=2", Group: groupEdgejwt, Quick: true, Latency: true},

	{ID: "none-given", Name: "no token", Listener: "edgejwt", Traffic: Missing, Status: 401, Reason: "token_missing", Group: groupRefuse},
	{ID: "expired", Name: "expired token", Listener: "edgejwt", Traffic: Expired, Status: 401, Reason: "token_expired", Group: groupRefuse},
	{ID: "forged", Name: "bad signature, new each time", Listener: "edgejwt", Traffic: Forged, Status: 401, Reason: "signature_invalid", Group: groupRefuse},
	{ID: "unknown-key", Name: "unknown kid, new each time", Listener: "edgejwt", Traffic: UnknownKey, Status: 401, Reason: "key_unknown", Group: groupRefuse},

	{ID: rowAPI, Name: "FastAPI alone: nobody checks", Listener: "api", Group: groupAPI, Quick: true, Also: "api"},
	{ID: rowAPIEdge, Name: "edgejwt checks, repeated token", Listener: "api-edgejwt", Group: groupAPI, Quick: true, Also: "api"},
	{ID: rowAPIKeys, Name: "PyJWT checks, keys kept", Listener: "api-pyjwt", Group: groupAPI, Quick: true, Also: "api-pyjwt"},
	{ID: rowAPISeed, Name: "PyJWT checks, key set downloaded for each request", Listener: "api-seed", Group: groupAPI, Quick: true, Also: "api-seed"},
}

func init() {
	for i := range rows {
		if rows[i].Path == "" {
			rows[i].Path = "/orders"
		}
		if rows[i].Status == 0 {
			rows[i].Status = 200
		}
	}
}

// rowOf finds a row by its ID.
func rowOf(id string) *Row {
	i := slices.IndexFunc(rows, func(r Row) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &rows[i]
}

// The configurations of edgejwt. They name the same issuer and audience as
// jwt_authn's below, and hand on no more than it does.
const (
	pluginPlain = `{"auth0": {"domain": "` + auth0.DefaultDomain + `", "audience": "` + auth0.DefaultAudience + `", "cluster": "auth0"}}`
	pluginHost  = `{"signature": "host", "auth0": {"domain": "` + auth0.DefaultDomain + `", "audience": "` + auth0.DefaultAudience + `", "cluster": "auth0"}}`
	// What asks for /orders/7/lines goes past nine routes.
	pluginRich = `{
  "auth0": {"domain": "` + auth0.DefaultDomain + `", "audience": "` + auth0.DefaultAudience + `", "cluster": "auth0",
    "outputClaimToHeaders": [
      {"header": "x-jwt-sub", "claim": "sub"}, {"header": "x-jwt-client", "claim": "azp"},
      {"header": "x-jwt-scope", "claim": "scope"}, {"header": "x-jwt-expires", "claim": "exp"}]},
  "routes": [
    {"name": "health", "path": {"exact": "/health"}, "auth": "none"},
    {"name": "public", "path": {"prefix": "/public"}, "methods": ["GET", "HEAD"], "auth": "none"},
    {"name": "me", "path": {"exact": "/me"}},
    {"name": "admin", "path": {"prefix": "/admin"}, "permissions": ["admin"]},
    {"name": "users", "path": {"template": "/users/{id}"}, "scopes": ["read:users"]},
    {"name": "reports", "path": {"prefix": "/reports"}, "scopes": ["read:reports"]},
    {"name": "orders-list", "path": {"exact": "/orders"}, "methods": ["GET"], "scopes": ["read:orders"]},
    {"name": "orders-add", "path": {"exact": "/orders"}, "methods": ["POST"], "scopes": ["write:orders"]},
    {"name": "orders-write", "path": {"template": "/orders/{id}/lines"}, "methods": ["POST", "PUT"], "scopes": ["write:orders"]},
    {"name": "orders-read", "path": {"template": "/orders/{id}/lines"}, "methods": ["GET"], "scopes": ["read:orders", "write:orders"]}
  ]
}`
)

// listeners are the ways of checking. FastAPI's stand behind the same Envoy.
func listeners(m *modules) []*Listener {
	return []*Listener{
		{Name: "none"},
		{Name: "floor", Filter: wasmFilter("floor", m.floor, "")},
		{Name: "empty", Filter: wasmFilter("empty", m.empty, "")},
		{Name: "trimmed", Filter: wasmFilter("trimmed", m.trimmed, "")},
		{Name: "native", Filter: nativeFilter(true)},
		{Name: "native-uncached", Filter: nativeFilter(false)},
		{Name: "ext_authz", Filter: authzFilter},
		{Name: "edgejwt", Filter: wasmFilter("edgejwt", m.edgejwt, pluginPlain)},
		{Name: "edgejwt-host", Filter: wasmFilter("edgejwt-host", m.edgejwt, pluginHost)},
		{Name: "edgejwt-rich", Filter: wasmFilter("edgejwt-rich", m.edgejwt, pluginRich)},
		{Name: "api", Upstream: "api"},
		{Name: "api-edgejwt", Upstream: "api", Filter: wasmFilter("api-edgejwt", m.edgejwt, pluginPlain)},
		{Name: "api-pyjwt", Upstream: "api-pyjwt"},
		{Name: "api-seed", Upstream: "api-seed"},
	}
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
// opens.
func nativeFilter(cached bool) string {
	cache := ""
	if cached {
		cache = "        jwt_cache_config: {jwt_cache_size: 1000}\n"
	}
	return `- name: envoy.filters.http.jwt_authn
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
    providers:
      auth0:
        issuer: https://` + auth0.DefaultDomain + `/
        audiences: [` + auth0.DefaultAudience + `]
        remote_jwks:
          http_uri: {uri: https://` + auth0.DefaultDomain + `/.well-known/jwks.json, cluster: auth0, timeout: 5s}
          cache_duration: 600s
          async_fetch: {failed_refetch_duration: 1s}
        forward: true
` + cache + `    rules:
    - match: {prefix: /}
      requires: {provider_name: auth0}
`
}

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
