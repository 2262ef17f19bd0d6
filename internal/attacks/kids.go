package attacks

import (
	"strings"

	"edgejwt/verify"
)

// keyIDs adds tricks with "kid", which is a look-up key chosen by the client that made
// the token (RFC 8725 §2.9, §3.10).
func keyIDs(b *builder) {
	b.group = "kid"
	k := testKeySet()
	p := b.payload().text()
	under := func(kid string, sign signer) string { return compact(header().with("kid", kid).text(), p, sign) }
	unknown := func(name, kid, why string) {
		b.token(name, under(kid, rs256(k.current)), verify.KeyUnknown, why)
	}

	const optional = "kid is optional: any key of the issuer may have signed (RFC 7515 §4.1.4)"
	unnamed := func(sign signer) string { return compact(header().without("kid").text(), p, sign) }
	b.token("kid missing where there are several keys", unnamed(rs256(k.current)), verify.Accepted, optional)
	b.token("kid missing, signed with the key that comes last", unnamed(rs256(k.next)), verify.Accepted, optional)
	b.token("kid empty", under(`""`, rs256(k.current)), verify.Accepted, "an empty kid names no key")
	b.token("kid missing, attacker's key", unnamed(rs256(k.attacker)), verify.KeyIDMissing, "no key of the issuer signed this")
	b.token("kid empty, attacker's key", under(`""`, rs256(k.attacker)), verify.KeyIDMissing, "no key of the issuer signed this")
	b.token("kid missing, signed with the encryption key", unnamed(rs256(k.encryption)), verify.KeyIDMissing,
		"a key for encryption verifies nothing (RFC 7517 §4.2)")
	b.token("kid missing, signed with the key for RS512", unnamed(rs256(k.rs512)), verify.KeyIDMissing,
		"a key is used with the algorithm it is published for (RFC 8725 §3.1)")
	unknown("kid path traversal", `"../../../../../../dev/null"`, "a kid is not a path")
	unknown("kid file URL", `"file:///proc/self/environ"`, "a kid is not a URL")
	unknown("kid remote URL", `"https://attacker.example/jwks.json"`, "a kid is not a URL")
	unknown("kid SQL", `"x' UNION SELECT 'c2VjcmV0';--"`, "a kid is not part of a query")
	unknown("kid shell", `"$(id)|id;`+"`id`"+`"`, "a kid is not part of a command")
	unknown("kid glob", `"*"`, "a kid is compared byte for byte")
	unknown("kid with gjson path syntax", `"keys.#.kid|0"`, "a kid is not a path")
	unknown("kid is another member's name", `"__proto__"`, "a kid is looked up among kids alone")
	unknown("kid with NUL at the end", `"`+KidCurrent+`\u0000"`, "a string does not end at NUL")
	unknown("kid with NUL inside", `"`+KidCurrent+`\u0000x"`, "a string does not end at NUL")
	unknown("kid with a line break", `"`+KidCurrent+`\r\nx-injected: 1"`, "a kid is compared byte for byte")
	unknown("kid in lower case", `"`+strings.ToLower(KidCurrent)+`"`, "kid is case-sensitive (RFC 7515 §4.1.4)")
	unknown("kid with a trailing space", `"`+KidCurrent+` "`, "a kid is compared byte for byte")
	unknown("kid with a leading space", `" `+KidCurrent+`"`, "a kid is compared byte for byte")
	unknown("kid with a Cyrillic look-alike", `"`+strings.Replace(KidCurrent, "e", "е", 1)+`"`, "a kid is compared byte for byte")
	unknown("kid with a zero-width space", `"`+KidCurrent+`\u200b"`, "a kid is compared byte for byte")
	unknown("kid with a full-width look-alike", `"`+strings.Replace(KidCurrent, "C", "Ｃ", 1)+`"`, "a kid is compared byte for byte, not normalised (RFC 7515 §5.3)")
	unknown("kid a prefix of the real one", `"`+KidCurrent[:len(KidCurrent)-1]+`"`, "a kid is compared as a whole")
	unknown("kid with the real one as its prefix", `"`+KidCurrent+`0"`, "a kid is compared as a whole")
	unknown("kid very long", `"`+strings.Repeat("k", 8<<10)+`"`, "no key has this kid, and its length does no harm")
	unknown("kid is a JSON text", `"{\"kid\":\"`+KidCurrent+`\"}"`, "a kid is compared byte for byte")
	unknown("kid is the key's thumbprint form", `"urn:ietf:params:oauth:jwk-thumbprint:sha-256:abc"`, "no key has this kid")

	b.token("kid escaped", under(`"`+escapeAll(KidCurrent)+`"`, rs256(k.current)), verify.Accepted,
		"an escape is a spelling, not another value (RFC 8259 §8.3)")
	for _, v := range []string{`1`, `null`, `true`, `["` + KidCurrent + `"]`, `{"kid":"` + KidCurrent + `"}`} {
		b.token("kid is "+v, under(v, rs256(k.current)), verify.TokenMalformed, "kid is a string (RFC 7515 §4.1.4)")
	}

	b.token("kid of the other key", under(quote(KidNext), rs256(k.current)), verify.SignatureInvalid,
		"the key that the kid names did not sign this")
	b.token("attacker's key under the current kid", under(quote(KidCurrent), rs256(k.attacker)), verify.SignatureInvalid,
		"the kid is ours, the signature is not")
	b.token("attacker's key under its own kid", under(`"attacker"`, rs256(k.attacker)), verify.KeyUnknown,
		"the issuer publishes no such key")
	b.token("kid of the encryption key", under(quote(KidEncryption), rs256(k.encryption)), verify.KeyUnknown,
		"a key for encryption verifies nothing (RFC 7517 §4.2)")
	b.token("kid of the encryption key, signed with the current one", under(quote(KidEncryption), rs256(k.current)), verify.KeyUnknown,
		"a key for encryption verifies nothing (RFC 7517 §4.2)")
	b.token("kid of the EC key", under(quote(KidEC), rs256(k.current)), verify.KeyUnknown,
		"a key of another type is none for RS256 (RFC 7518 §6.1)")
}
