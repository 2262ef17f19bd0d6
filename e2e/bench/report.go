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

func rate(s Sample) float64  { return s.Rate }
func cpu(s Sample) float64   { return s.CPU }
func envoy(s Sample) float64 { return s.Envoy }
func busy(s Sample) float64  { return s.Busy }
func p50(s Sample) float64   { return s.P50 }
func p99(s Sample) float64   { return s.P99 }

// Markdown is the tables: rows, goals, where the time goes, floods, dear requests,
// memory.
func (m *Measured) Markdown() string {
	var b strings.Builder
	if m.Options.Costs {
		m.writeCosts(&b)
		return b.String()
	}
	m.writeRows(&b)
	m.writeGoals(&b)
	m.writeProfile(&b)
	m.writeFloods(&b)
	m.writeCosts(&b)
	m.writeMemory(&b)
	return b.String()
}

func (m *Measured) writeRows(b *strings.Builder) {
	b.WriteString("| | requests/s | middle half | × no filter | × empty plugin | × jwt_authn with cache | µs/request | least | of these Envoy | p50 µs | p99 µs |\n")
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	group := ""
	for _, r := range m.Rows {
		s := m.Closed[r.ID]
		if len(s) == 0 || r.Group == groupCost {
			continue
		}
		if r.Group != group {
			group = r.Group
			fmt.Fprintf(b, "| **%s** | | | | | | | | | | |\n", group)
		}
		fmt.Fprintf(b, "| %s%s | %s | %s–%s | %v | %v | %v | %.1f | %.1f | %.1f | %s | %s |\n", r.Name, m.mark(s),
			thousands(median(s, rate)), thousands(quantile(s, 0.25, rate)), thousands(quantile(s, 0.75, rate)),
			ratioOf(m.Closed, r.ID, rowNone, rate), ratioOf(m.Closed, r.ID, rowTrimmed, rate), ratioOf(m.Closed, r.ID, rowNative, rate),
			median(s, cpu), m.least(r.ID), median(s, envoy), latency(m.Open[r.ID], p50), latency(m.Open[r.ID], p99))
	}
	b.WriteString("\n")
	if m.unsaturated {
		b.WriteString("\\* The serving core was not used up (something else ran on it, or the generator was too slow): read µs/request.\n\n")
	}
}

// mark is a star for a row whose throughput is not what its core can bear.
func (m *Measured) mark(s []Sample) string {
	if median(s, busy) >= 0.9 {
		return ""
	}
	m.unsaturated = true
	return " \\*"
}

func (m *Measured) writeGoals(b *strings.Builder) {
	b.WriteString("| goal | measured | |\n|---|--:|---|\n")
	for _, g := range m.goals() {
		verdict := "met"
		switch {
		case !g.Known:
			g.Measured, verdict = "", "not measured"
		case !g.Met:
			verdict = "**not met**"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", g.Text, g.Measured, verdict)
	}
	b.WriteString("\n")
}

func (m *Measured) writeFloods(b *strings.Builder) {
	if len(m.Floods) == 0 {
		return
	}
	fmt.Fprintf(b, "| %d bad tokens/s beside valid ones | p99 of the valid ones, µs | alone | × |\n|---|--:|--:|--:|\n", floodRate)
	for _, f := range m.Floods {
		fmt.Fprintf(b, "| %s | %.0f | %.0f | %.2f |\n", f.Row.Name, quantileOf(f.Under, 0.5), quantileOf(f.Alone, 0.5), f.ratio())
	}
	b.WriteString("\n")
}

// writeCosts compares what dear requests take of Envoy's processor time with what
// a bad signature takes.
func (m *Measured) writeCosts(b *strings.Builder) {
	scale := rowOf(rowForged)
	if len(m.Closed[scale.ID]) == 0 {
		return
	}
	fmt.Fprintf(b, "| %s | Envoy's µs/request | × a bad signature | at most | |\n|---|--:|--:|--:|---|\n", strings.ToLower(groupCost[:1])+groupCost[1:])
	fmt.Fprintf(b, "| %s, for scale | %s | 1.00 | | |\n", scale.Name, thousands(median(m.Closed[scale.ID], envoy)))
	for _, r := range m.Rows {
		s := m.Closed[r.ID]
		if r.Group != groupCost || len(s) == 0 {
			continue
		}
		times, most, verdict := ratioOf(m.Closed, r.ID, scale.ID, envoy), "", ""
		if r.Most > 0 {
			most, verdict = fmt.Sprintf("%.2f", r.Most), "met"
			if times.Median > r.Most {
				verdict = "**not met**"
			}
		}
		fmt.Fprintf(b, "| %s | %s | %v | %s | %s |\n", r.Name, thousands(median(s, envoy)), times, most, verdict)
	}
	b.WriteString("\n")
}

func (m *Measured) writeMemory(b *strings.Builder) {
	if len(m.Footprints) == 0 {
		return
	}
	fmt.Fprintf(b, "| Envoy with | start to the first 200, s of processor time | resident, 1 worker, MB | each further worker, MB | after %s new tokens, 1 worker | each further worker |\n", thousands(manyTokens))
	b.WriteString("|---|--:|--:|--:|--:|--:|\n")
	for _, id := range footprintRows {
		f := m.Footprints[id]
		fmt.Fprintf(b, "| %s | %.1f | %.0f | %.1f | %.0f | %.1f |\n", rowOf(id).Name, f[0].Start.Seconds(),
			float64(f[0].Idle)/1e6, perWorker(f, idle)/1e6, float64(f[0].Filled)/1e6, perWorker(f, filled)/1e6)
	}
	b.WriteString("\n")
}

func latency(samples []Sample, figure func(Sample) float64) string {
	if len(samples) == 0 {
		return ""
	}
	return thousands(median(samples, figure))
}

// thousands writes 12345.6 as 12,346.
func thousands(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	if len(s) > 3 {
		s = s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}
