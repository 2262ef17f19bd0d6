package e2e

import (
	"encoding/json"
	"flag"
	"testing"

	"edgejwt/cmd/edgejwt/convert"
	"edgejwt/e2e/differential"
)

// defaultSeed is that of the page: each kind of difference is seen with it.
const defaultSeed = 2

// seed makes other configurations and requests than the page tells of.
var seed = flag.Uint64("seed", defaultSeed, "of TestDifferential; its page is checked with the default alone")

// TestDifferential converts configurations of jwt_authn and RBAC that were made
// up, and sends made up requests to both, in one Envoy. What edgejwt lets through,
// they let through; every other difference has a reason in DIFFERENTIAL.md.
func TestDifferential(t *testing.T) {
	const (
		configs  = 25
		requests = 150
	)
	g, err := differential.New(*seed)
	if err != nil {
		t.Fatal(err)
	}
	y := newDifferences()
	var twins []*twin
	for len(twins) < configs {
		native := g.Config()
		text, err := json.Marshal(typed{"http_filters": native.Filters})
		if err != nil {
			t.Fatal(err)
		}
		converted, err := convert.Convert(text)
		if err != nil {
			if y.refused++; y.refused > 4*configs {
				t.Fatalf("hardly anything can be converted; the last refusal: %v", err)
			}
			continue
		}
		twins = append(twins, &twin{native: native, converted: converted})
	}
	startTwins(t, "dist/edgejwt.wasm", twins)
	for i, w := range twins {
		for range requests {
			q := g.Request(w.native)
			theirs, err := w.listeners[0].send(q)
			if err != nil {
				t.Fatalf("jwt_authn: %v: %v", q, err)
			}
			ours, err := w.listeners[1].send(q)
			if err != nil {
				t.Fatalf("edgejwt: %v: %v", q, err)
			}
			y.add(t, i, w, q, theirs, ours)
			if y.laxer > 20 {
				t.Fatal("and so on")
			}
		}
	}
	y.check(t, *seed == defaultSeed)
}
