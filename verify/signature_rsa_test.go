package verify_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"math/big"
	"math/rand/v2"
	"testing"

	"edgejwt/verify"
)

const signedText = "eyJhbGciOiJSUzI1NiJ9.e30"

// digestInfo is the DER before a SHA-256 hash (RFC 8017 §9.2, note 1).
var digestInfo = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// padTo is 00 01 FF … FF 00 info hash, as long as size.
func padTo(size int, parts ...[]byte) []byte {
	info := bytes.Join(parts, nil)
	return bytes.Join([][]byte{{0, 1}, bytes.Repeat([]byte{0xff}, size-len(info)-3), {0}, info}, nil)
}

// forgeries are encoded messages that are nearly the right one, and the right
// one first.
func forgeries(size int) [][]byte {
	hash := sha256.Sum256([]byte(signedText))
	weak := sha1.Sum([]byte(signedText))
	right := padTo(size, digestInfo, hash[:])
	swap := func(old, with string) []byte {
		return padTo(size, bytes.Replace(digestInfo, []byte(old), []byte(with), 1), hash[:])
	}
	fill := func(head []byte) []byte { return append(head, make([]byte, size-len(head))...) }
	eight := append(bytes.Repeat([]byte{0xff}, 8), 0)
	return [][]byte{
		right,
		padTo(size, []byte("\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20"), hash[:]),             // no NULL
		padTo(size, []byte("\x30\x81\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), hash[:]), // BER length
		padTo(size, []byte("\x30\x80\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), hash[:], []byte{0, 0}),
		padTo(size, []byte("\x30\x32\x30\x0e\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x81\x00\x04\x20"), hash[:]),
		padTo(size, []byte("\x30\x32\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x81\x20"), hash[:]),
		swap("\x04\x02\x01", "\x04\x02\x02"), // the name of SHA-384
		swap("\x04\x02\x01", "\x04\x02\x03"),
		swap("\x05\x00", "\x05\x01"),
		swap("\x05\x00", "\x04\x00"),
		padTo(size, hash[:]),
		padTo(size, digestInfo, hash[:31]),
		padTo(size, digestInfo, hash[:], []byte{0}),
		padTo(size, []byte("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"), weak[:]),
		fill(bytes.Join([][]byte{{0, 1}, eight, digestInfo, hash[:]}, nil)), // garbage behind
		fill(bytes.Join([][]byte{{0, 1}, {0}, digestInfo, hash[:]}, nil)),
		append([]byte{0}, right[:size-1]...),
		append(bytes.Clone(right[1:]), 0),
		append([]byte{0, 2}, right[2:]...),
		append([]byte{0, 0}, right[2:]...),
		make([]byte, size),
	}
}

// both gives our answer and crypto/rsa's.
func both(t testing.TB, key verify.Key, judge *rsa.PublicKey, signature []byte) bool {
	t.Helper()
	hash := sha256.Sum256([]byte(signedText))
	want := rsa.VerifyPKCS1v15(judge, crypto.SHA256, hash[:], signature) == nil
	got, err := verify.GoEngine(verify.RS256, key, signedText, signature)
	if err != nil || got != want {
		t.Fatalf("%d bits, e = %d, signature %x: %v, %v; crypto/rsa says %v", judge.N.BitLen(), judge.E, signature, got, err, want)
	}
	return got
}

// TestRSALikeStandardLibrary puts good, forged and mutated signatures before us
// and before crypto/rsa.
func TestRSALikeStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 5))
	compared, accepted := 0, 0
	for _, k := range rsaKeys() {
		key, judge, size := k.key(), k.judge(), k.size()
		try := func(signature []byte) bool {
			compared++
			ok := both(t, key, judge, signature)
			if ok {
				accepted++
			}
			return ok
		}
		value := func(n *big.Int) { try(n.FillBytes(make([]byte, max(size, len(n.Bytes()))))) }
		var good []byte
		for i, message := range forgeries(size) {
			signature := k.sign(message)
			if (i == 0) != try(signature) {
				t.Fatalf("%d bits, e = %d: forgery %d: %v", k.n.BitLen(), k.e, i, i != 0)
			}
			if i == 0 {
				good = signature
			}
		}
		s := new(big.Int).SetBytes(good)
		one := big.NewInt(1)
		for _, n := range []*big.Int{new(big.Int), one, k.n, new(big.Int).Sub(k.n, one), new(big.Int).Add(k.n, one),
			new(big.Int).Add(s, k.n), new(big.Int).Sub(k.n, s), new(big.Int).Add(s, one), new(big.Int).Sub(s, one),
			new(big.Int).Sub(new(big.Int).Lsh(one, uint(8*size)), one)} {
			value(n)
		}
		for _, signature := range [][]byte{nil, {0}, good[1:], good[:size-1], append([]byte{0}, good...),
			append(bytes.Clone(good), 0), append(good[1:len(good):len(good)], 0), append(bytes.Clone(good), good...)} {
			try(signature)
		}
		// A bit of the signature; of what it stands for; of the key; all random.
		rounds := 300
		if size > 300 {
			rounds = 10
		}
		for range rounds {
			bit := random.IntN(8 * size)
			flipped := bytes.Clone(good)
			flipped[bit/8] ^= 1 << (bit % 8)
			try(flipped)

			message := bytes.Clone(forgeries(size)[0])
			bit = random.IntN(8*size - 16)
			message[2+bit/8] ^= 1 << (bit % 8)
			try(k.sign(message))

			n := new(big.Int).Set(k.n)
			bit = 1 + random.IntN(n.BitLen()-2)
			n.SetBit(n, bit, 1-n.Bit(bit))
			other := &manyPrimes{n: n, e: k.e}
			both(t, other.key(), other.judge(), good)
			compared++
			value(below(random, k.n))
		}
	}
	t.Logf("%d signatures compared, %d of them valid", compared, accepted)
	if compared < 10_000 || accepted < len(rsaKeys()) {
		t.Errorf("%d compared, %d valid", compared, accepted)
	}
}

// TestRSAKeys holds NewRSAPublicKey to what crypto/rsa demands of a key, and to
// our bounds.
func TestRSAKeys(t *testing.T) {
	odd := func(bits int) []byte {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return n.SetBit(n, 0, 1).Bytes()
	}
	even := odd(2048)
	even[255] = 0
	cases := []struct {
		name     string
		modulus  []byte
		exponent int
		want     string
	}{
		{"usual", odd(2048), 65537, ""},
		{"least exponent", odd(2048), 3, ""},
		{"greatest exponent", odd(2048), 1<<31 - 1, ""},
		{"longest", odd(8192), 65537, ""},
		{"no modulus", nil, 65537, "modulus is under 2048 bits"},
		{"2047 bits", odd(2047), 65537, "modulus is under 2048 bits"},
		{"leading zero", append([]byte{0}, odd(2048)...), 65537, "modulus is under 2048 bits"},
		{"8193 bits", odd(8193), 65537, "modulus is over 8192 bits"},
		{"even modulus", even, 65537, "modulus is even"},
		{"exponent 0", odd(2048), 0, "exponent is even"},
		{"exponent 1", odd(2048), 1, "exponent is 1"},
		{"exponent -1", odd(2048), -1, "exponent is 1"},
		{"exponent 2", odd(2048), 2, "exponent is even"},
		{"exponent 2^31", odd(2048), 1 << 31, "exponent is over 2^31-1"},
		{"exponent 2^31+1", odd(2048), 1<<31 + 1, "exponent is over 2^31-1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			key, err := verify.NewRSAPublicKey(c.modulus, c.exponent)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != c.want || (key == nil) != (err != nil) {
				t.Errorf("%v, %q; want %q", key, got, c.want)
			}
		})
	}
	if ok, err := verify.GoEngine(verify.RS256, verify.Key{RSA: &verify.RSAPublicKey{Modulus: odd(2048), Exponent: 3}}, "", odd(2048)); ok || err == nil {
		t.Error("a key that nobody has checked verifies")
	}
}

