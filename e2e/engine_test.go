package e2e

import (
	"fmt"
	"testing"
	"time"

	"edgejwt/e2e/harness"
	"edgejwt/verify/hostile"
)

// TestHostEngine sends the whole table of package hostile through a plugin that
// has Envoy check the signatures. Every decision must be the same, and every
// check Envoy's.
func TestHostEngine(t *testing.T) {
	plugin := hostilePlugin(t)
	w := harness.Start(t, harness.Options{Plugin: `{"signature": "host", ` + plugin[1:]})
	w.Eventually(20*time.Second, "the plugin answers", func() bool { return w.RawGet("/ready").Status == 401 })
	w.ResetSeen()
	begin := time.Now()
	table := hostile.Table(begin, hostile.Options{Skew: hostileSkew, Slack: hostileSlack})
	answers := make([]harness.Answer, len(table))
	for i, c := range table {
		answers[i] = harness.Raw(w.Edge, hostileRequest(fmt.Sprintf("/edge/%d", i), c.Headers))
	}
	if took := time.Since(begin); took > hostileSlack {
		t.Fatalf("the table took %v: the times in it no longer hold", took)
	}
	reached := map[string]bool{}
	for _, seen := range w.Seen() {
		reached[seen.Path] = true
	}
	for i, c := range table {
		t.Run(c.Group+"/"+c.Name, func(t *testing.T) { checkDecision(t, c, answers[i], reached[fmt.Sprintf("/edge/%d", i)]) })
	}
	byHost, byGo := w.Stat("edgejwt_signatures;engine=host;;"), w.Stat("edgejwt_signatures;engine=go;;")
	t.Logf("%d cases: %d signatures checked by Envoy, %d by the module", len(table), byHost, byGo)
	if byHost < 100 || byGo > byHost/4 {
		t.Errorf("%d checks by Envoy, %d by the module", byHost, byGo)
	}
}
