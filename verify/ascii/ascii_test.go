package ascii_test

import (
	"strings"
	"testing"

	"edgejwt/verify/ascii"
)

// TestEveryByte compares each pair of bytes with the standard library, which
// agrees on all of ASCII.
func TestEveryByte(t *testing.T) {
	for a := range 256 {
		x := string([]byte{'-', byte(a), 'Z'})
		lower := x[:2] + "z"
		if a < 0x80 {
			lower = strings.ToLower(x)
		}
		if got := ascii.Lower(x); got != lower {
			t.Errorf("Lower(%q) = %q; want %q", x, got, lower)
		}
		for b := range 256 {
			y := string([]byte{'-', byte(b), 'z'})
			equal := a == b || a < 0x80 && b < 0x80 && strings.EqualFold(x, y)
			if got := ascii.EqualFold(x, y); got != equal {
				t.Errorf("EqualFold(%q, %q) = %v", x, y, got)
			}
		}
	}
}

// TestKelvin is where the standard library folds more than HTTP does.
func TestKelvin(t *testing.T) {
	if ascii.EqualFold("\u212a", "k") || ascii.EqualFold("\u212a", "\u212bx") || ascii.Lower("\u212aX") != "\u212ax" {
		t.Error("the Kelvin sign was folded")
	}
	if ascii.EqualFold("a", "ab") || !ascii.EqualFold("", "") || ascii.Lower("") != "" {
		t.Error("lengths")
	}
}

func TestTrimAndCut(t *testing.T) {
	for _, c := range []struct{ s, trimmed, left string }{
		{"", "", ""}, {" \t\r\n", "", ""}, {" a b\t", "a b", "a b\t"}, {"a", "a", "a"},
		{"\u00a0a\v", "\u00a0a\v", "\u00a0a\v"},
	} {
		if ascii.TrimSpace(c.s) != c.trimmed || ascii.TrimLeft(c.s) != c.left {
			t.Errorf("%q: TrimSpace %q, TrimLeft %q", c.s, ascii.TrimSpace(c.s), ascii.TrimLeft(c.s))
		}
	}
	for _, s := range []string{"", "a", "=", "a=", "=b", "a=b=c"} {
		first, rest, found := ascii.Cut(s, '=')
		if f, r, ok := strings.Cut(s, "="); f != first || r != rest || ok != found {
			t.Errorf("Cut(%q) = %q, %q, %v", s, first, rest, found)
		}
	}
}
