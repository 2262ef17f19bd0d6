package authz_test

import (
	"testing"

	"edgejwt/plugin/authz"
)

// TestLookups: what is counted of the cache.
func TestLookups(t *testing.T) {
	g := newEdge(t, "", "")
	good, bad := request("GET /", bearer(token(nil))), request("GET /", bearer(spoilt(token(nil))))
	for _, c := range []struct {
		name    string
		request [][2]string
		want    [authz.CacheResultEnd]int64
	}{
		{"new", good, [...]int64{authz.Miss: 1, authz.Bad: 0}},
		{"cached", good, [...]int64{authz.Hit: 1, authz.Bad: 0}},
		{"new and bad", bad, [...]int64{authz.Miss: 1, authz.Bad: 0}},
		{"known to be bad", bad, [...]int64{authz.Bad: 1}},
		{"no token", request("GET /"), [authz.CacheResultEnd]int64{}},
		{"unreadable", request("GET /", bearer("a.b.c")), [authz.CacheResultEnd]int64{}},
	} {
		decide(g, c.request, now)
		if got := g.Lookups(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	none := newEdge(t, "", `"tokenCache": {"entries": 0}`)
	decide(none, good, now)
	if got := none.Lookups(); got != [authz.CacheResultEnd]int64{} {
		t.Errorf("without a cache: %v", got)
	}
}
