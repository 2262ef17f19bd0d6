package route_test

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"edgejwt/verify"
	"edgejwt/verify/route"
)

// TestEnvoyReadsBytes: Envoy's matchers compare the bytes that were sent. So a request
// that they take for another path than the open rule's must not be let in by that rule.
func TestEnvoyReadsBytes(t *testing.T) {
	for _, c := range []struct {
		rule route.Path
		o    route.Options
		path string
	}{
		{exact("/caf%C3%A9"), route.Options{}, "/caf%c3%a9"},
		{exact("/caf%C3%A9"), route.Options{}, "/caf%C3%a9"},
		{prefix("/caf%C3%A9"), route.Options{}, "/caf%c3%a9/x"},
		{template("/caf%C3%A9/{id}"), route.Options{}, "/caf%c3%a9/x"},
		{regex("/caf%C3%A9"), route.Options{}, "/caf%c3%a9"},
		{exact("/a%7Cb"), route.Options{}, "/a|b"},
		{exact("/a%7Cb"), route.Options{}, "/a%7cb"},
		{exact("/status"), route.Options{IgnoreCase: true}, "/STATUS"},
		{prefix("/public"), route.Options{IgnoreCase: true}, "/PUBLIC/orders"},
	} {
		table := newTable(t, []route.Route{{Path: c.rule, Auth: route.None}}, c.o)
		var m route.Match
		q := &route.Request{Method: "GET", Host: "h", Path: c.path}
		if err := table.Find(q, &m); err == nil && m.Route.Auth == route.None {
			t.Errorf("open rule %s, ignoring case %v: %s needs no token", c.rule.Text, c.o.IgnoreCase, c.path)
		}
	}
}

// TestSlashOfDots: an open expression that ends in a slash. The path leads there
// only to who resolves dot segments; Envoy without normalize_path and Starlette do
// not, and exact and prefix are refused for that (path_ambiguous).
func TestSlashOfDots(t *testing.T) {
	for _, c := range [][2]string{
		{"/docs/[a-z]*", "/docs/secret/.."}, {"/docs/[a-z]*", "/docs/secret/../"}, {`/docs/(index\.html)?`, "/docs/./"}, {"/a/b?", "/a/b/.."},
	} {
		table := newTable(t, []route.Route{{Path: regex(c[0]), Auth: route.None}}, route.Options{})
		var m route.Match
		if err := table.Find(&route.Request{Method: "GET", Host: "h", Path: c[1]}, &m); err == nil && m.Route.Auth == route.None {
			t.Errorf("open expression %s: %s needs no token", c[0], c[1])
		}
	}
}

// TestPoliciesAreChosenByBytes: Envoy chose its route by the bytes, so another
// spelling of the path is another route's.
func TestPoliciesAreChosenByBytes(t *testing.T) {
	for _, c := range []struct {
		o    route.Options
		path string
	}{
		{route.Options{}, "/caf%c3%a9"}, {route.Options{}, "/a|b"}, {route.Options{}, "/a%7cb"}, {route.Options{IgnoreCase: true}, "/ADMIN"},
	} {
		if route.Spellings(&route.Request{Method: "GET", Host: "h", Path: c.path}, c.o) == 0 {
			t.Errorf("%s, ignoring case %v, is not odd", c.path, c.o.IgnoreCase)
		}
	}
}

// TestExpressionsMatchWhatWasSent: an expression that Envoy's matcher would
// take for the path holds here too, or the request is refused.
func TestExpressionsMatchWhatWasSent(t *testing.T) {
	for _, c := range [][2]string{
		{"/caf%c3%a9", "/caf%c3%a9"}, {"/x/[a-z0-9%]+", "/x/%c3%a9"}, {`/a\|b`, "/a|b"}, {".*%c3%a9", "/y%c3%a9"},
		{"/admin/.+", "/admin//"}, {".*//", "/a//"}, {".*//+", "/a///"},
	} {
		table := newTable(t, []route.Route{{Path: regex(c[0]), Auth: route.Deny}}, route.Options{})
		var m route.Match
		if err := table.Find(&route.Request{Method: "GET", Host: "h", Path: c[1]}, &m); err == nil && m.Route.Auth != route.Deny {
			t.Errorf("expression %s denies, and %s needs a token only", c[0], c[1])
		}
	}
}

