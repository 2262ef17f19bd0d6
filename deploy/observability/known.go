package observability

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Unknown tells what a query asks for that the series do not have: a name, a label,
// a value of a label. Prometheus answers such a query with nothing, and an alert on
// nothing never fires. The series need job and instance as Prometheus gives them.
func Unknown(q Query, series []labels.Labels) (faults []string) {
	fault := func(format string, args ...any) {
		faults = append(faults, q.Where+": "+fmt.Sprintf(format, args...))
	}
	tree, err := language.ParseExpr(q.Expr)
	if err != nil {
		return []string{q.Where + ": " + err.Error()}
	}
	var shown []string // labels that come out, if an aggregation says so
	aggregated := false
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.VectorSelector:
			faults = append(faults, unknownSelector(q.Where, n, series)...)
		case *parser.AggregateExpr:
			if n.Without {
				return nil
			}
			aggregated = true
			shown = append(shown, n.Grouping...)
			for _, name := range n.Grouping {
				if !anyHas(selected(n.Expr, series), name) {
					fault("nothing that %s adds up has the label %s", n, name)
				}
			}
		case *parser.BinaryExpr:
			if n.VectorMatching == nil {
				return nil
			}
			for _, name := range n.VectorMatching.MatchingLabels {
				if !anyHas(selected(n, series), name) {
					fault("nothing has the label %s", name)
				}
			}
		}
		return nil
	})
	for _, name := range q.Legend {
		if aggregated && !slices.Contains(shown, name) || !aggregated && !anyHas(selected(tree, series), name) {
			fault("shows the label %s, which the answer has not", name)
		}
	}
	return faults
}

// Series reads what a proxy shows to Prometheus, and adds the labels that Prometheus
// adds by itself.
func Series(text string) (all []labels.Labels, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		l, err := language.ParseMetric(line[:strings.LastIndexByte(line, ' ')])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		all = append(all, labels.NewBuilder(l).Set("job", "edge").Set("instance", "here").Labels())
	}
	return append(all, labels.FromStrings(model.MetricNameLabel, "up", "job", "edge", "instance", "here")), nil
}

// Records are the series that alerts.yaml makes of others.
func Records(dir string) (all []labels.Labels, err error) {
	groups, err := Rules(dir)
	if err != nil {
		return nil, err
	}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if r.Record != "" { // all of them are sums by job
				all = append(all, labels.FromStrings(model.MetricNameLabel, r.Record, "job", "edge"))
			}
		}
	}
	return all, nil
}

// unknownSelector looks at one selector.
func unknownSelector(where string, s *parser.VectorSelector, series []labels.Labels) (faults []string) {
	named := slices.DeleteFunc(slices.Clone(series), func(l labels.Labels) bool {
		return !matches(l, s.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel })
	})
	if len(named) == 0 {
		return []string{fmt.Sprintf("%s: there is no series %s", where, s)}
	}
	for _, m := range s.LabelMatchers {
		if m.Name == model.MetricNameLabel {
			continue
		}
		for _, value := range strings.Split(m.Value, "|") { // each alternative must be one
			one := labels.MustNewMatcher(map[labels.MatchType]labels.MatchType{
				labels.MatchEqual: labels.MatchEqual, labels.MatchNotEqual: labels.MatchEqual,
				labels.MatchRegexp: labels.MatchRegexp, labels.MatchNotRegexp: labels.MatchRegexp,
			}[m.Type], m.Name, value)
			if !slices.ContainsFunc(named, func(l labels.Labels) bool { return l.Has(m.Name) && one.Matches(l.Get(m.Name)) }) {
				faults = append(faults, fmt.Sprintf("%s: no %s has %s=%q", where, s.Name, m.Name, value))
			}
		}
	}
	return faults
}

// selected are the series that a tree's selectors choose.
func selected(tree parser.Node, series []labels.Labels) (all []labels.Labels) {
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			for _, l := range series {
				if matches(l, s.LabelMatchers, func(*labels.Matcher) bool { return true }) {
					all = append(all, l)
				}
			}
		}
		return nil
	})
	return all
}

func matches(l labels.Labels, by []*labels.Matcher, which func(*labels.Matcher) bool) bool {
	return !slices.ContainsFunc(by, func(m *labels.Matcher) bool { return which(m) && !m.Matches(l.Get(m.Name)) })
}

func anyHas(series []labels.Labels, name string) bool {
	return slices.ContainsFunc(series, func(l labels.Labels) bool { return l.Has(name) })
}
