package jwks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
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

// String names the key and the reason in a form that is safe to log.
func (s Skipped) String() string {
	text := "key " + strconv.Itoa(s.Index)
	if s.ID != "" {
		text += " (kid " + strconv.QuoteToASCII(s.ID) + ")"
	}
	return text + ": " + s.Why
}

// Parse reads a key set (RFC 7517 §5). With algorithms, keys that fit none of them are
// skipped; without, a key may be for any algorithm of package verify. Keys that
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
		seen    = map[string]bool{}
	)
	for i := range list.Children {
		key, id, why := parseKey(&list.Children[i])
		if why == "" && len(algorithms) > 0 && !slices.ContainsFunc(algorithms, key.Fits) {
			why = "is for an algorithm that the rule does not name"
		}
		if why == "" && key.ID != "" {
			if seen[key.ID] {
				why = "an earlier key has the same kid"
			}
			seen[key.ID] = true
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
	if why = unfit(jwk); why != "" {
		return nil, id, why
	}
	algorithm, bound, ok := text(jwk, "alg")
	switch {
	case bound && !ok:
		return nil, id, "alg is not a string"
	case bound && algorithm == "":
		return nil, id, "alg is empty"
	}
	var public crypto.PublicKey
	// One case for each key type (RFC 7518 §6.1, RFC 8037 §2).
	switch kty, _, ok := text(jwk, "kty"); {
	case !ok:
		return nil, id, "kty is missing or not a string"
	case kty == "RSA":
		public, why = parseRSA(jwk)
	case kty == "EC" || kty == "OKP":
		crv, _, _ := text(jwk, "crv")
		if verify.AlgorithmOf(kty, crv) == "" {
			return nil, id, "crv is not one that is supported for " + kty + " keys"
		}
		public, why = parsePoint(jwk, crv)
	default:
		return nil, id, "kty is not RSA, EC or OKP"
	}
	if why != "" {
		return nil, id, why
	}
	key, err := verify.NewKey(strings.Clone(id), strings.Clone(algorithm), public)
	if err != nil {
		return nil, id, err.Error()
	}
	return key, id, ""
}

// privateMembers are the members that only a private or symmetric key has
// (RFC 7518 §6.3.2, §6.4). A provider that publishes them has lost the key.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// unfit says why a key must not verify signatures, whatever its type.
func unfit(jwk *strictjson.Value) string {
	for _, name := range privateMembers {
		if _, has := jwk.Member(name); has {
			return "carries private key material"
		}
	}
	if use, has, _ := text(jwk, "use"); has && use != "sig" {
		return `use is not "sig"`
	}
	if ops, has := jwk.Member("key_ops"); has {
		verifies := false
		for i := range ops.Children {
			op := &ops.Children[i]
			verifies = verifies || ops.Kind == strictjson.Array && op.Kind == strictjson.String && op.Text == "verify"
		}
		if !verifies {
			return `key_ops lacks "verify"`
		}
	}
	return ""
}

// parseRSA reads the members of an RSA public key (RFC 7518 §6.3.1). Leading zeros
// of a number (RFC 7518 §2) are forbidden by the standard, but providers that pad to
// the modulus length exist and mean the same number.
func parseRSA(jwk *strictjson.Value) (crypto.PublicKey, string) {
	n, ok := decodeBytes(jwk, "n")
	if !ok {
		return nil, "n is not base64url"
	}
	e, ok := decodeBytes(jwk, "e")
	if !ok {
		return nil, "e is not base64url"
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, "exponent is over 2^31-1"
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, ""
}

// parsePoint reads the coordinates of a public key on a curve (RFC 7518 §6.2.1,
// RFC 8037 §2). They are as long as the curve's field, leading zeros included.
func parsePoint(jwk *strictjson.Value, crv string) (crypto.PublicKey, string) {
	x, ok := decodeBytes(jwk, "x")
	if !ok {
		return nil, "x is not base64url"
	}
	y, ok := decodeBytes(jwk, "y")
	if _, has := jwk.Member("y"); !ok && (has || crv != "Ed25519") {
		return nil, "y is not base64url"
	}
	size, ySize := ed25519.PublicKeySize, 0
	curve := curves[crv]
	if curve != nil {
		size = (curve.Params().BitSize + 7) / 8
		ySize = size
	}
	if len(x) != size || len(y) != ySize {
		return nil, "x or y has not the curve's length"
	}
	if curve == nil {
		return ed25519.PublicKey(x), ""
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y)) // SEC 1 §2.3.4
	if err != nil {
		return nil, "x and y are not a point of the curve"
	}
	return public, ""
}

// curves are those of "kty" EC (RFC 7518 §6.2.1.1).
var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

// decodeBytes reads a member in base64url, at least one byte long.
func decodeBytes(jwk *strictjson.Value, name string) ([]byte, bool) {
	value, _, ok := text(jwk, name)
	if !ok || value == "" {
		return nil, false
	}
	return verify.DecodeBase64URL(value)
}
