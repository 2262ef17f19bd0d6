// Package strictjson reads a JSON text that can be read in one way only, and
// refuses every other.
//
// Two parsers that read one token differently are how a forged claim gets past a
// gate. So Parse adds to the grammar (RFC 8259) what I-JSON asks for (RFC 7493
// §2): valid UTF-8, no lone surrogates, no member twice; and bounds on size,
// depth and number of values, so that no text is dear to read.
//
// The grammar, strings and numbers are gjson's (github.com/tidwall/gjson). gjson takes
// the first of two equal members, does not look at UTF-8, and recurses without a
// bound when it validates: what this package adds comes before and after it.
package strictjson

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// Limits bounds a JSON text. Every field must be positive.
type Limits struct {
	// Bytes is the greatest length of the text.
	Bytes int
	// Depth is the greatest number of objects and arrays inside one another.
	Depth int
	// Values is the greatest number of values in the whole text.
	Values int
}

// The ways in which Parse refuses a text. None quotes it.
var (
	ErrTooLong   = errors.New("JSON text is too long")
	ErrTooDeep   = errors.New("JSON text is nested too deeply")
	ErrTooMany   = errors.New("JSON text has too many values")
	ErrUTF8      = errors.New("JSON text is not valid UTF-8")
	ErrSurrogate = errors.New("JSON text escapes half a surrogate pair")
	ErrSyntax    = errors.New("JSON text does not parse")
	ErrDuplicate = errors.New("JSON text has a member twice")
)

// Repeated is the error of a text with a member twice; errors.Is finds
// ErrDuplicate. Its words quote nothing of the text.
type Repeated struct {
	// Offset is where in the text the value of the member stands that stands again.
	Offset int
	// Path leads to that member, from the outermost object on.
	Path []Step
}

// Step leads to a member by its Name, or to an element by its Index;
// InArray tells them apart.
type Step struct {
	Name    string
	Index   int
	InArray bool
}

// Error gives the words of ErrDuplicate.
func (*Repeated) Error() string { return ErrDuplicate.Error() }

// Unwrap gives ErrDuplicate.
func (*Repeated) Unwrap() error { return ErrDuplicate }

// SyntaxOffset gives the place of the first wrong byte in a text that Parse refused
// with ErrSyntax: its length where something is missing at the end.
func SyntaxOffset(text string) int {
	var wrong *json.SyntaxError
	// A zero byte stands nowhere in JSON, so the end of the text is a wrong byte too.
	if errors.As(json.Unmarshal([]byte(text+"\x00"), new(json.RawMessage)), &wrong) {
		return int(wrong.Offset) - 1
	}
	return 0
}

// Kind is the kind of a Value. Its zero value, None, is that of no value at all.
type Kind uint8

// The kinds of values (RFC 8259 §3).
const (
	None Kind = iota
	Null
	False
	True
	Number
	String
	Array
	Object
)

// Value is one value of a text. It is not to be changed, and then may be shared
// by goroutines; its strings may be parts of the text.
type Value struct {
	Kind Kind
	// Name is the member's name when the value stands in an object.
	Name string
	// Raw is the value as the text spells it.
	Raw string
	// Text is a String's text, decoded.
	Text string
	// Num is a Number, rounded to a float64. Infinite when it is too great for one.
	Num float64
	// Offset is where in the text the value starts, in bytes.
	Offset int
	// Children are the members of an Object and the elements of an Array, in order.
	Children []Value
}

// Member finds an object's member by its name, compared as a whole; ok is false
// when there is none, or the value is no object.
func (v *Value) Member(name string) (member *Value, ok bool) {
	if v.Kind == Object {
		for i := range v.Children {
			if v.Children[i].Name == name {
				return &v.Children[i], true
			}
		}
	}
	return nil, false
}

// Parse reads text, which must be exactly one JSON value. The error wraps one of the
// errors above, and then the Value is empty. It may be called concurrently.
func Parse(text string, lim Limits) (Value, error) {
	switch {
	case len(text) > lim.Bytes:
		return Value{}, ErrTooLong
	case !utf8.ValidString(text):
		return Value{}, ErrUTF8
	case isDeeper(text, lim.Depth): // before gjson, which recurses
		return Value{}, ErrTooDeep
	case !gjson.Valid(text):
		return Value{}, ErrSyntax
	}
	r := reader{text: text, left: lim.Values}
	r.skip()
	v, err := r.value("")
	if err != nil {
		if r.again != nil {
			slices.Reverse(r.again.Path)
		}
		return Value{}, err
	}
	return v, nil
}

