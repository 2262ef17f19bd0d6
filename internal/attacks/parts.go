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

	opaque := func(name, token string) {
		b.token(name, token, verify.TokenOpaque, "a text that is not a JWT, but may be a token to its issuer (RFC 6750 §2.1)")
	}
	opaque("one word", "abc")
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
	encrypted := func(name, token string) {
		b.token(name, token, verify.TokenEncrypted, "a JWE has five parts and is not for the filter to decrypt (RFC 7516 §7.1)")
	}
	encrypted("an encrypted token", encode(`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"`+KidEncryption+`"}`)+".AAAA.AAAA.AAAA.AAAA")
	encrypted("an encrypted token, no key inside", encode(`{"alg":"dir","enc":"A256GCM"}`)+"..AAAA.AAAA.AAAA")
	malformed("five parts, of which the header names no encryption", encode(`{"alg":"dir"}`)+"..AAAA.AAAA.AAAA", three)
	malformed("five parts, of which the header names an encryption that is no string", encode(`{"alg":"dir","enc":1}`)+"..AAAA.AAAA.AAAA", three)
	malformed("an encrypted token with padding", encode(`{"alg":"dir","enc":"A256GCM"}`)+"..AAAA.AAAA.AA==", "a part is base64url (RFC 7516 §7.1)")
	malformed("three parts and a header that names an encryption", encode(`{"enc":"A256GCM"}`)+"."+part[1]+"."+part[2], "alg must be present (RFC 7515 §4.1.1)")
	b.token("JSON serialization, flattened", `{"protected":"`+part[0]+`","payload":"`+part[1]+`","signature":"`+part[2]+`"}`,
		verify.TokenAmbiguous, "a comma joins two values, and no token has one")
	b.token("JSON serialization, general", `{"payload":"`+part[1]+`","signatures":[{"protected":"`+part[0]+`","signature":"`+part[2]+`"}]}`,
		verify.TokenAmbiguous, "a comma joins two values, and no token has one")
	malformed("JSON in the clear", header().text()[:14]+"}."+`{"exp":1}`+"."+part[2], "a part is base64url (RFC 7515 §7.1)")
	opaque("an opaque token", "ya29.a0AfH6SMBx")
	opaque("an opaque token without a dot", "SlAV32hkKG_zT-0")
	opaque("an opaque token with padding", "c2VjcmV0IHRva2Vu+/==")
	opaque("a macaroon-like token", "v2.local."+part[0]+"."+part[1])
	malformed("a URL", "https://api.example.com/a.b", "a part is base64url (RFC 7515 §7.1)")

	long := "over 16 KiB, which no access token needs"
	large := func(name, token string) { b.token(name, token, verify.TokenTooLarge, long) }
	large("16 KiB and a byte", b.ofLength(verify.DefaultTokenBytes+1))
	large("20 KB", b.ofLength(20000))
	large("30 KB of one letter", strings.Repeat("A", 30000))
	large("signature of 12 KB", part[0]+"."+part[1]+"."+strings.Repeat("A", 16384))
}
