package verify_test

import (
	"regexp"
	"strings"
	"testing"

	"edgejwt/verify"
)

func TestIsOpaque(t *testing.T) {
	for _, c := range []struct {
		name, token string
		want        bool
	}{
		{"a reference", "mF_9.B5f-4.1JqM", false}, // RFC 6750's own example has dots: Parse decides about it
		{"Auth0's reference", "SlAV32hkKG_zT-0", true},
		{"one character", "a", true},
		{"every b64token character", "AZaz09-_~+/", true},
		{"padding", "YWI=", true}, {"more padding", "YQ==", true},
		{"padding in the middle", "YQ=a", false}, {"padding first", "=", false}, {"padding and a dot", "a=.b.c.d.e", false},
		{"empty", "", false},
		{"a space", "a b", false}, {"a comma", "a,b", false}, {"a quote", `"a"`, false}, {"a percent sign", "a%20", false},
		{"beyond ASCII", "aé", false}, {"brackets", "[a]", false}, {"between the cases", "a^b", false}, {"back quote", "`", false},
		{"a zero byte", "a\x00", false},
		{"one dot", "a.b", false}, {"two dots, a JWS", "a.b.c", false}, {"a JWS without signature", "a.b.", false},
		{"a JWS without payload", "a..c", false}, {"three dots", "a.b.c.d", false},
		{"four dots, a JWE", "a.b.c.d.e", true}, {"a JWE with a direct key", "a..c.d.e", true},
		{"a JWE without header", ".b.c.d.e", false}, {"a JWE with another alphabet", "a.b.c.d+.e", false},
		{"a JWE with padding", "a.b.c.d.e=", false}, {"five dots", "a.b.c.d.e.f", false}, {"dots alone", "....", false},
		{"as long as may be", strings.Repeat("a", verify.MaxTokenBytes), true},
		{"a byte longer", strings.Repeat("a", verify.MaxTokenBytes+1), false},
	} {
		if got := verify.IsOpaque(c.token); got != c.want {
			t.Errorf("%s: IsOpaque(%.40q) = %v", c.name, c.token, got)
		}
	}
	for _, c := range table() {
		for _, header := range c.Headers {
			if _, token, ok := strings.Cut(header[1], " "); ok && c.Want == verify.Accepted && verify.IsOpaque(token) {
				t.Errorf("%s: an accepted token is opaque", c.Name)
			}
		}
	}
}

// FuzzIsOpaque compares with the grammar, and demands that what is opaque is no
// JWS.
func FuzzIsOpaque(f *testing.F) {
	seeds(f, func(token string) { f.Add(token) })
	for _, seed := range []string{"abc", "YQ==", "a.b.c.d.e", "a..c.d.e", "a~+/=", "=", ".", ""} {
		f.Add(seed)
	}
	grammar := regexp.MustCompile(`^([A-Za-z0-9_~+/-]+=*|[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){4})$`)
	f.Fuzz(func(t *testing.T, token string) {
		got := verify.IsOpaque(token)
		if want := len(token) <= verify.MaxTokenBytes && grammar.MatchString(token) && !strings.HasSuffix(token, "\n"); got != want {
			t.Fatalf("IsOpaque(%q) = %v", token, got)
		}
		if _, err := verify.Parse(token); got && err == nil {
			t.Fatalf("%q is opaque, and a JWS", token)
		}
	})
}
