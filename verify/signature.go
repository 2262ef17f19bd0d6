package verify

import (
	"crypto/sha256"
	"unsafe"
)

// Engine checks signatures: it reports whether signature is the key's signature
// of signed under the algorithm, which has been judged already to be allowed and
// to be the key's. False is an answer; an error means that there is none.
type Engine func(algorithm string, key Key, signed string, signature []byte) (bool, error)

// GoEngine is the Engine that is plain Go: it runs wherever Go does and may be
// called concurrently.
//
// RSA is checked here and not by crypto/rsa, with the arithmetic inside of
// crypto/rsa (filippo.io/bigmod, by the same maintainer): the step from there to
// a decision is three lines of RFC 8017. It saves the module 420 KB, an eighth
// (crypto/rsa brings signing, key generation, math/big and fmt along), and lets
// what depends on the key alone be computed once for a key and not once for a
// token: 2.1 times the speed natively, 1.4 times as Wasm. What crypto/rsa demands
// of a key NewRSAPublicKey demands, and tests hold both to the same answers.
//
// The other algorithms, of builds that have them (Algorithms), are done the same
// way on the arithmetic inside of the standard library (filippo.io/bigmod, nistec,
// edwards25519), and held to the standard library's answers. What they add to the
// module, and what the standard library would:
//
//	RS384, RS512, keys of other types    30 KB
//	PS256, PS384, PS512                   8 KB    crypto/rsa 480 KB
//	ES256                               224 KB
//	ES384, ES512                        338 KB    crypto/ecdsa, all three 1,600 KB
//	EdDSA                               109 KB    crypto/ed25519 142 KB
//	(regex paths, for comparison        558 KB)
//
// A check costs, as Wasm and with RS256 of 2048 bits as 1: PS256 1, EdDSA 2,
// ES256 5, ES384 17, ES512 230 (Wasm cannot multiply to 128 bits; crypto/ecdsa is
// no faster). Whoever knows an issuer's kid can have a signature checked: ES512 is
// for an Engine outside of the module.
func GoEngine(algorithm string, key Key, signed string, signature []byte) (bool, error) {
	switch {
	case !key.fits(algorithm):
	case key.Curve != nil && key.Curve.check != nil:
		return key.Curve.check(signed, signature), nil
	case key.RSA == nil || key.RSA.prepared == nil:
	case algorithm == RS256:
		hash := sha256.Sum256(unsafe.Slice(unsafe.StringData(signed), len(signed))) // which only reads
		return key.RSA.verifyPKCS1v15(infoSHA256, hash[:], signature), nil
	default:
		if valid, known := moreRSA(algorithm, key.RSA, signed, signature); known {
			return valid, nil
		}
	}
	return false, refuse(Internal, "the engine does not have this algorithm for this key")
}

// Algorithms lists the values of "alg" (RFC 7518 §3.1, RFC 8037 §3.1) that this
// build has: RS256 in dist/edgejwt.wasm, and ten in dist/edgejwt-full.wasm (build
// tag full) and in every program that does not run in a proxy. The slice belongs
// to the caller.
func Algorithms() []string { return append([]string(nil), algorithms...) }

// Has reports whether this build has the algorithm.
func Has(algorithm string) bool { return contains(algorithms, algorithm) }

// VerifySignature checks the token's signature with the key that its issuer
// publishes under the token's kid. The key must be meant for the token's
// algorithm (RFC 8725 §3.1). Reasons: AlgorithmNotAllowed, SignatureInvalid, and
// Internal when the engine gave no answer.
func (t *Token) VerifySignature(engine Engine, key Key) error {
	if (key.RSA != nil || key.Curve != nil) && !key.fits(t.algorithm) {
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
