package verify_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"filippo.io/nistec"

	"edgejwt/verify"
)

// curve is what the tests need to know of an EC curve.
type curve struct {
	name, algorithm string
	elliptic.Curve
	hash crypto.Hash
	// decompress gives the uncompressed point with this x, if there is one.
	decompress func(compressed []byte) ([]byte, error)
}

var curves = []curve{
	{"P-256", "ES256", elliptic.P256(), crypto.SHA256, decompress(nistec.NewP256Point)},
	{"P-384", "ES384", elliptic.P384(), crypto.SHA384, decompress(nistec.NewP384Point)},
	{"P-521", "ES512", elliptic.P521(), crypto.SHA512, decompress(nistec.NewP521Point)},
}

func decompress[P interface {
	SetBytes([]byte) (P, error)
	Bytes() []byte
}](newPoint func() P) func([]byte) ([]byte, error) {
	return func(compressed []byte) ([]byte, error) {
		p, err := newPoint().SetBytes(compressed)
		if err != nil {
			return nil, err
		}
		return p.Bytes(), nil
	}
}

func (c *curve) size() int { return (c.Params().BitSize + 7) / 8 }

// private is the key pair with this private number.
func (c *curve) private(t testing.TB, d *big.Int) *ecdsa.PrivateKey {
	key, err := ecdsa.ParseRawPrivateKey(c.Curve, d.FillBytes(make([]byte, c.size())))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (c *curve) key(t testing.TB, public *ecdsa.PublicKey) verify.Key {
	t.Helper()
	point, err := public.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	key, err := verify.NewCurvePublicKey(c.name, point[1:1+c.size()], point[1+c.size():])
	if err != nil {
		t.Fatal(err)
	}
	return verify.Key{Curve: key}
}

// agree gives our answer, which has to be crypto/ecdsa's.
func (c *curve) agree(t testing.TB, key verify.Key, public *ecdsa.PublicKey, signature []byte) bool {
	t.Helper()
	want := false
	if n := c.size(); len(signature) == 2*n {
		want = ecdsa.Verify(public, digest(c.hash, []byte(signedText)), new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:]))
	}
	got, err := verify.GoEngine(c.algorithm, key, signedText, signature)
	if err != nil || got != want {
		t.Fatalf("%s, key %x, signature %x: %v, %v; crypto/ecdsa says %v", c.algorithm, key.Curve.X, signature, got, err, want)
	}
	return got
}

func (c *curve) join(r, s *big.Int) []byte {
	n := c.size()
	if len(r.Bytes()) > n || len(s.Bytes()) > n {
		return nil
	}
	return append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...)
}

// TestECDSALikeStandardLibrary puts good, mutated and made-up signatures before us
// and before crypto/ecdsa.
func TestECDSALikeStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 9))
	compared, accepted := 0, 0
	for i := range curves {
		c := &curves[i]
		n := c.Params().N
		hash := digest(c.hash, []byte(signedText))
		for range 3 {
			private := c.private(t, new(big.Int).Add(below(random, new(big.Int).Sub(n, big.NewInt(1))), big.NewInt(1)))
			key := c.key(t, &private.PublicKey)
			try := func(r, s *big.Int) bool {
				compared++
				ok := c.agree(t, key, &private.PublicKey, c.join(r, s))
				if ok {
					accepted++
				}
				return ok
			}
			for range 4 {
				r, s, err := ecdsa.Sign(nil, private, hash)
				if err != nil {
					t.Fatal(err)
				}
				if !try(r, s) || !try(r, new(big.Int).Sub(n, s)) {
					t.Fatalf("%s: a good signature is refused", c.algorithm)
				}
				for range 10 {
					bit := random.IntN(c.Params().BitSize)
					try(new(big.Int).SetBit(r, bit, 1-r.Bit(bit)), s)
					try(r, new(big.Int).SetBit(s, bit, 1-s.Bit(bit)))
				}
				try(s, r)
				try(new(big.Int).Add(r, n), s)
				try(r, new(big.Int).Add(s, n))
				try(below(random, n), below(random, n))
			}
			special := []*big.Int{new(big.Int), big.NewInt(1), big.NewInt(2), new(big.Int).Sub(n, big.NewInt(1)), n, new(big.Int).Add(n, big.NewInt(1)),
				c.Params().P, new(big.Int).Sub(c.Params().P, n), new(big.Int).Rsh(n, 1), c.Params().Gx, c.Params().Gy, new(big.Int).SetBytes(key.Curve.X)}
			for _, r := range special {
				for _, s := range special {
					try(r, s)
				}
			}
		}
	}
	t.Logf("%d signatures compared, %d of them valid", compared, accepted)
	if compared < 1500 {
		t.Errorf("%d compared", compared)
	}
}

