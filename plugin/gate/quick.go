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
	for _, name := range g.identity {
		q.look(name)
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
// The Changes are those of an accepted request. They are not to be changed.
func (g *Gate) Quick(headers [][2]string, now time.Time) *Changes {
	if !g.quick.able {
		return nil
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
				return nil
			}
			text, given = headers[i][1], true
		case name == ":method":
			if headers[i][1] == "OPTIONS" {
				return nil // perhaps a preflight
			}
		case g.isIdentity(name):
			return nil
		}
	}
	const scheme = len("Bearer ")
	if len(text) < scheme || text[:scheme] != verify.Authorization.Prefix {
		return nil
	}
	s := g.tokens.get(text[scheme:])
	if s == nil || s.rule.Check(s.token, now) != nil {
		return nil
	}
	if epoch, usable := s.issuer.keys.Current(now); !usable || epoch != s.epoch {
		return nil
	}
	if g.routed && !g.satisfied(s, headers, now) {
		return nil
	}
	return s.changes
}

// satisfied reports whether the token is enough for the request's route.
func (g *Gate) satisfied(s *seen, headers [][2]string, now time.Time) bool {
	q := route.Request{Method: Value(headers, ":method"), Host: Value(headers, ":authority"), Path: Value(headers, ":path"), Headers: headers}
	var m route.Match
	return g.routes.Find(&q, &m) == nil && m.Route.Auth <= route.Optional && m.Check(s.token, now, s.rule.ClockSkew) == nil
}
