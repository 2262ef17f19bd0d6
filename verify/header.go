package verify

import (
	"strings"
	"sync/atomic"

	"edgejwt/verify/base64url"
	"edgejwt/verify/strictjson"
)

// last is the header that was read last. The tokens of one key have one header,
// to the byte, which need not be read for each of them.
var last atomic.Pointer[lastHeader]

type lastHeader struct {
	encoded string
	header
}

// readHeader reads the JOSE header of a token, in base64url.
func readHeader(encoded string) (header, error) {
	if l := last.Load(); l != nil && l.encoded == encoded {
		return l.header, nil
	}
	l := &lastHeader{encoded: strings.Clone(encoded)}
	object, err := decodeObject(l.encoded)
	if err != nil {
		return header{}, err
	}
	if err := l.read(&object); err != nil {
		return header{}, err
	}
	last.Store(l)
	return l.header, nil
}

// read takes what is needed from the JOSE header. "jwk", "jku", "x5u" and
// "x5c" are left alone: a key that comes with the token proves nothing
// (RFC 8725 §3.10).
func (h *header) read(object *strictjson.Value) error {
	for i := range object.Children {
		member := &object.Children[i]
		isString := member.Kind == strictjson.String
		switch member.Name {
		case "alg":
			h.algorithm = member.Text
			if !isString || member.Text == "" {
				return refuse(TokenMalformed, "alg is not a name")
			}
		case "kid":
			h.keyID, h.hasKeyID = member.Text, true
			if !isString {
				return refuse(TokenMalformed, "kid is not a string")
			}
		case "typ", "cty":
			if !isString {
				return refuse(TokenMalformed, "typ or cty is not a string")
			}
			if member.Name == "typ" {
				h.mediaType = member.Text
			}
		case "crit":
			// RFC 7515 §4.1.11: an extension that is not understood, and none is
			// here, makes the JWS invalid.
			return refuse(TokenMalformed, "crit names an extension")
		case "b64":
			// RFC 7797 §6: it needs crit; without it, readers differ on what was signed.
			return refuse(TokenMalformed, "b64 stands without crit")
		}
	}
	if h.algorithm == "" {
		return refuse(TokenMalformed, "alg is missing")
	}
	return nil
}

// decodeObject reads one part of the token as a JSON object.
func decodeObject(part string) (strictjson.Value, error) {
	text, err := decodeBase64URL(part)
	if err != nil {
		return strictjson.Value{}, err
	}
	object, err := strictjson.Parse(string(text), tokenLimits)
	if err != nil {
		return strictjson.Value{}, refuse(TokenMalformed, err.Error()) // fixed texts, see strictjson
	}
	if object.Kind != strictjson.Object {
		return strictjson.Value{}, refuse(TokenMalformed, "a part is not a JSON object")
	}
	return object, nil
}

// decodeBase64URL reads one part of the token.
func decodeBase64URL(part string) ([]byte, error) {
	decoded, ok := base64url.Decode(part)
	if !ok {
		return nil, refuse(TokenMalformed, "a part is not base64url")
	}
	return decoded, nil
}