// TestECDSARareSums makes keys for which the sum of the two points is a doubling,
// the point at infinity, or has an x that is not below the order: chance would
// never bring them.
func TestECDSARareSums(t *testing.T) {
	for i := range curves {
		c := &curves[i]
		n := c.Params().N
		e := new(big.Int).SetBytes(digest(c.hash, []byte(signedText)))
		k := big.NewInt(123456789)
		point, _ := c.private(t, k).PublicKey.Bytes()
		r := new(big.Int).SetBytes(point[1 : 1+c.size()])
		r.Mod(r, n)
		// The key e/r: then e/s·G and r/s·Q are one point.
		d := new(big.Int).ModInverse(r, n)
		d.Mod(d.Mul(d, e), n)
		s := new(big.Int).ModInverse(k, n)
		s.Mod(s.Mul(s, e).Lsh(s, 1), n)
		doubling := c.private(t, d)
		if !c.agree(t, c.key(t, &doubling.PublicKey), &doubling.PublicKey, c.join(r, s)) {
			t.Errorf("%s: a sum of equal points is refused", c.algorithm)
		}
		opposite := c.private(t, new(big.Int).Sub(n, d))
		for range 3 {
			if c.agree(t, c.key(t, &opposite.PublicKey), &opposite.PublicKey, c.join(r, s)) {
				t.Errorf("%s: the point at infinity verifies", c.algorithm)
			}
			s.Rsh(s, 1)
		}
		// A point R with n <= x < p and the key (s·R - e·G)/r for r = x - n.
		for x := new(big.Int).Add(n, big.NewInt(1)); ; x.Add(x, big.NewInt(1)) {
			if x.Cmp(c.Params().P) >= 0 {
				t.Fatalf("%s: no such point", c.algorithm)
			}
			point, err := c.decompress(append([]byte{2}, x.FillBytes(make([]byte, c.size()))...))
			if err != nil {
				continue
			}
			r := new(big.Int).Sub(x, n)
			inverse := new(big.Int).ModInverse(r, n)
			scaled := multiply(t, c.name, point, new(big.Int).Mod(new(big.Int).Mul(k, inverse), n))
			minus := new(big.Int).Mul(e, inverse)
			minus.Mod(minus.Neg(minus), n)
			base, _ := c.private(t, minus).PublicKey.Bytes()
			public, err := ecdsa.ParseUncompressedPublicKey(c.Curve, add(t, c.name, scaled, base))
			if err != nil {
				t.Fatal(err)
			}
			if !c.agree(t, c.key(t, public), public, c.join(r, k)) {
				t.Errorf("%s: x is not taken modulo the order", c.algorithm)
			}
			if c.agree(t, c.key(t, public), public, c.join(x, k)) {
				t.Errorf("%s: r above the order is taken", c.algorithm)
			}
			break
		}
	}
}

