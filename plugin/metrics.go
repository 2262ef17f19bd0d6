package plugin

import (
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/abi"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/plugin/version"
	"edgejwt/verify"
)

// metrics counts what happened. Labels are part of the name, in the form that
// Envoy's stats_tags can take apart: edgejwt_requests;reason=token_expired;;
// No label is ever taken from a token.
//
// A call of the host costs more than most of what is decided. So the counts of
// requests that pass are kept here and handed over with the next tick, or with
// the next request that is refused or would be, whichever is first: flush.
type metrics struct {
	requests      []counter // by verify.Reason
	refused       []counter // in report mode; by verify.Reason
	panics        metric
	pending       metric
	pendingNow    metric // requests that wait for keys now, of all workers together
	timeouts      metric
	dropped       counter
	stateFailures counter // filter state that the host did not take
	signatures    signatureMetrics
	lookups       [authz.CacheResultEnd]metric // by authz.CacheResult
	labelled

	unflushed []*counter
}

// metric is the host's number for a metric. Without one (the host would not
// define it) that figure is missing, and requests are decided all the same.
type metric struct {
	id      uint32
	defined bool
}

func define(kind uint32, name string) (m metric) {
	m.id, m.defined = abi.DefineMetric(kind, name)
	return m
}

func (m metric) add(n int64) {
	if m.defined {
		abi.IncrementMetric(m.id, n)
	}
}

// set sets a gauge. The gauge is one for all workers and the last to set it wins,
// which is right for what all of them know alike.
func (m metric) set(value uint64) {
	if m.defined {
		abi.RecordMetric(m.id, value)
	}
}

// counter is a metric whose counts are kept until metrics.flush.
type counter struct {
	metric
	kept int64
}

// count counts without a call of the host.
func (m *metrics) count(c *counter, n int64) {
	if c.kept == 0 {
		m.unflushed = append(m.unflushed, c)
	}
	c.kept += n
}

// flush hands over to the host what has been kept.
func (m *metrics) flush() {
	for _, c := range m.unflushed {
		c.add(c.kept)
		c.kept = 0
	}
	m.unflushed = m.unflushed[:0]
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

// label appends a label to a metric's name; the last one is followed by ";;".
func label(metric, name, value string) string { return metric + ";" + name + "=" + value }

// define makes the metrics that every configuration has.
func (m *metrics) define(cfg *config.Config, reports bool) {
	define(abi.Gauge, "edgejwt_build_info;version="+version.Number+";;").set(1)
	m.labelled = newLabelled(cfg)
	if cfg.TokenCache.Entries > 0 {
		m.lookups[authz.Hit] = define(abi.Counter, "edgejwt_token_cache;result=hit;;")
		m.lookups[authz.Miss] = define(abi.Counter, "edgejwt_token_cache;result=miss;;")
		m.lookups[authz.Bad] = define(abi.Counter, "edgejwt_token_cache;result=bad;;")
	}
	reasons := verify.Reasons()
	m.requests = make([]counter, 1+reasons[len(reasons)-1])
	m.refused = make([]counter, 1+reasons[len(reasons)-1])
	m.panics = define(abi.Counter, "edgejwt_panics")
	m.pending = define(abi.Counter, "edgejwt_parked")
	m.pendingNow = define(abi.Gauge, "edgejwt_parked_now")
	m.timeouts = define(abi.Counter, "edgejwt_wait_timeouts")
	m.dropped.metric = define(abi.Counter, "edgejwt_claims_dropped")
	m.stateFailures.metric = define(abi.Counter, "edgejwt_state_failures")
	for _, reason := range reasons {
		m.requests[reason].metric = define(abi.Counter, label("edgejwt_requests", "reason", reason.String())+";;")
		if reports && !reason.Passes() {
			m.refused[reason].metric = define(abi.Counter, label("edgejwt_would_refuse", "reason", reason.String())+";;")
		}
	}
}

// signatureMetrics counts signature checks by who made them.
type signatureMetrics struct{ byHost, byGo metric }

func newSignatureMetrics() signatureMetrics {
	return signatureMetrics{
		byHost: define(abi.Counter, label("edgejwt_signatures", "engine", "host")+";;"),
		byGo:   define(abi.Counter, label("edgejwt_signatures", "engine", "go")+";;"),
	}
}

func (m *signatureMetrics) count(byHost bool) {
	if byHost {
		m.byHost.add(1)
	} else {
		m.byGo.add(1)
	}
}

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
	outcomePassed outcome = iota
	outcomeRefused
	outcomeUnavailable // 503, because keys are missing
	outcomeReported
	outcomeEnd
)

var outcomeNames = [outcomeEnd]string{"passed", "refused", "unavailable", "reported"}

