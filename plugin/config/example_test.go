package config_test

import (
	"fmt"

	"edgejwt/plugin/config"
)

func ExampleParse() {
	c, err := config.Parse([]byte(`{
		"auth0": {"domain": "tenant.eu.auth0.com", "audience": "https://api.example.com"},
		"keys": {"deny": ["kid-of-the-leaked-key"]}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	rule := c.Rules[0]
	fmt.Println("issuer ", rule.Issuer)
	fmt.Println("keys   ", rule.JWKSURI)
	fmt.Println("cluster", rule.Cluster)
	fmt.Println("refresh", c.Keys.Refresh, "never", c.Keys.Deny)
	// Output:
	// issuer  https://tenant.eu.auth0.com/
	// keys    https://tenant.eu.auth0.com/.well-known/jwks.json
	// cluster outbound|443||tenant.eu.auth0.com
	// refresh 10m0s never [kid-of-the-leaked-key]
}

func ExampleParse_refused() {
	_, err := config.Parse([]byte(`{
		"jwtRules": [{
			"issuer": "https://tenant.eu.auth0.com/",
			"jwksUri": "http://tenant.eu.auth0.com/.well-known/jwks.json",
			"clockSkew": "soon",
			"fromHeader": [{"name": "x-token"}]
		}],
		"keys": {"refresh": 600}
	}`))
	fmt.Println(err)
	// Output:
	// jwtRules[0].audiences: is missing: tokens for any other API would be accepted (RFC 8725 §3.9); name the audience, or write anyAudience: true
	// jwtRules[0].jwksUri: "http://tenant.eu.auth0.com/.well-known/jwks.json" is not an https URL; keys that come unprotected can be replaced on the way; for a key server on this machine or inside the mesh, write allowHttp: true
	// jwtRules[0].clockSkew: "soon" is not a duration (example: 60s)
	// jwtRules[0].fromHeader: is not a field; did you mean fromHeaders?
	// keys.refresh: 600 is not a duration (example: 10m)
}

func ExampleParsePolicy() {
	policy, err := config.ParsePolicy(`{"name": "orders-write", "scopes": ["write:orders"], "claims": {"org_id": ["org_123"]}}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(policy.Route.Name, policy.Route.Requirements.Scopes, policy.Route.Requirements.Claims[0].Name)

	_, err = config.ParsePolicy(`{"scopes": ["write orders"], "path": {"prefix": "/orders"}}`)
	fmt.Println(err)
	// Output:
	// orders-write [write:orders] [org_id]
	// scopes[0]: "write orders" is not a scope (RFC 6749 §3.3: printable ASCII without space, quote and backslash)
	// path: is a condition, and Envoy has chosen its route already; let Envoy's route match it
}
