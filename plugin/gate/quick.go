package gate

import (
	"time"

	"edgejwt/verify"
	"edgejwt/verify/route"
)

// quick is what Quick has to know of a configuration.
type quick struct {
	able bool
	// lengths has the bit of each length, less one and modulo 64, that the name of
	// a header has on which anything may depend.
	lengths uint64
}

// newQuick says whether requests may be decided quickly: the token stands in
// Authorization only, and neither Envoy's routes nor the path change what is told.
func (g *Gate) newQuick() (q quick) {
	q.able = len(g.locations) == 1 && g.locations[0] == verify.Authorization &&
		g.policies == nil && g.metadata == "" && !(g.filterState && g.routed)
	q.look(":method")
	q.look(verify.Authorization.Name)
	for _, list := range [...][]string{g.headers.identity, g.headers.overrides} {
		for _, name := range list {
			q.look(name)
		}
	}
	return q
}

func (q *quick) look(name string) { q.lengths |= 1 << ((len(name) - 1) & 63) }

// Quick decides what most requests are: a token that was seen before, in one
// Authorization header, still valid, enough for its route, and nothing forged. It
// takes the steps of Forged, Judge and Changes that such a request can fail in,
// in fewer instructions: most of what a request costs in Wasm is code that the
// processor has to fetch. Of all others it says nothing (nil), and Judge decides.
//
// The Changes are those of an accepted request. They are not to be changed. With
// them come the rule, as Judgement.Rule has it, and the route's Match.Index.
func (g *Gate) Quick(headers [][2]string, now time.Time) (c *Changes, rule, index int) {
	if !g.quick.able {
		return nil, 0, 0
	}
	text, given := "", false
	for i := range headers {
		name := headers[i][0]
		if g.quick.lengths>>((len(name)-1)&63)&1 == 0 {
			continue
		}
		switch {
		case name == verify.Authorization.Name:
			if given {
				return nil, 0, 0
			}
			text, given = headers[i][1], true
		case name == ":method":
			if headers[i][1] == "OPTIONS" {
				return nil, 0, 0 // perhaps a preflight
			}
		case g.headers.isRemoved(name):
			return nil, 0, 0
		}
	}
	const scheme = len("Bearer ")
	if len(text) < scheme || text[:scheme] != verify.Authorization.Prefix {
		return nil, 0, 0
	}
	s := g.tokens.get(text[scheme:])
	if s == nil || s.rule.Check(s.token, now) != nil {
		return nil, 0, 0
	}
	if epoch, usable := s.issuer.keys.Current(now); !usable || epoch != s.epoch {
		return nil, 0, 0
	}
	index = -1
	if g.routed {
		var ok bool
		if index, ok = g.satisfied(s, headers, now); !ok {
			return nil, 0, 0
		}
	}
	if s.changes != nil {
		g.tokens.lookups[Hit]++
	}
	return s.changes, s.issuer.rule, index
}

// satisfied reports whether the token is enough for the request's route, whose
// place in the table it gives.
func (g *Gate) satisfied(s *seen, headers [][2]string, now time.Time) (index int, ok bool) {
	q := route.Request{Method: Value(headers, ":method"), Host: Value(headers, ":authority"), Path: Value(headers, ":path"), Headers: headers}
	var m route.Match
	ok = g.routes.Find(&q, &m) == nil && m.Route.Auth <= route.Optional && m.Check(s.token, now, s.rule.ClockSkew) == nil
	return m.Index, ok
}
