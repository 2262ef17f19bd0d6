// Package statuslist reads Token Status Lists (draft-ietf-oauth-status-list-21) in the JWT
// format: signed, compressed arrays in which an issuer publishes the statuses of its
// tokens. A token refers to its status by the address of a list and an index.
//
// ReferenceOf reads a token's reference, Rule.Open verifies a list, and List.Status looks
// an index up. Encode and Decode hand a list to other workers. Where a list comes from,
// which addresses are trusted and how old a list may be is left to the caller.
package statuslist

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

// Bounds on a list.
const (
	// MaxTokenBytes bounds the status list token, a compact JWS.
	MaxTokenBytes = 1 << 20
	// MaxListBytes bounds the inflated list: 16 million tokens with one bit each.
	MaxListBytes = 2 << 20
	// maxDepth and maxValues bound the JSON of the header and of the payload, each.
	maxDepth, maxValues = 8, 64
)

// The errors of this package. Their texts quote nothing of the token or the list.
var (
	// ErrReference: the token's "status" is no reference to a status list.
	ErrReference = errors.New("status does not refer to a status list")
	ErrTooLong   = errors.New("the status list is too long")
	ErrMalformed = errors.New("the status list token is not a JWS of the type statuslist+jwt")
	ErrAlgorithm = errors.New("the status list token is signed with an algorithm that the issuer's rule does not allow")
	ErrKey       = errors.New("the status list token is signed with a key that its issuer does not publish")
	ErrSignature = errors.New("the status list token's signature is not valid")
	ErrUnchecked = errors.New("the status list token's signature could not be checked")
	ErrIssuer    = errors.New("the status list token is of another issuer")
	ErrSubject   = errors.New("the status list token is for another address")
	ErrTime      = errors.New("iat, nbf, exp or ttl of the status list token is missing or not a time")
	ErrNotYet    = errors.New("the status list token is not valid yet")
	ErrExpired   = errors.New("the status list token has expired")
	ErrList      = errors.New("status_list is not a compressed list of 1, 2, 4 or 8 bits")
	ErrCorrupt   = errors.New("not an encoded status list")
)

// Reference says where a token's status is (§6.2).
type Reference struct {
	// URI is the list's address, as the token spells it. Until the token's signature has
	// been verified it is an attacker's text, and even then it is to be fetched only if
	// the configuration names it.
	URI   string
	Index uint64
}

// ReferenceOf reads the token's "status" claim. has is false when the token has none.
// Error: ErrReference, when there is one without a valid reference to a status list. The
// status of such a token is unknown, so it must not be taken for valid.
func ReferenceOf(t *verify.Token) (ref Reference, has bool, err error) {
	status, has := t.Claim("status")
	if !has {
		return ref, false, nil
	}
	list, ok := status.Member("status_list")
	if !ok {
		return ref, true, ErrReference
	}
	uri, ok := list.Member("uri")
	if !ok || uri.Kind != strictjson.String || uri.Text == "" {
		return ref, true, ErrReference
	}
	index, ok := list.Member("idx")
	if !ok || index.Kind != strictjson.Number {
		return ref, true, ErrReference
	}
	n, err := strconv.ParseUint(index.Raw, 10, 53) // greater numbers are not exact for all parsers
	if err != nil {
		return ref, true, ErrReference
	}
	return Reference{uri.Text, n}, true, nil
}

// Rule says which status list tokens of an issuer are accepted. It is not changed while
// it is used and may be shared by goroutines.
type Rule struct {
	// Issuer is compared with "iss" where a status list token has that claim, which is
	// optional.
	Issuer string
	// Algorithms are the accepted values of "alg".
	Algorithms []string
	// ClockSkew is the greatest accepted difference between the issuer's clock and ours.
	ClockSkew time.Duration
	// Keys gives the issuer's keys that a token with this "kid" and "alg" may be signed
	// with. hasKID is false when the token has no "kid".
	Keys func(kid string, hasKID bool, algorithm string) []*verify.Key
	// Engine checks the signature.
	Engine verify.Engine
}

// Open verifies a status list token (§5.1, §8.3) that was fetched from an address, and
// inflates its list.
func (r *Rule) Open(compact, uri string, now time.Time) (*List, error) {
	if len(compact) > MaxTokenBytes {
		return nil, ErrTooLong
	}
	jws, err := verify.ParseJWS(compact, strictjson.Limits{Bytes: MaxTokenBytes, Depth: maxDepth, Values: maxValues})
	// The type keeps other JWTs of the issuer from being taken for lists (RFC 8725 §3.11).
	if err != nil || jws.Type() != "statuslist+jwt" {
		return nil, ErrMalformed
	}
	if err := r.checkSignature(jws); err != nil {
		return nil, err
	}
	if issuer, has := jws.Payload.Member("iss"); has && (issuer.Kind != strictjson.String || issuer.Text != r.Issuer) {
		return nil, ErrIssuer
	}
	if subject, has := jws.Payload.Member("sub"); !has || subject.Kind != strictjson.String || subject.Text != uri {
		return nil, ErrSubject
	}
	l, err := r.checkTimes(jws, now)
	if err != nil {
		return nil, err
	}
	if err := l.inflate(jws); err != nil {
		return nil, err
	}
	return l, nil
}

func (r *Rule) checkSignature(jws *verify.JWS) error {
	if !slices.Contains(r.Algorithms, jws.Algorithm()) {
		return ErrAlgorithm
	}
	kid, hasKID := jws.KeyID()
	err := ErrKey
	for _, key := range r.Keys(kid, hasKID, jws.Algorithm()) {
		switch verify.ReasonOf(jws.VerifySignature(r.Engine, key)) {
		case verify.Accepted:
			return nil
		case verify.SignatureInvalid, verify.AlgorithmNotAllowed:
			err = ErrSignature
		default:
			return ErrUnchecked
		}
	}
	return err
}

