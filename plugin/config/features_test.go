package config_test

import (
	"strconv"
	"strings"
	"testing"

	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// TestAlgorithms: each is accepted by the full module alone, but for RS256.
func TestAlgorithms(t *testing.T) {
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"} {
		for _, document := range []string{rule(`"algorithms":["` + alg + `"]`), tenant(`"algorithms":["` + alg + `"]`)} {
			c, err := config.ParseWith([]byte(document), config.Full())
			if err != nil || len(c.Rules[0].Algorithms) != 1 || c.Rules[0].Algorithms[0] != alg {
				t.Errorf("full, %s: %v", alg, err)
				continue
			}
			if slow := alg == "ES384" || alg == "ES512"; slow != strings.Contains(strings.Join(c.Warnings, "\n"), "many milliseconds") {
				t.Errorf("%s: warnings %q", alg, c.Warnings)
			}
			_, err = config.ParseWith([]byte(document), config.Standard())
			if (err == nil) != (alg == "RS256") {
				t.Errorf("standard, %s: %v", alg, err)
			}
			if err != nil && !strings.HasSuffix(err.Error(), `algorithms[0]: "`+alg+`" is only in edgejwt-full.wasm; write RS256`) {
				t.Errorf("standard, %s: %v", alg, err)
			}
		}
	}
	_, err := config.ParseWith([]byte(rule(`"algorithms":["none","HS256","ES256K"]`)), config.Full())
	const all = "; write RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA"
	const never = " is never accepted: it proves nothing with a public key (RFC 8725 §3.1)" + all
	if want := `jwtRules[0].algorithms[0]: "none"` + never + "\n" + `jwtRules[0].algorithms[1]: "HS256"` + never + "\n" +
		`jwtRules[0].algorithms[2]: "ES256K" is not an algorithm` + all; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// TestInlineCurveKey: what the standard module would skip is skipped for it also
// where the tool that asks could use it.
func TestInlineCurveKey(t *testing.T) {
	const ed25519 = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}` // RFC 8037, appendix A.2
	document := []byte(bare(`"issuer":"i","audiences":["api"],"jwks":{"keys":[` + ed25519 + `]}`))
	if _, err := config.ParseWith(document, config.Full()); err != nil {
		t.Errorf("full: %v", err)
	}
	if _, err := config.ParseWith(document, config.Standard()); err == nil || !strings.Contains(err.Error(), "edgejwt-full.wasm") {
		t.Errorf("standard: %v", err)
	}
}

// TestRegex finds the paths that an expression is for.
func TestRegex(t *testing.T) {
	for _, c := range []struct {
		regex, members string
		holds, not     []string
	}{
		{`/v[12]/orders`, ``, []string{"/v1/orders", "/v2/orders"}, []string{"/v3/orders", "/v2/orders/", "/v1/orders/x", "/x/v1/orders", "/V1/orders"}},
		{`/a|/b`, ``, []string{"/a", "/b"}, []string{"/ab", "/x/b", "/a/b"}},
		{`^/a$`, ``, []string{"/a"}, []string{"/a/b"}},
		{`(?m)^/a$`, ``, []string{"/a"}, []string{"/a/b"}},
		{`/[A-Z]+`, `"ignorePathCase":true,`, []string{"/abc", "/ABC"}, []string{"/1"}},
		{`/[A-Z]+`, ``, []string{"/ABC"}, []string{"/abc"}},
		{`.*\.json`, ``, []string{"/a/b.json"}, []string{"/a/b.jsonx"}},
	} {
		cfg, err := config.ParseWith([]byte(top(c.members+`"routes":[{"auth":"none","path":{"regex":"`+strings.ReplaceAll(c.regex, `\`, `\\`)+`"}}]`)), config.Full())
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
			if want := contains(c.holds, path); (m.Index == 0) != want {
				t.Errorf("%s holds for %s: %v", c.regex, path, !want)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, member := range list {
		if member == s {
			return true
		}
	}
	return false
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
		{`orders`, `matches no path, for every path begins with a slash`},
	} {
		_, err := config.ParseWith([]byte(one(`"path":{"regex":"`+strings.ReplaceAll(c.regex, `\`, `\\`)+`"}`)), config.Full())
		if err == nil || !strings.HasPrefix(err.Error(), "routes[0].path.regex: "+strconv.Quote(c.regex)+" ") || !strings.HasSuffix(err.Error(), c.want+example) {
			t.Errorf("%s: %v", c.regex, err)
		}
	}
}

// TestFullIsAll: what a configuration may name, the code can check.
func TestFullIsAll(t *testing.T) {
	want := config.Full().Algorithms
	for _, alg := range verify.Algorithms() {
		if !contains(want, alg) {
			t.Errorf("%s cannot be configured", alg)
		}
	}
	if len(want) != len(verify.Algorithms()) {
		t.Errorf("%q can be configured, %q checked", want, verify.Algorithms())
	}
}
