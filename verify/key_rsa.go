package verify

import (
	"errors"
	"math/bits"

	"filippo.io/bigmod"
)

// MinRSABits and MaxRSABits bound the modulus of a usable RSA key. The floor is
// RFC 7518 §3.3; the ceiling keeps one signature check from costing more than
// about sixteen of the usual ones.
const (
	MinRSABits = 2048
	MaxRSABits = 8192
)

// RSAPublicKey is an RSA public key (RFC 7518 §6.3.1), made by NewRSAPublicKey
// and never changed afterwards. It does not hold an rsa.PublicKey, because a type
// that leads to math/big brings the whole of its printing into the module.
type RSAPublicKey struct {
	// Modulus is odd, of MinRSABits to MaxRSABits bits, big-endian without
	// leading zeros.
	Modulus []byte
	// Exponent is odd, from 3 to 2^31-1.
	Exponent int

	// prepared is the modulus with what modular multiplication needs to know of
	// it, which costs as much as a fifth of a signature check.
	prepared *bigmod.Modulus
}

// The errors of NewRSAPublicKey. Each is a clause that names what is wrong.
var (
	errShortModulus = errors.New("modulus is under 2048 bits")
	errLongModulus  = errors.New("modulus is over 8192 bits")
	errEvenModulus  = errors.New("modulus is even")
	errOne          = errors.New("exponent is 1")
	errEvenExponent = errors.New("exponent is even")
	errLongExponent = errors.New("exponent is over 2^31-1")
)

// NewRSAPublicKey makes a key of a big-endian modulus without leading zeros,
// which it takes over. It refuses what crypto/rsa refuses (an even modulus, an
// exponent that is even, 1 or over 2^31-1) and sizes that are too small to trust
// or too large to compute with. Whether the modulus is a product of two primes
// cannot be seen.
func NewRSAPublicKey(modulus []byte, exponent int) (*RSAPublicKey, error) {
	size := len(modulus) * 8
	if size > 0 {
		size -= bits.LeadingZeros8(modulus[0])
	}
	switch {
	case size > MaxRSABits:
		return nil, errLongModulus
	case size < MinRSABits || modulus[0] == 0:
		return nil, errShortModulus
	case modulus[len(modulus)-1]%2 == 0:
		return nil, errEvenModulus
	case exponent > 1<<31-1:
		return nil, errLongExponent
	case exponent%2 == 0:
		return nil, errEvenExponent
	case exponent < 3:
		return nil, errOne
	}
	prepared, err := bigmod.NewModulus(modulus)
	if err != nil {
		return nil, err
	}
	return &RSAPublicKey{Modulus: modulus, Exponent: exponent, prepared: prepared}, nil
}
