package tokencache

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// token gives a text as long as Auth0's, with its number all over its end.
func token(n int) string {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	b := make([]byte, 700)
	for i := range b {
		b[i] = alphabet[random.IntN(64)]
	}
	return string(b)
}

func tokens(from, to int) []string {
	var all []string
	for n := from; n < to; n++ {
		all = append(all, token(n))
	}
	return all
}

func TestGetPutRemove(t *testing.T) {
	a, b := token(1), token(2)
	sameEnd := "x" + a[1:]
	sameEndShort := a[300:]
	spareBits := a[:len(a)-1] + "!"
	c := New[int](100, 1<<20, rand.Uint64())
	if even := New[int](1, 1, 6); even.multiplier != 7 {
		t.Errorf("multiplier %d for the seed 6", even.multiplier)
	}
	if _, ok := c.Get(a); ok {
		t.Error("an empty cache has something")
	}
	c.Put(a, 1, 0)
	c.Put(b, 2, 50)
	for text, want := range map[string]int{a: 1, b: 2} {
		if got, ok := c.Get(text); !ok || got != want {
			t.Errorf("Get gives %d, %v, want %d", got, ok, want)
		}
	}
	for name, other := range map[string]string{
		"another first byte": sameEnd, "only its end": sameEndShort, "another last byte": spareBits,
		"longer": "x" + a, "empty": "", "a byte": "x", "just its tail": a[len(a)-tailBytes-skippedBytes:],
		"less than a tail": a[len(a)-tailBytes:],
	} {
		if _, ok := c.Get(other); ok {
			t.Errorf("%s: found, and was never put", name)
		}
		c.Remove(other)
	}
	c.Put(token(3), 3, -100) // a caller's mistake
	if c.Bytes() != 3*(Overhead+700)+50 {
		t.Errorf("%d bytes with a value of less than nothing", c.Bytes())
	}
	c.Remove(token(3))
	if c.Len() != 2 || c.Bytes() != 2*(Overhead+700)+50 {
		t.Errorf("%d entries of %d bytes", c.Len(), c.Bytes())
	}
	c.Put(b, 3, 20)
	if got, _ := c.Get(b); got != 3 || c.Len() != 2 || c.Bytes() != 2*(Overhead+700)+20 {
		t.Errorf("after a second Put: %d, %d entries of %d bytes", got, c.Len(), c.Bytes())
	}
	c.Remove(a)
	if _, ok := c.Get(a); ok || c.Len() != 1 {
		t.Error("removed, and still there")
	}
	c.Remove(b)
	if c.Len() != 0 || c.Bytes() != 0 {
		t.Errorf("empty, with %d entries of %d bytes", c.Len(), c.Bytes())
	}
}

// TestSameTail: of tokens that only differ before their last bytes one is kept,
// and none is taken for another.
func TestSameTail(t *testing.T) {
	c := New[int](100, 1<<20, rand.Uint64())
	end := token(0)
	var all []string
	for n := range 50 {
		all = append(all, "a."+strconv.Itoa(n)+"."+end)
	}
	for round := range 200 {
		n := rand.IntN(len(all))
		c.Put(all[n], n, 0)
		for other := range all {
			if value, ok := c.Get(all[other]); ok != (other == n) || ok && value != n {
				t.Fatalf("round %d: put %d, Get of %d gives %d, %v", round, n, other, value, ok)
			}
		}
		if c.Len() != 1 {
			t.Fatalf("%d entries with one tail", c.Len())
		}
		c.check(t)
	}
}

func TestNone(t *testing.T) {
	for name, c := range map[string]*Cache[int]{"no entries": New[int](0, 1<<20, 1), "no bytes": New[int](10, 0, 1), "nil": nil} {
		if c != nil {
			t.Errorf("%s: a cache", name)
		}
		c.Put(token(1), 1, 0)
		if _, ok := c.Get(token(1)); ok || c.Len() != 0 || c.Bytes() != 0 {
			t.Errorf("%s: it keeps something", name)
		}
		c.Remove(token(1))
	}
}