// TestCubeRoot forges with exponent 3 and without the private key, as
// Bleichenbacher did in 2006: the cube of the root begins as a signature's does.
func TestCubeRoot(t *testing.T) {
	for _, k := range rsaKeys() {
		if k.e != 3 {
			continue
		}
		for i, message := range forgeries(k.size()) {
			goal := new(big.Int).SetBytes(message)
			root := new(big.Int).Sqrt(goal) // a start above the root
			for {
				// Newton's step for the third power.
				next := new(big.Int).Mul(root, root)
				next.Div(goal, next.Add(next, big.NewInt(1))).Add(next, root).Add(next, root).Div(next, big.NewInt(3))
				if next.Cmp(root) >= 0 {
					break
				}
				root = next
			}
			for range 3 {
				if both(t, k.key(), k.judge(), root.FillBytes(make([]byte, k.size()))) {
					t.Fatalf("%d bits, message %d: a forgery passes", k.n.BitLen(), i)
				}
				root.Add(root, big.NewInt(1))
			}
		}
	}
}

// FuzzRSA compares with crypto/rsa: bytes taken as a signature, and bytes that
// are signed as if they were a padded hash.
func FuzzRSA(f *testing.F) {
	for i := range rsaKeys() {
		for _, message := range forgeries(rsaKeys()[i].size()) {
			f.Add(byte(i), message)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, text []byte) {
		k := rsaKeys()[int(which)%len(rsaKeys())]
		both(t, k.key(), k.judge(), text)
		if len(text) > k.size() {
			return
		}
		hash := sha256.Sum256([]byte(signedText))
		right := bytes.Equal(new(big.Int).Mod(new(big.Int).SetBytes(text), k.n).FillBytes(make([]byte, k.size())), padTo(k.size(), digestInfo, hash[:]))
		if both(t, k.key(), k.judge(), k.sign(text)) != right {
			t.Fatalf("%x signed: %v", text, !right)
		}
	})
}
