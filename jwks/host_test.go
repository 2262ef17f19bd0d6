package jwks

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// modulus makes an odd number of 2048 bits that no other n gives. Nothing here
// checks signatures, so it need not be a product of two primes.
func modulus(n int) []byte {
	b := make([]byte, 0, 256)
	for i := byte(0); len(b) < 256; i++ {
		sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, uint64(n)), i))
		b = append(b, sum[:]...)
	}
	b[0] |= 0x80
	b[255] |= 1
	return b
}

// jwk is a key as providers publish it.
func jwk(kid string, n int) string {
	return fmt.Sprintf(`{"kty":"RSA","use":"sig","alg":"RS256","kid":%q,"n":%q,"e":"AQAB"}`, kid,
		base64.RawURLEncoding.EncodeToString(modulus(n)))
}

func document(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }

// shared is the host's shared data for one source, with the host's semantics.
type shared struct {
	record  []byte
	version uint32
	hint    uint64
	hasHint bool
}

func (s *shared) set(record []byte, version uint32) bool {
	if version != 0 && s.version != 0 && version != s.version {
		return false
	}
	s.record = append([]byte(nil), record...)
	s.version++
	return true
}
