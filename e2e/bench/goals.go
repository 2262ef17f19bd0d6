package bench

import "fmt"

// Goal is one promise, and what became of it.
type Goal struct {
	Text     string
	Measured string
	Met      bool
	Known    bool // false when a row that it needs was left out
}

// goals compares what was seen with what is wanted.
func (m *Measured) goals() []Goal {
	more := func(text, row, to string, least float64) Goal {
		r, c := ratioOf(m.Closed, row, to, rate), ratioOf(m.Closed, to, row, cpu)
		return Goal{text, fmt.Sprintf("%.2f × (%.2f–%.2f; by processor time %.2f, in the least disturbed rounds %.2f)", r.Median, r.Low, r.High, c.Median,
			m.least(to)/m.least(row)), r.Median >= least, r.Rounds > 0}
	}
	goals := []Goal{
		more("a repeated token: ≥ 0.88 × the throughput of jwt_authn with its cache", rowRepeated, rowNative, 0.88),
		more("a repeated token: ≥ 1.0 × the trimmed empty plugin", rowRepeated, rowTrimmed, 1),
		more("a repeated token: ≥ 2 × jwt_authn without cache", rowRepeated, rowUncached, 2),
		more("a new token each time, host: ≥ 0.9 × jwt_authn without cache", rowNewHost, rowUncached, 0.9),
		more("a new token each time, go: ≥ 0.25 × jwt_authn without cache", rowNewGo, rowUncached, 0.25),
	}
	rich := ratioOf(m.Closed, rowRich, rowTrimmed, cpu)
	goals = append(goals,
		Goal{"ten routes, scopes, four headers: ≤ 1.4 × the trimmed empty plugin's processor time", fmt.Sprintf("%.2f × (in the least disturbed rounds %.2f)", rich.Median,
			m.least(rowRich)/m.least(rowTrimmed)), rich.Median <= 1.4, rich.Rounds > 0},
		more("a repeated token: ≥ 4 × ext_authz", rowRepeated, rowAuthz, 4))

	// Both are differences to the same API that nobody guards. A check of some
	// microseconds may be lost in the noise of an API of hundreds; then it is told
	// from where Envoy answers by itself.
	seed, edge, where := m.extra(rowAPISeed, rowAPI), m.extra(rowAPIEdge, rowAPI), "beside the API"
	if bare := m.extra(rowRepeated, rowNone); edge < bare/2 {
		edge, where = bare, "without an API, beside which it is lost in the noise"
	}
	goals = append(goals, Goal{"the check itself at FastAPI's edge, seen token: ≤ 1/15 of the processor time of a download for each request",
		fmt.Sprintf("%.0f µs to %.1f µs (%s): 1/%.0f", seed, edge, where, seed/edge), seed >= 15*edge, seed > 0 && edge > 0 && len(m.Closed[rowAPIEdge]) > 0})

	tail := ratioOf(m.Open, rowRepeated, rowTrimmed, p99)
	goals = append(goals, Goal{"p99 of a repeated token: ≤ 1.5 × the trimmed empty plugin's, each at half of its throughput",
		fmt.Sprintf("%.2f ×", tail.Median), tail.Median <= 1.5, tail.Rounds > 0})
	worst, of := 0.0, ""
	for _, f := range m.Floods {
		if r := f.ratio(); r > worst {
			worst, of = r, f.Row.Name
		}
	}
	goals = append(goals, Goal{"1,000 bad tokens/s of any kind: the valid ones' p99 within 2 ×",
		fmt.Sprintf("%.2f × (%s)", worst, of), worst <= 2, len(m.Floods) > 0})

	goals = append(goals, Goal{"module: ≤ 8.5 MB", fmt.Sprintf("%.2f MB", float64(m.ModuleBytes)/1e6), m.ModuleBytes <= 8_500_000, m.ModuleBytes > 0})
	with, without := m.Footprints[rowRepeated], m.Footprints[rowNone]
	if len(with) == 2 && len(without) == 2 {
		each := perWorker(with, idle) - perWorker(without, idle)
		goals = append(goals,
			Goal{"memory for each further worker: ≤ 6 MB", fmt.Sprintf("%.1f MB", each/1e6), each <= 6e6, true},
			Goal{"ready to the first 200: ≤ 5 s of processor time", fmt.Sprintf("%.1f s", with[0].Start.Seconds()), with[0].Start.Seconds() <= 5, true})
	}
	return goals
}

// extra is the median of how much more processor time a row needs than another,
// in µs for each request.
func (m *Measured) extra(row, than string) float64 {
	a, b := m.Closed[row], m.Closed[than]
	values := make([]float64, min(len(a), len(b)))
	for i := range values {
		values[i] = a[i].CPU - b[i].CPU
	}
	return quantileOf(values, 0.5)
}

// least is the processor time of a row's least disturbed round: what else a machine
// does only adds to it.
func (m *Measured) least(row string) float64 { return quantile(m.Closed[row], 0, cpu) }

// ratio is how much the valid tokens' p99 grows beside the bad ones.
func (f *Flood) ratio() float64 {
	values := make([]float64, len(f.Under))
	for i := range values {
		values[i] = f.Under[i] / f.Alone[i]
	}
	return quantileOf(values, 0.5)
}

func idle(f Footprint) int64   { return f.Idle }
func filled(f Footprint) int64 { return f.Filled }

// perWorker is what each worker after the first needs, in bytes.
func perWorker(f []Footprint, of func(Footprint) int64) float64 {
	return float64(of(f[1])-of(f[0])) / float64(f[1].Workers-f[0].Workers)
}
