package tokencache

import (
	"strings"
	"testing"
)

// TestSame: texts of every length up to two steps, each with every single bit
// changed.
func TestSame(t *testing.T) {
	text := token(1)
	for size := range 80 {
		a := text[:size]
		if !same(a, strings.Clone(a)) || same(a, a+"x") || same(a+"x", a) {
			t.Fatalf("%d bytes: not the same as itself, or as a longer one", size)
		}
		b := []byte(a)
		for i := range b {
			for bit := range 8 {
				b[i] ^= 1 << bit
				if same(a, string(b)) || same(string(b), a) {
					t.Fatalf("%d bytes, bit %d of byte %d: the same as another", size, bit, i)
				}
				b[i] ^= 1 << bit
			}
		}
	}
	for i := range len(text) - 50 { // at no multiple of a word
		if !same(text[i:], strings.Clone(text[i:])) || i > 0 && same(text[i:], text[:len(text)-i]) {
			t.Fatalf("from byte %d on: wrong", i)
		}
	}
	if !same("", "") {
		t.Error("nothing is not nothing")
	}
}

func FuzzSame(f *testing.F) {
	f.Add(token(1), token(1))
	f.Add(token(1), token(2))
	f.Add("", "a")
	f.Fuzz(func(t *testing.T, a, b string) {
		if same(a, b) != (a == b) || !same(a, strings.Clone(a)) {
			t.Errorf("same(%q, %q) is %v", a, b, same(a, b))
		}
	})
}
