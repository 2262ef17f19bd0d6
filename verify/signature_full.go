//go:build full || !wasip1

package verify

import (
	"crypto/sha256"
	"crypto/sha512"
)

// algorithms are those of dist/edgejwt-full.wasm and of everything that does not
// run in a proxy. RSA's come first.
var algorithms = []string{
	RS256, "RS384", "RS512", "PS256", "PS384", "PS512",
	"ES256", "ES384", "ES512", "EdDSA",
}

// DER of a DigestInfo up to the hash (RFC 8017 §9.2, note 1).
const (
	infoSHA384 = "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
	infoSHA512 = "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
)

// hasher gives the hash of some bytes.
type hasher func(text []byte) []byte

func sha256Of(text []byte) []byte {
	hash := sha256.Sum256(text)
	return hash[:]
}

func sha384Of(text []byte) []byte {
	hash := sha512.Sum384(text)
	return hash[:]
}

func sha512Of(text []byte) []byte {
	hash := sha512.Sum512(text)
	return hash[:]
}

// moreRSA has the RSA algorithms besides RS256 (RFC 7518 §3.3, §3.5).
func moreRSA(algorithm string, key *RSAPublicKey, signed string, signature []byte) (valid, known bool) {
	switch algorithm {
	case "RS384":
		return key.verifyPKCS1v15(infoSHA384, sha384Of([]byte(signed)), signature), true
	case "RS512":
		return key.verifyPKCS1v15(infoSHA512, sha512Of([]byte(signed)), signature), true
	case "PS256":
		return key.verifyPSS(sha256Of, signed, signature), true
	case "PS384":
		return key.verifyPSS(sha384Of, signed, signature), true
	case "PS512":
		return key.verifyPSS(sha512Of, signed, signature), true
	}
	return false, false
}

// prepareCurve gives what a key on the named curve checks signatures with.
func prepareCurve(name string, x, y []byte) (algorithm string, check func(signed string, signature []byte) bool, err error) {
	switch name {
	case "P-256":
		algorithm, check, err = prepareP256(x, y)
	case "P-384":
		algorithm, check, err = prepareP384(x, y)
	case "P-521":
		algorithm, check, err = prepareP521(x, y)
	case "Ed25519":
		algorithm, check, err = prepareEd25519(x, y)
	default:
		err = errUnknownCurve
	}
	return algorithm, check, err
}
