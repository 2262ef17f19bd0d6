package jwks

import (
	"bytes"
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
	// keys is sorted by ID, then by the key's JSON: the set stays equal when the
	// provider only reorders its keys.
	keys []*verify.Key
}

func newSet(keys []*verify.Key) *Set {
	slices.SortFunc(keys, func(a, b *verify.Key) int {
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return bytes.Compare(keyJSON(a), keyJSON(b))
	})
	return &Set{keys: keys}
}

// Len is the number of keys.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}

// Find returns the keys that may have signed a token with this "alg" and "kid". hasKID
// is false for a token without kid; only a set with exactly one key has an answer
// then. known reports whether there is a key with the kid, for any algorithm. A key
// without kid is never found by one. The slice must not be changed.
func (s *Set) Find(kid string, hasKID bool, algorithm string) (keys []*verify.Key, known bool) {
	switch {
	case s == nil || hasKID && kid == "" || !hasKID && len(s.keys) != 1:
		return nil, false
	case hasKID:
		keys = s.byID(kid)
	default:
		keys = s.keys
	}
	known = len(keys) > 0
	otherAlgorithm := func(key *verify.Key) bool { return !key.Fits(algorithm) }
	if slices.ContainsFunc(keys, otherAlgorithm) {
		keys = slices.DeleteFunc(slices.Clone(keys), otherAlgorithm)
	}
	return keys, known
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

// KIDs lists the keys' "kid" values, sorted; keys without one are left out. The
// slice belongs to the caller.
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
	return kids
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

// Without returns the set without the keys that have one of these IDs; s itself if it
// has none of them.
func (s *Set) Without(kids []string) *Set {
	if s == nil {
		return nil
	}
	var left []*verify.Key
	for _, key := range s.keys {
		if key.ID == "" || !slices.Contains(kids, key.ID) {
			left = append(left, key)
		}
	}
	if len(left) == len(s.keys) {
		return s
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
