package verify

import (
	"math"
	"strings"

	"edgejwt/verify/strictjson"
)

// Bounds of the two JSON texts of a token. Auth0's largest tokens nest four
// deep and hold some hundreds of permissions. More values would let an unsigned
// token cost more than the check of a signature.
var tokenLimits = strictjson.Limits{Bytes: MaxTokenBytes, Depth: maxTokenDepth, Values: maxTokenValues}

// maxNumericDate is the greatest magnitude of a NumericDate that is taken: what
// a float64 holds to the second.
const maxNumericDate = 1 << 53

// Token is what a compact JWS says of itself. Nothing in it may be believed
// before VerifySignature has accepted it. A Token is not changed after Parse
// and may be shared by goroutines; its strings are parts of the text given to
// Parse.
type Token struct {
	signed    string // header and payload as they came: what the signature covers
	payload   string // the payload, still base64url
	signature []byte
	header

	claims    strictjson.Value // the payload's object
	issuer    textClaim
	subject   claimState
	tokenID   claimState
	expiry    timeClaim
	notBefore timeClaim
	issuedAt  timeClaim

	audience      []string
	audienceState claimState
}

// header is what is taken from a JOSE header.
type header struct {
	algorithm string
	keyID     string
	hasKeyID  bool
	mediaType string // "typ"
}

type claimState uint8

const (
	absent claimState = iota
	present
	wrongType
)

type textClaim struct {
	state claimState
	text  string
}

type timeClaim struct {
	state   claimState
	seconds float64
}

// Algorithm is the JOSE header's "alg" (RFC 7515 §4.1.1), as the token claims it.
func (t *Token) Algorithm() string { return t.algorithm }

// KeyID is the JOSE header's "kid" (RFC 7515 §4.1.4); ok is false when it has none.
func (t *Token) KeyID() (kid string, ok bool) { return t.keyID, t.hasKeyID }

// Type is the JOSE header's "typ" (RFC 7515 §4.1.9) as it stands there; empty
// when it has none.
func (t *Token) Type() string { return t.mediaType }

// Payload is the payload as it stands in the token: base64url without padding.
func (t *Token) Payload() string { return t.payload }

// Claim looks a claim up by its name, which is compared as a whole: no part of
// it is syntax, so a name may be a URL.
func (t *Token) Claim(name string) (*strictjson.Value, bool) { return t.claims.Member(name) }

// Lookup follows names from the outermost object on, one member per step; nil
// when the claim is not there. No part of a name is syntax.
func (t *Token) Lookup(names []string) *strictjson.Value {
	claim, ok := &t.claims, len(names) > 0
	for i := 0; ok && i < len(names); i++ {
		claim, ok = claim.Member(names[i])
	}
	if !ok {
		return nil
	}
	return claim
}

// Date is a claim that is a NumericDate (RFC 7519 §2), in seconds since the
// epoch. Reason, when the claim is missing or no such date: ClaimInvalid.
func (t *Token) Date(name string) (seconds float64, err error) {
	claim, ok := t.Claim(name)
	if !ok {
		return 0, refuse(ClaimInvalid, "a date is missing")
	}
	date := numericDate(claim)
	if date.state != present {
		return 0, refuse(ClaimInvalid, "a date is not a NumericDate")
	}
	return date.seconds, nil
}

// Size is about how much memory the token takes besides the text that was given
// to Parse, in bytes.
func (t *Token) Size() int {
	const token, value = 512, 96
	return token + len(t.signature) + len(t.payload)*3/4 + value*values(&t.claims)
}

func values(v *strictjson.Value) (n int) {
	for i := range v.Children {
		n += 1 + values(&v.Children[i])
	}
	return n
}

// Parse reads a compact JWS (RFC 7515 §7.1) whose payload is a JSON object. It
// judges the form alone; see Rules.Match for what comes next. It accepts one
// spelling only of everything: base64url without padding, white space or stray
// bits, JSON as package strictjson has it. Reason: TokenMalformed.
func Parse(compact string) (*Token, error) {
	if len(compact) > MaxTokenBytes {
		return nil, refuse(TokenMalformed, "the token is too long")
	}
	first := strings.IndexByte(compact, '.')
	last := first + 1 + strings.IndexByte(compact[first+1:], '.')
	if first < 0 || last == first || strings.IndexByte(compact[last+1:], '.') >= 0 {
		return nil, refuse(TokenMalformed, "the token has not three parts")
	}
	t := &Token{signed: compact[:last], payload: compact[first+1 : last]}

	var err error
	if t.header, err = readHeader(compact[:first]); err != nil {
		return nil, err
	}
	if t.claims, err = decodeObject(t.payload); err != nil {
		return nil, err
	}
	if t.signature, err = decodeBase64URL(compact[last+1:]); err != nil {
		return nil, err
	}
	t.readClaims()
	return t, nil
}

// readClaims takes the registered claims out (RFC 7519 §4.1). A wrong type is
// noted, not refused: the rule's order decides which fault is told first.
func (t *Token) readClaims() {
	for i := range t.claims.Children {
		claim := &t.claims.Children[i]
		switch claim.Name {
		case "iss":
			t.issuer = textClaim{stringState(claim), claim.Text}
		case "sub":
			t.subject = stringState(claim)
		case "jti":
			t.tokenID = stringState(claim)
		case "exp":
			t.expiry = numericDate(claim)
		case "nbf":
			t.notBefore = numericDate(claim)
		case "iat":
			t.issuedAt = numericDate(claim)
		case "aud":
			t.audience, t.audienceState = audience(claim)
		}
	}
}

func stringState(claim *strictjson.Value) claimState {
	if claim.Kind == strictjson.String {
		return present
	}
	return wrongType
}

// numericDate reads seconds since the epoch (RFC 7519 §2).
func numericDate(claim *strictjson.Value) timeClaim {
	if claim.Kind != strictjson.Number || !(math.Abs(claim.Num) <= maxNumericDate) {
		return timeClaim{state: wrongType}
	}
	return timeClaim{present, claim.Num}
}

// audience reads a string or a list of strings (RFC 7519 §4.1.3).
func audience(claim *strictjson.Value) ([]string, claimState) {
	switch claim.Kind {
	case strictjson.String:
		return []string{claim.Text}, present
	case strictjson.Array:
		list := make([]string, 0, len(claim.Children))
		for i := range claim.Children {
			if claim.Children[i].Kind != strictjson.String {
				return nil, wrongType
			}
			list = append(list, claim.Children[i].Text)
		}
		return list, present
	}
	return nil, wrongType
}
