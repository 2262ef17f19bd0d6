package convert_test

import (
	"fmt"
	"os"

	"edgejwt/cmd/edgejwt/convert"
)

func ExampleConvert() {
	result, err := convert.Convert([]byte(`
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt}
spec:
  jwtRules:
  - issuer: https://tenant.eu.auth0.com/
    audiences: [https://api.example.com]
    fromHeaders: [{name: Authorization, prefix: "Bearer "}]
    forwardOriginalToken: true
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	os.Stdout.Write(result.YAML)
	// Output:
	// # Written by edgejwt convert. Read the comments: they say what is not as it was.
	// # Attach the plugin where these resources were (the same selector or targetRefs), and remove them.
	// # Istio takes any algorithm that a key allows; edgejwt takes RS256 unless a rule names others (algorithms).
	// jwtRules:
	// - issuer: https://tenant.eu.auth0.com/
	//   audiences: [https://api.example.com]
	//   fromHeaders: [{name: authorization, prefix: "Bearer "}]
	// routes:
	// # a RequestAuthentication lets requests without a token pass; write auth: required to stop them
	// - auth: optional
}
