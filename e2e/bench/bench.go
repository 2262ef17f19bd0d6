// Package bench measures what edgejwt costs: in a real Envoy with one worker on
// one core, beside Envoy's own jwt_authn, an ext_authz server, a plugin that does
// nothing and the checks that FastAPI would make itself.
//
// All rows of the table are measured in turn, in another order each round, in
// the same Envoy; after some rounds with a fresh one. Ratios are taken
// between rows of the same round and their median is told, with the middle half
// of what was seen, so that what else the machine does falls on all alike.
// Throughput comes from a closed loop, latency from an open one at half of the
// row's throughput. Processor time per request is what suffers least from noise.
//
// The files: rows.go is the table; traffic.go what is sent; world.go what runs;
// measure.go and bench.go how it is measured; memory.go memory and the start;
// goals.go, profile.go, report.go and plot.go what is told.
package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"edgejwt/e2e/parts"
)

// Options say how thoroughly to measure.
type Options struct {
	Root        string
	Module      string        // default $E2E_MODULE or dist/edgejwt.wasm; relative to Root
	Before      string        // another build of the module, to be measured beside it; "" for none
	Envoys      int           // how many fresh Envoys, one after the other
	Rounds      int           // of all rows in each Envoy
	During      time.Duration // of one row in one round
	Warm        time.Duration // before, not measured
	Fresh       int           // new tokens for each Envoy
	Connections int           // of the closed loop
	Quick       bool          // only the rows of the short form, and neither memory nor floods
	Costs       bool          // only the dear requests and a bad signature, and neither memory nor floods
	Only        []string      // IDs of rows; nil for all
	Without     []string      // names of listeners
	Say         func(format string, a ...any)
}

// Full is what make bench does, Short what make bench-quick does, Costs what make
// bench-costs does.
var (
	Full  = Options{Envoys: 4, Rounds: 3, During: 1500 * time.Millisecond, Warm: 300 * time.Millisecond, Fresh: 60_000, Connections: 32}
	Short = Options{Envoys: 1, Rounds: 3, During: 600 * time.Millisecond, Warm: 100 * time.Millisecond, Fresh: 15_000, Connections: 32, Quick: true}
	Costs = Options{Envoys: 1, Rounds: 5, During: 400 * time.Millisecond, Warm: 100 * time.Millisecond, Connections: 4, Costs: true}
)

// most is how many requests one run of a row may send: those that are wanted, or
// fewer when it needs new tokens. There is an equal share of them for each run of
// each row of the listener, and a reserve for what comes before the first.
func (o *Options) most(r *Row, wanted int) int {
	if r.Traffic.needs(wanted) == 0 {
		return wanted
	}
	users := 0
	for _, other := range o.rows() {
		if other.Listener == r.Listener && other.Traffic.needs(1) > 0 {
			users++
		}
	}
	runs := 2 * o.Rounds * max(1, users) // one for throughput, one for latency
	share := (o.Fresh - o.Fresh/10) / runs
	if r.Traffic == Tenth {
		share = 10 * (share - 1)
	}
	return min(share, wanted)
}

// rows are those that are measured.
func (o *Options) rows() (chosen []*Row) {
	for i := range rows {
		r := &rows[i]
		if o.Costs && r.Group != groupCost && r.ID != rowForged {
			continue
		}
		if r.Listener == listenerBefore && o.Before == "" {
			continue
		}
		if slices.Contains(o.Without, r.Listener) || o.Quick && !r.Quick || o.Only != nil && !slices.Contains(o.Only, r.ID) {
			continue
		}
		chosen = append(chosen, r)
	}
	return chosen
}

// Measured is all that was seen, for the report.
type Measured struct {
	Options Options
	Rows    []*Row
	// Closed and Open hold one sample for each round and row, by the row's ID.
	Closed, Open map[string][]Sample
	Floods       []*Flood
	// Footprints has, by row, Envoys with one worker and with many.
	Footprints  map[string][]Footprint
	ModuleBytes int64

	unsaturated bool // a row's mark was written
}

// footprintRows are the rows whose Envoys are weighed.
var footprintRows = []string{rowNone, rowTrimmed, rowNative, rowRepeated}

