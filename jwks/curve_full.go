//go:build full || !wasip1

package jwks

import (
	"bytes"
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/base64url"
	"edgejwt/verify/strictjson"
)

// RecordFormat is odd in builds that know all key types: see curve_standard.go.
const RecordFormat = 5

// parseCurve reads the coordinates of a public key on a curve (RFC 7518 §6.2.1,
// RFC 8037 §2). They are as long as the curve's field, leading zeros included.
func parseCurve(jwk *strictjson.Value, kty, crv string) (*verify.CurvePublicKey, string) {
	x, ok := decodeBytes(jwk, "x")
	if !ok {
		return nil, "x is not base64url"
	}
	var y []byte
	if _, has := jwk.Member("y"); has || kty == "EC" {
		if y, ok = decodeBytes(jwk, "y"); !ok {
			return nil, "y is not base64url"
		}
	}
	key, err := verify.NewCurvePublicKey(strings.Clone(crv), x, y)
	if err != nil {
		return nil, err.Error()
	}
	return key, ""
}

// compareCurves orders keys on curves by what they are.
func compareCurves(a, b *verify.CurvePublicKey) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	if c := bytes.Compare(a.X, b.X); c != 0 {
		return c
	}
	return bytes.Compare(a.Y, b.Y)
}

// curveJSON gives a key's "kty" and its other members.
func curveJSON(k *verify.CurvePublicKey) (kty, members string) {
	kty, members = "OKP", `,"crv":"`+k.Name+`","x":"`+base64url.Encode(k.X)+`"`
	if len(k.Y) > 0 {
		kty, members = "EC", members+`,"y":"`+base64url.Encode(k.Y)+`"`
	}
	return kty, members
}
