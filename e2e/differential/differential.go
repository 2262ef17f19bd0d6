// Package differential makes up configurations of Envoy's jwt_authn and RBAC
// filters, and requests to try on them, from a seed: for the test that what
// edgejwt convert makes of such a configuration is never laxer.
//
//	g := differential.New(1)
//	c := g.Config()     // filters, as JSON
//	r := g.Request(c)   // and again
//
// The same seed gives the same configurations and requests; only the tokens'
// times differ. Not for concurrent use.
//
// The files: config.go makes providers and rules, rbac.go policies, request.go
// requests and token.go what they carry.
package differential

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	random "math/rand/v2"
)

// issuers is how many there are; each has one key.
const issuers = 3

// Generator makes up configurations and requests.
type Generator struct {
	r    *random.Rand
	keys [issuers + 1]*rsa.PrivateKey // the last one is nobody's
}

// New makes a generator, with fresh keys.
func New(seed uint64) (*Generator, error) {
	g := &Generator{r: random.New(random.NewPCG(seed, seed))}
	for i := range g.keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		g.keys[i] = key
	}
	return g, nil
}

func issuer(i int) string { return fmt.Sprintf("https://issuer%d.example/", i) }

// keySet is the issuer's key set.
func (g *Generator) keySet(i int) string {
	public := g.keys[i].PublicKey
	set, err := json.Marshal(map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "kid": fmt.Sprintf("key%d", i), "alg": "RS256", "use": "sig",
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
	}}})
	if err != nil {
		panic(err) // strings alone
	}
	return string(set)
}

// pick gives one of the values.
func pick[T any](g *Generator, values ...T) T { return values[g.r.IntN(len(values))] }

// chance is true n times of a hundred.
func (g *Generator) chance(n int) bool { return g.r.IntN(100) < n }

// object is a JSON object.
type object = map[string]any
