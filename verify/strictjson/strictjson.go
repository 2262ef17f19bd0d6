// Package strictjson parses JSON texts that all parsers read alike, and refuses others.
//
// If the API read a token differently than the filter, it could read a claim that the
// filter has not checked. So Parse requires JSON (RFC 8259) and also I-JSON (RFC 7493
// §2): valid UTF-8, no lone surrogates and no member twice. It bounds the size, depth and
// number of values.
//
// The grammar, strings and numbers are parsed by github.com/tidwall/gjson. gjson returns
// the first of two equal members, does not check UTF-8, and validates recursively without
// a bound. This package adds these checks.
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
	// Depth is the greatest number of nested objects and arrays.
	Depth int
	// Values is the greatest number of values in the whole text.
	Values int
}

// The errors of Parse. Their texts quote nothing of the JSON text.
var (
	ErrTooLong   = errors.New("JSON text is too long")
	ErrTooDeep   = errors.New("JSON text is nested too deeply")
	ErrTooMany   = errors.New("JSON text has too many values")
	ErrUTF8      = errors.New("JSON text is not valid UTF-8")
	ErrSurrogate = errors.New("JSON text escapes half a surrogate pair")
	ErrSyntax    = errors.New("JSON text does not parse")
	ErrDuplicate = errors.New("JSON text has a member twice")
)

// Repeated is the error for a text with a member twice. It wraps ErrDuplicate.
type Repeated struct {
	// Offset is the offset of the second member's value in the text, in bytes.
	Offset int
	// Path is the path to that member, from the outermost value on.
	Path []Step
}

// Step is one step of a path: an element's Index if InArray, otherwise a member's Name.
type Step struct {
	Name    string
	Index   int
	InArray bool
}

// Error returns the text of ErrDuplicate.
func (*Repeated) Error() string { return ErrDuplicate.Error() }

// Unwrap returns ErrDuplicate.
func (*Repeated) Unwrap() error { return ErrDuplicate }

// SyntaxOffset returns the offset of the first wrong byte in a text that Parse refused
// with ErrSyntax. It is the length of the text if something is missing at the end.
func SyntaxOffset(text string) int {
	var wrong *json.SyntaxError
	// JSON has no zero byte. So the byte after the end of the text is wrong, too.
	if errors.As(json.Unmarshal([]byte(text+"\x00"), new(json.RawMessage)), &wrong) {
		return int(wrong.Offset) - 1
	}
	return 0
}

// Kind is the kind of a Value. The zero value None is no JSON value.
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

// Value is a JSON value. It must not be changed and may be shared by goroutines. Its
// strings may be parts of the text.
type Value struct {
	Kind Kind
	// Name is the member's name if the value is in an object.
	Name string
	// Raw is the value as the text spells it.
	Raw string
	// Text is a String's text, decoded.
	Text string
	// Num is a Number rounded to a float64; infinite if it is too great.
	Num float64
	// Offset is the offset of the value in the text, in bytes.
	Offset int
	// Children are the members of an Object and the elements of an Array, in order.
	Children []Value
}

// Member returns the member of that name, which is not a path. ok is false when there is
// none or the value is not an object.
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

// Parse parses a text, which must be exactly one JSON value. Its error wraps one of the
// errors above; the Value is then empty. It may be called concurrently.
func Parse(text string, lim Limits) (Value, error) {
	return parse(reader{text: text, left: lim.Values}, lim)
}

// ParseElements is Parse for a text whose outermost value is an object with a long array
// in the member of that name. Each element of the array is handed to each, in order, and
// not kept, so that memory is needed for one element at a time. An error of each ends
// the parsing and is returned.
//
// Elements are handed over before the rest of the text has been checked for members that
// occur twice: until ParseElements has returned without an error, nothing that each has
// been given counts.
func ParseElements(text string, lim Limits, name string, each func(element *Value) error) (Value, error) {
	return parse(reader{text: text, left: lim.Values, name: name, each: each}, lim)
}

