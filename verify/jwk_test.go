package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

func parseJWK(t testing.TB, text string) (*verify.Key, error) {
	t.Helper()
	value, err := strictjson.Parse(text, strictjson.Limits{Bytes: 1 << 16, Depth: 8, Values: 100})
	if err != nil {
		t.Fatal(err)
	}
	return verify.ParseJWK("k", &value)
}

// TestThumbprint compares with the examples of RFC 7638 §3.1, RFC 8037, appendix A.3, and
// RFC 9449 §6.1.
func TestThumbprint(t *testing.T) {
	for _, c := range []struct{ name, jwk, want string }{
		{"RFC 7638", `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`,
			"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		{"RFC 8037", `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
		{"RFC 9449", `{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}`, rfc9449JKT},
	} {
		key, err := parseJWK(t, c.jwk)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		print := key.Thumbprint()
		if got := base64.RawURLEncoding.EncodeToString(print[:]); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestThumbprintAsGoJose compares each type of key with go-jose, coordinates with leading
// zeros among them.
func TestThumbprintAsGoJose(t *testing.T) {
	var publics []crypto.PublicKey
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		zeros := 0
		for i := 0; zeros < 2 || i < 4; i++ {
			key, err := ecdsa.GenerateKey(curve, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			point, err := key.PublicKey.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if point[1] == 0 || point[1+len(point)/2] == 0 {
				zeros++
			} else if i >= 4 {
				continue
			}
			publics = append(publics, key.Public())
		}
	}
	for _, bits := range []int{2048, 3072} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		publics = append(publics, key.Public(), &rsa.PublicKey{N: key.N, E: 3})
	}
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for i, public := range append(publics, public) {
		jwk := jose.JSONWebKey{Key: public}
		want, err := jwk.Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(jwk)
		if err != nil {
			t.Fatal(err)
		}
		key, err := parseJWK(t, string(text))
		if err != nil {
			t.Fatalf("%d, %s: %v", i, text, err)
		}
		if got := key.Thumbprint(); string(got[:]) != string(want) {
			t.Errorf("%d, %s: %x, want %x", i, text, got, want)
		}
	}
}
