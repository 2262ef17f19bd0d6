package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"edgejwt/e2e/harness"
	"edgejwt/verify"
	"edgejwt/verify/hostile"
)

// TestFullModule sends the tables of all algorithms through edgejwt-full.wasm in
// the real Envoy.
func TestFullModule(t *testing.T) {
	config, err := json.Marshal(map[string]any{
		"jwtRules": []any{map[string]any{
			"issuer":     hostile.Issuer,
			"audiences":  []string{hostile.Audience},
			"jwks":       string(hostile.FullKeySet()),
			"algorithms": hostile.FullAlgorithms,
			"clockSkew":  hostileSkew.String(),
		}},
		"routes": []any{map[string]any{"path": map[string]string{"regex": "/edge/[0-9]+"}}, map[string]any{"path": map[string]string{"prefix": "/"}, "permissions": []string{"nobody"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := harness.Start(t, harness.Options{Plugin: string(config), Module: "dist/edgejwt-full.wasm"})
	w.Eventually(30*time.Second, "the plugin answers", func() bool { return w.RawGet("/ready").Status == 401 })
	w.ResetSeen()
	begin := time.Now()
	table := hostile.FullTable(begin, hostile.Options{Skew: hostileSkew, Slack: hostileSlack})
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
	accepted := 0
	for i, c := range table {
		if c.Want == verify.Accepted {
			accepted++
		}
		t.Run(c.Group+"/"+c.Name, func(t *testing.T) { checkDecision(t, c, answers[i], reached[fmt.Sprintf("/edge/%d", i)]) })
	}
	t.Logf("%d cases, %d accepted, in %v", len(table), accepted, time.Since(begin).Round(time.Second))
}
