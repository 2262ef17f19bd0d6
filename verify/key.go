package verify

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"math"
	"strconv"

	"filippo.io/edwards25519"
)

// Key is a public key of a JWK (RFC 7517 §4). NewKey makes it. It is never changed
// afterwards and may be shared by goroutines. Keys are compared by identity (==): when
// an issuer replaces a key under the same ID, the new key is another pointer.
type Key struct {
	// ID is the JWK's "kid"; empty when it has none.
	ID string
	// Algorithm is the JWK's "alg"; empty when the key is bound to none.
	Algorithm string
	// Public is an *rsa.PublicKey, an *ecdsa.PublicKey or an ed25519.PublicKey.
	Public crypto.PublicKey

	keyType, curve string // "kty" and "crv"
	encoded        string // the public key's bytes, for comparison
}

// MinRSABits and MaxRSABits bound the length of an RSA modulus. The minimum is that of
// RFC 7518 §3.3. The maximum bounds the cost of a signature check.
const (
	MinRSABits = 2048
	MaxRSABits = 8192
)

// The errors of NewKey. Each is a clause that names what is wrong.
var (
	errShortModulus = errors.New("modulus is under 2048 bits")
	errLongModulus  = errors.New("modulus is over 8192 bits")
	errEvenModulus  = errors.New("modulus is even")
	errOne          = errors.New("exponent is 1")
	errEvenExponent = errors.New("exponent is even")
	errLongExponent = errors.New("exponent is over 2^31-1")
	errNotOnCurve   = errors.New("x and y are not a point of the curve")
	errKeyType      = errors.New("the key is not one for RSA, P-256, P-384, P-521 or Ed25519")
	errRSAAlgorithm = errors.New("alg is not one for RSA keys")
	errCurve        = errors.New("alg is not the one for the curve")
)

// NewKey makes a key of a public key: an *rsa.PublicKey, an *ecdsa.PublicKey on P-256,
// P-384 or P-521, or an ed25519.PublicKey. The caller must not change public
// afterwards. algorithm is the "alg" that the key is bound to, or empty.
//
// NewKey returns an error for: an RSA modulus outside MinRSABits and MaxRSABits or even;
// an RSA exponent that is even, less than 3 or more than 2^31-1; a point that is not on
// its curve; an Ed25519 point of small order or in a non-canonical encoding; another type
// of key; an algorithm that is not for keys of this type. The error's text is a clause
// that quotes nothing of the key.
func NewKey(id, algorithm string, public crypto.PublicKey) (*Key, error) {
	k := &Key{ID: id, Algorithm: algorithm, Public: public}
	var err, mismatch error
	switch public := public.(type) {
	case *rsa.PublicKey:
		k.keyType, mismatch = "RSA", errRSAAlgorithm
		if err = checkRSA(public); err == nil {
			k.encoded = strconv.Itoa(public.E) + " " + string(public.N.Bytes())
		}
	case *ecdsa.PublicKey:
		k.keyType, mismatch = "EC", errCurve
		if point, off := public.Bytes(); off != nil { // it checks that the point is on the curve
			err = errNotOnCurve
		} else {
			k.curve, k.encoded = public.Params().Name, string(point)
		}
	case ed25519.PublicKey:
		k.keyType, k.curve, k.encoded, mismatch = "OKP", "Ed25519", string(public), errCurve
		err = checkEd25519(public)
	}
	switch {
	case err != nil:
		return nil, err
	case AlgorithmOf(k.keyType, k.curve) == "":
		return nil, errKeyType
	case algorithm != "" && !k.Fits(algorithm):
		return nil, mismatch
	}
	return k, nil
}

// checkRSA refuses keys that crypto/rsa refuses, and a modulus out of bounds.
func checkRSA(k *rsa.PublicKey) error {
	switch {
	case k.N == nil || k.N.BitLen() < MinRSABits:
		return errShortModulus
	case k.N.BitLen() > MaxRSABits:
		return errLongModulus
	case k.N.Bit(0) == 0:
		return errEvenModulus
	case k.E > math.MaxInt32:
		return errLongExponent
	case k.E%2 == 0:
		return errEvenExponent
	case k.E < 3:
		return errOne
	}
	return nil
}

// checkEd25519 requires a point in canonical encoding (RFC 8032 §5.1.3) that is not of
// small order. crypto/ed25519 accepts points of small order, for which anybody can sign.
func checkEd25519(k ed25519.PublicKey) error {
	p, err := new(edwards25519.Point).SetBytes(k)
	if err != nil || !bytes.Equal(p.Bytes(), k) || new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1 {
		return errNotOnCurve
	}
	return nil
}

// Fits reports whether the key may be used with the algorithm (RFC 8725 §3.1): the key
// has the algorithm's type and curve, and no other "alg".
func (k *Key) Fits(algorithm string) bool {
	a := lookUp(algorithm)
	return a != nil && a.keyType == k.keyType && a.curve == k.curve && (k.Algorithm == "" || k.Algorithm == algorithm)
}

// SamePublicKey reports whether both keys have the same public key, whatever their ID
// and Algorithm.
func (k *Key) SamePublicKey(other *Key) bool {
	return k.keyType == other.keyType && k.curve == other.curve && k.encoded == other.encoded
}

// Same reports whether both keys have the same ID, the same Algorithm and the same
// public key. It is for key sets of one issuer.
func (k *Key) Same(other *Key) bool {
	return k.ID == other.ID && k.Algorithm == other.Algorithm && k.SamePublicKey(other)
}
