package config_test

import (
	"reflect"
	"strings"
	"testing"

	"edgejwt/plugin/config"
	"edgejwt/verify/route"
)

func TestParsePolicy(t *testing.T) {
	text := "{" + everyDemand + "}"
	document := []byte(text)
	got, err := config.ParsePolicy(string(document))
	if err != nil || !reflect.DeepEqual(got, config.Policy{Route: wantDemand()}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := config.ParsePolicy(`{}`); err != nil || !reflect.DeepEqual(got, config.Policy{}) {
		t.Errorf("{} gives %+v, %v", got, err)
	}
	all, err := config.ParsePolicy(`{"spellings": ["trailingSlash", "head", "port", "pathCase"]}`)
	if err != nil || all.Spellings != route.TrailingSlash|route.HeadAsGet|route.HostPort|route.PathCase {
		t.Errorf("spellings %v, %v", all.Spellings, err)
	}
	// A full policy and a full route are one.
	c := mustParse(t, one(everyDemand))
	if !reflect.DeepEqual(c.Routes[0], got.Route) {
		t.Errorf("as a route it is %+v", c.Routes[0])
	}
}

const noCondition = `is a condition, and Envoy has chosen its route already; let Envoy's route match it`

var policyRefusals = []refusalCase{
	{"empty", ``, `policy: is empty; write an object of a route's fields`},
	{"list", `[{}]`, `policy: a list is not an object; write an object of a route's fields`},
	{"no JSON", `{"auth":x}`, `policy: is not JSON; the first wrong byte is byte 9 of line 1`},
	{"YAML", `auth: none`, `policy: is not JSON; the first wrong byte is byte 1 of line 1; write JSON, not YAML`},
	{"too long", `{"name":"` + strings.Repeat("n", config.MaxPolicyBytes) + `"}`, `policy: is longer than 16384 bytes`},
	{"member twice", `{"auth":"none","auth":"required"}`, `auth: stands twice`},
	{"unknown field", `{"scope":["a"]}`, `scope: is not a field; did you mean scopes?`},
	{"conditions", `{"path":{"prefix":"/"},"methods":["GET"],"hosts":["a"],"headers":[{"name":"x"}]}`,
		`path: ` + noCondition + "\n" + `methods: ` + noCondition + "\n" + `hosts: ` + noCondition + "\n" + `headers: ` + noCondition},
	{"spelling", `{"spellings":["dot"]}`, `spellings[0]: "dot" is not known; write trailingSlash, head, port or pathCase`},
	{"no scope", `{"scopes":["a b"]}`, `scopes[0]: "a b"` + notScope},
	{"auth none with claims", `{"claims":{"a":["b"]},"auth":"none"}`,
		`auth: is "none", but the route has requirements for a token; write "required" to enforce them`},
	{"auth optional with claims", `{"auth":"optional","claims":{"a":["b"]}}`, `auth: "optional" ` + dropped},
	{"auth deny with allowOpaque", `{"allowOpaque":true,"auth":"deny"}`,
		`auth: is "deny", but allowOpaque lets tokens pass; write one of them`},
	{"variable", `{"claimMatches":[{"claim":"a","variable":"org"}]}`,
		`claimMatches[0].variable: "org" is not a variable of the route's template`},
	{"several", `{"auth":"off","maxAge":"x","name":"a b"}`,
		`auth: "off" is not known; write required, optional, none or deny` + "\n" + `maxAge: "x" is not a duration (example: 1h)` + "\n" +
			`name: "a b" may only have letters, digits, dots, hyphens and underscores (example: orders-write)`},
}

func TestPolicyRefusals(t *testing.T) {
	for _, c := range policyRefusals {
		t.Run(c.name, func(t *testing.T) {
			got, err := config.ParsePolicy(c.document)
			if err == nil || !reflect.DeepEqual(got, config.Policy{}) {
				t.Fatalf("ParsePolicy(%.200q) = %+v, %v; want a refusal", c.document, got, err)
			}
			if err.Error() != c.want {
				t.Errorf("ParsePolicy(%.200q) says\n%s\nwant\n%s", c.document, err, c.want)
			}
		})
	}
}
