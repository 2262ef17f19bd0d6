package convert

import (
	"math/rand/v2"
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

func (v *visit) meets(c cond) bool {
	if !c.path.has(v.path) || c.methods != nil && !slices.Contains(c.methods, v.method) {
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
		if c.words {
			if !slices.ContainsFunc(v.scopes, func(s string) bool { return slices.Contains(c.values, quoted(s)) }) {
				return false
			}
			continue
		}
		if !slices.Contains(c.values, quoted(v.role)) {
			return false
		}
	}
	return (n.issuers == nil || slices.Contains(n.issuers, v.issuer)) && !slices.ContainsFunc(n.scopes, func(s string) bool { return !slices.Contains(v.scopes, s) }) &&
		(n.anyScope == nil || slices.ContainsFunc(n.anyScope, func(s string) bool { return slices.Contains(v.scopes, s) }))
}

func (v *visit) passes(a chain) bool {
	at := slices.IndexFunc(a, func(r rule) bool { return v.meets(r.cond) })
	return v.has(a[at].need)
}

func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

func someChain(r *rand.Rand) chain {
	var a chain
	for range r.IntN(4) {
		c := cond{
			path: pick(r, path{}, path{exactPath, "/a"}, path{exactPath, "/a/b"}, path{underPath, "/a"}, path{underPath, "/a/b"}, path{beginPath, "/a"},
				path{beginPath, "/a/b"}, path{exactPath, "/a/"}, path{beginPath, "/a/"}, path{underPath, "/c"}, path{shapePath, "/a/{x}"}, path{regexPath, "/(a|c)/.*"}, path{regexPath, "/.+/"}),
			methods: pick(r, nil, nil, []string{"GET"}, []string{"GET", "POST"}, []string{"HEAD", "POST"}),
			hosts:   pick(r, nil, nil, []string{"x.example"}, []string{"*.example"}, []string{"*.x.example", "y.example"}, []string{"x.example:80"}, []string{"x.example", "x.example:80"}),
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
		if r.IntN(4) == 0 {
			n.claims = append(n.claims, claim{way: []string{"scope"}, values: pick(r, []string{`"r"`}, []string{`"w"`}, []string{`"r"`, `"w"`}), words: true})
		}
		if r.IntN(3) == 0 {
			n.claims = append(n.claims, claim{way: []string{"role"}, values: pick(r, []string{`"a"`}, []string{`"a"`, `"b"`}, []string{`"c"`}), single: r.IntN(2) == 0})
		}
	}
	return n
}

func someVisit(r *rand.Rand) *visit {
	v := &visit{
		path:   pick(r, "/", "/a", "/a/", "/a/b/", "/c/", "/ab", "/a/b", "/a/bc", "/a/b/c", "/c", "/c/d", "/d"),
		method: pick(r, "GET", "POST", "HEAD", "PUT"), host: pick(r, "x.example", "x.example", "x.example:80", "x.example:1", "y.example", "z.x.example", "other"),
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
		joined := a.joined()
		if errAnd == nil {
			crossed++
		}
		if errOr != nil {
			t.Fatal(errOr)
		}
		for range 40 {
			v := someVisit(r)
			x, y := v.passes(a), v.passes(b)
			if errAnd == nil {
				if got := v.passes(and); got && !(x && y) {
					t.Fatalf("and is laxer for %+v:\n%+v\n%+v\n%+v", v, a, b, and)
				} else if got != (x && y) && !isTold(and) && !narrowed(a, b) {
					t.Fatalf("and is stricter for %+v:\n%+v\n%+v\n%+v", v, a, b, and)
				}
			}
			if got := v.passes(or); got && !x && !y {
				t.Fatalf("or is laxer for %+v:\n%+v\n%+v\n%+v", v, a, b, or)
			} else if got != (x || y) && !isTold(or) {
				t.Fatalf("or is stricter for %+v:\n%+v\n%+v\n%+v", v, a, b, or)
			}
			if got := v.passes(joined); got != x {
				t.Fatalf("joined, %v, it was %v for %+v:\n%v\n%v", got, x, v, a, joined)
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
