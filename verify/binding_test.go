package verify_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"edgejwt/verify"
)

// The examples of RFC 9449 §6.1 (figure 9) and RFC 8705, appendix A.
const (
	rfc9449JKT         = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	rfc8705Thumbprint  = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
	rfc8705Certificate = `-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----
`
)

// exampleDigest is the digest of RFC 8705's certificate as Envoy spells it.
func exampleDigest(t testing.TB) string {
	t.Helper()
	block, _ := pem.Decode([]byte(rfc8705Certificate))
	if block == nil {
		t.Fatal("the certificate does not decode")
	}
	digest := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(digest[:])
}

func TestSenderConstraint(t *testing.T) {
	certificate, ok := verify.ParseCertificateDigest(exampleDigest(t))
	if !ok {
		t.Fatal("the digest of RFC 8705's certificate is refused")
	}
	other := certificate
	other[31] ^= 1
	const (
		jkt  = `"jkt":"` + rfc9449JKT + `"`
		x5t  = `"x5t#S256":"` + rfc8705Thumbprint + `"`
		key  = `{"cnf":{` + jkt + `}}`
		cert = `{"cnf":{` + x5t + `}}`
		both = `{"cnf":{` + jkt + `,` + x5t + `}}`
	)
	bearer, dpop := verify.Presentation{}, verify.Presentation{DPoP: true}
	mtls, mtlsOther := verify.Presentation{Certificate: &certificate}, verify.Presentation{Certificate: &other}
	mtlsAndDPoP := verify.Presentation{DPoP: true, Certificate: &certificate}
	missing, mismatch := verify.ErrBindingMissing, verify.ErrBindingMismatch
	type want struct {
		err error
		key string // the thumbprint that a DPoP proof must have
	}
	passes, proof := want{}, want{key: rfc9449JKT}
	lacks, differs := want{err: missing}, want{err: mismatch}

	for _, c := range []struct {
		name, claims       string
		presented          verify.Presentation
		whenBound, require want
	}{
		{"no cnf, Bearer", `{}`, bearer, passes, lacks},
		{"no cnf, DPoP", `{}`, dpop, lacks, lacks},
		{"no cnf, certificate", `{}`, mtls, passes, lacks},
		{"jkt, Bearer", key, bearer, lacks, lacks},
		{"jkt, Bearer with a certificate", key, mtls, lacks, lacks},
		{"jkt, DPoP", key, dpop, proof, proof},
		{"x5t#S256, no certificate", cert, bearer, lacks, lacks},
		{"x5t#S256, the certificate of RFC 8705, appendix A", cert, mtls, passes, passes},
		{"x5t#S256, another certificate", cert, mtlsOther, differs, differs},
		{"x5t#S256, DPoP", cert, dpop, lacks, lacks},
		{"x5t#S256, the certificate and DPoP", cert, mtlsAndDPoP, lacks, lacks},
		{"both, Bearer", both, bearer, lacks, lacks},
		{"both, the certificate only", both, mtls, lacks, lacks},
		{"both, DPoP only", both, dpop, lacks, lacks},
		{"both, both", both, mtlsAndDPoP, proof, proof},
		{"both, DPoP with another certificate", both, verify.Presentation{DPoP: true, Certificate: &other}, differs, differs},

		{"jwk", `{"cnf":{"jwk":{"kty":"EC"}}}`, mtlsAndDPoP, lacks, lacks},
		{"kid", `{"cnf":{"kid":"k"}}`, bearer, lacks, lacks},
		{"jku", `{"cnf":{"jku":"https://a.example/k"}}`, bearer, lacks, lacks},
		{"x5t with SHA-1", `{"cnf":{"x5t":"` + rfc8705Thumbprint + `"}}`, mtls, lacks, lacks},
		{"x5t#s256 in lower case", `{"cnf":{"x5t#s256":"` + rfc8705Thumbprint + `"}}`, mtls, lacks, lacks},
		{"jkt beside kid", `{"cnf":{` + jkt + `,"kid":"k"}}`, dpop, lacks, lacks},
		{"x5t#S256 beside jwe", `{"cnf":{` + x5t + `,"jwe":"e"}}`, mtls, lacks, lacks},
		{"empty cnf", `{"cnf":{}}`, bearer, lacks, lacks},
		{"cnf null", `{"cnf":null}`, bearer, lacks, lacks},
		{"cnf false", `{"cnf":false}`, bearer, lacks, lacks},
		{"cnf a string", `{"cnf":"` + rfc9449JKT + `"}`, dpop, lacks, lacks},
		{"cnf a list", `{"cnf":[{` + jkt + `}]}`, dpop, lacks, lacks},
		{"jkt empty", `{"cnf":{"jkt":""}}`, dpop, lacks, lacks},
		{"jkt null", `{"cnf":{"jkt":null}}`, dpop, lacks, lacks},
		{"jkt a list", `{"cnf":{"jkt":["` + rfc9449JKT + `"]}}`, dpop, lacks, lacks},
		{"jkt padded", `{"cnf":{"jkt":"` + rfc9449JKT + `="}}`, dpop, lacks, lacks},
		{"jkt in base64", `{"cnf":{"jkt":"` + strings.ReplaceAll(rfc9449JKT, "-", "+") + `"}}`, dpop, lacks, lacks},
		{"jkt too short", `{"cnf":{"jkt":"` + rfc9449JKT[:42] + `"}}`, dpop, lacks, lacks},
		{"jkt too long", `{"cnf":{"jkt":"` + rfc9449JKT + `AA"}}`, dpop, lacks, lacks},
		{"jkt with a spare bit", `{"cnf":{"jkt":"` + rfc9449JKT[:42] + `J"}}`, dpop, lacks, lacks},
		{"x5t#S256 in hexadecimal", `{"cnf":{"x5t#S256":"` + exampleDigest(t) + `"}}`, mtls, lacks, lacks},
		{"x5t#S256 a number", `{"cnf":{"x5t#S256":1}}`, mtls, lacks, lacks},
	} {
		t.Run(c.name, func(t *testing.T) {
			binding := unsigned(t, rs256, c.claims).Binding()
			if binding.Bound() != strings.Contains(c.claims, "cnf") {
				t.Errorf("bound: %v", binding.Bound())
			}
			for constraint, want := range map[verify.SenderConstraint]want{
				verify.WhenBound: c.whenBound, verify.Required: c.require, verify.Ignore: passes, 99: c.require,
			} {
				key, err := constraint.Check(&binding, c.presented)
				got := ""
				if key != nil {
					got = base64.RawURLEncoding.EncodeToString(key[:])
				}
				if !errors.Is(err, want.err) || got != want.key {
					t.Errorf("constraint %d: key %q, %v; want %q, %v", constraint, got, err, want.key, want.err)
				}
			}
		})
	}
}

