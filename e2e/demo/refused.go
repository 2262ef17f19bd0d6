package demo

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/verify"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// Refused are tokens that the edge refuses, each for another reason, by the names
// of the files that the lines of docs/refusals.md read: what is wrong with them
// is wrong with nothing else.
func Refused(s *auth0.Server, audience string) (map[string]string, error) {
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	tokens := map[string]string{}
	for name, bad := range map[string]struct {
		mint   auth0.Mint
		change auth0.Claims // nil takes a claim away
	}{
		"expired":  {change: auth0.Claims{"exp": now.Add(-time.Hour).Unix()}},
		"early":    {change: auth0.Claims{"nbf": now.Add(time.Hour).Unix()}},
		"forever":  {change: auth0.Claims{"exp": nil}},
		"stranger": {change: auth0.Claims{"iss": "https://somewhere.else.example/"}},
		"endless":  {change: auth0.Claims{"exp": json.RawMessage("1e400")}},
		"large":    {change: auth0.Claims{"groups": strings.Repeat("g", verify.DefaultTokenBytes)}},
		"nameless": {mint: auth0.Mint{Key: stranger, Header: map[string]any{"kid": nil}}},
		"bound":    {change: auth0.Claims{"cnf": map[string]string{"x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}}},
		"hs256":    {mint: auth0.Mint{Method: jwt.SigningMethodHS256, Key: s.KeySet()}},
		"unknown":  {mint: auth0.Mint{Key: stranger, Header: map[string]any{"kid": "nobody-knows-it"}}},
	} {
		claims := s.ClientClaims(auth0.DefaultClientID, audience, "read:orders")
		for claim, value := range bad.change {
			if claims[claim] = value; value == nil {
				delete(claims, claim)
			}
		}
		if tokens[name], err = s.MintToken(claims, bad.mint); err != nil {
			return nil, err
		}
	}
	tokens["encrypted"], err = encrypted(&stranger.PublicKey)
	return tokens, err
}

// encrypted is a token that only the holder of a key can read, such as Auth0 issues for
// its own use when the client names no audience.
func encrypted(to *rsa.PublicKey) (string, error) {
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: to}, nil)
	if err != nil {
		return "", err
	}
	object, err := encrypter.Encrypt([]byte("{}"))
	if err != nil {
		return "", err
	}
	return object.CompactSerialize()
}

// keepRefused puts them where the reader can use them.
func (s *stage) keepRefused() error {
	tokens, err := Refused(s.standIn, s.tenant.audience)
	for name, token := range tokens {
		if err == nil {
			err = s.keep(name, token)
		}
	}
	return err
}
