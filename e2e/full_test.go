package e2e

import (
	"encoding/json"
	"testing"

	"edgejwt/e2e/harness"
	"edgejwt/internal/attacks"
	"edgejwt/verify"
)

// TestAllAlgorithms sends the table of all algorithms through the real Envoy.
func TestAllAlgorithms(t *testing.T) {
	config, err := json.Marshal(map[string]any{
		"jwtRules": []any{map[string]any{
			"issuer":     attacks.Issuer,
			"audiences":  []string{attacks.Audience},
			"jwks":       string(attacks.FullKeySet()),
			"algorithms": attacks.FullAlgorithms,
			"clockSkew":  attacksSkew.String(),
		}},
		"routes": []any{map[string]any{"path": map[string]string{"regex": "/edge/[0-9]+"}}, map[string]any{"path": map[string]string{"prefix": "/"}, "permissions": []string{"nobody"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := harness.Start(t, harness.Options{Plugin: string(config)})
	accepted := 0
	table := sendAttacks(t, w, attacks.FullTable)
	for _, c := range table {
		if c.Want == verify.Accepted {
			accepted++
		}
	}
	if t.Logf("%d cases, %d accepted", len(table), accepted); accepted < 40 {
		t.Error("too few")
	}
}
