// Package revocation reads lists of revoked tokens and finds tokens in them.
//
// A list is a JSON document of one issuer:
//
//	{
//	  "issuer": "https://issuer.example/",
//	  "issuedBefore": 1764300000,
//	  "revoked": [
//	    {"jti": "V2hhdCBhIGxpc3Q"},
//	    {"sid": "08a5019c-17e1-4977-8f42-65a12843ea02"},
//	    {"sub": "auth0|507f1f77bcf86cd799439020"},
//	    {"sub": "auth0|5f7c8ec7c33c6c004bbafe82", "issuedBefore": 1764300000},
//	    {"clientId": "my-client", "issuedBefore": 1764300000}
//	  ]
//	}
//
// Each entry revokes the tokens with that claim: "jti", "sid" (the session), "sub", or the
// client, which is in "azp" or "client_id". With "issuedBefore", it revokes those that
// were issued before that time, in seconds since the epoch. "issuedBefore" beside
// "revoked" does so for all tokens of the issuer. Only "issuer" is required.
//
// Parse reads a document, and List.Revokes checks a token against it. Encode and Decode
// hand a list to other workers. Where a list comes from and how old it may be is left to
// the caller.
package revocation

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"

	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

// Bounds on a document.
const (
	// MaxDocumentBytes is the greatest length of a document, in bytes.
	MaxDocumentBytes = 12 << 20
	// MaxEntries is the greatest number of entries. A List takes 24 bytes for each.
	MaxEntries = 100_000
	// maxDepth and maxValues bound the JSON. An entry is an object with two members.
	maxDepth, maxValues = 8, 3*MaxEntries + 10
	// maxSeconds is the greatest "issuedBefore". Greater ones are milliseconds: taken for
	// seconds, they would revoke all future tokens.
	maxSeconds = 100_000_000_000
)

// The errors of Parse, wrapped in an EntryError where one entry is wrong. Their texts quote
// nothing of the document.
var (
	ErrTooLong      = errors.New("the document is too long")
	ErrNotJSON      = errors.New("the document is not strict JSON")
	ErrNotList      = errors.New("the document is not a list of revoked tokens: an object with issuer, and nothing but issuer, issuedBefore and revoked")
	ErrIssuer       = errors.New("issuer is not the issuer whose tokens the list is for")
	ErrTooMany      = errors.New("there are too many entries")
	ErrEntry        = errors.New("is not an object with exactly one of jti, sid, sub and clientId, a string that is not empty")
	ErrIssuedBefore = errors.New("issuedBefore is not a time in seconds since the epoch")
	ErrNoTime       = errors.New("issuedBefore stands beside jti or sid")
)

// ErrCorrupt is the error of Decode.
var ErrCorrupt = errors.New("not an encoded list of revoked tokens")

// EntryError says which entry is wrong.
type EntryError struct {
	Index int // in "revoked", from 0
	Err   error
}

// Error names the entry.
func (e *EntryError) Error() string { return "revoked[" + strconv.Itoa(e.Index) + "] " + e.Err.Error() }

// Unwrap returns the error without the entry.
func (e *EntryError) Unwrap() error { return e.Err }

// A List holds the revoked tokens of one issuer. It is not changed and may be shared by
// goroutines.
//
// Its encoding is a name with a version, "issuedBefore", and the entries, sorted. An entry
// is the beginning of a SHA-256 digest of the claim and the time before which tokens with
// the claim are revoked. Times are float64, big-endian; infinity stands for all times, and
// zero for none.
type List struct{ encoded []byte }

const (
	magic      = "ejr\x01"
	headBytes  = len(magic) + 8
	hashBytes  = 16
	entryBytes = hashBytes + 8
)

// hash identifies a claim and its value.
type hash [hashBytes]byte

// The claims by which tokens are revoked.
const (
	byTokenID byte = iota + 1
	bySession
	bySubject
	byClient
)

func hashOf(claim byte, value string) hash {
	var room [128]byte // for most values
	digest := sha256.Sum256(append(append(room[:0], claim), value...))
	return hash(digest[:hashBytes])
}

func appendTime(b []byte, seconds float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(seconds))
}

func readTime(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }

// entry is an entry of a document.
type entry struct {
	hash   hash
	before float64
}

// Parse reads a document, which must be of that issuer. A document with any fault is
// refused as a whole: who wrote a misspelt entry meant to revoke something. Nothing of the
// document is kept.
func Parse(document []byte, issuer string) (*List, error) {
	if len(document) > MaxDocumentBytes {
		return nil, ErrTooLong
	}
	var entries []entry
	root, err := strictjson.ParseElements(string(document), strictjson.Limits{Bytes: MaxDocumentBytes, Depth: maxDepth, Values: maxValues}, "revoked",
		func(element *strictjson.Value) error {
			if len(entries) == MaxEntries {
				return ErrTooMany
			}
			e, err := parseEntry(element)
			if err != nil {
				return &EntryError{len(entries), err}
			}
			entries = append(entries, e)
			return nil
		})
	var wrong *EntryError
	switch {
	case errors.As(err, &wrong), err == ErrTooMany:
		return nil, err
	case err == strictjson.ErrTooMany:
		return nil, ErrTooMany
	case err != nil:
		return nil, ErrNotJSON
	case root.Kind != strictjson.Object:
		return nil, ErrNotList
	}
	named, all := false, 0.0
	for i := range root.Children {
		switch member := &root.Children[i]; {
		case member.Name == "issuer":
			if member.Kind != strictjson.String || member.Text != issuer {
				return nil, ErrIssuer
			}
			named = true
		case member.Name == "issuedBefore":
			var ok bool
			if all, ok = seconds(member); !ok {
				return nil, ErrIssuedBefore
			}
		case member.Name == "revoked" && member.Kind == strictjson.Array:
		default:
			return nil, ErrNotList
		}
	}
	if !named {
		return nil, ErrNotList
	}
	return newList(entries, all), nil
}

