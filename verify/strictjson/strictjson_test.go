package strictjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"edgejwt/verify/strictjson"
)

var wideLimits = strictjson.Limits{Bytes: 1 << 16, Depth: 32, Values: 1000}

func TestParse(t *testing.T) {
	cases := []struct {
		name string
		doc  string
		want error
	}{
		{"object", `{"a":1,"b":[true,null,"x"]}`, nil},
		{"scalar", `"x"`, nil},
		{"white space around", " \t\r\n{ } ", nil},
		{"same name in different objects", `{"a":{"b":1},"c":{"b":1},"b":2}`, nil},
		{"surrogate pair", `"\ud83d\ude00"`, nil},
		{"escaped backslash before u", `"\\ud800"`, nil},
		{"escaped quote", `{"a\"b":1,"a":2}`, nil},
		{"depth at the limit", strings.Repeat("[", 32) + strings.Repeat("]", 32), nil},

		{"empty", ``, strictjson.ErrSyntax},
		{"only white space", ` `, strictjson.ErrSyntax},
		{"two values", `{}{}`, strictjson.ErrSyntax},
		{"trailing comma", `{"a":1,}`, strictjson.ErrSyntax},
		{"trailing text", `{"a":1}x`, strictjson.ErrSyntax},
		{"single quotes", `{'a':1}`, strictjson.ErrSyntax},
		{"bare name", `{a:1}`, strictjson.ErrSyntax},
		{"comment", `{"a":1/**/}`, strictjson.ErrSyntax},
		{"leading zero", `{"a":01}`, strictjson.ErrSyntax},
		{"plus sign", `{"a":+1}`, strictjson.ErrSyntax},
		{"hex number", `{"a":0x1}`, strictjson.ErrSyntax},
		{"bare minus", `{"a":-}`, strictjson.ErrSyntax},
		{"point without digits", `{"a":1.}`, strictjson.ErrSyntax},
		{"exponent without digits", `{"a":1e}`, strictjson.ErrSyntax},
		{"NaN", `{"a":NaN}`, strictjson.ErrSyntax},
		{"Infinity", `{"a":Infinity}`, strictjson.ErrSyntax},
		{"capital True", `{"a":True}`, strictjson.ErrSyntax},
		{"raw newline in string", "\"a\nb\"", strictjson.ErrSyntax},
		{"raw NUL in string", "\"a\x00b\"", strictjson.ErrSyntax},
		{"raw NUL after value", "{}\x00", strictjson.ErrSyntax},
		{"unknown escape", `"\x41"`, strictjson.ErrSyntax},
		{"short unicode escape", `"\u12"`, strictjson.ErrSyntax},
		{"unterminated string", `{"a":"b`, strictjson.ErrSyntax},
		{"unterminated object", `{"a":1`, strictjson.ErrSyntax},
		{"mismatched brackets", `{"a":[1}]`, strictjson.ErrSyntax},
		{"byte order mark", "\ufeff{}", strictjson.ErrSyntax},
		{"non-breaking space", "\u00a0{}", strictjson.ErrSyntax},
		{"form feed", "\f{}", strictjson.ErrSyntax},

		{"lone high surrogate", `"\ud800"`, strictjson.ErrSurrogate},
		{"lone low surrogate", `"\udc00"`, strictjson.ErrSurrogate},
		{"high surrogate twice", `"\ud800\ud800"`, strictjson.ErrSurrogate},
		{"lone surrogate in a name", `{"\udfff":1}`, strictjson.ErrSurrogate},
		{"invalid UTF-8", "\"\xff\"", strictjson.ErrUTF8},
		{"overlong UTF-8", "\"\xc0\xae\"", strictjson.ErrUTF8},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", strictjson.ErrUTF8},
		{"UTF-16", "\xff\xfe{\x00}\x00", strictjson.ErrUTF8},

		{"member twice", `{"a":1,"a":1}`, strictjson.ErrDuplicate},
		{"member twice, once escaped", `{"a":1,"\u0061":2}`, strictjson.ErrDuplicate},
		{"empty name twice", `{"":1,"":2}`, strictjson.ErrDuplicate},
		{"member twice, nested in arrays", `{"x":[[{"a":1,"b":2,"a":3}]]}`, strictjson.ErrDuplicate},
		{"member twice among many", manyMembers(40, 3), strictjson.ErrDuplicate},
		{"last member of many twice", manyMembers(40, 39), strictjson.ErrDuplicate},
		{"many members", manyMembers(40, -1), nil},

		{"depth over the limit", strings.Repeat("[", 33) + strings.Repeat("]", 33), strictjson.ErrTooDeep},
		{"deep and never closed", strings.Repeat("[", 60000), strictjson.ErrTooDeep},
		{"too many values", "[" + strings.Repeat("0,", 1000) + "0]", strictjson.ErrTooMany},
		{"too long", `"` + strings.Repeat("x", 1<<16) + `"`, strictjson.ErrTooLong},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v, err := strictjson.Parse(c.doc, wideLimits)
			if !errors.Is(err, c.want) {
				t.Errorf("Parse(%.60q) = %v, want %v", c.doc, err, c.want)
			}
			if (err == nil) != (v.Kind != strictjson.None) {
				t.Errorf("Parse(%.60q) gave kind %d with error %v", c.doc, v.Kind, err)
			}
		})
	}
}

