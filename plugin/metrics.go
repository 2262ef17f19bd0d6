package plugin

import (
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"

	"edgejwt/verify"
)

// metrics counts what happened. Labels are part of the name, in the form that
// Envoy's stats_tags can take apart: edgejwt_requests;reason=token_expired;;
// No label is ever taken from a token.
type metrics struct {
	requests []*proxywasm.MetricCounter // by verify.Reason
	panics   *proxywasm.MetricCounter
	parked   *proxywasm.MetricCounter
	timeouts *proxywasm.MetricCounter
	dropped  *proxywasm.MetricCounter
	fetches  map[string]*proxywasm.MetricCounter
}

// label forms a metric's name with one label.
func label(metric, name, value string) string { return metric + ";" + name + "=" + value + ";;" }

func newMetrics() metrics {
	m := metrics{
		fetches:  map[string]*proxywasm.MetricCounter{},
		panics:   counter("edgejwt_panics"),
		parked:   counter("edgejwt_parked"),
		timeouts: counter("edgejwt_wait_timeouts"),
		dropped:  counter("edgejwt_claims_dropped"),
	}
	for _, reason := range verify.Reasons() {
		for len(m.requests) <= int(reason) {
			m.requests = append(m.requests, nil)
		}
		m.requests[reason] = counter(label("edgejwt_requests", "reason", reason.String()))
	}
	return m
}

// counter defines a counter, or gives nil when the host will not have it: then
// that number is missing, and requests are judged all the same.
func counter(name string) (c *proxywasm.MetricCounter) {
	quietly(func() {
		id := proxywasm.DefineCounterMetric(name)
		c = &id
	})
	return c
}

func add(c *proxywasm.MetricCounter) {
	if c != nil {
		quietly(func() { c.Increment(1) })
	}
}

func (m *metrics) decided(reason verify.Reason) {
	if int(reason) < len(m.requests) {
		add(m.requests[reason])
	}
}

func (m *metrics) panicked() { add(m.panics) }

// observe brings the gauges up to date.
func (r *root) observe(time.Time) {}
