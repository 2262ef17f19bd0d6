package attacks

import (
	"strings"

	"edgejwt/verify"
)

// transports adds ways to send a good token that are not the one way
// (RFC 6750 §2.1), and requests without a token.
func transports(b *builder) {
	b.group = "transport"
	good := ordinary(b.payload())
	other := ordinary(b.payload().with("jti", `"0002"`))
	attackers := compact(header().text(), b.payload().text(), rs256(testKeySet().attacker))
	value := func(v string) [2]string { return [2]string{"Authorization", v} }
	one := func(name, v string, want verify.Reason, why string) { b.request(name, want, why, value(v)) }
	refused := func(name string, headers ...[2]string) {
		b.request(name, verify.TokenAmbiguous, "one request, one token (RFC 6750 §2)", headers...)
	}

	scheme := "schemes are compared without case (RFC 9110 §11.1)"
	one("scheme in lower case", "bearer "+good, verify.Accepted, scheme)
	one("scheme in capitals", "BEARER "+good, verify.Accepted, scheme)
	one("scheme in mixed case", "bEaReR "+good, verify.Accepted, scheme)
	one("two spaces after the scheme", "Bearer  "+good, verify.Accepted, "1*SP stands between scheme and token (RFC 9110 §11.4)")
	one("space before the scheme", "   Bearer "+good, verify.Accepted, "white space around a value is not part of it (RFC 9110 §5.5)")
	one("space after the token", "Bearer "+good+"  ", verify.Accepted, "white space around a value is not part of it (RFC 9110 §5.5)")
	one("tab after the token", "Bearer "+good+"\t", verify.Accepted, "white space around a value is not part of it (RFC 9110 §5.5)")
	b.request("header's name in lower case", verify.Accepted, "names are compared without case (RFC 9110 §5.1)", [2]string{"authorization", "Bearer " + good})
	b.request("header's name in capitals", verify.Accepted, "names are compared without case (RFC 9110 §5.1)", [2]string{"AUTHORIZATION", "Bearer " + good})
	b.request("a second token in another header", verify.Accepted, "only authorization is looked at", value("Bearer "+good), [2]string{"X-Authorization", "Bearer " + other})

	missing := "no token where one may stand (RFC 6750 §3.1)"
	b.request("no headers", verify.TokenMissing, missing)
	one("value empty", "", verify.TokenMissing, missing)
	one("value a space", " ", verify.TokenMissing, missing)
	one("Bearer alone", "Bearer", verify.TokenMissing, missing)
	one("Bearer and a space", "Bearer ", verify.TokenMissing, missing)
	one("Bearer and many spaces", "Bearer      ", verify.TokenMissing, missing)
	one("token without scheme", good, verify.TokenMissing, "a credential begins with its scheme (RFC 9110 §11.4)")
	one("scheme Basic", "Basic dXNlcjpwYXNz", verify.TokenMissing, "another scheme")
	one("token under Basic", "Basic "+good, verify.TokenMissing, "another scheme")
	one("token under DPoP", "DPoP "+good, verify.TokenMissing, "a DPoP token is not a bearer token (RFC 9449 §7.1)")
	one("token under Token", "Token "+good, verify.TokenMissing, "another scheme")
	one("token under JWT", "JWT "+good, verify.TokenMissing, "another scheme")
	one("token under Bearer2", "Bearer2 "+good, verify.TokenMissing, "another scheme")
	one("Bearer in quotes", `"Bearer `+good+`"`, verify.TokenMissing, "another scheme")
	one("scheme with look-alikes", "Вearer "+good, verify.TokenMissing, "a Cyrillic letter makes another scheme")
	one("colon after the scheme", "Bearer: "+good, verify.TokenMissing, "a space follows the scheme (RFC 9110 §11.4)")
	one("equals sign after the scheme", "Bearer="+good, verify.TokenMissing, "a space follows the scheme (RFC 9110 §11.4)")
	one("no space after the scheme", "Bearer"+good, verify.TokenMissing, "a space follows the scheme (RFC 9110 §11.4)")
	one("tab after the scheme", "Bearer\t"+good, verify.TokenAmbiguous, "1*SP, not a tab, follows the scheme (RFC 9110 §11.4), but some servers split at any white space")
	one("no-break space after the scheme", "Bearer\u00a0"+good, verify.TokenAmbiguous, "1*SP follows the scheme (RFC 9110 §11.4); servers that split at white space of Unicode find a token")
	for _, name := range []string{"X-Authorization", "Proxy-Authorization", "X-Forwarded-Authorization", "Access-Token", "X-Access-Token", "Cookie",
		"Authorization-", "X-Jwt-Assertion", "Www-Authenticate"} {
		b.request("token in "+name, verify.TokenMissing, "only authorization is looked at", [2]string{name, "Bearer " + good})
	}

	broken := "what follows the scheme is one token and nothing else (RFC 6750 §2.1)"
	one("Bearer twice in the value", "Bearer Bearer "+good, verify.TokenMalformed, broken)
	one("token in double quotes", `Bearer "`+good+`"`, verify.TokenMalformed, broken)
	one("token in single quotes", `Bearer '`+good+`'`, verify.TokenMalformed, broken)
	one("token in angle brackets", `Bearer <`+good+`>`, verify.TokenMalformed, broken)
	one("token as a parameter", `Bearer token=`+good, verify.TokenMalformed, broken)
	one("semicolon after the token", "Bearer "+good+";", verify.TokenMalformed, broken)
	one("word after the token", "Bearer "+good+" x", verify.TokenMalformed, broken)
	one("two tokens with a space", "Bearer "+good+" "+other, verify.TokenMalformed, broken)
	one("two tokens with a semicolon", "Bearer "+good+";Bearer "+other, verify.TokenMalformed, broken)
	one("tab before the token", "Bearer \t"+good, verify.TokenMalformed, "1*SP, not a tab, follows the scheme (RFC 9110 §11.4)")
	one("byte beyond ASCII after the token", "Bearer "+good+"\xff", verify.TokenMalformed, broken)
	for _, c := range []struct{ name, bytes string }{
		{"NUL", "\x00"}, {"bell", "\x07"}, {"escape", "\x1b[31m"}, {"delete", "\x7f"}, {"vertical tab", "\x0b"}, {"form feed", "\x0c"},
	} {
		one(c.name+" after the token", "Bearer "+good+c.bytes, verify.TokenMalformed, "a control byte is no part of a value (RFC 9110 §5.5)")
		b.raw()
		one(c.name+" before the token", "Bearer "+c.bytes+good, verify.TokenMalformed, "a control byte is no part of a value (RFC 9110 §5.5)")
		b.raw()
	}
	one("NUL after the scheme", "Bearer\x00"+good, verify.TokenMissing, "a control byte is no part of a value (RFC 9110 §5.5)")
	b.raw()

	refused("two headers, both good", value("Bearer "+good), value("Bearer "+other))
	refused("two headers, the same token", value("Bearer "+good), value("Bearer "+good))
	refused("two headers, the first is the attacker's", value("Bearer "+attackers), value("Bearer "+good))
	refused("two headers, the second is the attacker's", value("Bearer "+good), value("Bearer "+attackers))
	refused("two headers, the first is Basic", value("Basic dXNlcjpwYXNz"), value("Bearer "+good))
	refused("two headers, the second is Basic", value("Bearer "+good), value("Basic dXNlcjpwYXNz"))
	refused("two headers, the first is empty", value(""), value("Bearer "+good))
	b.proxied(verify.Accepted)
	refused("two headers, the second is empty", value("Bearer "+good), value(""))
	b.proxied(verify.Accepted)
	refused("two headers with names in two cases", value("Bearer "+good), [2]string{"authorization", "Bearer " + other})
	refused("two headers, the second is Bearer alone", value("Bearer "+good), value("Bearer"))
	refused("two headers, both Bearer alone", value("Bearer"), value("Bearer"))
	refused("two headers, neither a bearer token", value("Basic dXNlcjpwYXNz"), value("Basic YTpi"))
	b.proxied(verify.TokenMissing)
	refused("three headers", value("Bearer "+good), value("Bearer "+other), value("Bearer "+attackers))
	refused("two tokens with a comma", value("Bearer "+good+","+other))
	refused("two tokens with a comma and a space", value("Bearer "+good+", "+other))
	refused("two credentials with a comma", value("Bearer "+good+",Bearer "+other))
	refused("two credentials with a comma and spaces", value("Bearer "+good+" , bearer "+other))
	refused("Basic and Bearer with a comma", value("Basic dXNlcjpwYXNz, Bearer "+good))
	refused("a comma before the token", value(",Bearer "+good))
	refused("a comma after the token", value("Bearer "+good+","))
	refused("a thousand commas", value("Bearer "+good+strings.Repeat(",", 1000)))
	refused("parameters after the token", value("Bearer "+good+`, realm="x"`))
	one("Digest with commas", `Digest username="u", realm="r", nonce="n"`, verify.TokenMissing, "another scheme, whose commas join nothing")
}
