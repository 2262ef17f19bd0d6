package verify

import "crypto/rsa"

// MinRSABits and MaxRSABits bound the modulus of a usable RSA key. The floor is
// RFC 7518 §3.3; the ceiling keeps one signature check from costing more than
// about sixteen of the usual ones.
const (
	MinRSABits = 2048
	MaxRSABits = 8192
)

// Key is one public key that may verify signatures, taken from a JWK (RFC 7517
// §4). It is never changed after it was made and may be shared by goroutines.
type Key struct {
	// ID is the JWK's "kid"; empty when it has none.
	ID string
	// Algorithm is the JWK's "alg"; empty when the key is bound to none.
	Algorithm string
	// RSA is the public key itself, with a modulus of MinRSABits to MaxRSABits
	// bits and an odd exponent of at least 3.
	RSA *rsa.PublicKey
}
