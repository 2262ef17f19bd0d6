package attacks

import (
	"strings"

	"edgejwt/verify"
)

// parts adds texts that are not three parts, or longer than a token may be.
func parts(b *builder) {
	b.group = "form"
	good := ordinary(b.payload())
	part := strings.Split(good, ".")
	three := "a compact JWS has three parts (RFC 7515 §7.1)"
	malformed := func(name, token, why string) { b.token(name, token, verify.TokenMalformed, why) }

	malformed("one word", "abc", three)
	malformed("one part", part[0], three)
	malformed("two parts", part[0]+"."+part[1], three)
	malformed("two parts, header and signature", part[0]+"."+part[2], three)
	malformed("four parts", good+"."+part[2], three)
	malformed("five parts", good+"."+part[1]+"."+part[2], three)
	malformed("a part before it", "."+good, three)
	malformed("a dot after it", good+".", three)
	malformed("one dot", ".", three)
	malformed("two dots", "..", "an empty header names no algorithm")
	malformed("three dots", "...", three)
	malformed("a thousand dots", strings.Repeat(".", 1000), three)
	malformed("header missing", "."+part[1]+"."+part[2], "an empty header names no algorithm")
	malformed("payload missing", part[0]+".."+part[2], "a detached payload has no claims (RFC 7515 Appendix F)")
	malformed("payload and signature missing", part[0]+"..", "there are no claims")
	malformed("an encrypted token", encode(`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"`+KidEncryption+`"}`)+".AAAA.AAAA.AAAA.AAAA",
		"a JWE has five parts and is not for the filter to decrypt (RFC 7516 §7.1)")
	malformed("an encrypted token, no key inside", encode(`{"alg":"dir","enc":"A256GCM"}`)+"..AAAA.AAAA.AAAA", "a JWE has five parts (RFC 7516 §7.1)")
	b.token("JSON serialization, flattened", `{"protected":"`+part[0]+`","payload":"`+part[1]+`","signature":"`+part[2]+`"}`,
		verify.TokenAmbiguous, "a comma joins two values, and no token has one")
	b.token("JSON serialization, general", `{"payload":"`+part[1]+`","signatures":[{"protected":"`+part[0]+`","signature":"`+part[2]+`"}]}`,
		verify.TokenAmbiguous, "a comma joins two values, and no token has one")
	malformed("JSON in the clear", header().text()[:14]+"}."+`{"exp":1}`+"."+part[2], "a part is base64url (RFC 7515 §7.1)")
	malformed("an opaque token", "ya29.a0AfH6SMBx", three)
	malformed("a macaroon-like token", "v2.local."+part[0]+"."+part[1], three)
	malformed("a URL", "https://api.example.com/a.b", "a part is base64url (RFC 7515 §7.1)")

	long := "over 16 KiB, which no access token needs"
	malformed("16 KiB and a byte", b.ofLength(verify.MaxTokenBytes+1), long)
	malformed("20 KB", b.ofLength(20000), long)
	malformed("30 KB of one letter", strings.Repeat("A", 30000), long)
	malformed("signature of 12 KB", part[0]+"."+part[1]+"."+strings.Repeat("A", 16384), long)
}
