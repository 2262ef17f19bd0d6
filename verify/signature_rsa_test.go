package verify_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"math/big"
	"math/rand/v2"
	"strconv"
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

// verifies gives the engine's answer for RS256.
func verifies(t testing.TB, key *verify.Key, signature []byte) bool {
	t.Helper()
	ok, err := verify.GoEngine(verify.RS256, key, signedText, signature)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// TestRSAForgeries puts good, forged and mutated signatures before keys of every
// size and exponent that could matter. Only the good ones verify.
func TestRSAForgeries(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 5))
	for _, k := range rsaKeys() {
		key, size := k.key(), k.size()
		refused := func(what string, signature []byte) {
			t.Helper()
			if verifies(t, key, signature) {
				t.Fatalf("%d bits, e = %d: %s verifies: %x", k.n.BitLen(), k.e, what, signature)
			}
		}
		all := forgeries(size)
		good := k.sign(all[0])
		if !verifies(t, key, good) {
			t.Fatalf("%d bits, e = %d: a good signature is refused", k.n.BitLen(), k.e)
		}
		for i, message := range all[1:] {
			refused("forgery "+strconv.Itoa(i+1), k.sign(message))
		}
		s, one := new(big.Int).SetBytes(good), big.NewInt(1)
		for _, n := range []*big.Int{new(big.Int), one, k.n, new(big.Int).Sub(k.n, one), new(big.Int).Add(k.n, one),
			new(big.Int).Add(s, k.n), new(big.Int).Sub(k.n, s), new(big.Int).Add(s, one), new(big.Int).Sub(s, one),
			new(big.Int).Sub(new(big.Int).Lsh(one, uint(8*size)), one)} {
			refused("a number that is not the signature", n.FillBytes(make([]byte, max(size, len(n.Bytes())))))
		}
		for _, signature := range [][]byte{nil, {0}, good[1:], good[:size-1], append([]byte{0}, good...),
			append(bytes.Clone(good), 0), append(good[1:len(good):len(good)], 0), append(bytes.Clone(good), good...)} {
			refused("another length", signature)
		}
		for range 10 {
			bit := random.IntN(8 * size)
			flipped := bytes.Clone(good)
			flipped[bit/8] ^= 1 << (bit % 8)
			refused("one bit of the signature changed", flipped)

			message := bytes.Clone(all[0])
			bit = random.IntN(8*size - 16)
			message[2+bit/8] ^= 1 << (bit % 8)
			refused("one bit of the message changed", k.sign(message))
			refused("a random number", below(random, k.n).FillBytes(make([]byte, size)))
		}
	}
}

// TestCubeRoot forges with exponent 3 and without the private key, as
// Bleichenbacher did in 2006: the cube of the root begins as a signature's does.
func TestCubeRoot(t *testing.T) {
	for _, k := range rsaKeys() {
		if k.e != 3 {
			continue
		}
		key := k.key()
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
				if verifies(t, key, root.FillBytes(make([]byte, k.size()))) {
					t.Fatalf("%d bits, message %d: a forgery passes", k.n.BitLen(), i)
				}
				root.Add(root, big.NewInt(1))
			}
		}
	}
}
