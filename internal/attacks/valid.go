package attacks

import (
	"crypto/rsa"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"

	"edgejwt/verify"
)

// valid adds what must get through.
func valid(b *builder) {
	b.group = "valid"
	k := testKeySet()
	p := b.payload()
	now := b.now.Unix()
	pass := func(name, token, why string) { b.token(name, token, verify.Accepted, why) }

	pass("signed by golang-jwt", b.byGolangJWT(), "an ordinary token")
	pass("signed by go-jose", b.byGoJose(), "an ordinary token, made by another library")
	pass("signed by crypto/rsa", ordinary(p), "the token that most cases vary")
	pass("next key, which has no alg", compact(header().with("kid", `"`+KidNext+`"`).text(), p.text(), rs256(k.next)),
		"a JWK's alg is optional (RFC 7517 §4.4)")
	pass("key with exponent 3", compact(header().with("kid", `"`+KidExponent3+`"`).text(), p.text(), rs256(k.exponent3)),
		"a small odd exponent is legal and sound when the padding is checked whole")
	pass("like Auth0's", ordinary(p.with("azp", `"abc123"`).with("gty", `"client-credentials"`).
		with("scope", `"read:orders write:orders"`).with("permissions", `["read:orders","write:orders"]`).
		with("https://example.com/roles", `["admin"]`)), "unregistered claims are not checked unless a route asks for them")
	pass("aud is a list with a match first", ordinary(p.with("aud", `[`+quote(b.Audience)+`,"https://other.example"]`)),
		"one match is enough (RFC 7519 §4.1.3)")
	pass("aud is a list with a match last", ordinary(p.with("aud", `["https://other.example",`+quote(b.Audience)+`]`)),
		"one match is enough, wherever it stands (RFC 7519 §4.1.3)")
	pass("only iss, aud and exp", ordinary(p.without("sub").without("iat").without("nbf").without("jti")),
		"the other registered claims are optional (RFC 7519 §4.1)")
	pass("exp with a fraction", ordinary(p.with("exp", fmt.Sprintf("%d.75", now+600))),
		"a NumericDate may have a fraction (RFC 7519 §2)")
	pass("exp with an exponent", ordinary(p.with("exp", "9.9e9")), "1e9 is a JSON number like any other (RFC 8259 §6)")
	pass("exp with a capital exponent and a sign", ordinary(p.with("exp", "99E+8")), "a JSON number (RFC 8259 §6)")
	pass("exp with a fraction of zero", ordinary(p.with("exp", fmt.Sprintf("%d.0", now+600))), "what some Python and JavaScript issuers write")
	pass("exp in the far future", ordinary(p.with("exp", "9007199254740992")), "2^53 is the last second that every reader holds exactly")
	pass("nbf is zero", ordinary(p.with("nbf", "0")), "1970 has come")
	pass("nbf is negative", ordinary(p.with("nbf", "-1")), "1969 has come")
	pass("nbf too small to tell from zero", ordinary(p.with("nbf", "1e-999")), "a JSON number that is next to zero")
	pass("iat long ago", ordinary(p.with("iat", "1")), "exp alone says when a token ends")
	pass("member names and values escaped", ordinary(p.without("aud").and(`"\u0061\u0075\u0064"`, `"`+escapeAll(b.Audience)+`"`)),
		"an escape is a spelling, not another value (RFC 8259 §8.3)")
	pass("header's names escaped", compact(`{"\u0061lg":"RS25\u0036","kid":"`+KidCurrent+`"}`, p.text(), rs256(k.current)),
		"an escape is a spelling, not another value (RFC 8259 §8.3)")
	pass("claims beyond ASCII", ordinary(p.with("name", `"Zoë 北京 😀 \ud83d\ude00 ???>>>"`)), "JSON is UTF-8 (RFC 8259 §8.1)")
	pass("white space in the JSON", compact("\r\n"+header().text()+" \t", " { "+p.text()[1:]+"\n", rs256(k.current)),
		"RFC 7515's own example has line breaks inside its JSON (A.1)")
	pass("one name in two objects", ordinary(p.with("act", `{"sub":"x","iss":"y","aud":["z"]}`)),
		"members of an inner object are not the claims")
	pass("typ missing", b.withHeader(header().without("typ")), "typ is optional (RFC 7515 §4.1.9)")
	pass("typ at+jwt", b.withHeader(header().with("typ", `"at+jwt"`)), "the media type of access tokens (RFC 9068 §2.1)")
	pass("typ in another spelling", b.withHeader(header().with("typ", `"application/AT+JWT"`)), "typ is for the application (RFC 7515 §4.1.9)")
	pass("unknown header parameters", b.withHeader(header().with("x5t", `"abc"`).with("nonce", `{"a":[1]}`).with("zip", `"DEF"`)),
		"what is not understood and not critical is ignored (RFC 7515 §4)")
	pass("nested 32 deep", ordinary(p.with("deep", strings.Repeat("[", 31)+strings.Repeat("]", 31))), "as deep as the bound, with the object around it")
	pass("16 KiB exactly", b.ofLength(verify.DefaultTokenBytes), "the bound itself is inside")
	pass("a thousand members", ordinary(manyMembers(p, 1000)), "many, but few enough to read quickly")
	pass("signature with a leading zero byte", b.until(func(s []byte) bool { return s[0] == 0 }),
		"a signature is as long as the modulus (RFC 8017 §8.2.1), whatever its value")
}

