package explain

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

func TestExplain(t *testing.T) {
	c, at := parsePolicy(t, false), time.Now()
	for _, x := range examples {
		t.Run(x.name, func(t *testing.T) {
			e := Explain(x.make(t, c, at), &Options{Config: c, At: at, Keys: &KeySource{}})
			if !e.Decided || e.Reason != x.reason || e.GoesOn != x.onward {
				t.Errorf("decided %v: %s, goes on %v; want %s, %v", e.Decided, e.Reason, e.GoesOn, x.reason, x.onward)
			}
			last := e.Steps[len(e.Steps)-1]
			if refuses := !x.onward && x.reason != "resource_metadata"; last.Name != x.step || last.OK && refuses {
				t.Errorf("decided at %s (%v), want %s", last.Name, last.OK, x.step)
			}
			var b strings.Builder
			if err := e.Write(&b); err != nil {
				t.Fatal(err)
			}
			for _, say := range x.say {
				text, not := strings.CutPrefix(say, "!")
				if strings.Contains(b.String(), text) == not {
					t.Errorf("not as wanted: %q\n%s", say, b.String())
				}
			}
		})
	}
}

// TestEveryReason: the examples have every decision that one request can bring.
func TestEveryReason(t *testing.T) {
	seen := map[string]bool{
		verify.KeysUnavailable.String():  true, // TestFetch
		verify.Internal.String():         true, // TestPolicy
		verify.IdentityForged.String():   true, // TestRefusedBeforeThePolicy
		verify.ClaimInvalid.String():     true, // with the other faults of claims
		verify.TokenNotYetValid.String(): true,
		verify.ClaimMismatch.String():    true, // TestCases
	}
	for _, x := range examples {
		seen[x.reason] = true
	}
	for _, reason := range verify.Reasons() {
		if !seen[reason.String()] {
			t.Errorf("no example is decided with %s", reason)
		}
	}
}

// TestSecrets: what the token says is told only when asked for, and the token
// itself never.
func TestSecrets(t *testing.T) {
	c, at := parsePolicy(t, false), time.Now()
	c.Routes[5].Requirements.Subjects = []string{"someone"} // the operator's word for it is not the token's
	tokens := regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.`)
	for _, x := range examples {
		for _, claims := range []bool{false, true} {
			e := Explain(x.make(t, c, at), &Options{Config: c, At: at, Claims: claims, Keys: &KeySource{}})
			text, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := e.Write(&b); err != nil {
				t.Fatal(err)
			}
			all := string(text) + b.String()
			if !claims && strings.Contains(all, secret) {
				t.Errorf("%s: what the token says is shown: %s", x.name, all)
			}
			if tokens.MatchString(all) {
				t.Errorf("%s: a token is shown: %s", x.name, all)
			}
			if claims && x.name == "valid" && !strings.Contains(all, `sub is \"`+secret) {
				t.Errorf("%s: what the token says was asked for: %s", x.name, all)
			}
		}
	}
}

