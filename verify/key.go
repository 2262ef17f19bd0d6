package verify

// Key is one public key that may verify signatures, taken from a JWK (RFC 7517
// §4). It is never changed after it was made and may be shared by goroutines.
// Two of them that are equal (==) are the same key of one issuer: whoever replaces
// a key under the same ID makes a new one, with pointers of its own.
type Key struct {
	// ID is the JWK's "kid"; empty when it has none.
	ID string
	// Algorithm is the JWK's "alg"; empty when the key is bound to none.
	Algorithm string
	// RSA is the public key itself when "kty" is RSA, and nil otherwise.
	RSA *RSAPublicKey
	// Curve is the public key itself when "kty" is EC or OKP, and nil otherwise.
	Curve *CurvePublicKey
}

// fits reports whether the key may be used with the algorithm (RFC 8725 §3.1): it
// has the algorithm's type, and its issuer has not bound it to another algorithm.
// A key on a curve has one algorithm only; an RSA key without "alg" has six.
func (k *Key) fits(algorithm string) bool {
	if k.Algorithm != "" && k.Algorithm != algorithm {
		return false
	}
	if k.Curve != nil {
		return k.RSA == nil && k.Curve.Algorithm == algorithm
	}
	return TypeOf(algorithm) == "RSA"
}

// TypeOf gives the "kty" that keys of the algorithm have (RFC 7518 §3.1, §6.1;
// RFC 8037 §3.1), whether or not this build has the algorithm. It is empty for
// algorithms that no build has.
func TypeOf(algorithm string) string {
	switch algorithm {
	case RS256, "RS384", "RS512", "PS256", "PS384", "PS512":
		return "RSA"
	case "ES256", "ES384", "ES512":
		return "EC"
	case "EdDSA":
		return "OKP"
	}
	return ""
}
