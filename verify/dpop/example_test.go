package dpop_test

import (
	"errors"
	"fmt"
	"strings"

	"edgejwt/internal/attacks"
	"edgejwt/verify"
	"edgejwt/verify/dpop"
)

// A request with a bound token and its proof, and the same request again.
func Example() {
	var headers [][2]string
	for _, c := range table() {
		if c.Name == "ES256 by go-jose" {
			headers = received(c.Headers)
		}
	}
	rule := attacks.ProofRule()
	var bucket []byte // of the replay memory, which all workers share

	decide := func(headers [][2]string) error {
		text := strings.TrimPrefix(headers[0][1], "DPoP ")
		token, err := verify.Parse(text) // and its issuer, claims and signature
		if err != nil {
			return err
		}
		binding := token.Binding()
		key, err := verify.WhenBound.Check(&binding, verify.Presentation{DPoP: true})
		if err != nil {
			return err
		}
		proof, err := dpop.Find(headers)
		if err != nil {
			return err
		}
		request := &dpop.Request{Method: "GET", Origin: attacks.ProofOrigin, Path: "/orders/7", Token: text, Key: *key}
		accepted, err := rule.Verify(proof, request, verify.GoEngine, now)
		if err != nil {
			return err
		}
		changed, err := dpop.Insert(bucket, &accepted, now)
		if err != nil {
			return err
		}
		bucket = changed
		return nil
	}

	fmt.Println(decide(headers))
	fmt.Println(decide(headers))
	fmt.Println(errors.Is(decide(headers[:1]), dpop.Missing))
	// Output:
	// <nil>
	// the proof has been used before
	// true
}
