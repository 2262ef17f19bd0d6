package config_test

import (
	"errors"
	"strings"
	"testing"

	"edgejwt/plugin/config"
)

// Fields of a rule and of auth0 that are without a fault.
const (
	goodRule  = `"issuer":"https://issuer.example/","audiences":["api"],"jwksUri":"https://issuer.example/keys"`
	goodAuth0 = `"domain":"tenant.eu.auth0.com","audience":"api"`
)

const notYAML = `; write JSON, not YAML (edgejwt json FILE converts it)`

// rule makes a configuration of one rule: the good one, with the members added.
func rule(members string) string { return `{"jwtRules":[{` + goodRule + `,` + members + `}]}` }

// bare makes a configuration of one rule with only these members.
func bare(members string) string { return `{"jwtRules":[{` + members + `}]}` }

// tenant makes a configuration of the good auth0, with the members added.
func tenant(members string) string { return `{"auth0":{` + goodAuth0 + `,` + members + `}}` }

// top makes a configuration of the good auth0, with members added beside it.
func top(members string) string { return `{"auth0":{` + goodAuth0 + `},` + members + `}` }

// uri makes a configuration of one rule whose keys are at address.
func uri(address string) string {
	return bare(`"issuer":"i","audiences":["api"],"jwksUri":"` + address + `"`)
}

type refusalCase struct {
	name     string
	document string
	want     string // all lines
}

func TestRefusals(t *testing.T) {
	n := 0
	for _, group := range [][]refusalCase{wholeRefusals, typeRefusals, ruleRefusals, addressRefusals, headerRefusals, keysRefusals, routeRefusals, claimRefusals, topRefusals} {
		for _, c := range group {
			n++
			t.Run(c.name, func(t *testing.T) {
				got, err := config.Parse([]byte(c.document))
				if got != nil || err == nil {
					t.Fatalf("Parse(%.200q) = %v, %v; want a refusal", c.document, got, err)
				}
				if err.Error() != c.want {
					t.Errorf("Parse(%.200q) says\n%s\nwant\n%s", c.document, err, c.want)
				}
				var e *config.Error
				if !errors.As(err, &e) || len(e.Faults) != 1+strings.Count(c.want, "\n") {
					t.Errorf("%d faults in %T, want one for each line", len(e.Faults), err)
				}
			})
		}
	}
	if n < 80 {
		t.Errorf("only %d cases", n)
	}
}

