// Package dpop checks proofs of possession (DPoP, RFC 9449): that whoever sends an access
// token holds the private key to which the token is bound.
//
// A caller takes these steps, in this order:
//
//  1. It verifies the access token and asks verify.SenderConstraint.Check which key is to
//     be proven.
//  2. Find finds the proof in the request's headers.
//  3. Rule.Verify checks the proof (RFC 9449 §4.3).
//  4. Insert records the proof in the shared replay memory and refuses it when it has
//     been used before (RFC 9449 §11.1).
//
// A request may pass only after all four.
//
// This package does not know where the replay memory is, does not read requests from the
// proxy and does not read the clock: bytes and time are arguments.
package dpop

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

// Bounds on a proof.
const (
	// MaxProofBytes bounds the compact JWS. It has room for an RSA key and signature of
	// 8192 bits and a URI of two thousand bytes.
	MaxProofBytes = 8 << 10
	// MaxIDBytes bounds "jti".
	MaxIDBytes = 256
	// maxDepth and maxValues bound the JSON of the header and of the payload, each.
	maxDepth, maxValues = 8, 64
)

// Kind says what is wrong with a proof. It is an error, so that errors.Is finds it in an
// Error.
type Kind uint8

// The kinds.
const (
	_ Kind = iota
	// Missing: the request has no proof.
	Missing
	// Invalid: the proof is not valid for the request (RFC 9449 §7.1, invalid_dpop_proof).
	Invalid
	// OtherKey: the proof was made with another key than the one to which the token is
	// bound.
	OtherKey
	// NonceNeeded: the proof lacks a nonce of this server, or has one that is too old
	// (RFC 9449 §9, use_dpop_nonce).
	NonceNeeded
	// Unchecked: the signature could not be checked. It is not the client's fault.
	Unchecked
)

// Error is the kind's name.
func (k Kind) Error() string {
	names := [...]string{"unknown", "no proof", "invalid proof", "proof of another key", "nonce needed", "proof not checked"}
	if int(k) >= len(names) {
		k = 0
	}
	return names[k]
}

// Error is a Kind with a detail for the log at debug level. The detail is a constant of
// the program and quotes nothing of the request.
type Error struct {
	Kind   Kind
	Detail string
}

// Error gives the kind and the detail.
func (e *Error) Error() string { return e.Kind.Error() + ": " + e.Detail }

// Unwrap lets errors.Is find the Kind.
func (e *Error) Unwrap() error { return e.Kind }

func invalid(detail string) error { return &Error{Invalid, detail} }

// Algorithms lists the algorithms that a Rule may name, the default first. All of them are
// asymmetric (RFC 9449 §4.3, check 5). The slice belongs to the caller.
func Algorithms() []string { return []string{"ES256", "RS256", "PS256", "EdDSA", "ES384"} }

// Find returns the proof among the request's headers, whose names are in lower case.
// There must be exactly one (RFC 9449 §4.3, check 1). Proxies may join repeated headers
// with a comma, which no proof has. Kinds: Missing, Invalid.
func Find(headers [][2]string) (proof string, err error) {
	found := false
	for _, header := range headers {
		if header[0] != "dpop" {
			continue
		}
		if found {
			return "", invalid("there is more than one DPoP header")
		}
		proof, found = header[1], true
	}
	switch {
	case !found:
		return "", &Error{Missing, "there is no DPoP header"}
	case proof == "":
		return "", invalid("the DPoP header is empty")
	case strings.Contains(proof, ","):
		return "", invalid("there is more than one DPoP header")
	}
	return proof, nil
}

// Rule says which proofs are accepted. It is not changed while it is used and may be
// shared by goroutines.
type Rule struct {
	// Algorithms are the accepted values of "alg", some of those that Algorithms lists.
	Algorithms []string
	// MaxAge is how long after "iat" a proof is accepted, and MaxAhead how long before
	// it, for clients whose clock is fast. Both edges are accepted. Neither may be
	// negative.
	MaxAge, MaxAhead time.Duration
	// Nonces are those that a proof must have one of; nil demands none.
	Nonces *Nonces
}

// Request is the request that a proof must be for.
type Request struct {
	// Method is compared with "htm" byte for byte: methods are case-sensitive (RFC 9110
	// §9.1).
	Method string
	// Origin is the scheme, "://" and the authority as the client knows them, such as
	// https://api.example.com.
	Origin string
	// Path is the request's path; a query is ignored.
	Path string
	// Token is the access token as the request spells it.
	Token string
	// Key identifies the key to which the token is bound.
	Key verify.Thumbprint
}

// Proof is a proof that Rule.Verify has accepted.
type Proof struct {
	// ID identifies the proof for as long as it is accepted: see Insert.
	ID ID
	// Expires is the last second at which the proof is accepted, in seconds since the
	// epoch.
	Expires int64
	// OldNonce is true when the proof's nonce is still accepted but no longer the
	// current one. The response should carry the current one (RFC 9449 §8.2).
	OldNonce bool
}