func TestTooLarge(t *testing.T) {
	c := New[int](100, 10*(Overhead+700), 1)
	c.Put(token(1), 1, 0) // a tenth exactly
	if _, ok := c.Get(token(1)); !ok {
		t.Error("a tenth of the room is too much")
	}
	c.Put(token(2), 2, 1)
	if _, ok := c.Get(token(2)); ok {
		t.Error("more than a tenth of the room is kept")
	}
	c.Put(token(1), 3, 1)
	if _, ok := c.Get(token(1)); ok {
		t.Error("a value that could not be replaced is still given")
	}
	c.check(t)
}

// TestMemory: the heap grows by no more than the bound, whichever bound it is.
func TestMemory(t *testing.T) {
	heap := func() int {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	type value [512]byte
	for name, bound := range map[string]struct{ entries, bytes int }{
		"bytes": {1 << 20, 8 << 20}, "entries": {5000, 64 << 20},
	} {
		before := heap()
		c := New[*value](bound.entries, bound.bytes, rand.Uint64())
		if empty := heap() - before; empty > 4<<10 {
			t.Errorf("%s: an empty cache takes %d bytes", name, empty)
		}
		for n := range 30_000 {
			text := token(n)
			c.Put(text, new(value), 512)
			if n%3 == 0 {
				c.Get(text)
			}
		}
		if c.Len() > bound.entries || c.Bytes() > bound.bytes {
			t.Errorf("%s: %d entries of %d bytes", name, c.Len(), c.Bytes())
		}
		if c.Len() < bound.entries*9/10 && c.Bytes() < bound.bytes*9/10 {
			t.Errorf("%s: the room is not used: %d entries of %d bytes", name, c.Len(), c.Bytes())
		}
		grown, counted := heap()-before, c.Bytes()
		t.Logf("%s: %d entries, %d bytes counted, the heap grew by %d", name, c.Len(), counted, grown)
		if grown > counted*11/10 {
			t.Errorf("%s: the heap grew by %d bytes for %d counted", name, grown, counted)
		}
		runtime.KeepAlive(c)
	}
}

func TestNoAllocation(t *testing.T) {
	c := New[*int](1000, 1<<20, rand.Uint64())
	there, gone := token(1), token(2)
	c.Put(there, new(int), 0)
	buffer := []byte(there)
	if n := testing.AllocsPerRun(100, func() {
		_, ok := c.Get(string(there))
		_, no := c.Get(gone)
		if !ok || no {
			t.Fatal("not found, or found")
		}
	}); n != 0 {
		t.Errorf("%v allocations for a hit and a miss", n)
	}
	clear(buffer)
	if _, ok := c.Get(there); !ok {
		t.Error("the cache looked into a buffer")
	}
}

func BenchmarkHit(b *testing.B) {
	c := New[*int](10_000, 64<<20, rand.Uint64())
	all := tokens(0, 1000)
	for _, text := range all {
		c.Put(text, new(int), 0)
	}
	asked := make([]string, len(all)) // as they come from the host, elsewhere in memory
	for i := range all {
		asked[i] = strings.Clone(all[i])
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, ok := c.Get(asked[i%len(asked)]); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkMiss(b *testing.B) {
	c := New[*int](10_000, 64<<20, rand.Uint64())
	for _, text := range tokens(0, 1000) {
		c.Put(text, new(int), 0)
	}
	asked := tokens(1000, 2000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, ok := c.Get(asked[i%len(asked)]); ok {
			b.Fatal("found")
		}
	}
}

func BenchmarkPutEvicting(b *testing.B) {
	c := New[*int](1000, 64<<20, rand.Uint64())
	all, value := tokens(0, 10_000), new(int)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Put(all[i%len(all)], value, 0)
	}
}
