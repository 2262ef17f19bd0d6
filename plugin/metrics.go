package plugin

import (
	"time"

	"edgejwt/verify"
)

// metrics counts what happened. Labels are part of the name, in the form that
// Envoy's stats_tags can take apart: edgejwt_requests;reason=token_expired;;
// No label is ever taken from a token.
type metrics struct {
	requests []metric // by verify.Reason
	panics   metric
	parked   metric
	timeouts metric
	dropped  metric
}

// metric is the host's number for a metric. Without one (the host would not
// define it) that figure is missing, and requests are judged all the same.
type metric struct {
	id      uint32
	defined bool
}

// The kinds of metrics of the proxy-wasm ABI.
const counterMetric = 0

func define(kind uint32, name string) (m metric) {
	m.defined = hostDefineMetric(kind, stringData(name), int32(len(name)), &m.id) == statusOK
	return m
}

func (m metric) add(n int64) {
	if m.defined {
		_ = hostIncrementMetric(m.id, n)
	}
}

// label forms a metric's name with one label.
func label(metric, name, value string) string { return metric + ";" + name + "=" + value + ";;" }

func newMetrics() metrics {
	m := metrics{
		panics:   define(counterMetric, "edgejwt_panics"),
		parked:   define(counterMetric, "edgejwt_parked"),
		timeouts: define(counterMetric, "edgejwt_wait_timeouts"),
		dropped:  define(counterMetric, "edgejwt_claims_dropped"),
	}
	for _, reason := range verify.Reasons() {
		for len(m.requests) <= int(reason) {
			m.requests = append(m.requests, metric{})
		}
		m.requests[reason] = define(counterMetric, label("edgejwt_requests", "reason", reason.String()))
	}
	return m
}

func (m *metrics) decided(reason verify.Reason) {
	if int(reason) < len(m.requests) {
		m.requests[reason].add(1)
	}
}

// observe brings the gauges up to date.
func (r *root) observe(time.Time) {}