var wholeRefusals = []refusalCase{
	{"empty", ``,
		`configuration: is empty; ` + writeIt},
	{"white space", " \n\t",
		`configuration: is empty; ` + writeIt},
	{"list", `[]`,
		`configuration: a list is not an object; ` + writeIt},
	{"string that holds a configuration", `"{\"auth0\":{}}"`,
		`configuration: a string is not an object; ` + writeIt},
	{"null", `null`,
		`configuration: null is not an object; ` + writeIt},
	{"Struct", "\n\x18\n\x05auth0\x12\x0f*\r\n\x0b\n\x06domain\x12\x01",
		`configuration: arrived as a Struct or another protobuf message; ` + writeIt},
	{"Struct's value", "\x12\x03abc",
		`configuration: arrived as a Struct or another protobuf message; ` + writeIt},
	{"StringValue that nobody unpacked", "\n\x02{}",
		`configuration: arrived as a Struct or another protobuf message; ` + writeIt},
	{"other protobuf", "\x08\x01",
		`configuration: arrived as a Struct or another protobuf message; ` + writeIt},
	{"JSON with a line feed first and a fault", "\n{\"auth0\":{" + goodAuth0 + "},}",
		`configuration: is not JSON; the first wrong byte is byte 60 of line 2`},
	{"YAML", "auth0:\n  domain: x\n",
		`configuration: is not JSON; the first wrong byte is byte 1 of line 1` + notYAML},
	{"YAML in flow style", "{auth0: {domain: x}}",
		`configuration: is not JSON; the first wrong byte is byte 2 of line 1` + notYAML},
	{"YAML in flow style, of several lines", "{\n  auth0: {domain: x},\n}",
		`configuration: is not JSON; the first wrong byte is byte 3 of line 2` + notYAML},
	{"YAML with a comment first", "# tenant\nauth0: {}\n",
		`configuration: is not JSON; the first wrong byte is byte 1 of line 1` + notYAML},
	{"single quotes", `{'auth0': {}}`,
		`configuration: is not JSON; the first wrong byte is byte 2 of line 1`},
	{"trailing comma", "{\n  \"auth0\": {},\n}",
		`configuration: is not JSON; the first wrong byte is byte 1 of line 3`},
	{"comment", "{ // tenant\n}",
		`configuration: is not JSON; the first wrong byte is byte 3 of line 1`},
	{"two values", "{} {}",
		`configuration: is not JSON; the first wrong byte is byte 4 of line 1`},
	{"unclosed", `{"auth0":{`,
		`configuration: is not JSON; the first wrong byte is byte 11 of line 1`},
	{"bad escape", `{"realm":"\x"}`,
		`configuration: is not JSON; the first wrong byte is byte 12 of line 1`},
	{"raw control byte", "{\"realm\":\"\x01\"}",
		`configuration: is not JSON; the first wrong byte is byte 11 of line 1`},
	{"invalid UTF-8", "{\"realm\":\"\xff\"}",
		`configuration: cannot be read: JSON text is not valid UTF-8`},
	{"lone surrogate", `{"realm":"\ud800"}`,
		`configuration: cannot be read: JSON text escapes half a surrogate pair`},
	{"too deep", strings.Repeat(`[`, 17) + strings.Repeat(`]`, 17),
		`configuration: cannot be read: JSON text is nested too deeply`},
	{"too many values", `[` + strings.Repeat(`0,`, 50000) + `0]`,
		`configuration: cannot be read: JSON text has too many values`},
	{"too long", `{"realm":"` + strings.Repeat("x", config.MaxBytes) + `"}`,
		`configuration: is longer than 1048576 bytes`},
	{"no issuer", `{}`,
		`configuration: names no issuer; write auth0 (with domain and audience) or an entry of jwtRules`},
	{"empty jwtRules alone", `{"jwtRules":[]}`,
		`configuration: names no issuer; write auth0 (with domain and audience) or an entry of jwtRules`},
	{"member twice", top(`"realm":"a","realm":"b"`),
		`realm: stands twice`},
	{"member twice, once escaped", top(`"realm":"a","r\u0065alm":"b"`),
		`realm: stands twice`},
	{"member twice, nested", tenant(`"domain":"x.example"`),
		`auth0.domain: stands twice`},
	{"unknown member twice", top(`"x":1,"x":2`),
		`x: stands twice`},
	{"two members twice, deep down", top(`"x":[[],{"a":{"b c":1,"b c":2}}],"y":{"":1,"":1}`),
		`x[1].a."b c": stands twice`},
	{"member twice, and no JSON after it", `{"a":{"b":1,"b":2},]`,
		`configuration: is not JSON; the first wrong byte is byte 20 of line 1`},
	{"prefixes that overlap", `{"jwtRules":[{"issuer":"a","audiences":["a"],"jwks":{"keys":[` + inlineKey + `]},"fromHeaders":[{"name":"authorization","prefix":""}]},` +
		`{"issuer":"b","audiences":["b"],"jwks":{"keys":[` + inlineKey + `]}}]}`,
		`jwtRules[1].fromHeaders: "authorization" with the prefix "Bearer " overlaps with the prefix "" in jwtRules[0]: one value would be two tokens`},
	{"prefixes that overlap but for case", `{"jwtRules":[{"issuer":"a","audiences":["a"],"jwks":{"keys":[` + inlineKey + `]},"fromHeaders":[{"name":"x","prefix":"tok "},{"name":"x","prefix":"TOK A "}]}]}`,
		`jwtRules[0].fromHeaders: "x" with the prefix "TOK A " overlaps with the prefix "tok " in jwtRules[0]: one value would be two tokens`},
	{"jwksHost with jwksUri", `{"jwtRules":[{"issuer":"a","audiences":["a"],"jwksUri":"https://a.example/k","jwksHost":"b.example","discoveryCluster":"c"}]}`,
		`jwtRules[0].jwksHost: is for OpenID discovery with a key set on another host; leave it out or write jwksHost without jwksUri and jwks` + "\n" +
			`jwtRules[0].discoveryCluster: is for OpenID discovery with a key set on another host; leave it out or write jwksHost without jwksUri and jwks`},
	{"discoveryCluster alone", `{"jwtRules":[{"issuer":"https://a.example","audiences":["a"],"discoveryCluster":"c"}]}`,
		`jwtRules[0].discoveryCluster: is for OpenID discovery with a key set on another host; leave it out or write jwksHost without jwksUri and jwks`},
	{"jwksHost that is a URL", `{"jwtRules":[{"issuer":"https://a.example","audiences":["a"],"jwksHost":"https://b.example"}]}`,
		`jwtRules[0].jwksHost: "https://b.example" is not a host in lower case, with or without a port (example: www.googleapis.com)`},
	{"jwksHost in capitals", `{"jwtRules":[{"issuer":"https://a.example","audiences":["a"],"jwksHost":"B.example"}]}`,
		`jwtRules[0].jwksHost: "B.example" is not a host in lower case, with or without a port (example: www.googleapis.com)`},
	{"unknown field", top(`"jwtRule":[]`),
		`jwtRule: is not a field; did you mean jwtRules?`},
	{"unknown field, like none", top(`"prometheus":true`),
		`prometheus: is not a field`},
	{"unknown field that holds a secret", tenant(`"clientSecret":"s3cr3t"`),
		`auth0.clientSecret: is not a field`},
	{"unknown field with a hostile name", top(`"a\nb\u001b[31m":1`),
		`"a\nb\x1b[31m": is not a field`},
	{"unknown field with an empty name", top(`"":1`),
		`"": is not a field`},
	{"unknown field with an empty name in a rule", rule(`"":1`),
		`jwtRules[0]."": is not a field`},
	{"unknown field with an empty name in a route", one(`"":{"scopes":["a"]}`),
		`routes[0]."": is not a field`},
	{"unknown field with a long name", top(`"` + strings.Repeat("x", 100) + `":1`),
		`"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"…: is not a field`},
	{"Envoy's spelling", bare(`"issuer":"i","audiences":["a"],"jwks_uri":"https://a.example/"`),
		`jwtRules[0].jwks_uri: is not a field; did you mean jwksUri?`},
	{"mode unknown", top(`"mode":"monitor"`),
		`mode: "monitor" is not known; write enforce or report`},
	{"corsPreflight unknown", top(`"corsPreflight":"bypass"`),
		`corsPreflight: "bypass" is not known; write pass or judge`},
	{"corsPreflight as in jwt_authn", top(`"corsPreflight":true`),
		`corsPreflight: true is not a string (example: pass)`},
	{"overrideHeaders unknown", top(`"overrideHeaders":"drop"`),
		`overrideHeaders: "drop" is not known; write remove or keep`},
	{"signature unknown", top(`"signature":"rsa"`),
		`signature: "rsa" is not known; write go, auto or host`},
	{"realm with quotes", top(`"realm":"a\"b"`),
		`realm: "a\"b" may only have printable ASCII characters, no quote and no backslash (example: api)`},
	{"realm with backslash", top(`"realm":"a\\b"`),
		`realm: "a\\b" may only have printable ASCII characters, no quote and no backslash (example: api)`},
	{"realm with line feed", top(`"realm":"a\nb"`),
		`realm: "a\nb" may only have printable ASCII characters, no quote and no backslash (example: api)`},
	{"realm not ASCII", top(`"realm":"äpi"`),
		`realm: "\u00e4pi" may only have printable ASCII characters, no quote and no backslash (example: api)`},
	{"realm empty", top(`"realm":""`),
		`realm: "" is empty (example: api)`},
	{"realm too long", top(`"realm":"` + strings.Repeat("r", 129) + `"`),
		`realm: "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"… is longer than 128 bytes`},
	{"several at once, in the order of the text",
		`{"realm":"\"","jwtRules":[{"clockSkew":"soon","issuer":"i","jwksUri":"http://a.example/"}],"keys":{"tick":"2s"},"Mode":1}`,
		`realm: "\"" may only have printable ASCII characters, no quote and no backslash (example: api)` + "\n" +
			`jwtRules[0].audiences: is missing: tokens for any other API would be accepted (RFC 8725 §3.9); name the audience, or write anyAudience: true` + "\n" +
			`jwtRules[0].clockSkew: "soon" is not a duration (example: 60s)` + "\n" +
			`jwtRules[0].jwksUri: "http://a.example/" is not an https URL; keys that come unprotected can be replaced on the way; for a key server on this machine or inside the mesh, write allowHttp: true` + "\n" +
			`keys.tick: "2s" is not between 100ms and 1s` + "\n" +
			`Mode: is not a field; did you mean mode?`},
}

