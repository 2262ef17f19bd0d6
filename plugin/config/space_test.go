package config

import (
	"testing"
	"unicode"
)

func TestIsSpace(t *testing.T) {
	for c := rune(0); c <= unicode.MaxRune; c++ {
		if want := unicode.IsSpace(c) && !unicode.IsControl(c); isSpace(c) != want {
			t.Errorf("isSpace(%U) = %v", c, !want)
		}
	}
}
