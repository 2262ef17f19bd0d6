package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"edgejwt/verify"
)

// TestRSAKeys holds NewKey to what crypto/rsa demands of a key, and to our bounds.
func TestRSAKeys(t *testing.T) {
	odd := func(bits int) *big.Int {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return n.SetBit(n, 0, 1)
	}
	for _, c := range []struct {
		name     string
		modulus  *big.Int
		exponent int
		want     string
	}{
		{"usual", odd(2048), 65537, ""},
		{"least exponent", odd(2048), 3, ""},
		{"greatest exponent", odd(2048), 1<<31 - 1, ""},
		{"longest", odd(8192), 65537, ""},
		{"no modulus", new(big.Int), 65537, "modulus is under 2048 bits"},
		{"2047 bits", odd(2047), 65537, "modulus is under 2048 bits"},
		{"8193 bits", odd(8193), 65537, "modulus is over 8192 bits"},
		{"even modulus", new(big.Int).Lsh(big.NewInt(1), 2047), 65537, "modulus is even"},
		{"exponent 0", odd(2048), 0, "exponent is even"},
		{"exponent 1", odd(2048), 1, "exponent is 1"},
		{"exponent -1", odd(2048), -1, "exponent is 1"},
		{"exponent 2", odd(2048), 2, "exponent is even"},
		{"exponent 2^31", odd(2048), 1 << 31, "exponent is over 2^31-1"},
		{"exponent 2^31+1", odd(2048), 1<<31 + 1, "exponent is over 2^31-1"},
	} {
		newKey(t, c.name, "", &rsa.PublicKey{N: c.modulus, E: c.exponent}, c.want)
	}
}

// newKey makes a key and asserts what NewKey says of it; empty for a good one.
func newKey(t *testing.T, name, algorithm string, public crypto.PublicKey, want string) {
	t.Helper()
	key, err := verify.NewKey("", algorithm, public)
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want || (key == nil) != (err != nil) {
		t.Errorf("%s: %v, %q; want %q", name, key, got, want)
	}
}

func TestEd25519Keys(t *testing.T) {
	const off = "x and y are not a point of the curve"
	for _, c := range []struct{ name, x, want string }{
		{"RFC 8032 §7.1", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", ""},
		{"short", "5a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", off},
		{"empty", "", off},
		{"no point", "0200000000000000000000000000000000000000000000000000000000000000", off},
		{"order 1", "0100000000000000000000000000000000000000000000000000000000000000", off},
		{"order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", off},
		{"order 4", "0000000000000000000000000000000000000000000000000000000000000000", off},
		{"order 4, negative", "0000000000000000000000000000000000000000000000000000000000000080", off},
		{"order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", off},
		{"order 8, another", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", off},
		{"order 1, another spelling", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", off},
		{"y above the prime", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", off},
	} {
		x, err := hex.DecodeString(c.x)
		if err != nil {
			t.Fatal(err)
		}
		newKey(t, c.name, "", ed25519.PublicKey(x), c.want)
	}
}

// TestKeysAndAlgorithms: a key is for the algorithms of its type and curve, and for
// one only when it is bound.
func TestKeysAndAlgorithms(t *testing.T) {
	modulus := new(big.Int).Lsh(big.NewInt(1), 2047)
	modulus.SetBit(modulus, 0, 1)
	on := func(curve elliptic.Curve) *ecdsa.PublicKey {
		key, err := ecdsa.ParseRawPrivateKey(curve, big.NewInt(5).FillBytes(make([]byte, (curve.Params().BitSize+7)/8)))
		if err != nil {
			t.Fatal(err)
		}
		return &key.PublicKey
	}
	rsaAlgorithms := verify.Algorithms()[:6]
	for _, c := range []struct {
		name       string
		public     crypto.PublicKey
		algorithms []string
		misfit     string
	}{
		{"RSA", &rsa.PublicKey{N: modulus, E: 3}, rsaAlgorithms, "alg is not one for RSA keys"},
		{"P-256", on(elliptic.P256()), []string{"ES256"}, "alg is not the one for the curve"},
		{"P-384", on(elliptic.P384()), []string{"ES384"}, "alg is not the one for the curve"},
		{"P-521", on(elliptic.P521()), []string{"ES512"}, "alg is not the one for the curve"},
		{"Ed25519", ed25519.NewKeyFromSeed(make([]byte, 32)).Public(), []string{"EdDSA"}, "alg is not the one for the curve"},
	} {
		key, err := verify.NewKey("kid", "", c.public)
		if err != nil {
			t.Fatal(c.name, err)
		}
		for _, algorithm := range append(verify.Algorithms(), "", "none", "HS256", "ES256K", "Ed25519", "rs256", "RS256 ") {
			fits := slices.Contains(c.algorithms, algorithm)
			if key.Fits(algorithm) != fits {
				t.Errorf("%s fits %q: %v", c.name, algorithm, !fits)
			}
			if ok, err := verify.GoEngine(algorithm, key, signedText, make([]byte, 64)); ok || (err == nil) != fits {
				t.Errorf("%s under %q: %v, %v", c.name, algorithm, ok, err)
			}
			if algorithm == "" {
				continue
			}
			want := c.misfit
			if fits {
				want = ""
			}
			newKey(t, c.name+" for "+algorithm, algorithm, c.public, want)
			if bound, err := verify.NewKey("kid", algorithm, c.public); err == nil && (!bound.Fits(algorithm) || algorithm != "RS384" && bound.Fits("RS384")) {
				t.Errorf("%s bound to %s fits another algorithm", c.name, algorithm)
			}
		}
		other, _ := verify.NewKey("kid", "", c.public)
		renamed, _ := verify.NewKey("other", "", c.public)
		bound, _ := verify.NewKey("kid", c.algorithms[0], c.public)
		if !key.Same(other) || key.Same(renamed) || key.Same(bound) || !bound.Same(bound) {
			t.Errorf("%s: Same", c.name)
		}
	}
	const unknown = "the key is not one for RSA, P-256, P-384, P-521 or Ed25519"
	p224 := on(elliptic.P224())
	newKey(t, "P-224", "", p224, unknown)
	newKey(t, "nothing", "", nil, unknown)
	newKey(t, "RSA without a modulus", "", &rsa.PublicKey{E: 3}, "modulus is under 2048 bits")
	newKey(t, "a point without a curve", "", &ecdsa.PublicKey{}, "x and y are not a point of the curve")
	newKey(t, "bytes", "", make([]byte, 32), unknown)
	newKey(t, "not a pointer", "", *on(elliptic.P256()), unknown)

	// What NewKey has not seen verifies nothing.
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	unseen := &verify.Key{Public: private.Public()}
	if ok, err := verify.GoEngine("EdDSA", unseen, signedText, ed25519.Sign(private, []byte(signedText))); ok || err == nil {
		t.Error("a key that nobody has checked verifies")
	}
}
