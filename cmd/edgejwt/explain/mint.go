package explain

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/jwks"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// mint makes tokens for cases. Its key is made anew in each run and never leaves
// the process, so what it signs is worth nothing to anybody else.
type mint struct {
	key *rsa.PrivateKey
	set *jwks.Set
}

const mintedKID = "made-for-this-run"

var newMint = sync.OnceValues(func() (*mint, error) {
	key, err := rsa.GenerateKey(rand.Reader, verify.MinRSABits)
	if err != nil {
		return nil, err
	}
	document := `{"keys": [{"kty": "RSA", "kid": "` + mintedKID + `", "n": "` + base64.RawURLEncoding.EncodeToString(key.N.Bytes()) +
		`", "e": "` + base64.RawURLEncoding.EncodeToString([]byte{byte(key.E >> 16), byte(key.E >> 8), byte(key.E)}) + `"}]}`
	set, _, err := jwks.Parse([]byte(document))
	if err != nil {
		return nil, err
	}
	return &mint{key, set}, nil
})

// token signs claims with RS256 for the issuer that they name, or else that of
// the first rule. What they leave out is as the rule wants it: iss, aud, iat, and
// exp an hour later; null leaves a claim out.
func (m *mint) token(claims *document.Node, typ string, c *config.Config, at time.Time) (token, issuer string, err error) {
	rule := &c.Rules[0]
	if iss := claims.Get("iss").Str(); iss != "" {
		for i := range c.Rules {
			if c.Rules[i].Issuer == iss {
				rule = &c.Rules[i]
			}
		}
	}
	if !slices.Contains(rule.Algorithms, verify.RS256) {
		return "", "", errors.New(rule.Path + " does not take RS256, with which tokens for claims are made; name a file with a token")
	}
	var b bytes.Buffer
	add := func(name string, value []byte) {
		separator := ","
		if b.Len() == 0 {
			separator = "{"
		}
		quoted, _ := json.Marshal(name) // a string always has a form
		b.WriteString(separator)
		b.Write(quoted)
		b.WriteByte(':')
		b.Write(value)
	}
	iss, _ := json.Marshal(rule.Issuer)
	aud := []byte(`"any"`)
	if len(rule.Audiences) > 0 {
		aud, _ = json.Marshal(rule.Audiences[0])
	}
	now := at.Unix()
	for _, preset := range []struct {
		name  string
		value []byte
	}{{"iss", iss}, {"aud", aud}, {"iat", strconv.AppendInt(nil, now, 10)}, {"exp", strconv.AppendInt(nil, now+3600, 10)}} {
		if claims.Get(preset.name) == nil {
			add(preset.name, preset.value)
		}
	}
	for _, claim := range claims.Members() {
		if claim.Kind != document.Null {
			add(claim.Name, claim.JSON())
		}
	}
	if b.Len() == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	quotedType, _ := json.Marshal(typ)
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"`+mintedKID+`","typ":`+string(quotedType)+`}`)) + "." + base64.RawURLEncoding.EncodeToString(b.Bytes())
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, m.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", "", fmt.Errorf("the token cannot be signed: %w", err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), rule.Issuer, nil
}

// isReason reports whether a text is the name of one of the plugin's reasons.
func isReason(name string) bool {
	for _, reason := range verify.Reasons() {
		if reason.String() == name {
			return true
		}
	}
	return false
}
