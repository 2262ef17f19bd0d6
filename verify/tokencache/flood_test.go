package tokencache

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestFlood: good tokens that come again and again, and ten times as many that
// come once.
func TestFlood(t *testing.T) {
	const good, rounds = 1000, 4
	c := New[int](1200, 64<<20, rand.Uint64())
	all := tokens(0, good)
	once := good
	for range 2 { // seen twice before the flood
		for n, text := range all {
			if _, ok := c.Get(text); !ok {
				c.Put(text, n, 500)
			}
		}
	}
	hits := 0
	for range rounds {
		for _, n := range rand.Perm(good) {
			if _, ok := c.Get(all[n]); ok {
				hits++
			} else {
				c.Put(all[n], n, 500)
			}
			for range 10 {
				once++
				text := "." + strconv.Itoa(once) + "." + strconv.FormatUint(rand.Uint64()|1<<63, 36) + "-"
				if _, ok := c.Get(text); ok {
					t.Fatal("a token that never was")
				}
				c.Put(text, once, 500)
			}
		}
	}
	rate := float64(hits) / (good * rounds)
	t.Logf("hit rate %.3f", rate)
	if rate < 0.95 {
		t.Errorf("hit rate %.3f of the good tokens, want 0.95", rate)
	}
	c.check(t)
}

// TestFloodFirst: the flood was there first, and the good tokens have to win
// their places from it.
func TestFloodFirst(t *testing.T) {
	const good = 1000
	c := New[int](10_000, 64<<20, rand.Uint64())
	all := tokens(0, good)
	rate := 0.0
	for range 8 {
		hits := 0
		for _, n := range rand.Perm(good) {
			if _, ok := c.Get(all[n]); ok {
				hits++
			} else {
				c.Put(all[n], n, 0)
			}
			for range 10 {
				c.Put("."+strconv.FormatUint(rand.Uint64()|1<<63, 36)+"-", 0, 0)
			}
		}
		rate = float64(hits) / good
	}
	if rate < 0.95 {
		t.Errorf("hit rate %.3f of the good tokens after eight rounds, want 0.95", rate)
	}
	c.check(t)
}

// TestFloodOfLarge: the bound in bytes is what the flood runs into.
func TestFloodOfLarge(t *testing.T) {
	const good = 500
	c := New[int](1<<20, 2<<20, rand.Uint64())
	all := tokens(0, good)
	for range 2 {
		for n, text := range all {
			if _, ok := c.Get(text); !ok {
				c.Put(text, n, 1000)
			}
		}
	}
	for range 20_000 {
		c.Put("."+strconv.FormatUint(rand.Uint64()|1<<63, 36)+"-", 0, 4000)
	}
	hits := 0
	for _, text := range all {
		if _, ok := c.Get(text); ok {
			hits++
		}
	}
	if hits < good*95/100 {
		t.Errorf("%d of %d good tokens are left, want 95 %%", hits, good)
	}
}

// TestHot: among tokens that all come again, those that come often stay.
func TestHot(t *testing.T) {
	const hot, rare = 60, 600
	c := New[int](100, 64<<20, rand.Uint64())
	all := tokens(0, hot+rare)
	hits, asked := 0, 0
	ask := func(n int) bool {
		_, ok := c.Get(all[n])
		if !ok {
			c.Put(all[n], n, 0)
		}
		return ok
	}
	for round := range 40_000 {
		if round%2 == 0 {
			ask(hot + rand.IntN(rare))
		} else if found := ask(rand.IntN(hot)); round > 4000 {
			asked++
			if found {
				hits++
			}
		}
	}
	rate := float64(hits) / float64(asked)
	t.Logf("hit rate of the hot %.3f", rate)
	if rate < 0.95 {
		t.Errorf("hit rate of the hot %.3f, want 0.95", rate)
	}
}

// TestGhostsAreForgotten: who came back once has no better place the next time.
func TestGhostsAreForgotten(t *testing.T) {
	c := New[int](10, 1<<20, rand.Uint64())
	c.Put(token(0), 0, 0)
	for n := 1; c.find(tailOf(token(0))) != nil; n++ {
		c.Put(token(n), n, 0)
	}
	for i, main := range []bool{true, false} {
		c.Put(token(0), 0, 0)
		if e := c.find(tailOf(token(0))); e == nil || e.main != main {
			t.Errorf("return %d: want main %v", i+1, main)
		}
		c.Remove(token(0))
	}
}

// TestChanged: what is used no longer leaves for what is.
func TestChanged(t *testing.T) {
	c := New[int](1000, 64<<20, rand.Uint64())
	hits := 0
	for generation := range 5 {
		all := tokens(1000*generation, 1000*generation+900)
		hits = 0
		for round := range 10 {
			for n, text := range all {
				if _, ok := c.Get(text); ok {
					hits++
				} else {
					c.Put(text, n, 0)
				}
			}
			if round < 8 {
				hits = 0
			}
		}
	}
	if rate := float64(hits) / 1800; rate < 0.95 {
		t.Errorf("hit rate %.3f after the tokens have changed, want 0.95", rate)
	}
	c.check(t)
}