// TestCompatibilityForms: characters that NFKC maps to dots, semicolons and question
// marks, and a space that some servers trim.
func TestCompatibilityForms(t *testing.T) {
	for _, c := range []string{"︰", "︙", "︖", "︔", "⁇", "⁈", "⁉", "\u1680"} {
		if got, err := route.Canonical("/public/"+url.PathEscape(c)+"/admin", route.Options{}); err == nil {
			t.Errorf("%U: %s", []rune(c)[0], got)
		}
	}
}

// TestEscapedDotsEndInASlash: %2e%2e at the end of a path leaves a slash, as .. does.
func TestEscapedDotsEndInASlash(t *testing.T) {
	table := newTable(t, []route.Route{
		{Path: regex(`/caf.*[a-zA-Z0-9.]`), Auth: route.None},
		{Path: prefix("/caf%C3%A9"), Requirements: route.Requirements{Scopes: []string{"a"}}},
	}, route.Options{})
	for _, path := range []string{"/caf%c3%a9/x/..", "/caf%c3%a9/x/%2e%2e"} {
		var m route.Match
		if err := table.Find(&route.Request{Method: "GET", Host: "h", Path: path}, &m); err == nil && m.Route.Auth == route.None {
			t.Errorf("%s needs no token", path)
		}
	}
}

// TestPortWithZeros: to servers that read numbers, 08443 is 8443.
func TestPortWithZeros(t *testing.T) {
	table := newTable(t, []route.Route{{Hosts: []string{"h:8443"}}, {Auth: route.None}}, route.Options{})
	var m route.Match
	if err := table.Find(&route.Request{Method: "GET", Host: "h:08443", Path: "/"}, &m); verify.ReasonOf(err) != verify.PathAmbiguous {
		t.Errorf("%v, %+v", err, m.Route)
	}
}

// BenchmarkFindProducts measures requests whose cost would be the product of what the
// client sends and what the operator wrote, or of two lists of the operator's.
func BenchmarkFindProducts(b *testing.B) {
	names := []string{"x-tenant-name", "x-tenant-nami", "x-tenant-namj", "x-tenant-namk"}
	var headed, listed []route.Route
	for range 256 {
		r := route.Route{Path: exact("/x")}
		for _, name := range names {
			r.Headers = append(r.Headers, route.Header{Name: name, Values: []string{"a"}})
		}
		headed = append(headed, r)
		var scopes []string
		for j := range 64 {
			scopes = append(scopes, "scope-with-a-long-name-"+strings.Repeat("x", j))
		}
		listed = append(listed, route.Route{Methods: []string{"GET"}, Requirements: route.Requirements{Scopes: scopes, AnyScope: slices.Clone(scopes), Permissions: slices.Clone(scopes)}})
	}
	var slashed []route.Route
	for i := range 256 {
		slashed = append(slashed, route.Route{Path: regex("/svc" + strconv.Itoa(i) + "/[a-z]+.*")})
	}
	var lines [][2]string
	for i := range 100 {
		lines = append(lines, [2]string{strings.ReplaceAll(names[i%4], "-", "."), "b"})
	}
	for _, c := range []struct {
		name   string
		routes []route.Route
		q      route.Request
	}{
		{"256 routes with conditions on headers, 100 lines", headed, route.Request{Method: "GET", Host: "h", Path: "/y", Headers: lines}},
		{"256 expressions that may end in a slash, an odd path", slashed, route.Request{Method: "GET", Host: "h", Path: "//%61/" + strings.Repeat("./a/", 250) + "b"}},
		{"HEAD, and 256 routes for GET with long lists", listed, route.Request{Method: "HEAD", Host: "h", Path: "/y"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			table := newTable(b, c.routes, route.Options{})
			for b.Loop() {
				var m route.Match
				_ = table.Find(&c.q, &m)
			}
		})
	}
}
