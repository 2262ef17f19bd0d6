package observability

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"edgejwt/verify"
)

// TestAlertsFire plays alerts_test.yaml.
func TestAlertsFire(t *testing.T) {
	faults, err := Play(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// TestPassingReasons: what the rules and panels call refused is what edgejwt
// refuses, also when a reason is added.
func TestPassingReasons(t *testing.T) {
	queries, err := Queries(".")
	if err != nil {
		t.Fatal(err)
	}
	passing := func(reason string) bool {
		for _, r := range verify.Reasons() {
			if r.String() == reason {
				return r.Passes() || r == verify.ResourceMetadata // an answer, and none that refuses
			}
		}
		t.Errorf("there is no reason %q", reason)
		return false
	}
	seen := 0
	for _, q := range queries {
		tree, err := language.ParseExpr(q.Expr)
		if err != nil {
			t.Fatal(q.Where, err)
		}
		parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
			s, ok := n.(*parser.VectorSelector)
			if !ok {
				return nil
			}
			for _, m := range s.LabelMatchers {
				if m.Name != "reason" || !strings.Contains(m.Value, "accepted") {
					continue
				}
				seen++
				listed := strings.Split(m.Value, "|")
				for _, r := range verify.Reasons() {
					if passing(r.String()) != slices.Contains(listed, r.String()) {
						t.Errorf("%s: %s is on the wrong side", q.Where, r)
					}
				}
				for _, name := range listed {
					passing(name)
				}
			}
			return nil
		})
	}
	if seen < 5 {
		t.Errorf("%d lists of reasons seen", seen)
	}
}

// TestUnknown plants what a query can ask in vain.
func TestUnknown(t *testing.T) {
	series := []labels.Labels{
		labels.FromStrings("__name__", "a", "job", "j", "reason", "x"), labels.FromStrings("__name__", "a", "job", "j", "reason", "y"),
		labels.FromStrings("__name__", "b", "job", "j"),
	}
	for name, c := range map[string]struct {
		expr   string
		legend []string
		want   string
	}{
		"nothing to say":            {`sum by (job, reason) (rate(a{reason=~"x|y"}[5m])) > 0`, []string{"reason"}, ""},
		"a name":                    {`rate(c[5m])`, nil, "no series c"},
		"a label":                   {`a{route="x"}`, nil, `route="x"`},
		"a value":                   {`a{reason="z"}`, nil, `reason="z"`},
		"a value among others":      {`a{reason=~"x|z"}`, nil, `reason="z"`},
		"a value that is left out":  {`a{reason!~"x|z"}`, nil, `reason="z"`},
		"a label to add up by":      {`sum by (route) (a)`, nil, "label route"},
		"a label of another series": {`sum by (reason) (b)`, nil, "label reason"},
		"a label to match by":       {`a and on (route) b`, nil, "label route"},
		"a label in the legend":     {`sum by (job) (a)`, []string{"reason"}, "shows the label reason"},
		"a legend without by":       {`b`, []string{"reason"}, "shows the label reason"},
		"no PromQL":                 {`sum(`, nil, "parse error"},
	} {
		got := strings.Join(Unknown(Query{Where: "here", Expr: c.expr, Legend: c.legend}, series), "\n")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestRunbook: every alert has a chapter, and no chapter is left of one that is gone.
func TestRunbook(t *testing.T) {
	text, err := os.ReadFile("../RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	chapters := map[string]string{}
	for _, chapter := range strings.Split(string(text), "\n## ")[1:] {
		title, body, _ := strings.Cut(chapter, "\n")
		chapters[title] = body
	}
	groups, err := Rules(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			body, ok := chapters[r.Alert]
			for _, part := range []string{"**What it means.**", "**What to look at.**", "**What to do.**"} {
				if !ok || !strings.Contains(body, part) {
					t.Errorf("RUNBOOK.md has no %s of %s", part, r.Alert)
				}
			}
			delete(chapters, r.Alert)
			if want := "RUNBOOK.md#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
				t.Errorf("%s has the runbook_url %q, want %q", r.Alert, r.Annotations["runbook_url"], want)
			}
			if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
				t.Errorf("%s has the severity %q", r.Alert, r.Labels["severity"])
			}
		}
	}
	alertName := regexp.MustCompile(`^Edgejwt\w+$`)
	for title := range chapters {
		if alertName.MatchString(title) {
			t.Errorf("RUNBOOK.md has a chapter on %s, which is no alert", title)
		}
	}
}
