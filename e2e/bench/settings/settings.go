// Package settings holds the configurations of edgejwt that are measured, in
// Envoy and stage by stage. They are for the stand-in tenant.
package settings

import (
	"fmt"
	"strings"
)

const tenant = `"domain": "tenant.auth0.example", "audience": "https://api.example.com", "cluster": "auth0"`

// Plain checks tokens and hands nothing on.
const Plain = `{"auth0": {` + tenant + `}}`

// Host is Plain with Envoy's engine.
const Host = `{"signature": "host", "auth0": {` + tenant + `}}`

// RichPath is a path that goes past nine of Rich's routes.
const RichPath = "/orders/7/lines?page=2"

// Rich has ten routes with scopes, and four claims become headers.
const Rich = `{
  "auth0": {` + tenant + `, ` + outputs + `},
  "routes": ` + routes + `
}`

const outputs = `
    "outputClaimToHeaders": [
      {"header": "x-jwt-sub", "claim": "sub"}, {"header": "x-jwt-client", "claim": "azp"},
      {"header": "x-jwt-scope", "claim": "scope"}, {"header": "x-jwt-expires", "claim": "exp"}]`

const routes = `[
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
  ]`

// Inline is Rich with the key set in place of a cluster, for runs without a host.
// keys is JSON (RFC 7517 §5).
func Inline(keys string) string {
	return `{
  "jwtRules": [{"issuer": "https://tenant.auth0.example/", "audiences": ["https://api.example.com"], "jwks": ` + keys + `, ` + outputs + `}],
  "routes": ` + routes + `
}`
}

// Params and Cookies are Plain with tokens looked for in three parameters of the
// URL, and in two cookies.
const (
	Params  = `{"auth0": {` + tenant + `, "fromParams": ["access_token", "token", "jwt"]}}`
	Cookies = `{"auth0": {` + tenant + `, "fromCookies": ["session", "access_token"]}}`
)

// Regexes is Plain with n routes by regular expressions that no literal in front
// tells apart.
func Regexes(n int) string {
	return withRoutes(n, "", func(i int) string { return fmt.Sprintf(`{"regex": "/.+/reports-%d/[0-9]+"}`, i) })
}

// Templates is Plain with n routes by templates. 256 are the most that there may be.
func Templates(n int, ignoreCase bool) string {
	return withRoutes(n, fmt.Sprintf(`"ignorePathCase": %v, `, ignoreCase), func(i int) string {
		return fmt.Sprintf(`{"template": "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/reports-%d"}`, i)
	})
}

// withRoutes is Plain with other fields and with n routes.
func withRoutes(n int, fields string, path func(i int) string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"name": "r%d", "path": %s, "scopes": ["s%d"]}`, i, path(i), i)
	}
	return `{"auth0": {` + tenant + `}, ` + fields + `"routes": [` + strings.Join(list, ",\n") + `]}`
}
