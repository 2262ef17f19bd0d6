package config

import "testing"

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
