package verify

import (
	"encoding/base64"
	"math"
	"strings"
	"sync/atomic"

	"edgejwt/verify/strictjson"
)

// tokenLimits bounds the header and the payload, each. The bound on values keeps the
// cost of parsing an unsigned token below that of a signature check. It leaves room
// for some hundreds of permissions (Auth0).
var tokenLimits = strictjson.Limits{Bytes: MaxTokenBytes, Depth: maxTokenDepth, Values: maxTokenValues}

// maxNumericDate is the greatest accepted magnitude of a NumericDate. Up to it a
// float64 represents every whole second.
const maxNumericDate = 1 << 53

// Token is a parsed compact JWS. Nothing in it may be trusted before VerifySignature
// has accepted it. A Token is not changed after Parse and may be shared by
// goroutines. It keeps the text given to Parse.
type Token struct {
	signed    string // the signing input (RFC 7515 §5.1): header "." payload, encoded
	payload   string // in base64url
	length    int    // of the text given to Parse, in bytes
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

// header has the members of the JOSE header that are used.
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
	outOfRange // a number, but not one that is a date to every reader
)

type textClaim struct {
	state claimState
	text  string
}

type timeClaim struct {
	state   claimState
	seconds float64
}

// Algorithm is the JOSE header's "alg" (RFC 7515 §4.1.1), as the token states it.
func (t *Token) Algorithm() string { return t.algorithm }

// KeyID is the JOSE header's "kid" (RFC 7515 §4.1.4). ok is false when the header
// has none.
func (t *Token) KeyID() (kid string, ok bool) { return t.keyID, t.hasKeyID }

// Type is the JOSE header's "typ" (RFC 7515 §4.1.9), unchanged. It is empty when the
// header has none.
func (t *Token) Type() string { return t.mediaType }

// Payload is the payload in base64url without padding, as the token spells it.
func (t *Token) Payload() string { return t.payload }

// Claim looks up a claim by its name. The name is not a path: it may contain any
// character and may be a URL.
func (t *Token) Claim(name string) (*strictjson.Value, bool) { return t.claims.Member(name) }

// Lookup follows names from the outermost object on, one member for each name. It
// returns nil when there is no such claim. The names are compared as in Claim.
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

// Date returns a claim that is a NumericDate (RFC 7519 §2), in seconds since the
// epoch. Reasons: ClaimInvalid when the claim is missing or not a NumericDate,
// ClaimOutOfRange.
func (t *Token) Date(name string) (seconds float64, err error) {
	claim, ok := t.Claim(name)
	if !ok {
		return 0, refuse(ClaimInvalid, "a date is missing")
	}
	switch date := numericDate(claim); date.state {
	case present:
		return date.seconds, nil
	case outOfRange:
		return 0, refuse(ClaimOutOfRange, "a date is out of range")
	}
	return 0, refuse(ClaimInvalid, "a date is not a NumericDate")
}

// Size estimates the memory of the token in bytes, without the text given to Parse.
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

// Parse reads a compact JWS (RFC 7515 §7.1) whose payload is a JSON object. It checks
// the syntax and no value. base64url must be as DecodeBase64URL accepts it, and JSON
// as package strictjson does. Tokens longer than DefaultTokenBytes are refused;
// Rules.Parse has the rules' own bound. Reasons: TokenTooLarge, TokenOpaque,
// TokenEncrypted, TokenMalformed.
func Parse(compact string) (*Token, error) { return parse(compact, DefaultTokenBytes) }

func parse(compact string, maxBytes int) (*Token, error) {
	if len(compact) > maxBytes {
		return nil, refuse(TokenTooLarge, "the token is too long")
	}
	encodedHeader, payload, encodedSignature, ok := splitCompact(compact)
	if !ok {
		return nil, notThreeParts(compact)
	}
	t := &Token{signed: compact[:len(encodedHeader)+1+len(payload)], payload: payload, length: len(compact)}
	var err error
	if t.header, err = readHeader(encodedHeader); err != nil {
		return nil, err
	}
	limits := tokenLimits
	limits.Values = max(limits.Values, maxBytes/bytesPerValue)
	if t.claims, err = decodeObject(t.payload, limits); err != nil {
		return nil, err
	}
	if t.signature, ok = DecodeBase64URL(encodedSignature); !ok {
		return nil, refuse(TokenMalformed, notBase64URL)
	}
	t.readClaims()
	return t, nil
}

// notThreeParts returns why a text without the three parts of a JWS is refused. Clients
// that name no audience often get a token for the provider itself: a JWE, or one that is
// no JWT at all.
func notThreeParts(compact string) error {
	first, _, _ := strings.Cut(compact, ".")
	header, err := decodeObject(first, tokenLimits)
	if err == nil {
		// RFC 7516 §4.1.2: every JWE has "enc".
		if enc, ok := header.Member("enc"); ok && enc.Kind == strictjson.String && IsOpaque(compact) {
			return refuse(TokenEncrypted, "the token has the five parts of a JWE")
		}
		return refuse(TokenMalformed, "the token has not three parts") // a JWT that was cut, or joined with another text
	}
	if isB64Token(compact) {
		return refuse(TokenOpaque, "the token is not a JWT")
	}
	return refuse(TokenMalformed, "the token has not three parts")
}

