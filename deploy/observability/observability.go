// Package observability knows what deploy/observability asks of Prometheus, for the
// tests: which series and labels the alerts and the dashboard need, and what the
// alerts would do with given series (alerts_test.yaml, in promtool's own form).
//
// queries.go collects what is asked, known.go holds it against series that a proxy
// really has, play.go plays promtool's unit tests with Prometheus's own engine,
// because promtool itself takes minutes to compile.
package observability

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// language is PromQL without its experiments.
var language = parser.NewParser(parser.Options{})

// Rules reads alerts.yaml from this folder, as strictly as Prometheus does.
func Rules(dir string) (*rulefmt.RuleGroups, error) {
	groups, errs := rulefmt.ParseFile(filepath.Join(dir, "alerts.yaml"), false, model.UTF8Validation, language, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return groups, nil
}

// Relabel is what relabel.yaml makes of series.
func Relabel(dir string, series []labels.Labels) ([]labels.Labels, error) {
	text, err := os.ReadFile(filepath.Join(dir, "relabel.yaml"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Configs []*relabel.Config `yaml:"metric_relabel_configs"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	for _, c := range file.Configs {
		if err := c.Validate(model.UTF8Validation); err != nil {
			return nil, err
		}
	}
	made := make([]labels.Labels, 0, len(series))
	for _, l := range series {
		b := labels.NewBuilder(l)
		if relabel.ProcessBuilder(b, file.Configs...) {
			made = append(made, b.Labels())
		}
	}
	return made, nil
}
