//go:build wasip1 && !full

package jwks

import (
	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

// RecordFormat numbers the encoding of records and what a record's set can hold:
// even in builds that know RSA keys alone, odd in the others. It belongs into the
// key under which the record is stored, so that two builds do not fight over one
// record, nor one leave out what the other needs.
const RecordFormat = 4

// No key on a curve is ever made in this build, so these are not reached.

func parseCurve(*strictjson.Value, string, string) (*verify.CurvePublicKey, string) {
	return nil, fullModule
}
func compareCurves(*verify.CurvePublicKey, *verify.CurvePublicKey) int { return 0 }
func curveJSON(*verify.CurvePublicKey) (kty, members string)           { return "", "" }