func TestCurveKeys(t *testing.T) {
	g := func(c *curve) (x, y []byte) {
		p := c.Params()
		return p.Gx.FillBytes(make([]byte, c.size())), p.Gy.FillBytes(make([]byte, c.size()))
	}
	const length, off, unknown = "x or y has not the curve's length", "x and y are not a point of the curve", "crv is not one that is supported (P-256, P-384, P-521, Ed25519)"
	x, y := g(&curves[0])
	long, longer := g(&curves[2])
	changed := bytes.Clone(y)
	changed[31] ^= 1
	above := new(big.Int).Add(curves[2].Params().Gx, curves[2].Params().P).FillBytes(make([]byte, 66))
	ed, _ := hex.DecodeString("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a") // RFC 8032 §7.1
	point := func(text string) []byte {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != 32 {
			t.Fatal(text, err)
		}
		return b
	}
	zeros := make([]byte, 32)
	for _, c := range []struct {
		name, curve string
		x, y        []byte
		want        string
	}{
		{"P-256", "P-256", x, y, ""},
		{"P-521", "P-521", long, longer, ""},
		{"Ed25519", "Ed25519", ed, nil, ""},
		{"no such curve", "P-224", x, y, unknown},
		{"secp256k1", "secp256k1", x, y, unknown},
		{"X25519", "X25519", ed, nil, unknown},
		{"name in lower case", "p-256", x, y, unknown},
		{"another curve's point", "P-384", x, y, length},
		{"another curve's point, filled up", "P-384", append(make([]byte, 16), x...), append(make([]byte, 16), y...), off},
		{"without y", "P-256", x, nil, length},
		{"leading zero", "P-256", append([]byte{0}, x...), y, length},
		{"x cut", "P-256", x[1:], y, length},
		{"y changed", "P-256", x, changed, off},
		{"exchanged", "P-256", y, x, off},
		{"zeros", "P-256", zeros, zeros, off},
		{"x above the prime", "P-521", above, longer, off},
		{"Ed25519 with y", "Ed25519", ed, ed, length},
		{"Ed25519 short", "Ed25519", ed[1:], nil, length},
		{"Ed25519 no point", "Ed25519", point("0200000000000000000000000000000000000000000000000000000000000000"), nil, off},
		{"order 1", "Ed25519", point("0100000000000000000000000000000000000000000000000000000000000000"), nil, off},
		{"order 2", "Ed25519", point("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), nil, off},
		{"order 4", "Ed25519", zeros, nil, off},
		{"order 4, negative", "Ed25519", point("0000000000000000000000000000000000000000000000000000000000000080"), nil, off},
		{"order 8", "Ed25519", point("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), nil, off},
		{"order 8, another", "Ed25519", point("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), nil, off},
		{"order 1, another spelling", "Ed25519", point("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), nil, off},
		{"y above the prime", "Ed25519", point("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), nil, off},
	} {
		key, err := verify.NewCurvePublicKey(c.curve, c.x, c.y)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want || (key == nil) != (err != nil) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestEdDSALikeStandardLibrary compares with crypto/ed25519.
func TestEdDSALikeStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 11))
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	compared, accepted, keys := 0, 0, 0
	for i := range 120 {
		seed := make([]byte, ed25519.SeedSize)
		for j := range seed {
			seed[j] = byte(random.Uint32())
		}
		private := ed25519.NewKeyFromSeed(seed)
		public := private.Public().(ed25519.PublicKey)
		if i%4 == 3 {
			public = seed // bytes that are a point half of the time
		}
		curve, err := verify.NewCurvePublicKey("Ed25519", public, nil)
		if err != nil {
			if i%4 != 3 {
				t.Fatal(err)
			}
			continue
		}
		keys++
		try := func(signature []byte) bool {
			want := len(signature) == ed25519.SignatureSize && ed25519.Verify(public, []byte(signedText), signature)
			got, err := verify.GoEngine("EdDSA", verify.Key{Curve: curve}, signedText, signature)
			if err != nil || got != want {
				t.Fatalf("key %x, signature %x: %v, %v; crypto/ed25519 says %v", public, signature, got, err, want)
			}
			compared++
			if got {
				accepted++
			}
			return got
		}
		good := ed25519.Sign(private, []byte(signedText))
		if !try(good) && i%4 != 3 {
			t.Fatal("a good signature is refused")
		}
		for range 8 {
			flipped := bytes.Clone(good)
			bit := random.IntN(512)
			flipped[bit/8] ^= 1 << (bit % 8)
			try(flipped)
		}
		reversed := bytes.Clone(good[32:])
		slices.Reverse(reversed)
		s := new(big.Int).SetBytes(reversed)
		for _, value := range []*big.Int{new(big.Int).Add(s, order), new(big.Int).Sub(order, s), order, new(big.Int), big.NewInt(1)} {
			b := value.FillBytes(make([]byte, 32))
			slices.Reverse(b)
			try(append(bytes.Clone(good[:32]), b...))
			try(append(append([]byte{1}, make([]byte, 31)...), b...))
		}
		try(good[:63])
		try(append(bytes.Clone(good), 0))
	}
	t.Logf("%d signatures compared with %d keys, %d of them valid", compared, keys, accepted)
}

// FuzzCurves compares with the standard library: any bytes as a signature.
func FuzzCurves(f *testing.F) {
	var keys []verify.Key
	var publics []*ecdsa.PublicKey
	for i := range curves {
		private := curves[i].private(f, big.NewInt(987654321))
		publics = append(publics, &private.PublicKey)
		keys = append(keys, curves[i].key(f, &private.PublicKey))
		r, s, err := ecdsa.Sign(nil, private, digest(curves[i].hash, []byte(signedText)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), curves[i].join(r, s))
		f.Add(byte(i), curves[i].join(s, r))
		f.Add(byte(i), curves[i].join(new(big.Int), s))
		f.Add(byte(i), curves[i].join(r, curves[i].Params().N))
	}
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	public := private.Public().(ed25519.PublicKey)
	curve, err := verify.NewCurvePublicKey("Ed25519", public, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(byte(3), ed25519.Sign(private, []byte(signedText)))
	f.Add(byte(3), make([]byte, 64))
	f.Fuzz(func(t *testing.T, which byte, signature []byte) {
		if which %= 4; which < 3 {
			curves[which].agree(t, keys[which], publics[which], signature)
			return
		}
		want := len(signature) == 64 && ed25519.Verify(public, []byte(signedText), signature)
		got, err := verify.GoEngine("EdDSA", verify.Key{Curve: curve}, signedText, signature)
		if err != nil || got != want {
			t.Fatalf("%x: %v, %v; crypto/ed25519 says %v", signature, got, err, want)
		}
	})
}

type group[P any] interface {
	SetBytes([]byte) (P, error)
	ScalarMult(P, []byte) (P, error)
	Add(P, P) P
	Bytes() []byte
}

func sum[P group[P]](t testing.TB, newPoint func() P, a, b, scalar []byte) []byte {
	p, err := newPoint().SetBytes(a)
	if err != nil {
		t.Fatal(err)
	}
	if b != nil {
		q, err := newPoint().SetBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		return newPoint().Add(p, q).Bytes()
	}
	if p, err = newPoint().ScalarMult(p, scalar); err != nil {
		t.Fatal(err)
	}
	return p.Bytes()
}

func onCurve(t testing.TB, name string, a, b, scalar []byte) []byte {
	switch name {
	case "P-256":
		return sum(t, nistec.NewP256Point, a, b, scalar)
	case "P-384":
		return sum(t, nistec.NewP384Point, a, b, scalar)
	}
	return sum(t, nistec.NewP521Point, a, b, scalar)
}

func add(t testing.TB, name string, a, b []byte) []byte { return onCurve(t, name, a, b, nil) }

func multiply(t testing.TB, name string, a []byte, k *big.Int) []byte {
	return onCurve(t, name, a, nil, k.FillBytes(make([]byte, (len(a)-1)/2)))
}
