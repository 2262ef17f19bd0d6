package route_test

import (
	"errors"
	"strings"
	"testing"

	"edgejwt/verify"
	"edgejwt/verify/route"
)

func exact(text string) route.Path    { return route.Path{Kind: route.Exact, Text: text} }
func prefix(text string) route.Path   { return route.Path{Kind: route.Prefix, Text: text} }
func template(text string) route.Path { return route.Path{Kind: route.Template, Text: text} }
func regex(expr string) route.Path {
	return route.Path{Kind: route.Regex, Text: expr}
}

const (
	holds     = "holds"
	closes    = "holds only where it asks for more"
	not       = "does not hold"
	ambiguous = "is ambiguous"
)

// TestConditions: one route each, and whether it applies: where it opens, and where
// it denies, what else needs a valid token.
func TestConditions(t *testing.T) {
	headers := func(lines ...string) (list [][2]string) {
		for i := 0; i < len(lines); i += 2 {
			list = append(list, [2]string{lines[i], lines[i+1]})
		}
		return list
	}
	get := func(path string) route.Request {
		return route.Request{Method: "GET", Host: "api.example.com", Path: path}
	}
	method := func(m string) route.Request { return route.Request{Method: m, Path: "/"} }
	host := func(h string) route.Request { return route.Request{Method: "GET", Host: h, Path: "/"} }
	with := func(lines ...string) route.Request {
		return route.Request{Method: "GET", Path: "/", Headers: headers(lines...)}
	}
	methods := func(m ...string) route.Route { return route.Route{Methods: m} }
	hosts := func(h ...string) route.Route { return route.Route{Hosts: h} }
	header := func(name string, values ...string) route.Route {
		return route.Route{Headers: []route.Header{{Name: name, Values: values}}}
	}
	path := func(p route.Path) route.Route { return route.Route{Path: p} }

	for _, c := range []struct {
		name    string
		route   route.Route
		request route.Request
		want    string
	}{
		{"no condition", route.Route{}, get("/x"), holds},
		{"no condition on paths, a path that cannot be read", route.Route{}, get("/%2f"), holds},

		{"exact", path(exact("/a")), get("/a"), holds},
		{"exact, query", path(exact("/a")), get("/a?b"), holds},
		{"exact, trailing slash", path(exact("/a")), get("/a/"), closes},
		{"exact with a trailing slash", path(exact("/a/")), get("/a"), closes},
		{"exact with a trailing slash, as sent", path(exact("/a/")), get("/a/"), holds},
		{"exact, two trailing slashes", path(exact("/a")), get("/a//"), closes},
		{"exact, below", path(exact("/a")), get("/a/b"), not},
		{"exact, other case", path(exact("/a")), get("/A"), not},
		{"exact, root", path(exact("/")), get("/"), holds},
		{"exact, root, two slashes", path(exact("/")), get("//"), closes},
		{"prefix, root, two slashes", path(prefix("/")), get("//"), holds},
		{"exact, encoded", path(exact("/a")), get("/%61"), ambiguous}, // Express does not decode
		{"exact, two slashes", path(exact("/a")), get("//a"), ambiguous},
		{"exact, dots", path(exact("/a")), get("/b/../a"), ambiguous},
		{"exact with a space", path(exact("/a b")), get("/a%20b"), holds},
		{"exact with an escape", path(exact("/a%20b")), get("/a%20b"), holds},
		{"exact beyond ASCII", path(exact("/café")), get("/caf%C3%A9"), holds},
		{"exact beyond ASCII, lower case escapes", path(exact("/café")), get("/caf%c3%a9"), closes},
		{"prefix, lower case escapes below", path(prefix("/public")), get("/public/caf%c3%a9"), holds},
		{"template, lower case escapes of the value", path(template("/orders/{id}")), get("/orders/caf%c3%a9"), holds},
		{"regex, lower case escapes", path(regex("/pr%c3%a4.*")), get("/pr%c3%a4x"), holds},
		{"regex, two slashes at the end", path(regex("/admin/.+")), get("/admin//"), holds},
		{"regex, dots at the end", path(regex("/docs/[a-z]*")), get("/docs/secret/.."), ambiguous},
		{"exact with a bracket", path(exact("/a[1]")), get("/a%5B1%5D"), holds},
		{"exact with a bracket, sent raw", path(exact("/a[1]")), get("/a[1]"), closes},

		{"prefix, itself", path(prefix("/public")), get("/public"), holds},
		{"prefix, below", path(prefix("/public")), get("/public/x/y"), holds},
		{"prefix, within a segment", path(prefix("/public")), get("/publicity"), not},
		{"prefix with a trailing slash", path(prefix("/public/")), get("/public"), closes},
		{"prefix with a trailing slash, as sent", path(prefix("/public/")), get("/public/"), holds},
		{"prefix with a trailing slash, below", path(prefix("/public/")), get("/public/x"), holds},
		{"prefix, trailing slash", path(prefix("/public")), get("/public/"), holds},
		{"prefix, trailing slash below", path(prefix("/public")), get("/public/x/"), holds},
		{"prefix, shorter", path(prefix("/public")), get("/publi"), not},
		{"prefix, root", path(prefix("/")), get("/x"), holds},
		{"prefix, encoded below", path(prefix("/public")), get("/public/%61"), holds},
		{"prefix, two slashes below", path(prefix("/public")), get("/public//a"), holds},
		{"prefix, dots below", path(prefix("/public")), get("/public/a/../b"), holds},
		{"prefix, dots out", path(prefix("/public")), get("/public/../b"), ambiguous},
		{"prefix, slashes that lead out", path(prefix("/public")), get("/public/a//../../b"), ambiguous},

		{"template", path(template("/orders/{id}")), get("/orders/7"), holds},
		{"template, nothing", path(template("/orders/{id}")), get("/orders/"), not},
		{"template, too long", path(template("/orders/{id}")), get("/orders/7/x"), not},
		{"template, trailing slash", path(template("/orders/{id}")), get("/orders/7/"), closes},
		{"template with a trailing slash", path(template("/orders/{id}/")), get("/orders/7"), closes},
		{"template with a trailing slash, as sent", path(template("/orders/{id}/")), get("/orders/7/"), holds},
		{"template, encoded value", path(template("/orders/{id}")), get("/orders/%40me"), holds},
		{"template, dots for a value", path(template("/orders/{id}")), get("/orders/.."), ambiguous},
		{"template, slashes for a value", path(template("/orders/{id}/x")), get("/orders//x"), not},
		{"template, literal behind", path(template("/o/{id}/x")), get("/o/7/x"), holds},
		{"template, other literal behind", path(template("/o/{id}/x")), get("/o/7/y"), not},
		{"template, root", path(template("/")), get("/"), holds},
		{"template, root, other", path(template("/")), get("/x"), not},
		{"template, variable at the root", path(template("/{x}")), get("/"), not},
		{"tail", path(template("/f/{rest=**}")), get("/f/a/b/c"), holds},
		{"tail, one", path(template("/f/{rest=**}")), get("/f/a"), holds},
		{"tail, none", path(template("/f/{rest=**}")), get("/f"), holds},
		{"tail, none, slash", path(template("/f/{rest=**}")), get("/f/"), holds},
		{"tail, within a segment", path(template("/f/{rest=**}")), get("/fa"), not},
		{"tail alone", path(template("/{rest=**}")), get("/"), holds},
		{"tail, another reading of the value", path(template("/f/{rest=**}")), get("/f/a//b"), ambiguous},

		{"regex", path(regex(`/v\d+/.*`)), get("/v12/x"), holds},
		{"regex, part", path(regex(`/v\d+`)), get("/v12/x"), not},
		{"regex, trailing slash", path(regex(`/v\d+`)), get("/v12/"), closes},
		{"regex with a trailing slash", path(regex(`/v\d+/`)), get("/v12/"), holds},
		{"regex with a trailing slash, without", path(regex(`/v\d+/.*`)), get("/v12"), closes},
		{"regex with or without", path(regex(`/v\d+/?`)), get("/v12/"), holds},
		{"regex, dots", path(regex(`/v\d+/.*`)), get("/v1/../x"), ambiguous},

		{"regex, dots without slashes", path(regex(`/a//b`)), get("/a//./b"), ambiguous},
		{"regex, the same encoded", path(regex(`/a//%2Eb`)), get("/a//./%2eb"), ambiguous},

		{"method", methods("GET", "POST"), method("POST"), holds},
		{"another method", methods("GET"), method("POST"), not},
		{"HEAD is GET's", methods("GET"), method("HEAD"), closes},
		{"HEAD beside GET", methods("GET", "HEAD"), method("HEAD"), holds},
		{"HEAD alone", methods("HEAD"), method("HEAD"), holds},
		{"head", methods("GET", "HEAD"), method("head"), ambiguous},
		{"GET is not HEAD's", methods("HEAD"), method("GET"), not},
		{"lower case", methods("GET"), method("get"), ambiguous},
		{"lower case of another path's reading", route.Route{Methods: []string{"GET"}, Path: prefix("/public/admin")},
			route.Request{Method: "get", Path: "/public/admin/../a"}, ambiguous},
		{"lower case of another", methods("POST"), method("get"), not},

		{"host", hosts("api.example.com"), host("api.example.com"), holds},
		{"host, port", hosts("api.example.com"), host("api.example.com:8443"), closes},
		{"host, no port behind a colon", hosts("api.example.com"), host("api.example.com:"), closes},
		{"host with a port", hosts("api.example.com:8443"), host("api.example.com:8443"), holds},
		{"host with another port", hosts("api.example.com:8443"), host("api.example.com:8444"), not},
		{"host with a port, without", hosts("api.example.com:8443"), host("api.example.com"), not},
		{"host with a port, case", hosts("api.example.com:8443"), host("API.example.com:8443"), closes},
		{"host with and without a port", hosts("api.example.com", "api.example.com:8443"), host("api.example.com:8443"), holds},
		{"host below with a port", hosts("*.example.com:8443"), host("a.example.com:8443"), holds},
		{"host, case", hosts("API.example.com"), host("api.Example.COM"), closes},
		{"host, case of the rule", hosts("API.example.com"), host("api.example.com"), holds},
		{"host, trailing dot", hosts("api.example.com"), host("api.example.com."), closes},
		{"host, trailing dot and port", hosts("api.example.com."), host("api.example.com.:80"), closes},
		{"host, other", hosts("api.example.com"), host("example.com"), not},
		{"host, longer", hosts("example.com"), host("badexample.com"), not},
		{"host, below", hosts("*.example.com"), host("a.b.example.com"), holds},
		{"host, not below", hosts("*.example.com"), host("example.com"), not},
		{"host, looks alike", hosts("*.example.com"), host("badexample.com"), not},
		{"host, only a dot before", hosts("*.example.com"), host(".example.com"), ambiguous},
		{"host, IPv6", hosts("[::1]"), host("[::1]:80"), closes},
		{"host, user", hosts("api.example.com"), host("x@api.example.com"), ambiguous},
		{"host, two", hosts("api.example.com"), host("api.example.com,x"), ambiguous},
		{"host, port that is none", hosts("api.example.com"), host("api.example.com:8a"), ambiguous},
		{"host, two dots", hosts("api.example.com"), host("api.example.com.."), ambiguous},
		{"host, none", hosts("api.example.com"), host(""), ambiguous},

		{"header", header("x-a", "1", "2"), with("x-a", "2"), holds},
		{"header, other value", header("x-a", "1"), with("x-a", "2"), not},
		{"header, absent", header("x-a", "1"), with("x-b", "1"), not},
		{"header, twice", header("x-a", "1", "2"), with("x-a", "2", "x-a", "1"), closes},
		{"header, twice, one other", header("x-a", "1"), with("x-a", "1", "x-a", "2"), closes},
		{"header, underscore beside it", header("x-a", "1"), with("x-a", "1", "x_a", "2"), closes},
		{"header, underscore, both of the values", header("x-a", "1", "2"), with("x-a", "1", "x_a", "2"), holds},
		{"header, underscore, neither of the values", header("x-a", "1"), with("x-a", "2", "x_a", "3"), not},
		{"header, underscore", header("x-a", "1"), with("x_a", "1"), closes},
		{"header, underscore says another", header("x-a", "1"), with("x-a", "2", "x_a", "1"), closes},
		{"header, dot alone", header("x-a", "1"), with("x.a", "1"), closes},
		{"header, dot alone, another value", header("x-a", "1"), with("x.a", "2"), not},
		{"header, there with a tilde", header("x-a"), with("x~a", ""), closes},
		{"header, there twice", header("x-a"), with("x-a", "1", "x-a", "2"), holds},
		{"header, there", header("x-a"), with("x-a", ""), holds},
		{"header, not there", header("x-a"), with(), not},
	} {
		applies := func(auth route.Auth) (bool, error) {
			var m route.Match
			c.route.Auth = auth
			err := newTable(t, []route.Route{c.route}, route.Options{}).Find(&c.request, &m)
			if err != nil && !errors.Is(err, verify.PathAmbiguous) {
				t.Errorf("%s: %v", c.name, err)
			}
			return m.Index == 0 && m.Route != nil, err
		}
		opens, err := applies(route.None)
		denies, err2 := applies(route.Deny)
		got := not
		switch {
		case err != nil && err2 != nil:
			got = ambiguous
		case err != nil || err2 != nil || opens && !denies:
			got = "is another for another demand"
		case opens:
			got = holds
		case denies:
			got = closes
		}
		if got != c.want {
			t.Errorf("%s: %s, %v; want: %s", c.name, got, err, c.want)
		}
	}
}

