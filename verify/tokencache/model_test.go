package tokencache

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// check walks the whole cache and asserts that index, queues and counts agree.
func (c *Cache[V]) check(t testing.TB) {
	t.Helper()
	if c == nil {
		return
	}
	seen := map[*entry[V]]bool{}
	for name, q := range map[string]*queue[V]{"small": &c.small, "main": &c.main} {
		var entries, bytes int
		var last *entry[V]
		for e := q.oldest; e != nil; e = e.younger {
			if e.older != last || e.main != (name == "main") || seen[e] || c.find(e.tail) != e || e.hits > maxHits {
				t.Fatalf("%s queue: an entry is out of place", name)
			}
			seen[e] = true
			entries, bytes, last = entries+1, bytes+e.size, e
		}
		if q.youngest != last || entries != q.entries || bytes != q.bytes {
			t.Fatalf("%s queue: %d entries of %d bytes, counted %d of %d", name, entries, bytes, q.entries, q.bytes)
		}
	}
	inIndex := 0
	for _, e := range c.index {
		for ; e != nil; e = e.chain {
			inIndex++
			if !seen[e] {
				t.Fatal("the index has an entry that no queue has")
			}
		}
	}
	if inIndex > len(c.index) {
		t.Fatalf("%d entries in %d chains", inIndex, len(c.index))
	}
	if inIndex != len(seen) || c.Len() > c.maxEntries || c.Bytes() > c.maxBytes {
		t.Fatalf("%d in the index, %d in the queues; %d entries of %d bytes, bounds %d and %d",
			inIndex, len(seen), c.Len(), c.Bytes(), c.maxEntries, c.maxBytes)
	}
}

// model is a map that never forgets by itself; what it does not have must not be
// in the cache, and what it has may be.
type model struct {
	values map[string]int
	byTail map[uint64]string
	stamp  int
}

// play runs operations, three bytes each, on a cache and on the model.
func play(t testing.TB, entries, bytes int, seed uint64, operations []byte) {
	c := New[int](entries, bytes, seed)
	m := model{map[string]int{}, map[uint64]string{}, 0}
	everything := entries >= 1<<20 // then nothing is evicted
	for ; len(operations) >= 3; operations = operations[3:] {
		// Few tails and several texts for each, so that they meet.
		text := strings.Repeat("h", int(operations[1]%8)) + ".payload." + strings.Repeat(string('A'+operations[2]%32), 10)
		switch operations[0] % 4 {
		case 0:
			m.stamp++
			tail := tailOf(text)
			delete(m.values, m.byTail[tail])
			size := int(operations[0]) * 4
			c.Put(text, m.stamp, size)
			if c != nil && Overhead+len(text)+size <= bytes/smallShare {
				m.values[text], m.byTail[tail] = m.stamp, text
			}
		case 1, 2:
			value, ok := c.Get(text)
			if want, there := m.values[text]; ok && (!there || value != want) || everything && ok != there {
				t.Fatalf("Get gives %d, %v, want %d, %v", value, ok, want, there)
			}
		case 3:
			c.Remove(text)
			delete(m.values, text)
			if _, ok := c.Get(text); ok {
				t.Fatal("removed, and still there")
			}
		}
		c.check(t)
	}
}

func TestModel(t *testing.T) {
	for name, bound := range map[string]struct{ entries, bytes int }{
		"one entry": {1, 1 << 20}, "two entries": {2, 1 << 20}, "ten entries": {10, 1 << 20}, "hundred entries": {100, 1 << 20},
		"few bytes": {100, 12_000}, "room for all": {1 << 20, 1 << 30}, "none": {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 {
				operations := make([]byte, 3*1000)
				for i := range operations {
					operations[i] = byte(rand.Uint32())
				}
				play(t, bound.entries, bound.bytes, rand.Uint64(), operations)
			}
		})
	}
}

func FuzzModel(f *testing.F) {
	f.Add(uint8(1), uint16(1<<15), uint64(1), []byte{0, 0, 0, 1, 0, 0, 0, 1, 0, 3, 0, 0})
	f.Add(uint8(20), uint16(1<<14), uint64(0x9e3779b97f4a7c15), []byte{0, 0, 1, 0, 0, 2, 0, 0, 3, 1, 0, 1, 1, 0, 2, 0, 0, 4})
	f.Add(uint8(0), uint16(0), uint64(0), []byte{0, 0, 0})
	f.Fuzz(func(t *testing.T, entries uint8, bytes uint16, seed uint64, operations []byte) {
		if len(operations) > 3000 {
			operations = operations[:3000]
		}
		play(t, int(entries), int(bytes), seed, operations)
	})
}
