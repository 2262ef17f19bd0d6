package tokencache

const (
	// smallShare is the part of the room, one in so many, that newcomers have.
	smallShare = 10
	// maxHits bounds how long a token that is no longer used lives on.
	maxHits = 3
	// ghostShare is how many ghosts there are for each entry.
	ghostShare = 2
	// usualSize is about what an entry takes, in bytes.
	usualSize = 1024
)

// queue holds entries in the order in which they came.
type queue[V any] struct {
	oldest, youngest *entry[V]
	entries, bytes   int
}

func (q *queue[V]) push(e *entry[V]) {
	e.older, e.younger = q.youngest, nil
	if q.youngest != nil {
		q.youngest.younger = e
	} else {
		q.oldest = e
	}
	q.youngest = e
	q.entries++
	q.bytes += e.size
}

func (q *queue[V]) unlink(e *entry[V]) {
	if e.older != nil {
		e.older.younger = e.younger
	} else {
		q.oldest = e.younger
	}
	if e.younger != nil {
		e.younger.older = e.older
	} else {
		q.youngest = e.older
	}
	e.older, e.younger = nil, nil
	q.entries--
	q.bytes -= e.size
}

func (c *Cache[V]) queueOf(e *entry[V]) *queue[V] {
	if e.main {
		return &c.main
	}
	return &c.small
}

// evict makes room until both bounds hold. Each step drops an entry, or takes
// hits from one, so it ends. While the small queue keeps to its share the main
// one is not empty.
func (c *Cache[V]) evict() {
	for c.Len() > c.maxEntries || c.Bytes() > c.maxBytes {
		if c.small.entries*smallShare > c.maxEntries || c.small.bytes*smallShare > c.maxBytes {
			c.evictSmall()
		} else {
			c.evictMain()
		}
	}
}

// evictSmall lets the oldest newcomer into the main queue, if it was asked for.
func (c *Cache[V]) evictSmall() {
	e := c.small.oldest
	if e.hits == 0 {
		c.drop(e)
		c.leave(e.tail)
		return
	}
	c.small.unlink(e)
	e.hits, e.main = 0, true
	c.main.push(e)
}

// evictMain drops the oldest, or lets it go round once more for each hit.
func (c *Cache[V]) evictMain() {
	e := c.main.oldest
	if e.hits == 0 {
		c.drop(e)
		return
	}
	e.hits--
	c.main.unlink(e)
	c.main.push(e)
}

// leave remembers a tail that left the small queue unasked; a later one may
// overwrite it.
func (c *Cache[V]) leave(tail uint64) {
	if c.ghosts == nil {
		size := leastBuckets
		for size < ghostShare*min(c.maxEntries, c.maxBytes/usualSize) {
			size *= 2
		}
		c.ghosts = make([]uint32, size)
	}
	slot, mark := c.ghost(tail)
	*slot = mark
}

// returns reports whether the tail left the small queue a while ago, and forgets
// that. If it errs, a newcomer gets a better place than it has earned.
func (c *Cache[V]) returns(tail uint64) bool {
	if c.ghosts == nil {
		return false
	}
	slot, mark := c.ghost(tail)
	if *slot != mark {
		return false
	}
	*slot = 0
	return true
}

// ghost gives a tail's place among the ghosts and its mark there, never 0.
func (c *Cache[V]) ghost(tail uint64) (slot *uint32, mark uint32) {
	hash := c.hash(tail)
	return &c.ghosts[hash>>(64-log2(len(c.ghosts)))], uint32(hash>>8) | 1
}
