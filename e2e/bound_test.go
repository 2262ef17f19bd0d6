package e2e

import (
	"fmt"
	"testing"
	"time"

	"edgejwt/e2e/harness"
	"edgejwt/internal/attacks"
)

// boundEdges is the one Envoy, with four workers, of the tests of tokens that are bound to
// their senders.
func boundEdges(t *testing.T) *harness.World {
	t.Helper()
	var list []harness.Edge
	var clusters []harness.Cluster
	for _, of := range []func(*testing.T) ([]harness.Edge, []harness.Cluster){bindingEdges, mtlsEdges} {
		e, c := of(t)
		list, clusters = append(list, e...), append(clusters, c...)
	}
	return harness.SharedAs(t, "bound", harness.Options{Workers: 4, Edges: list, Clusters: clusters})
}

func bindingEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	return []harness.Edge{{Name: "bindings", Plugin: attacksPlugin(t)}}, nil
}

// TestBindings sends bound tokens as bearer tokens through Envoy, each several times, so that
// workers have some of them in their caches.
func TestBindings(t *testing.T) {
	w := boundEdges(t)
	table := attacks.Bindings(time.Now(), attacks.Options{Skew: attacksSkew, Slack: attacksSlack})
	for pass := range 3 {
		w.ResetSeen()
		answers := make([]harness.Answer, len(table))
		for i, c := range table {
			answers[i] = harness.Raw(w.At("bindings"), attackRequest(fmt.Sprintf("/bindings/%d", i), c.Headers))
		}
		reached := map[string]bool{}
		for _, seen := range w.Seen() {
			reached[seen.Path] = true
		}
		for i, c := range table {
			path := fmt.Sprintf("/bindings/%d", i)
			t.Run(fmt.Sprintf("%d/%s", pass, c.Name), func(t *testing.T) { checkDecision(t, c, answers[i], reached[path]) })
		}
	}
}
