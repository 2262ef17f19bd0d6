package bench

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"edgejwt/e2e/bench/load"
)

// floodRate is how many bad tokens come in a second.
const floodRate = 1000

// Flood is what bad tokens did to valid ones: the same open loop of valid
// tokens alone and beside them. Latencies are in µs.
type Flood struct {
	Row          *Row // of the bad tokens
	Alone, Under []float64
}

// floods measures, for each row of refusals, valid tokens at half of their
// throughput with and without bad ones beside them.
func (w *world) floods(m *Measured) error {
	valid := rowOf(rowRepeated)
	perSecond := median(m.Closed[valid.ID], rate) / 2
	runtime.GOMAXPROCS(4) // two threads sleep until the next request is due
	if m.Floods == nil {
		for _, r := range m.Rows {
			if r.Group == groupRefuse {
				m.Floods = append(m.Floods, &Flood{Row: r})
			}
		}
	}
	for _, f := range m.Floods {
		for _, under := range []bool{false, true} {
			p99, err := w.flood(valid, f.Row, perSecond, under, m.Options.During)
			if err != nil {
				return err
			}
			if under {
				f.Under = append(f.Under, p99)
			} else {
				f.Alone = append(f.Alone, p99)
			}
		}
	}
	return nil
}

func (w *world) flood(valid, bad *Row, perSecond float64, under bool, during time.Duration) (p99 float64, err error) {
	good, err := w.requests(valid, int(perSecond*during.Seconds())+1)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	var beside *load.Result
	var besideErr error
	if under {
		forged, err := w.requests(bad, int(floodRate*during.Seconds())+1)
		if err != nil {
			return 0, err
		}
		all.Go(func() {
			beside, besideErr = load.Open(w.listeners[bad.Listener].Address, openConnections, floodRate, during, forged)
		})
	}
	result, err := load.Open(w.listeners[valid.Listener].Address, openConnections, perSecond, during, good)
	all.Wait()
	for _, r := range []*load.Result{result, beside} {
		if err == nil && r != nil && r.Wrong > 0 && (r != beside || !mayWait(bad, r.Fault)) {
			err = r.Fault
		}
	}
	if err == nil {
		err = besideErr
	}
	if err != nil {
		return 0, fmt.Errorf("flood of %s: %w", bad.ID, err)
	}
	return float64(result.Latency.ValueAtQuantile(99)) / 1000, nil
}

// mayWait reports whether a bad token was told that it cannot be judged now. The
// first ones that name a new key wait for an early fetch, and a thousand a second
// are more than may wait.
func mayWait(r *Row, fault error) bool {
	return r.Reason == "key_unknown" && strings.Contains(fault.Error(), `"keys_unavailable"`)
}
