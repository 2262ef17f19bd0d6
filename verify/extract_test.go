package verify_test

import (
	"slices"
	"testing"

	"edgejwt/verify"
)

// TestExtractElsewhere is about other locations than authorization, which the
// hostile table has.
func TestExtractElsewhere(t *testing.T) {
	plain := verify.Location{Name: "x-token"}
	prefixed := verify.Location{Name: "x-token", Prefix: "jwt="}
	schemed := verify.Location{Name: "x-auth", Prefix: "Token "}
	auth := verify.Authorization
	type headers = [][2]string
	for _, c := range []struct {
		name      string
		locations []verify.Location
		headers   headers
		token     string
		at        []int
		want      verify.Reason
	}{
		{"no prefix", []verify.Location{plain}, headers{{"x-token", "t"}}, "t", []int{0}, verify.Accepted},
		{"no prefix, empty", []verify.Location{plain}, headers{{"x-token", ""}}, "", nil, verify.TokenMissing},
		{"prefix", []verify.Location{prefixed}, headers{{"x-token", "JWT=t"}}, "t", []int{0}, verify.Accepted},
		{"prefix missing", []verify.Location{prefixed}, headers{{"x-token", "t"}}, "", nil, verify.TokenMissing},
		{"prefix alone", []verify.Location{prefixed}, headers{{"x-token", "jwt="}}, "", nil, verify.TokenMissing},
		{"a prefix that is no scheme keeps spaces", []verify.Location{prefixed}, headers{{"x-token", "jwt= t"}}, " t", []int{0}, verify.Accepted},
		{"scheme with spaces", []verify.Location{schemed}, headers{{"x-auth", "token   t"}}, "t", []int{0}, verify.Accepted},
		{"another header", []verify.Location{plain}, headers{{"x-token-2", "t"}, {"x_token", "t"}}, "", nil, verify.TokenMissing},
		{"no locations", nil, headers{{"authorization", "Bearer t"}}, "", nil, verify.TokenMissing},
		{"authorization is not looked at unless it is a location", []verify.Location{plain},
			headers{{"authorization", "Bearer x"}, {"authorization", "Bearer y"}, {"x-token", "t"}}, "t", []int{0}, verify.Accepted},
		{"two places, one has it", []verify.Location{auth, plain}, headers{{"x-token", "t"}}, "t", []int{1}, verify.Accepted},
		{"two places, one has another scheme", []verify.Location{auth, plain}, headers{{"authorization", "Basic x"}, {"x-token", "t"}}, "t", []int{1}, verify.Accepted},
		{"two places, the same token", []verify.Location{auth, plain}, headers{{"x-token", "t"}, {"authorization", "Bearer t"}}, "t", []int{0, 1}, verify.Accepted},
		{"two places, two tokens", []verify.Location{auth, plain}, headers{{"x-token", "t"}, {"authorization", "Bearer u"}}, "", nil, verify.TokenAmbiguous},
		{"one header twice, two tokens", []verify.Location{plain}, headers{{"x-token", "t"}, {"x-token", "u"}}, "", nil, verify.TokenAmbiguous},
		{"one header joined", []verify.Location{plain}, headers{{"x-token", "t,u"}}, "", nil, verify.TokenAmbiguous},
		{"one header joined with nothing", []verify.Location{plain}, headers{{"x-token", "t,"}}, "", nil, verify.TokenAmbiguous},
		{"two prefixes in one header", []verify.Location{prefixed, plain}, headers{{"x-token", "jwt=t"}}, "", nil, verify.TokenAmbiguous},
	} {
		found, err := verify.Extract(c.headers, c.locations)
		if got := verify.ReasonOf(err); got != c.want || found.Token != c.token || !slices.Equal(found.Locations, c.at) {
			t.Errorf("%s: %q at %v, %v; want %q at %v, %v", c.name, found.Token, found.Locations, got, c.token, c.at, c.want)
		}
	}
}
