package observability

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Query is one expression that Prometheus is asked, or a name that a legend shows.
type Query struct {
	Where string // for messages
	Expr  string
	// Legend lists the labels that a graph's legend or an alert's words show.
	Legend []string
}

// Queries are those of alerts.yaml and dashboard.json, with Grafana's variables
// replaced by what they stand for when everything is chosen.
func Queries(dir string) (all []Query, err error) {
	groups, err := Rules(dir)
	if err != nil {
		return nil, err
	}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			q := Query{Where: r.Alert + r.Record, Expr: r.Expr}
			for _, text := range r.Annotations {
				for _, found := range alertLabel.FindAllStringSubmatch(text, -1) {
					q.Legend = append(q.Legend, found[1])
				}
			}
			all = append(all, q)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "dashboard.json"))
	if err != nil {
		return nil, err
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
		Templating struct {
			List []struct {
				Name, Type string
				Query      any
			}
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		return nil, err
	}
	for _, p := range board.Panels {
		for _, t := range p.Targets {
			q := Query{Where: "panel " + p.Title, Expr: grafana.Replace(t.Expr)}
			for _, found := range legendLabel.FindAllStringSubmatch(t.LegendFormat, -1) {
				q.Legend = append(q.Legend, found[1])
			}
			all = append(all, q)
		}
	}
	for _, v := range board.Templating.List {
		if query, ok := v.Query.(map[string]any); ok {
			if found := labelValues.FindStringSubmatch(query["query"].(string)); found != nil {
				all = append(all, Query{Where: "variable " + v.Name, Expr: "count by (" + found[2] + ") (" + grafana.Replace(found[1]) + ")"})
			}
		}
	}
	return all, nil
}

var (
	alertLabel  = regexp.MustCompile(`\$labels\.(\w+)`)
	legendLabel = regexp.MustCompile(`{{\s*(\w+)\s*}}`)
	labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	grafana     = strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", ".*")
)
