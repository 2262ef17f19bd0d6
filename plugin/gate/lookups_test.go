package gate_test

import (
	"testing"

	"edgejwt/plugin/gate"
)

// TestLookups: what is counted of tokens that were seen, and of others.
func TestLookups(t *testing.T) {
	g := newEdge(t, "", "")
	good, bad := request("GET /", bearer(token(nil))), request("GET /", bearer(spoilt(token(nil))))
	for _, c := range []struct {
		name    string
		request [][2]string
		quick   bool
		want    [gate.LookupEnd]int64
	}{
		{"new", good, true, [...]int64{gate.Miss: 1, gate.Bad: 0}},
		{"seen", good, true, [...]int64{gate.Hit: 1, gate.Bad: 0}},
		{"seen, the long way", good, false, [...]int64{gate.Hit: 1, gate.Bad: 0}},
		{"new and bad", bad, true, [...]int64{gate.Miss: 1, gate.Bad: 0}},
		{"known to be bad", bad, true, [...]int64{gate.Bad: 1}},
		{"no token", request("GET /"), true, [gate.LookupEnd]int64{}},
		{"unreadable", request("GET /", bearer("a.b.c")), true, [gate.LookupEnd]int64{}},
	} {
		*g.Lookups() = [gate.LookupEnd]int64{}
		if quick, _, _ := g.Quick(c.request, now); !c.quick || quick == nil {
			if !c.quick {
				*g.Lookups() = [gate.LookupEnd]int64{}
			}
			var j gate.Judgement
			g.Judge(&j, c.request, nil, nil, now)
			j.Changes()
		}
		if got := *g.Lookups(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	none := newEdge(t, "", `"tokenCache": {"entries": 0}`)
	judge(none, good, now)
	if got := *none.Lookups(); got != [gate.LookupEnd]int64{} {
		t.Errorf("without a cache: %v", got)
	}
}
