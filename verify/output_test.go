package verify_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

// TestHeaderValue has what becomes of a claim, plain and percent-encoded; "" is
// no header.
func TestHeaderValue(t *testing.T) {
	long := strings.Repeat("x", verify.MaxHeaderValueBytes)
	for _, c := range []struct {
		name, claim    string // JSON
		plain, percent string
	}{
		{"text", `"abc"`, "abc", "abc"},
		{"text with a space", `"a b"`, "a b", "a%20b"},
		{"text with separators", `"a;c=\"d\""`, `a;c="d"`, "a%3Bc%3D%22d%22"},
		{"text that a list would be", `"user,admin"`, "", "user%2Cadmin"},
		{"text that a list of lists would be", `"[[1]]"`, "", "%5B%5B1%5D%5D"},
		{"text that an object would be", `"{\"a\":1}"`, "", "%7B%22a%22%3A1%7D"},
		{"text with brackets inside", `"a[1]{2}"`, "a[1]{2}", "a%5B1%5D%7B2%7D"},
		{"what no URL escapes", `"AZaz09-._~"`, "AZaz09-._~", "AZaz09-._~"},
		{"percent sign", `"100%"`, "100%", "100%25"},
		{"the first and the last that pass", `"!~"`, "!~", "%21~"},
		{"spaces around", `" a "`, "", "%20a%20"},
		{"a space in front", `" a"`, "", "%20a"},
		{"a space behind", `"a "`, "", "a%20"},
		{"a space alone", `" "`, "", "%20"},
		{"empty text", `""`, "", ""},
		{"line breaks", `"a\r\nx-admin: 1"`, "", "a%0D%0Ax-admin%3A%201"},
		{"line feed", `"a\nb"`, "", "a%0Ab"},
		{"tab", `"a\tb"`, "", "a%09b"},
		{"zero byte", `"a\u0000b"`, "", "a%00b"},
		{"the last control character", `"a\u001fb"`, "", "a%1Fb"},
		{"delete", `"a\u007fb"`, "", "a%7Fb"},
		{"UTF-8", `"Zoë"`, "", "Zo%C3%AB"},
		{"escaped UTF-8", `"\u00e9"`, "", "%C3%A9"},
		{"a letter whose low byte is a line feed", `"\u010a"`, "", "%C4%8A"},
		{"line separator", `"\u2028"`, "", "%E2%80%A8"},
		{"beyond the BMP", `"😀"`, "", "%F0%9F%98%80"},

		{"number", `1`, "1", "1"}, {"zero", `0`, "0", "0"},
		{"number as spelled", `-1.50e+3`, "-1.50e+3", "-1.50e%2B3"},
		{"number beyond a float64", `12345678901234567890`, "12345678901234567890", "12345678901234567890"},
		{"true", `true`, "true", "true"}, {"false", `false`, "false", "false"}, {"null", `null`, "", ""}, {"nothing", ``, "", ""},

		{"list", `["a","b"]`, "a,b", "a,b"},
		{"list of one", `["a"]`, "a", "a"},
		{"list of all that is flat", `[ "a", 1.0 , true,false]`, "a,1.0,true,false", "a,1.0,true,false"},
		{"list with spaces inside", `["read orders","write orders"]`, "read orders,write orders", "read%20orders,write%20orders"},
		{"list with a comma in an element", `["a,b","c"]`, "", "a%2Cb,c"},
		{"list of a comma", `[","]`, "", "%2C"},
		{"list that a list of lists would be", `["[[1]","[2]]"]`, "", "%5B%5B1%5D,%5B2%5D%5D"},
		{"list that an object would be", `["{\"a\":1}"]`, "", "%7B%22a%22%3A1%7D"},
		{"list with an empty element", `["a","","b"]`, "", ""},
		{"list of an empty element", `[""]`, "", ""},
		{"list with an empty end", `["a",""]`, "", ""},
		{"list with a space in front of an element", `["a"," b"]`, "", "a,%20b"},
		{"list with a space behind an element", `["a ","b"]`, "", "a%20,b"},
		{"list with a line break", `["a\nb","c"]`, "", "a%0Ab,c"},
		{"list with UTF-8", `["é","c"]`, "", "%C3%A9,c"},
		{"empty list", `[]`, "", ""},

		{"object", `{"a":1}`, `{"a":1}`, "{%22a%22%3A1%7D"},
		{"object with spaces", `{ "a": [1, null] }`, `{ "a": [1, null] }`, "{%20%22a%22%3A%20%5B1%2C%20null%5D%20%7D"},
		{"object with a line break", "{\"a\":\n1}", "", "{%22a%22%3A%0A1%7D"},
		{"object with UTF-8", `{"é":1}`, "", "{%22%C3%A9%22%3A1%7D"},
		{"object with escaped UTF-8", `{"\u00e9":1}`, `{"\u00e9":1}`, `{%22%5Cu00e9%22%3A1%7D`},
		{"empty object", `{}`, "{}", "{%7D"},
		{"list with null", `["a",null]`, `["a",null]`, "[%22a%22%2Cnull%5D"},
		{"list of lists", `[["a,b"],["c"]]`, `[["a,b"],["c"]]`, "[%5B%22a%2Cb%22%5D%2C%5B%22c%22%5D%5D"},
		{"list of objects", `["",{"a":""}]`, `["",{"a":""}]`, "[%22%22%2C%7B%22a%22%3A%22%22%7D%5D"},

		{"as long as may be", `"` + long + `"`, long, long},
		{"a byte longer", `"` + long + `x"`, "", ""},
		{"longer by its escapes only", `"` + long[1:] + ` y"`, "", ""},
		{"a list longer by its comma only", `["` + long[1:] + `",1]`, "", ""},
		{"a list as long as may be", `["` + long[2:] + `",1]`, long[2:] + ",1", long[2:] + ",1"},
	} {
		claim := parseClaim(t, c.claim)
		for encoding, want := range map[verify.Encoding]string{verify.Plain: c.plain, verify.Percent: c.percent} {
			value, err := verify.HeaderValue(&claim, encoding)
			if value != want || (err == nil) != (want != "") {
				t.Errorf("%s, encoding %d: HeaderValue(%.40s) = %.80q, %v; want %.80q", c.name, encoding, c.claim, value, err, want)
			}
		}
		// The percent-encoded elements of a list are its elements.
		if claim.Kind == strictjson.Array && c.percent != "" && c.percent[0] != '[' {
			for i, element := range strings.Split(c.percent, ",") {
				text, err := url.PathUnescape(element)
				if child := claim.Children[i]; err != nil || text != child.Text && text != child.Raw {
					t.Errorf("%s: element %d is %q (%v)", c.name, i, text, err)
				}
			}
		}
	}
}