func TestParseCertificateDigest(t *testing.T) {
	good := exampleDigest(t)
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"as Envoy spells it": {good, true}, "in upper case": {strings.ToUpper(good), true},
		"empty": {"", false}, "short": {good[:62], false}, "odd": {good[:63], false}, "long": {good + "00", false},
		"with a space": {" " + good[:63], false}, "no digit": {"g" + good[1:], false}, "base64url": {rfc8705Thumbprint, false},
	} {
		digest, ok := verify.ParseCertificateDigest(c.text)
		if ok != c.ok || ok && hex.EncodeToString(digest[:]) != good || !ok && digest != (verify.Thumbprint{}) {
			t.Errorf("%s: %x, %v", name, digest, ok)
		}
	}
}

func TestForwardedCertificate(t *testing.T) {
	real, forged := exampleDigest(t), strings.Repeat("ab", 32)
	element := "By=spiffe://a/b;Hash=" + real + `;Subject="CN=client,O=\"x\";=";URI=spiffe://c/d`
	hash, fake := "Hash="+real, "Hash="+forged
	for _, c := range []struct {
		name, header string
		trusted      int
		want         string // "" when the header gives no digest
	}{
		{"one element", element, 1, real},
		{"only the hash", hash, 1, real},
		{"name in lower case", "hash=" + real, 1, real},
		{"spaces around the name", "By=x; Hash=" + real, 1, real},
		{"appended to the client's", fake + "," + element, 1, real},
		{"a space after the comma", fake + ", " + element, 1, real},
		{"two proxies", fake + "," + element + ",Hash=" + strings.Repeat("cd", 32), 2, real},
		{"the client's element is not trusted", fake + "," + "By=proxy", 1, ""},
		{"fewer elements than trusted", element, 2, ""},
		{"no proxy trusted", element, 0, ""},
		{"negative", element, -1, ""},
		{"empty", "", 1, ""},
		{"a comma", ",", 1, ""},
		{"element empty at the end", hash + ",", 1, ""},
		{"a semicolon at the end", hash + ";", 1, ""},
		{"no name", "=" + real, 1, ""},
		{"no value", "Hash=", 1, ""},
		{"no pair", real, 1, ""},
		{"no hash", `By=x;Subject="CN=` + hash + `"`, 1, ""},
		{"hash in a quoted value", `By=x;Subject="a,` + fake + `;` + fake + `"`, 1, ""},
		{"hash quoted", `Hash="` + real + `"`, 1, ""},
		{"two hashes", hash + ";" + fake, 1, ""},
		{"the same hash twice", hash + ";" + hash, 1, ""},
		{"an empty hash before", "Hash=;" + hash, 1, ""},
		{"a hash that is none", "Hash=xyz", 1, ""},
		{"a hash in base64url", "Hash=" + rfc8705Thumbprint, 1, ""},
		{"a space in the hash", hash + " ", 1, ""},
		{"the client opens a quoted value", fake + `;a="` + "," + element, 1, ""},
		{"the client opens a quoted value, the certificate has quotes", fake + `;a="` + `,` + hash + `;Subject="CN=\"x\""`, 1, ""},
		{"the client opens a quoted value, the subject is empty", fake + `;a="` + `,` + hash + `;Subject=""`, 1, ""},
		{"the client ends with a backslash in quotes", fake + `;a="\` + `,` + element, 1, ""},
		{"a quote in the middle of a value", fake + `;a=b"` + `,` + element, 1, ""},
		{"a quote in a name", fake + `;a"b=c,` + element, 1, ""},
		{"a pair directly behind a quoted value", hash + `;a="b"cc=d`, 1, ""},
		{"a pair behind a quote in a value", hash + `;a=b"c=d`, 1, ""},
		{"text behind a quoted value", `a="b"c,` + hash, 1, ""},
		{"not ended", hash + `;a="b`, 1, ""},
		{"over-long", "a=" + strings.Repeat("x", verify.MaxForwardedCertificateBytes) + "," + hash, 1, ""},
	} {
		digest, ok := verify.ForwardedCertificate(c.header, c.trusted)
		got := ""
		if ok {
			got = hex.EncodeToString(digest[:])
		}
		if got != c.want || !ok && digest != (verify.Thumbprint{}) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzForwardedCertificate demands that what a client writes before the proxy's element
// never changes the digest: it is the proxy's, or there is none.
func FuzzForwardedCertificate(f *testing.F) {
	forged := "Hash=" + strings.Repeat("ab", 32)
	for _, client := range []string{"", forged, forged + `;a="`, forged + `;a="\`, `a="` + forged, "By=x;" + forged + ",", `",`, `=`} {
		for _, subject := range []string{"", "CN=a", `CN=\"x\"`, `,CN=a`, `\\\",` + forged} {
			f.Add(client, subject)
		}
	}
	real := exampleDigest(f)
	f.Fuzz(func(t *testing.T, client, subject string) {
		// Envoy writes distinguished names as RFC 2253 says: they begin with the name of
		// an attribute, and a backslash stands before a quote or a backslash.
		escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(subject)
		digest, ok := verify.ForwardedCertificate(client+",By=p;Hash="+real+`;Subject="CN=`+escaped+`"`, 1)
		if ok && hex.EncodeToString(digest[:]) != real {
			t.Fatalf("client %q, subject %q: %x", client, subject, digest)
		}
	})
}

// FuzzBinding demands that a token with a cnf claim never passes without a proof.
func FuzzBinding(f *testing.F) {
	for _, cnf := range []string{`{}`, `null`, `{"jkt":"` + rfc9449JKT + `"}`, `{"x5t#S256":"` + rfc8705Thumbprint + `"}`, `{"jwk":{}}`, `[1]`, `{"jkt":1}`} {
		f.Add(cnf)
	}
	f.Fuzz(func(t *testing.T, cnf string) {
		encode := base64.RawURLEncoding.EncodeToString
		token, err := verify.Parse(encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(`{"cnf":`+cnf+`}`)) + ".c2ln")
		if err != nil {
			return
		}
		if _, has := token.Claim("cnf"); !has {
			return
		}
		binding := token.Binding()
		if !binding.Bound() {
			t.Fatalf("cnf %s: not bound", cnf)
		}
		for _, constraint := range []verify.SenderConstraint{verify.WhenBound, verify.Required} {
			if _, err := constraint.Check(&binding, verify.Presentation{}); err == nil {
				t.Fatalf("cnf %s passes as Bearer", cnf)
			}
			if key, err := constraint.Check(&binding, verify.Presentation{DPoP: true}); err == nil && key == nil {
				t.Fatalf("cnf %s passes without a proof", cnf)
			}
		}
	})
}
