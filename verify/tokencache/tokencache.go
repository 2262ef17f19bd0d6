// Package tokencache remembers what is known of tokens that were seen before, so
// that neither is parsed nor verified again what was verified once.
//
// A Cache maps the text of a token to a value of the caller's. It is found by a
// few bytes of the token's end and believed only after every byte of it was
// compared: there is no digest that two tokens could share. What the value means
// and for how long it holds is the caller's business: the cache knows no clock,
// no keys and no rules. Whoever asks it checks exp, key and route again at each
// hit, and calls Remove for what no longer holds.
//
// Only what an issuer has signed may be put into a cache of verified tokens. A
// second one, small and apart, may remember bad signatures: what strangers send
// then competes with what strangers send.
//
// # Eviction
//
// S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP
// 2023): a newcomer enters a small queue, a tenth of the room, and gets into the
// main queue only if it is asked for again before it reaches the end. So
// tokens that are used once, however many, push out one another and not those
// that come again and again. Those that left the small queue unasked are
// remembered by four bytes each for a while; if they come back they go straight
// to the main queue. A hit moves nothing: it counts up to three.
//
// Libraries do the same. Of those at hand golang-lru (its 2Q) has no bound in bytes,
// and otter does not build for Wasm.
//
// The files: tokencache.go is what callers use, index.go finds, queue.go says who
// has to leave.
package tokencache

// tailBytes is how much of a token's end finds it: 48 bits of signature.
const tailBytes = 8

// skippedBytes are left out at the very end, where base64url has spare bits.
const skippedBytes = 1

// Overhead is what an entry takes besides the token's text and its value, in
// bytes.
const Overhead = 112

// Cache maps tokens to values of type V, usually a pointer. It is bounded in
// entries and in bytes, takes memory only as it fills, and allocates nothing for
// a Get. It is not safe for concurrent use. The methods of a nil Cache find and
// keep nothing.
type Cache[V any] struct {
	maxEntries, maxBytes int

	multiplier uint64      // of the index's hash: odd, random
	index      []*entry[V] // chains by hash; a power of two
	shift      uint        // 64 less the index's bits

	small, main queue[V]
	ghosts      []uint32 // tails of those that left the small queue unasked
}

// entry is one token. It stands in one chain of the index and in one queue.
type entry[V any] struct {
	token string
	value V
	tail  uint64
	size  int   // bytes, as Put counts them
	hits  uint8 // since it was last looked at for eviction; at most maxHits
	main  bool  // which queue it stands in

	chain          *entry[V] // the next of its bucket
	older, younger *entry[V] // its neighbours in the queue
}

// New makes a cache of at most that many entries and bytes, counted as Put says.
// With fewer than one of either it is nil, which is a cache that keeps nothing.
// seed is random: who could guess it might choose tokens that are slow to find.
func New[V any](entries, bytes int, seed uint64) *Cache[V] {
	if entries < 1 || bytes < 1 {
		return nil
	}
	return &Cache[V]{maxEntries: entries, maxBytes: bytes, multiplier: seed | 1}
}

// Len is the number of tokens in the cache.
func (c *Cache[V]) Len() int {
	if c == nil {
		return 0
	}
	return c.small.entries + c.main.entries
}

// Bytes is what they take, as Put counts it.
func (c *Cache[V]) Bytes() int {
	if c == nil {
		return 0
	}
	return c.small.bytes + c.main.bytes
}

// Get gives the value that was put for this very token. The token may lie in a
// buffer that is overwritten later.
func (c *Cache[V]) Get(token string) (value V, ok bool) {
	if c == nil || len(token) < tailBytes+skippedBytes {
		return value, false
	}
	e := c.find(tailOf(token))
	if e == nil || !same(e.token, token) {
		return value, false
	}
	if e.hits < maxHits {
		e.hits++
	}
	return e.value, true
}

// Put keeps a value for a token, in place of any that was there. bytes is what
// the value takes beyond Overhead and the token's text; what is larger than a
// tenth of the whole cache is not kept. The token is kept as it is handed over:
// it must be a string of its own, not a part of a larger one.
//
// Of tokens that share their last bytes one is kept, the last.
func (c *Cache[V]) Put(token string, value V, bytes int) {
	if c == nil || len(token) < tailBytes+skippedBytes {
		return
	}
	tail := tailOf(token)
	size := Overhead + len(token) + max(bytes, 0)
	e := c.find(tail)
	tooLarge := size > c.maxBytes/smallShare
	if e != nil && (e.token != token || tooLarge) {
		c.drop(e)
		e = nil
	}
	switch {
	case tooLarge:
		return
	case e != nil: // where it stands in its queue, it stays
		c.queueOf(e).bytes += size - e.size
		e.value, e.size = value, size
	default:
		c.add(&entry[V]{token: token, value: value, tail: tail, size: size})
	}
	c.evict()
}

// Remove forgets the token.
func (c *Cache[V]) Remove(token string) {
	if c == nil || len(token) < tailBytes+skippedBytes {
		return
	}
	if e := c.find(tailOf(token)); e != nil && e.token == token {
		c.drop(e)
	}
}

// tailOf reads the bytes that find a token.
func tailOf(token string) uint64 {
	t := token[len(token)-tailBytes-skippedBytes:]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}