func TestFirstMatchWins(t *testing.T) {
	routes := []route.Route{
		{Path: exact("/admin"), Methods: []string{"GET"}, Mode: route.Report},
		{Path: exact("/admin")},
		{Path: prefix("/"), Auth: route.None},
	}
	table := newTable(t, routes, route.Options{})
	for _, c := range []struct {
		method, path string
		want         int
	}{{"GET", "/admin", 0}, {"HEAD", "/admin", 1}, {"POST", "/admin", 1}, {"POST", "/x", 2}} {
		var m route.Match
		if err := table.Find(&route.Request{Method: c.method, Path: c.path}, &m); err != nil || m.Index != c.want || m.Route != &routes[c.want] {
			t.Errorf("%s %s: route %d, %v; want %d", c.method, c.path, m.Index, err, c.want)
		}
	}
}

// TestNoMatchNeedsAToken, whatever the match held before.
func TestNoMatchNeedsAToken(t *testing.T) {
	open := newTable(t, []route.Route{{Auth: route.None}}, route.Options{})
	var m route.Match
	if err := open.Find(&route.Request{}, &m); err != nil || m.Route.Auth != route.None {
		t.Fatal(err, m)
	}
	for name, table := range map[string]*route.Table{
		"no routes": newTable(t, nil, route.Options{}),
		"another":   newTable(t, []route.Route{{Path: exact("/x"), Auth: route.None}}, route.Options{}),
	} {
		if err := table.Find(&route.Request{Path: "/y"}, &m); err != nil || m.Index != -1 ||
			m.Route.Auth != route.Required || m.Report {
			t.Errorf("%s: %v, %+v", name, err, m)
		}
	}
}

