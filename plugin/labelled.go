package plugin

import (
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// labelled are the counters of requests by route and by issuer. In which of them
// a request counts follows from places in the configuration's lists, so nothing
// is looked up for it.
type labelled struct {
	by     []counter     // outcomeEnd for each series: first those of routes, then the rules'
	names  []string      // of the series of routes; empty without routes
	routes []uint8       // series by the route's place plus one
	rules  []config.Rule // by whose issuers requests are counted
}

// outcome is what became of a request.
type outcome uint8

const (
	wentOn outcome = iota
	wasRefused
	notJudged // 503, for want of keys
	wasReported
	outcomeEnd
)

var outcomeNames = [outcomeEnd]string{"passed", "refused", "unavailable", "reported"}

// outcomeOf is what becomes of a request that is answered here.
func outcomeOf(reason verify.Reason) outcome {
	if reason == verify.KeysUnavailable {
		return notJudged
	}
	return wasRefused
}

// The series of routes that have no name, or none of their own.
const (
	otherRoutes = iota
	noRoute
	unnamedRoutes
	unnamedPolicies // of Envoy's routes
	ownNames

	// maxNames bounds how many there are: 64 names of routes have their own.
	maxNames = ownNames + 64
)

// ownName has their names. An operator's route of such a name shares the series.
var ownName = [ownNames]string{"other", "none", "unnamed", "policy"}

func newLabelled(cfg *config.Config) (l labelled) {
	l.by = make([]counter, (maxNames+len(cfg.Rules))*int(outcomeEnd)) // never grows: owed points into it
	l.rules = cfg.Rules
	if len(cfg.Routes) == 0 && !cfg.RouteMetadata {
		return l
	}
	l.names = make([]string, ownNames, maxNames)
	copy(l.names, ownName[:])
	l.routes = make([]uint8, 1+len(cfg.Routes))
	l.routes[0] = noRoute
	for i := range cfg.Routes {
		l.routes[1+i] = uint8(l.series(cfg.Routes[i].Name, unnamedRoutes))
	}
	return l
}

// series gives the series of a route's name; nameless if it has none.
//
//go:noinline
func (l *labelled) series(name string, nameless int) int {
	if name == "" {
		return nameless
	}
	n := len(l.names)
	for i := range n {
		if l.names[i] == name {
			return i
		}
	}
	if n == maxNames {
		return otherRoutes
	}
	l.names = l.names[:n+1]
	l.names[n] = name
	return n
}

// tally counts a request in a series.
//
//go:noinline
func (m *metrics) tally(series int, o outcome) {
	c := &m.by[series*int(outcomeEnd)+int(o)]
	if c.kept == 0 && !c.defined {
		m.name(c, series, o)
	}
	m.keep(c, 1)
}

// name defines a counter when it counts for the first time: Envoy keeps for good
// whatever is defined, and Prometheus what it is shown, and of all routes and
// outcomes few ever meet.
func (m *metrics) name(c *counter, series int, o outcome) {
	var metric, value string
	if series < maxNames {
		metric, value = "edgejwt_route_requests;route=", m.names[series]
	} else {
		metric, value = "edgejwt_issuer_requests;issuer=", addressLabel(m.rules[series-maxNames].Issuer)
	}
	c.metric = define(counterMetric, metric+value+";outcome="+outcomeNames[o]+";;")
}

// byRule counts a request by the rule of its token's issuer.
func (m *metrics) byRule(place int, o outcome) { m.tally(maxNames+place, o) }

// byRoute counts a request by its route's place in the table; -1 where none
// matched.
func (m *metrics) byRoute(place int, o outcome) {
	if len(m.routes) > 0 {
		m.tally(int(m.routes[place+1]), o)
	}
}

// count counts the request: by its reason and, as far as it was judged, by issuer
// and route. What was decided before its route was found counts for none.
func (q *request) count(by []counter, reason verify.Reason, o outcome) {
	m, j := &q.setup.metrics, &q.decision
	if int(reason) < len(by) {
		m.keep(&by[reason], 1)
	}
	if rule := j.Rule(); rule >= 0 {
		m.byRule(rule, o)
	}
	if match := j.Match(); match == nil {
		return
	} else if j.ByPolicy() {
		m.tally(m.series(match.Route.Name, unnamedPolicies), o)
	} else {
		m.byRoute(match.Index, o)
	}
}

// flushMetrics hands over to the host all that was counted and kept.
func (s *setup) flushMetrics() {
	if s.authz == nil {
		return // its configuration was refused: it has counted nothing
	}
	for i, n := range s.authz.Lookups() {
		if n > 0 {
			s.metrics.lookups[i].add(n)
		}
	}
	s.metrics.flush()
}
