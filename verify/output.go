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
	// Percent escapes all but letters, digits and "-._~" as %XX (RFC 3986 §2.1), but
	// for the commas between a list's elements and the first bracket of JSON.
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
//     element of a list, so that only commas between elements are left, and of JSON
//     the first bracket;
//   - Base64URL encodes the text, and of every list and object the JSON.
//
// No value is that of two claims with different meanings: "user,admin" is not
// ["user","admin"]. So a text is left out that a list or an object could give: if
// plain, one with a comma or a bracket ('[' or '{') in front, of which a list may have
// none either; if Base64URL, one with a bracket in front. Percent leaves out none of
// these. A text and a number, true or false that is spelled alike have one value, and
// so have a list of one, unless Base64URL, and its element.
//
// What a header cannot carry gives ok false too: the header is then left out, because
// half a value, or two of one, is another value. That is null; an empty text or
// list; a list with an empty element, or, if plain, one with a space at an end; more
// than MaxHeaderValueBytes; and whatever is not printable ASCII without space at
// either end, for only that comes through every proxy and framework unchanged
// (RFC 9110 §5.5).
func HeaderValue(claim *strictjson.Value, encoding Encoding) (value string, ok bool) {
	text := textOf(claim)
	isText := claim.Kind == strictjson.String
	switch {
	case encoding == Base64URL:
		if isText && opensJSON(text) {
			return "", false
		}
		value = base64.RawURLEncoding.EncodeToString([]byte(text))
	case isFlat(claim):
		value = joined(claim.Children, encoding)
	case isText || !opensJSON(text):
		value = element(text, encoding)
	case encoding == Percent:
		value = text[:1] + percent(text[1:])
	default:
		value = text
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
		e := element(textOf(&elements[i]), encoding)
		if e == "" || e[0] == ' ' || e[len(e)-1] == ' ' {
			return ""
		}
		if i > 0 {
			all = append(all, ',')
		}
		all = append(all, e...)
	}
	return string(all)
}

// element gives a text, of a list or by itself; empty when it could be taken for a list
// or an object.
func element(text string, encoding Encoding) string {
	switch {
	case encoding == Percent:
		return percent(text)
	case opensJSON(text) || strings.IndexByte(text, ',') >= 0:
		return ""
	}
	return text
}

// opensJSON reports whether the text begins as the JSON of a list or an object does.
func opensJSON(text string) bool { return text != "" && (text[0] == '[' || text[0] == '{') }

// percent escapes the text.
func percent(text string) string {
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
