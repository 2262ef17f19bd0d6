package verify

import (
	"bytes"

	"filippo.io/bigmod"
)

// infoSHA256 is the DER of a DigestInfo up to the hash (RFC 8017 §9.2, note 1).
const infoSHA256 = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

// verifyPKCS1v15 is RSASSA-PKCS1-V1_5-VERIFY (RFC 8017 §8.2.2) of a hash, whose
// algorithm info names.
func (k *RSAPublicKey) verifyPKCS1v15(info string, hash, signature []byte) bool {
	message, ok := k.power(signature)
	return ok && bytes.Equal(message, encodePKCS1v15(info, hash, len(message)))
}

// power is s^e mod n, as long as the modulus is (RFC 8017 §5.2.2, RSAVP1). It
// refuses a signature of another length than the modulus's, and one that is not
// below the modulus. Everything here is public: time may tell.
func (k *RSAPublicKey) power(signature []byte) ([]byte, bool) {
	if len(signature) != k.prepared.Size() {
		return nil, false
	}
	s, err := bigmod.NewNat().SetBytes(signature, k.prepared)
	if err != nil {
		return nil, false
	}
	return bigmod.NewNat().ExpShortVarTime(s, uint(k.Exponent), k.prepared).Bytes(k.prepared), true
}

// encodePKCS1v15 is EMSA-PKCS1-v1_5 (RFC 8017 §9.2): 00 01 FF … FF 00 info hash.
// The whole of it is compared; a verifier that parses instead can be made to
// accept what nobody signed (Bleichenbacher 2006). The size is at least
// MinRSABits/8, which leaves room for far more than the eight FF that step 4 asks
// for, with any hash of this package.
func encodePKCS1v15(info string, hash []byte, size int) []byte {
	message := bytes.Repeat([]byte{0xff}, size)
	end := size - len(info) - len(hash)
	message[0], message[1], message[end-1] = 0x00, 0x01, 0x00
	copy(message[end:], info)
	copy(message[size-len(hash):], hash)
	return message
}
