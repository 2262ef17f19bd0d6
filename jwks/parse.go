package jwks

import (
	"strconv"
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/base64url"
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
	// Index is the key's place in the document, from 0.
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
		text += " (kid " + ascii.Quote(s.ID) + ")"
	}
	return text + ": " + s.Why
}

// Parse reads a key set (RFC 7517 §5). Keys that cannot be used are skipped and
// reported, and do not spoil the others (RFC 7517 §5, last paragraph). The error
// is a Trouble: the document is not a set within bounds, or no usable key
// remains. Nothing of document is kept.
func Parse(document []byte) (*Set, []Skipped, error) { return ParseFor(document, verify.Has) }

// ParseFor is Parse for a build that has other algorithms than this one: it tells
// what the plugin will make of a set.
func ParseFor(document []byte, has func(algorithm string) bool) (*Set, []Skipped, error) {
	if len(document) > MaxDocumentBytes {
		return nil, nil, DocumentTooLong
	}
	root, err := strictjson.Parse(string(document), documentLimits)
	if err != nil {
		return nil, nil, DocumentNotJSON
	}
	list, ok := root.Member("keys")
	switch {
	case !ok || list.Kind != strictjson.Array:
		return nil, nil, DocumentNotASet
	case len(list.Children) > MaxKeys:
		return nil, nil, TooManyKeys
	}
	var (
		keys    []verify.Key
		skipped []Skipped
		seen    = map[string]bool{}
	)
	for i := range list.Children {
		key, id, why := parseKey(&list.Children[i], has)
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
		return nil, skipped, NoUsableKey
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

// fullModule is why a sound key cannot be used by a build that lacks its
// algorithm.
const fullModule = "only edgejwt-full.wasm has its algorithm"

// parseKey reads one JWK (RFC 7517 §4). why is empty when the key is usable; id
// is its "kid" in any case. Strings are copied: they would keep the document.
func parseKey(jwk *strictjson.Value, has func(algorithm string) bool) (key verify.Key, id, why string) {
	if jwk.Kind != strictjson.Object {
		return key, "", "not an object"
	}
	id, present, ok := text(jwk, "kid")
	switch {
	case present && !ok:
		return key, "", "kid is not a string"
	case len(id) > MaxKID:
		return key, id, "kid is longer than 256 bytes"
	}
	key.ID = strings.Clone(id)
	if why = unfit(jwk); why != "" {
		return key, id, why
	}
	algorithm, bound, ok := text(jwk, "alg")
	if bound && !ok {
		return key, id, "alg is not a string"
	}
	key.Algorithm = strings.Clone(algorithm)
	// One case for each key type (RFC 7518 §6.1, RFC 8037 §2).
	switch kty, _, ok := text(jwk, "kty"); {
	case !ok:
		return key, id, "kty is missing or not a string"
	case kty == "RSA":
		switch {
		case bound && verify.TypeOf(algorithm) != kty:
			return key, id, "alg is not one for RSA keys"
		case bound && !has(algorithm):
			return key, id, fullModule
		}
		key.RSA, why = parseRSA(jwk)
	case kty == "EC" || kty == "OKP":
		crv, _, _ := text(jwk, "crv")
		switch fit := algorithmOf(kty, crv); {
		case fit == "":
			return key, id, "crv is not one that is supported for " + kty + " keys"
		case bound && algorithm != fit:
			return key, id, "alg is not the one for the curve"
		case !has(fit):
			return key, id, fullModule
		}
		key.Curve, why = parseCurve(jwk, kty, crv)
	default:
		return key, id, "kty is not RSA, EC or OKP"
	}
	return key, id, why
}

// algorithmOf gives the algorithm that keys of a curve are for (RFC 7518 §3.4,
// §6.2.1.1; RFC 8037 §3.1), and nothing for curves that no build knows.
func algorithmOf(kty, crv string) string {
	switch kty + " " + crv {
	case "EC P-256":
		return "ES256"
	case "EC P-384":
		return "ES384"
	case "EC P-521":
		return "ES512"
	case "OKP Ed25519":
		return "EdDSA"
	}
	return ""
}

// privateMembers are the members that only a private or symmetric key has
// (RFC 7518 §6.3.2, §6.4). A provider that publishes them has lost the key.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// unfit says why a key, whatever its type, must not verify signatures.
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

// parseRSA reads the members of an RSA public key (RFC 7518 §6.3.1).
func parseRSA(jwk *strictjson.Value) (*verify.RSAPublicKey, string) {
	n, ok := decodeUint(jwk, "n")
	if !ok {
		return nil, "n is not base64url"
	}
	e, ok := decodeUint(jwk, "e")
	if !ok {
		return nil, "e is not base64url"
	}
	if len(e) > 4 {
		return nil, "exponent is over 2^31-1"
	}
	exponent := 0
	for _, b := range e {
		exponent = exponent<<8 | int(b)
	}
	key, err := verify.NewRSAPublicKey(n, exponent)
	if err != nil {
		return nil, err.Error()
	}
	return key, ""
}

// decodeUint reads a Base64urlUInt (RFC 7518 §2) without its leading zeros: the
// standard forbids them, but providers that pad to the modulus length exist and
// mean the same number.
func decodeUint(jwk *strictjson.Value, name string) ([]byte, bool) {
	b, ok := decodeBytes(jwk, name)
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b, ok
}

// decodeBytes reads a member whose octets are in base64url, one or more.
func decodeBytes(jwk *strictjson.Value, name string) ([]byte, bool) {
	value, _, ok := text(jwk, name)
	if !ok || value == "" {
		return nil, false
	}
	return base64url.Decode(value)
}
