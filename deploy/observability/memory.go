package observability

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// memory holds series in the order in which they came; it is all that the engine
// needs of a database.
type memory struct {
	series []*stored
}

type stored struct {
	labels  labels.Labels
	samples []chunks.Sample
}

// sample is a number at a time, in milliseconds.
type sample struct {
	at int64
	v  float64
}

func (s sample) T() int64                      { return s.at }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.v }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

// add adds a series in promtool's notation, such as 0+1x10.
func (m *memory) add(series, values string, interval time.Duration) error {
	l, list, err := language.ParseSeriesDesc(series + " " + values)
	if err != nil {
		return err
	}
	for i, v := range list {
		if !v.Omitted {
			m.record(l, time.Duration(i)*interval, v.Value)
		}
	}
	return nil
}

func (m *memory) record(l labels.Labels, at time.Duration, v float64) {
	i := slices.IndexFunc(m.series, func(s *stored) bool { return labels.Equal(s.labels, l) })
	if i < 0 {
		i = len(m.series)
		m.series = append(m.series, &stored{labels: l})
	}
	m.series[i].samples = append(m.series[i].samples, sample{at.Milliseconds(), v})
}

// Querier is for the engine.
func (m *memory) Querier(from, to int64) (storage.Querier, error) {
	return querier{m, from, to}, nil
}

type querier struct {
	*memory
	from, to int64
}

func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, by ...*labels.Matcher) storage.SeriesSet {
	found := &set{at: -1}
	for _, s := range q.series {
		if !matches(s.labels, by, func(*labels.Matcher) bool { return true }) {
			continue
		}
		within := slices.Clone(s.samples)
		within = slices.DeleteFunc(within, func(s chunks.Sample) bool { return s.T() < q.from || s.T() > q.to })
		found.series = append(found.series, storage.NewListSeries(s.labels, within))
	}
	slices.SortFunc(found.series, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return found
}

func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) Close() error { return nil }

// set is series, one after another.
type set struct {
	series []storage.Series
	at     int
}

func (s *set) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *set) At() storage.Series                { return s.series[s.at] }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }
