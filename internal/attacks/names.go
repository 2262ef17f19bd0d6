package attacks

import (
	"strings"

	"edgejwt/verify"
)

// names adds issuers and audiences that look like the right ones. Both are
// compared byte for byte: RFC 7519 §2 (StringOrURI), §4.1.1, §4.1.3.
func names(b *builder) {
	p := b.payload()
	upper := strings.ToUpper
	exact := "compared byte for byte (RFC 7519 §2, StringOrURI)"

	b.group = "audience"
	host := strings.TrimPrefix(b.Audience, "https://")
	for _, c := range []struct{ name, aud string }{
		{"aud a prefix of ours", quote(b.Audience[:len(b.Audience)-1])},
		{"aud with ours as its prefix", quote(b.Audience + ".attacker.example")},
		{"aud with ours as its suffix", quote("https://attacker.example/" + b.Audience)},
		{"aud with ours inside", quote("x" + b.Audience + "x")},
		{"aud in capitals", quote(upper(b.Audience))},
		{"aud with its host in capitals", quote("https://" + upper(host))},
		{"aud with a trailing slash", quote(b.Audience + "/")},
		{"aud with a leading space", quote(" " + b.Audience)},
		{"aud with a trailing space", quote(b.Audience + " ")},
		{"aud over http", quote("http://" + host)},
		{"aud without scheme", quote(host)},
		{"aud with a default port", quote(b.Audience + ":443")},
		{"aud with a NUL", `"` + b.Audience + `\u0000"`},
		{"aud several in one string", quote(b.Audience + " https://other.example")},
		{"aud several with a comma", quote(b.Audience + ",https://other.example")},
		{"aud a glob", `"*"`},
		{"aud a regular expression", `".*"`},
		{"aud our issuer", quote(b.Issuer)},
		{"aud a list of others", `["https://other.example","https://another.example"]`},
		{"aud a list of an empty string", `[""]`},
		{"aud a list that spells ours in pieces", `["https://",` + quote(host) + `]`},
	} {
		b.token(c.name, ordinary(p.with("aud", c.aud)), verify.AudienceMismatch, "an audience is "+exact)
	}
	b.token("aud missing", ordinary(p.without("aud")), verify.AudienceMismatch, "a token for nobody is not for us (RFC 8725 §3.9)")
	b.token("aud in another case", ordinary(p.without("aud").with("AUD", quote(b.Audience))), verify.AudienceMismatch, "names of claims are case-sensitive (RFC 7519 §4)")
	for _, c := range []struct{ name, aud string }{
		{"aud a list with ours and a number", `[` + quote(b.Audience) + `,1]`},
		{"aud a list with null and ours", `[null,` + quote(b.Audience) + `]`},
		{"aud a list with ours and an object", `[` + quote(b.Audience) + `,{}]`},
		{"aud ours in a list in a list", `[[` + quote(b.Audience) + `]]`},
		{"aud ours as a member's name", `{` + quote(b.Audience) + `:true}`},
		{"aud ours as a member's value", `{"0":` + quote(b.Audience) + `}`},
	} {
		b.token(c.name, ordinary(p.with("aud", c.aud)), verify.ClaimInvalid, "aud is a string or a list of strings alone (RFC 7519 §4.1.3)")
	}

	b.group = "issuer"
	bare := strings.TrimSuffix(b.Issuer, "/")
	for _, c := range []struct{ name, iss string }{
		{"iss without its slash", quote(bare)},
		{"iss with two slashes", quote(b.Issuer + "/")},
		{"iss over http", quote("http://" + strings.TrimPrefix(b.Issuer, "https://"))},
		{"iss in capitals", quote(upper(b.Issuer))},
		{"iss with its scheme in capitals", quote("HTTPS://" + strings.TrimPrefix(b.Issuer, "https://"))},
		{"iss with a trailing space", quote(b.Issuer + " ")},
		{"iss with a leading space", quote(" " + b.Issuer)},
		{"iss with a NUL", `"` + b.Issuer + `\u0000"`},
		{"iss with a trailing dot in its host", quote(bare + "./")},
		{"iss with a port", quote(bare + ":443/")},
		{"iss with user information", quote("https://x@" + strings.TrimPrefix(b.Issuer, "https://"))},
		{"iss with a fragment", quote(b.Issuer + "#")},
		{"iss with a query", quote(b.Issuer + "?")},
		{"iss with ours as its prefix", quote(bare + ".attacker.example/")},
		{"iss unknown", `"https://attacker.example/"`},
		{"iss a Cyrillic look-alike", quote(strings.Replace(b.Issuer, "e", "е", 1))},
		{"iss our audience", quote(b.Audience)},
	} {
		b.token(c.name, ordinary(p.with("iss", c.iss)), verify.IssuerUnknown, "an issuer is "+exact)
	}
	b.token("iss missing", ordinary(p.without("iss")), verify.IssuerUnknown, "the issuer is unknown (RFC 8725 §3.8)")
	b.token("iss in the header alone", compact(header().with("iss", quote(b.Issuer)).text(), p.without("iss").text(), rs256(testKeySet().current)),
		verify.IssuerUnknown, "a claim is read from the payload (RFC 7519 §5.3)")
	b.token("iss a list with ours", ordinary(p.with("iss", `[`+quote(b.Issuer)+`]`)), verify.ClaimInvalid, "iss is one string (RFC 7519 §4.1.1)")
	b.token("iss a list with ours and the attacker's", ordinary(p.with("iss", `[`+quote(b.Issuer)+`,"https://attacker.example/"]`)), verify.ClaimInvalid,
		"a reader that looks into the list takes what another refuses")
}