// Verify checks a proof as RFC 9449 §4.3 demands: all checks but the first, which Find
// does. It does not check whether the proof has been used before. The signature comes
// last because it costs much more than everything else. Kinds: Invalid, OtherKey,
// NonceNeeded, Unchecked.
func (r *Rule) Verify(proof string, req *Request, engine verify.Engine, now time.Time) (Proof, error) {
	if len(proof) > MaxProofBytes {
		return Proof{}, invalid("the proof is too long")
	}
	jws, err := verify.ParseJWS(proof, strictjson.Limits{Bytes: MaxProofBytes, Depth: maxDepth, Values: maxValues})
	if err != nil {
		detail := ""
		if refusal := (*verify.Refusal)(nil); errors.As(err, &refusal) {
			detail = refusal.Detail
		}
		return Proof{}, invalid("the proof is not a JWS: " + detail)
	}
	key, err := r.checkHeader(jws)
	if err != nil {
		return Proof{}, err
	}
	thumbprint := key.Thumbprint()
	if !thumbprint.Equal(&req.Key) {
		return Proof{}, &Error{OtherKey, "jwk is not the key to which the token is bound"}
	}
	accepted, err := r.checkClaims(jws, req, now)
	if err != nil {
		return Proof{}, err
	}
	switch err := jws.VerifySignature(engine, key); verify.ReasonOf(err) {
	case verify.Accepted:
		return accepted, nil
	case verify.SignatureInvalid, verify.AlgorithmNotAllowed:
		return Proof{}, invalid("the signature does not verify")
	default:
		return Proof{}, &Error{Unchecked, "the signature could not be checked"}
	}
}

// checkHeader makes checks 4 to 7 of RFC 9449 §4.3, without the signature.
func (r *Rule) checkHeader(jws *verify.JWS) (*verify.Key, error) {
	// An explicit type keeps other JWTs of the client's key from being taken for proofs
	// (RFC 8725 §3.11).
	if jws.Type() != "dpop+jwt" {
		return nil, invalid("typ is not dpop+jwt")
	}
	if !slices.Contains(r.Algorithms, jws.Algorithm()) {
		return nil, invalid("alg is not one that is accepted for proofs")
	}
	jwk, has := jws.Header.Member("jwk")
	if !has {
		return nil, invalid("jwk is missing")
	}
	key, err := verify.ParseJWK("", jwk)
	if err != nil {
		return nil, invalid("jwk: " + err.Error()) // fixed texts, see verify
	}
	if !key.Fits(jws.Algorithm()) {
		return nil, invalid("jwk is a key for another algorithm")
	}
	return key, nil
}

// checkClaims makes checks 3 and 8 to 12 of RFC 9449 §4.3.
func (r *Rule) checkClaims(jws *verify.JWS, req *Request, now time.Time) (accepted Proof, err error) {
	id, ok := text(jws, "jti")
	if !ok || id == "" || len(id) > MaxIDBytes {
		return Proof{}, invalid("jti is not a string of 1 to 256 bytes")
	}
	if method, ok := text(jws, "htm"); !ok || method != req.Method {
		return Proof{}, invalid("htm is not the request's method")
	}
	uri, ok := text(jws, "htu")
	if !ok {
		return Proof{}, invalid("htu is not a string")
	}
	if uri, ok = normalizeURI(uri); !ok {
		return Proof{}, invalid("htu is not an http or https URI")
	}
	if target, ok := targetURI(req.Origin, req.Path); !ok || uri != target {
		return Proof{}, invalid("htu is not the request's target")
	}
	issued, _, ok := jws.Date("iat")
	if !ok {
		return Proof{}, invalid("iat is not a NumericDate")
	}
	at := float64(now.Unix()) + float64(now.Nanosecond())/1e9
	switch expires := issued + r.MaxAge.Seconds(); {
	case at > expires:
		return Proof{}, invalid("iat is too long ago")
	case at < issued-r.MaxAhead.Seconds():
		return Proof{}, invalid("iat has not come")
	default:
		accepted.Expires = int64(math.Ceil(expires))
	}
	hash := sha256.Sum256([]byte(req.Token))
	if ath, ok := text(jws, "ath"); !ok || subtle.ConstantTimeCompare([]byte(ath), []byte(base64.RawURLEncoding.EncodeToString(hash[:]))) != 1 {
		return Proof{}, invalid("ath is not the access token's hash")
	}
	if r.Nonces != nil {
		nonce, ok := text(jws, "nonce")
		if !ok {
			return Proof{}, &Error{NonceNeeded, "nonce is not a string"}
		}
		age, ok := r.Nonces.age(nonce, now)
		if !ok {
			return Proof{}, &Error{NonceNeeded, "nonce is not one of this server's, or too old"}
		}
		accepted.OldNonce = age > 0
	}
	accepted.ID = newID(&req.Key, id)
	return accepted, nil
}

// text gives a claim that is a string.
func text(jws *verify.JWS, name string) (string, bool) {
	claim, has := jws.Payload.Member(name)
	if !has || claim.Kind != strictjson.String {
		return "", false
	}
	return claim.Text, true
}
