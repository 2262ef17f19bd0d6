package bench

import (
	"fmt"
	"strings"
)

// ratio is the median, with its middle half, of one figure's ratio between two rows
// of the same round; the number of rounds is 0 when a row is missing.
type ratio struct {
	Median, Low, High float64
	Rounds            int
}

// ratioOf compares rows by a figure.
func ratioOf(samples map[string][]Sample, row, to string, figure func(Sample) float64) ratio {
	a, b := samples[row], samples[to]
	n := min(len(a), len(b))
	values := make([]float64, n)
	for i := range n {
		values[i] = figure(a[i]) / figure(b[i])
	}
	return ratio{quantileOf(values, 0.5), quantileOf(values, 0.25), quantileOf(values, 0.75), n}
}

func (r ratio) String() string {
	if r.Rounds == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", r.Median)
}

func rate(s Sample) float64 { return s.Rate }
func cpu(s Sample) float64  { return s.CPU }
func p50(s Sample) float64  { return s.P50 }
func p99(s Sample) float64  { return s.P99 }

// Markdown is the table.
func (m *Measured) Markdown() string {
	var b strings.Builder
	group := ""
	b.WriteString("| | requests/s | middle half | × no filter | × empty | × jwt_authn, cached | CPU µs/request | p50 µs | p99 µs |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range m.Rows {
		s := m.Closed[r.ID]
		if len(s) == 0 {
			continue
		}
		if r.Group != group {
			group = r.Group
			fmt.Fprintf(&b, "| **%s** | | | | | | | | |\n", group)
		}
		fmt.Fprintf(&b, "| %s | %.0f | %.0f–%.0f | %v | %v | %v | %.1f | %s | %s |\n", r.Name, median(s, rate),
			quantile(s, 0.25, rate), quantile(s, 0.75, rate),
			ratioOf(m.Closed, r.ID, rowNone, rate), ratioOf(m.Closed, r.ID, rowTrimmed, rate), ratioOf(m.Closed, r.ID, rowNative, rate),
			median(s, cpu), micro(m.Open[r.ID], p50), micro(m.Open[r.ID], p99))
		fmt.Fprintf(&b, "|   busy %.2f gen %.2f envoy %.1f |\n", median(s, func(s Sample) float64 { return s.Busy }), median(s, func(s Sample) float64 { return s.Generator }), median(s, func(s Sample) float64 { return s.Envoy }))
	}
	return b.String()
}

func micro(samples []Sample, figure func(Sample) float64) string {
	if len(samples) == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", median(samples, figure))
}
