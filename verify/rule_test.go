package verify_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"edgejwt/internal/attacks"
	"edgejwt/verify"
)

// unsigned makes a token with these texts and an empty signature: enough for
// everything that comes before the signature.
func unsigned(t *testing.T, header, payload string) *verify.Token {
	t.Helper()
	e := base64.RawURLEncoding
	token, err := verify.Parse(e.EncodeToString([]byte(header)) + "." + e.EncodeToString([]byte(payload)) + ".")
	if err != nil {
		t.Fatalf("Parse(%s . %s): %v", header, payload, err)
	}
	return token
}

const rs256 = `{"alg":"RS256"}`

// TestCheckAroundTheSkew steps over each edge a second at a time, with several skews.
func TestCheckAroundTheSkew(t *testing.T) {
	for _, skew := range []time.Duration{0, time.Second, time.Minute} {
		rule := verify.Rule{AnyAudience: true, ClockSkew: skew}
		for _, c := range []struct {
			claims string
			// from is the first second, counted from time 1000, at which the
			// decision is after; before it the decision is before.
			from          time.Duration
			before, after verify.Reason
		}{
			{`"exp":1000`, skew, verify.Accepted, verify.TokenExpired},
			{`"exp":9999,"nbf":1000`, -skew, verify.TokenNotYetValid, verify.Accepted},
			{`"exp":9999,"iat":1000`, -skew, verify.TokenNotYetValid, verify.Accepted},
		} {
			token := unsigned(t, rs256, "{"+c.claims+"}")
			edge := time.Unix(1000, 0).Add(c.from)
			for _, step := range []struct {
				at   time.Time
				want verify.Reason
			}{
				{edge.Add(-time.Second), c.before}, {edge.Add(-time.Millisecond), c.before},
				{edge, c.after}, {edge.Add(time.Millisecond), c.after}, {edge.Add(time.Second), c.after},
			} {
				if got := verify.ReasonOf(rule.Check(token, step.at)); got != step.want {
					t.Errorf("skew %v, %s at %v: %v, want %v", skew, c.claims, step.at.Sub(time.Unix(1000, 0)), got, step.want)
				}
			}
		}
	}
}

// TestCheckOrder has several faults at once: the first in the rule's order is reported.
func TestCheckOrder(t *testing.T) {
	rule := verify.Rule{Audiences: []string{"a", "b"}}
	at := time.Unix(1000, 0)
	for _, c := range []struct {
		claims string
		want   verify.Reason
	}{
		{`{}`, verify.ClaimInvalid},
		{`{"exp":1,"nbf":"x","aud":"z"}`, verify.TokenExpired},
		{`{"exp":9999,"nbf":9999,"iat":"x","aud":"z"}`, verify.TokenNotYetValid},
		{`{"exp":9999,"nbf":"x","aud":"z"}`, verify.ClaimInvalid},
		{`{"exp":9999,"aud":"z","sub":1}`, verify.AudienceMismatch},
		{`{"exp":9999}`, verify.AudienceMismatch},
		{`{"exp":9999,"aud":"b","sub":1}`, verify.ClaimInvalid},
		{`{"exp":9999,"aud":"b","jti":[]}`, verify.ClaimInvalid},
		{`{"exp":9999,"aud":["z","b"]}`, verify.Accepted},
	} {
		if got := verify.ReasonOf(rule.Check(unsigned(t, rs256, c.claims), at)); got != c.want {
			t.Errorf("%s: %v, want %v", c.claims, got, c.want)
		}
	}
	anyone := verify.Rule{AnyAudience: true}
	for claims, want := range map[string]verify.Reason{
		`{"exp":9999}`:           verify.Accepted,
		`{"exp":9999,"aud":"z"}`: verify.Accepted,
		`{"exp":9999,"aud":[]}`:  verify.Accepted,
		`{"exp":9999,"aud":1}`:   verify.ClaimInvalid,
	} {
		if got := verify.ReasonOf(anyone.Check(unsigned(t, rs256, claims), at)); got != want {
			t.Errorf("any audience, %s: %v, want %v", claims, got, want)
		}
	}
	nobody := verify.Rule{}
	for _, claims := range []string{`{"exp":9999}`, `{"exp":9999,"aud":""}`, `{"exp":9999,"aud":[]}`} {
		if got := verify.ReasonOf(nobody.Check(unsigned(t, rs256, claims), at)); got != verify.AudienceMismatch {
			t.Errorf("a rule without audiences, %s: %v", claims, got)
		}
	}
}