// TestPolicy: the policy of an Envoy route takes the place of routes.
func TestPolicy(t *testing.T) {
	c, at := parsePolicy(t, true), time.Now()
	for _, x := range []struct{ policy, reason, say string }{
		{`{"scopes": ["a"]}`, "scope_missing", "scopes: a — NOT MET"},
		{`{"name": "p", "auth": "none"}`, "public", "p matches"},
		{`{"name": "p", "auth": "deny"}`, "route_denied", "p matches: auth deny, nobody passes"},
		{`{"scope": ["a"]}`, "internal", "scope: is not a field"},
	} {
		q, err := NewRequest("GET /public/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		q.PutToken(token(at, "k", "k", nil), c)
		e := Explain(q, &Options{Config: c, At: at, Policy: &x.policy})
		var b strings.Builder
		if err := e.Write(&b); err != nil {
			t.Fatal(err)
		}
		if e.Reason != x.reason || !strings.Contains(b.String(), x.say) {
			t.Errorf("%s: %s\n%s", x.policy, e.Reason, b.String())
		}
	}
}

// TestRefusedBeforeThePolicy: also where Envoy's route has none to be judged by.
func TestRefusedBeforeThePolicy(t *testing.T) {
	policy := `{"auth": "none"}`
	for _, x := range []struct {
		line    string
		headers []string
		policy  *string
		reason  string
		say     []string
	}{
		{"GET /public/x", []string{"X_Sub: admin"}, &policy, "identity_forged", []string{"removed what only the edge may set: x_sub", "carries a header that only the edge may set", "chooses anew without it"}},
		{"GET /public/x", []string{"X_Sub: admin"}, nil, "identity_forged", []string{"removed what only the edge may set: x_sub", "chooses anew without it"}},
		{"GET /public/../x", nil, nil, "path_ambiguous", []string{"policy"}},
	} {
		q, err := NewRequest(x.line, x.headers)
		if err != nil {
			t.Fatal(err)
		}
		e := Explain(q, &Options{Config: parsePolicy(t, true), At: time.Now(), Policy: x.policy})
		var b strings.Builder
		if err := e.Write(&b); err != nil {
			t.Fatal(err)
		}
		last := e.Steps[len(e.Steps)-1]
		if e.Reason != x.reason || e.GoesOn || last.Name != "policy" || last.OK || e.Answer == nil || e.Answer.Status != 400 {
			t.Errorf("%s, %v: %s, %+v", x.line, x.headers, e.Reason, e.Steps)
		}
		for _, say := range x.say {
			if !strings.Contains(b.String(), say) {
				t.Errorf("%s, %v: nothing of %q in\n%s", x.line, x.headers, say, b.String())
			}
		}
	}
}

// TestNobodyAsksForPolicy: without routeMetadata a policy is not looked at.
func TestNobodyAsksForPolicy(t *testing.T) {
	policy := `{"scope": ["a"]}`
	for _, metadata := range []bool{false, true} {
		e := Explain(mustRequest(t, "GET /public/x"), &Options{Config: parsePolicy(t, metadata), At: time.Now(), Policy: &policy})
		told := e.Steps[0].Name == "policy"
		if told != metadata || (e.Reason == "public") == metadata {
			t.Errorf("routeMetadata %v: %s, %+v", metadata, e.Reason, e.Steps)
		}
	}
}

// TestMode: a route's mode goes before the configuration's.
func TestMode(t *testing.T) {
	c, err := config.Parse([]byte(`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a"}, "mode": "report",
		"routes": [{"path": {"exact": "/enforced"}, "mode": "enforce"}, {"path": {"exact": "/inherited"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, reported := range map[string]bool{"/enforced": false, "/inherited": true, "/other": true} {
		e := Explain(mustRequest(t, "GET "+path), &Options{Config: c, At: time.Now()})
		said := len(e.Steps[0].Details) > 0
		if e.Reported != reported || e.GoesOn != reported || said != reported {
			t.Errorf("%s: %+v", path, e)
		}
	}
}

// TestPreflightLikeAnyRequest: a step says what a preflight is, and the others follow.
func TestPreflightLikeAnyRequest(t *testing.T) {
	c, err := config.Parse([]byte(`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a"}, "corsPreflight": "judge"}`))
	if err != nil {
		t.Fatal(err)
	}
	e := Explain(mustRequest(t, "OPTIONS /x", preflight...), &Options{Config: c, At: time.Now()})
	first := e.Steps[0]
	if e.Reason != "token_missing" || e.GoesOn || first.Name != "preflight" || !first.OK || !strings.Contains(first.Text, "corsPreflight: judge") {
		t.Errorf("%s: %+v", e.Reason, e.Steps)
	}
}

// TestOtherAlgorithms: tokens that are not signed with RS256, and paths by regular
// expressions.
func TestOtherAlgorithms(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "e", Algorithm: "ES256"}}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse([]byte(`{"jwtRules": [{"issuer": "https://idp.example/", "audiences": ["a"], "algorithms": ["ES256"], "jwks": ` + string(set) + `}],
		"routes": [{"name": "r", "path": {"regex": "/v[12]/.*"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	signed := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": testIssuer, "aud": "a", "exp": time.Now().Add(time.Hour).Unix()})
	signed.Header["kid"] = "e"
	text, err := signed.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	q := mustRequest(t, "GET /v2/x")
	q.PutToken(text, c)
	if e := Explain(q, &Options{Config: c, At: time.Now()}); e.Reason != "accepted" || e.Route != "r" {
		t.Errorf("%+v", e)
	}

	// A key set that is given is read as the plugin reads it: for the rule's algorithms.
	given, _, err := jwks.Parse(set)
	if err != nil {
		t.Fatal(err)
	}
	c, err = config.Parse([]byte(`{"jwtRules": [{"issuer": "https://idp.example/", "audiences": ["a"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	signed.Header["alg"] = "RS256"
	unsigned, err := signed.SigningString()
	if err != nil {
		t.Fatal(err)
	}
	q = mustRequest(t, "GET /v2/x")
	q.PutToken(unsigned+".AAAA", c)
	if e := Explain(q, &Options{Config: c, At: time.Now(), Keys: &KeySource{Default: given}}); e.Reason != "key_unknown" {
		t.Errorf("%+v", e)
	}
}

// TestWithoutKeys: everything up to the key is told, and nothing decided.
func TestWithoutKeys(t *testing.T) {
	c, err := config.Parse([]byte(`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a"}}`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	q, err := NewRequest("GET /x", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.PutToken(token(at, "k", "k", map[string]any{"iss": "https://tenant.eu.auth0.com/", "aud": "a"}), c)
	for _, keys := range []*KeySource{nil, {}} {
		e := Explain(q, &Options{Config: c, At: at, Keys: keys, Claims: true})
		last := e.Steps[len(e.Steps)-1]
		if e.Decided || e.GoesOn || last.Name != "key" || last.OK || e.Upstream != nil || e.Answer != nil {
			t.Errorf("%+v", e)
		}
		if e.Steps[len(e.Steps)-2].Name != "claims" {
			t.Errorf("the claims are not told: %+v", e.Steps)
		}
	}
	if e := Explain(mustRequest(t, "GET /x"), &Options{Config: c, At: at}); e.Reason != "token_missing" {
		t.Errorf("%s needs no keys", e.Reason)
	}
}

func mustRequest(t *testing.T, line string, headers ...string) *Request {
	t.Helper()
	q, err := NewRequest(line, headers)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestNewRequest(t *testing.T) {
	for _, x := range []struct{ line, header, want string }{
		{"GET /a?b=c", "", "GET localhost /a?b=c"},
		{" GET  /a ", "", "GET localhost /a"},
		{"GET https://h.example:8443/a", "", "GET h.example:8443 /a"},
		{"GET http://h.example", "", "GET h.example /"},
		{"GET https://h.example?x", "", "GET h.example /?x"},
		{"GET /a", "Host: h.example", "GET h.example /a"},
		{"GET", "", ""}, {"", "", ""}, {"/a", "", ""},
		{"GET /a", "no colon", ""}, {"GET /a", ": x", ""},
	} {
		var headers []string
		if x.header != "" {
			headers = []string{x.header}
		}
		q, err := NewRequest(x.line, headers)
		got := ""
		if err == nil {
			got = q.method + " " + q.host + " " + q.path
		}
		if got != x.want {
			t.Errorf("%q: %q (%v), want %q", x.line, got, err, x.want)
		}
	}
}

// TestPutToken: a token comes to the place of its issuer's rule.
func TestPutToken(t *testing.T) {
	c, err := config.Parse([]byte(`{"jwtRules": [
		{"issuer": "https://a.example", "audiences": ["x"], "fromHeaders": [{"name": "x-a"}]},
		{"issuer": "https://idp.example/", "audiences": ["x"], "fromCookies": ["s"]},
		{"issuer": "https://c.example", "audiences": ["x"], "fromParams": ["a b"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for issuer, want := range map[string]string{"": "x-a", "https://a.example": "x-a", "https://idp.example/": "cookie", "https://c.example": ":path"} {
		text := "opaque"
		if issuer != "" {
			text = token(time.Now(), "k", "k", map[string]any{"iss": issuer})
		}
		q := mustRequest(t, "GET /p?q=1", "cookie: z=1")
		q.PutToken(text, c)
		for _, h := range q.headers() {
			if has := strings.Contains(h[1], text); has != (h[0] == want) {
				t.Errorf("%q: %s holds it: %v", issuer, h[0], has)
			}
		}
		if strings.Contains(q.String(), text) {
			t.Error("the request's name shows the token")
		}
	}
}

// TestTellsTheReading: what no route matches, and which spelling made a demand stricter.
func TestTellsTheReading(t *testing.T) {
	c, err := config.Parse([]byte(`{"jwtRules": [{"issuer": "` + testIssuer + `", "audiences": ["a"]}], "unmatched": "deny", "routes": [
		{"name": "status", "path": {"exact": "/status"}, "auth": "none"}, {"name": "admin", "path": {"exact": "/admin"}, "hosts": ["admin.example"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{
		"GET /x":                            "no route matches, and then nobody passes (unmatched: deny)",
		"GET /status/":                      "the strictest reading of the request applies: the path differs from a rule's by the slash at its end",
		"GET https://admin.example:1/admin": "the strictest reading of the request applies: the host has a port: set strip_any_host_port",
	} {
		q, err := NewRequest(request, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := Explain(q, &Options{Config: c, Keys: &KeySource{}, At: time.Now()}).Write(&b); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s: no %q in\n%s", request, want, b.String())
		}
	}
}

// TestEveryRequirementIsShown: explain has a line for whatever a route can require.
func TestEveryRequirementIsShown(t *testing.T) {
	claim := []string{"org"}
	for i := range reflect.TypeFor[route.Requirements]().NumField() {
		var n route.Requirements
		field, name := reflect.ValueOf(&n).Elem().Field(i), reflect.TypeOf(n).Field(i).Name
		switch v := field.Addr().Interface().(type) {
		case *[]string:
			*v = []string{"a"}
		case *[]route.Claim:
			*v = []route.Claim{{Name: claim, Values: []strictjson.Value{{Kind: strictjson.String, Text: "x"}}}}
		case *[]route.Binding:
			*v = []route.Binding{{Claim: claim, Host: true}}
		case *[][]string:
			*v = [][]string{claim}
		case *time.Duration:
			*v = time.Hour
		default:
			t.Fatalf("this test needs a value for %s, a %s", name, field.Type())
		}
		if all := demandsOf(&n); len(all) != 1 {
			t.Errorf("%s: %d lines, want 1", name, len(all))
		}
	}
}

func TestWritten(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"},
		{59 * time.Second, "59s"},
		{time.Minute, "1m"},
		{90 * time.Second, "1m30s"},
		{time.Hour, "1h"},
		{time.Hour + time.Second, "1h0m1s"},
		{10 * time.Hour, "10h"},
		{100 * time.Minute, "1h40m"},
		{500 * time.Millisecond, "500ms"},
		{48*time.Hour - time.Second, "47h59m59s"},
		{48 * time.Hour, "2 days"},
		{26617*time.Hour + 23*time.Minute, "1109 days"},
	} {
		if got := written(c.d); got != c.want {
			t.Errorf("%d ns is %q, want %q", c.d, got, c.want)
		}
	}
}
