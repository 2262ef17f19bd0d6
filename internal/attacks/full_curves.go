package attacks

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"

	"edgejwt/verify"
)

// curveSignatures adds ECDSA signatures that are not r and s, each as long as the
// curve's order and between 0 and it (RFC 7518 §3.4, FIPS 186-5 §6.4.2).
func curveSignatures(b *builder) {
	b.group = "ecdsa"
	for _, c := range []struct {
		algorithm, kid string
		hash           crypto.Hash
	}{{"ES256", KidP256, crypto.SHA256}, {"ES384", KidES384, crypto.SHA384}, {"ES512", KidP521, crypto.SHA512}} {
		key := fullKeyOf(c.kid).private.(*ecdsa.PrivateKey)
		order := key.Params().N
		size := (order.BitLen() + 7) / 8
		signed := encode(under(c.algorithm, c.kid)) + "." + encode(b.payload().text())
		sign := by(c.algorithm, key)
		good := sign(signed)
		r, s := new(big.Int).SetBytes(good[:size]), new(big.Int).SetBytes(good[size:])
		join := func(r, s *big.Int) []byte {
			return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
		}
		add := func(name string, signature []byte, want verify.Reason, why string) {
			b.token(c.algorithm+" "+name, seal(signed, fixed(signature)), want, why)
		}
		invalid := func(name string, signature []byte, why string) { add(name, signature, verify.SignatureInvalid, why) }
		zero, one := new(big.Int), big.NewInt(1)
		less := new(big.Int).Sub(order, one)

		add("as it should be", good, verify.Accepted, "the signature from which the next ones differ")
		add("with s replaced by n-s", join(r, new(big.Int).Sub(order, s)), verify.Accepted, "each signature has such a twin, and RFC 7518 §3.4 takes both")

		form := "a signature is r and s, each as long as the order (RFC 7518 §3.4)"
		invalid("in DER", must(asn1.Marshal(struct{ R, S *big.Int }{r, s})), form)
		invalid("in DER filled up", append(must(asn1.Marshal(struct{ R, S *big.Int }{r, s})), make([]byte, 2*size)...)[:2*size], form)
		invalid("empty", nil, form)
		invalid("of one byte", []byte{0}, form)
		invalid("without its last byte", good[:2*size-1], form)
		invalid("without its first byte", good[1:], form)
		invalid("with a zero byte before", append([]byte{0}, good...), form)
		invalid("with a zero byte behind", append(bytes.Clone(good), 0), form)
		invalid("with a zero byte between", slices.Concat(good[:size], []byte{0}, good[size:]), form)
		invalid("with both a byte longer", slices.Concat([]byte{0}, good[:size], []byte{0}, good[size:]), form)
		invalid("without s", good[:size], form)
		invalid("twice", slices.Concat(good, good), form)
		invalid("with s and r exchanged", slices.Concat(good[size:], good[:size]), form)
		invalid("with r in reverse", slices.Concat(backwards(good[:size]), good[size:]), form)
		for i := 0; ; i++ {
			text := encode(under(c.algorithm, c.kid)) + "." + encode(b.payload().with("jti", quote(string(rune('a'+i%26)))).text())
			if short := sign(text); short[0] == 0 && short[size] == 0 || c.algorithm != "ES512" && short[0] == 0 {
				b.token(c.algorithm+" r with a leading zero", seal(text, fixed(short)), verify.Accepted, "r is as long as the order, whatever its value")
				b.token(c.algorithm+" r without its leading zero", seal(text, fixed(short[1:])), verify.SignatureInvalid, form)
				break
			}
		}

		rim := "r and s are above 0 and below the order (FIPS 186-5 §6.4.2, step 1)"
		for name, pair := range map[string][2]*big.Int{
			"r = 0": {zero, s}, "s = 0": {r, zero}, "r = s = 0": {zero, zero}, "r = n": {order, s}, "s = n": {r, order}, "r = s = n": {order, order},
			"r = 0, s = 1": {zero, one}, "r = 1, s = 0": {one, zero}, "r = n, s = 0": {order, zero}, "r = s = 1": {one, one},
			"r = n-1": {less, s}, "s = n-1": {r, less}, "r = s = n-1": {less, less}, "r = n-r": {new(big.Int).Sub(order, r), s},
			"r = p": {key.Params().P, s}, "r = the generator's x, s = 1": {key.Params().Gx, one}, "r = x of the key": {new(big.Int).SetBytes(must(key.PublicKey.Bytes())[1 : 1+size]), s},
		} {
			invalid(name, join(pair[0], pair[1]), rim)
		}
		ones := bytes.Repeat([]byte{0xff}, size)
		invalid("of ones", slices.Concat(ones, ones), rim)
		if order.BitLen()%8 != 0 { // there is room above the order
			invalid("r + n", join(new(big.Int).Add(r, order), s), rim)
			invalid("s + n", join(r, new(big.Int).Add(s, order)), rim)
		}
		for _, bit := range []int{0, 8*size - 1, 8 * size, 16*size - 1, 4 * size, 12 * size} {
			flipped := bytes.Clone(good)
			flipped[bit/8] ^= 0x80 >> (bit % 8)
			invalid("with bit "+quote(big.NewInt(int64(bit)).String())+" flipped", flipped, "one bit makes another number")
		}

		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			if hash != c.hash {
				x, y, err := ecdsa.Sign(rand.Reader, key, hashOf(hash, []byte(signed)))
				invalid("with "+hash.String(), join(must(x, err), y), "another hash is another algorithm (RFC 7518 §3.4)")
			}
		}
		stranger := must(ecdsa.GenerateKey(key.Curve, rand.Reader))
		invalid("by a stranger", by(c.algorithm, stranger)(signed), "the kid is ours, the signature is not")
		invalid("of another text", sign(signed+"."), "it covers header and payload (RFC 7515 §5.2)")
		invalid("of nothing", sign(""), "it covers header and payload (RFC 7515 §5.2)")
	}
}

