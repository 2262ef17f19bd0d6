package jwks

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"edgejwt/verify"
)

// Set is a set of usable keys (RFC 7517 §5). It is never changed after it was
// made and may be shared by goroutines. A nil Set is an empty one.
type Set struct {
	// keys is sorted by ID, algorithm and the key's JSON: the set stays equal when the
	// provider only reorders its keys.
	keys []*verify.Key
}

// newSet makes a set of keys, which it sorts. A key that is there twice is kept once. One
// that is bound to an algorithm is left out if it is there without one too.
func newSet(keys []*verify.Key) *Set {
	slices.SortFunc(keys, func(a, b *verify.Key) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Algorithm, b.Algorithm), bytes.Compare(keyJSON(a), keyJSON(b)))
	})
	set := &Set{}
	for _, key := range keys {
		covers := func(kept *verify.Key) bool {
			return kept.ID == key.ID && kept.SamePublicKey(key) && (kept.Algorithm == "" || kept.Algorithm == key.Algorithm)
		}
		if !slices.ContainsFunc(set.keys, covers) {
			set.keys = append(set.keys, key)
		}
	}
	return set
}

// Len is the number of keys.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}

// MaxCandidates is how many of the keys that Find returns are to be tried for one token:
// it bounds the cost of a bad signature.
const MaxCandidates = 4

// Find returns the keys that a token with this "kid" and "alg" may be signed with (RFC
// 7515 §4.1.4, §6): those with the kid, then those without one. A token without kid, or
// with an empty one, may be signed with any key. The keys fit the algorithm, and no two
// of them are the same public key. known reports whether a key has the kid, for any
// algorithm; for a token without kid, whether the set has a key. The slice must not be
// changed.
func (s *Set) Find(kid, algorithm string) (keys []*verify.Key, known bool) {
	if s == nil {
		return nil, false
	}
	named, unnamed := s.byID(kid), s.byID("")
	if kid == "" {
		named = s.keys
	}
	unfit := func(key *verify.Key) bool { return !key.Fits(algorithm) }
	if kid != "" && len(unnamed) == 0 && !slices.ContainsFunc(named, unfit) {
		return named, len(named) > 0 // keys with one ID that fit one algorithm differ: see newSet
	}
	for _, candidates := range [...][]*verify.Key{named, unnamed} {
		for _, key := range candidates {
			if !unfit(key) && !slices.ContainsFunc(keys, key.SamePublicKey) {
				keys = append(keys, key)
			}
		}
	}
	return keys, len(named) > 0
}

// byID gives the keys with the kid; they are adjacent.
func (s *Set) byID(kid string) []*verify.Key {
	if s == nil {
		return nil
	}
	isIt := func(key *verify.Key) bool { return key.ID == kid }
	first := slices.IndexFunc(s.keys, isIt)
	if first < 0 {
		return nil
	}
	end := first + 1
	for end < len(s.keys) && isIt(s.keys[end]) {
		end++
	}
	return s.keys[first:end:end]
}

// has reports whether this very key is in the set.
func (s *Set) has(key *verify.Key) bool { return s != nil && slices.Contains(s.keys, key) }

// KIDs lists the different "kid" values of the keys, sorted; keys without one are left
// out. The slice belongs to the caller.
func (s *Set) KIDs() []string {
	if s == nil {
		return nil
	}
	kids := make([]string, 0, len(s.keys))
	for _, key := range s.keys {
		if key.ID != "" {
			kids = append(kids, key.ID)
		}
	}
	return slices.Compact(kids)
}

// Equal reports whether both sets have the same keys with the same IDs.
func (s *Set) Equal(other *Set) bool {
	if s.Len() != other.Len() {
		return false
	}
	for i := range s.Len() {
		if !s.keys[i].Same(other.keys[i]) {
			return false
		}
	}
	return true
}

// Without returns the set without the keys that have one of these IDs, and without the
// same public keys under another ID or none: a token need not name its key. It returns s
// itself if the set has none of them.
func (s *Set) Without(kids []string) *Set {
	if s == nil {
		return nil
	}
	var denied, left []*verify.Key
	for _, key := range s.keys {
		if key.ID != "" && slices.Contains(kids, key.ID) {
			denied = append(denied, key)
		}
	}
	if len(denied) == 0 {
		return s
	}
	for _, key := range s.keys {
		if !slices.ContainsFunc(denied, key.SamePublicKey) {
			left = append(left, key)
		}
	}
	return &Set{keys: left}
}

// For returns the set of the keys that fit one of the algorithms, as Parse does for a rule
// that names them. It is nil for a nil set.
func (s *Set) For(algorithms []string) *Set {
	if s == nil {
		return nil
	}
	fitting := slices.DeleteFunc(slices.Clone(s.keys), func(key *verify.Key) bool { return !slices.ContainsFunc(algorithms, key.Fits) })
	return &Set{keys: fitting}
}

// keep returns the set with the pointers of the earlier one for keys that are the
// same, so that callers can compare keys with ==.
func (s *Set) keep(earlier *Set) *Set {
	if s == nil || earlier == nil {
		return s
	}
	keys := slices.Clone(s.keys)
	for i := range keys {
		if j := slices.IndexFunc(earlier.keys, keys[i].Same); j >= 0 {
			keys[i] = earlier.keys[j]
		}
	}
	return &Set{keys: keys}
}

// AppendJSON appends the set as a minimal JWKS (RFC 7517 §5): no white space,
// sorted, only the members that a usable key needs. Equal sets give equal bytes,
// and Parse reads them back to an equal set unless the set is empty.
func (s *Set) AppendJSON(b []byte) []byte {
	b = append(b, `{"keys":[`...)
	for i := range s.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, keyJSON(s.keys[i])...)
	}
	return append(b, "]}"...)
}

// keyJSON is the key as a JWK (RFC 7517 §4, RFC 7518 §6.2.1, §6.3.1, RFC 8037 §2).
func keyJSON(k *verify.Key) []byte {
	jwk := struct {
		Type      string `json:"kty"`
		ID        string `json:"kid,omitempty"`
		Algorithm string `json:"alg,omitempty"`
		Curve     string `json:"crv,omitempty"`
		X         string `json:"x,omitempty"`
		Y         string `json:"y,omitempty"`
		N         string `json:"n,omitempty"`
		E         string `json:"e,omitempty"`
	}{ID: k.ID, Algorithm: k.Algorithm}
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		jwk.Type = "RSA"
		jwk.N = base64.RawURLEncoding.EncodeToString(public.N.Bytes())
		jwk.E = base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, _ := public.Bytes() // the point is on the curve: see verify.NewKey
		jwk.Type, jwk.Curve = "EC", public.Params().Name
		jwk.X, jwk.Y = base64.RawURLEncoding.EncodeToString(point[1:1+len(point)/2]), base64.RawURLEncoding.EncodeToString(point[1+len(point)/2:])
	case ed25519.PublicKey:
		jwk.Type, jwk.Curve, jwk.X = "OKP", "Ed25519", base64.RawURLEncoding.EncodeToString(public)
	}
	text, _ := json.Marshal(jwk) // cannot fail: every member is a string
	return text
}
