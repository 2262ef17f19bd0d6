package config

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Millisecond: "1ms", 100 * time.Millisecond: "100ms", 100100 * time.Microsecond: "100.1ms",
		time.Second: "1s", 1500 * time.Millisecond: "1.5s", time.Second + 1: "1.000000001s", 59 * time.Second: "59s",
		time.Minute: "1m", 61 * time.Second: "1m1s", time.Minute + 10*time.Millisecond: "1m0.01s", 10 * time.Minute: "10m",
		time.Hour: "1h", time.Hour + time.Second: "1h0m1s", 90 * time.Minute: "1h30m", 24*time.Hour + 61*time.Second: "24h1m1s",
		30 * 24 * time.Hour: "720h",
	} {
		if got := FormatDuration(d); got != want || !strings.HasPrefix(d.String(), want) {
			t.Errorf("FormatDuration(%v) = %s; want %s", d, got, want)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for _, c := range []struct {
		text  string
		units bool
		want  int64 // -1: none
	}{
		{"0", false, 0}, {"10", false, 10}, {"007", true, 7}, {"1125899906842624", true, 1 << 50}, {"1125899906842625", true, -1},
		{"", true, -1}, {"Ki", true, -1}, {"1Ki", false, -1}, {"1Ki", true, 1 << 10}, {"16Mi", true, 16 << 20}, {"3Gi", true, 3 << 30},
		{"1k", true, -1}, {"1KiB", true, -1}, {"1 Ki", true, -1}, {"1.5Mi", true, -1}, {"-1", true, -1}, {"+1", true, -1}, {"1e3", true, -1},
		{"1099511627776Ki", true, 1 << 50}, {"1099511627777Ki", true, -1}, {"1125899906842624Mi", true, -1}, {"1073741824Gi", true, -1}, {"99999999999999999999999", true, -1},
	} {
		if n, ok := parseBytes(c.text, c.units); ok != (c.want >= 0) || ok && n != c.want {
			t.Errorf("parseBytes(%q, %v) = %d, %v", c.text, c.units, n, ok)
		}
	}
	for n, want := range map[int64]string{0: "0", 1: "1", 1023: "1023", 1024: "1Ki", 64 << 10: "64Ki", 1 << 30: "1Gi", 1 << 40: "1024Gi", 1500: "1500"} {
		if got := inBytes(n, Bytes); got != want {
			t.Errorf("inBytes(%d) = %s", n, got)
		}
	}
	if got := inBytes(1024, Count); got != "1024" {
		t.Errorf("a count of 1024 is %s", got)
	}
}

func TestIsPrintable(t *testing.T) {
	for c := rune(0); c <= unicode.MaxRune; c++ {
		if want := !unicode.IsControl(c); isPrintable("a"+string(c)+"a") != want {
			t.Errorf("isPrintable with %U inside: %v", c, !want)
		}
		want := !unicode.IsControl(c) && !unicode.IsSpace(c)
		for _, s := range []string{string(c), string(c) + "a", "a" + string(c)} {
			if isPrintable(s) != want {
				t.Errorf("isPrintable(%q) = %v", s, !want)
			}
		}
	}
}
