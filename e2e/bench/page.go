package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// quiet is how busy the serving core has to be with what is measured. What was
// measured beside something else is no figure to be shown.
const quiet = 0.9

// Write puts the page and its picture into a folder, unless the machine was busy
// with something else.
func (m *Measured) Write(dir string) error {
	o := &m.Options
	if share := m.over(busy); share < quiet {
		return fmt.Errorf("nothing is written: what was measured had only %.0f %% of its core; end what else runs and try again", 100*share)
	}
	page := fmt.Sprintf(`# What a check costs

Made by `+"`make bench`"+` on %s: %s. %s.

One Envoy with one worker; Envoy and whatever else answers a request (the ext_authz server, FastAPI) share one core, the
generator and the provider have the other. Envoy answers by itself where no API is named. %d rounds of every row in
an order of their own, %d in each of %d fresh Envoys, %v a row; figures are medians, ratios are medians of the
ratios in each round. Throughput: closed loop, %d connections, HTTP/1.1. Latency: open loop at half of
the row's throughput, counted from the moment at which a request was due. *µs/request* is processor time, user and
kernel, of all that serves the request; *least* is that of the least disturbed round: neighbours on the machine take caches and
clock away, which Wasm, with its large code, feels most. The serving core was
%.0f %% busy with what was measured, the generator's %.0f %%. Every answer's status was checked.

![throughput and processor time of each row](bench.svg)

%s`,
		time.Now().UTC().Format(time.DateOnly), machine(), versions(o.Root),
		o.Envoys*o.Rounds, o.Rounds, o.Envoys, o.During, o.Connections,
		100*m.over(busy), 100*m.over(func(s Sample) float64 { return s.Generator }), m.Markdown())
	if err := os.WriteFile(filepath.Join(dir, "BENCH.md"), []byte(page), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "bench.svg"), []byte(m.Plot()), 0o644)
}

// over is the median of a figure over all rows without an API.
func (m *Measured) over(figure func(Sample) float64) float64 {
	var values []float64
	for _, r := range m.Rows {
		if r.Group != groupAPI {
			values = append(values, median(m.Closed[r.ID], figure))
		}
	}
	return quantileOf(values, 0.5)
}
