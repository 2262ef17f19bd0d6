package config

import (
	"strings"
	"testing"
	"time"
)

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
