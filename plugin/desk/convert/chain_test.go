package convert

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// visit is a request as conditions see it, and the token that it carries.
type visit struct {
	path, method, host string
	headers            map[string]string
	token              bool
	issuer, role       string
	scopes             []string
}

func (v *visit) meets(c cond, headIsGet bool) bool {
	if !c.path.has(v.path) || c.methods != nil && !slices.Contains(c.methods, v.method) &&
		!(headIsGet && v.method == "HEAD" && slices.Contains(c.methods, "GET")) {
		return false
	}
	if c.hosts != nil && !slices.ContainsFunc(c.hosts, func(h string) bool { return hostCovers(h, v.host) }) {
		return false
	}
	for _, h := range c.headers {
		value, ok := v.headers[h.name]
		if !ok || h.values != nil && !slices.Contains(h.values, value) {
			return false
		}
	}
	return true
}

func (v *visit) has(n need) bool {
	switch {
	case n.auth == open || n.auth == maybe && !v.token:
		return true
	case n.auth == never || !v.token:
		return false
	}
	for _, c := range n.claims {
		if !slices.Contains(c.values, quoted(v.role)) {
			return false
		}
	}
	return (n.issuers == nil || slices.Contains(n.issuers, v.issuer)) && !slices.ContainsFunc(n.scopes, func(s string) bool { return !slices.Contains(v.scopes, s) }) &&
		(n.anyScope == nil || slices.ContainsFunc(n.anyScope, func(s string) bool { return slices.Contains(v.scopes, s) }))
}

func (v *visit) passes(a chain, headIsGet bool) bool {
	at := slices.IndexFunc(a, func(r rule) bool { return v.meets(r.cond, headIsGet) })
	return v.has(a[at].need)
}

func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

func someChain(r *rand.Rand) chain {
	var a chain
	for range r.IntN(4) {
		c := cond{
			path: pick(r, path{}, path{exactPath, "/a"}, path{exactPath, "/a/b"}, path{underPath, "/a"}, path{underPath, "/a/b"}, path{beginPath, "/a"},
				path{beginPath, "/a/b"}, path{exactPath, "/a/"}, path{beginPath, "/a/"}, path{underPath, "/c"}, path{shapePath, "/a/{x}"}, path{shapePath, "/a/{x=**}"}, path{regexPath, "/(a|c)/.*"}, path{regexPath, "/.+/"}),
			methods: pick(r, nil, nil, []string{"GET"}, []string{"GET", "POST"}, []string{"HEAD", "POST"}),
			hosts:   pick(r, nil, nil, []string{"x.example"}, []string{"*.example"}, []string{"*.x.example", "y.example"}),
		}
		if r.IntN(3) == 0 {
			c.headers = []header{{"h", pick(r, nil, []string{"1"}, []string{"1", "2"})}}
		}
		a = append(a, rule{cond: c, need: someNeed(r)})
	}
	return append(a, rule{need: someNeed(r)})
}

func someNeed(r *rand.Rand) need {
	n := need{auth: auth(r.IntN(4))}
	if n.auth == open || n.auth == never {
		return n
	}
	n.issuers = pick(r, nil, nil, []string{"i"}, []string{"j"}, []string{"i", "j"})
	if n.auth == must {
		n.scopes = pick(r, nil, nil, []string{"r"}, []string{"r", "w"})
		n.anyScope = pick(r, nil, nil, []string{"w"}, []string{"r", "w"})
		if r.IntN(3) == 0 {
			n.claims = []claim{{way: []string{"role"}, values: pick(r, []string{`"a"`}, []string{`"a"`, `"b"`}, []string{`"c"`}), single: r.IntN(2) == 0}}
		}
	}
	return n
}

func someVisit(r *rand.Rand) *visit {
	v := &visit{
		path:   pick(r, "/", "/a", "/a/", "/a/b/", "/c/", "/ab", "/a/b", "/a/bc", "/a/b/c", "/c", "/c/d", "/d"),
		method: pick(r, "GET", "POST", "HEAD", "PUT"), host: pick(r, "x.example", "y.example", "z.x.example", "other"),
		headers: map[string]string{}, token: r.IntN(4) > 0,
		issuer: pick(r, "i", "j"), role: pick(r, "a", "b", "c"), scopes: pick(r, nil, []string{"r"}, []string{"w"}, []string{"r", "w"}),
	}
	if r.IntN(2) == 0 {
		v.headers["h"] = pick(r, "1", "2", "3")
	}
	return v
}

