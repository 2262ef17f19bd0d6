package jwks

import (
	"slices"
	"strconv"
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

// Bounds on a key set document.
const (
	// MaxDocumentBytes is the greatest length of a document, in bytes.
	MaxDocumentBytes = 512 << 10
	// MaxKeys is the greatest number of keys in a document, usable or not.
	MaxKeys = 100
	// MaxKID is the greatest length of a "kid", in bytes.
	MaxKID = 256
)

var documentLimits = strictjson.Limits{Bytes: MaxDocumentBytes, Depth: 16, Values: 5000}

// Skipped is a key of a document that cannot verify signatures here.
type Skipped struct {
	// Index is the key's index in "keys", from 0.
	Index int
	// ID is the beginning of the key's "kid", at most 64 bytes; empty when it
	// has none. It is foreign text: quote it (String does).
	ID string
	// Why is a fixed English clause.
	Why string
}

// Unexpected gives the skipped keys that are worth a warning: not those for encryption
// (RFC 7517 §4.2), which providers such as Keycloak publish beside the others.
func Unexpected(skipped []Skipped) []Skipped {
	return slices.DeleteFunc(slices.Clone(skipped), func(s Skipped) bool { return s.Why == verify.ErrJWKEncryption.Error() })
}

// String names the key and the reason in a form that is safe to log.
func (s Skipped) String() string {
	text := "key " + strconv.Itoa(s.Index)
	if s.ID != "" {
		text += " (kid " + strconv.QuoteToASCII(s.ID) + ")"
	}
	return text + ": " + s.Why
}

// Parse reads a key set (RFC 7517 §5). With algorithms, keys that fit none of them are
// skipped; without, a key may be for any algorithm of package verify. Several keys may
// have the same kid (RFC 7517 §4.5); one that is there twice is kept once. Keys that
// cannot be used are skipped and reported, and the others remain (RFC 7517 §5, last
// paragraph). The error is an Error: the document is not a key set within the bounds,
// or it has no usable key; the set is nil then. Nothing of document is kept.
func Parse(document []byte, algorithms ...string) (*Set, []Skipped, error) {
	if len(document) > MaxDocumentBytes {
		return nil, nil, ErrDocumentTooLong
	}
	root, err := strictjson.Parse(string(document), documentLimits)
	if err != nil {
		return nil, nil, ErrDocumentNotJSON
	}
	list, ok := root.Member("keys")
	switch {
	case !ok || list.Kind != strictjson.Array:
		return nil, nil, ErrNotKeySet
	case len(list.Children) > MaxKeys:
		return nil, nil, ErrTooManyKeys
	}
	var (
		keys    []*verify.Key
		skipped []Skipped
	)
	for i := range list.Children {
		key, id, why := parseKey(&list.Children[i])
		if why == "" && len(algorithms) > 0 && !slices.ContainsFunc(algorithms, key.Fits) {
			why = "is for an algorithm that the rule does not name"
		}
		if why == "" {
			keys = append(keys, key)
		} else {
			skipped = append(skipped, Skipped{Index: i, ID: shorten(id), Why: why})
		}
	}
	if len(keys) == 0 {
		return nil, skipped, ErrNoUsableKey
	}
	return newSet(keys), skipped, nil
}

// shorten cuts foreign text for logs.
func shorten(s string) string {
	const most = 64
	if len(s) > most {
		s = s[:most]
	}
	return strings.Clone(s)
}

// text gives a member that is a string. has says that there is such a member,
// ok that it is a string.
func text(object *strictjson.Value, name string) (value string, has, ok bool) {
	member, has := object.Member(name)
	if !has || member.Kind != strictjson.String {
		return "", has, false
	}
	return member.Text, true, true
}

// parseKey reads one JWK (RFC 7517 §4). why is empty when the key is usable; id
// is its "kid" in any case. Strings are copied: they would keep the document.
func parseKey(jwk *strictjson.Value) (key *verify.Key, id, why string) {
	if jwk.Kind != strictjson.Object {
		return nil, "", "not an object"
	}
	id, present, ok := text(jwk, "kid")
	switch {
	case present && !ok:
		return nil, "", "kid is not a string"
	case len(id) > MaxKID:
		return nil, id, "kid is longer than 256 bytes"
	}
	key, err := verify.ParseJWK(strings.Clone(id), jwk)
	if err != nil {
		return nil, id, err.Error()
	}
	return key, id, ""
}