func TestVariables(t *testing.T) {
	for _, c := range []struct {
		template, path string
		ignoreCase     bool
		want           string
	}{
		{"/orgs/{org}/users/{id}", "/orgs/acme/users/7?x", false, "org=acme id=7"},
		{"/orgs/{org}/users/{id}", "/orgs/a%20b/users/caf%C3%A9", false, "org=a b id=café"},
		{"/orgs/{org}/users/{id}", "/orgs/%40a/users/[", false, "org=@a id=["},
		{"/Orgs/{org}/users/{id}", "/oRGS/Acme/USERS/X", true, "org=Acme id=X"},
		{"/{org}/{id=**}", "/a/b/c/d", false, "org=a id=b/c/d"},
		{"/{org}/{id=**}", "/a/", false, "org=a id="},
	} {
		table := newTable(t, []route.Route{{Path: template(c.template), Auth: route.Deny}}, route.Options{IgnoreCase: c.ignoreCase})
		var m route.Match
		if err := table.Find(&route.Request{Path: c.path}, &m); err != nil || m.Index != 0 {
			t.Errorf("%s does not hold for %s: %v", c.template, c.path, err)
			continue
		}
		org, _ := m.Variable("org")
		id, _ := m.Variable("id")
		if got := "org=" + org + " id=" + id; got != c.want {
			t.Errorf("%s with %s: %s; want %s", c.template, c.path, got, c.want)
		}
		if text, ok := m.Variable("other"); ok || text != "" {
			t.Error("there is a variable that the template lacks")
		}
	}
}

