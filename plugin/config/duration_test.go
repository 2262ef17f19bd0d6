package config

import (
	"strings"
	"testing"
	"time"
)

var durations = []string{
	"", "0", "+0", "-0", "00", "1", "-", "+", ".", "s", ".s", "-.s", "0s", "60s", "1h30m", "1.5s", ".5s", "5.s", "1.5.5s", "1..5s",
	"-1s", "+1s", "--1s", "1 s", " 1s", "1s ", "1S", "1d", "1sm", "1s1", "1m1h", "1us", "1µs", "1μs", "1ns", "1ms", "1h1m1s1ms1us1ns",
	"0.1001s", "0.3333333333333333333h", "0.9223372036854775807h", "0.100000000000000000000h", "0.000000000000000000001h",
	"9223372036854775807ns", "9223372036854775808ns", "-9223372036854775808ns", "-9223372036854775809ns",
	"9223372036854775.807us", "9223372036854775.808us", "2562047h47m16.854775807s", "2562047h47m16.854775808s", "2562048h",
	"99999999999999999999ns", "18446744073709551616s",
	"1\xb5s", "１s", "1e3s", "0x1s", "1_0s", "\x001s",
}

// agree demands what time.ParseDuration says.
func agree(t *testing.T, s string) {
	t.Helper()
	want, err := time.ParseDuration(s)
	if got, ok := parseDuration(s); ok != (err == nil) || ok && (got-want).Abs() > 1 || ok && !strings.Contains(s, ".") && got != want {
		t.Errorf("parseDuration(%q) = %v, %v; want %v, %v", s, got, ok, want, err)
	}
}

func TestParseDuration(t *testing.T) {
	for _, s := range durations {
		agree(t, s)
	}
	// The standard library calls this sum, which overflows to nothing, 0s.
	if d, ok := parseDuration("9223372036854775808ns9223372036854775808ns"); ok {
		t.Errorf("twice the longest is %v", d)
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range durations {
		f.Add(s)
	}
	f.Fuzz(agree)
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Millisecond: "1ms", 100 * time.Millisecond: "100ms", 100100 * time.Microsecond: "100.1ms",
		time.Second: "1s", 1500 * time.Millisecond: "1.5s", time.Second + 1: "1.000000001s", 59 * time.Second: "59s",
		time.Minute: "1m", 61 * time.Second: "1m1s", time.Minute + 10*time.Millisecond: "1m0.01s", 10 * time.Minute: "10m",
		time.Hour: "1h", time.Hour + time.Second: "1h0m1s", 90 * time.Minute: "1h30m", 24*time.Hour + 61*time.Second: "24h1m1s",
		30 * 24 * time.Hour: "720h",
	} {
		if got := short(d); got != want || !strings.HasPrefix(d.String(), want) {
			t.Errorf("short(%v) = %s; want %s", d, got, want)
		}
	}
}
