package observability

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"
	"go.yaml.in/yaml/v3"
)

// unitTests is as much of promtool's form as alerts_test.yaml uses.
type unitTests struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	Tests              []struct {
		Name     string
		Interval model.Duration
		Series   []struct{ Series, Values string } `yaml:"input_series"`
		Alerts   []expectation                     `yaml:"alert_rule_test"`
	}
}

// expectation is which alerts of a name fire at a moment.
type expectation struct {
	At        model.Duration `yaml:"eval_time"`
	Alertname string
	Expected  []struct {
		Labels      map[string]string `yaml:"exp_labels"`
		Annotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

// Play plays alerts_test.yaml and tells what was not as it expects, and which of the
// alerts it never expects to fire.
func Play(dir string) (faults []string, err error) {
	groups, err := Rules(dir)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "alerts_test.yaml"))
	if err != nil {
		return nil, err
	}
	var file unitTests
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return nil, err
	}
	unfired := map[string]bool{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			unfired[r.Alert] = r.Alert != ""
		}
	}
	for _, test := range file.Tests {
		w := newWorld(groups, time.Duration(file.EvaluationInterval))
		for _, s := range test.Series {
			if err := w.add(s.Series, s.Values, time.Duration(test.Interval)); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", test.Name, s.Series, err)
			}
		}
		cases := slices.Clone(test.Alerts)
		slices.SortStableFunc(cases, func(a, b expectation) int { return int(a.At - b.At) })
		for _, c := range cases {
			if _, known := unfired[c.Alertname]; !known {
				faults = append(faults, test.Name+": there is no alert "+c.Alertname)
			}
			if err := w.advance(time.Duration(c.At)); err != nil {
				return nil, fmt.Errorf("%s: %w", test.Name, err)
			}
			var want []string
			for _, e := range c.Expected {
				want = append(want, describe(e.Labels, e.Annotations))
				unfired[c.Alertname] = false
			}
			slices.Sort(want)
			if got := w.firing(c.Alertname); !slices.Equal(got, want) {
				faults = append(faults, fmt.Sprintf("%s, %s at %v:\n got %q\nwant %q", test.Name, c.Alertname, c.At, got, want))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unfired)) {
		if unfired[name] {
			faults = append(faults, "no test lets "+name+" fire")
		}
	}
	return faults, nil
}

func describe(labels, annotations map[string]string) string {
	return fmt.Sprint(labels, " ", annotations)
}

// world is a Prometheus with these rules, at one moment.
type world struct {
	*memory
	engine *promql.Engine
	groups *rulefmt.RuleGroups
	step   time.Duration
	next   time.Duration
	alerts map[string]map[uint64]*alert // by name and labels
}

// alert is one that is pending or fires.
type alert struct {
	since       time.Duration
	fires       bool
	description string
}

func newWorld(groups *rulefmt.RuleGroups, step time.Duration) *world {
	return &world{
		memory: &memory{}, groups: groups, step: step, alerts: map[string]map[uint64]*alert{},
		engine: promql.NewEngine(promql.EngineOpts{MaxSamples: 1e7, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true}),
	}
}

// advance evaluates the rules up to a moment, as Prometheus would have by then.
func (w *world) advance(to time.Duration) error {
	for ; w.next <= to; w.next += w.step {
		for _, g := range w.groups.Groups {
			for _, r := range g.Rules {
				if err := w.evaluate(r, w.next); err != nil {
					return fmt.Errorf("%s%s: %w", r.Alert, r.Record, err)
				}
			}
		}
	}
	return nil
}

func (w *world) evaluate(r rulefmt.Rule, now time.Duration) error {
	query, err := w.engine.NewInstantQuery(context.Background(), w.memory, nil, r.Expr, time.Unix(0, 0).Add(now))
	if err != nil {
		return err
	}
	defer query.Close()
	result := query.Exec(context.Background())
	answer, err := result.Vector()
	if err != nil {
		return err
	}
	if r.Record != "" {
		for _, s := range answer {
			w.record(labels.NewBuilder(s.Metric).Set(model.MetricNameLabel, r.Record).Labels(), now, s.F)
		}
		return nil
	}
	before, after := w.alerts[r.Alert], map[uint64]*alert{}
	for _, s := range answer {
		bare := s.Metric.DropReserved(func(name string) bool { return name == model.MetricNameLabel })
		a := before[bare.Hash()]
		if a == nil {
			a = &alert{since: now}
		}
		a.fires = now-a.since >= time.Duration(r.For)
		if a.fires {
			if a.description, err = words(r, bare, s); err != nil {
				return err
			}
		}
		after[bare.Hash()] = a
	}
	w.alerts[r.Alert] = after
	return nil
}

// words gives an alert's labels and annotations as Prometheus writes them.
func words(r rulefmt.Rule, bare labels.Labels, s promql.Sample) (string, error) {
	all, annotations := bare.Map(), map[string]string{}
	data := template.AlertTemplateData(bare.Map(), nil, "", s)
	for name, text := range r.Annotations {
		expander := template.NewTemplateExpander(context.Background(), "{{$labels := .Labels}}{{$value := .Value}}"+text, r.Alert, data, 0, nil, &url.URL{}, []string{"missingkey=error"})
		var err error
		if annotations[name], err = expander.Expand(); err != nil {
			return "", err
		}
	}
	maps.Copy(all, r.Labels)
	return describe(all, annotations), nil
}

// firing are the alerts of a name that fire now.
func (w *world) firing(name string) (all []string) {
	for _, a := range w.alerts[name] {
		if a.fires {
			all = append(all, a.description)
		}
	}
	slices.Sort(all)
	return all
}
