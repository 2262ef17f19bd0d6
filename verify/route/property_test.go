package route_test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"edgejwt/internal/attacks/paths"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// served is the index of the first route that is meant for what a server sees,
// or -1: the same rules written once more, with the standard library.
func served(routes []route.Route, seen string, raw bool) int {
	for len(seen) > 1 && strings.HasSuffix(seen, "/") {
		seen = seen[:len(seen)-1]
	}
	for i := range routes {
		p := &routes[i].Path
		text := p.Text
		if raw && p.Kind != route.Template {
			text = (&url.URL{Path: p.Text}).EscapedPath()
		}
		holds := p.Kind == route.Any
		switch p.Kind {
		case route.Exact:
			holds = seen == text
		case route.Prefix:
			holds = text == "/" || seen == text || strings.HasPrefix(seen, text+"/")
		case route.Template:
			expr := regexp.QuoteMeta(text)
			expr = regexp.MustCompile(`/\\\{\w+=\\\*\\\*\\\}`).ReplaceAllString(expr, `(?s:/.*)?`)
			expr = regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(expr, `[^/]+`)
			holds = regexp.MustCompile(`\A` + expr + `\z`).MatchString(seen)
		}
		if holds {
			return i
		}
	}
	return -1
}

// pieces of paths, honest and not.
var pieces = []string{
	"/", "/", "/", "a", "b", "admin", "public", "orders", "7", ".", "..", "%2e", "%2E%2e", "//", "/./", "/../",
	";", ";x=1", "..;", "\\", "%5c", "%2f", "%2F", "%25", "%252e", "%61", "%62", "A", "%00", "%20", " ", "%3b", "%3f", "%23",
	"?", "#", "%c3%a9", "%C3%A9", "%c0%ae", "%EF%BC%8F", "@", "%40", ":", "%", "é", "[", "%5B", "*",
}

func randomPath(r *rand.Rand) string {
	path := "/"
	for range r.IntN(8) {
		path += pieces[r.IntN(len(pieces))]
	}
	return path
}

var texts = []string{"/", "/a", "/a/b", "/admin", "/public", "/orders", "/public/admin", "/b", "/@"}
var templates = []string{"/{x}", "/a/{x}", "/{x}/b", "/orders/{id}", "/{x}/{y}", "/a/{rest=**}", "/{rest=**}", "/orders/{id}/{rest=**}"}

// levels are demands of which each asks for more than the one before.
var levels = []route.Route{
	{Auth: route.None},
	{Auth: route.Optional},
	{},
	{Requirements: route.Requirements{Scopes: []string{"a"}}},
	{Requirements: route.Requirements{Scopes: []string{"a", "b"}}},
	{Auth: route.Deny},
}

// levelOf is the place of a route's demand in levels.
func levelOf(r *route.Route) int {
	for i := range levels {
		if levels[i].Auth == r.Auth && slices.Equal(levels[i].Requirements.Scopes, r.Requirements.Scopes) {
			return i
		}
	}
	panic("a route of no level")
}

// level is that of the route with the index, which is -1 where none matched.
func level(routes []route.Route, i int) int {
	if i < 0 {
		return levelOf(&route.Route{})
	}
	return levelOf(&routes[i])
}

func randomRoutes(r *rand.Rand) []route.Route {
	routes := make([]route.Route, r.IntN(5))
	for i := range routes {
		routes[i] = levels[r.IntN(len(levels))]
		switch kind := route.Kind(r.IntN(4)); kind {
		case route.Exact, route.Prefix:
			routes[i].Path = route.Path{Kind: kind, Text: texts[r.IntN(len(texts))]}
		case route.Template:
			routes[i].Path = route.Path{Kind: kind, Text: templates[r.IntN(len(templates))]}
		default:
			routes[i].Path = route.Path{Kind: route.Exact, Text: texts[r.IntN(len(texts))]}
		}
	}
	return routes
}

func newTable(t testing.TB, routes []route.Route, o route.Options) *route.Table {
	t.Helper()
	table, faults := route.NewTable(routes, o)
	if faults != nil {
		t.Fatalf("%+v", faults)
	}
	return table
}

