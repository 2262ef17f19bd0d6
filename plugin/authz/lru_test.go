package authz

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestCacheBounds: at any time the cache holds no more than its bounds, and what was
// asked for last.
func TestCacheBounds(t *testing.T) {
	const maxEntries, maxBytes = 50, 5000
	c := newCache[int](maxEntries, maxBytes)
	r := rand.New(rand.NewPCG(1, 2))
	kept := map[string]int{}
	for i := range 20000 {
		token := strings.Repeat("t", r.IntN(150)) + fmt.Sprint(r.IntN(200))
		switch r.IntN(5) {
		case 0:
			c.remove(token)
			delete(kept, token)
			if _, ok := c.get(token); ok {
				t.Fatal("a removed token is still there")
			}
		case 1, 2:
			bytes := r.IntN(100)
			c.put(token, i, bytes)
			kept[token] = i
			if value, ok := c.get(token); !ok || value != i {
				t.Fatalf("the token that was put last gives %d, %v", value, ok)
			}
		default:
			if value, ok := c.get(token); ok && value != kept[token] {
				t.Fatalf("%d, want %d", value, kept[token])
			}
		}
		sum := 0
		for _, key := range c.lru.Keys() {
			e, _ := c.lru.Peek(key)
			sum += e.bytes
		}
		if sum != c.bytes || sum > maxBytes || c.lru.Len() > maxEntries {
			t.Fatalf("%d entries with %d bytes, %d counted", c.lru.Len(), sum, c.bytes)
		}
	}
}

// TestCacheOrder: the one that was not asked for the longest goes first.
func TestCacheOrder(t *testing.T) {
	c := newCache[int](2, 1000)
	c.put("a", 1, 0)
	c.put("b", 2, 0)
	c.get("a")
	c.put("c", 3, 0)
	if _, ok := c.get("b"); ok {
		t.Error("b is still there")
	}
	if _, ok := c.get("a"); !ok {
		t.Error("a is gone")
	}
	c.put("d", 4, 2000)
	if _, ok := c.get("d"); ok {
		t.Error("what is larger than the cache was put into it")
	}
	var none *cache[int]
	none.put("a", 1, 0)
	none.remove("a")
	if _, ok := none.get("a"); ok || newCache[int](0, 100) != nil {
		t.Error("no cache remembers something")
	}
}
