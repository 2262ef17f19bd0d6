package attacks

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"

	"edgejwt/verify"
)

// headers adds keys that come with the token, critical extensions, and members
// of the JOSE header that have a wrong type or come twice.
func headers(b *builder) {
	b.group = "header"
	k := testKeySet()
	p := b.payload().text()
	sent := func(h object, by signer) string { return compact(h.text(), p, by) }
	malformed := func(name string, h object, why string) {
		b.token(name, sent(h, rs256(k.current)), verify.TokenMalformed, why)
	}

	jwk := string(must(json.Marshal(jose.JSONWebKey{KeyID: KidCurrent, Algorithm: "RS256", Use: "sig", Key: k.attacker.Public()})))
	x5c := `["` + base64.StdEncoding.EncodeToString(b.certificate()) + `"]`
	for _, own := range []member{
		{"jwk", jwk},
		{"jku", `"https://attacker.example/jwks.json"`},
		{"x5u", `"https://attacker.example/cert.pem"`},
		{"x5c", x5c},
		{"keys", `[` + jwk + `]`},
	} {
		why := "a key that comes with the token proves nothing (RFC 8725 §3.10)"
		h := header().with(own.name, own.value)
		b.token(own.name+" with the attacker's key, current kid", sent(h, rs256(k.attacker)), verify.SignatureInvalid, why)
		b.token(own.name+" with the attacker's key, no kid", sent(h.without("kid"), rs256(k.attacker)), verify.SignatureInvalid, why)
		b.token(own.name+" beside a good signature", sent(h, rs256(k.current)), verify.Accepted,
			"it is not read at all, so it does no harm either")
	}
	b.token("jwk of our own key with another kid", sent(header().with("jwk",
		string(must(json.Marshal(jose.JSONWebKey{KeyID: "other", Key: k.current.Public()})))).with("kid", `"other"`), rs256(k.current)),
		verify.KeyUnknown, "only the issuer's key set says which keys there are")

	crit := "an extension that is not understood makes the token invalid (RFC 7515 §4.1.11)"
	malformed("crit with an unknown name", header().with("crit", `["x-unknown"]`).with("x-unknown", "1"), crit)
	malformed("crit with a name that is not there", header().with("crit", `["x-unknown"]`), crit)
	malformed("crit with a registered name", header().with("crit", `["alg"]`), "crit must not name what RFC 7515 defines (§4.1.11)")
	malformed("crit with exp", header().with("crit", `["exp"]`).with("exp", "99999999999"), crit)
	malformed("crit empty", header().with("crit", `[]`), "an empty crit is forbidden (RFC 7515 §4.1.11)")
	malformed("crit null", header().with("crit", `null`), "crit is a list of names (RFC 7515 §4.1.11)")
	malformed("crit a string", header().with("crit", `"exp"`), "crit is a list of names (RFC 7515 §4.1.11)")
	malformed("crit escaped", header().and(`"\u0063rit"`, `["x-unknown"]`), crit)
	malformed("b64 false with crit", header().with("crit", `["b64"]`).with("b64", "false"), "unencoded payloads are not for JWTs (RFC 7797, abstract)")
	malformed("b64 false without crit", header().with("b64", "false"), "b64 needs crit (RFC 7797 §6)")
	malformed("b64 true without crit", header().with("b64", "true"), "b64 needs crit (RFC 7797 §6)")

	for _, v := range []string{`1`, `null`, `["JWT"]`, `{"JWT":1}`, `true`} {
		malformed("typ is "+v, header().with("typ", v), "typ is a string (RFC 7515 §4.1.9)")
	}
	malformed("cty is a number", header().with("cty", "1"), "cty is a string (RFC 7515 §4.1.10)")

	twice := "readers differ on which of two equal members counts (RFC 7515 §4)"
	malformed("alg twice", header().and(`"alg"`, `"none"`), twice)
	malformed("alg twice, the first is none", object{{`"alg"`, `"none"`}}.and(`"alg"`, `"RS256"`).with("kid", quote(KidCurrent)), twice)
	malformed("alg twice, once escaped", header().and(`"\u0061lg"`, `"none"`), twice)
	malformed("alg twice, the same", header().and(`"alg"`, `"RS256"`), twice)
	malformed("kid twice", header().and(`"kid"`, quote(KidNext)), twice)
	malformed("typ twice", header().and(`"typ"`, `"at+jwt"`), twice)
	malformed("unknown member twice", header().and(`"x"`, `1`).and(`"x"`, `2`), twice)
	malformed("member twice inside jwk", header().with("jwk", `{"kty":"RSA","kty":"EC"}`), twice)

	b.token("alg and kid in another case", sent(object{{`"ALG"`, `"RS256"`}, {`"KID"`, quote(KidCurrent)}}, rs256(k.current)),
		verify.TokenMalformed, "names of members are case-sensitive (RFC 7515 §4)")
	b.token("alg beside Alg none", sent(header().and(`"Alg"`, `"none"`), rs256(k.current)), verify.Accepted,
		"Alg is an unknown member, which is ignored (RFC 7515 §4)")
	malformed("header empty object", object{}, "alg must be present (RFC 7515 §4.1.1)")
}

// certificate is the attacker's own, under a name like the issuer's.
func (b *builder) certificate() []byte {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "issuer.example"},
		NotBefore:    b.now.Add(-time.Hour),
		NotAfter:     b.now.Add(time.Hour),
	}
	key := testKeySet().attacker
	return must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
}
