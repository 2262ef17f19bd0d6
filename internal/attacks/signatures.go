package attacks

import (
	"crypto"
	"math/big"
	"strings"

	"edgejwt/verify"
)

// signatures adds signature values that are not the one right value
// (RFC 8017 §8.2.2), each over a token that is otherwise good.
func signatures(b *builder) {
	b.group = "signature"
	k := testKeySet()
	key := k.current
	sign := rs256(key)
	signed := encode(header().text()) + "." + encode(b.payload().text())
	good := sign(signed)
	size := len(good)
	invalid := func(name string, signature []byte, why string) {
		b.token(name, seal(signed, fixed(signature)), verify.SignatureInvalid, why)
	}
	value := func(s *big.Int) []byte { return s.FillBytes(make([]byte, size)) }
	one := big.NewInt(1)

	length := "a signature is exactly as long as the modulus (RFC 8017 §8.2.2, step 1)"
	invalid("signature empty", nil, length)
	invalid("signature of one byte", []byte{0}, length)
	invalid("signature without its last byte", good[:size-1], length)
	invalid("signature without its first byte", good[1:], length)
	invalid("signature's first half", good[:size/2], length)
	invalid("signature with a zero byte before it", append([]byte{0}, good...), length)
	invalid("signature with a zero byte after it", append(append([]byte(nil), good...), 0), length)
	invalid("signature twice", append(append([]byte(nil), good...), good...), length)
	invalid("signature of 512 bytes with zeros before it", append(make([]byte, 512-size), good...), length)
	short := b.untilKey(key, func(s []byte) bool { return s[0] == 0 })
	b.token("signature with its leading zero byte cut", seal(short, fixed(sign(short)[1:])), verify.SignatureInvalid, length)

	for _, bit := range []struct {
		name string
		at   int
		mask byte
	}{{"first bit", 0, 0x80}, {"middle bit", size / 2, 0x10}, {"last bit", size - 1, 0x01}} {
		flipped := append([]byte(nil), good...)
		flipped[bit.at] ^= bit.mask
		invalid("signature with its "+bit.name+" flipped", flipped, "one bit makes another number")
	}
	reversed := append([]byte(nil), good...)
	for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
		reversed[i], reversed[j] = reversed[j], reversed[i]
	}
	invalid("signature in reverse", reversed, "the most significant byte comes first (RFC 8017 §4.1)")

	rim := "s must be below n, and s^e must be the padded hash (RFC 8017 §5.2.2, §8.2.2)"
	invalid("s = 0", value(new(big.Int)), rim)
	invalid("s = 1", value(one), rim)
	invalid("s = n-1", value(new(big.Int).Sub(key.N, one)), rim)
	invalid("s = n", value(key.N), rim)
	invalid("s of ones alone", []byte(strings.Repeat("\xff", size)), rim)
	invalid("s = n minus the good one", value(new(big.Int).Sub(key.N, new(big.Int).SetBytes(good))), rim)
	// s + n stands for the same number modulo n. It fits only above a small s.
	room := new(big.Int).Sub(new(big.Int).Lsh(one, uint(8*size)), key.N)
	fits := b.untilKey(key, func(s []byte) bool { return new(big.Int).SetBytes(s).Cmp(room) < 0 })
	over := new(big.Int).Add(new(big.Int).SetBytes(sign(fits)), key.N)
	b.token("s + n in as many bytes", seal(fits, fixed(value(over))), verify.SignatureInvalid, rim)
	invalid("s + n in a byte more", new(big.Int).Add(new(big.Int).SetBytes(good), new(big.Int).Lsh(key.N, 2)).Bytes(), rim)

	other := ordinary(b.payload().with("sub", `"other@clients"`))
	invalid("signature of another token", sign(strings.Join(strings.Split(other, ".")[:2], ".")), "it covers other claims")
	invalid("signature of the payload alone", sign(strings.Split(signed, ".")[1]), "it covers header and payload (RFC 7515 §5.2)")
	invalid("signature of the header alone", sign(strings.Split(signed, ".")[0]), "it covers header and payload (RFC 7515 §5.2)")
	invalid("signature of the decoded texts", sign(header().text()+"."+b.payload().text()), "it covers the parts as encoded (RFC 7515 §5.2)")
	invalid("signature without the dot", sign(strings.Replace(signed, ".", "", 1)), "it covers the dot too (RFC 7515 §5.2)")
	invalid("signature with a dot more", sign(signed+"."), "it covers two parts alone (RFC 7515 §5.2)")
	invalid("signature by another key with the same kid", rs256(k.attacker)(signed), "the kid is ours, the signature is not")
	invalid("signature by the next key", rs256(k.next)(signed), "the kid names another key")
	invalid("signature by the encryption key", rs256(k.encryption)(signed), "the kid names another key")
	invalid("signature by the EC key", es256(k.ec)(signed), length)
	invalid("an HMAC", hs256([]byte("secret"))(signed), length)
	invalid("PSS under the name RS256", pss(key)(signed), "another padding is another algorithm (RFC 8017 §8.1)")
	invalid("SHA-384 under the name RS256", rs(key, crypto.SHA384)(signed), "another hash is another algorithm (RFC 7518 §3.3)")
	invalid("SHA-512 under the name RS256", rs(key, crypto.SHA512)(signed), "another hash is another algorithm (RFC 7518 §3.3)")
	invalid("SHA-1 under the name RS256", rs(key, crypto.SHA1)(signed), "SHA-1 is broken, and another algorithm")

	b.token("payload changed after signing", encode(header().text())+"."+encode(b.payload().with("sub", `"admin"`).text())+"."+encode(string(good)),
		verify.SignatureInvalid, "the signature covers the payload")
	b.token("header changed after signing", encode(header().with("typ", `"at+jwt"`).text())+"."+encode(b.payload().text())+"."+encode(string(good)),
		verify.SignatureInvalid, "the signature covers the header")
	b.token("payload spelled anew after signing", encode(header().text())+"."+encode(b.payload().text()+" ")+"."+encode(string(good)),
		verify.SignatureInvalid, "the signature covers the bytes, not the claims")
}
