package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"

	"edgejwt/verify/strictjson"
)

// The errors of ParseJWK beside those of NewKey. Each is a clause that names what is
// wrong.
var (
	errJWKObject    = errors.New("not an object")
	errJWKPrivate   = errors.New("carries private key material")
	errJWKUse       = errors.New(`use is not "sig"`)
	errJWKOps       = errors.New(`key_ops lacks "verify"`)
	errJWKAlg       = errors.New("alg is not a string")
	errJWKAlgEmpty  = errors.New("alg is empty")
	errJWKNoType    = errors.New("kty is missing or not a string")
	errJWKType      = errors.New("kty is not RSA, EC or OKP")
	errJWKCurveEC   = errors.New("crv is not one that is supported for EC keys")
	errJWKCurveOKP  = errors.New("crv is not one that is supported for OKP keys")
	errJWKPointSize = errors.New("x or y has not the curve's length")
)

// ErrJWKEncryption is ParseJWK's error for a key that is for encryption (RFC 7517 §4.2).
// Providers publish such keys beside the others.
var ErrJWKEncryption = errors.New(`use is "enc"`)

// ParseJWK makes a Key of a JWK (RFC 7517 §4) that may verify signatures. The caller
// has read the JWK's "kid": id becomes the key's ID. Nothing else of jwk is kept.
//
// ParseJWK returns an error for: private or symmetric key material; a "use" other than
// "sig"; "key_ops" without "verify"; a key type other than RSA, EC and OKP; members that
// are not as RFC 7518 §6 and RFC 8037 §2 define them; and what NewKey refuses. The
// error's text is a clause that quotes nothing of the JWK.
func ParseJWK(id string, jwk *strictjson.Value) (*Key, error) {
	if jwk.Kind != strictjson.Object {
		return nil, errJWKObject
	}
	if err := checkUse(jwk); err != nil {
		return nil, err
	}
	algorithm, bound, ok := stringMember(jwk, "alg")
	switch {
	case bound && !ok:
		return nil, errJWKAlg
	case bound && algorithm == "":
		return nil, errJWKAlgEmpty
	}
	public, err := parsePublicKey(jwk)
	if err != nil {
		return nil, err
	}
	return NewKey(id, strings.Clone(algorithm), public)
}

// stringMember returns a member that is a string. has says that there is such a member,
// ok that it is a string.
func stringMember(object *strictjson.Value, name string) (value string, has, ok bool) {
	member, has := object.Member(name)
	if !has || member.Kind != strictjson.String {
		return "", has, false
	}
	return member.Text, true, true
}

// privateMembers are the members that only a private or symmetric key has (RFC 7518
// §6.2.2, §6.3.2, §6.4). Whoever publishes them has lost the key.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// checkUse refuses keys that must not verify signatures, whatever their type.
func checkUse(jwk *strictjson.Value) error {
	for _, name := range privateMembers {
		if _, has := jwk.Member(name); has {
			return errJWKPrivate
		}
	}
	switch use, has, _ := stringMember(jwk, "use"); {
	case has && use == "enc":
		return ErrJWKEncryption
	case has && use != "sig":
		return errJWKUse
	}
	if ops, has := jwk.Member("key_ops"); has {
		verifies := false
		for i := range ops.Children {
			op := &ops.Children[i]
			verifies = verifies || ops.Kind == strictjson.Array && op.Kind == strictjson.String && op.Text == "verify"
		}
		if !verifies {
			return errJWKOps
		}
	}
	return nil
}

// parsePublicKey has one case for each key type (RFC 7518 §6.1, RFC 8037 §2).
func parsePublicKey(jwk *strictjson.Value) (crypto.PublicKey, error) {
	kty, _, ok := stringMember(jwk, "kty")
	if !ok {
		return nil, errJWKNoType
	}
	crv, _, _ := stringMember(jwk, "crv")
	switch kty {
	case "RSA":
		return parseRSA(jwk)
	case "EC":
		if AlgorithmOf(kty, crv) == "" {
			return nil, errJWKCurveEC
		}
		return parsePoint(jwk, crv)
	case "OKP":
		if AlgorithmOf(kty, crv) == "" {
			return nil, errJWKCurveOKP
		}
		return parsePoint(jwk, crv)
	}
	return nil, errJWKType
}

// parseRSA reads the members of an RSA public key (RFC 7518 §6.3.1). Leading zeros
// of a number (RFC 7518 §2) are forbidden by the standard, but providers that pad to
// the modulus length exist and mean the same number.
func parseRSA(jwk *strictjson.Value) (crypto.PublicKey, error) {
	n, err := bytesMember(jwk, "n")
	if err != nil {
		return nil, err
	}
	e, err := bytesMember(jwk, "e")
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, errLongExponent
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

// parsePoint reads the coordinates of a public key on a curve (RFC 7518 §6.2.1,
// RFC 8037 §2). They are as long as the curve's field, leading zeros included.
func parsePoint(jwk *strictjson.Value, crv string) (crypto.PublicKey, error) {
	x, err := bytesMember(jwk, "x")
	if err != nil {
		return nil, err
	}
	y, err := bytesMember(jwk, "y")
	if _, has := jwk.Member("y"); err != nil && (has || crv != "Ed25519") {
		return nil, err
	}
	size, ySize := ed25519.PublicKeySize, 0
	curve := curves[crv]
	if curve != nil {
		size = (curve.Params().BitSize + 7) / 8
		ySize = size
	}
	if len(x) != size || len(y) != ySize {
		return nil, errJWKPointSize
	}
	if curve == nil {
		return ed25519.PublicKey(x), nil
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y)) // SEC 1 §2.3.4
	if err != nil {
		return nil, errNotOnCurve
	}
	return public, nil
}

// curves are those of "kty" EC (RFC 7518 §6.2.1.1).
var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

// bytesMember decodes a member in base64url, at least one byte long.
func bytesMember(jwk *strictjson.Value, name string) ([]byte, error) {
	value, has, _ := stringMember(jwk, name)
	if !has {
		return nil, errors.New(name + " is missing")
	}
	b, ok := DecodeBase64URL(value)
	if !ok || value == "" {
		return nil, errors.New(name + " is not base64url")
	}
	return b, nil
}

// Thumbprint is a SHA-256 digest that identifies a key (RFC 7638) or a certificate (RFC
// 8705 §3.1). It is no secret.
type Thumbprint [sha256.Size]byte

// Thumbprint is the key's JWK thumbprint (RFC 7638 §3, RFC 8037 §2) with SHA-256. It
// depends on the public key only, and not on how a JWK spelled it.
func (k *Key) Thumbprint() Thumbprint {
	encode := base64.RawURLEncoding.EncodeToString
	// The required members in lexicographic order, without white space.
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		exponent := big.NewInt(int64(public.E)).Bytes()
		return sha256.Sum256([]byte(`{"e":"` + encode(exponent) + `","kty":"RSA","n":"` + encode(public.N.Bytes()) + `"}`))
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x, y
		if err != nil {
			break // cannot happen: NewKey has checked the point
		}
		size := len(point) / 2
		return sha256.Sum256([]byte(`{"crv":"` + k.curve + `","kty":"EC","x":"` + encode(point[1:1+size]) + `","y":"` + encode(point[1+size:]) + `"}`))
	case ed25519.PublicKey:
		return sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + encode(public) + `"}`))
	}
	return Thumbprint{}
}