// Run measures. It needs two cores, the module and what make bench-deps installs.
func Run(ctx context.Context, o Options) (*Measured, error) {
	if runtime.NumCPU() < 2 {
		return nil, fmt.Errorf("two cores are needed, one to serve and one to send")
	}
	dir, err := os.MkdirTemp("", "edgejwt-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	o.Say("Making %d tokens and starting the servers ...", o.Fresh)
	w, err := newWorld(ctx, &o, dir)
	defer w.close()
	if err != nil {
		return nil, err
	}
	if err := pin(0, loadCore); err != nil {
		return nil, err
	}
	debug.SetGCPercent(400) // the generator has better to do

	m := &Measured{Options: o, Rows: o.rows(), Closed: map[string][]Sample{}, Open: map[string][]Sample{}}
	for e := range o.Envoys {
		began := time.Now()
		if err := w.ready(ctx, m.Rows, &m.Options); err != nil {
			return nil, err
		}
		o.Say("Envoy %d of %d is ready after %.0f s", e+1, o.Envoys, time.Since(began).Seconds())
		for round := range o.Rounds {
			if err := w.round(ctx, m); err != nil {
				return nil, err
			}
			o.Say("round %d of %d", e*o.Rounds+round+1, o.Envoys*o.Rounds)
			if o.Quick || o.Costs {
				continue
			}
			if err := w.floods(m); err != nil {
				return nil, err
			}
		}
	}
	if !o.Quick && !o.Costs {
		o.Say("Weighing Envoys ...")
		if m.Footprints, err = w.footprints(ctx, footprintRows...); err != nil {
			return nil, err
		}
	}
	module, err := os.Stat(w.binary.edgejwt)
	if err != nil {
		return nil, err
	}
	m.ModuleBytes = module.Size()
	return m, nil
}

// ready starts a fresh Envoy with what the rows need, and checks each row's
// answers.
func (w *world) ready(ctx context.Context, rows []*Row, o *Options) error {
	var names []string
	for _, r := range rows {
		names = append(names, r.Listener)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	if err := w.startEnvoy(ctx, 1, names); err != nil {
		return err
	}
	for _, r := range rows {
		if err := w.await(ctx, r); err != nil {
			return err
		}
		if err := w.check(r, 20); err != nil {
			return err
		}
	}
	// The engine compiles again what runs often; that shall not be measured.
	for _, r := range rows {
		if r.Traffic.needs(1) > 0 {
			if err := w.check(r, 100); err != nil {
				return err
			}
			continue
		}
		warm := time.Second
		if r.Group == groupAPI || r.Group == groupRefuse || r.Group == groupCost {
			warm /= 4
		}
		if _, err := w.closed(r, o, warm); err != nil {
			return err
		}
	}
	return nil
}

// round measures each row once, in an order of its own.
func (w *world) round(ctx context.Context, m *Measured) error {
	order := slices.Clone(m.Rows)
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	o := &m.Options
	for _, r := range order {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := w.warm(r, o); err != nil {
			return err
		}
		runtime.GOMAXPROCS(1)
		s, err := w.closed(r, o, o.During)
		if err != nil {
			return err
		}
		m.Closed[r.ID] = append(m.Closed[r.ID], s)
	}
	runtime.GOMAXPROCS(2) // one thread sleeps until the next request is due
	for _, r := range order {
		if !r.Latency {
			continue
		}
		s, err := w.open(r, o, median(m.Closed[r.ID], func(s Sample) float64 { return s.Rate })/2, o.During)
		if err != nil {
			return err
		}
		m.Open[r.ID] = append(m.Open[r.ID], s)
	}
	return nil
}

// warm runs a row without measuring it: Envoy's caches, and the compiler of
// the module, have other rows in mind. New tokens are too dear for that; their
// listener's repeated one does.
func (w *world) warm(r *Row, o *Options) error {
	warm := *r
	if r.Traffic == New || r.Traffic == Tenth {
		warm.Traffic = Repeated
	}
	_, err := w.closed(&warm, o, o.Warm)
	return err
}

// median is that of one figure of some samples.
func median(samples []Sample, figure func(Sample) float64) float64 {
	return quantile(samples, 0.5, figure)
}

// quantile interpolates between the two samples beside q.
func quantile(samples []Sample, q float64, figure func(Sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	return quantileOf(values, q)
}

func quantileOf(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	at := q * float64(len(values)-1)
	below := int(at)
	above := min(below+1, len(values)-1)
	return values[below] + (at-float64(below))*(values[above]-values[below])
}

// Check says what is missing before anything is started.
func Check(root string) error {
	if err := parts.Check(root); err != nil {
		return err
	}
	if _, err := os.Stat(root + "/.tools/venv/.bench"); err != nil {
		return fmt.Errorf("PyJWT is missing in .tools/venv; run: make bench-deps")
	}
	return nil
}
