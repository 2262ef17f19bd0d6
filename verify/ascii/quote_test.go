package ascii_test

import (
	"strconv"
	"testing"
	"unicode/utf8"

	"edgejwt/verify/ascii"
)

func TestQuote(t *testing.T) {
	check := func(s string) {
		t.Helper()
		if got, want := ascii.Quote(s), strconv.QuoteToASCII(s); got != want {
			t.Errorf("Quote = %s, want %s", got, want)
		}
	}
	check("")
	check("a \"b\"\\\n\xff\xc3")
	for b := range 256 {
		check(string([]byte{byte(b)}))
	}
	for r := rune(0); r <= utf8.MaxRune; r += 1 + r/300 {
		check("a" + string(r) + "b")
	}
}

func FuzzQuote(f *testing.F) {
	f.Add("kid \u202e\x00\xf0\x9f\x98\x80")
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := ascii.Quote(s), strconv.QuoteToASCII(s); got != want {
			t.Errorf("Quote = %s, want %s", got, want)
		}
	})
}
