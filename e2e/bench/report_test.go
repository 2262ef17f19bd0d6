package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		q      float64
		want   float64
	}{
		{"none", nil, 0.5, 0},
		{"one", []float64{3}, 0.25, 3},
		{"middle of three", []float64{9, 1, 2}, 0.5, 2},
		{"between two", []float64{4, 1, 2, 3}, 0.5, 2.5},
		{"quarter", []float64{5, 1, 2, 3, 4}, 0.25, 2},
		{"top", []float64{1, 2}, 1, 2},
	} {
		if got := quantileOf(c.values, c.q); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v instead of %v", c.name, got, c.want)
		}
	}
}

// seen makes samples that have the given rates; processor time is their inverse.
func seen(rates ...float64) (s []Sample) {
	for _, r := range rates {
		s = append(s, Sample{Rate: r, CPU: 1e6 / r, Envoy: 1e6 / r, Busy: 1, P50: 10, P99: 100})
	}
	return s
}

// TestTokensSuffice: no run takes the tokens of a later one.
func TestTokensSuffice(t *testing.T) {
	for _, o := range []Options{Full, Short} {
		used := map[string]int{}
		for _, r := range o.rows() {
			if r.Traffic.needs(1) > 0 {
				used[r.Listener] += 2*o.Rounds*r.Traffic.needs(o.most(r, 1e9)) + 121 // and the checks before
			}
		}
		for listener, n := range used {
			if n > o.Fresh || n < o.Fresh/2 {
				t.Errorf("%s: %d tokens of %d are used", listener, n, o.Fresh)
			}
		}
		if r := rowOf(rowRepeated); o.most(r, 1e9) != 1e9 {
			t.Error("a repeated token is bounded")
		}
	}
}

// TestRatios: ratios are taken between rows of the same round, so that a slow
// round changes none of them.
func TestRatios(t *testing.T) {
	m := &Measured{Closed: map[string][]Sample{
		rowRepeated: seen(900, 90, 9),
		rowNative:   seen(1000, 100, 10),
	}}
	if got := ratioOf(m.Closed, rowRepeated, rowNative, rate); math.Abs(got.Median-0.9) > 1e-9 || got.Rounds != 3 || got.High-got.Low > 1e-9 {
		t.Errorf("%+v", got)
	}
	if got := ratioOf(m.Closed, rowRepeated, rowAuthz, rate); got.Rounds != 0 || got.String() != "" {
		t.Errorf("of a row that is missing: %+v", got)
	}
}

func TestGoals(t *testing.T) {
	m := &Measured{Closed: map[string][]Sample{
		rowNone: seen(40_000), rowTrimmed: seen(25_000), rowNative: seen(30_000), rowUncached: seen(12_000),
		rowAuthz: seen(5_000), rowRepeated: seen(27_000), rowNewGo: seen(2_000),
		// 500 µs, and 100 and 2,500 more: 1/25. Without an API it would be another ratio.
		rowAPI: seen(2000), rowAPIEdge: seen(1e6 / 600.0), rowAPISeed: seen(1e6 / 3000.0),
	}, ModuleBytes: 8_500_001}
	want := map[string]string{
		"a repeated token: ≥ 0.88": "met", "a repeated token: ≥ 1.0": "met", "a repeated token: ≥ 2": "met",
		"a repeated token: ≥ 4": "met", "a new token each time, go": "not met", "the check itself": "met", "module": "not met",
		"a new token each time, host": "not measured", "1,000 bad": "not measured", "p99": "not measured",
	}
	for start, verdict := range want {
		found := false
		for _, g := range m.goals() {
			if !strings.HasPrefix(g.Text, start) {
				continue
			}
			found = true
			got := "not met"
			if g.Met {
				got = "met"
			}
			if !g.Known {
				got = "not measured"
			}
			if got != verdict {
				t.Errorf("%s: %s, %s instead of %s", g.Text, g.Measured, got, verdict)
			}
		}
		if !found {
			t.Errorf("no goal begins with %q", start)
		}
	}
}

// TestCheckLostInNoise: what an API's own noise hides is told from where there is
// none.
func TestCheckLostInNoise(t *testing.T) {
	m := &Measured{Closed: map[string][]Sample{
		rowNone: seen(40_000), rowRepeated: seen(1e6 / 35.0), rowAPI: seen(2000), rowAPIEdge: seen(1e6 / 490.0), rowAPISeed: seen(1e6 / 3000.0),
	}}
	for _, g := range m.goals() {
		if strings.HasPrefix(g.Text, "the check itself") && (!g.Known || !g.Met || !strings.HasPrefix(g.Measured, "2500 µs to 10.0 µs (without an API")) {
			t.Errorf("%+v", g)
		}
	}
}