func parse(r reader, lim Limits) (Value, error) {
	text := r.text
	switch {
	case len(text) > lim.Bytes:
		return Value{}, ErrTooLong
	case !utf8.ValidString(text):
		return Value{}, ErrUTF8
	case isDeeper(text, lim.Depth): // before gjson, which is recursive
		return Value{}, ErrTooDeep
	case !gjson.Valid(text):
		return Value{}, ErrSyntax
	}
	r.skip()
	v, err := r.value("")
	if err != nil {
		if r.repeated != nil {
			slices.Reverse(r.repeated.Path)
		}
		return Value{}, err
	}
	return v, nil
}

// isDeeper reports whether objects and arrays are nested to a depth of more than most. The
// text need not be JSON: up to its first error, where a parser stops, isDeeper counts
// brackets as a parser does.
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

// reader makes Values of a text that is valid JSON and not too deep. It reads the text
// once. gjson's own iteration would read nested values once for each level.
type reader struct {
	text     string
	at       int
	left     int       // how many more values are allowed
	repeated *Repeated // its path is in reverse order until Parse returns
	depth    int       // of objects and arrays around the next value

	name string // of the array whose elements each is given
	each func(element *Value) error
}

// skip goes to the next value, name or closing bracket.
func (r *reader) skip() {
	for c := r.text[r.at]; c <= ' ' || c == ',' || c == ':'; c = r.text[r.at] {
		r.at++
	}
}

// leaf reads a string, a number, true, false or null.
func (r *reader) leaf() gjson.Result {
	leaf := gjson.Parse(r.text[r.at:])
	r.at += len(leaf.Raw)
	return leaf
}

var kinds = [...]Kind{gjson.Null: Null, gjson.False: False, gjson.True: True, gjson.Number: Number, gjson.String: String}

// value reads the next value.
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
		if v.Kind == String && hasLoneSurrogate(leaf.Raw) {
			return Value{}, ErrSurrogate
		}
		return v, nil
	}
	handed := r.each != nil && r.depth == 1 && v.Kind == Array && name == r.name
	r.at++
	r.depth++
	r.skip()
	for i := 0; r.text[r.at] != ']' && r.text[r.at] != '}'; i++ {
		step := Step{Index: i, InArray: v.Kind == Array}
		if v.Kind == Object {
			key := r.leaf()
			if hasLoneSurrogate(key.Raw) {
				return Value{}, ErrSurrogate
			}
			step.Name = key.Str
			r.skip()
		}
		child, err := r.value(step.Name)
		if err != nil {
			if r.repeated != nil {
				r.repeated.Path = append(r.repeated.Path, step)
			}
			return Value{}, err
		}
		if !handed {
			v.Children = append(v.Children, child)
		} else if err := r.each(&child); err != nil {
			return Value{}, err
		}
		r.skip()
	}
	r.at++
	r.depth--
	v.Raw = r.text[v.Offset:r.at]
	if v.Kind == Object {
		return v, r.unique(v.Children)
	}
	return v, nil
}

// unique refuses two members of the same name. Names are decoded: "a" and "\u0061" are
// the same.
func (r *reader) unique(members []Value) error {
	const few = 16 // for so few members, comparing all names is faster than a map
	var names map[string]struct{}
	if len(members) > few {
		names = make(map[string]struct{}, len(members))
	}
	for i := range members {
		name := members[i].Name
		var known bool
		if names != nil {
			_, known = names[name]
			names[name] = struct{}{}
		} else {
			known = slices.ContainsFunc(members[:i], func(v Value) bool { return v.Name == name })
		}
		if known {
			r.repeated = &Repeated{Offset: members[i].Offset, Path: []Step{{Name: name, Index: i}}}
			return r.repeated
		}
	}
	return nil
}

// hasLoneSurrogate reports whether a string, as the JSON text spells it, has the escape of a
// lone surrogate (RFC 8259 §8.2).
func hasLoneSurrogate(raw string) bool {
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
