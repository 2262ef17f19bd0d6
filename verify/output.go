package verify

import (
	"encoding/base64"
	"strings"

	"edgejwt/verify/strictjson"
)

// MaxHeaderValueBytes is the greatest length of a header's value that is made of a claim.
const MaxHeaderValueBytes = 8 << 10

// Encoding says how a claim is encoded in a header's value.
type Encoding uint8

const (
	// Plain is the claim without encoding; the zero value.
	Plain Encoding = iota
	// Percent escapes all bytes but letters, digits and "-._~" as %XX (RFC 3986 §2.1).
	// It does not escape the commas between a list's elements and the first bracket of
	// JSON.
	Percent
	// Base64URL is base64url without padding (RFC 4648 §5).
	Base64URL
)

// HeaderValue makes a header's value of a claim. With ok false the header must be left
// out.
//
// A string becomes its text. A number, true and false become the text that spells them
// in the token. A list of these is joined with commas. An object, and a list that
// contains objects, lists or null, becomes the JSON that spells it in the token. Then
// the encoding is applied:
//
//   - Plain changes nothing;
//   - Percent escapes every byte that is not unreserved (RFC 3986 §2.3). It does not
//     escape the commas that join a list and the first bracket of JSON;
//   - Base64URL encodes the text. Lists and objects are always encoded as JSON.
//
// Claims with different meanings never have the same value: "user,admin" is not
// ["user","admin"]. So ok is false for a string that looks like a list or an object:
//
//   - with Plain, a string or an element of a list that contains a comma or begins with
//     '[' or '{';
//   - with Base64URL, a string that begins with '[' or '{'.
//
// A string has the same value as a number, true or false that is spelled alike. A list
// of one element has the same value as its element, except with Base64URL.
//
// ok is also false for values that a header cannot carry unchanged: null; an empty
// string or list; a list with an empty element, or with Plain an element that begins or
// ends with a space; values longer than MaxHeaderValueBytes; and values that are not
// printable ASCII or that begin or end with a space, because proxies and frameworks
// change those (RFC 9110 §5.5).
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

// textOf is the text of a claim; empty for null.
func textOf(claim *strictjson.Value) string {
	switch claim.Kind {
	case strictjson.String:
		return claim.Text
	case strictjson.Null:
		return ""
	}
	return claim.Raw
}

// isFlat reports whether the claim is a list of strings, numbers and booleans only.
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

// joined joins a flat list; empty when another list has the same value.
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

// element encodes a text, or an element of a list. It is empty when the text looks like
// a list or an object.
func element(text string, encoding Encoding) string {
	switch {
	case encoding == Percent:
		return percent(text)
	case opensJSON(text) || strings.IndexByte(text, ',') >= 0:
		return ""
	}
	return text
}

// opensJSON reports whether the text begins like a JSON list or object.
func opensJSON(text string) bool { return text != "" && (text[0] == '[' || text[0] == '{') }

// percent escapes all bytes that are not unreserved (RFC 3986 §2.3).
func percent(text string) string {
	const hexDigits = "0123456789ABCDEF"
	all := make([]byte, 0, len(text)+len(text)/4)
	for i := range len(text) {
		c := text[i]
		if isAlphanumeric(c) || strings.IndexByte("-._~", c) >= 0 {
			all = append(all, c)
		} else {
			all = append(all, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return string(all)
}

// isCarried reports whether every proxy and framework keeps the value unchanged.
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