// checkTimes follows RFC 7519 §4.1.4 to §4.1.6 and §5.1: "iat" is required here, and "ttl"
// is positive.
func (r *Rule) checkTimes(jws *verify.JWS, now time.Time) (*List, error) {
	at, skew := float64(now.Unix())+float64(now.Nanosecond())/1e9, r.ClockSkew.Seconds()
	issued, _, ok := jws.Date("iat")
	if !ok {
		return nil, ErrTime
	}
	notBefore, has, ok := jws.Date("nbf")
	if has && !ok {
		return nil, ErrTime
	}
	if at < issued-skew || has && at < notBefore-skew {
		return nil, ErrNotYet
	}
	l := &List{expires: math.Inf(1)}
	if expires, has, ok := jws.Date("exp"); has && !ok {
		return nil, ErrTime
	} else if has {
		l.expires = expires + skew
	}
	if ttl, has, ok := jws.Date("ttl"); has && (!ok || ttl <= 0) {
		return nil, ErrTime
	} else if has {
		l.ttl = ttl
	}
	if l.Expired(now) {
		return nil, ErrExpired
	}
	return l, nil
}

// inflate reads "status_list" (§4.2).
func (l *List) inflate(jws *verify.JWS) error {
	list, _ := jws.Payload.Member("status_list")
	if list == nil {
		return ErrList
	}
	bits, has := list.Member("bits")
	if !has || bits.Kind != strictjson.Number || !isWidth(bits.Num) {
		return ErrList
	}
	l.bits = uint8(bits.Num)
	text, has := list.Member("lst")
	if !has || text.Kind != strictjson.String {
		return ErrList
	}
	compressed, ok := verify.DecodeBase64URL(text.Text)
	if !ok {
		return ErrList
	}
	source := bytes.NewReader(compressed)
	inflater, err := zlib.NewReader(source)
	if err != nil {
		return ErrList
	}
	l.statuses, err = io.ReadAll(io.LimitReader(inflater, MaxListBytes+1))
	switch {
	case len(l.statuses) > MaxListBytes:
		return ErrTooLong
	case err != nil || source.Len() > 0: // the checksum, and bytes behind it
		return ErrList
	}
	return nil
}

// isWidth reports whether a status may have that many bits.
func isWidth(bits float64) bool { return bits == 1 || bits == 2 || bits == 4 || bits == 8 }

// Status is a status (§7.1). Only Valid is that of a token that may be accepted: what
// other values than these mean is up to the application.
type Status uint8

// The statuses of §7.1.
const (
	Valid     Status = 0
	Invalid   Status = 1 // revoked; it never changes back
	Suspended Status = 2 // invalid for now
)

// List holds the statuses of an issuer's tokens. It is not changed and may be shared by
// goroutines.
type List struct {
	bits     uint8
	expires  float64 // seconds since the epoch, with the clock skew; infinite without "exp"
	ttl      float64 // seconds; 0 without "ttl"
	statuses []byte
}

// Status is the status at an index. ok is false for an index beyond the list, whose token
// must be refused (§8.3).
func (l *List) Status(index uint64) (status Status, ok bool) {
	if index >= uint64(l.Len()) {
		return 0, false
	}
	bit := index * uint64(l.bits)
	return Status(l.statuses[bit/8] >> (bit % 8) & (1<<l.bits - 1)), true
}

// Len is the number of statuses.
func (l *List) Len() int { return len(l.statuses) * 8 / int(l.bits) }

// Size is the memory of the list in bytes.
func (l *List) Size() int { return len(l.statuses) }

// Expired reports whether "exp" has passed. The statuses of such a list are unknown.
func (l *List) Expired(now time.Time) bool {
	return float64(now.Unix())+float64(now.Nanosecond())/1e9 >= l.expires
}

// TTL is how long after it was fetched a list should be replaced; 0 when its issuer does
// not say.
func (l *List) TTL() time.Duration {
	const most = 10 * 365 * 24 * time.Hour
	return time.Duration(min(l.ttl, most.Seconds()) * float64(time.Second))
}

const (
	magic     = "ejs\x01" // the last byte is the version of the encoding
	headBytes = len(magic) + 1 + 8 + 8
)

// Encode gives the list's encoding, which Decode reads: a name with a version, bits, the
// times as float64, big-endian, and the statuses.
func (l *List) Encode() []byte {
	b := append(make([]byte, 0, headBytes+len(l.statuses)), magic...)
	b = append(b, l.bits)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(l.expires))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(l.ttl))
	return append(b, l.statuses...)
}

// Decode reads the encoding of a list and keeps it. Error: ErrCorrupt.
func Decode(encoded []byte) (*List, error) {
	if len(encoded) < headBytes || len(encoded) > headBytes+MaxListBytes || string(encoded[:len(magic)]) != magic {
		return nil, ErrCorrupt
	}
	rest := encoded[len(magic):]
	l := &List{
		bits:     rest[0],
		expires:  math.Float64frombits(binary.BigEndian.Uint64(rest[1:])),
		ttl:      math.Float64frombits(binary.BigEndian.Uint64(rest[9:])),
		statuses: encoded[headBytes:],
	}
	if !isWidth(float64(l.bits)) || math.IsNaN(l.expires) || !(l.ttl >= 0) {
		return nil, ErrCorrupt
	}
	return l, nil
}
