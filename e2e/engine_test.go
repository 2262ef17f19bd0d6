package e2e

import (
	"fmt"
	"testing"
	"time"

	"edgejwt/e2e/harness"
	"edgejwt/internal/attacks"
)

// TestHostEngine sends the whole table of package attacks through a plugin that
// has Envoy check the signatures. Every decision must be the same, and every
// check Envoy's.
func TestHostEngine(t *testing.T) {
	plugin := attacksPlugin(t)
	w := harness.Start(t, harness.Options{Plugin: `{"signature": "host", ` + plugin[1:]})
	table := sendAttacks(t, w, attacks.Table)
	byHost, byGo := w.Stat("edgejwt_signatures;engine=host;;"), w.Stat("edgejwt_signatures;engine=go;;")
	t.Logf("%d cases: %d signatures checked by Envoy, %d by the module", len(table), byHost, byGo)
	if byHost < 100 || byGo > byHost/4 {
		t.Errorf("%d checks by Envoy, %d by the module", byHost, byGo)
	}
}

// sendAttacks sends a table through the plugin and checks every decision.
func sendAttacks(t *testing.T, w *harness.World, make func(time.Time, attacks.Options) []attacks.Case) []attacks.Case {
	t.Helper()
	w.Eventually(30*time.Second, "the plugin answers", func() bool { return w.RawGet("/ready").Status == 401 })
	w.ResetSeen()
	begin := time.Now()
	table := make(begin, attacks.Options{Skew: attacksSkew, Slack: attacksSlack})
	answers := []harness.Answer{}
	for i, c := range table {
		answers = append(answers, harness.Raw(w.Edge, attackRequest(fmt.Sprintf("/edge/%d", i), c.Headers)))
	}
	if took := time.Since(begin); took > attacksSlack {
		t.Fatalf("the table took %v: the times in it no longer hold", took)
	}
	reached := map[string]bool{}
	for _, seen := range w.Seen() {
		reached[seen.Path] = true
	}
	for i, c := range table {
		t.Run(c.Group+"/"+c.Name, func(t *testing.T) { checkDecision(t, c, answers[i], reached[fmt.Sprintf("/edge/%d", i)]) })
	}
	return table
}
