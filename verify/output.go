package verify

import "edgejwt/verify/strictjson"

// MaxHeaderValueBytes is the greatest length of a claim that becomes a header.
const MaxHeaderValueBytes = 8 << 10

// Encoding is how a claim becomes a header's value.
type Encoding uint8

const (
	// Plain is the claim as it is; the zero value.
	Plain Encoding = iota
	// Percent writes what a header cannot carry as %XX (RFC 3986 §2.1).
	Percent
	// Base64URL is base64url without padding (RFC 4648 §5).
	Base64URL
)

// HeaderValue gives a claim the form of a header's value: a string as it is, a
// number as the token spells it, true or false. Anything else, and a string
// that a header cannot carry unchanged, gives ok false: the header is then left
// out, because half a value is another value. Only printable ASCII without
// space at either end comes through every proxy and framework unchanged
// (RFC 9110 §5.5).
func HeaderValue(claim *strictjson.Value) (value string, ok bool) {
	switch claim.Kind {
	case strictjson.String:
		value = claim.Text
	case strictjson.Number, strictjson.True, strictjson.False:
		value = claim.Raw
	default:
		return "", false
	}
	if value == "" || len(value) > MaxHeaderValueBytes || value[0] == ' ' || value[len(value)-1] == ' ' {
		return "", false
	}
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return "", false
		}
	}
	return value, true
}