// isDeeper reports whether more objects and arrays than that are ever open at once.
// The text need not be JSON: up to the first fault in it, which is as far as a parser
// goes, brackets are counted as a parser counts them.
func isDeeper(text string, most int) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > most {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// reader makes Values of a text that is valid JSON and not too deep, in one pass:
// gjson's own iteration would scan what is nested once for each level.
type reader struct {
	text  string
	at    int
	left  int       // values that may still come
	again *Repeated // its path innermost step first
}

// skip goes to the next value, name or closing bracket.
func (r *reader) skip() {
	for c := r.text[r.at]; c <= ' ' || c == ',' || c == ':'; c = r.text[r.at] {
		r.at++
	}
}

// leaf reads a string, a number or a word.
func (r *reader) leaf() gjson.Result {
	leaf := gjson.Parse(r.text[r.at:])
	r.at += len(leaf.Raw)
	return leaf
}

var kinds = [...]Kind{gjson.Null: Null, gjson.False: False, gjson.True: True, gjson.Number: Number, gjson.String: String}

// value reads the value at hand.
func (r *reader) value(name string) (Value, error) {
	if r.left--; r.left < 0 {
		return Value{}, ErrTooMany
	}
	v := Value{Name: name, Offset: r.at}
	switch r.text[r.at] {
	case '{':
		v.Kind = Object
	case '[':
		v.Kind = Array
	default:
		leaf := r.leaf()
		v.Kind = kinds[leaf.Type]
		v.Raw, v.Text, v.Num = leaf.Raw, leaf.Str, leaf.Num
		if v.Kind == String && halvesPair(leaf.Raw) {
			return Value{}, ErrSurrogate
		}
		return v, nil
	}
	r.at++
	for r.skip(); r.text[r.at] != ']' && r.text[r.at] != '}'; r.skip() {
		step := Step{Index: len(v.Children), InArray: v.Kind == Array}
		if v.Kind == Object {
			key := r.leaf()
			if halvesPair(key.Raw) {
				return Value{}, ErrSurrogate
			}
			step.Name = key.Str
			r.skip()
		}
		child, err := r.value(step.Name)
		if err != nil {
			if r.again != nil {
				r.again.Path = append(r.again.Path, step)
			}
			return Value{}, err
		}
		v.Children = append(v.Children, child)
	}
	r.at++
	v.Raw = r.text[v.Offset:r.at]
	if v.Kind == Object {
		return v, r.unique(v.Children)
	}
	return v, nil
}

// unique refuses members of which two have one name. Names are decoded by then:
// "a" and "\u0061" are one.
func (r *reader) unique(members []Value) error {
	const few = 16 // where comparing each with each becomes dearer than a map
	var seen map[string]struct{}
	if len(members) > few {
		seen = make(map[string]struct{}, len(members))
	}
	for i := range members {
		name := members[i].Name
		var again bool
		if seen != nil {
			_, again = seen[name]
			seen[name] = struct{}{}
		} else {
			again = slices.ContainsFunc(members[:i], func(v Value) bool { return v.Name == name })
		}
		if again {
			r.again = &Repeated{Offset: members[i].Offset, Path: []Step{{Name: name, Index: i}}}
			return r.again
		}
	}
	return nil
}

// halvesPair reports whether a string, as the text spells it, escapes half a
// surrogate pair (RFC 8259 §8.2).
func halvesPair(raw string) bool {
	for i := strings.IndexByte(raw, '\\'); i >= 0 && i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		if i++; raw[i] != 'u' {
			continue
		}
		unit := hex4(raw[i+1:])
		i += 4
		if !utf16.IsSurrogate(unit) {
			continue
		}
		if !strings.HasPrefix(raw[i+1:], `\u`) || utf16.DecodeRune(unit, hex4(raw[i+3:])) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// hex4 reads the four hexadecimal digits with which a text begins.
func hex4(text string) rune {
	unit, _ := strconv.ParseUint(text[:4], 16, 32)
	return rune(unit)
}
