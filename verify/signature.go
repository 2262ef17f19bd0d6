package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.Hash
	_ "crypto/sha512"
	"math/big"
)

// RS256 is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3), the default algorithm.
const RS256 = "RS256"

// algorithm is one value of "alg" with its type of key and its kind of signature.
type algorithm struct {
	name           string
	keyType, curve string      // "kty" and "crv" of its keys
	hash           crypto.Hash // 0: the algorithm signs the text without a hash
	pss            bool
}

// algorithms are all supported algorithms (RFC 7518 §3.1, RFC 8037 §3.1). ES384 and
// ES512 are slow in Wasm, and anybody who knows an issuer's kid can cause signature
// checks. So the configuration warns about them.
var algorithms = []algorithm{
	{RS256, "RSA", "", crypto.SHA256, false},
	{"RS384", "RSA", "", crypto.SHA384, false},
	{"RS512", "RSA", "", crypto.SHA512, false},
	{"PS256", "RSA", "", crypto.SHA256, true},
	{"PS384", "RSA", "", crypto.SHA384, true},
	{"PS512", "RSA", "", crypto.SHA512, true},
	{"ES256", "EC", "P-256", crypto.SHA256, false},
	{"ES384", "EC", "P-384", crypto.SHA384, false},
	{"ES512", "EC", "P-521", crypto.SHA512, false},
	{"EdDSA", "OKP", "Ed25519", 0, false},
}

// lookUp returns the algorithm of that name, or nil.
func lookUp(name string) *algorithm {
	for i := range algorithms {
		if algorithms[i].name == name {
			return &algorithms[i]
		}
	}
	return nil
}

// Algorithms lists the supported values of "alg", RS256 first. The slice belongs to the
// caller.
func Algorithms() []string {
	names := make([]string, len(algorithms))
	for i := range algorithms {
		names[i] = algorithms[i].name
	}
	return names
}

// AlgorithmOf returns the algorithm for keys of this "kty" and "crv", or "" if the type
// is not supported. RSA has no "crv" and several algorithms, of which it returns RS256.
func AlgorithmOf(keyType, curve string) string {
	for i := range algorithms {
		if algorithms[i].keyType == keyType && algorithms[i].curve == curve {
			return algorithms[i].name
		}
	}
	return ""
}

// Engine checks a signature: it reports whether signature is the key's signature of
// signed under the algorithm. The caller has checked that the algorithm is allowed and
// fits the key. An error means that the signature could not be checked.
type Engine func(algorithm string, key *Key, signed string, signature []byte) (bool, error)

// GoEngine is the Engine that uses the standard library. It may be called concurrently.
func GoEngine(algorithm string, key *Key, signed string, signature []byte) (bool, error) {
	if !key.Fits(algorithm) {
		return false, refuse(Internal, "the key is for another algorithm")
	}
	a := lookUp(algorithm)
	if public, ok := key.Public.(ed25519.PublicKey); ok {
		return ed25519.Verify(public, []byte(signed), signature), nil
	}
	hash := a.hash.New()
	hash.Write([]byte(signed))
	digest := hash.Sum(nil)
	switch public := key.Public.(type) {
	case *rsa.PublicKey:
		if a.pss { // the salt is as long as the hash (RFC 7518 §3.5)
			return rsaAnswer(rsa.VerifyPSS(public, a.hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
		}
		return rsaAnswer(rsa.VerifyPKCS1v15(public, a.hash, digest, signature))
	case *ecdsa.PublicKey:
		// The signature is r and s, each as long as the curve's order (RFC 7518 §3.4).
		size := (public.Params().N.BitLen() + 7) / 8
		if len(signature) != 2*size {
			return false, nil
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return ecdsa.Verify(public, digest, r, s), nil
	}
	return false, refuse(Internal, "the key is of no known type")
}

// rsaAnswer distinguishes a signature that does not verify from an error.
func rsaAnswer(err error) (bool, error) {
	if err == rsa.ErrVerification {
		return false, nil
	}
	return err == nil, err
}

// VerifySignature checks the token's signature with a key of its issuer. The key must
// fit the token's algorithm (RFC 8725 §3.1). Reasons: AlgorithmNotAllowed,
// SignatureInvalid, and Internal when the engine returned an error.
func (t *Token) VerifySignature(engine Engine, key *Key) error {
	return verifySignature(engine, key, t.algorithm, t.signed, t.signature)
}

func verifySignature(engine Engine, key *Key, algorithm, signed string, signature []byte) error {
	if key.Public != nil && !key.Fits(algorithm) {
		return refuse(AlgorithmNotAllowed, "the key is for another algorithm")
	}
	valid, err := engine(algorithm, key, signed, signature)
	if err != nil {
		return refuse(Internal, "the engine gave no answer")
	}
	if !valid {
		return refuse(SignatureInvalid, "the signature does not verify")
	}
	return nil
}