// TestProfile: the parts of a repeated token add up, and nothing is said of rows
// that were left out.
func TestProfile(t *testing.T) {
	m := &Measured{Closed: map[string][]Sample{}}
	for i, id := range []string{rowNone, "floor-headers", "floor-announced", "floor-clock", rowRepeated, "floor-writes", rowRich, rowNative, rowUncached, rowNewHost, rowNewGo} {
		m.Closed[id] = seen(1e6 / float64(20+i*i)) // 20, 21, 24, 29, 36, 45, 56, 69, 84, 101 and 120 µs
	}
	var b strings.Builder
	m.writeProfile(&b)
	for _, want := range []string{"work for a request | 20.0 |", "all headers at once | +1.0 |", "stream it is | +3.0 |", "in V8 | +7.0 |", "route anew | +16.0 |", "ten routes, all of it | +20.0 |", "read and check it | +15.0 |", "place of Envoy's | +19.0 |"} {
		if want = strings.Replace(want, "stream it is | +3.0 |", "stream it is | +3.0 |", 1); !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
	delete(m.Closed, rowRich)
	b.Reset()
	if m.writeProfile(&b); b.Len() > 0 {
		t.Error("a profile without all of its rows")
	}
}

// TestPage: every row is in the table, and the picture is XML.
func TestPage(t *testing.T) {
	m := &Measured{Closed: map[string][]Sample{}, Open: map[string][]Sample{}}
	for i := range rows {
		m.Rows = append(m.Rows, &rows[i])
		m.Closed[rows[i].ID] = seen(12_345, 12_346)
	}
	m.Floods = []*Flood{{Row: rowOf("forged"), Alone: []float64{100}, Under: []float64{150}}}
	m.Footprints = map[string][]Footprint{}
	for _, id := range footprintRows {
		m.Footprints[id] = []Footprint{{Workers: 1, Idle: 100e6, Filled: 110e6}, {Workers: 4, Idle: 112e6, Filled: 140e6}}
	}
	text := m.Markdown()
	for _, want := range []string{"12,346", "| 150 | 100 | 1.50 |", "| 0.0 | 100 | 4.0 | 110 | 10.0 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for _, r := range rows {
		if !strings.Contains(text, "| "+r.Name+" |") {
			t.Errorf("%q is not in the table", r.Name)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(m.Plot())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestCosts: a dear request is compared with a bad signature of the same round,
// and nothing else is told where only these were measured.
func TestCosts(t *testing.T) {
	m := &Measured{Options: Costs, Rows: (&Costs).rows(), Closed: map[string][]Sample{
		rowForged:           seen(1000, 500, 250), // 1, 2 and 4 ms
		"cost-params":       seen(1e3/1.89, 500/1.89, 250/1.89),
		"cost-fromcookies":  seen(1e3/1.91, 500/1.91, 250/1.91),
		"cost-query-none":   seen(100, 50, 25),
		"cost-templates-10": seen(1e3/1.2, 500/1.2, 250/1.2),
	}}
	text := m.Markdown()
	for _, want := range []string{"| bad signature, new each time, for scale | 2,000 | 1.00 | | |", "three fromParams, 60 KiB of query | 3,780 | 1.89 | 1.90 | met |",
		"two fromCookies, 60 KiB of cookies | 3,820 | 1.91 | 1.90 | **not met** |", "60 KiB of query, no filter | 20,000 | 10.00 |  |  |",
		"10 template routes, an odd path | 2,400 | 1.20 | 1.25 | met |"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Count(text, "\n") != 8 || strings.Contains(text, "goal") {
		t.Errorf("more than the dear requests:\n%s", text)
	}
	if delete(m.Closed, rowForged); m.Markdown() != "" {
		t.Error("compared with what was not measured")
	}
}

// TestWrite: a page comes from a quiet machine or not at all.
func TestWrite(t *testing.T) {
	m := &Measured{Rows: []*Row{rowOf(rowNone)}, Closed: map[string][]Sample{rowNone: seen(100)}, Options: Full}
	dir := t.TempDir()
	m.Closed[rowNone][0].Busy = 0.5
	if err := m.Write(dir); err == nil {
		t.Error("written although the core had other things to do")
	}
	m.Closed[rowNone][0].Busy = 0.95
	if err := m.Write(dir); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"BENCH.md", "bench.svg"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestRows: a row's name and ID are its own, and what it refers to exists.
func TestRows(t *testing.T) {
	seen := map[string]bool{}
	exists := map[string]bool{}
	for _, l := range listeners(&modules{}) {
		exists[l.Name] = true
	}
	for _, r := range rows {
		if seen[r.ID] || !exists[r.Listener] {
			t.Errorf("row %s: twice, or its listener %q is missing", r.ID, r.Listener)
		}
		seen[r.ID] = true
	}
}
