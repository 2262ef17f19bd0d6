package strictjson_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"edgejwt/verify/strictjson"
)

var numbers = []string{
	"0", "-0", "0.0", "-0.0e5", "0e999", "0e-999", "1", "-1", "1.5", "-1.5", "1700000000", "1700000000.5", "1700000000.123456",
	"1.7e9", "17e8", "1.7E+9", "17000000000e-1", "0.17e10", "-1700000000.25", "253402300799.999",
	"9007199254740991", "9007199254740992", "9007199254740993", "9007199254740994", "-9007199254740993",
	"99999999999999999", "100000000000000000", "999999999999999999", "1e22", "123456789012345e22", "123456789012345e-22", "1e-22",
	"9007199254740992.0", "9007199254740992.5", "9007199254740993.5", "900719925474099.25",
	"1e23", "1e308", "-1e308", "1e309", "-1e309", "1e400", "1e999", "1e99999999999999999999", "1e-99999999999999999999", "5e-324", "1e-400", "1e-320",
	"9999999999999999999", "12345678901234567890123456789", "0.00000000000000000000000000000001", "1.000000000000000000000000000000000001e5",
	"1" + strings.Repeat("0", 308), "1" + strings.Repeat("0", 400), "0." + strings.Repeat("0", 400) + "1", "1" + strings.Repeat("0", 400) + "e-400",
}

// TestNumbers: a number is what strconv.ParseFloat makes of it, also among others.
func TestNumbers(t *testing.T) {
	for _, text := range numbers {
		want, _ := strconv.ParseFloat(text, 64)
		v, err := strictjson.Parse("["+text+","+text+" ,{\"a\":"+text+"}]", wideLimits)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, got := range []strictjson.Value{v.Children[0], v.Children[1], v.Children[2].Children[0]} {
			if got.Num != want || math.Signbit(got.Num) != math.Signbit(want) || got.Raw != text {
				t.Errorf("%s is %v, spelt %s; want %v", text, got.Num, got.Raw, want)
			}
		}
	}
}