// TestAlgebra holds the chains' algebra against single requests: never laxer, and
// just as lax where nothing is said of being stricter.
func TestAlgebra(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	crossed := 0
	for range 2000 {
		a, b := someChain(r), someChain(r)
		and, errAnd := a.and(b)
		or, errOr := a.or(b)
		heads, errHeads := a.joined().heads()
		settled := a.settled()
		if errAnd == nil {
			crossed++
		}
		if errOr != nil {
			t.Fatal(errOr)
		}
		for range 40 {
			v := someVisit(r)
			x, y := v.passes(a, false), v.passes(b, false)
			if errAnd == nil {
				if got := v.passes(and, false); got && !(x && y) {
					t.Fatalf("and is laxer for %+v:\n%+v\n%+v\n%+v", v, a, b, and)
				} else if got != (x && y) && !isTold(and) && !narrowed(a, b) {
					t.Fatalf("and is stricter for %+v:\n%+v\n%+v\n%+v", v, a, b, and)
				}
			}
			if got := v.passes(or, false); got && !x && !y {
				t.Fatalf("or is laxer for %+v:\n%+v\n%+v\n%+v", v, a, b, or)
			} else if got != (x || y) && !isTold(or) {
				t.Fatalf("or is stricter for %+v:\n%+v\n%+v\n%+v", v, a, b, or)
			}
			other := *v
			if other.path = bare(v.path); other.path == v.path && v.path != "/" {
				other.path += "/"
			}
			merged := *v
			merged.path = bare(v.path)
			if got := merged.passes(settled, false); got && !x && !other.passes(a, false) {
				t.Fatalf("settled is laxer for %+v:\n%v\n%v", v, a, settled)
			}
			if errHeads == nil {
				if got := v.passes(heads, true); got && !x || !got && x && v.method != "HEAD" {
					t.Fatalf("with HEAD for GET, %v, it was %v for %+v:\n%v\n%v", got, x, v, a, heads)
				}
			}
		}
	}
	if crossed < 500 {
		t.Errorf("only %d pairs could be joined", crossed)
	}
}

func isTold(a chain) bool {
	return slices.ContainsFunc(a, func(r rule) bool {
		return slices.ContainsFunc(r.notes, func(n string) bool { return strings.HasPrefix(n, "stricter") })
	})
}

// narrowed: one of each of two lists of scopes cannot be said.
func narrowed(a, b chain) bool {
	has := func(c chain) bool { return slices.ContainsFunc(c, func(r rule) bool { return r.need.anyScope != nil }) }
	return has(a) && has(b)
}

// TestWithoutSlash: what is left matches a path where the expression matches it
// with a slash at its end or without.
func TestWithoutSlash(t *testing.T) {
	words := []string{"", "/", "/a", "/b", "/x", "/1", "/a/b", "/a/b/c", "/v1/x", "/v2", "/aa", "/ab", "/a/x/y", "/foo", "/foobar", "/foo/bar"}
	for _, text := range []string{
		"/a/", "/a/.*", "/a/?", "/.+/", ".*/", ".*", "/(a|b)/", "(/a|/b/)+", "/v[12]/x", "^/a/$", "/a(/[^/]+)*/?", "/foo.*", "/foo.+", "/[^.]+", "/a/{0,2}", "(/x)?/", "(?i)/FOO/", "/a/b|/x/",
	} {
		kept, err := withoutSlash(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		before, after := regexp.MustCompile(`\A(?:`+text+`)\z`), regexp.MustCompile(`\A(?:`+kept+`)\z`)
		for _, w := range words[1:] {
			want := before.MatchString(w) || before.MatchString(w+"/")
			if got := after.MatchString(w); got != want {
				t.Errorf("%s became %s: %s: %v, want %v", text, kept, w, got, want)
			}
		}
	}
	for _, text := range []string{`/a\b/`, "/a$b", "(", `/a\C`, "(^/a)|b"} {
		if kept, err := withoutSlash(text); err == nil {
			t.Errorf("%s became %s", text, kept)
		}
	}
}
