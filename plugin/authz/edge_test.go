package authz_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"edgejwt/jwks"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// What the edges of these tests are like: one issuer, one audience, and a key that
// golang-jwt signs with and go-jose publishes.
const (
	edgeIssuer   = "https://idp.example/"
	edgeAudience = "https://api.example.com"
)

var edgeKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

var edgeKeys = sync.OnceValue(func() []byte {
	document, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: &edgeKey().PublicKey, KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	if err != nil {
		panic(err)
	}
	return document
})

// parseEdge reads a configuration with members of its one rule, and of its top.
func parseEdge(t testing.TB, rule, top string) *config.Config {
	t.Helper()
	join := func(s string) string {
		if s != "" {
			return ", " + s
		}
		return ""
	}
	cfg, err := config.Parse([]byte(fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q], "jwks": %s%s}]%s}`,
		edgeIssuer, edgeAudience, edgeKeys(), join(rule), join(top))))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func fixedKeys(rule *config.Rule) *jwks.Source { return jwks.Fixed(rule.InlineSet, nil) }

func newEdge(t testing.TB, rule, top string) *authz.Authorizer {
	t.Helper()
	return authz.New(parseEdge(t, rule, top), verify.GoEngine, fixedKeys)
}

// token is valid but for the claims given; nil removes one.
func token(changes map[string]any) string {
	claims := jwt.MapClaims{"iss": edgeIssuer, "aud": edgeAudience, "sub": "client", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	maps.Copy(claims, changes)
	for name, value := range claims {
		if value == nil {
			delete(claims, name)
		}
	}
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	t.Header["kid"] = "k"
	text, err := t.SignedString(edgeKey())
	if err != nil {
		panic(err)
	}
	return text
}

// scoped is a token with these scopes.
func scoped(scopes string) string { return token(map[string]any{"scope": scopes}) }

// spoilt is a token whose signature does not verify.
func spoilt(token string) string {
	dot := strings.LastIndexByte(token, '.')
	if token[dot+5] == 'A' {
		return token[:dot+5] + "B" + token[dot+6:]
	}
	return token[:dot+5] + "A" + token[dot+6:]
}

// request is "GET /path" with more headers, "name: value".
func request(line string, headers ...string) [][2]string {
	method, path, _ := strings.Cut(line, " ")
	all := [][2]string{{":authority", "api.example.com"}, {":path", path}, {":method", method}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		all = append(all, [2]string{name, value})
	}
	return all
}

func bearer(token string) string { return "authorization: Bearer " + token }
