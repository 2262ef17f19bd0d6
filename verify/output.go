package verify

import (
	"encoding/base64"
	"errors"
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

// The errors of HeaderValue. Each is a clause about the claim.
var (
	ErrEmpty        = errors.New("is null, empty, or a list with an empty element")
	ErrLong         = errors.New("makes a value of more than 8 KiB")
	ErrNotPrintable = errors.New("has characters other than printable ASCII, or a space at an end")
	ErrTwoMeanings  = errors.New("is a text that a list or an object could make, too")
)

// HeaderValue makes a header's value of a claim. On an error the header must be left out.
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
// ["user","admin"]. So there is ErrTwoMeanings for a string that looks like a list or an
// object:
//
//   - with Plain, a string or an element of a list that contains a comma or begins with
//     '[' or '{';
//   - with Base64URL, a string that begins with '[' or '{'.
//
// A string has the same value as a number, true or false that is spelled alike. A list
// of one element has the same value as its element, except with Base64URL.
//
// The other errors are for values that a header cannot carry unchanged: ErrEmpty for
// null, an empty string or list, and a list with an empty element; ErrLong for values
// longer than MaxHeaderValueBytes; and ErrNotPrintable for values that are not printable
// ASCII or that begin or end with a space, with Plain also for elements that do, because
// proxies and frameworks change those (RFC 9110 §5.5).
func HeaderValue(claim *strictjson.Value, encoding Encoding) (value string, err error) {
	text := textOf(claim)
	isText := claim.Kind == strictjson.String
	switch {
	case text == "":
		return "", ErrEmpty
	case encoding == Base64URL:
		if isText && opensJSON(text) {
			return "", ErrTwoMeanings
		}
		value = base64.RawURLEncoding.EncodeToString([]byte(text))
	case isFlat(claim):
		value, err = joined(claim.Children, encoding)
	case isText || !opensJSON(text):
		value, err = element(text, encoding)
	case encoding == Percent:
		value = text[:1] + percent(text[1:])
	default:
		value = text
	}
	if err == nil {
		err = checkCarried(value)
	}
	if err != nil {
		return "", err
	}
	return value, nil
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

// joined joins a flat list, unless another list would have the same value.
func joined(elements []strictjson.Value, encoding Encoding) (string, error) {
	var all []byte
	for i := range elements {
		e, err := element(textOf(&elements[i]), encoding)
		switch {
		case err != nil:
			return "", err
		case e == "":
			return "", ErrEmpty
		case e[0] == ' ' || e[len(e)-1] == ' ':
			return "", ErrNotPrintable
		case i > 0:
			all = append(all, ',')
		}
		all = append(all, e...)
	}
	return string(all), nil
}

// element encodes a text, or an element of a list.
func element(text string, encoding Encoding) (string, error) {
	switch {
	case encoding == Percent:
		return percent(text), nil
	case opensJSON(text) || strings.IndexByte(text, ',') >= 0:
		return "", ErrTwoMeanings
	}
	return text, nil
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

// checkCarried returns an error unless every proxy and framework keeps the value
// unchanged.
func checkCarried(value string) error {
	switch {
	case value == "":
		return ErrEmpty
	case len(value) > MaxHeaderValueBytes:
		return ErrLong
	case value[0] == ' ' || value[len(value)-1] == ' ':
		return ErrNotPrintable
	}
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return ErrNotPrintable
		}
	}
	return nil
}
