package attacks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strconv"

	"github.com/go-jose/go-jose/v4"

	"edgejwt/verify"
)

// algorithms adds tokens whose "alg" is not what the filter accepts (RFC 8725 §2.1, §3.1).
func algorithms(b *builder) {
	b.group = "algorithm"
	k := testKeySet()
	p := b.payload().text()
	alg := func(name string) string { return header().with("alg", quote(name)).text() }
	refuse := func(name, token, why string) { b.token(name, token, verify.AlgorithmNotAllowed, why) }

	// The public key taken for an HMAC secret, in whatever form a verifier may hold it.
	public := &k.current.PublicKey
	pkix := must(x509.MarshalPKIXPublicKey(public))
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	pemText := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})
	for _, form := range []struct {
		name   string
		secret []byte
	}{
		{"PEM", pemText},
		{"PEM without its last newline", pemText[:len(pemText)-1]},
		{"PEM of PKCS #1", pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1})},
		{"DER", pkix},
		{"DER of PKCS #1", pkcs1},
		{"the modulus", public.N.Bytes()},
		{"the modulus in base64url", []byte(base64.RawURLEncoding.EncodeToString(public.N.Bytes()))},
		{"the JWK", must(json.Marshal(jose.JSONWebKey{KeyID: KidCurrent, Algorithm: "RS256", Use: "sig", Key: public}))},
		{"the whole key set", KeySet()},
		{"the kid", []byte(KidCurrent)},
		{"nothing", nil},
	} {
		refuse("HS256 keyed with "+form.name, compact(alg("HS256"), p, hs256(form.secret)),
			"an HMAC keyed with what everybody knows proves nothing (RFC 8725 §2.1)")
	}
	for _, name := range []string{"HS384", "HS512"} {
		refuse(name+" keyed with PEM", compact(alg(name), p, hs256(pemText)), "HMAC is not among the rule's algorithms")
	}

	for _, none := range []string{"none", "None", "nOnE", "NONE", "none ", " none", "none\x00", "nonе" /* Cyrillic е */} {
		refuse("alg "+asciiName(none)+" without signature", compact(object{{`"alg"`, jsonString(none)}}.text(), p, fixed(nil)),
			"an unsecured token is no token (RFC 8725 §3.2)")
	}
	for _, none := range []string{"none", "None", "NONE"} {
		refuse("alg "+none+" with a signature", b.withHeader(header().with("alg", quote(none))),
			"the signature is good, but under another name")
	}
	refuse("alg none under a kid, without signature", compact(alg("none"), p, fixed(nil)), "a kid does not secure a token")

	for _, typo := range []string{
		"rs256", "Rs256", "RS256 ", " RS256", "RS-256", "RS256\x00", "RS256\n", "RSA256", "RS25б", "RS2560", "RS25", "RS1", "ＲＳ256",
		"SHA256withRSA", "RSASSA-PKCS1-v1_5", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "RS256,none", "RSA-OAEP", "dir", "*",
	} {
		refuse("alg "+asciiName(typo), b.withHeader(object{{`"alg"`, jsonString(typo)}, {`"kid"`, quote(KidCurrent)}}),
			"names of algorithms are compared byte for byte (RFC 7515 §4.1.1)")
	}

	// Sound signatures under algorithms that the rule does not name.
	refuse("RS384", compact(alg("RS384"), p, rs(k.current, crypto.SHA384)), "the rule allows RS256 alone (RFC 8725 §3.1)")
	refuse("RS512", compact(alg("RS512"), p, rs(k.current, crypto.SHA512)), "the rule allows RS256 alone (RFC 8725 §3.1)")
	refuse("PS256", compact(alg("PS256"), p, pss(k.current)), "the rule allows RS256 alone (RFC 8725 §3.1)")
	for _, other := range []struct {
		alg string
		by  signer
	}{{"RS384", rs(k.next, crypto.SHA384)}, {"RS512", rs(k.next, crypto.SHA512)}, {"PS256", pss(k.next)}} {
		refuse(other.alg+" under the key without alg", compact(header().with("alg", quote(other.alg)).with("kid", quote(KidNext)).text(), p, other.by),
			"a key that is bound to no algorithm is still bound to the rule's (RFC 8725 §3.1)")
	}
	refuse("RS512 under the key for it", compact(header().with("alg", `"RS512"`).with("kid", quote(KidRS512)).text(), p, rs(k.rs512, crypto.SHA512)),
		"what the issuer also publishes the rule need not allow")
	refuse("ES256 under the EC key", compact(header().with("alg", `"ES256"`).with("kid", quote(KidEC)).text(), p, es256(k.ec)),
		"what the issuer also publishes the rule need not allow")
	refuse("ES256 under the RSA key", compact(alg("ES256"), p, es256(k.ec)), "the key decides the algorithm, not the token")
	refuse("ES256 signature of zeros", compact(header().with("alg", `"ES256"`).with("kid", quote(KidEC)).text(), p, fixed(make([]byte, 64))),
		"CVE-2022-21449: r = s = 0 verified anything")
	refuse("EdDSA", compact(alg("EdDSA"), p, fixed(make([]byte, 64))), "the rule allows RS256 alone (RFC 8725 §3.1)")
	refuse("ES256K", compact(alg("ES256K"), p, fixed(make([]byte, 64))), "the rule allows RS256 alone (RFC 8725 §3.1)")
	b.token("RS256 under the key for RS512", compact(header().with("kid", quote(KidRS512)).text(), p, rs256(k.rs512)),
		verify.KeyUnknown, "a key is used with the algorithm it is published for (RFC 8725 §3.1), so RS256 has none of this kid")

	// "alg" must be present and a string (RFC 7515 §4.1.1).
	b.token("alg missing", b.withHeader(header().without("alg")), verify.TokenMalformed, "alg must be present (RFC 7515 §4.1.1)")
	for _, v := range []string{`256`, `["RS256"]`, `null`, `true`, `{"RS256":1}`, `""`} {
		b.token("alg is "+v, b.withHeader(header().with("alg", v)), verify.TokenMalformed, "alg is a non-empty string (RFC 7515 §4.1.1)")
	}
}

// pss signs with RSASSA-PSS and SHA-256 (RFC 7518 §3.5).
func pss(key *rsa.PrivateKey) signer {
	return func(signed string) []byte {
		digest := sha256.Sum256([]byte(signed))
		return must(rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
	}
}

// es256 signs with ECDSA on P-256 (RFC 7518 §3.4).
func es256(key *ecdsa.PrivateKey) signer {
	return func(signed string) []byte {
		digest := sha256.Sum256([]byte(signed))
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		out := make([]byte, 64)
		must(r, err).FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out
	}
}

// jsonString is s as a JSON string.
func jsonString(s string) string { return string(must(json.Marshal(s))) }

// asciiName shows s in a case's name, which is ASCII.
func asciiName(s string) string { return strconv.QuoteToASCII(s) }