// TestNoServerServesUnderAnotherRule is the promise of the package: whatever a server
// makes of a path, it serves it under no rule that asks for more than the edge's.
func TestNoServerServesUnderAnotherRule(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	passed, refusals := 0, 0
	for range 60000 {
		routes := randomRoutes(r)
		if len(routes) == 0 {
			continue
		}
		path := randomPath(r)
		var m route.Match
		if err := newTable(t, routes, route.Options{}).Find(&route.Request{Path: path}, &m); err != nil {
			if !errors.Is(err, verify.PathAmbiguous) {
				t.Fatal(err)
			}
			refusals++
			continue
		}
		passed++
		for _, s := range servers {
			if seen, ok := s.sees(path); ok {
				if want := served(routes, seen, s.raw); level(routes, want) > levelOf(m.Route) {
					t.Fatalf("%q with %+v: the edge judges by route %d, %s, which sees %q, serves what route %d is for",
						path, routes, m.Index, s.name, seen, want)
				}
			}
		}
	}
	if passed < 5000 || refusals < 5000 {
		t.Errorf("%d paths passed, %d were refused: too few to show anything", passed, refusals)
	}
}

// TestIgnoredCaseReachesNoOtherRule: the same for a server that ignores case, and
// with it dots and spaces at a segment's end.
func TestIgnoredCaseReachesNoOtherRule(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	passed := 0
	for range 30000 {
		routes := randomRoutes(r)
		path := strings.ReplaceAll(randomPath(r), "m", []string{"m", "M", "m.", "%4d"}[r.IntN(4)])
		var m route.Match
		if len(routes) == 0 || newTable(t, routes, route.Options{IgnoreCase: true}).Find(&route.Request{Path: path}, &m) != nil {
			continue
		}
		passed++
		seen, ok := iis(path)
		segments := strings.Split(strings.ToLower(seen), "/")
		for i := range segments {
			segments[i] = strings.TrimRight(segments[i], ". ")
		}
		if want := served(routes, strings.Join(segments, "/"), false); ok && level(routes, want) > levelOf(m.Route) {
			t.Fatalf("%q with %+v: route %d, a server that ignores case serves what route %d is for", path, routes, m.Index, want)
		}
	}
	if passed < 3000 {
		t.Errorf("only %d paths passed", passed)
	}
}

// TestServeMuxRoutesAlike: what comes to a route's rule comes to its handler, and
// to no other, with one route each.
func TestServeMuxRoutesAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	patterns := map[string][]string{ // ours to those of ServeMux
		"/orders/{id}":     {"/orders/{id}", "/orders/{id}/{$}"},
		"/a/{x}":           {"/a/{x}", "/a/{x}/{$}"},
		"/{x}/b":           {"/{x}/b", "/{x}/b/{$}"},
		"/a/{rest=**}":     {"/a", "/a/{rest...}"},
		"/{x}/{y}":         {"/{x}/{y}", "/{x}/{y}/{$}"},
		"/orders":          {"/orders", "/orders/{$}"},
		"/public/admin":    {"/public/admin", "/public/admin/{$}"},
		"/admin/{rest=**}": {"/admin", "/admin/{rest...}"},
	}
	both := 0
	for ours, theirs := range patterns {
		mux := http.NewServeMux()
		hit := -1
		for _, pattern := range theirs {
			mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) { hit = 0 })
		}
		// A route that denies applies to every reading that meets it.
		table := newTable(t, []route.Route{{Path: route.Path{Kind: route.Template, Text: ours}, Auth: route.Deny}}, route.Options{})
		for range 20000 {
			path := randomPath(r)
			var m route.Match
			if table.Find(&route.Request{Path: path}, &m) != nil {
				continue
			}
			u, err := url.ParseRequestURI(path)
			if err != nil {
				continue
			}
			hit = -1
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, &http.Request{Method: "GET", Host: "h", URL: u, RequestURI: path})
			if w.Code >= 300 && w.Code < 400 {
				continue // comes again as another path
			}
			if hit != m.Index {
				t.Fatalf("%s: %q comes to route %d, in ServeMux to %d", ours, path, m.Index, hit)
			}
			if hit == 0 {
				both++
			}
		}
	}
	if both < 200 {
		t.Errorf("only %d paths came to the handler", both)
	}
}

// TestARuleBelowOpensNothing: with one more rule at the end, nobody is asked for
// less by a route above, and a path in its canonical form comes to the same route.
func TestARuleBelowOpensNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		more := randomRoutes(r)
		if len(more) < 2 {
			continue
		}
		path := randomPath(r)
		var above, all route.Match
		if newTable(t, more[:len(more)-1], route.Options{}).Find(&route.Request{Path: path}, &above) != nil || above.Index < 0 {
			continue
		}
		err := newTable(t, more, route.Options{}).Find(&route.Request{Path: path}, &all)
		if errors.Is(err, verify.PathAmbiguous) && above.Path == strings.TrimSuffix(path, "/") || err == nil && levelOf(all.Route) < levelOf(above.Route) && level(more, above.Index) > level(nil, -1) {
			t.Fatalf("%q with %+v: route %d, with one more below %d, %v", path, more, above.Index, all.Index, err)
		}
		if err == nil && path == all.Path && path != "/" && all.Index != above.Index {
			t.Fatalf("%q with %+v: route %d, with one more below %d", path, more, above.Index, all.Index)
		}
	}
}

