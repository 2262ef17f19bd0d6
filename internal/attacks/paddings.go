package attacks

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"math/big"

	"edgejwt/verify"
)

// The DER of DigestInfo before the hash (RFC 8017 §9.2, notes).
var (
	infoSHA256       = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	infoSHA256NoNull = []byte{0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20}
	infoSHA512as256  = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x20}
	infoMD5as256     = []byte{0x30, 0x30, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x20}
	infoSHA1         = []byte{0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}
	infoLongLength   = []byte{0x30, 0x81, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	infoWithGarbage  = []byte{0x30, 0x35, 0x30, 0x11, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x04, 0xde, 0xad, 0xbe, 0xef, 0x04, 0x20}
)

// paddings adds encoded messages that are nearly EMSA-PKCS1-v1_5 (RFC 8017
// §9.2). A verifier that parses the padding, instead of comparing it as a whole,
// lets some of them through; with exponent 3 some can be made without the
// private key (Bleichenbacher 2006).
func paddings(b *builder) {
	b.group = "padding"
	k := testKeySet()
	claims := b.payload().text()
	for _, by := range []struct {
		name, kid string
		key       *rsa.PrivateKey
	}{{"", KidCurrent, k.current}, {", exponent 3", KidExponent3, k.exponent3}} {
		signed := encode(header().with("kid", quote(by.kid)).text()) + "." + encode(claims)
		digest := sha256.Sum256([]byte(signed))
		size := by.key.Size()
		forged := func(name string, message []byte) {
			b.token(name+by.name, seal(signed, fixed(power(by.key, message))), verify.SignatureInvalid,
				"the padded hash has one spelling and is compared as a whole (RFC 8017 §8.2.2, step 4)")
		}
		info := append(append([]byte(nil), infoSHA256...), digest[:]...)
		b.token("padding made by hand"+by.name, seal(signed, fixed(power(by.key, padded(1, 0xff, size-len(info)-3, info, size)))),
			verify.Accepted, "the message from which the next ones differ")

		forged("eight bytes of padding, garbage after the hash", padded(1, 0xff, 8, info, size))
		forged("no padding, garbage after the hash", padded(1, 0xff, 0, info, size))
		forged("one byte of padding less, one of garbage after the hash", padded(1, 0xff, size-len(info)-4, info, size))
		forged("block type 0", padded(0, 0x00, size-len(info)-3, info, size))
		forged("block type 2", padded(2, 0xaa, size-len(info)-3, info, size))
		forged("padding of zeros", padded(1, 0x00, size-len(info)-3, info, size))
		broken := padded(1, 0xff, size-len(info)-3, info, size)
		broken[size/2] = 0xfe
		forged("padding with one wrong byte", broken)
		broken = padded(1, 0xff, size-len(info)-3, info, size)
		broken[size-len(info)-1] = 0xff
		forged("no zero byte after the padding", broken)
		forged("no DigestInfo", tight(digest[:], size))
		forged("DigestInfo without NULL", tight(append(append([]byte(nil), infoSHA256NoNull...), digest[:]...), size))
		forged("DigestInfo with garbage for NULL", tight(append(append([]byte(nil), infoWithGarbage...), digest[:]...), size))
		forged("DigestInfo with a long length", tight(append(append([]byte(nil), infoLongLength...), digest[:]...), size))
		forged("DigestInfo of SHA-512", tight(append(append([]byte(nil), infoSHA512as256...), digest[:]...), size))
		forged("DigestInfo of MD5", tight(append(append([]byte(nil), infoMD5as256...), digest[:]...), size))
		hash1 := sha1.Sum([]byte(signed))
		forged("DigestInfo of SHA-1", tight(append(append([]byte(nil), infoSHA1...), hash1[:]...), size))
		wrong := sha256.Sum256([]byte(signed + " "))
		forged("hash of another text", tight(append(append([]byte(nil), infoSHA256...), wrong[:]...), size))
		forged("hash cut short", tight(info[:len(info)-1], size))
		forged("hash twice", tight(append(append([]byte(nil), info...), digest[:]...), size))
		forged("padding after the hash", bytes.Join([][]byte{{0, 1}, info, bytes.Repeat([]byte{0xff}, size-len(info)-2)}, nil))
	}

	// Without the private key: a cube root whose cube begins as it should.
	signed := encode(header().with("kid", quote(KidExponent3)).text()) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	size := k.exponent3.Size()
	for _, padding := range []int{8, 0} {
		message := padded(1, 0xff, padding, append(append([]byte(nil), infoSHA256...), digest[:]...), size)
		name := "cube root with eight bytes of padding"
		if padding == 0 {
			name = "cube root without padding"
		}
		b.token(name, seal(signed, fixed(cubeRoot(message, size))), verify.SignatureInvalid,
			"Bleichenbacher 2006: made from the public key alone, it passes where what follows the hash is not looked at")
	}
	b.token("cube root of a small message", seal(signed, fixed(cubeRoot(digest[:], size))), verify.SignatureInvalid,
		"a hash without padding has a cube root among the integers nearly always")
}

// padded is 00 type fill... 00 info, and zeros up to the size.
func padded(blockType, fill byte, length int, info []byte, size int) []byte {
	message := bytes.Join([][]byte{{0, blockType}, bytes.Repeat([]byte{fill}, length), {0}, info}, nil)
	return append(message, make([]byte, size-len(message))...)
}

// tight is the same with as much padding as fits.
func tight(info []byte, size int) []byte { return padded(1, 0xff, size-len(info)-3, info, size) }

// cubeRoot is the smallest number whose cube is at least the message's.
func cubeRoot(message []byte, size int) []byte {
	goal := new(big.Int).SetBytes(message)
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(goal.BitLen()/3+1))
	for low.Cmp(high) < 0 {
		middle := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(middle, big.NewInt(3), nil).Cmp(goal) < 0 {
			low = middle.Add(middle, big.NewInt(1))
		} else {
			high = middle
		}
	}
	return low.FillBytes(make([]byte, size))
}