// readClaims reads the registered claims (RFC 7519 §4.1). It records a wrong type and
// does not refuse it: Rules.Match and Rule.Check define which fault is reported first.
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
	switch {
	case claim.Kind != strictjson.Number:
		return timeClaim{state: wrongType}
	case math.Abs(claim.Num) <= maxNumericDate:
		return timeClaim{present, claim.Num}
	}
	return timeClaim{state: outOfRange}
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

// last is the header that was read last. Tokens that are signed with one key usually
// have identical headers, so most headers need not be parsed.
var last atomic.Pointer[lastHeader]

type lastHeader struct {
	encoded string
	header
}

// readHeader reads a JOSE header in base64url.
func readHeader(encoded string) (header, error) {
	if l := last.Load(); l != nil && l.encoded == encoded {
		return l.header, nil
	}
	l := &lastHeader{encoded: strings.Clone(encoded)}
	object, err := decodeObject(l.encoded, tokenLimits)
	if err != nil {
		return header{}, err
	}
	if err := l.read(&object); err != nil {
		return header{}, err
	}
	last.Store(l)
	return l.header, nil
}

// read reads the members that are used. It ignores "jwk", "jku", "x5u" and "x5c": a
// key that comes with the token proves nothing (RFC 8725 §3.10).
func (h *header) read(object *strictjson.Value) error {
	for i := range object.Children {
		member := &object.Children[i]
		isString := member.Kind == strictjson.String
		switch member.Name {
		case "alg":
			h.algorithm = member.Text
			if !isString || member.Text == "" {
				return refuse(TokenMalformed, "alg is not a name")
			}
		case "kid":
			h.keyID, h.hasKeyID = member.Text, true
			if !isString {
				return refuse(TokenMalformed, "kid is not a string")
			}
		case "typ", "cty":
			if !isString {
				return refuse(TokenMalformed, "typ or cty is not a string")
			}
			if member.Name == "typ" {
				h.mediaType = member.Text
			}
		case "crit":
			// RFC 7515 §4.1.11: an extension that is not understood makes the JWS
			// invalid. This package understands none.
			return refuse(TokenMalformed, "crit names an extension")
		case "b64":
			// RFC 7797 §6: b64 needs crit. Without crit, implementations disagree
			// about the signing input.
			return refuse(TokenMalformed, "b64 stands without crit")
		}
	}
	if h.algorithm == "" {
		return refuse(TokenMalformed, "alg is missing")
	}
	return nil
}

// splitCompact cuts a compact JWS into its three parts (RFC 7515 §7.1). ok is false when
// there are not three.
func splitCompact(compact string) (header, payload, signature string, ok bool) {
	first := strings.IndexByte(compact, '.')
	last := first + 1 + strings.IndexByte(compact[first+1:], '.')
	if first < 0 || last == first || strings.IndexByte(compact[last+1:], '.') >= 0 {
		return "", "", "", false
	}
	return compact[:first], compact[first+1 : last], compact[last+1:], true
}

// decodeObject reads one part of a compact JWS as a JSON object. Reasons: TokenMalformed,
// TokenTooLarge.
func decodeObject(part string, lim strictjson.Limits) (strictjson.Value, error) {
	text, ok := DecodeBase64URL(part)
	if !ok {
		return strictjson.Value{}, refuse(TokenMalformed, notBase64URL)
	}
	object, err := strictjson.Parse(string(text), lim)
	switch err {
	case nil:
	case strictjson.ErrTooLong, strictjson.ErrTooDeep, strictjson.ErrTooMany:
		return strictjson.Value{}, refuse(TokenTooLarge, err.Error()) // fixed texts, see strictjson
	default:
		return strictjson.Value{}, refuse(TokenMalformed, err.Error())
	}
	if object.Kind != strictjson.Object {
		return strictjson.Value{}, refuse(TokenMalformed, "a part is not a JSON object")
	}
	return object, nil
}

const notBase64URL = "a part is not base64url"

var strictBase64URL = base64.RawURLEncoding.Strict()

// DecodeBase64URL decodes the base64url of RFC 7515 §2. It refuses everything that
// base64.RawURLEncoding would not write: padding, white space, line breaks, and bits
// that belong to no byte (RFC 4648 §3.5). Otherwise one token could be written in
// several ways, which a cache or a revocation list would take for different tokens.
func DecodeBase64URL(text string) (decoded []byte, ok bool) {
	decoded, err := strictBase64URL.DecodeString(text)
	// Strict accepts line breaks. The length reveals them.
	if err != nil || strictBase64URL.EncodedLen(len(decoded)) != len(text) {
		return nil, false
	}
	return decoded, true
}

// IsOpaque reports whether a token is not a JWS in compact form but one that only its
// issuer or the API can check: a b64token (RFC 6750 §2.1) without a dot, or a JWE with
// its five parts (RFC 7516 §7.1). It is false for tokens over MaxTokenBytes. Parse
// decides about every token for which IsOpaque is false.
func IsOpaque(token string) bool {
	if len(token) > MaxTokenBytes || !isB64Token(token) {
		return false
	}
	dots := strings.Count(token, ".")
	return dots == 0 || dots == 4 && !strings.ContainsAny(token, "~+/=")
}

// isB64Token reports whether a text is a b64token (RFC 6750 §2.1) that does not begin
// with a dot.
func isB64Token(text string) bool {
	text = strings.TrimRight(text, "=")
	if text == "" || text[0] == '.' {
		return false
	}
	for i := range len(text) {
		if c := text[i]; !isAlphanumeric(c) && strings.IndexByte("-._~+/", c) < 0 {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