func backwards(b []byte) []byte {
	out := bytes.Clone(b)
	slices.Reverse(out)
	return out
}

// edwardsSignatures adds Ed25519 signatures that are not R and S as RFC 8032
// §5.1.7 has them.
func edwardsSignatures(b *builder) {
	b.group = "eddsa"
	key := fullKeyOf(KidEdDSA).private.(ed25519.PrivateKey)
	public := key.Public().(ed25519.PublicKey)
	signed := encode(under("EdDSA", KidEdDSA)) + "." + encode(b.payload().text())
	good := ed25519.Sign(key, []byte(signed))
	add := func(name string, signature []byte, want verify.Reason, why string) {
		b.token("EdDSA "+name, seal(signed, fixed(signature)), want, why)
	}
	invalid := func(name string, signature []byte, why string) { add(name, signature, verify.SignatureInvalid, why) }
	add("as it should be", good, verify.Accepted, "the signature from which the next ones differ")

	form := "a signature is R and S, 32 bytes each (RFC 8032 §5.1.6)"
	invalid("empty", nil, form)
	invalid("without its last byte", good[:63], form)
	invalid("without its first byte", good[1:], form)
	invalid("with a zero byte behind", append(bytes.Clone(good), 0), form)
	invalid("with a zero byte before", append([]byte{0}, good...), form)
	invalid("R alone", good[:32], form)
	invalid("of Ed448's length", append(bytes.Clone(good), make([]byte, 50)...), form)
	invalid("with the key behind", slices.Concat(good, public), form)
	invalid("with S and R exchanged", slices.Concat(good[32:], good[:32]), form)
	invalid("with S in reverse", slices.Concat(good[:32], backwards(good[32:])), "S has its least significant byte first (RFC 8032 §5.1.6)")

	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := new(big.Int).SetBytes(backwards(good[32:]))
	rim := "S is below the group's order (RFC 8032 §5.1.7, step 1)"
	for name, value := range map[string]*big.Int{
		"S + L": new(big.Int).Add(s, order), "S + 2L": new(big.Int).Add(s, new(big.Int).Lsh(order, 1)), "S = L": order, "S = 0": new(big.Int),
		"S = L-S": new(big.Int).Sub(order, s), "S with its highest bit set": new(big.Int).SetBit(s, 255, 1),
	} {
		invalid(name, slices.Concat(good[:32], backwards(value.FillBytes(make([]byte, 32)))), rim)
	}
	invalid("of zeros", make([]byte, 64), rim)
	invalid("of ones", bytes.Repeat([]byte{0xff}, 64), rim)
	identity := append([]byte{1}, make([]byte, 31)...)
	invalid("R the neutral point, S = 0", slices.Concat(identity, make([]byte, 32)), "it verifies for keys of small order alone")
	invalid("R the key", slices.Concat(public, good[32:]), "R is compared as bytes")
	for _, bit := range []int{0, 255, 256, 500} {
		flipped := bytes.Clone(good)
		flipped[bit/8] ^= 1 << (bit % 8)
		invalid("with bit "+quote(big.NewInt(int64(bit)).String())+" flipped", flipped, "one bit makes another number")
	}

	digest := hashOf(crypto.SHA512, []byte(signed))
	invalid("Ed25519ph", must(key.Sign(nil, digest, &ed25519.Options{Hash: crypto.SHA512})), "another variant is another algorithm (RFC 8032 §5.1)")
	invalid("Ed25519ctx", must(key.Sign(nil, []byte(signed), &ed25519.Options{Context: "jwt"})), "another variant is another algorithm (RFC 8032 §5.1)")
	invalid("of the hash", ed25519.Sign(key, digest), "EdDSA signs the text itself")
	stranger := must(x509.ParsePKCS8PrivateKey(keyBytes("ed25519-attacker"))).(ed25519.PrivateKey)
	invalid("by a stranger", ed25519.Sign(stranger, []byte(signed)), "the kid is ours, the signature is not")
	invalid("of another text", ed25519.Sign(key, []byte(signed+".")), "it covers header and payload (RFC 7515 §5.2)")
	invalid("of nothing", ed25519.Sign(key, nil), "it covers header and payload (RFC 7515 §5.2)")
}
