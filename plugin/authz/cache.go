package authz

import "github.com/hashicorp/golang-lru/v2/simplelru"

// cache is a least-recently-used cache from the text of a token to a value. It is bounded
// in entries and in bytes. A nil cache is always empty.
type cache[V any] struct {
	lru             *simplelru.LRU[string, cacheEntry[V]]
	bytes, maxBytes int
}

type cacheEntry[V any] struct {
	value V
	bytes int
}

func newCache[V any](maxEntries, maxBytes int) *cache[V] {
	if maxEntries <= 0 {
		return nil
	}
	c := &cache[V]{maxBytes: maxBytes}
	c.lru, _ = simplelru.NewLRU(maxEntries, func(_ string, e cacheEntry[V]) { c.bytes -= e.bytes }) // cannot fail: the size is at least 1
	return c
}

func (c *cache[V]) get(token string) (value V, ok bool) {
	if c == nil {
		return value, false
	}
	e, ok := c.lru.Get(token)
	return e.value, ok
}

// put adds a value. bytes is its size without the token's text, which put keeps.
func (c *cache[V]) put(token string, value V, bytes int) {
	if bytes += len(token); c == nil || bytes > c.maxBytes {
		return
	}
	c.lru.Remove(token)
	c.lru.Add(token, cacheEntry[V]{value, bytes})
	for c.bytes += bytes; c.bytes > c.maxBytes; {
		c.lru.RemoveOldest()
	}
}

func (c *cache[V]) remove(token string) {
	if c != nil {
		c.lru.Remove(token)
	}
}
