package verify_test

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"testing"

	"edgejwt/verify"
)

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