// outcomeOf is what becomes of a request that is answered here.
func outcomeOf(reason verify.Reason) outcome {
	if reason == verify.KeysUnavailable {
		return outcomeUnavailable
	}
	return outcomeRefused
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
	l.by = make([]counter, (maxNames+len(cfg.Rules))*int(outcomeEnd)) // never grows: metrics.unflushed points into it
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
func (l *labelled) series(name string, nameless int) int {
	if name == "" {
		return nameless
	}
	for i, known := range l.names {
		if known == name {
			return i
		}
	}
	if len(l.names) == maxNames {
		return otherRoutes
	}
	l.names = append(l.names, name)
	return len(l.names) - 1
}

// countIn counts a request in a series.
func (m *metrics) countIn(series int, o outcome) {
	c := &m.by[series*int(outcomeEnd)+int(o)]
	if c.kept == 0 && !c.defined {
		m.defineIn(c, series, o)
	}
	m.count(c, 1)
}

// defineIn defines a counter when it counts for the first time: Envoy keeps for good
// whatever is defined, and Prometheus what it is shown, and of all routes and
// outcomes few ever meet.
func (m *metrics) defineIn(c *counter, series int, o outcome) {
	var metric, value string
	if series < maxNames {
		metric, value = "edgejwt_route_requests;route=", m.names[series]
	} else {
		metric, value = "edgejwt_issuer_requests;issuer=", addressLabel(m.rules[series-maxNames].Issuer)
	}
	c.metric = define(abi.Counter, metric+value+";outcome="+outcomeNames[o]+";;")
}

// count counts the request: by its reason and, as far as it was decided, by issuer
// and route. What was decided before its route was found counts for none.
func (q *request) count(by []counter, reason verify.Reason, o outcome) {
	m, d := &q.setup.metrics, &q.decision
	if int(reason) < len(by) {
		m.count(&by[reason], 1)
	}
	if rule := d.Rule(); rule >= 0 {
		m.countIn(maxNames+rule, o)
	}
	match := d.Match()
	switch {
	case match == nil:
	case d.ByPolicy():
		m.countIn(m.series(match.Route.Name, unnamedPolicies), o)
	case len(m.routes) > 0:
		m.countIn(int(m.routes[match.Index+1]), o) // the index is -1 where none matched
	}
}

// keySourceMetrics shows one key set. It is named by its address, which comes from
// the configuration.
type keySourceMetrics struct {
	fetches    [jwks.ResultEnd]metric
	counted    [jwks.ResultEnd]uint64 // of fetches, by now
	rejected   metric
	dropped    uint64 // of rejected, by now
	age        metric
	keys       metric
	generation metric
	next       time.Time // when to look again though nothing has changed
}

func newKeySourceMetrics(address string) (m *keySourceMetrics) {
	m = &keySourceMetrics{}
	name := label("", "jwks", addressLabel(address))
	for result := range jwks.ResultEnd {
		m.fetches[result] = define(abi.Counter, label("edgejwt_jwks_fetches"+name, "result", result.String())+";;")
	}
	m.rejected = define(abi.Counter, "edgejwt_jwks_records_rejected"+name+";;")
	m.age = define(abi.Gauge, "edgejwt_jwks_age_seconds"+name+";;")
	m.keys = define(abi.Gauge, "edgejwt_jwks_keys"+name+";;")
	m.generation = define(abi.Gauge, "edgejwt_jwks_generation"+name+";;")
	return m
}

// addressLabel is what a URL is called in a label. A query may hold a secret, a
// semicolon would end the label, and an issuer may have odd bytes.
func addressLabel(address string) string {
	out := []byte(strings.TrimPrefix(address, "https://"))
	for i, c := range out {
		switch {
		case c == '?' || c == ';':
			return string(out[:i])
		case c <= ' ' || c > '~' || c == '"' || c == '\\':
			out[i] = '_'
		}
	}
	return string(out)
}

// maxObserved is how old what the gauges show may be.
const maxObserved = 5 * time.Second

// observe brings the source's metrics up to date.
func (s *keySource) observe(now time.Time) {
	m := s.metrics
	if !s.changed && now.Before(m.next) && m.next.Sub(now) <= maxObserved {
		return
	}
	m.next = now.Add(maxObserved)
	status := s.machine.Status(now)
	for result, n := range status.Fetches {
		if n > m.counted[result] {
			m.fetches[result].add(int64(n - m.counted[result]))
			m.counted[result] = n
		}
	}
	if status.Rejected > m.dropped {
		m.rejected.add(int64(status.Rejected - m.dropped))
		m.dropped = status.Rejected
	}
	m.keys.set(uint64(status.Keys))
	m.generation.set(status.Generation)
	if status.Age >= 0 {
		m.age.set(uint64(status.Age / time.Second))
	}
}
