package explain

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
)

func parseFull(t testing.TB, text string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const gaps = `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "x"}, %s "routes": [
 {"name": "read", "path": {"exact": "/orders"}, "methods": ["GET"], "scopes": ["read:orders"]},
 {"name": "write", "path": {"exact": "/orders"}, "methods": ["POST"], "permissions": ["write:orders"], "maxAge": "1h"},
 {"path": {"prefix": "/public"}, "methods": ["GET"], "auth": "none"},
 {"path": {"template": "/users/{id}/x y"}, "auth": "deny"},
 {"path": {"regex": "/v[0-9]+/(a|b)?.*"}, "hosts": ["*.example.com", "b.example"], "scopes": ["v"]},
 {"path": {"exact": "/trial"}, "mode": "report", "scopes": ["t"]},
 {"path": {"exact": "/opaque"}, "allowOpaque": true, "scopes": ["o"]},
 {"path": {"exact": "/maybe"}, "auth": "optional"},
 {"path": {"exact": "/both"}, "auth": "optional", "anonymousPasses": true, "scopes": ["b"]},
 {"path": {"exact": "/head"}, "headers": [{"name": "x-v", "values": ["2", "3"]}, {"name": "x-w"}], "scopes": ["h"]},
 {"path": {"exact": "/twin"}, "methods": ["GET"], "scopes": ["one"]}, {"path": {"exact": "/twin"}, "scopes": ["other"]},
 {"methods": ["TRACE"], "auth": "deny"}]}`

// lines has one line for each operation.
func lines(c *Coverage) (all []string) {
	for _, o := range c.Operations {
		line := o.Method + " " + o.Path
		for _, more := range [][]string{o.Hosts, o.Headers, {o.Example}} {
			if text := strings.Join(more, "; "); text != "" {
				line += " [" + text + "]"
			}
		}
		all = append(all, line+" -> "+o.Route+" "+string(o.Asks)+": "+strings.Join(o.Needs, "; "))
	}
	return all
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestCoverRoutes(t *testing.T) {
	coverage := CoverRoutes(parseFull(t, strings.Replace(gaps, "%s", "", 1)))
	compare(t, lines(coverage), []string{
		"GET /orders -> read more: scopes: read:orders",
		"HEAD /orders -> read more: scopes: read:orders",
		"POST /orders -> write more: maxAge: 1h; permissions: write:orders",
		"TRACE /orders -> routes[12] denied: nobody passes",
		"* /orders ->  token: a valid token only",
		"GET /public and below -> routes[2] nothing: nothing",
		"TRACE /public and below -> routes[12] denied: nobody passes",
		"* /public and below ->  token: a valid token only",
		"* /users/{id}/x y -> routes[3] denied: nobody passes",
		"* regex /v[0-9]+/(a|b)?.* [*.example.com; b.example] -> routes[4] more: scopes: v",
		"* /trial -> routes[5] nothing: mode report: what would be refused passes; scopes: t",
		"* /opaque -> routes[6] nothing: any text for a token (allowOpaque); scopes: o",
		"* /maybe -> routes[7] nothing: a valid token or none",
		"* /both -> routes[8] nothing: nothing without a token; of a token; scopes: b",
		"* /head [x-v: 2 or 3; x-w] -> routes[9] more: scopes: h",
		"GET /twin -> routes[10] more: scopes: one",
		"HEAD /twin ->  refused: request_ambiguous",
		"* /twin -> routes[11] more: scopes: other",
		"TRACE * -> routes[12] denied: nobody passes",
		"* * ->  token: a valid token only",
	})
	compare(t, coverage.Notes, []string{"Of the paths of routes[4], an expression, this one was tried: /v1/"})

	closed := CoverRoutes(parseFull(t, strings.Replace(gaps, "%s", `"unmatched": "deny", "routeMetadata": true,`, 1)))
	if last := lines(closed)[len(closed.Operations)-1]; last != "* * ->  denied: nobody passes" {
		t.Errorf("with unmatched: deny, the last line is %q", last)
	}
	if !strings.Contains(strings.Join(closed.Notes, "\n"), "routeMetadata") {
		t.Errorf("notes %q", closed.Notes)
	}
	compare(t, lines(CoverRoutes(parseFull(t, `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "x"}, "mode": "report"}`))),
		[]string{"* * ->  nothing: mode report: what would be refused passes"})
	compare(t, lines(CoverRoutes(parseFull(t, `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "x"}, "routes": [{"path": {"prefix": "/"}, "scopes": ["a"]}]}`))),
		[]string{"* * -> routes[0] more: scopes: a"})
}

func tenants(t testing.TB) *config.Config {
	t.Helper()
	text, err := os.ReadFile("../../../e2e/tenants/edgejwt.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents, err := document.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return parseFull(t, string(documents[0].JSON()))
}

// TestCoverFastAPI: the operations of the three-tenant example, as its FastAPI app
// describes them. The gate itself must agree about a request without a token.
func TestCoverFastAPI(t *testing.T) {
	text, err := os.ReadFile("testdata/fastapi.json")
	if err != nil {
		t.Fatal(err)
	}
	c := tenants(t)
	coverage, err := CoverOpenAPI(c, text)
	if err != nil {
		t.Fatal(err)
	}
	var short []string
	for _, o := range coverage.Operations {
		short = append(short, strings.TrimSpace(o.Method+" "+o.Path+" "+o.Example)+" "+o.Route+" "+string(o.Asks))
	}
	compare(t, short, []string{
		"GET /health health nothing",
		"GET /public/{page} public nothing",
		"GET /orgs/{org}/orders /orgs/some-org/orders orders-read more",
		"GET /orgs/{org}/orders /orgs/initech/orders initech-read more",
		"POST /orgs/{org}/orders /orgs/some-org/orders orders-write more",
		"POST /orgs/{org}/orders /orgs/initech/orders initech-write more",
		"GET /orgs/{org}/orders/{order} /orgs/some-org/orders/some-order orders-read more",
		"GET /orgs/{org}/orders/{order} /orgs/initech/orders/some-order initech-read more",
		"GET /orgs/{org}/members /orgs/some-org/members members more",
		"GET /orgs/{org}/members /orgs/initech/members initech-read more",
		"DELETE /orgs/{org}/members/{member} /orgs/some-org/members/some-member members more",
		"DELETE /orgs/{org}/members/{member} /orgs/initech/members/some-member initech-write more",
		"POST /export export more",
		"GET /admin/{page} staff more",
		"GET /admin staff more",
		"GET /me me token",
	})
	for _, o := range coverage.Operations {
		path := o.Example
		if path == "" {
			path = strings.NewReplacer("{", "", "}", "").Replace(o.Path)
		}
		q, err := NewRequest(o.Method+" "+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := map[Asks]string{AsksNothing: "public", AsksToken: "token_missing", AsksMore: "token_missing", AsksDenied: "route_denied"}[o.Asks]
		if e := Explain(q, &Options{Config: c, Keys: &KeySource{}, At: time.Now()}); e.Reason != want || e.Route != o.Route {
			t.Errorf("%s %s is told as %s by %q, and the gate says %s by %q", o.Method, path, o.Asks, o.Route, e.Reason, e.Route)
		}
	}
}

func TestCoverOpenAPI(t *testing.T) {
	c := parseFull(t, `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "x"}, "unmatched": "token", "routes": [
		{"name": "open", "path": {"exact": "/v2/orders/export"}, "methods": ["GET"], "auth": "none"},
		{"name": "numbers", "path": {"regex": "/v2/orders/[0-9]+"}, "scopes": ["read"]},
		{"name": "kind", "path": {"template": "/v2/kinds/b"}, "scopes": ["b"]},
		{"name": "uuid", "path": {"regex": "/v2/things/[0-9a-f-]{36}"}, "scopes": ["u"]},
		{"name": "below", "path": {"prefix": "/v2/files/secret"}, "auth": "deny"},
		{"name": "admin", "path": {"prefix": "/admin"}, "hosts": ["admin.example.com"], "scopes": ["admin"]},
		{"name": "umlaut", "path": {"exact": "/v2/größe"}, "scopes": ["g"]},
		{"name": "root", "path": {"exact": "/v2"}, "scopes": ["root"]}]}`)
	got, err := CoverOpenAPI(c, []byte(`
openapi: 3.1.0
servers: [{url: "https://{place}.example.com/{version}/", variables: {place: {default: api}, version: {default: v2}}}]
paths:
  /orders/{id}:
    parameters: [{$ref: "#/components/parameters/id"}]
    get: {operationId: one}
    summary: an order
  /counts/{n}: {get: {parameters: [{in: path, name: n, schema: {type: boolean}}]}}
  /kinds/{kind}: {get: {parameters: [{in: path, name: kind, schema: {enum: [a, b, null]}}]}}
  /things/{id}: {delete: {parameters: [{in: path, name: id, schema: {type: [string, "null"], format: uuid}}, {in: query, name: id, schema: {type: integer}}]}}
  /files/{path}/meta: {get: {}}
  /größe: {get: {}}
  /orders~1x: {$ref: "#/components/pathItems/odd~1name"}
  /tools: {servers: [{url: "https://admin.example.com/admin"}, {url: /elsewhere}], get: {}}
  /: {get: {}}
components:
  parameters: {id: {in: path, name: id, schema: {$ref: "#/components/schemas/id"}}}
  schemas: {id: {type: string}}
  pathItems: {odd/name: {put: {}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, lines(got), []string{
		"GET /v2/orders/{id} [/v2/orders/some-id] ->  token: a valid token only",
		"GET /v2/orders/{id} [/v2/orders/7] -> numbers more: scopes: read",
		"GET /v2/orders/{id} [/v2/orders/export] -> open nothing: nothing",
		"GET /v2/counts/{n} ->  token: a valid token only",
		"GET /v2/kinds/{kind} [/v2/kinds/a] ->  token: a valid token only",
		"GET /v2/kinds/{kind} [/v2/kinds/b] -> kind more: scopes: b",
		"DELETE /v2/things/{id} -> uuid more: scopes: u",
		"GET /v2/files/{path}/meta [/v2/files/some-path/meta] ->  token: a valid token only",
		"GET /v2/files/{path}/meta [/v2/files/secret/meta] -> below denied: nobody passes",
		"GET /v2/größe -> umlaut more: scopes: g",
		"PUT /v2/orders~1x ->  token: a valid token only",
		"GET /admin/tools [admin.example.com] -> admin more: scopes: admin",
		"GET /elsewhere/tools ->  token: a valid token only",
		"GET /v2/ -> root more: scopes: root",
	})
	if got.Operations[0].ID != "one" {
		t.Errorf("%+v", got.Operations[0])
	}
	text, err := json.Marshal(got.Operations[8])
	if want := `{"method":"GET","path":"/v2/files/{path}/meta","example":"/v2/files/secret/meta","route":"below","index":4,"asks":"denied","needs":["nobody passes"]}`; err != nil || string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
}

func TestCoverOpenAPIRefuses(t *testing.T) {
	c := parsePolicy(t, false)
	for _, x := range []struct{ text, want string }{
		{"", "is not one document"},
		{"a: [", "line 1"},
		{"swagger: '2.0'", "is Swagger 2"},
		{"paths: {}", "is no OpenAPI document of version 3"},
		{"openapi: 4.0.0", "is no OpenAPI document of version 3"},
		{"openapi: 3.0.0\npaths:\n  orders: {get: {}}", `line 3: the path "orders" does not begin with a slash`},
		{"openapi: 3.0.0\npaths:\n  /a: {$ref: other.yaml}", `line 3: $ref "other.yaml" is not in this document`},
		{"openapi: 3.0.0\npaths:\n  /a: {$ref: '#/paths/~1a'}", `$ref leads to no end`},
		{"openapi: 3.0.0\nservers: [{url: 'http://[::1'}]\npaths:\n  /a: {get: {}}", `line 2: the server's url "http://[::1" cannot be read`},
	} {
		if _, err := CoverOpenAPI(c, []byte(x.text)); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", x.text, err, x.want)
		}
	}
	if got, err := CoverOpenAPI(c, []byte("openapi: 3.0.0")); err != nil || len(got.Operations) != 0 {
		t.Errorf("without paths: %+v, %v", got, err)
	}
}

func TestWriteCoverage(t *testing.T) {
	var b strings.Builder
	c := parseFull(t, `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "x"}, "unmatched": "deny", "routes": [
		{"name": "public", "path": {"prefix": "/public"}, "hosts": ["a.example"], "auth": "none"},
		{"path": {"exact": "/me"}, "methods": ["GET"], "headers": [{"name": "x-v"}]},
		{"name": "read", "path": {"exact": "/orders"}, "scopes": ["a", "b"], "clients": ["c"]}]}`)
	if err := CoverRoutes(c).Write(&b); err != nil {
		t.Fatal(err)
	}
	if want := `!  *    /public and below at a.example  public     nothing
!  GET  /me with x-v                    routes[1]  a valid token only
   *    /me with x-v                    no route   nobody passes
   *    /orders                         read       scopes: a b; clients: c
   *    *                               no route   nobody passes
1 need nothing, 1 a valid token only, 1 more; 2 are closed, 0 refused as ambiguous
`; b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func FuzzCoverOpenAPI(f *testing.F) {
	text, err := os.ReadFile("testdata/fastapi.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("openapi: 3.0.0\nservers: [{url: /{a}}]\npaths:\n  /a/{b}/{c}: {$ref: '#/x'}\nx: {get: {parameters: [{in: path, name: b, schema: {enum: [1, 2]}}]}}"))
	c := tenants(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := CoverOpenAPI(c, text)
		if err != nil {
			return
		}
		for _, o := range got.Operations {
			if o.Method == "" || o.Path == "" || o.Asks == "" || len(o.Needs) == 0 || o.Asks == AsksDenied && o.Index < 0 && !c.RouteOptions.DenyUnmatched {
				t.Errorf("%+v", o)
			}
		}
	})
}
