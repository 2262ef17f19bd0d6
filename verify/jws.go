package verify

import "edgejwt/verify/strictjson"

// JWS is a parsed compact JWS (RFC 7515 §7.1) that is not an access token, such as a DPoP
// proof. Nothing in it may be trusted before VerifySignature has accepted it. A JWS is
// not changed after ParseJWS and may be shared by goroutines. It keeps the text given to
// ParseJWS.
type JWS struct {
	// Header is the JOSE header and Payload the payload. Both are JSON objects.
	Header, Payload strictjson.Value

	header
	signed    string
	signature []byte
}

// ParseJWS reads a compact JWS whose payload is a JSON object, as strictly as Parse reads
// an access token. lim bounds the JSON text of the header and of the payload, each; the
// caller bounds the length of compact. Reasons: TokenMalformed, TokenTooLarge.
func ParseJWS(compact string, lim strictjson.Limits) (*JWS, error) {
	encodedHeader, payload, encodedSignature, ok := splitCompact(compact)
	if !ok {
		return nil, refuse(TokenMalformed, "there are not three parts")
	}
	j := &JWS{signed: compact[:len(encodedHeader)+1+len(payload)]}
	var err error
	if j.Header, err = decodeObject(encodedHeader, lim); err != nil {
		return nil, err
	}
	if err := j.header.read(&j.Header); err != nil {
		return nil, err
	}
	if j.Payload, err = decodeObject(payload, lim); err != nil {
		return nil, err
	}
	if j.signature, ok = DecodeBase64URL(encodedSignature); !ok {
		return nil, refuse(TokenMalformed, notBase64URL)
	}
	return j, nil
}

// Algorithm is the JOSE header's "alg" (RFC 7515 §4.1.1).
func (j *JWS) Algorithm() string { return j.algorithm }

// KeyID is the JOSE header's "kid" (RFC 7515 §4.1.4). ok is false when the header has
// none.
func (j *JWS) KeyID() (kid string, ok bool) { return j.keyID, j.hasKeyID }

// Type is the JOSE header's "typ" (RFC 7515 §4.1.9), unchanged. It is empty when the
// header has none.
func (j *JWS) Type() string { return j.mediaType }

// Date returns a claim of the payload that is a NumericDate (RFC 7519 §2), in seconds
// since the epoch. has is false when there is no such claim; ok is false when there is
// none or it is not a NumericDate.
func (j *JWS) Date(name string) (seconds float64, has, ok bool) {
	claim, has := j.Payload.Member(name)
	if !has {
		return 0, false, false
	}
	date := numericDate(claim)
	return date.seconds, true, date.state == present
}

// VerifySignature checks the signature with a key, which must fit the algorithm.
// Reasons: as Token.VerifySignature.
func (j *JWS) VerifySignature(engine Engine, key *Key) error {
	return verifySignature(engine, key, j.algorithm, j.signed, j.signature)
}
