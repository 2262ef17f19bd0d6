package attacks

import (
	"strings"

	"edgejwt/verify"
)

// kindsOfValue are JSON values of every kind, for claims that want another.
var kindsOfValue = []struct{ name, text string }{
	{"null", `null`}, {"true", `true`}, {"false", `false`}, {"a number", `1700000000`}, {"a string", `"1700000000"`},
	{"an empty string", `""`}, {"an empty list", `[]`}, {"a list of a number", `[9999999999]`}, {"a list of lists", `[[["x"]]]`},
	{"an empty object", `{}`}, {"an object", `{"exp":9999999999,"$gt":""}`},
}

// claims adds wrong types in every registered claim (RFC 7519 §4.1).
func claims(b *builder) {
	b.group = "claim"
	p := b.payload()
	for _, claim := range []struct {
		name string
		want func(value string) verify.Reason
		why  string
	}{
		{"iss", b.wantIssuer, "iss is a string and must be a known one (RFC 7519 §4.1.1)"},
		{"aud", b.wantAudience, "aud is a string or a list of strings and must hold ours (RFC 7519 §4.1.3)"},
		{"exp", wantTime(verify.TokenExpired), "exp is a NumericDate (RFC 7519 §4.1.4)"},
		{"nbf", wantTime(verify.Accepted), "nbf is a NumericDate (RFC 7519 §4.1.5)"},
		{"iat", wantTime(verify.Accepted), "iat is a NumericDate (RFC 7519 §4.1.6)"},
		{"sub", wantString, "sub is a string (RFC 7519 §4.1.2)"},
		{"jti", wantString, "jti is a string (RFC 7519 §4.1.7)"},
	} {
		for _, kind := range kindsOfValue {
			b.token(claim.name+" is "+kind.name, ordinary(p.with(claim.name, kind.text)), claim.want(kind.text), claim.why)
		}
	}

	// Numbers at the rim of what a number may be.
	for _, n := range []struct {
		text string
		want verify.Reason
		why  string
	}{
		{`0`, verify.TokenExpired, "1970 has passed"},
		{`-1`, verify.TokenExpired, "1969 has passed"},
		{`-0`, verify.TokenExpired, "1970 has passed"},
		{`-9999999999`, verify.TokenExpired, "a time long past"},
		{`1e-5`, verify.TokenExpired, "1970 has passed"},
		{`1e999`, verify.ClaimOutOfRange, "infinity is no date"},
		{`-1e999`, verify.ClaimOutOfRange, "infinity is no date"},
		{`1e308`, verify.ClaimOutOfRange, "a date that no reader holds to the second"},
		{`9007199254740994`, verify.ClaimOutOfRange, "over 2^53 readers round differently (RFC 7493 §2.2)"},
		{`1e400`, verify.ClaimOutOfRange, "infinity is no date"},
		{`1.7e26`, verify.ClaimOutOfRange, "a date that no reader holds to the second"},
		{`1700000000000000000`, verify.ClaimOutOfRange, "a careless issuer's, in nanoseconds"},
		{`18446744073709551616`, verify.ClaimOutOfRange, "2^64 is 0 to a reader with 64 bits"},
		{strings.Repeat("9", 400), verify.ClaimOutOfRange, "more digits than any reader holds"},
		{`NaN`, verify.TokenMalformed, "NaN is not JSON (RFC 8259 §6)"},
		{`Infinity`, verify.TokenMalformed, "Infinity is not JSON (RFC 8259 §6)"},
		{`0x7fffffffff`, verify.TokenMalformed, "hexadecimal is not JSON (RFC 8259 §6)"},
		{`09999999999`, verify.TokenMalformed, "a leading zero is not JSON (RFC 8259 §6)"},
		{`+9999999999`, verify.TokenMalformed, "a plus sign is not JSON (RFC 8259 §6)"},
		{`9999999999.`, verify.TokenMalformed, "a point without digits is not JSON (RFC 8259 §6)"},
		{`9_999_999_999`, verify.TokenMalformed, "underscores are not JSON (RFC 8259 §6)"},
		{`"9999999999"`, verify.ClaimInvalid, "a string is no NumericDate (RFC 7519 §2)"},
		{`"2099-01-01T00:00:00Z"`, verify.ClaimInvalid, "a string is no NumericDate (RFC 7519 §2)"},
	} {
		short := n.text
		if len(short) > 40 {
			short = "a number of 400 digits"
		}
		b.token("exp: "+short, ordinary(p.with("exp", n.text)), n.want, n.why)
	}
	b.token("exp missing", ordinary(p.without("exp")), verify.ClaimInvalid, "a token without end cannot be taken back")
	b.token("exp in another case", ordinary(p.without("exp").with("Exp", "9999999999")), verify.ClaimInvalid,
		"names of claims are case-sensitive (RFC 7519 §4)")
	b.token("exp only inside another claim", ordinary(p.without("exp").with("a", `{"exp":9999999999}`)), verify.ClaimInvalid,
		"members of an inner object are not the claims")
	b.token("nbf: 1e999", ordinary(p.with("nbf", "1e999")), verify.ClaimOutOfRange, "infinity is no date")
	b.token("nbf: -1e999", ordinary(p.with("nbf", "-1e999")), verify.ClaimOutOfRange, "infinity is no date")
	b.token("iat: 1e999", ordinary(p.with("iat", "1e999")), verify.ClaimOutOfRange, "infinity is no date")
	b.token("nbf far ahead", ordinary(p.with("nbf", "9999999999")), verify.TokenNotYetValid, "the token says itself that it is not valid yet (RFC 7519 §4.1.5)")
	b.token("iat far ahead", ordinary(p.with("iat", "9999999999")), verify.TokenNotYetValid,
		"a token from the future shows a broken issuer or a forgery; RFC 7519 §4.1.6 leaves it to the application")
	b.token("no claims at all", ordinary(object{}), verify.IssuerUnknown, "the issuer is unknown")

	twice := "readers differ on which of two equal claims counts (RFC 7519 §4)"
	for _, name := range []string{"iss", "aud", "exp", "sub"} {
		b.token(name+" twice", ordinary(p.and(`"`+name+`"`, `"x"`)), verify.TokenMalformed, twice)
	}
	b.token("exp twice, the last is good", ordinary(p.with("exp", "1").and(`"exp"`, "9999999999")), verify.TokenMalformed, twice)
	b.token("exp twice, the first is good", ordinary(p.and(`"exp"`, "1")), verify.TokenMalformed, twice)
	b.token("aud twice, once escaped", ordinary(p.and(`"\u0061ud"`, `"https://other.example"`)), verify.TokenMalformed, twice)
	b.token("member twice in an inner object", ordinary(p.with("act", `{"sub":"a","sub":"b"}`)), verify.TokenMalformed, twice)
}

func (b *builder) wantIssuer(value string) verify.Reason {
	if strings.HasPrefix(value, `"`) {
		return verify.IssuerUnknown
	}
	return verify.ClaimInvalid
}

func (b *builder) wantAudience(value string) verify.Reason {
	if strings.HasPrefix(value, `"`) || value == `[]` {
		return verify.AudienceMismatch
	}
	return verify.ClaimInvalid
}

func wantTime(number verify.Reason) func(string) verify.Reason {
	return func(value string) verify.Reason {
		if value == `1700000000` {
			return number
		}
		return verify.ClaimInvalid
	}
}

func wantString(value string) verify.Reason {
	if strings.HasPrefix(value, `"`) {
		return verify.Accepted
	}
	return verify.ClaimInvalid
}
