package plugin

import (
	"slices"
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/abi"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/plugin/version"
	"edgejwt/verify"
)

// metrics are the metrics of one configuration. Labels are parts of the name, in a form
// that Envoy's stats_tags extract: edgejwt_requests;reason=token_expired;;
// No label comes from a token.
//
// A host call costs more than most decisions. So counts are kept here, and flushed with
// the next tick or the next request that is refused or only reported.
type metrics struct {
	requests      []counter // by verify.Reason
	reported      []counter // refusals that are only reported, by verify.Reason
	panics        metric
	pending       metric
	pendingNow    metric // requests of all workers that wait for keys now
	timeouts      metric
	dropped       droppedClaims
	stateFailures counter // filter state that the host refused
	signatures    signatureMetrics
	lookups       [authz.CacheResultEnd]metric // by authz.CacheResult
	untried       []untried                    // by the rule's index
	labelled

	unflushed []*counter
}

// metric is the host's number for a metric. If the host refuses to define it, it is not
// counted, and requests are decided all the same.
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

// set sets a gauge. All workers share the gauge, and the last value counts. So it is for
// values that are the same in all workers.
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

// untried counts the requests for which not all keys of an issuer were tried. It is
// defined when it counts for the first time.
type untried struct {
	counter
	logged bool
}

// count adds n to a counter without a host call.
func (m *metrics) count(c *counter, n int64) {
	if c.kept == 0 {
		m.unflushed = append(m.unflushed, c)
	}
	c.kept += n
}

// flush adds the kept counts to the host's metrics.
func (m *metrics) flush() {
	for _, c := range m.unflushed {
		c.add(c.kept)
		c.kept = 0
	}
	m.unflushed = m.unflushed[:0]
}

// flushMetrics flushes all counts, those of the token cache too.
func (s *setup) flushMetrics() {
	if s.authz == nil {
		return // the configuration was refused: nothing was counted
	}
	for i, n := range s.authz.Lookups() {
		if n > 0 {
			s.metrics.lookups[i].add(n)
		}
	}
	s.metrics.flush()
}

// label appends a label to a metric's name. ";;" must follow the last label.
func label(metric, name, value string) string { return metric + ";" + name + "=" + value }

// cachesTokens reports whether the tokens of any issuer are cached.
func cachesTokens(cfg *config.Config) bool {
	return slices.ContainsFunc(cfg.Rules, func(rule config.Rule) bool {
		if rule.TokenCache != nil {
			return rule.TokenCache.Entries > 0
		}
		return cfg.TokenCache.Entries > 0
	})
}

// define defines the metrics that do not depend on requests.
func (m *metrics) define(cfg *config.Config, reports bool) {
	define(abi.Gauge, "edgejwt_build_info;version="+version.Number+";;").set(1)
	m.labelled = newLabelled(cfg)
	m.untried = make([]untried, len(cfg.Rules)) // never grows: metrics.unflushed points into it
	if cachesTokens(cfg) {
		m.lookups[authz.Hit] = define(abi.Counter, "edgejwt_token_cache;result=hit;;")
		m.lookups[authz.Miss] = define(abi.Counter, "edgejwt_token_cache;result=miss;;")
		m.lookups[authz.Bad] = define(abi.Counter, "edgejwt_token_cache;result=bad;;")
	}
	reasons := verify.Reasons()
	m.requests = make([]counter, 1+reasons[len(reasons)-1])
	m.reported = make([]counter, 1+reasons[len(reasons)-1])
	m.panics = define(abi.Counter, "edgejwt_panics")
	m.pending = define(abi.Counter, "edgejwt_parked")
	m.pendingNow = define(abi.Gauge, "edgejwt_parked_now")
	m.timeouts = define(abi.Counter, "edgejwt_wait_timeouts")
	m.dropped = newDroppedClaims(cfg)
	m.stateFailures.metric = define(abi.Counter, "edgejwt_state_failures")
	for _, reason := range reasons {
		m.requests[reason].metric = define(abi.Counter, label("edgejwt_requests", "reason", reason.String())+";;")
		if reports && !reason.Passes() {
			m.reported[reason].metric = define(abi.Counter, label("edgejwt_would_refuse", "reason", reason.String())+";;")
		}
	}
}

// signatureMetrics counts signature checks by engine.
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

// labelled are the counters of requests by route and by issuer. A series is all outcomes
// of one route's name or one issuer; it is found by the index of the route or rule.
type labelled struct {
	series []counter     // outcomeEnd counters for each series: routes, then issuers
	names  []string      // of the series of routes; empty without routes
	routes []uint8       // series by the route's index plus one; 0: no route
	rules  []config.Rule // for the names of the issuers' series
}

// outcome is the result for a request, as the series count it.
type outcome uint8

const (
	outcomePassed outcome = iota
	outcomeRefused
	outcomeUnavailable // 503, because keys are missing
	outcomeReported
	outcomeEnd
)

var outcomeNames = [outcomeEnd]string{"passed", "refused", "unavailable", "reported"}

// outcomeOf is the outcome of a request that is refused.
func outcomeOf(reason verify.Reason) outcome {
	if reason == verify.KeysUnavailable {
		return outcomeUnavailable
	}
	return outcomeRefused
}

// The series of routes that share one, because they have no name or there are too many.
const (
	otherRoutes = iota
	noRoute
	unnamedRoutes
	unnamedPolicies // of Envoy's routes
	firstOwnName

	// maxNames bounds the number of series of routes: 64 names have their own.
	maxNames = firstOwnName + 64
)

