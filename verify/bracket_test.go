package verify_test

import (
	"testing"

	"edgejwt/verify"
)

// TestParameterInBrackets: Express (qs) and Rack 2 take [name] for name, Rack 2 also name],
// and ASP.NET (HttpUtility.UrlDecode) decodes %uXXXX. Where a token may be in the parameter,
// these are ambiguous.
func TestParameterInBrackets(t *testing.T) {
	locations := []verify.TokenLocation{verify.Authorization, {In: verify.InQuery, Name: "access_token"}}
	for _, query := range []string{
		"[access_token]=t", "%5Baccess_token%5D=t", "%5baccess%5ftoken]=t", "a=1&[access_token]=t", "[[access_token]]=t", "access_token]=t", "access_token%5D=t", "[access_token][]=t",
		"%u0061ccess_token=t", "access%u005Ftoken=t", "access_token%u0000=t", "a=1&%U0041CCESS_TOKEN=t",
	} {
		for _, headers := range [][][2]string{{{":path", "/?" + query}}, {{":path", "/?" + query}, {"authorization", "Bearer verified"}}} {
			if found, err := verify.Extract(headers, locations); verify.ReasonOf(err) != verify.TokenAmbiguous {
				t.Errorf("%q: token %q, %v; want token_ambiguous", headers, found.Token, verify.ReasonOf(err))
			}
		}
	}
	for _, query := range []string{"[access]=t", "x[access_token]=t", "[]=access_token", "%u0062ccess_token=t"} {
		if _, err := verify.Extract([][2]string{{":path", "/?" + query}}, locations); verify.ReasonOf(err) != verify.TokenMissing {
			t.Errorf("%q: %v; want token_missing", query, verify.ReasonOf(err))
		}
	}
}