var typeRefusals = []refusalCase{
	{"auth0 a string", `{"auth0":"tenant.eu.auth0.com"}`,
		`auth0: "tenant.eu.auth0.com" is not an object`},
	{"auth0 null", `{"auth0":null}`,
		`auth0: null is not an object`},
	{"jwtRules an object", `{"jwtRules":{"issuer":"i"}}`,
		`jwtRules: an object is not a list of objects`},
	{"jwtRules of strings", `{"jwtRules":["https://issuer.example/"]}`,
		`jwtRules[0]: "https://issuer.example/" is not an object`},
	{"keys a list", top(`"keys":[]`),
		`keys: a list is not an object`},
	{"keys null", top(`"keys":null`),
		`keys: null is not an object`},
	{"realm a number", top(`"realm":5`),
		`realm: 5 is not a string (example: api)`},
	{"realm null", top(`"realm":null`),
		`realm: null is not a string; leave the field out for its default`},
	{"number that goes on", top(`"realm":` + strings.Repeat("1", 100)),
		`realm: 1111111111111111111111111111111111111111111111111111111111111111… is not a string (example: api)`},
	{"issuer a list", bare(`"issuer":["i"],"audiences":["a"]`),
		`jwtRules[0].issuer: a list is not a string (example: https://tenant.eu.auth0.com/)`},
	{"audiences a number", bare(`"issuer":"https://i.example","audiences":7`),
		`jwtRules[0].audiences: 7 is neither a string nor a list of strings (example: https://api.example.com)`},
	{"audience a number in a list", bare(`"issuer":"https://i.example","audiences":["a",7,null,["b"]]`),
		`jwtRules[0].audiences[1]: 7 is not a string` + "\n" +
			`jwtRules[0].audiences[2]: null is not a string` + "\n" +
			`jwtRules[0].audiences[3]: a list is not a string`},
	{"auth0.audience an object", `{"auth0":{"domain":"t.auth0.com","audience":{}}}`,
		`auth0.audience: an object is neither a string nor a list of strings (example: https://api.example.com)`},
	{"anyAudience a string", bare(`"issuer":"https://i.example","anyAudience":"true"`),
		`jwtRules[0].anyAudience: "true" is neither true nor false (without quotes)`},
	{"forwardOriginalToken a string", rule(`"forwardOriginalToken":"yes"`),
		`jwtRules[0].forwardOriginalToken: "yes" is neither true nor false (without quotes)`},
	{"forwardOriginalToken null", rule(`"forwardOriginalToken":null`),
		`jwtRules[0].forwardOriginalToken: null is neither true nor false (without quotes); leave the field out for its default`},
	{"jwks a number", bare(`"issuer":"i","audiences":["a"],"jwks":1`),
		`jwtRules[0].jwks: 1 is neither a key set nor a string that holds one`},
	{"algorithms a string", rule(`"algorithms":"RS256"`),
		`jwtRules[0].algorithms: "RS256" is not a list of strings (example: [RS256])`},
	{"fromHeaders an object", rule(`"fromHeaders":{"name":"x"}`),
		`jwtRules[0].fromHeaders: an object is not a list of objects (example: [{name: authorization, prefix: "Bearer "}])`},
	{"fromHeaders of strings", rule(`"fromHeaders":["x"]`),
		`jwtRules[0].fromHeaders[0]: "x" is not an object`},
	{"fromHeaders unknown field", rule(`"fromHeaders":[{"name":"x","prefx":"y"}]`),
		`jwtRules[0].fromHeaders[0].prefx: is not a field; did you mean prefix?`},
	{"prefix a number", rule(`"fromHeaders":[{"name":"x","prefix":1}]`),
		`jwtRules[0].fromHeaders[0].prefix: 1 is not a string (example: "Bearer ")`},
	{"outputClaimToHeaders an object", rule(`"outputClaimToHeaders":{}`),
		`jwtRules[0].outputClaimToHeaders: an object is not a list of objects`},
	{"clockSkew a number", rule(`"clockSkew":60`),
		`jwtRules[0].clockSkew: 60 is not a duration (example: 60s)`},
	{"refresh a number", top(`"keys":{"refresh":600}`),
		`keys.refresh: 600 is not a duration (example: 10m)`},
	{"deny a string", top(`"keys":{"deny":"kid"}`),
		`keys.deny: "kid" is not a list of strings (example: [kid-of-the-leaked-key])`},
}

// writeIt ends the refusal of what is no JSON object at all.
const writeIt = `it must be a google.protobuf.StringValue that holds JSON: ` +
	`configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, ` +
	`value: '{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "https://api.example.com"}}'}`