func TestHeaderValueBase64URL(t *testing.T) {
	fits := verify.MaxHeaderValueBytes / 4 * 3
	for _, c := range []struct{ name, claim, text string }{
		{"text", `"Zo\u00eb"`, "Zoë"}, {"control characters", `"\u0000\n"`, "\x00\n"}, {"spaces", `" "`, " "},
		{"number", `-1.50e+3`, "-1.50e+3"}, {"true", `true`, "true"},
		{"list", `["a", "b,c",""]`, `["a", "b,c",""]`}, {"empty list", `[]`, `[]`}, {"list of one", `["a"]`, `["a"]`},
		{"object", "{\"é\":\n[]}", "{\"é\":\n[]}"}, {"empty object", `{}`, `{}`},
		{"null", `null`, ""}, {"nothing", ``, ""}, {"empty text", `""`, ""},
		{"text that a list would be", `"[\"user\"]"`, ""}, {"text that an object would be", `"{}"`, ""}, {"text with a comma", `"a,b"`, "a,b"},
		{"as long as may be", `"` + strings.Repeat("x", fits) + `"`, strings.Repeat("x", fits)},
		{"a byte longer", `"` + strings.Repeat("x", fits+1) + `"`, ""},
	} {
		claim := parseClaim(t, c.claim)
		value, err := verify.HeaderValue(&claim, verify.Base64URL)
		if want := base64.RawURLEncoding.EncodeToString([]byte(c.text)); value != want || (err == nil) != (want != "") {
			t.Errorf("%s: HeaderValue(%.40s) = %.80q, %v; want %.80q", c.name, c.claim, value, err, want)
		}
	}
}

