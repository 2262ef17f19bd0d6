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

// RS256 is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3): the algorithm of rules
// that name none.
const RS256 = "RS256"

// algorithm is one value of "alg" with the keys and the check that it stands for.
type algorithm struct {
	name           string
	keyType, curve string      // "kty" and "crv" of its keys
	hash           crypto.Hash // 0: the text itself is signed
	pss            bool
}

// algorithms are all that can be checked (RFC 7518 §3.1, RFC 8037 §3.1). ES384 and
// ES512 are dear in Wasm, and whoever knows an issuer's kid can have a signature
// checked: the configuration warns of them.
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

// lookUp finds an algorithm by its name; nil when there is none.
func lookUp(name string) *algorithm {
	for i := range algorithms {
		if algorithms[i].name == name {
			return &algorithms[i]
		}
	}
	return nil
}

// Algorithms lists the values of "alg" that can be checked, RS256 first. The slice
// belongs to the caller.
func Algorithms() []string {
	names := make([]string, len(algorithms))
	for i := range algorithms {
		names[i] = algorithms[i].name
	}
	return names
}

// AlgorithmOf gives an algorithm for keys of this "kty" and "crv" (empty for RSA):
// the only one, except for RSA. It is empty for keys that cannot be used.
func AlgorithmOf(keyType, curve string) string {
	for i := range algorithms {
		if algorithms[i].keyType == keyType && algorithms[i].curve == curve {
			return algorithms[i].name
		}
	}
	return ""
}

// Engine checks signatures: it reports whether signature is the key's signature
// of signed under the algorithm, which has been judged already to be allowed and
// to be the key's. False is an answer; an error means that there is none.
type Engine func(algorithm string, key *Key, signed string, signature []byte) (bool, error)

// GoEngine is the Engine of the standard library. It runs wherever Go does and may
// be called concurrently.
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
		if a.pss { // with a salt of the hash's length (RFC 7518 §3.5)
			return rsaAnswer(rsa.VerifyPSS(public, a.hash, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
		}
		return rsaAnswer(rsa.VerifyPKCS1v15(public, a.hash, digest, signature))
	case *ecdsa.PublicKey:
		// The signature is r and s, each as long as the order (RFC 7518 §3.4).
		size := (public.Params().N.BitLen() + 7) / 8
		if len(signature) != 2*size {
			return false, nil
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return ecdsa.Verify(public, digest, r, s), nil
	}
	return false, refuse(Internal, "the key is of no known type")
}

// rsaAnswer tells a signature that does not verify from a check that was not made.
func rsaAnswer(err error) (bool, error) {
	if err == rsa.ErrVerification {
		return false, nil
	}
	return err == nil, err
}

// VerifySignature checks the token's signature with a key that its issuer
// publishes. The key must be meant for the token's algorithm (RFC 8725 §3.1).
// Reasons: AlgorithmNotAllowed, SignatureInvalid, and Internal when the engine gave
// no answer.
func (t *Token) VerifySignature(engine Engine, key *Key) error {
	if key.Public != nil && !key.Fits(t.algorithm) {
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
