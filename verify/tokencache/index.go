package tokencache

// leastBuckets is how many chains an index starts with.
const leastBuckets = 16

// hash is multiply-shift hashing, of which the upper bits count: with a random
// odd multiplier two tails fall into one of n buckets with a probability of at
// most 2/n (Dietzfelbinger et al., 1997), whoever has chosen them.
func (c *Cache[V]) hash(tail uint64) uint64 { return tail * c.multiplier }

func (c *Cache[V]) bucket(tail uint64) *(*entry[V]) { return &c.index[c.hash(tail)>>c.shift] }

// find gives the one entry with this tail, or nil.
func (c *Cache[V]) find(tail uint64) *entry[V] {
	if len(c.index) == 0 {
		return nil
	}
	e := *c.bucket(tail)
	for e != nil && e.tail != tail {
		e = e.chain
	}
	return e
}

// add takes an entry in whose tail is not there yet.
func (c *Cache[V]) add(e *entry[V]) {
	if c.Len() >= len(c.index) {
		c.grow()
	}
	bucket := c.bucket(e.tail)
	e.chain, *bucket = *bucket, e
	e.main = c.returns(e.tail)
	c.queueOf(e).push(e)
}

// drop forgets an entry.
func (c *Cache[V]) drop(e *entry[V]) {
	c.queueOf(e).unlink(e)
	at := c.bucket(e.tail)
	for *at != e {
		at = &(*at).chain
	}
	*at = e.chain
}

// grow doubles the number of buckets, so that chains stay about one long.
func (c *Cache[V]) grow() {
	old := c.index
	size := max(leastBuckets, 2*len(old))
	c.index = make([]*entry[V], size)
	c.shift = 64 - log2(size)
	for _, e := range old {
		for e != nil {
			next := e.chain
			bucket := c.bucket(e.tail)
			e.chain, *bucket = *bucket, e
			e = next
		}
	}
}

// log2 is for powers of two.
func log2(n int) (bits uint) {
	for n > 1 {
		n, bits = n/2, bits+1
	}
	return bits
}