// parseClaim gives the value of a JSON text; that of no text is none.
func parseClaim(t *testing.T, text string) strictjson.Value {
	t.Helper()
	claim, err := strictjson.Parse(text, strictjson.Limits{Bytes: 1 << 20, Depth: 9, Values: 99})
	if err != nil && text != "" {
		t.Fatalf("%.40s: %v", text, err)
	}
	return claim
}

// TestHeaderValueIsOfOneClaim: claims of which an API would make something else give
// no two the same value, in no encoding.
func TestHeaderValueIsOfOneClaim(t *testing.T) {
	// A text stands for a number or truth that is spelled alike, and a list of one for
	// its element: their meaning is the same.
	claims := []string{`"user"`, `"user,admin"`, `["user","admin"]`, `["user",["admin"]]`, `[["user","admin"]]`, `"[[\"user\",\"admin\"]]"`,
		`["[[\"user\"","\"admin\"]]"]`, `"[\"user\",\"admin\"]"`, `["[\"user\"","\"admin\"]"]`, `{"user":"admin"}`, `"{\"user\":\"admin\"}"`,
		`{"a":1,"b":2}`, `["{\"a\":1","\"b\":2}"]`, `"%75ser"`, `"user%2Cadmin"`, `[1,2]`, `"1,2"`, `"[1,2]"`, `[[1,2]]`, `[]`, `"[]"`, `{}`, `"{}"`, `null`, `"null"`, `[null]`, `"[null]"`}
	for _, encoding := range []verify.Encoding{verify.Plain, verify.Percent, verify.Base64URL} {
		by := map[string]string{}
		for _, text := range claims {
			claim := parseClaim(t, text)
			value, err := verify.HeaderValue(&claim, encoding)
			if other, taken := by[value]; err == nil && taken {
				t.Errorf("encoding %d: %s and %s are both %q", encoding, other, text, value)
			}
			if err == nil {
				by[value] = text
			}
		}
		if len(by) < 10 {
			t.Errorf("encoding %d: only %d claims have a value", encoding, len(by))
		}
	}
}

// TestHeaderValueErrors: why a claim is left out is said.
func TestHeaderValueErrors(t *testing.T) {
	long := `"` + strings.Repeat("x", verify.MaxHeaderValueBytes+1) + `"`
	for _, c := range []struct {
		name, claim              string
		plain, percent, base64ed error
	}{
		{"null", `null`, verify.ErrEmpty, verify.ErrEmpty, verify.ErrEmpty},
		{"empty text", `""`, verify.ErrEmpty, verify.ErrEmpty, verify.ErrEmpty},
		{"empty list", `[]`, verify.ErrEmpty, verify.ErrEmpty, nil},
		{"list with an empty element", `["a",""]`, verify.ErrEmpty, verify.ErrEmpty, nil},
		{"too long", long, verify.ErrLong, verify.ErrLong, verify.ErrLong},
		{"not ASCII", `"Zoë"`, verify.ErrNotPrintable, nil, nil},
		{"a line break", `"a\nb"`, verify.ErrNotPrintable, nil, nil},
		{"a space at the end", `"a "`, verify.ErrNotPrintable, nil, nil},
		{"list, a space at the end of an element", `["a ","b"]`, verify.ErrNotPrintable, nil, nil},
		{"list, not ASCII", `["é"]`, verify.ErrNotPrintable, nil, nil},
		{"text that a list could make", `"a,b"`, verify.ErrTwoMeanings, nil, nil},
		{"text that an object could make", `"{}"`, verify.ErrTwoMeanings, nil, verify.ErrTwoMeanings},
		{"list that a longer list could make", `["a,b"]`, verify.ErrTwoMeanings, nil, nil},
		{"text", `"a"`, nil, nil, nil},
	} {
		claim := parseClaim(t, c.claim)
		for encoding, want := range []error{c.plain, c.percent, c.base64ed} {
			if value, err := verify.HeaderValue(&claim, verify.Encoding(encoding)); err != want || (value == "") != (want != nil) {
				t.Errorf("%s, encoding %d: %.40q, %v; want %v", c.name, encoding, value, err, want)
			}
		}
	}
}
