package verify_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgejwt/jwks"
	"edgejwt/verify"
)

// vector is a token of a standard with its key. The standards' payloads are not
// access tokens, so what each step makes of it is stated apart.
type vector struct {
	Source string
	Key    json.RawMessage // a JWK
	Token  string
	// Verifies is the engine's answer.
	Verifies bool
	// Parse and Match are the reasons that these steps give; a rule for the
	// vector's issuer and RS256 stands ready.
	Parse, Match string
}

func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/rfc*.json")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d vectors found (%v), at least 6 expected", len(files), err)
	}
	rules := verify.NewRules([]verify.Rule{{Issuer: "joe", Algorithms: []string{verify.RS256}, AnyAudience: true}})
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			strict := json.NewDecoder(bytes.NewReader(text))
			strict.DisallowUnknownFields()
			if err := strict.Decode(&v); err != nil {
				t.Fatal(err)
			}
			set, skipped, err := jwks.Parse([]byte(`{"keys":[` + string(v.Key) + `]}`))
			if err != nil {
				t.Fatal(err, skipped)
			}
			part := strings.Split(v.Token, ".")
			var header struct{ Alg string }
			if err := json.Unmarshal(decode(t, part[0]), &header); err != nil {
				t.Fatal(err)
			}
			keys, _ := set.Find("", header.Alg)
			if len(keys) != 1 {
				t.Fatalf("%d keys for %s", len(keys), header.Alg)
			}
			key := keys[0]

			signature := decode(t, part[2])
			ok, err := verify.GoEngine(header.Alg, key, part[0]+"."+part[1], signature)
			if ok != v.Verifies || err != nil {
				t.Errorf("the engine says %v, %v; want %v", ok, err, v.Verifies)
			}
			signature[0] ^= 1
			if ok, _ := verify.GoEngine(header.Alg, key, part[0]+"."+part[1], signature); ok {
				t.Error("the engine accepts the vector with one bit changed")
			}

			token, err := verify.Parse(v.Token)
			if got := verify.ReasonOf(err).String(); got != v.Parse {
				t.Fatalf("Parse gives %v, want %v", got, v.Parse)
			}
			if err != nil {
				return
			}
			_, _, err = rules.Match(token)
			if got := verify.ReasonOf(err).String(); got != v.Match {
				t.Errorf("Match gives %v, want %v", got, v.Match)
			}
			want := verify.Accepted
			if !v.Verifies {
				want = verify.SignatureInvalid
			}
			if got := verify.ReasonOf(token.VerifySignature(verify.GoEngine, key)); got != want {
				t.Errorf("VerifySignature gives %v, want %v", got, want)
			}
		})
	}
}

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
