package verify_test

import (
	"encoding/base64"
	"testing"
	"unsafe"

	"edgejwt/verify"
)

// TestHeaderReadFromABufferThatIsUsedAgain: tokens may lie in a buffer of the
// host's. A header that was read there must not be taken for the next one.
func TestHeaderReadFromABufferThatIsUsedAgain(t *testing.T) {
	compact := func(kid string) string {
		encode := base64.RawURLEncoding.EncodeToString
		return encode([]byte(`{"alg":"RS256","kid":"`+kid+`"}`)) + "." + encode([]byte(`{}`)) + ".c2ln"
	}
	buffer := []byte(compact("one"))
	for _, kid := range []string{"one", "two", "one", "two"} {
		copy(buffer, compact(kid))
		token, err := verify.Parse(unsafe.String(&buffer[0], len(buffer)))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := token.KeyID(); got != kid {
			t.Errorf("kid %q, want %q", got, kid)
		}
	}
}
