package authz

import "github.com/hashicorp/golang-lru/v2/simplelru"

// cache remembers values by the whole text of a token, bounded in entries and in
// bytes. What was not asked for the longest goes first. A nil cache remembers
// nothing.
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
	c.lru, _ = simplelru.NewLRU(maxEntries, func(_ string, e cacheEntry[V]) { c.bytes -= e.bytes }) // fails for a size under 1 only
	return c
}

func (c *cache[V]) get(token string) (value V, ok bool) {
	if c == nil {
		return value, false
	}
	e, ok := c.lru.Get(token)
	return e.value, ok
}

// put remembers a value, which takes so many bytes besides the token. It holds on to
// the token's text.
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