func checkCanonical(t *testing.T, path string, o route.Options) {
	t.Helper()
	once, err := route.Canonical(path, o)
	if err != nil {
		if once != "" || !errors.Is(err, verify.PathAmbiguous) {
			t.Fatalf("%q: %q, %v", path, once, err)
		}
		return
	}
	if twice, err := route.Canonical(once, o); twice != once || err != nil {
		t.Fatalf("%q is %q, and that is %q, %v", path, once, twice, err)
	}
	if !regexp.MustCompile(`\A(/|(/([a-zA-Z0-9\-._~!$&'()*+,=:@]|%[2-9A-F][0-9A-F])+)+)\z`).MatchString(once) ||
		regexp.MustCompile(`/\.\.?(/|$)`).MatchString(once) {
		t.Fatalf("%q has the canonical form %q", path, once)
	}
	// Whoever decodes it gets what the standard library gets, and no syntax.
	decoded, err := url.PathUnescape(once)
	if err != nil || strings.Count(decoded, "/") != strings.Count(once, "/") || strings.ContainsAny(decoded, "%?#;\\\x00") {
		t.Fatalf("%q decodes to %q, %v", once, decoded, err)
	}
	// Its own form has one reading: it comes to a route whatever the table says.
	var m route.Match
	if err := newTable(t, guarded, o).Find(&route.Request{Path: once}, &m); err != nil {
		t.Fatalf("%q: %v", once, err)
	}
	if m.Path != once && !o.IgnoreCase {
		t.Fatalf("%q comes to the table as %q", once, m.Path)
	}
}

func TestCanonicalIsItsOwn(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 20000 {
		path := randomPath(r)
		checkCanonical(t, path, route.Options{})
		checkCanonical(t, path, route.Options{IgnoreCase: true})
	}
}

func FuzzCanonical(f *testing.F) {
	for _, c := range paths.All {
		if len(c.Path) < 100 {
			f.Add(c.Path, false)
			f.Add(c.Path, true)
		}
	}
	f.Fuzz(func(t *testing.T, path string, ignoreCase bool) {
		checkCanonical(t, path, route.Options{IgnoreCase: ignoreCase})
		if ignoreCase {
			return
		}
		var m route.Match
		if newTable(t, guarded, route.Options{}).Find(&route.Request{Path: path}, &m) != nil {
			return
		}
		for _, s := range servers {
			if seen, ok := s.sees(path); ok && level(guarded, served(guarded, seen, s.raw)) > levelOf(m.Route) {
				t.Fatalf("%q: the edge judges by route %d, %s sees %q", path, m.Index, s.name, seen)
			}
		}
	})
}

func FuzzTemplate(f *testing.F) {
	for _, template := range append(templates, texts...) {
		f.Add(template, "/orders/7/x")
		f.Add(template, "/a/b")
	}
	f.Fuzz(func(t *testing.T, template, path string) {
		routes := []route.Route{{Path: route.Path{Kind: route.Template, Text: template}, Auth: route.Deny}}
		table, faults := route.NewTable(routes, route.Options{})
		if (table == nil) == (faults == nil) {
			t.Fatalf("%q: %v, %v", template, table, faults)
		}
		canonical, err := route.Canonical(path, route.Options{})
		if faults != nil || err != nil {
			return
		}
		var m route.Match
		if err := table.Find(&route.Request{Path: canonical}, &m); err != nil {
			t.Fatalf("%q with %q: %v", template, canonical, err)
		}
		if strings.ContainsAny(template, "%") {
			return // the regular expression knows no escapes
		}
		decoded, _ := url.PathUnescape(canonical)
		if want := served([]route.Route{{Path: route.Path{Kind: route.Template, Text: strings.TrimRight(template, "/")}}}, decoded, false); want != m.Index && strings.Trim(template, "/") != "" {
			t.Fatalf("%q with %q: route %d, the regular expression says %d", template, canonical, m.Index, want)
		}
	})
}
