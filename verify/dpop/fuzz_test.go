package dpop_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"edgejwt/internal/attacks"
	"edgejwt/verify"
	"edgejwt/verify/dpop"
)

// FuzzVerify demands that go-jose takes each proof that is accepted, with the key of the
// proof, and that encoding/json reads the claims that were checked.
func FuzzVerify(f *testing.F) {
	token, n := "", 0
	for _, c := range table() {
		var proof string
		for _, line := range received(c.Headers) {
			switch line[0] {
			case "dpop":
				proof = line[1]
			case "authorization":
				if c.Name == "the proof that most cases vary" {
					token = strings.TrimPrefix(line[1], "DPoP ")
				}
			}
		}
		f.Add(proof)
		n++
	}
	parsed, err := verify.Parse(token)
	if err != nil || n < 200 {
		f.Fatal(n, err)
	}
	binding := parsed.Binding()
	key, err := verify.WhenBound.Check(&binding, verify.Presentation{DPoP: true})
	if err != nil {
		f.Fatal(err)
	}
	hash := sha256.Sum256([]byte(token))
	ath := base64.RawURLEncoding.EncodeToString(hash[:])
	request := &dpop.Request{Method: "GET", Origin: attacks.ProofOrigin, Path: "/orders/7?x", Token: token, Key: *key}
	rule := attacks.ProofRule()
	f.Fuzz(func(t *testing.T, text string) {
		proof, err := rule.Verify(text, request, verify.GoEngine, now)
		if err != nil {
			var typed *dpop.Error
			if !errors.As(err, &typed) || proof != (dpop.Proof{}) {
				t.Fatalf("%+v, %v", proof, err)
			}
			return
		}
		jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.RS256, jose.PS256, jose.EdDSA})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		payload, err := jws.Verify(jws.Signatures[0].Header.JSONWebKey)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var claims map[string]any
		if err := json.Unmarshal(payload, &claims); err != nil {
			t.Fatal(err)
		}
		if claims["htm"] != "GET" || claims["ath"] != ath || claims["jti"] == "" {
			t.Fatalf("accepted %s", payload)
		}
	})
}

// FuzzFind demands that a proof is found only when it is the only one.
func FuzzFind(f *testing.F) {
	for _, seed := range []string{"", "a.b.c", "a.b.c,d.e.f", " ", ","} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		one := [][2]string{{"x-dpop", second}, {"dpop", first}}
		if proof, err := dpop.Find(one); err == nil && (proof != first || proof == "" || strings.Contains(proof, ",")) || err != nil && proof != "" {
			t.Fatalf("%q: %q, %v", one, proof, err)
		}
		two := append(one, [2]string{"dpop", second})
		if proof, err := dpop.Find(two); err == nil || proof != "" {
			t.Fatalf("%q: %q", two, proof)
		}
	})
}
