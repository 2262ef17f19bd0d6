package verify

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
	// RSA is the public key itself. The pointer is the key's identity: whoever
	// replaces a key under the same ID makes a new one.
	RSA *RSAPublicKey
}

// RSAPublicKey is an RSA public key (RFC 7518 §6.3.1). It is never changed after
// it was made. It holds numbers and not an rsa.PublicKey, because a type that
// leads to math/big brings the whole of its printing into the module.
type RSAPublicKey struct {
	// Modulus is odd, of MinRSABits to MaxRSABits bits, big-endian without
	// leading zeros.
	Modulus []byte
	// Exponent is odd, from 3 to 2^31-1.
	Exponent int
}
