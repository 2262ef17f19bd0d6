package config_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// TestAlgorithms: each that can be checked may be named.
func TestAlgorithms(t *testing.T) {
	for _, alg := range verify.Algorithms() {
		for _, document := range []string{rule(`"algorithms":["` + alg + `"]`), tenant(`"algorithms":["` + alg + `"]`)} {
			c, err := config.Parse([]byte(document))
			if err != nil || !slices.Equal(c.Rules[0].Algorithms, []string{alg}) {
				t.Errorf("%s: %v", alg, err)
				continue
			}
			if slow := alg == "ES384" || alg == "ES512"; slow != strings.Contains(strings.Join(c.Warnings, "\n"), "many milliseconds") {
				t.Errorf("%s: warnings %q", alg, c.Warnings)
			}
		}
	}
	for _, document := range []string{rule(`"clockSkew":"1s"`), tenant(`"clockSkew":"1s"`)} {
		if c, err := config.Parse([]byte(document)); err != nil || !slices.Equal(c.Rules[0].Algorithms, []string{"RS256"}) {
			t.Errorf("without algorithms: %+v, %v", c, err)
		}
	}
	_, err := config.Parse([]byte(rule(`"algorithms":["none","HS256","ES256K"]`)))
	const never = " is never accepted: it proves nothing with a public key (RFC 8725 §3.1)" + writeAlgorithm
	if want := `jwtRules[0].algorithms[0]: "none"` + never + "\n" + `jwtRules[0].algorithms[1]: "HS256"` + never + "\n" +
		`jwtRules[0].algorithms[2]: "ES256K" is not an algorithm` + writeAlgorithm; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

const writeAlgorithm = "; write RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA"

// TestInlineCurveKey: keys are usable for the rule's algorithms or not at all.
func TestInlineCurveKey(t *testing.T) {
	const ed25519 = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}` // RFC 8037, appendix A.2
	document := func(algorithms string) []byte {
		return []byte(bare(`"issuer":"i","audiences":["api"],` + algorithms + `"jwks":{"keys":[` + ed25519 + `]}`))
	}
	if _, err := config.Parse(document(`"algorithms":["EdDSA"],`)); err != nil {
		t.Errorf("EdDSA: %v", err)
	}
	if _, err := config.Parse(document(``)); err == nil || !strings.Contains(err.Error(), "key 0: is for an algorithm that the rule does not name") {
		t.Errorf("RS256: %v", err)
	}
}

// TestRegex finds the paths that an expression is for.
func TestRegex(t *testing.T) {
	for _, c := range []struct {
		regex, members string
		holds, not     []string
	}{
		{`/v[12]/orders`, ``, []string{"/v1/orders", "/v2/orders", "/v2/orders/"}, []string{"/v3/orders", "/v1/orders/x", "/x/v1/orders", "/V1/orders"}},
		{`/a|/b`, ``, []string{"/a", "/b"}, []string{"/ab", "/x/b", "/a/b"}},
		{`^/a$`, ``, []string{"/a"}, []string{"/a/b"}},
		{`(?m)^/a$`, ``, []string{"/a"}, []string{"/a/b"}},
		{`/[A-Z]+`, `"ignorePathCase":true,`, []string{"/abc", "/ABC"}, []string{"/1"}},
		{`/[A-Z]+`, ``, []string{"/ABC"}, []string{"/abc"}},
		{`.*\.json`, ``, []string{"/a/b.json"}, []string{"/a/b.jsonx"}},
	} {
		cfg, err := config.Parse([]byte(top(c.members + `"routes":[{"auth":"deny","path":{"regex":"` + strings.ReplaceAll(c.regex, `\`, `\\`) + `"}}]`)))
		if err != nil {
			t.Errorf("%s: %v", c.regex, err)
			continue
		}
		table, faults := route.NewTable(cfg.Routes, cfg.RouteOptions)
		if faults != nil {
			t.Fatalf("%s: %v", c.regex, faults)
		}
		for _, path := range append(c.holds, c.not...) {
			var m route.Match
			if err := table.Find(&route.Request{Method: "GET", Host: "a", Path: path}, &m); err != nil {
				t.Fatal(err)
			}
			if want := slices.Contains(c.holds, path); (m.Index == 0) != want {
				t.Errorf("%s holds for %s: %v", c.regex, path, !want)
			}
		}
	}
}

// TestRegexRefusals has what would match other paths than it seems to, or none.
func TestRegexRefusals(t *testing.T) {
	const example = ` (example: /v[12]/orders)`
	for _, c := range []struct{ regex, want string }{
		{`/a)|(/b`, `is not a regular expression of RE2`},
		{`/a(`, `is not a regular expression of RE2`},
		{`/a(?=b)`, `is not a regular expression of RE2`},
		{`(/a)\1`, `is not a regular expression of RE2`},
		{`\Q/a`, `is not a regular expression of RE2`},
		{`((((/a{100}){100}){100}){100})`, `is not a regular expression of RE2`},
		{`orders`, `matches no path, because every path begins with a slash`},
	} {
		_, err := config.Parse([]byte(one(`"path":{"regex":"` + strings.ReplaceAll(c.regex, `\`, `\\`) + `"}`)))
		if err == nil || !strings.HasPrefix(err.Error(), "routes[0].path.regex: "+strconv.Quote(c.regex)+" ") || !strings.HasSuffix(err.Error(), c.want+example) {
			t.Errorf("%s: %v", c.regex, err)
		}
	}
}