// parseEntry reads one element of "revoked".
func parseEntry(element *strictjson.Value) (e entry, err error) {
	if element.Kind != strictjson.Object {
		return e, ErrEntry
	}
	e.before = math.Inf(1)
	var claim byte
	timed := false
	for i := range element.Children {
		member := &element.Children[i]
		var this byte
		switch member.Name {
		case "jti":
			this = byTokenID
		case "sid":
			this = bySession
		case "sub":
			this = bySubject
		case "clientId":
			this = byClient
		case "issuedBefore":
			if e.before, timed = seconds(member); !timed {
				return e, ErrIssuedBefore
			}
			continue
		}
		if this == 0 || claim != 0 || member.Kind != strictjson.String || member.Text == "" {
			return e, ErrEntry
		}
		claim, e.hash = this, hashOf(this, member.Text)
	}
	switch {
	case claim == 0:
		return e, ErrEntry
	case timed && (claim == byTokenID || claim == bySession):
		return e, ErrNoTime
	}
	return e, nil
}

// seconds reads a NumericDate (RFC 7519 §2).
func seconds(value *strictjson.Value) (float64, bool) {
	return value.Num, value.Kind == strictjson.Number && value.Num >= 0 && value.Num <= maxSeconds
}

// newList sorts the entries. Of several for one claim the latest time remains.
func newList(entries []entry, all float64) *List {
	slices.SortFunc(entries, func(a, b entry) int {
		if c := bytes.Compare(a.hash[:], b.hash[:]); c != 0 {
			return c
		}
		return -cmpTimes(a.before, b.before)
	})
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return a.hash == b.hash })
	b := make([]byte, 0, headBytes+len(entries)*entryBytes)
	b = appendTime(append(b, magic...), all)
	for i := range entries {
		b = appendTime(append(b, entries[i].hash[:]...), entries[i].before)
	}
	return &List{b}
}

func cmpTimes(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Len is the number of claims by which tokens are revoked.
func (l *List) Len() int { return (len(l.encoded) - headBytes) / entryBytes }

// Size is the memory of the list in bytes.
func (l *List) Size() int { return len(l.encoded) }

// Encode gives the list's encoding, which Decode reads. The caller must not change it.
func (l *List) Encode() []byte { return l.encoded }

// Decode reads the encoding of a list and keeps it. Error: ErrCorrupt.
func Decode(encoded []byte) (*List, error) {
	l := &List{encoded}
	if len(encoded) < headBytes || string(encoded[:len(magic)]) != magic || (len(encoded)-headBytes)%entryBytes != 0 || l.Len() > MaxEntries ||
		!isTime(readTime(encoded[len(magic):])) {
		return nil, ErrCorrupt
	}
	for i := range l.Len() {
		if i > 0 && bytes.Compare(l.entry(i - 1)[:hashBytes], l.entry(i)[:hashBytes]) >= 0 || !isTime(readTime(l.entry(i)[hashBytes:])) {
			return nil, ErrCorrupt
		}
	}
	return l, nil
}

// isTime reports whether a list may hold the time: neither negative nor NaN.
func isTime(t float64) bool { return t >= 0 && !math.Signbit(t) }

func (l *List) entry(i int) []byte { return l.encoded[headBytes+i*entryBytes:][:entryBytes] }

// Claims are the claims of a token by which it can be revoked, ready to be looked up. A
// Claims value does not keep the token, is not changed, and may be shared by goroutines.
type Claims struct {
	hashes [5]hash
	n      int
	issued float64
}

// ClaimsOf reads the claims of a token whose issuer is that of the lists. Claims that are
// not strings cannot be revoked. A token without a time of issue counts as issued before
// all times.
func ClaimsOf(t *verify.Token) (c Claims) {
	for _, claim := range [...]struct {
		name string
		by   byte
	}{{"jti", byTokenID}, {"sid", bySession}, {"sub", bySubject}, {"azp", byClient}, {"client_id", byClient}} {
		if value, has := t.Claim(claim.name); has && value.Kind == strictjson.String {
			c.hashes[c.n] = hashOf(claim.by, value.Text)
			c.n++
		}
	}
	var err error
	if c.issued, err = t.Date("iat"); err != nil {
		c.issued = math.Inf(-1)
	}
	return c
}

// Revokes reports whether the list revokes a token with these claims. The answer for one
// list and one token never changes.
func (l *List) Revokes(c *Claims) bool {
	if all := readTime(l.encoded[len(magic):]); all > 0 && c.issued < all {
		return true
	}
	for i := range c.n {
		if before, has := l.find(&c.hashes[i]); has && c.issued < before {
			return true
		}
	}
	return false
}

// find looks an entry up by binary search.
func (l *List) find(h *hash) (before float64, has bool) {
	prefix := func(b []byte) uint64 { return binary.BigEndian.Uint64(b) } // sorts as the whole does
	want := prefix(h[:])
	low, high := 0, l.Len()
	for low < high {
		middle := (low + high) / 2
		if prefix(l.entry(middle)) < want {
			low = middle + 1
		} else {
			high = middle
		}
	}
	for ; low < l.Len() && prefix(l.entry(low)) == want; low++ {
		if e := l.entry(low); string(e[:hashBytes]) == string(h[:]) {
			return readTime(e[hashBytes:]), true
		}
	}
	return 0, false
}
