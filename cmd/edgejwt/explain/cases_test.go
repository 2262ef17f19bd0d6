package explain

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"edgejwt/plugin/config"
)

func TestCases(t *testing.T) {
	at := time.Now()
	files := fstest.MapFS{"token": {Data: []byte(token(at, "k", "k", nil) + "\n")}}
	c, err := config.Parse([]byte(strings.Replace(policyText(false), `"routes": [`,
		`"routes": [{"name": "tenants", "path": {"template": "/t/{org}"}, "claimMatches": [{"claim": "org", "variable": "org"}]}, {"name": "typed", "path": {"exact": "/typed"}, "tokenTypes": ["at+jwt"]},`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ text, wrong string }{
		{"request: GET /x\n  expect: {status: 401, reason: token_missing, route: ''}", ""},
		{"request: GET /x\n  token: token\n  expect: {status: 200, reason: accepted, upstream: {x-sub: s3cr3t-subject, x-list: null}}", ""},
		{"request: GET /x\n  token: token\n  expect: {upstream: {X-Sub: someone}}", `x-sub is "s3cr3t-subject", expected "someone"`},
		{"request: GET /x\n  token: token\n  expect: {upstream: {x-sub: null}}", "x-sub is set, expected none"},
		{"request: GET /x\n  expect: {upstream: {x-sub: a}}", "x-sub is not set"},
		{"request: GET /x\n  token: token\n  expect: {status: 403}", "status 200, expected 403"},
		{"request: GET /x\n  expect: {reason: accepted}", "reason token_missing, expected accepted"},
		{"request: GET /x\n  expect: {route: public}", `route "", expected "public"`},
		{"request: GET /public\n  expect: {route: public, reason: public}", ""},
		{"request: GET /x\n  claims: {}\n  expect: {reason: accepted}", ""},
		{"request: GET /x\n  claims: {exp: null}\n  expect: {reason: claim_invalid}", ""},
		{"request: GET /x\n  claims: {exp: 1}\n  expect: {reason: token_expired}", ""},
		{"request: GET /x\n  claims: {nbf: 99999999999}\n  expect: {reason: token_not_yet_valid}", ""},
		{"request: GET /x\n  claims: {iss: x}\n  expect: {reason: issuer_unknown}", ""},
		{"request: GET /t/acme\n  claims: {org: acme}\n  expect: {reason: accepted, route: tenants}", ""},
		{"request: GET /t/other\n  claims: {org: acme}\n  expect: {reason: claim_mismatch, status: 403}", ""},
		{"request: GET /typed\n  claims: {sub: a, client_id: b, jti: c}\n  tokenType: at+jwt\n  expect: {reason: accepted}", ""},
		{"request: GET /typed\n  claims: {sub: a, client_id: b, jti: c}\n  expect: {reason: claim_invalid}", ""},
		{"request: GET /maybe\n  headers: [\"authorization: Bearer a.b.c\"]\n  expect: {reason: token_malformed}", ""},
		{"request: GET /maybe\n  headers: {authorization: Bearer a.b.c}\n  expect: {reason: token_malformed}", ""},
	} {
		cases, err := ReadCases([]byte("- name: x\n  "+x.text), files.ReadFile)
		if err != nil {
			t.Errorf("%s: %v", x.text, err)
			continue
		}
		r, err := cases[0].Run(&Options{Config: c, At: at, Keys: &KeySource{}})
		if err != nil {
			t.Errorf("%s: %v", x.text, err)
			continue
		}
		if got := strings.Join(r.Wrong, "; "); got != x.wrong || r.OK != (x.wrong == "") || r.Line != 1 {
			t.Errorf("%s: %q, want %q", x.text, got, x.wrong)
		}
	}
}

// TestMint: a token is made for the rule of the issuer that its claims name.
func TestMint(t *testing.T) {
	c, err := config.Parse([]byte(`{"jwtRules": [{"issuer": "https://a.example", "audiences": ["a"]}, {"issuer": "https://b.example", "audiences": ["b"]},
		{"issuer": "https://c.example", "anyAudience": true}, {"issuer": "https://d.example", "audiences": ["d"], "algorithms": ["RS256"], "outputClaimToHeaders": [{"header": "x-d", "claim": "aud"}]}],
		"routes": [{"name": "b", "path": {"exact": "/b"}, "issuers": ["https://b.example"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for claims, want := range map[string]string{"{}": "issuer_unknown", "{iss: 'https://b.example'}": "accepted", "{iss: 'https://b.example', aud: a}": "audience_mismatch",
		"{iss: 'https://c.example'}": "issuer_unknown", "{exp: null, iss: null, aud: null, iat: null}": "issuer_unknown"} {
		cases, err := ReadCases([]byte("- {name: x, request: GET /b, claims: "+claims+", expect: {reason: "+want+"}}"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := cases[0].Run(&Options{Config: c, At: time.Now()})
		if err != nil || !r.OK {
			t.Errorf("%s: %v %+v", claims, err, r)
		}
	}
	full, err := config.Parse([]byte(`{"jwtRules": [{"issuer": "https://a.example", "audiences": ["a"], "algorithms": ["ES256"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	cases, err := ReadCases([]byte("- {name: x, request: GET /, claims: {}, expect: {reason: accepted}}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cases[0].Run(&Options{Config: full, At: time.Now()}); err == nil || !strings.Contains(err.Error(), "jwtRules[0] does not take RS256") {
		t.Errorf("%v", err)
	}
}

func TestReadCasesRefuses(t *testing.T) {
	for _, x := range []struct{ text, want string }{
		{"", "cases are one list"},
		{"[]", "cases are one list"},
		{"a: 1", "cases are one list"},
		{"- 1", "line 1: is not an object"},
		{"- request: GET /", "line 1: name is missing"},
		{"- name: a\n- name: b", "line 1: a request is a method and a path"},
		{"- {name: a, request: GET /}", "line 1: expect says nothing"},
		{"- {name: a, request: GET /, expect: {}}", "line 1: expect says nothing"},
		{"- {name: a, request: GET /, expect: 1}", "is not an object"},
		{"- {name: a, request: GET /, expect: {statuss: 1}}", "statuss is not known here; known are status, reason, route, upstream"},
		{"- {name: a, request: GET /, expects: {status: 1}}", "expects is not known here"},
		{"- {name: a, request: GET /, expect: {status: x}}", "expect.status is not a number"},
		{"- {name: a, request: GET /, expect: {reason: x}}", "expect.reason is not one of edgejwt's reasons"},
		{"- {name: a, request: GET /, token: x, claims: {}, expect: {status: 200}}", "token and claims stand together"},
		{"- {name: a, request: GET /, claims: [], expect: {status: 200}}", "claims are not an object"},
		{"- {name: a, request: GET /, token: none, expect: {status: 200}}", "does not exist"},
		{"- {name: a, request: GET /, headers: {a: [1]}, expect: {status: 200}}", "header a has no value"},
	} {
		if _, err := ReadCases([]byte(x.text), fstest.MapFS{}.ReadFile); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", x.text, err, x.want)
		}
	}
}

func FuzzReadCases(f *testing.F) {
	f.Add([]byte("- {name: a, request: GET /, claims: {}, expect: {status: 200, upstream: {x: y}}}"))
	f.Add([]byte("- {name: a, request: GET https://h/x, headers: [\"a: b\"], expect: {reason: accepted}}"))
	c := parsePolicy(f, false)
	f.Fuzz(func(t *testing.T, text []byte) {
		cases, err := ReadCases(text, fstest.MapFS{}.ReadFile)
		if err != nil {
			return
		}
		for i := range cases {
			if r, err := cases[i].Run(&Options{Config: c, At: time.Unix(1e9, 0), Keys: &KeySource{}}); err == nil && r.OK != (len(r.Wrong) == 0) {
				t.Error("right and wrong")
			}
		}
	})
}
