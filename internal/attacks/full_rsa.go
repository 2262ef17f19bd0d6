package attacks

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/binary"
	"fmt"

	"edgejwt/verify"
)

func hashOf(hash crypto.Hash, parts ...[]byte) []byte {
	h := hash.New()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// saltLengths adds RSA signatures that are sound under another name, and PSS ones
// whose salt is not as long as the hash (RFC 7518 §3.5).
func saltLengths(b *builder) {
	b.group = "rsa"
	p := b.payload().text()
	key := fullKeyOf(KidNext).private.(*rsa.PrivateKey)
	for _, name := range rsaAlgorithms {
		for _, used := range rsaAlgorithms {
			if used != name {
				b.token(used+" signature under the name "+name, compact(under(name, KidNext), p, by(used, key)), verify.SignatureInvalid,
					"another hash or padding is another algorithm (RFC 8017 §8)")
			}
		}
	}
	for name, hash := range pssHashes {
		lengths := []int{1, 20, hash.Size() - 1, hash.Size() + 1, 2 * hash.Size(), rsa.PSSSaltLengthAuto}
		for _, length := range lengths {
			label := fmt.Sprintf("%s with a salt of %d bytes", name, length)
			if length == rsa.PSSSaltLengthAuto {
				label = name + " with the longest salt"
			}
			b.token(label, compact(under(name, KidNext), p, func(signed string) []byte {
				return must(rsa.SignPSS(rand.Reader, key, hash, hashOf(hash, []byte(signed)), &rsa.PSSOptions{SaltLength: length}))
			}), verify.SignatureInvalid, "the salt is as long as the hash (RFC 7518 §3.5)")
		}
	}
}

var pssHashes = map[string]crypto.Hash{"PS256": crypto.SHA256, "PS384": crypto.SHA384, "PS512": crypto.SHA512}

// pssMessage is what goes into an EMSA-PSS message (RFC 8017 §9.1.1), each part open to
// change.
type pssMessage struct {
	hash, mask crypto.Hash
	hashed     []byte
	salt       []byte
	separator  byte
	trailer    byte
	spoil      func(block []byte) // before the mask is put on
	finish     func(message []byte)
}

func (m pssMessage) encode(bits int) []byte {
	size := (bits + 7) / 8
	seed := hashOf(m.hash, make([]byte, 8), m.hashed, m.salt)
	block := make([]byte, size-len(seed)-1)
	copy(block[len(block)-len(m.salt):], m.salt)
	block[len(block)-len(m.salt)-1] = m.separator
	if m.spoil != nil {
		m.spoil(block)
	}
	for i, counter := 0, uint32(0); i < len(block); counter++ {
		for _, c := range hashOf(m.mask, seed, binary.BigEndian.AppendUint32(nil, counter)) {
			if i < len(block) {
				block[i] ^= c
				i++
			}
		}
	}
	block[0] &= 0xff >> (8*size - bits)
	message := bytes.Join([][]byte{block, seed, {m.trailer}}, nil)
	if m.finish != nil {
		m.finish(message)
	}
	return message
}

// pssPaddings adds encoded messages that are nearly EMSA-PSS (RFC 8017 §9.1.2).
func pssPaddings(b *builder) {
	b.group = "pss"
	key := fullKeyOf(KidNext).private.(*rsa.PrivateKey)
	for name, hash := range pssHashes {
		signed := encode(under(name, KidNext)) + "." + encode(b.payload().text())
		sound := func() pssMessage {
			return pssMessage{hash: hash, mask: hash, hashed: hashOf(hash, []byte(signed)), salt: make([]byte, hash.Size()), separator: 1, trailer: 0xbc}
		}
		add := func(what string, want verify.Reason, m pssMessage) {
			b.token(name+" "+what, seal(signed, fixed(power(key, m.encode(key.N.BitLen()-1)))), want, "EMSA-PSS has one form for a salt, and every byte of it is checked (RFC 8017 §9.1.2)")
		}
		add("made by hand with a salt of zeros", verify.Accepted, sound())
		forged := func(what string, change func(m *pssMessage)) {
			m := sound()
			change(&m)
			add(what, verify.SignatureInvalid, m)
		}
		forged("without salt", func(m *pssMessage) { m.salt = nil })
		forged("trailer cc", func(m *pssMessage) { m.trailer = 0xcc })
		forged("trailer 00", func(m *pssMessage) { m.trailer = 0 })
		forged("separator 02", func(m *pssMessage) { m.separator = 2 })
		forged("separator 00", func(m *pssMessage) { m.separator = 0 })
		forged("padding with its first byte set", func(m *pssMessage) { m.spoil = func(block []byte) { block[0] |= 0x20 } })
		forged("padding with its last byte set", func(m *pssMessage) {
			m.spoil = func(block []byte) { block[len(block)-len(m.salt)-2] = 1 }
		})
		forged("highest bit set", func(m *pssMessage) { m.finish = func(message []byte) { message[0] |= 0x80 } })
		forged("mask not put on", func(m *pssMessage) {
			m.finish = func(message []byte) {
				copy(message, make([]byte, len(message)-len(m.salt)*2-2))
				message[len(message)-2*len(m.salt)-2] = 1
				copy(message[len(message)-2*len(m.salt)-1:], m.salt)
			}
		})
		forged("mask with SHA-1", func(m *pssMessage) { m.mask = crypto.SHA1 })
		forged("hash of another text", func(m *pssMessage) { m.hashed = hashOf(hash, []byte(signed+".")) })
		forged("hash of nothing", func(m *pssMessage) { m.hashed = nil })
		forged("hash SHA-1", func(m *pssMessage) {
			sum := sha1.Sum([]byte(signed))
			m.hashed = sum[:]
		})
		forged("seed changed", func(m *pssMessage) {
			m.finish = func(message []byte) { message[len(message)-2] ^= 1 }
		})
		good := power(key, sound().encode(key.N.BitLen()-1))
		for what, signature := range map[string][]byte{
			"empty": nil, "without its last byte": good[:255], "with a zero byte before": append([]byte{0}, good...),
			"of zeros": make([]byte, 256), "of ones": bytes.Repeat([]byte{0xff}, 256), "n": key.N.Bytes(),
		} {
			b.token(name+" signature "+what, seal(signed, fixed(signature)), verify.SignatureInvalid, "a signature is as long as the modulus and below it (RFC 8017 §8.1.2)")
		}
	}
}
