package verify_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"edgejwt/verify"
)

// decodesLikeTheStandard demands that Decode accepts what the standard library does, line breaks
// apart, and what it would write.
func decodesLikeTheStandard(t *testing.T, text string) {
	t.Helper()
	want, err := base64.RawURLEncoding.Strict().DecodeString(text)
	good := err == nil && !strings.ContainsAny(text, "\r\n")
	got, ok := verify.DecodeBase64URL(text)
	switch {
	case ok != good || !ok && got != nil:
		t.Errorf("DecodeBase64URL(%q) = %x, %v; the standard library says %v", text, got, ok, err)
	case ok && (!bytes.Equal(got, want) || base64.RawURLEncoding.EncodeToString(got) != text):
		t.Errorf("DecodeBase64URL(%q) = %x, which is encoded as %q; want %x", text, got, base64.RawURLEncoding.EncodeToString(got), want)
	}
}

func TestDecodeBase64URL(t *testing.T) {
	for _, text := range []string{
		"", "A", "AA", "AAA", "AAAA", "AAAAA", "AAAAAA", "__-_", "++//", "AA==", "AA=", "=", "A A", " AA", "AA ",
		"AA\n", "A\rA", "AAAA\n", "A\x00A", "AAé", "AA.AA", "_w", "_x", "__8", "__9",
	} {
		decodesLikeTheStandard(t, text)
	}
	for a := range 256 { // each byte in each place
		c := string([]byte{byte(a)})
		for _, text := range []string{c + "AAA", "A" + c + "AA", "AA" + c + "A", "AAA" + c, "A" + c, "AA" + c, "AAAAA" + c} {
			decodesLikeTheStandard(t, text)
		}
	}
}

func FuzzDecodeBase64URL(f *testing.F) {
	for _, seed := range []string{"", "AA", "AAA", "AAAA", "eyJhbGciOiJSUzI1NiJ9", "_w", "_x", "AA==", "AA\nAA"} {
		f.Add(seed)
	}
	f.Fuzz(decodesLikeTheStandard)
}
