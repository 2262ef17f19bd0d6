package route_test

import (
	"errors"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"edgejwt/verify"
	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

// The invariant of the package: whatever the spelling of a request, it is asked for
// no less than what Envoy's routes would ask, which match exact bytes (hosts
// without case), and no less than the rule that only another reading of it meets.
//
// Everything here is written once more, from Envoy's documentation, with the
// standard library. Demands are compared by who passes, not by their order.

// caller is somebody with a valid token, or with none.
type caller struct {
	token, opaque bool
	scopes        []string
	org           string
}

var callers = []caller{
	{}, {opaque: true}, {token: true},
	{token: true, scopes: []string{"a"}}, {token: true, scopes: []string{"b"}}, {token: true, scopes: []string{"a", "b"}},
	{token: true, org: "x"}, {token: true, org: "y"}, {token: true, scopes: []string{"a", "b"}, org: "x"},
}

// passes says whether the caller passes a route; report is the mode of routes that
// inherit theirs.
func (c *caller) passes(r *route.Route, report bool) bool {
	has := func(scope string) bool { return slices.Contains(c.scopes, scope) }
	switch {
	case r.Mode == route.Report || r.Mode == route.Inherit && report, r.Auth == route.None:
		return true
	case r.Auth == route.Deny:
		return false
	case c.opaque:
		return r.AllowOpaque
	case !c.token:
		return r.Auth == route.Optional
	}
	for _, scope := range r.Requirements.Scopes {
		if !has(scope) {
			return false
		}
	}
	if len(r.Requirements.AnyScope) > 0 && !slices.ContainsFunc(r.Requirements.AnyScope, has) {
		return false
	}
	for _, claim := range r.Requirements.Claims {
		if !slices.ContainsFunc(claim.Values, func(v strictjson.Value) bool { return v.Text == c.org }) {
			return false
		}
	}
	return true
}

// envoy gives the index of the first route that Envoy's matchers take for a
// request, or -1. portless is for a route configuration with
// ignore_port_in_host_matching.
func envoy(routes []route.Route, q *route.Request, portless bool) int {
	path, _, _ := strings.Cut(q.Path, "?")
	for i := range routes {
		r := &routes[i]
		if (r.Methods == nil || slices.Contains(r.Methods, q.Method)) && envoyHost(r.Hosts, q.Host, portless) &&
			envoyHeaders(r.Headers, q.Headers) && envoyPath(&r.Path, path) {
			return i
		}
	}
	return -1
}

func envoyHost(domains []string, host string, portless bool) bool {
	host = strings.ToLower(host)
	if i := strings.LastIndexByte(host, ':'); portless && i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return domains == nil || slices.ContainsFunc(domains, func(domain string) bool {
		if below, ok := strings.CutPrefix(domain, "*"); ok {
			return strings.HasSuffix(host, below) && len(host) > len(below)
		}
		return host == domain
	})
}

func envoyHeaders(conditions []route.Header, lines [][2]string) bool {
	for _, c := range conditions {
		var values []string
		for _, line := range lines {
			if line[0] == c.Name {
				values = append(values, line[1])
			}
		}
		if values == nil || c.Values != nil && !slices.Contains(c.Values, strings.Join(values, ",")) {
			return false
		}
	}
	return true
}

func envoyPath(p *route.Path, path string) bool {
	switch p.Kind {
	case route.Exact:
		return path == p.Text
	case route.Prefix:
		return path == p.Text || strings.HasPrefix(path, strings.TrimSuffix(p.Text, "/")+"/")
	case route.Template:
		expr := regexp.QuoteMeta(p.Text)
		expr = tailVariable.ReplaceAllString(expr, `(?:/.*)?`)
		return whole(oneVariable.ReplaceAllString(expr, `[^/]+`)).MatchString(path)
	case route.Regex:
		return whole(p.Text).MatchString(path)
	}
	return true
}

var (
	tailVariable = regexp.MustCompile(`/\\\{\w+=\\\*\\\*\\\}`)
	oneVariable  = regexp.MustCompile(`\\\{\w+\\\}`)
	plainPath    = regexp.MustCompile(`\A(/|(/[a-z]+)+)\z`)
	plainHost    = regexp.MustCompile(`\A[a-z.]*[a-z]\z`)
	plainMethod  = regexp.MustCompile(`\A[A-Z]+\z`)

	expressions sync.Map // compiled, by their text
)

// whole compiles an expression for a whole path.
func whole(text string) *regexp.Regexp {
	known, ok := expressions.Load(text)
	if !ok {
		known, _ = expressions.LoadOrStore(text, regexp.MustCompile(`\A(?:`+text+`)\z`))
	}
	return known.(*regexp.Regexp)
}

var (
	someTexts   = []string{"/caf%C3%A9", "/a%7Cb", "/", "/a", "/a/", "/a/b", "/a/b/", "/status", "/status/", "/admin"}
	someShapes  = []string{"/{x}", "/{x}/", "/a/{x}", "/a/{x}/", "/a/{rest=**}", "/{x}/b"}
	someRegexes = []string{"/a/b?", `/a/\..*`, "/a(/b)?/?", "/[^b]*", "/caf%c3%a9.*", "/caf%C3.*", "/a.*", "/a/.*", "/status/?", "/(a|admin)", "/a/b/", "/[a-z]+"}
	someHosts   = []string{"www.example.com", "*.example.com", "www.example.com:8443", "api.example.com", "[::1]"}
	someMethods = []string{"GET", "HEAD", "POST", "DELETE"}
	sentHosts   = []string{"www.example.com", "WWW.example.com", "www.example.com.", "www.example.com:8443", "www.example.com:80",
		"www.example.com:", "Www.example.com.:8443", "api.example.com", "example.com", "[::1]", "[::1]:80", "localhost"}
	sentMethods = []string{"GET", "get", "HEAD", "head", "Head", "POST", "post", "DELETE", "delete", "OPTIONS"}
	sentPaths   = []string{"/caf%C3%A9", "/caf%c3%a9", "/a|b", "/a%7cb", "/a/b/..", "/a/./", "/a/b/../", "///", "/A", "/STATUS", "/Admin/", "/", "/a", "/a/", "/a//", "/a/b", "/a/b/", "/status", "/status/", "/admin", "/admin/", "/a/./b", "/a/../status",
		"/%61", "//a", "/a/b/c", "/a/?x", "/status?x=/"}
)

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// randomDemands gives routes of all kinds.
func randomDemands(r *rand.Rand, portless bool) []route.Route {
	routes := make([]route.Route, 1+r.IntN(5))
	for i := range routes {
		q := &routes[i]
		switch r.IntN(6) {
		case 0, 1:
			q.Path = exact(pick(r, someTexts))
		case 2:
			q.Path = prefix(pick(r, someTexts))
		case 3:
			q.Path = template(pick(r, someShapes))
		case 4:
			q.Path = regex(pick(r, someRegexes))
		}
		if r.IntN(3) == 0 {
			q.Methods = []string{pick(r, someMethods)}
			if other := pick(r, someMethods); other != q.Methods[0] && r.IntN(3) == 0 {
				q.Methods = append(q.Methods, other)
			}
		}
		if r.IntN(3) == 0 {
			for q.Hosts == nil || portless && strings.HasSuffix(q.Hosts[0], "3") {
				q.Hosts = []string{pick(r, someHosts)}
			}
		}
		if r.IntN(6) == 0 {
			q.Headers = []route.Header{{Name: "x-a", Values: [][]string{nil, {"1"}, {"1", "2"}}[r.IntN(3)]}}
		}
		if q.Mode = route.Inherit; r.IntN(8) == 0 {
			q.Mode = route.Mode(r.IntN(3))
		}
		switch r.IntN(8) {
		case 0, 1:
			q.Auth = route.None
		case 2:
			q.Auth = route.Deny
		case 3:
			q.Auth = route.Optional
		}
		if q.Auth == route.Required || q.Auth == route.Optional {
			q.AllowOpaque = r.IntN(6) == 0
			switch r.IntN(6) {
			case 0:
				q.Requirements.Scopes = []string{"a"}
			case 1:
				q.Requirements.Scopes = []string{"a", "b"}
			case 2:
				q.Requirements.AnyScope = []string{"a", "b"}
			case 3:
				q.Requirements.Claims = []route.Claim{{Name: []string{"org"}, Values: []strictjson.Value{{Kind: strictjson.String, Text: "x", Raw: `"x"`}, {Kind: strictjson.String, Text: "y", Raw: `"y"`}}[:1+r.IntN(2)]}}
			}
		}
	}
	return routes
}

func randomLines(r *rand.Rand) (lines [][2]string) {
	for range r.IntN(3) {
		lines = append(lines, [2]string{pick(r, []string{"x-a", "x-a", "x_a"}), pick(r, []string{"1", "2", ""})})
	}
	return lines
}

// respellings are what a server may make of a request besides what was sent.
func respellings(q route.Request) (all []route.Request) {
	add := func(change func(q *route.Request)) {
		for _, known := range slices.Clone(all) {
			change(&known)
			all = append(all, known)
		}
	}
	all = append(all, q)
	add(func(q *route.Request) { q.Method = strings.ToUpper(q.Method) })
	add(func(q *route.Request) {
		if q.Method == "HEAD" {
			q.Method = "GET"
		}
	})
	add(func(q *route.Request) { q.Host = strings.ToLower(q.Host) })
	add(func(q *route.Request) {
		if i := strings.LastIndexByte(q.Host, ':'); i > strings.LastIndexByte(q.Host, ']') {
			q.Host = q.Host[:i]
		}
	})
	add(func(q *route.Request) {
		if name, port, ok := strings.Cut(q.Host, ".:"); ok {
			q.Host = name + ":" + port
		}
		q.Host = strings.TrimSuffix(q.Host, ".")
	})
	add(func(q *route.Request) {
		path, query, _ := strings.Cut(q.Path, "?")
		if strings.HasSuffix(path, "/") {
			path = strings.TrimRight(path, "/")
		} else {
			path += "/"
		}
		if path == "" {
			path = "/"
		}
		if q.Path = path; query != "" {
			q.Path += "?" + query
		}
	})
	return all[1:]
}

// checkInvariant holds the table against Envoy's reading and every other.
func checkInvariant(t testing.TB, routes []route.Route, q route.Request, o route.Options) (err error) {
	t.Helper()
	if _, faults := route.NewTable(routes, o); faults != nil {
		o.IgnoreCase = false // which takes no characters outside of ASCII
	}
	unmatched := &route.Route{}
	if o.DenyUnmatched {
		unmatched.Auth = route.Deny
	}
	routeAt := func(i int) *route.Route {
		if i < 0 {
			return unmatched
		}
		return &routes[i]
	}
	var m route.Match
	if err = newTable(t, routes, o).Find(&q, &m); err != nil {
		if !errors.Is(err, verify.PathAmbiguous) && !errors.Is(err, verify.RequestAmbiguous) {
			t.Fatalf("%+v with %+v: %v", q, routes, err)
		}
		if m.Spelling.Advice() == "" {
			t.Fatalf("%+v with %+v: %v, and nothing says how to spell it", q, routes, err)
		}
		return err
	}
	sent := envoy(routes, &q, o.IgnoreHostPort)
	demandedBy := func(what string, i int) {
		for _, c := range callers {
			if c.passes(m.Route, o.Report) && !c.passes(routeAt(i), o.Report) {
				t.Fatalf("%+v with %+v, %+v: %+v passes by route %d, and not by route %d, which is what %s", q, routes, o, c, m.Index, i, what)
			}
		}
	}
	demandedBy("Envoy's routes say", sent)
	others := respellings(q)
	if path, query, _ := strings.Cut(q.Path, "?"); o.IgnoreCase {
		// All texts here are in lower case.
		lower := q
		lower.Path = strings.ToLower(path) + "?" + query
		others = append(append(others, lower), respellings(lower)...)
	}
	for _, other := range others {
		i := envoy(routes, &other, o.IgnoreHostPort)
		if i < 0 || envoy(routes[i:i+1], &q, o.IgnoreHostPort) >= 0 {
			continue
		}
		// A slash that nobody sent matters only to a rule that asks for it.
		path, _, _ := strings.Cut(q.Path, "?")
		if its, query, _ := strings.Cut(other.Path, "?"); strings.HasSuffix(its, "/") && !strings.HasSuffix(path, "/") {
			unslashed := other
			unslashed.Path = strings.TrimSuffix(its, "/") + "?" + query
			if envoy(routes[i:i+1], &unslashed, o.IgnoreHostPort) >= 0 {
				continue
			}
		}
		demandedBy("another reading says", i)
	}
	if isPlain(routes, &q) && m.Index != sent {
		t.Fatalf("%+v with %+v: route %d, where Envoy's is %d: there is only one reading", q, routes, m.Index, sent)
	}
	return nil
}

// isPlain reports whether a request has one reading only.
func isPlain(routes []route.Route, q *route.Request) bool {
	path, _, _ := strings.Cut(q.Path, "?")
	for i := range routes {
		text := routes[i].Path.Text
		if len(text) > 1 && strings.HasSuffix(text, "/") || routes[i].Path.Kind == route.Regex && strings.Contains(text, "/.*") {
			return false
		}
	}
	return plainMethod.MatchString(q.Method) && q.Method != "HEAD" && plainHost.MatchString(q.Host) && plainPath.MatchString(path) && len(q.Headers) == 0
}

func TestAnotherSpellingIsNeverLaxer(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	decided, refused := 0, map[verify.Reason]int{}
	for range 60000 {
		o := route.Options{IgnoreCase: r.IntN(4) == 0, IgnoreHostPort: r.IntN(3) == 0, DenyUnmatched: r.IntN(3) == 0, Report: r.IntN(6) == 0}
		routes := randomDemands(r, o.IgnoreHostPort)
		q := route.Request{Method: pick(r, sentMethods), Host: pick(r, sentHosts), Path: pick(r, sentPaths), Headers: randomLines(r)}
		if err := checkInvariant(t, routes, q, o); err != nil {
			refused[verify.ReasonOf(err)]++
		} else {
			decided++
		}
	}
	if decided < 30000 || refused[verify.PathAmbiguous] < 500 || refused[verify.RequestAmbiguous] < 50 {
		t.Errorf("%d decided, %v refused: too few to show anything", decided, refused)
	}
}

func FuzzSpelling(f *testing.F) {
	for i, path := range sentPaths {
		f.Add(uint64(i), sentMethods[i%len(sentMethods)], sentHosts[i%len(sentHosts)], path, "x-a", "1")
	}
	f.Fuzz(func(t *testing.T, seed uint64, method, host, path, name, value string) {
		r := rand.New(rand.NewPCG(seed, 1))
		o := route.Options{IgnoreCase: r.IntN(4) == 0, IgnoreHostPort: r.IntN(3) == 0, DenyUnmatched: r.IntN(3) == 0, Report: r.IntN(6) == 0}
		q := route.Request{Method: method, Host: host, Path: path, Headers: [][2]string{{strings.ToLower(name), value}, {"x-a", "1"}}}
		_ = checkInvariant(t, randomDemands(r, o.IgnoreHostPort), q, o)
	})
}
