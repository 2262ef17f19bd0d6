package bench

import (
	"fmt"
	"os"
	"time"

	"edgejwt/e2e/bench/load"
)

// Sample is what one run of a row showed.
type Sample struct {
	Requests  int
	Rate      float64 // requests per second
	CPU       float64 // µs of processor time per request: Envoy's and the row's other processes'
	Envoy     float64 // µs, Envoy's part of CPU
	Busy      float64 // share of the serving core that was used, 1 is all of it
	Generator float64 // the same of the generator's core
	P50, P99  float64 // µs
}

// closed measures a row as fast as it goes.
func (w *world) closed(r *Row, o *Options, during time.Duration) (Sample, error) {
	n := o.most(r, int(during.Seconds()*50_000)) // more than any proxy answers
	return w.measure(r, n, func(s load.Source) (*load.Result, error) {
		return load.Closed(w.listeners[r.Listener].Address, o.Connections, during, s)
	})
}

// open measures a row at a fixed rate.
func (w *world) open(r *Row, o *Options, rate float64, during time.Duration) (Sample, error) {
	n := o.most(r, int(during.Seconds()*rate)+1)
	return w.measure(r, n, func(s load.Source) (*load.Result, error) {
		return load.Open(w.listeners[r.Listener].Address, openConnections, rate, during, s)
	})
}

// openConnections is how many requests of an open loop may be under way. More
// wait, and their latency tells.
const openConnections = 64

// measure runs a load between two looks at the clocks.
func (w *world) measure(r *Row, n int, run func(load.Source) (*load.Result, error)) (s Sample, err error) {
	source, err := w.requests(r, n)
	if err != nil {
		return s, err
	}
	before, err := w.clocks(r)
	if err != nil {
		return s, err
	}
	result, err := run(source)
	if err != nil {
		return s, fmt.Errorf("row %s: %w", r.ID, err)
	}
	after, err := w.clocks(r)
	if err != nil {
		return s, err
	}
	if result.Wrong > 0 && !mayWait(r, result.Fault) {
		return s, fmt.Errorf("row %s: %d of %d requests went wrong: %w", r.ID, result.Wrong, result.Requests+result.Wrong, result.Fault)
	}
	if result.Requests == 0 {
		return s, fmt.Errorf("row %s: nothing was answered", r.ID)
	}
	count := float64(result.Requests)
	micro := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	envoy, others := after.envoy-before.envoy, after.others-before.others
	return Sample{
		Requests:  result.Requests,
		Rate:      result.Rate(),
		CPU:       micro(envoy+others) / count,
		Envoy:     micro(envoy) / count,
		Busy:      float64(envoy+others) / float64(result.Elapsed),
		Generator: float64(after.generator-before.generator) / float64(result.Elapsed),
		P50:       float64(result.Latency.ValueAtQuantile(50)) / 1000,
		P99:       float64(result.Latency.ValueAtQuantile(99)) / 1000,
	}, nil
}

// clocks are the processor times of those who take part in a row.
type clocks struct{ envoy, others, generator time.Duration }

func (w *world) clocks(r *Row) (c clocks, err error) {
	if c.envoy, err = cpuTime(w.envoy.PID()); err != nil {
		return c, err
	}
	if r.Also != "" {
		if c.others, err = cpuTime(w.servers[r.Also].process.PID()); err != nil {
			return c, err
		}
	}
	c.generator, err = cpuTime(os.Getpid())
	return c, err
}
