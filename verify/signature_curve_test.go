package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
	"math/rand/v2"
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
