package plugin

import (
	"strings"
	"time"

	"edgejwt/jwks"
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
	requests []counter // by verify.Reason
	refused  []counter // in report mode; by verify.Reason
	panics   metric
	parked   metric
	waiting  metric // requests that wait for keys now, of all workers together
	timeouts metric
	dropped  counter
	untold   counter // filter state that the host did not take
	checks   checks

	labelled
	lookups [authz.CacheResultEnd]metric // by authz.CacheResult

	owed []*counter // counters that the host is yet to be told of
}

// counter is a metric whose counts are kept until metrics.flush.
type counter struct {
	metric
	kept int64
}

// keep counts without telling the host.
func (m *metrics) keep(c *counter, n int64) {
	if c.kept == 0 {
		m.owe(c)
	}
	c.kept += n
}

//go:noinline
func (m *metrics) owe(c *counter) { m.owed = append(m.owed, c) }

// flush hands over what has been kept.
func (m *metrics) flush() {
	for _, c := range m.owed {
		c.add(c.kept)
		c.kept = 0
	}
	m.owed = m.owed[:0]
}

// metric is the host's number for a metric. Without one (the host would not
// define it) that figure is missing, and requests are judged all the same.
type metric struct {
	id      uint32
	defined bool
}

// The kinds of metrics of the proxy-wasm ABI.
const (
	counterMetric = 0
	gaugeMetric   = 1
)

//go:noinline
func define(kind uint32, name string) (m metric) {
	m.defined = hostDefineMetric(kind, stringData(name), int32(len(name)), &m.id) == statusOK
	return m
}

func (m metric) add(n int64) {
	if m.defined {
		_ = hostIncrementMetric(m.id, n)
	}
}

// set says what a gauge shows. The gauge is one for all workers and the last to
// set it wins, which is right for what all of them know alike.
func (m metric) set(value uint64) {
	if m.defined {
		_ = hostRecordMetric(m.id, value)
	}
}

// label appends a label to a metric's name; the last one is followed by ";;".
//
//go:noinline // a dozen times: 2 KB
func label(metric, name, value string) string { return metric + ";" + name + "=" + value }

// define makes the metrics that every configuration has.
func (m *metrics) define(cfg *config.Config, reports bool) {
	define(gaugeMetric, "edgejwt_build_info;version="+version.Number+";;").set(1)
	m.labelled = newLabelled(cfg)
	if cfg.TokenCache.Entries > 0 {
		m.lookups[authz.Hit] = define(counterMetric, "edgejwt_token_cache;result=hit;;")
		m.lookups[authz.Miss] = define(counterMetric, "edgejwt_token_cache;result=miss;;")
		m.lookups[authz.Bad] = define(counterMetric, "edgejwt_token_cache;result=bad;;")
	}
	reasons := verify.Reasons()
	m.requests = make([]counter, 1+reasons[len(reasons)-1])
	m.refused = make([]counter, 1+reasons[len(reasons)-1])
	m.panics = define(counterMetric, "edgejwt_panics")
	m.parked = define(counterMetric, "edgejwt_parked")
	m.waiting = define(gaugeMetric, "edgejwt_parked_now")
	m.timeouts = define(counterMetric, "edgejwt_wait_timeouts")
	m.dropped.metric = define(counterMetric, "edgejwt_claims_dropped")
	m.untold.metric = define(counterMetric, "edgejwt_state_failures")
	for _, reason := range reasons {
		m.requests[reason].metric = define(counterMetric, label("edgejwt_requests", "reason", reason.String())+";;")
		if reports && !reason.Passes() {
			m.refused[reason].metric = define(counterMetric, label("edgejwt_would_refuse", "reason", reason.String())+";;")
		}
	}
}

// sourceMetrics shows one key set. It is named by its address, which comes from
// the configuration.
type sourceMetrics struct {
	fetches    [jwks.ResultEnd]metric
	counted    [jwks.ResultEnd]uint64 // what fetches have been told
	rejected   metric
	dropped    uint64 // what rejected has been told
	age        metric
	keys       metric
	generation metric
	next       time.Time // when to look again though nothing has changed
}

func newSourceMetrics(address string) (m *sourceMetrics) {
	m = &sourceMetrics{}
	name := label("", "jwks", addressLabel(address))
	for result := range jwks.ResultEnd {
		m.fetches[result] = define(counterMetric, label("edgejwt_jwks_fetches"+name, "result", result.String())+";;")
	}
	m.rejected = define(counterMetric, "edgejwt_jwks_records_rejected"+name+";;")
	m.age = define(gaugeMetric, "edgejwt_jwks_age_seconds"+name+";;")
	m.keys = define(gaugeMetric, "edgejwt_jwks_keys"+name+";;")
	m.generation = define(gaugeMetric, "edgejwt_jwks_generation"+name+";;")
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

// observation is how old what the gauges show may be.
const observation = 5 * time.Second

// observe brings the source's metrics up to date.
func (s *source) observe(now time.Time) {
	m := s.metrics
	if !s.changed && now.Before(m.next) && m.next.Sub(now) <= observation {
		return
	}
	m.next = now.Add(observation)
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
