package verify_test

import (
	"fmt"
	"time"

	"edgejwt/internal/attacks"
	"edgejwt/jwks"
	"edgejwt/verify"
)

// All steps for one request, from its headers to the decision.
func Example() {
	rules := verify.NewRules([]verify.Rule{{
		Issuer:     "https://issuer.example/",
		Audiences:  []string{"https://api.example.com"},
		Algorithms: []string{verify.RS256},
		ClockSkew:  time.Minute,
	}})
	keys, _, err := jwks.Parse(attacks.KeySet(), verify.RS256)
	if err != nil {
		panic(err)
	}

	decide := func(headers [][2]string) verify.Reason {
		found, err := verify.Extract(headers, []verify.TokenLocation{verify.Authorization})
		if err != nil {
			return verify.ReasonOf(err)
		}
		token, err := verify.Parse(found.Token)
		if err != nil {
			return verify.ReasonOf(err)
		}
		rule, _, err := rules.Match(token)
		if err != nil {
			return verify.ReasonOf(err)
		}
		if err := rule.Check(token, now); err != nil {
			return verify.ReasonOf(err)
		}
		kid, _ := token.KeyID()
		candidates, _ := keys.Find(kid, token.Algorithm())
		err = verify.KeyUnknown
		for _, key := range candidates {
			if err = token.VerifySignature(verify.GoEngine, key); err == nil {
				break
			}
		}
		return verify.ReasonOf(err)
	}

	for _, c := range table() {
		switch c.Name {
		case "signed by golang-jwt", "signature without its last byte", "exp a day ago", "Bearer alone":
			reason := decide([][2]string{{"authorization", c.Headers[0][1]}})
			fmt.Printf("%s: %d %s\n", c.Name, reason.Status(), reason)
		}
	}
	// Output:
	// signed by golang-jwt: 0 accepted
	// exp a day ago: 401 token_expired
	// signature without its last byte: 401 signature_invalid
	// Bearer alone: 401 token_missing
}
