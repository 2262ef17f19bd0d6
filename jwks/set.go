package jwks

import (
	"bytes"
	"slices"
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/base64url"
)

// Set is a set of usable keys (RFC 7517 §5). It is never changed after it was
// made and may be shared by goroutines. A nil Set is an empty one.
type Set struct {
	// keys is sorted, so that a provider that only reorders its keys publishes
	// an equal set: by ID, then by what the key is.
	keys []verify.Key
}

func newSet(keys []verify.Key) *Set {
	// By insertion: there are few, and a generic sort of Keys costs more module
	// than time.
	for i := range keys {
		for j := i; j > 0 && compareKeys(&keys[j], &keys[j-1]) < 0; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return &Set{keys: keys}
}

// compareKeys orders keys; 0 means that they are the same in all that matters.
func compareKeys(a, b *verify.Key) int {
	if c := strings.Compare(a.ID, b.ID); c != 0 {
		return c
	}
	if c := strings.Compare(a.Algorithm, b.Algorithm); c != 0 {
		return c
	}
	switch {
	case a.Curve != nil && b.Curve != nil:
		return compareCurves(a.Curve, b.Curve)
	case a.Curve != nil:
		return 1
	case b.Curve != nil:
		return -1
	}
	if c := len(a.RSA.Modulus) - len(b.RSA.Modulus); c != 0 {
		return c
	}
	if c := bytes.Compare(a.RSA.Modulus, b.RSA.Modulus); c != 0 {
		return c
	}
	return a.RSA.Exponent - b.RSA.Exponent
}

// Len is the number of keys.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}

// Find gives the key with this "kid". A key without "kid" is never found.
func (s *Set) Find(kid string) (verify.Key, bool) {
	if s == nil || kid == "" {
		return verify.Key{}, false
	}
	// Providers publish two or three keys; MaxKeys bounds the worst case.
	for i := range s.keys {
		if s.keys[i].ID == kid {
			return s.keys[i], true
		}
	}
	return verify.Key{}, false
}

// Only gives the key when the set has exactly one. It serves tokens without
// "kid", which could otherwise mean any key.
func (s *Set) Only() (verify.Key, bool) {
	if s.Len() != 1 {
		return verify.Key{}, false
	}
	return s.keys[0], true
}

// KIDs lists the keys' "kid" values, sorted; keys without one are left out. The
// slice belongs to the caller.
func (s *Set) KIDs() []string {
	if s == nil {
		return nil
	}
	kids := make([]string, 0, len(s.keys))
	for i := range s.keys {
		if s.keys[i].ID != "" {
			kids = append(kids, s.keys[i].ID)
		}
	}
	return kids
}

// Equal reports whether both sets hold the same keys under the same IDs.
func (s *Set) Equal(other *Set) bool {
	if s.Len() != other.Len() {
		return false
	}
	for i := range s.Len() {
		if compareKeys(&s.keys[i], &other.keys[i]) != 0 {
			return false
		}
	}
	return true
}

// Without gives the set without the keys of these IDs, and the set itself when
// it has none of them.
func (s *Set) Without(kids []string) *Set {
	if s == nil {
		return nil
	}
	var left []verify.Key
	for i := range s.keys {
		if id := s.keys[i].ID; id == "" || !slices.Contains(kids, id) {
			left = append(left, s.keys[i])
		}
	}
	if len(left) == len(s.keys) {
		return s
	}
	return &Set{keys: left}
}

// keep makes keys that stay the same from one set to the next the same pointer
// too, so that what was derived from such a key can be recognised as current.
func (s *Set) keep(earlier *Set) *Set {
	if s == nil || earlier == nil {
		return s
	}
	keys := append([]verify.Key(nil), s.keys...)
	for i := range keys {
		for j := range earlier.keys {
			if compareKeys(&keys[i], &earlier.keys[j]) == 0 {
				keys[i] = earlier.keys[j]
				break
			}
		}
	}
	return &Set{keys: keys}
}

// AppendJSON appends the set as a minimal JWKS (RFC 7517 §5): no white space,
// sorted, only the members that a usable key needs. Equal sets give equal bytes,
// and Parse reads them back to an equal set unless the set is empty.
func (s *Set) AppendJSON(b []byte) []byte {
	separator := `{"keys":[`
	for i := range s.Len() {
		b = append(b, separator+keyJSON(&s.keys[i])...)
		separator = ","
	}
	if s.Len() == 0 {
		b = append(b, separator...)
	}
	return append(b, "]}"...)
}

func keyJSON(k *verify.Key) string {
	kty, members := "RSA", ""
	if k.Curve != nil {
		kty, members = curveJSON(k.Curve)
	} else {
		members = rsaJSON(k.RSA)
	}
	text := `{"kty":"` + kty + `"`
	if k.ID != "" {
		text += `,"kid":` + quoteJSON(k.ID)
	}
	if k.Algorithm != "" {
		text += `,"alg":` + quoteJSON(k.Algorithm)
	}
	return text + members + "}"
}

func rsaJSON(k *verify.RSAPublicKey) string {
	e := uint32(k.Exponent) // usable exponents fit into 31 bits
	exponent := []byte{byte(e >> 24), byte(e >> 16), byte(e >> 8), byte(e)}
	for len(exponent) > 0 && exponent[0] == 0 {
		exponent = exponent[1:]
	}
	return `,"n":"` + base64url.Encode(k.Modulus) + `","e":"` + base64url.Encode(exponent) + `"`
}

// quoteJSON gives s as a JSON string (RFC 8259 §7). s is valid UTF-8, because it
// was read from strict JSON.
func quoteJSON(s string) string {
	const hex = "0123456789abcdef"
	quoted := []byte{'"'}
	for i := range len(s) {
		escape := ""
		switch c := s[i]; {
		case c == '"' || c == '\\':
			escape = `\`
		case c < 0x20:
			quoted = append(quoted, `\u00`+hex[c>>4:c>>4+1]+hex[c&15:c&15+1]...)
			continue
		}
		quoted = append(quoted, escape+s[i:i+1]...)
	}
	return string(quoted) + `"`
}
