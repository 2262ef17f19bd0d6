package verify

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
)

// Engine checks signatures: it reports whether signature is the key's signature
// of signed under the algorithm, which is RS256 and has been judged already to be
// allowed and to be the key's. False is an answer; an error means that there is
// none.
type Engine func(algorithm string, key Key, signed string, signature []byte) (bool, error)

// GoEngine is the Engine that is crypto/rsa: it runs wherever Go does and may be
// called concurrently. crypto/rsa asks for the exact length of the signature, for
// a value below the modulus, and for the one encoding that RFC 8017 §8.2.2 has,
// compared as a whole.
func GoEngine(algorithm string, key Key, signed string, signature []byte) (bool, error) {
	if algorithm != RS256 || key.RSA == nil {
		return false, refuse(Internal, "the engine does not have this algorithm")
	}
	digest := sha256.Sum256([]byte(signed))
	public := rsa.PublicKey{N: new(big.Int).SetBytes(key.RSA.Modulus), E: key.RSA.Exponent}
	return rsa.VerifyPKCS1v15(&public, crypto.SHA256, digest[:], signature) == nil, nil
}

// VerifySignature checks the token's signature with the key that its issuer
// publishes under the token's kid. The key must be meant for the token's
// algorithm (RFC 8725 §3.1). Reasons: AlgorithmNotAllowed, SignatureInvalid, and
// Internal when the engine gave no answer.
func (t *Token) VerifySignature(engine Engine, key Key) error {
	if key.Algorithm != "" && key.Algorithm != t.algorithm {
		return refuse(AlgorithmNotAllowed, "the key is for another algorithm")
	}
	valid, err := engine(t.algorithm, key, t.signed, t.signature)
	if err != nil {
		return refuse(Internal, "the engine gave no answer")
	}
	if !valid {
		return refuse(SignatureInvalid, "the signature does not verify")
	}
	return nil
}