func TestMatch(t *testing.T) {
	rules := verify.NewRules([]verify.Rule{
		{Issuer: "a", Algorithms: []string{"RS256"}},
		{Issuer: "b", Algorithms: []string{"RS512"}},
	})
	for _, c := range []struct {
		alg, claims string
		index       int
		want        verify.Reason
	}{
		{"RS256", `{"iss":"a"}`, 0, verify.Accepted},
		{"RS512", `{"iss":"b"}`, 1, verify.Accepted},
		{"RS512", `{"iss":"a"}`, -1, verify.AlgorithmNotAllowed}, // another issuer's algorithm
		{"RS256", `{"iss":"b"}`, -1, verify.AlgorithmNotAllowed},
		{"none", `{"iss":1}`, -1, verify.AlgorithmNotAllowed},
		{"RS256", `{"iss":"A"}`, -1, verify.IssuerUnknown},
		{"RS256", `{"iss":""}`, -1, verify.IssuerUnknown},
		{"RS256", `{}`, -1, verify.IssuerUnknown},
		{"RS256", `{"iss":null}`, -1, verify.ClaimInvalid},
	} {
		rule, index, err := rules.Match(unsigned(t, `{"alg":"`+c.alg+`"}`, c.claims))
		if got := verify.ReasonOf(err); got != c.want || index != c.index || (rule == nil) != (err != nil) {
			t.Errorf("%s %s: rule %d, %v; want rule %d, %v", c.alg, c.claims, index, got, c.index, c.want)
		}
	}
	// An absent issuer is not the empty one.
	empty := verify.NewRules([]verify.Rule{{Issuer: "", Algorithms: []string{"RS256"}}})
	if _, _, err := empty.Match(unsigned(t, rs256, `{}`)); !errors.Is(err, verify.IssuerUnknown) {
		t.Errorf("a token without issuer matches a rule: %v", err)
	}
	if _, _, err := verify.NewRules(nil).Match(unsigned(t, rs256, `{}`)); !errors.Is(err, verify.AlgorithmNotAllowed) {
		t.Errorf("no rules: %v", err)
	}
}

// answer is an engine with one answer to everything.
func answer(ok bool, err error) verify.Engine {
	return func(string, *verify.Key, string, []byte) (bool, error) { return ok, err }
}

func TestVerifySignature(t *testing.T) {
	token := unsigned(t, rs256, `{}`)
	key := publishedKey(t, attacks.KidCurrent)
	other, err := verify.NewKey(key.ID, "RS512", key.Public)
	if err != nil {
		t.Fatal(err)
	}
	yes := answer(true, nil)
	for _, c := range []struct {
		name   string
		engine verify.Engine
		key    *verify.Key
		want   verify.Reason
	}{
		{"the engine says yes", yes, key, verify.Accepted},
		{"the engine says no", answer(false, nil), key, verify.SignatureInvalid},
		{"the engine has no answer", answer(false, errors.New("host")), key, verify.Internal},
		{"the engine says yes and fails", answer(true, errors.New("host")), key, verify.Internal},
		{"the key is for another algorithm", yes, other, verify.AlgorithmNotAllowed},
		{"there is no key", verify.GoEngine, &verify.Key{}, verify.Internal},
	} {
		if got := verify.ReasonOf(token.VerifySignature(c.engine, c.key)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestClaim(t *testing.T) {
	token := unsigned(t, rs256, `{"https://example.com/roles":["admin"],"a":{"b":1},"a.b":2,"*":3,"@this":4,"#":5,"a|b":6,"":7,"\u0078":8,"n":null}`)
	for name, want := range map[string]string{
		"https://example.com/roles": `["admin"]`, "a.b": "2", "*": "3", "@this": "4", "#": "5", "a|b": "6", "": "7", "x": "8", "n": "null", "a": `{"b":1}`,
	} {
		if got, ok := token.Claim(name); !ok || got.Raw != want {
			t.Errorf("Claim(%q) = %s, %v; want %s", name, got.Raw, ok, want)
		}
	}
	for _, name := range []string{"a.c", "b", "https://example.com", "A", `\u0078`, "a\x00", "@pretty", "n.x"} {
		if got, ok := token.Claim(name); ok {
			t.Errorf("Claim(%q) = %s, which is not there", name, got.Raw)
		}
	}
}