func (b *builder) byGolangJWT() string {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": b.Issuer, "aud": b.Audience, "sub": "abc123@clients",
		"exp": b.now.Add(time.Hour).Unix(), "iat": b.now.Unix(),
	})
	token.Header["kid"] = KidCurrent
	return must(token.SignedString(testKeySet().current))
}

func (b *builder) byGoJose() string {
	key := jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: testKeySet().current, KeyID: KidCurrent}}
	signer := must(jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT")))
	return must(josejwt.Signed(signer).Claims(josejwt.Claims{
		Issuer: b.Issuer, Audience: josejwt.Audience{b.Audience, "https://other.example"}, Subject: "abc123@clients",
		Expiry: josejwt.NewNumericDate(b.now.Add(time.Hour)), NotBefore: josejwt.NewNumericDate(b.now),
	}).Serialize())
}

// until varies jti until the signature has the property.
func (b *builder) until(property func(signature []byte) bool) string {
	signed := b.untilKey(testKeySet().current, property)
	return seal(signed, rs256(testKeySet().current))
}

// untilKey gives the signing input instead.
func (b *builder) untilKey(key *rsa.PrivateKey, property func(signature []byte) bool) string {
	for i := range 100000 {
		signed := encode(header().text()) + "." + encode(b.payload().with("jti", strconv.Quote(strconv.Itoa(i))).text())
		if property(rs256(key)(signed)) {
			return signed
		}
	}
	panic("attacks: no such signature in 100000 tries")
}

// ofLength makes a valid token of exactly n bytes.
func (b *builder) ofLength(n int) string {
	for _, h := range []object{header(), header().with("a", `""`), header().with("a", `"1"`)} {
		for pad := n*3/4 - 1000; pad < n; pad++ {
			signed := encode(h.text()) + "." + encode(b.payload().with("pad", quote(strings.Repeat("x", pad))).text())
			size := len(signed) + 1 + 342 // a signature of 2048 bits
			if size == n {
				return seal(signed, rs256(testKeySet().current))
			}
			if size > n {
				break
			}
		}
	}
	panic("attacks: no token of that length")
}

func manyMembers(o object, n int) object {
	out := append(object(nil), o...)
	for i := range n {
		out = append(out, member{fmt.Sprintf(`"m%d"`, i), "0"})
	}
	return out
}

func quote(s string) string { return strconv.Quote(s) }

// escapeAll spells every character of an ASCII text as an escape.
func escapeAll(s string) string {
	var b strings.Builder
	for _, c := range s {
		fmt.Fprintf(&b, `\u%04x`, c)
	}
	return b.String()
}
