// Package strictjson says whether a JSON text can be read in one way only.
//
// gjson reads JSON quickly but forgives much: it does not validate, takes the
// first of two equal members where other parsers take the last, and passes
// invalid UTF-8 on. Two parsers that read one token differently are how a
// forged claim gets past a gate, so everything that is read with gjson here has
// gone through Check first. It adds to the grammar (RFC 8259) what I-JSON asks
// for (RFC 7493 §2): valid UTF-8, no lone surrogates, no member twice; and
// bounds on size, depth and number of values, so that no text is dear to read.
package strictjson

import (
	"errors"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// Limits bounds a JSON text. Every field must be positive.
type Limits struct {
	// Bytes is the greatest length of the text.
	Bytes int
	// Depth is the greatest number of objects and arrays inside one another.
	Depth int
	// Values is the greatest number of members and array elements in the whole text.
	Values int
}

// The ways in which a text fails Check. None quotes the text.
var (
	ErrTooLong   = errors.New("JSON text is too long")
	ErrTooDeep   = errors.New("JSON text is nested too deeply")
	ErrTooMany   = errors.New("JSON text has too many values")
	ErrUTF8      = errors.New("JSON text is not valid UTF-8")
	ErrSurrogate = errors.New("JSON text escapes half a surrogate pair")
	ErrSyntax    = errors.New("JSON text does not parse")
	ErrDuplicate = errors.New("JSON text has a member twice")
)

// Check reports whether doc is exactly one JSON value that every parser reads
// alike. It keeps nothing of doc and may be called concurrently.
func Check(doc []byte, lim Limits) error {
	if len(doc) > lim.Bytes {
		return ErrTooLong
	}
	if !utf8.Valid(doc) {
		return ErrUTF8
	}
	// The scan comes first: it bounds the recursion of what follows.
	if err := scan(doc, lim); err != nil {
		return err
	}
	if !gjson.ValidBytes(doc) {
		return ErrSyntax
	}
	return uniqueMembers(gjson.ParseBytes(doc))
}

// scan walks doc once without recursion and bounds depth and number of values.
// It need not understand the grammar: commas and brackets outside of strings
// are enough for an upper bound, and gjson.ValidBytes judges the rest.
func scan(doc []byte, lim Limits) error {
	depth, values := 0, 1
	for i := 0; i < len(doc); i++ {
		switch doc[i] {
		case '{', '[':
			depth++
			values++
			if depth > lim.Depth {
				return ErrTooDeep
			}
		case '}', ']':
			depth--
		case ',':
			values++
		case '"':
			end, err := scanString(doc, i+1)
			if err != nil {
				return err
			}
			i = end
		}
		if values > lim.Values {
			return ErrTooMany
		}
	}
	return nil
}

// scanString gives the index of the quote that closes the string whose first
// byte stands at i.
func scanString(doc []byte, i int) (int, error) {
	for ; i < len(doc); i++ {
		switch doc[i] {
		case '"':
			return i, nil
		case '\\':
			unit, ok := escapedUnit(doc, i)
			switch {
			case !ok:
				i++ // some other escape: step over the escaped byte
			case unit >= 0xdc00 && unit <= 0xdfff:
				return 0, ErrSurrogate
			case unit >= 0xd800 && unit <= 0xdbff:
				low, ok := escapedUnit(doc, i+6)
				if !ok || low < 0xdc00 || low > 0xdfff {
					return 0, ErrSurrogate
				}
				i += 11
			default:
				i += 5
			}
		}
	}
	return 0, ErrSyntax
}

// escapedUnit reads a \uXXXX escape that starts at i.
func escapedUnit(doc []byte, i int) (unit int, ok bool) {
	if i+6 > len(doc) || doc[i] != '\\' || doc[i+1] != 'u' {
		return 0, false
	}
	for _, c := range doc[i+2 : i+6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		unit = unit<<4 | int(c)
	}
	return unit, true
}

// fewMembers is where comparing each with each becomes dearer than a map.
const fewMembers = 16

// uniqueMembers refuses an object with two members of one name, at any depth.
// Names are compared as decoded: "a" and "\u0061" are one name.
func uniqueMembers(value gjson.Result) error {
	if !value.IsObject() && !value.IsArray() {
		return nil
	}
	var (
		few  [fewMembers]string
		n    int
		many map[string]struct{}
		err  error
	)
	isObject := value.IsObject()
	value.ForEach(func(name, member gjson.Result) bool {
		if isObject {
			if n < fewMembers {
				for _, other := range few[:n] {
					if other == name.Str {
						err = ErrDuplicate
						return false
					}
				}
				few[n] = name.Str
			} else {
				if many == nil {
					many = make(map[string]struct{}, 2*fewMembers)
					for _, other := range few {
						many[other] = struct{}{}
					}
				}
				if _, again := many[name.Str]; again {
					err = ErrDuplicate
					return false
				}
				many[name.Str] = struct{}{}
			}
			n++
		}
		err = uniqueMembers(member)
		return err == nil
	})
	return err
}
