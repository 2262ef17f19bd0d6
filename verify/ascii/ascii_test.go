package ascii_test

import (
	"net/url"
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

// TestEscapes compares each pair of bytes behind a percent sign with the
// standard library.
func TestEscapes(t *testing.T) {
	for high := range 256 {
		for low := range 256 {
			s := string([]byte{'%', byte(high), byte(low)})
			want, err := url.PathUnescape(s)
			for _, s := range []string{s, s + "%"} {
				if c, ok := ascii.Unescape(s); ok != (err == nil) || ok && string([]byte{c}) != want {
					t.Fatalf("Unescape(%q) = %q, %v; want %q, %v", s, c, ok, want, err)
				}
			}
		}
	}
	for _, s := range []string{"", "%", "%4", "4", "41", "x%41"} {
		if c, ok := ascii.Unescape(s); ok || c != 0 {
			t.Errorf("Unescape(%q) = %q, %v", s, c, ok)
		}
	}
}

// cgi is the variable that a server of the CGI family makes of a header's name
// (RFC 3875 §4.1.18; nginx and PHP do so for every byte that is neither letter nor
// digit).
func cgi(name string) string {
	if strings.HasPrefix(name, ":") {
		return name
	}
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			return c
		}
		return '_'
	}, strings.ToUpper(name))
}

func TestSameHeader(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"x-tenant", "x-tenant", true}, {"x-tenant", "X-Tenant", true}, {"x-tenant", "x_tenant", true}, {"x-tenant", "x.tenant", true},
		{"x-tenant", "x~tenant", true}, {"x~tenant", "x!TENANT", true}, {"x-tenant", "xtenant", false}, {"x-tenant", "x-tenants", false},
		{"x-tenant", "x-tenan7", false}, {"x-tenant", "x0tenant", false}, {"_method", "-method", true},
		{"_method", ":method", false}, {":method", "_method", false}, {":path", ":path", true}, {":path", ":Path", false}, {"", "", true}, {"", "-", false},
	} {
		if got := ascii.SameHeader(c.a, c.b); got != c.want {
			t.Errorf("SameHeader(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

// TestFoldHeaderOfEveryByte compares the folding with the one of CGI.
func TestFoldHeaderOfEveryByte(t *testing.T) {
	for a := range 128 {
		for b := range 128 {
			x, y := "x"+string(rune(a)), "x"+string(rune(b))
			same := cgi(x) == cgi(y)
			if ascii.SameHeader(x, y) != same || (ascii.FoldHeader(x) == ascii.FoldHeader(y)) != same {
				t.Errorf("%q and %q: SameHeader %v, folded %q and %q; a CGI server says %v", x, y, ascii.SameHeader(x, y), ascii.FoldHeader(x), ascii.FoldHeader(y), same)
			}
		}
	}
}

func FuzzSameHeader(f *testing.F) {
	for _, name := range []string{"x-sub", "X_Sub", "x.sub", "xsub", "", "x-süb", ":path", "_path", "Z-ID", "0-9", "x-sub-"} {
		f.Add(name, "x-sub")
		f.Add("-path", name)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if got, want := ascii.SameHeader(a, b), ascii.FoldHeader(a) == ascii.FoldHeader(b); got != want {
			t.Errorf("%q, %q: %v, and folded %v", a, b, got, want)
		}
		if folded := ascii.FoldHeader(a); ascii.FoldHeader(folded) != folded {
			t.Errorf("%q folds to %q and then to %q", a, folded, ascii.FoldHeader(folded))
		}
	})
}
