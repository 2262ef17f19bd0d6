package convert

import (
	"slices"
	"time"
)

// auth is what is asked of a request, laxest first.
type auth uint8

const (
	open  auth = iota // nothing; no token is looked at
	maybe             // a valid token or none
	must              // a valid token
	never             // what no request has
)

// A need is what is asked of a request. Nil lists ask nothing.
type need struct {
	auth        auth
	issuers     []string
	audiences   []string
	subjects    []string
	scopes      []string // every one
	anyScope    []string
	claims      []claim    // every one
	required    [][]string // claims that must be there
	maxLifetime time.Duration
}

// claim must be, or hold, one of the values, which are JSON.
type claim struct {
	way    []string
	values []string
	// single is true when the claim had to be one value, and could not be two.
	single bool
	// words is true when a claim that is a string is the list of its words.
	words bool
}

// bare is the need without its lists.
func (n *need) bare() bool {
	return n.issuers == nil && n.audiences == nil && n.subjects == nil && n.scopes == nil && n.anyScope == nil &&
		n.claims == nil && n.required == nil && n.maxLifetime == 0
}

// before is and, where n is of the filter that looks at tokens: where that looks
// at none, what m asks of a token is asked in vain.
func (n need) before(m need) need {
	if n.auth == open && m.auth != open {
		return need{auth: never}
	}
	return n.and(m)
}

// and is what satisfies both, or less.
func (n need) and(m need) need {
	switch {
	case n.auth == never || m.auth == never:
		return need{auth: never}
	case m.auth == open:
		return n
	case n.auth == open:
		return m
	}
	both := need{auth: max(n.auth, m.auth), maxLifetime: n.maxLifetime}
	if both.maxLifetime == 0 || m.maxLifetime != 0 && m.maxLifetime < both.maxLifetime {
		both.maxLifetime = m.maxLifetime
	}
	ok := [3]bool{}
	both.issuers, ok[0] = meetLists(n.issuers, m.issuers)
	both.audiences, ok[1] = meetLists(n.audiences, m.audiences)
	both.subjects, ok[2] = meetLists(n.subjects, m.subjects)
	if slices.Contains(ok[:], false) {
		if both.auth == maybe { // no token, then
			return need{auth: maybe, issuers: []string{nobody}}
		}
		return need{auth: never}
	}
	both.scopes = union(n.scopes, m.scopes)
	both.anyScope = n.anyScope
	switch {
	case n.anyScope == nil:
		both.anyScope = m.anyScope
	case m.anyScope != nil:
		// One of each cannot be said; one that is in both will do.
		var some bool
		if both.anyScope, some = meetLists(n.anyScope, m.anyScope); !some {
			both.anyScope = nil
			both.scopes = union(both.scopes, []string{n.anyScope[0], m.anyScope[0]})
		}
	}
	both.claims = slices.Clone(n.claims)
	for _, c := range m.claims {
		at := slices.IndexFunc(both.claims, func(d claim) bool { return d.equal(c) || d.single && c.single && d.looksAt(c) })
		if at < 0 {
			both.claims = append(both.claims, c)
			continue
		}
		values, some := meetLists(both.claims[at].values, c.values)
		if !some {
			return need{auth: never} // whoever asks that of a claim has a token
		}
		both.claims[at].values = values
	}
	both.required = slices.Clone(n.required)
	for _, way := range m.required {
		if !slices.ContainsFunc(both.required, func(w []string) bool { return slices.Equal(w, way) }) {
			both.required = append(both.required, way)
		}
	}
	return both
}

// or is what satisfies one of the two; exact is false when it is only a part of
// that.
func (n need) or(m need) (either need, exact bool) {
	switch {
	case n.implies(m):
		return m, true
	case m.implies(n):
		return n, true
	}
	if n.auth != m.auth {
		return n, false
	}
	// Needs that differ in one list alone add up.
	either = n
	x, y := n, m
	x.issuers, y.issuers = nil, nil
	if x.equal(y) && n.issuers != nil && m.issuers != nil {
		either.issuers = union(n.issuers, m.issuers)
		return either, true
	}
	x, y = n, m
	x.subjects, y.subjects = nil, nil
	if x.equal(y) && n.subjects != nil && m.subjects != nil {
		either.subjects = union(n.subjects, m.subjects)
		return either, true
	}
	x, y = n, m
	x.audiences, y.audiences = nil, nil
	if x.equal(y) && n.audiences != nil && m.audiences != nil {
		either.audiences = union(n.audiences, m.audiences)
		return either, true
	}
	x, y = n, m
	a, aOK := oneOf(&x)
	b, bOK := oneOf(&y)
	if x.equal(y) && aOK && bOK {
		either = x
		either.anyScope = union(a, b)
		return either, true
	}
	if len(n.claims) == len(m.claims) {
		for i := range n.claims {
			x, y = n, m
			x.claims, y.claims = slices.Delete(slices.Clone(n.claims), i, i+1), slices.Delete(slices.Clone(m.claims), i, i+1)
			if x.equal(y) && n.claims[i].looksAt(m.claims[i]) {
				either.claims = slices.Clone(n.claims)
				either.claims[i].values = union(n.claims[i].values, m.claims[i].values)
				either.claims[i].single = n.claims[i].single && m.claims[i].single
				return either, true
			}
		}
	}
	return n, false
}

// oneOf takes the scopes out of a need that asks for one of them.
func oneOf(n *need) (scopes []string, ok bool) {
	if n.anyScope == nil && len(n.scopes) == 1 {
		n.anyScope, n.scopes = n.scopes, nil
	}
	scopes, ok = n.anyScope, n.anyScope != nil && n.scopes == nil
	n.anyScope = nil
	return scopes, ok
}

// implies reports whether what satisfies n satisfies m; false when it cannot be
// told.
func (n need) implies(m need) bool {
	switch {
	case n.auth == never, m.auth == open:
		return true
	case m.auth == never, n.auth < m.auth:
		return false
	}
	if !listCovers(m.issuers, n.issuers) || !listCovers(m.audiences, n.audiences) || !listCovers(m.subjects, n.subjects) ||
		m.maxLifetime != 0 && (n.maxLifetime == 0 || n.maxLifetime > m.maxLifetime) {
		return false
	}
	for _, s := range m.scopes {
		if !slices.Contains(n.scopes, s) && !slices.Equal(n.anyScope, []string{s}) {
			return false
		}
	}
	if m.anyScope != nil && !(n.anyScope != nil && listCovers(m.anyScope, n.anyScope)) &&
		!slices.ContainsFunc(n.scopes, func(s string) bool { return slices.Contains(m.anyScope, s) }) {
		return false
	}
	for _, c := range m.claims {
		if !slices.ContainsFunc(n.claims, func(d claim) bool {
			return c.looksAt(d) && listCovers(c.values, d.values)
		}) {
			return false
		}
	}
	for _, way := range m.required {
		if !slices.ContainsFunc(n.required, func(w []string) bool { return slices.Equal(w, way) }) &&
			!slices.ContainsFunc(n.claims, func(d claim) bool { return slices.Equal(way, d.way) }) {
			return false
		}
	}
	return true
}

func (n need) equal(m need) bool { return n.implies(m) && m.implies(n) }

func (c claim) equal(d claim) bool {
	return c.looksAt(d) && slices.Equal(c.values, d.values)
}

// looksAt reports whether both look at the same claim in the same way.
func (c claim) looksAt(d claim) bool { return slices.Equal(c.way, d.way) && c.words == d.words }

// union is both lists, nothing twice.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
