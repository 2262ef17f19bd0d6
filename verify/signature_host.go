package verify

import (
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"math/big"
	"strings"
)

// HostCall calls Envoy's foreign function verify_signature. The message is
// VerifySignatureArguments and the answer VerifySignatureResult, in protobuf. An error
// means that the call failed.
type HostCall func(message []byte) (answer []byte, err error)

// NewHostEngine makes the Engine that lets the proxy check RS256 signatures in native
// code. GoEngine checks what the proxy cannot check, and everything that the proxy does
// not answer with exactly yes or exactly no. The engine calls checked after each check.
// It must not be called concurrently.
func NewHostEngine(call HostCall, checked func(byHost bool)) Engine {
	var last *Key // whose encoding is kept
	var encoded, message []byte
	return func(algorithm string, key *Key, signed string, signature []byte) (bool, error) {
		// GoEngine refuses a signature of a wrong length without arithmetic.
		public, isRSA := key.Public.(*rsa.PublicKey)
		if algorithm != RS256 || !isRSA || !key.Fits(algorithm) || len(signature) != public.Size() {
			checked(false)
			return GoEngine(algorithm, key, signed, signature)
		}
		if key != last {
			last, encoded = key, subjectPublicKeyInfo(public)
		}
		message = question(message[:0], encoded, signed, signature)
		if answer, err := call(message); err == nil {
			if valid, ok := readAnswer(answer); ok {
				checked(true)
				return valid, nil
			}
		}
		checked(false)
		return GoEngine(algorithm, key, signed, signature)
	}
}

// ProveHost reports whether the proxy checks signatures correctly: it must accept a
// signature that verifies (RFC 7515, appendix A.2), and refuse it when the text or one
// bit of the signature is changed.
func ProveHost(call HostCall) bool {
	modulus, _ := base64.RawURLEncoding.DecodeString(provenModulus)
	signature, _ := base64.RawURLEncoding.DecodeString(provenSignature)
	encoded := subjectPublicKeyInfo(&rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: 65537})
	ask := func(signed string, signature []byte) (valid, ok bool) {
		answer, err := call(question(nil, encoded, signed, signature))
		if err != nil {
			return false, false
		}
		return readAnswer(answer)
	}
	if valid, ok := ask(provenText, signature); !valid || !ok {
		return false
	}
	if valid, ok := ask(provenText[1:], signature); valid || !ok {
		return false
	}
	signature[len(signature)/2] ^= 1
	valid, ok := ask(provenText, signature)
	return !valid && ok
}

// question appends VerifySignatureArguments to m. Its fields are 1 hash function,
// 2 public key, 3 signature, 4 text.
func question(m, key []byte, signed string, signature []byte) []byte {
	m = append(appendLength(m, 1, len("sha256")), "sha256"...)
	m = append(appendLength(m, 2, len(key)), key...)
	m = append(appendLength(m, 3, len(signature)), signature...)
	return append(appendLength(m, 4, len(signed)), signed...)
}

// appendLength begins a protobuf field of n bytes.
func appendLength(m []byte, number byte, n int) []byte {
	return binary.AppendUvarint(append(m, number<<3|2), uint64(n))
}

// notVerified is the start of Envoy's error for a signature that does not verify. Other
// errors mean that Envoy could not check it.
const notVerified = "Failed to verify digest"

// readAnswer reads VerifySignatureResult, whose fields are 1 result, 2 error. ok is
// false when the answer is neither yes nor no. A no must have its error: an empty
// message is no answer.
func readAnswer(m []byte) (valid, ok bool) {
	text := string(m)
	if text == "\x08\x01" {
		return true, true
	}
	text = strings.TrimPrefix(text, "\x08\x00")
	// All of Envoy's errors are so short that their length takes one byte.
	ok = len(text) >= 2 && text[0] == 2<<3|2 && text[1] < 0x80 && int(text[1]) == len(text)-2 &&
		strings.HasPrefix(text[2:], notVerified)
	return false, ok
}

// subjectPublicKeyInfo is the key in DER (RFC 5280 §4.1.2.7, RFC 8017 §A.1.1).
// crypto/x509 would write the same bytes, but makes the module much larger.
func subjectPublicKeyInfo(key *rsa.PublicKey) []byte {
	type algorithmIdentifier struct {
		Algorithm  asn1.ObjectIdentifier
		Parameters asn1.RawValue
	}
	bits, err := asn1.Marshal(*key) // SEQUENCE { modulus, publicExponent }
	if err != nil {
		return nil // cannot happen: both are numbers
	}
	info, err := asn1.Marshal(struct {
		Algorithm algorithmIdentifier
		PublicKey asn1.BitString
	}{
		algorithmIdentifier{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, asn1.NullRawValue}, // rsaEncryption (RFC 3279 §2.3.1)
		asn1.BitString{Bytes: bits, BitLength: 8 * len(bits)},
	})
	if err != nil {
		return nil // cannot happen: every field has an encoding
	}
	return info
}

// The example of RFC 7515, appendix A.2, whose exponent is 65537.
const (
	provenModulus = "" +
		"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR" +
		"T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB" +
		"dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia" +
		"GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
	provenText = "" +
		"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19" +
		"yb290Ijp0cnVlfQ"
	provenSignature = "" +
		"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9" +
		"uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB" +
		"_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq" +
		"Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
