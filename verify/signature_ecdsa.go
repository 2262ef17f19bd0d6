//go:build full || !wasip1

package verify

import (
	"bytes"

	"filippo.io/bigmod"
	"filippo.io/nistec"
)

// The orders of the curves' groups (SP 800-186 §3.2.1.3 to §3.2.1.5).
const (
	orderP256 = "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff" +
		"\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"
	orderP384 = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" +
		"\xc7\x63\x4d\x81\xf4\x37\x2d\xdf\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73"
	orderP521 = "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfa" +
		"\x51\x86\x87\x83\xbf\x2f\x96\x6b\x7f\xcc\x01\x48\xf7\x09\xa5\xd0\x3b\xb5\xc9\xb8\x89\x9c\x47\xae\xbb\x6f\xb7\x1e\x91\x38\x64\x09"
)

func prepareP256(x, y []byte) (string, func(string, []byte) bool, error) {
	check, err := prepareECDSA(nistec.NewP256Point, orderP256, sha256Of, x, y)
	return "ES256", check, err
}

func prepareP384(x, y []byte) (string, func(string, []byte) bool, error) {
	check, err := prepareECDSA(nistec.NewP384Point, orderP384, sha384Of, x, y)
	return "ES384", check, err
}

func prepareP521(x, y []byte) (string, func(string, []byte) bool, error) {
	check, err := prepareECDSA(nistec.NewP521Point, orderP521, sha512Of, x, y)
	return "ES512", check, err
}

// point is a point of one of nistec's curves. None that is off the curve can be
// made, and the point at infinity has no coordinates.
type point[P any] interface {
	SetBytes([]byte) (P, error)
	Add(P, P) P
	ScalarMult(P, []byte) (P, error)
	ScalarBaseMult([]byte) (P, error)
	BytesX() ([]byte, error)
}

// prepareECDSA gives the check for one key (RFC 7518 §3.4). A curve's coordinates
// are as long as its order.
func prepareECDSA[P point[P]](newPoint func() P, order string, sum hasher, x, y []byte) (func(string, []byte) bool, error) {
	if len(x) != len(order) || len(y) != len(order) {
		return nil, errLength
	}
	q, err := newPoint().SetBytes(bytes.Join([][]byte{{4}, x, y}, nil)) // SEC 1 §2.3.4: uncompressed
	if err != nil {
		return nil, errNotOnCurve
	}
	n, err := bigmod.NewModulus([]byte(order))
	if err != nil {
		return nil, err
	}
	return func(signed string, signature []byte) bool {
		return verifyECDSA(newPoint, q, n, sum([]byte(signed)), signature)
	}, nil
}

// verifyECDSA follows FIPS 186-5 §6.4.2. The signature is r and s, each as long as
// the order (RFC 7518 §3.4); either being 0 or not below the order, it is none. The
// hash is never longer than the order here, so nothing of it is cut.
func verifyECDSA[P point[P]](newPoint func() P, q P, n *bigmod.Modulus, hash, signature []byte) bool {
	size := n.Size()
	if len(signature) != 2*size {
		return false
	}
	r, err := bigmod.NewNat().SetBytes(signature[:size], n)
	if err != nil || r.IsZero() == 1 {
		return false
	}
	s, err := bigmod.NewNat().SetBytes(signature[size:], n)
	if err != nil || s.IsZero() == 1 {
		return false
	}
	e, err := bigmod.NewNat().SetOverflowingBytes(hash, n)
	if err != nil {
		return false
	}
	// 1/s is s^(n-2): the order is a prime.
	exponent := bigmod.NewNat().SetUint(2).ExpandFor(n)
	exponent = bigmod.NewNat().ExpandFor(n).Sub(exponent, n)
	w := bigmod.NewNat().Exp(s, exponent.Bytes(n), n)
	p1, err := newPoint().ScalarBaseMult(e.Mul(w, n).Bytes(n))
	if err != nil {
		return false
	}
	p2, err := newPoint().ScalarMult(q, w.Mul(r, n).Bytes(n))
	if err != nil {
		return false
	}
	x, err := newPoint().Add(p1, p2).BytesX()
	if err != nil { // the point at infinity
		return false
	}
	v, err := bigmod.NewNat().SetOverflowingBytes(x, n)
	return err == nil && v.Equal(r) == 1
}