// sharedNames are their names. A route with such a name uses the same series.
var sharedNames = [firstOwnName]string{"other", "none", "unnamed", "policy"}

func newLabelled(cfg *config.Config) (l labelled) {
	l.series = make([]counter, (maxNames+len(cfg.Rules))*int(outcomeEnd)) // never grows: metrics.unflushed points into it
	l.rules = cfg.Rules
	if len(cfg.Routes) == 0 && !cfg.RouteMetadata {
		return l
	}
	l.names = make([]string, firstOwnName, maxNames)
	copy(l.names, sharedNames[:])
	l.routes = make([]uint8, 1+len(cfg.Routes))
	l.routes[0] = noRoute
	for i := range cfg.Routes {
		l.routes[1+i] = uint8(l.seriesOf(cfg.Routes[i].Name, unnamedRoutes))
	}
	return l
}

// seriesOf returns the series of a route's name, or nameless for an empty name.
func (l *labelled) seriesOf(name string, nameless int) int {
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
	c := &m.series[series*int(outcomeEnd)+int(o)]
	if c.kept == 0 && !c.defined {
		m.defineIn(c, series, o)
	}
	m.count(c, 1)
}

// defineIn defines a counter when it counts for the first time. Envoy keeps every metric
// that is defined for ever, and most pairs of a route and an outcome never occur.
func (m *metrics) defineIn(c *counter, series int, o outcome) {
	var metric, value string
	if series < maxNames {
		metric, value = "edgejwt_route_requests;route=", m.names[series]
	} else {
		metric, value = "edgejwt_issuer_requests;issuer=", addressLabel(m.rules[series-maxNames].Issuer)
	}
	c.metric = define(abi.Counter, metric+value+";outcome="+outcomeNames[o]+";;")
}

// count counts the request by its reason and, if they are known, by issuer and route.
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
		m.countIn(m.seriesOf(match.Route.Name, unnamedPolicies), o)
	case len(m.routes) > 0:
		m.countIn(int(m.routes[match.Index+1]), o) // the index is -1 where none matched
	}
}

// droppedClaims are the counters of claims that an output could not carry, by output.
type droppedClaims struct {
	outputs  []string // as authz.DroppedClaim names them
	counters []counter
}

func newDroppedClaims(cfg *config.Config) (d droppedClaims) {
	add := func(output string) {
		if !slices.Contains(d.outputs, output) {
			d.outputs = append(d.outputs, output)
		}
	}
	for i := range cfg.Rules {
		for _, output := range cfg.Rules[i].OutputClaimToHeaders {
			add(output.Header)
		}
		for _, output := range cfg.Rules[i].OutputClaimToFilterState {
			add("wasm." + output.Key)
		}
	}
	d.counters = make([]counter, len(d.outputs)) // never grows: metrics.unflushed points into it
	return d
}

// countDropped counts claims that were left out. Like those of labelled, a counter is
// defined when it counts for the first time.
func (m *metrics) countDropped(claims []authz.DroppedClaim) {
	for i := range claims {
		at := slices.Index(m.dropped.outputs, claims[i].Output)
		if at < 0 {
			continue // cannot be: the outputs are the configuration's
		}
		c := &m.dropped.counters[at]
		if c.kept == 0 && !c.defined {
			c.metric = define(abi.Counter, label("edgejwt_claims_dropped", "output", claims[i].Output)+";;")
		}
		m.count(c, 1)
	}
}

// keySourceMetrics are the metrics of one key set. Their label is its address in the
// configuration.
type keySourceMetrics struct {
	fetches    [jwks.ResultEnd]metric
	counted    [jwks.ResultEnd]uint64 // of fetches, so far
	failures   [jwks.KindEnd]metric   // defined when they first count
	failed     [jwks.KindEnd]uint64   // of failures, so far
	name       string                 // label of the key set
	rejected   metric
	dropped    uint64 // of rejected, so far
	age        metric
	keys       metric
	generation metric
	next       time.Time // when the gauges are due although nothing has changed
}

func newKeySourceMetrics(address string) (m *keySourceMetrics) {
	m = &keySourceMetrics{}
	name := label("", "jwks", addressLabel(address))
	m.name = name
	for result := range jwks.ResultEnd {
		m.fetches[result] = define(abi.Counter, label("edgejwt_jwks_fetches"+name, "result", result.String())+";;")
	}
	m.rejected = define(abi.Counter, "edgejwt_jwks_records_rejected"+name+";;")
	m.age = define(abi.Gauge, "edgejwt_jwks_age_seconds"+name+";;")
	m.keys = define(abi.Gauge, "edgejwt_jwks_keys"+name+";;")
	m.generation = define(abi.Gauge, "edgejwt_jwks_generation"+name+";;")
	return m
}

// addressLabel is the label for a URL or an issuer. It leaves out the scheme and the query,
// which may hold a secret, ends at a semicolon, which would end the label, and replaces
// bytes that are not printable ASCII.
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

// maxObserved bounds the age of the gauges' values.
const maxObserved = 5 * time.Second

// observe updates the source's metrics.
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
	for kind, n := range status.FetchErrors {
		if n == m.failed[kind] {
			continue
		}
		if !m.failures[kind].defined { // Envoy keeps for good what is defined
			m.failures[kind] = define(abi.Counter, label("edgejwt_jwks_fetch_failures"+m.name, "kind", jwks.FailureKind(kind).String())+";;")
		}
		m.failures[kind].add(int64(n - m.failed[kind]))
		m.failed[kind] = n
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