// manyMembers makes an object with n members and, unless again is negative, a
// last one named like member number again.
func manyMembers(n, again int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"m%d":0,`, i)
	}
	if again >= 0 {
		fmt.Fprintf(&b, `"m%d":0}`, again)
	} else {
		b.WriteString(`"end":0}`)
	}
	return b.String()
}

// FuzzParse compares Parse with the standard library: what Parse accepts has the
// same meaning there, and what it refuses is refused for a reason that can be shown.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e3,"\u0061\ud83d\ude00"],"b":{"c":null,"d":[true,false]}}`, `{"a":1,"a":2}`,
		`"\ud800"`, "\"\xff\"", `[[[[`, `{"a":01}`, `{"\u0061":1,"a":2}`, ` {} `, `"\\\"`, `-0`, `1E+2`, `1e999`,
		`"\"\\\/\b\f\n\r\t\u00e9"`, `"\ud800\u0041"`, `[1,]`, `{"a"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := strictjson.Parse(text, wideLimits)
		var want any
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		wantErr := decoder.Decode(&want)
		if wantErr == nil && !json.Valid([]byte(text)) {
			wantErr = errors.New("something follows")
		}
		switch {
		case err == nil:
			if wantErr != nil || !utf8.ValidString(text) {
				t.Fatalf("accepted %q, which encoding/json refuses: %v", text, wantErr)
			}
			if repeatsMember(json.NewDecoder(strings.NewReader(text))) {
				t.Fatalf("accepted %q, which has a member twice", text)
			}
			if got := plain(v); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q means %#v, want %#v", text, got, want)
			}
		case v.Kind != strictjson.None || v.Children != nil:
			t.Fatalf("%q gave both a value and %v", text, err)
		case errors.Is(err, strictjson.ErrSyntax):
			if wantErr == nil {
				t.Fatalf("called %q a syntax error, which encoding/json accepts", text)
			}
			if at := strictjson.SyntaxOffset(text); at < 0 || at > len(text) || json.Valid([]byte(text[:at])) && at < len(text) && json.Valid([]byte(text[:at+1])) {
				t.Fatalf("%q: first wrong byte at %d", text, at)
			}
		case errors.Is(err, strictjson.ErrDuplicate):
			if !repeatsMember(json.NewDecoder(strings.NewReader(text))) {
				t.Fatalf("found a member twice in %q", text)
			}
		}
	})
}

// plain gives a value as encoding/json would decode it.
func plain(v strictjson.Value) any {
	switch v.Kind {
	case strictjson.False, strictjson.True:
		return v.Kind == strictjson.True
	case strictjson.Number:
		return json.Number(v.Raw)
	case strictjson.String:
		return v.Text
	case strictjson.Array:
		list := []any{}
		for _, element := range v.Children {
			list = append(list, plain(element))
		}
		return list
	case strictjson.Object:
		object := map[string]any{}
		for _, member := range v.Children {
			object[member.Name] = plain(member)
		}
		return object
	}
	return nil
}

func TestWhereAMemberStandsAgain(t *testing.T) {
	const text = `{"a": [0, {"b": {"x": 1, "y": 2, "\u0078": 3}}]}`
	_, err := strictjson.Parse(text, wideLimits)
	var e *strictjson.Repeated
	if !errors.As(err, &e) || !errors.Is(err, strictjson.ErrDuplicate) || text[e.Offset] != '3' || fmt.Sprint(e.Path) != "[{a 0 false} { 1 true} {b 0 false} {x 2 false}]" {
		t.Errorf("Parse = %+v", e)
	}
}

func TestValue(t *testing.T) {
	const text = ` {"a.b": [1.5, "x\u0041", true], "n": null, "big": 1e999}`
	v, err := strictjson.Parse(text, wideLimits)
	if err != nil {
		t.Fatal(err)
	}
	list, ok := v.Member("a.b")
	if !ok || list.Kind != strictjson.Array || len(list.Children) != 3 || list.Raw != `[1.5, "x\u0041", true]` {
		t.Fatalf("a.b is %+v", list)
	}
	if n := list.Children[0]; n.Num != 1.5 || n.Raw != "1.5" || text[n.Offset:n.Offset+3] != "1.5" {
		t.Errorf("number is %+v", n)
	}
	if s := list.Children[1]; s.Text != "xA" {
		t.Errorf("string is %q", s.Text)
	}
	if big, _ := v.Member("big"); !math.IsInf(big.Num, 1) {
		t.Errorf("1e999 is %v", big.Num)
	}
	if _, ok := v.Member("a"); ok {
		t.Error("found a member by a part of its name")
	}
	if _, ok := list.Member("a"); ok {
		t.Error("found a member of an array")
	}
}

// repeatsMember walks the token stream of the standard library.
func repeatsMember(d *json.Decoder) bool {
	type level struct {
		names map[string]bool // nil in an array
		name  bool            // the next string is a name
	}
	d.UseNumber() // 1e999 is well formed
	var stack []level
	for {
		token, err := d.Token()
		if err != nil {
			return err != io.EOF
		}
		top := len(stack) - 1
		switch v := token.(type) {
		case json.Delim:
			switch v {
			case '{':
				stack = append(stack, level{map[string]bool{}, true})
				continue
			case '[':
				stack = append(stack, level{})
				continue
			default:
				stack = stack[:top]
				top--
			}
		case string:
			if top >= 0 && stack[top].name {
				if stack[top].names[v] {
					return true
				}
				stack[top].names[v] = true
				stack[top].name = false
				continue
			}
		}
		if top >= 0 && stack[top].names != nil {
			stack[top].name = true
		}
	}
}
