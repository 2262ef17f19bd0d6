package strictjson

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

var numbers = []string{
	"0", "-0", "0.0", "-0.0e5", "0e999", "0e-999", "1", "-1", "1.5", "-1.5", "1700000000", "1700000000.5", "1700000000.123456",
	"1.7e9", "17e8", "1.7E+9", "17000000000e-1", "0.17e10", "-1700000000.25", "253402300799.999",
	"9007199254740991", "9007199254740992", "9007199254740993", "9007199254740994", "-9007199254740993",
	"99999999999999999", "100000000000000000", "999999999999999999", "1e22", "123456789012345e22", "123456789012345e-22", "1e-22",
	"9007199254740992.0", "9007199254740992.5", "9007199254740993.5", "900719925474099.25",
}

var extremes = []string{
	"1e23", "1e308", "-1e308", "1e309", "-1e309", "1e400", "1e999", "1e99999999999999999999", "1e-99999999999999999999", "5e-324", "1e-400", "1e-320",
	"9999999999999999999", "12345678901234567890123456789", "0.00000000000000000000000000000001", "1.000000000000000000000000000000000001e5",
	"1" + strings.Repeat("0", 308), "1" + strings.Repeat("0", 400), "0." + strings.Repeat("0", 400) + "1", "1" + strings.Repeat("0", 400) + "e-400",
}

// near demands the value of strconv.ParseFloat, some units in the last place apart.
func near(t *testing.T, text string) {
	t.Helper()
	want, _ := strconv.ParseFloat(text, 64)
	got := float(text)
	if got == want || math.Abs(got-want) <= math.Abs(want)*1e-14 || math.Abs(got-want) < 1e-300 ||
		math.IsInf(got, 0) && math.Abs(want) > 1e308 && got*want > 0 {
		return
	}
	t.Errorf("float(%s) = %v; want %v", text, got, want)
}

func TestFloat(t *testing.T) {
	for _, text := range numbers {
		want, err := strconv.ParseFloat(text, 64)
		if got := float(text); err != nil || got != want || math.Signbit(got) != math.Signbit(want) {
			t.Errorf("float(%s) = %v; want %v", text, got, want)
		}
	}
	for _, text := range extremes {
		near(t, text)
	}
}

// FuzzFloat tries numbers of all forms.
func FuzzFloat(f *testing.F) {
	for _, text := range append(numbers, extremes...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := Parse(text, Limits{Bytes: 1 << 10, Depth: 1, Values: 1}); err == nil && v.Kind == Number {
			near(t, v.Raw)
		}
	})
}
