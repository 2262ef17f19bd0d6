package verify

import (
	"encoding/base64"
	"strings"

	"edgejwt/verify/ascii"
	"edgejwt/verify/strictjson"
)

// MaxHeaderValueBytes is the greatest length of a claim that becomes a header.
const MaxHeaderValueBytes = 8 << 10

// Encoding is how a claim becomes a header's value.
type Encoding uint8

const (
	// Plain is the claim as it is; the zero value.
	Plain Encoding = iota
	// Percent escapes all but letters, digits and "-._~" as %XX (RFC 3986 §2.1).
	Percent
	// Base64URL is base64url without padding (RFC 4648 §5).
	Base64URL
)

// HeaderValue gives a claim the form of a header's value. A string is its text; a
// number, true and false are as the token spells them; a list of such is joined
// with commas; an object, and a list that holds objects, lists or null, is the
// JSON as the token spells it. Then comes the encoding:
//
//   - Plain leaves the text as it is;
//   - Percent escapes every byte that is not unreserved (RFC 3986 §2.3), in each
//     element of a list, so that only commas between elements are left;
//   - Base64URL encodes the text, and of a list the JSON.
//
// What a header cannot carry gives ok false: the header is then left out, because
// half a value, or two of one, is another value. That is null; an empty text or
// list; a list with an empty element, or, if plain, one with a comma or a space at
// an end; more than MaxHeaderValueBytes; and whatever is not printable ASCII
// without space at either end, for only that comes through every proxy and
// framework unchanged (RFC 9110 §5.5).
func HeaderValue(claim *strictjson.Value, encoding Encoding) (value string, ok bool) {
	switch {
	case encoding == Base64URL:
		value = base64.RawURLEncoding.EncodeToString([]byte(textOf(claim)))
	case isFlat(claim):
		value = joined(claim.Children, encoding)
	default:
		value = encoded(textOf(claim), encoding)
	}
	if !isCarried(value) {
		return "", false
	}
	return value, true
}

// textOf gives the text that stands for a claim; empty for none.
func textOf(claim *strictjson.Value) string {
	switch claim.Kind {
	case strictjson.String:
		return claim.Text
	case strictjson.Null:
		return ""
	}
	return claim.Raw
}

// isFlat reports whether the claim is a list of texts, numbers and truths.
func isFlat(claim *strictjson.Value) bool {
	for i := range claim.Children {
		switch claim.Children[i].Kind {
		case strictjson.String, strictjson.Number, strictjson.True, strictjson.False:
		default:
			return false
		}
	}
	return claim.Kind == strictjson.Array
}

// joined gives a flat list; empty when it could be taken for another one.
func joined(elements []strictjson.Value, encoding Encoding) string {
	var all []byte
	for i := range elements {
		element := encoded(textOf(&elements[i]), encoding)
		// A comma comes from a plain text only.
		if element == "" || element[0] == ' ' || element[len(element)-1] == ' ' || strings.IndexByte(element, ',') >= 0 {
			return ""
		}
		if i > 0 {
			all = append(all, ',')
		}
		all = append(all, element...)
	}
	return string(all)
}

// encoded escapes the text if the encoding is Percent.
func encoded(text string, encoding Encoding) string {
	if encoding != Percent {
		return text
	}
	all := make([]byte, 0, len(text)+len(text)/4)
	for i := range len(text) {
		c := text[i]
		if isAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~' {
			all = append(all, c)
		} else {
			all = ascii.AppendEscape(all, c)
		}
	}
	return string(all)
}

// isCarried reports whether a header carries the value unchanged.
func isCarried(value string) bool {
	if value == "" || len(value) > MaxHeaderValueBytes || value[0] == ' ' || value[len(value)-1] == ' ' {
		return false
	}
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return true
}
