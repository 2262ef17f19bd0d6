// Package base64url reads the base64url of RFC 7515 §2: no padding, no white space,
// and one spelling only of every byte sequence.
package base64url

import "encoding/base64"

var strict = base64.RawURLEncoding.Strict()

// Decode gives the bytes that text stands for. It refuses what
// base64.RawURLEncoding would not write: another byte, a length that is none, and
// bits that belong to no byte (RFC 4648 §3.5). Two spellings of one signature would
// be two tokens to a cache and to a revocation list.
func Decode(text string) (decoded []byte, ok bool) {
	decoded, err := strict.DecodeString(text)
	// Strict alone skips line breaks.
	if err != nil || strict.EncodedLen(len(decoded)) != len(text) {
		return nil, false
	}
	return decoded, true
}
