package verify_test

import (
	"strings"
	"testing"

	"edgejwt/verify"
)

// TestTokenElsewhere: a value in which some server finds a token, and Extract none, is
// ambiguous: the API would read a token that nobody has verified.
func TestTokenElsewhere(t *testing.T) {
	for _, scheme := range []string{"Bearer", "Token"} {
		locations := []verify.TokenLocation{{Name: "authorization", Prefix: scheme + " "}, {Name: "x-token"}}
		for _, value := range []string{
			"Bearer\u2003t", "Bearer\u00a0t", "Bearer\u3000t", // Go's strings.Fields, .NET's Split: white space of Unicode
			"\xa0Bearer t", "\x85Bearer t", "\u00a0Bearer t", "\u2003bearer t", // Python's split in Latin-1, Go's Fields and TrimSpace
			"Basic x,\xa0Bearer t", "Basic x, Bearer\tt", "Basic x,Bearer\u2003t", "Basic x, Bearer t", // servers that take an element of the list
		} {
			value = strings.NewReplacer("Bearer", scheme, "bearer", strings.ToLower(scheme)).Replace(value)
			for _, headers := range [][][2]string{
				{{"authorization", value}},
				{{"authorization", value}, {"x-token", "verified"}}, // beside a token that is valid
			} {
				if found, err := verify.Extract(headers, locations); verify.ReasonOf(err) != verify.TokenAmbiguous {
					t.Errorf("%q: token %q, %v; want token_ambiguous", headers, found.Token, verify.ReasonOf(err))
				}
			}
		}
	}
	prefixed := []verify.TokenLocation{{Name: "x-auth", Prefix: "jwt="}}
	for _, value := range []string{"\xa0jwt=t", "other,jwt=t"} {
		if _, err := verify.Extract([][2]string{{"x-auth", value}}, prefixed); verify.ReasonOf(err) != verify.TokenAmbiguous {
			t.Errorf("%q: %v; want token_ambiguous", value, verify.ReasonOf(err))
		}
	}
	// What no server takes for the scheme.
	for _, value := range []string{"Basic eA==", "Digest username=\"b\xe9arer\", realm=x", "BearerX t", "Negotiate Bearer t", "Digest a=1, bearer_x=2"} {
		if _, err := verify.Extract([][2]string{{"authorization", value}}, []verify.TokenLocation{verify.Authorization}); verify.ReasonOf(err) != verify.TokenMissing {
			t.Errorf("%q: %v; want token_missing", value, verify.ReasonOf(err))
		}
	}
}
