//go:build full || !wasip1

package verify

import (
	"bytes"
	"encoding/binary"
)

// verifyPSS is RSASSA-PSS-VERIFY (RFC 8017 §8.1.2) with MGF1 over the same hash
// and a salt of the hash's length, as RFC 7518 §3.5 demands. The numbers are the
// steps of EMSA-PSS-VERIFY (RFC 8017 §9.1.2). MinRSABits leaves room for the
// longest hash and salt (step 3).
func (k *RSAPublicKey) verifyPSS(sum hasher, signed string, signature []byte) bool {
	message, ok := k.power(signature)
	if !ok {
		return false
	}
	bits := k.prepared.BitLen() - 1
	if bits%8 == 0 { // the encoded message is a byte shorter than the modulus
		if message[0] != 0 {
			return false
		}
		message = message[1:]
	}
	hash := sum([]byte(signed)) // 2
	end := len(message) - 1
	if message[end] != 0xbc { // 4
		return false
	}
	block, seed := message[:end-len(hash)], message[end-len(hash):end] // 5
	top := byte(0xff >> (8*len(message) - bits))
	if block[0]&^top != 0 { // 6
		return false
	}
	unmask(block, seed, sum) // 7, 8
	block[0] &= top          // 9

	salt := block[len(block)-len(hash):]
	padding := block[:len(block)-len(salt)-1]
	for _, b := range padding { // 10
		if b != 0 {
			return false
		}
	}
	if block[len(padding)] != 1 {
		return false
	}
	again := append(make([]byte, 8, 8+2*len(hash)), hash...) // 12
	return bytes.Equal(sum(append(again, salt...)), seed)    // 13, 14
}

// unmask takes the mask off that MGF1 makes of the seed (RFC 8017 §B.2.1).
func unmask(block, seed []byte, sum hasher) {
	for counter := uint32(0); len(block) > 0; counter++ {
		for _, b := range sum(binary.BigEndian.AppendUint32(bytes.Clone(seed), counter)) {
			if len(block) == 0 {
				return
			}
			block[0] ^= b
			block = block[1:]
		}
	}
}
