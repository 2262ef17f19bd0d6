package ascii_test

import (
	"net/url"
	"testing"

	"edgejwt/verify/ascii"
)

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
	for c := range 256 {
		if got, ok := ascii.Unescape(string(ascii.AppendEscape(nil, byte(c)))); !ok || got != byte(c) {
			t.Errorf("AppendEscape(%#x) does not come back", c)
		}
	}
	if got := string(ascii.AppendEscape([]byte("a"), 0xaf)); got != "a%AF" {
		t.Errorf("AppendEscape gives %q", got)
	}
}
