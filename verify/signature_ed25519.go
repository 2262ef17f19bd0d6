//go:build full || !wasip1

package verify

import (
	"bytes"

	"filippo.io/edwards25519"
)

// prepareEd25519 gives the check for one key (RFC 8037 §3.1). The point has one
// encoding (RFC 8032 §5.1.3), and is not one of small order.
func prepareEd25519(x, y []byte) (string, func(string, []byte) bool, error) {
	if len(x) != 32 || len(y) != 0 {
		return "", nil, errLength
	}
	a, err := new(edwards25519.Point).SetBytes(x)
	if err != nil || !bytes.Equal(a.Bytes(), x) || new(edwards25519.Point).MultByCofactor(a).Equal(edwards25519.NewIdentityPoint()) == 1 {
		return "", nil, errNotOnCurve
	}
	negative := new(edwards25519.Point).Negate(a)
	return "EdDSA", func(signed string, signature []byte) bool {
		return verifyEd25519(x, negative, signed, signature)
	}, nil
}

// verifyEd25519 follows RFC 8032 §5.1.7 as crypto/ed25519 does: S is below the
// group's order, and R is compared as bytes with S·B - k·A, without the cofactor.
func verifyEd25519(key []byte, negative *edwards25519.Point, signed string, signature []byte) bool {
	if len(signature) != 64 {
		return false
	}
	s, err := new(edwards25519.Scalar).SetCanonicalBytes(signature[32:])
	if err != nil {
		return false
	}
	hash := sha512Of(bytes.Join([][]byte{signature[:32], key, []byte(signed)}, nil))
	k, err := new(edwards25519.Scalar).SetUniformBytes(hash)
	if err != nil {
		return false
	}
	r := new(edwards25519.Point).VarTimeDoubleScalarBaseMult(k, negative, s)
	return bytes.Equal(r.Bytes(), signature[:32])
}
