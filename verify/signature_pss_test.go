package verify_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha512"
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"testing"

	"edgejwt/verify"
)

func TestAlgorithms(t *testing.T) {
	for _, algorithm := range verify.Algorithms() {
		if !verify.Has(algorithm) || verify.TypeOf(algorithm) == "" {
			t.Errorf("%s: Has %v, TypeOf %q", algorithm, verify.Has(algorithm), verify.TypeOf(algorithm))
		}
	}
	if len(verify.Algorithms()) != 10 {
		t.Errorf("%d algorithms", len(verify.Algorithms()))
	}
	for _, other := range []string{"", "none", "HS256", "ES256K", "Ed25519", "rs256", "RS256 "} {
		if verify.Has(other) || verify.TypeOf(other) != "" {
			t.Errorf("%q: Has %v, TypeOf %q", other, verify.Has(other), verify.TypeOf(other))
		}
	}
}

func digest(hash crypto.Hash, parts ...[]byte) []byte {
	h := hash.New()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// encodePSS is EMSA-PSS (RFC 8017 §9.1.1), in which a bit of the masked part is
// flipped unless it is negative.
func encodePSS(hash crypto.Hash, salt []byte, bits, flip int) []byte {
	size := (bits + 7) / 8
	seed := digest(hash, make([]byte, 8), digest(hash, []byte(signedText)), salt)
	block := make([]byte, size-len(seed)-1)
	copy(block[len(block)-len(salt):], salt)
	block[len(block)-len(salt)-1] = 1
	if flip >= 0 {
		flip %= 8 * len(block)
		block[flip/8] ^= 0x80 >> (flip % 8)
	}
	var mask []byte
	for counter := uint32(0); len(mask) < len(block); counter++ {
		mask = append(mask, digest(hash, seed, binary.BigEndian.AppendUint32(nil, counter))...)
	}
	for i := range block {
		block[i] ^= mask[i]
	}
	block[0] &= 0xff >> (8*size - bits)
	return append(append(block, seed...), 0xbc)
}

// TestPSSLikeStandardLibrary compares with crypto/rsa, and PKCS #1 v1.5 with the
// longer hashes too.
func TestPSSLikeStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 7))
	compared, accepted, above := 0, 0, 0
	for _, k := range rsaKeys() {
		key, judge := k.key(), k.judge()
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			name := map[crypto.Hash]string{crypto.SHA256: "PS256", crypto.SHA384: "PS384", crypto.SHA512: "PS512"}[hash]
			hashed := digest(hash, []byte(signedText))
			try := func(signature []byte, old bool) bool {
				want := rsa.VerifyPSS(judge, hash, hashed, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
				algorithm := name
				if old {
					want = rsa.VerifyPKCS1v15(judge, hash, hashed, signature) == nil
					algorithm = "RS" + name[2:]
				}
				got, err := verify.GoEngine(algorithm, key, signedText, signature)
				if err != nil || got != want {
					t.Fatalf("%s, %d bits, e = %d, signature %x: %v, %v; crypto/rsa says %v", algorithm, k.n.BitLen(), k.e, signature, got, err, want)
				}
				compared++
				if got {
					accepted++
				}
				return got
			}
			rounds := 10
			if k.size() > 300 {
				rounds = 3
			}
			bits := k.n.BitLen() - 1
			for i := range rounds {
				salt := make([]byte, hash.Size())
				for j := range salt {
					salt[j] = byte(random.Uint32())
				}
				message := encodePSS(hash, salt, bits, -1)
				if !try(k.sign(message), false) {
					t.Fatalf("%s, %d bits: a good signature is refused", name, k.n.BitLen())
				}
				if longer := append([]byte{1}, message...); bits%8 == 0 && new(big.Int).SetBytes(longer).Cmp(k.n) < 0 {
					try(k.sign(longer), false) // a bit above the encoded message
					above++
				}
				flipped := bytes.Clone(message)
				bit := random.IntN(8 * len(flipped))
				flipped[bit/8] ^= 1 << (bit % 8)
				try(k.sign(flipped), false)
				try(k.sign(encodePSS(hash, salt, bits, random.IntN(1<<16))), false)
				try(k.sign(encodePSS(hash, salt, bits, i)), false)
				try(k.sign(encodePSS(hash, salt[:random.IntN(len(salt))], bits, -1)), false)
				try(below(random, k.n).FillBytes(make([]byte, k.size())), false)

				flipped = k.sign(message)
				flipped[bit%len(flipped)] ^= 1
				try(flipped, false)
				if !try(k.sign(encodeOld(hash, k.size())), true) {
					t.Fatalf("RS%s, %d bits: a good signature is refused", name[2:], k.n.BitLen())
				}
				try(k.sign(message), true)
			}
		}
	}
	t.Logf("%d signatures compared, %d of them valid", compared, accepted)
	if compared < 3000 || accepted < 500 || above < 10 {
		t.Errorf("%d compared, %d valid, %d too long", compared, accepted, above)
	}
}

// encodeOld is EMSA-PKCS1-v1_5 (RFC 8017 §9.2) with this hash.
func encodeOld(hash crypto.Hash, size int) []byte {
	info := bytes.Clone(digestInfo)
	info[1] = byte(0x11 + hash.Size())
	info[14] = map[crypto.Hash]byte{crypto.SHA256: 1, crypto.SHA384: 2, crypto.SHA512: 3}[hash]
	info[18] = byte(hash.Size())
	return padTo(size, info, digest(hash, []byte(signedText)))
}
