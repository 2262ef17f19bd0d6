package verify

import "crypto/sha256"

// Engine checks signatures: it reports whether signature is the key's signature
// of signed under the algorithm, which has been judged already to be allowed and
// to be the key's. False is an answer; an error means that there is none.
type Engine func(algorithm string, key Key, signed string, signature []byte) (bool, error)

// GoEngine is the Engine that is plain Go: it runs wherever Go does and may be
// called concurrently.
//
// RSA is checked here and not by crypto/rsa, with the arithmetic inside of
// crypto/rsa (filippo.io/bigmod, by the same maintainer): the step from there to
// a decision is three lines of RFC 8017. It saves the module an eighth of its
// size (crypto/rsa brings signing, key generation, math/big and fmt along), and
// lets what depends on the key alone be computed once for a key and not once for
// a token. What crypto/rsa demands of a key NewRSAPublicKey demands, and tests
// hold both to the same answers.
func GoEngine(algorithm string, key Key, signed string, signature []byte) (bool, error) {
	if algorithm != RS256 || key.RSA == nil || key.RSA.prepared == nil {
		return false, refuse(Internal, "the engine does not have this algorithm")
	}
	hash := sha256.Sum256([]byte(signed))
	return key.RSA.verifyPKCS1v15(infoSHA256, hash[:], signature), nil
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
