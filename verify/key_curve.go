package verify

import "errors"

// CurvePublicKey is a public key on an elliptic curve: "kty" EC (RFC 7518 §6.2) or
// OKP (RFC 8037 §2). NewCurvePublicKey makes it, and it is never changed
// afterwards. Unlike an RSA key it is for one algorithm only.
type CurvePublicKey struct {
	// Name is the JWK's "crv": P-256, P-384, P-521 or Ed25519.
	Name string
	// Algorithm is the one that the curve is for: ES256, ES384, ES512 or EdDSA.
	Algorithm string
	// X and Y are the point's coordinates, big-endian and of the curve's full
	// length. An Ed25519 key is X alone, encoded as RFC 8032 §5.1.2 has it.
	X, Y []byte

	// check verifies a signature. It is a function because what it needs to know
	// would bring all its methods into the module as a field.
	check func(signed string, signature []byte) bool
}

// The errors of NewCurvePublicKey. Each is a clause that names what is wrong.
var (
	errUnknownCurve = errors.New("crv is not one that is supported (P-256, P-384, P-521, Ed25519)")
	errNotOnCurve   = errors.New("x and y are not a point of the curve")
	errLength       = errors.New("x or y has not the curve's length")
)

// NewCurvePublicKey makes a key of the coordinates of a point, which it takes
// over. It refuses other lengths than the curve's, and what is no point of it or,
// for Ed25519, one of the eight points whose signatures anybody can make. Builds
// without the curve's algorithm refuse every key.
func NewCurvePublicKey(name string, x, y []byte) (*CurvePublicKey, error) {
	algorithm, check, err := prepareCurve(name, x, y)
	if err != nil {
		return nil, err
	}
	return &CurvePublicKey{Name: name, Algorithm: algorithm, X: x, Y: y, check: check}, nil
}