func TestIgnoreCaseMatches(t *testing.T) {
	routes := []route.Route{{Path: exact("/Admin"), Auth: route.Deny}, {Path: template("/A/{x}/B"), Auth: route.Deny}, {Path: prefix("/Public"), Auth: route.Deny}}
	table := newTable(t, routes, route.Options{IgnoreCase: true})
	for path, want := range map[string]int{"/aDMIN": 0, "/ADMIN/": 0, "/a/X/b": 1, "/PUBLIC/x": 2, "/x": -1} {
		var m route.Match
		if err := table.Find(&route.Request{Path: path}, &m); err != nil || m.Index != want || m.Path != strings.TrimSuffix(path, "/") {
			t.Errorf("%s: route %d as %s, %v; want %d", path, m.Index, m.Path, err, want)
		}
	}
}

func TestFindNeedsNoMemory(t *testing.T) {
	table := newTable(t, guarded, route.Options{})
	q := route.Request{Method: "GET", Path: "/public/some/thing?x=1"}
	var m route.Match
	if n := testing.AllocsPerRun(100, func() { _ = table.Find(&q, &m) }); n != 0 || m.Index != 1 {
		t.Errorf("%v allocations for a plain path", n)
	}
}

func BenchmarkFind(b *testing.B) {
	for name, path := range map[string]string{"plain": "/orders/7?x=1", "odd": "/public/%61/../b"} {
		b.Run(name, func(b *testing.B) {
			table := newTable(b, guarded, route.Options{})
			q := route.Request{Method: "GET", Path: path}
			var m route.Match
			for b.Loop() {
				if err := table.Find(&q, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
