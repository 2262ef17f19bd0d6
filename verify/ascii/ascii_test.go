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
