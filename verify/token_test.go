package verify_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"edgejwt/verify"
)

// readOnly is a token that is good for reading only.
func readOnly(t *testing.T, header, payload string) *verify.Token {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	token, err := verify.Parse(encode([]byte(header)) + "." + encode([]byte(payload)) + ".")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokenType(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{`{"alg":"RS256"}`, ""},
		{`{"alg":"RS256","cty":"JWT"}`, ""},
		{`{"alg":"RS256","typ":"application/at+JWT","cty":"x"}`, "application/at+JWT"},
	} {
		if got := readOnly(t, c.header, `{}`).Type(); got != c.want {
			t.Errorf("%s: typ %q, want %q", c.header, got, c.want)
		}
	}
}

func TestTokenDate(t *testing.T) {
	for _, c := range []struct {
		payload string
		want    float64
		reason  verify.Reason
	}{
		{`{"auth_time":1700000000}`, 1700000000, verify.Accepted},
		{`{"auth_time":1.5}`, 1.5, verify.Accepted},
		{`{"auth_time":0}`, 0, verify.Accepted},
		{`{}`, 0, verify.ClaimInvalid},
		{`{"auth_time":"1700000000"}`, 0, verify.ClaimInvalid},
		{`{"auth_time":null}`, 0, verify.ClaimInvalid},
		{`{"auth_time":1e300}`, 0, verify.ClaimOutOfRange},
		{`{"auth_time":9007199254740992}`, 1 << 53, verify.Accepted},
		{`{"auth_time":9007199254740994}`, 0, verify.ClaimOutOfRange},
		{`{"auth_time":-1e400}`, 0, verify.ClaimOutOfRange},
		{`{"a":{"auth_time":1}}`, 0, verify.ClaimInvalid},
	} {
		got, err := readOnly(t, `{"alg":"RS256"}`, c.payload).Date("auth_time")
		if got != c.want || verify.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v, %v; want %v, %v", c.payload, got, err, c.want, c.reason)
		}
	}
}

// TestNotThreeParts: what is not a JWS is called by what it is.
func TestNotThreeParts(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	header := encode([]byte(`{"alg":"RS256","kid":"k"}`))
	jwe := encode([]byte(`{"alg":"dir","enc":"A256GCM"}`))
	for _, c := range []struct {
		name, token string
		want        verify.Reason
	}{
		{"a reference", "SlAV32hkKG_zT-0", verify.TokenOpaque},
		{"one character", "a", verify.TokenOpaque},
		{"padding", "YWI=", verify.TokenOpaque},
		{"Google's", "ya29.a0AfH6SMBx", verify.TokenOpaque},
		{"PASETO with a footer", "v2.local.QAxIpVe-ECVNI1z4xQbm.Zm9v", verify.TokenOpaque},
		{"five parts that are not a JWE", "a.b.c.d.e", verify.TokenOpaque},
		{"six parts", "a.b.c.d.e.f", verify.TokenOpaque},
		{"a JWE", jwe + "..AAAA.AAAA.AAAA", verify.TokenEncrypted},
		{"a JWE that was cut", jwe + "..AAAA.AAAA", verify.TokenMalformed},
		{"a header alone", header, verify.TokenMalformed},
		{"a JWT without its signature", header + ".e30", verify.TokenMalformed},
		{"a JWT and more", header + ".e30.AAAA.AAAA", verify.TokenMalformed},
		{"a JWT and a dot", header + ".e30.AAAA.", verify.TokenMalformed},
		{"three parts that are no JWT", "mF_9.B5f-4.1JqM", verify.TokenMalformed},
		{"a dot first", ".a", verify.TokenMalformed},
		{"an equals sign inside", "YQ=a", verify.TokenMalformed},
		{"a space", "a b", verify.TokenMalformed},
		{"a quote", `"a"`, verify.TokenMalformed},
		{"a URL", "https://api.example.com/a", verify.TokenMalformed},
		{"nothing", "", verify.TokenMalformed},
	} {
		if _, err := verify.Parse(c.token); verify.ReasonOf(err) != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestMaxTokenBytes: a token is read up to the greatest bound of all rules, and must keep
// that of its own rule.
func TestMaxTokenBytes(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	rules := verify.NewRules([]verify.Rule{
		{Issuer: "small", Algorithms: []string{"RS256"}, MaxTokenBytes: 2 << 10},
		{Issuer: "usual", Algorithms: []string{"RS256"}},
		{Issuer: "large", Algorithms: []string{"RS256"}, MaxTokenBytes: 64 << 10},
	})
	if got := rules.MaxTokenBytes(); got != 64<<10 {
		t.Errorf("MaxTokenBytes is %d", got)
	}
	for issuer, most := range map[string]int{"small": 2 << 10, "usual": 16 << 10, "large": 64 << 10} {
		head := encode([]byte(rs256)) + "." + encode([]byte(`{"iss":"`+issuer+`"}`)) + "."
		for length, want := range map[int]verify.Reason{most: verify.Accepted, most + 3: verify.TokenTooLarge} {
			// The signature fills the token up. No base64url has a length of 4n+1.
			text := head + strings.Repeat("A", length-len(head))
			if (len(text)-len(head))%4 == 1 {
				text = text[:len(text)-2]
			}
			token, err := rules.Parse(text)
			if err == nil {
				_, _, err = rules.Match(token)
			}
			if verify.ReasonOf(err) != want {
				t.Errorf("%s, %d bytes: %v, want %v", issuer, len(text), err, want)
			}
			if _, err := verify.Parse(text); (err == nil) != (len(text) <= verify.DefaultTokenBytes) {
				t.Errorf("%s, %d bytes, without rules: %v", issuer, len(text), err)
			}
		}
	}
	// More bytes may be more values, in the payload only.
	many := func(n int) string { return `{"iss":"large","x":[` + strings.Repeat("0,", n-4) + `0]}` }
	for _, c := range []struct {
		header, payload string
		want            verify.Reason
	}{
		{rs256, many(4096), verify.Accepted},
		{rs256, many(4097), verify.TokenTooLarge},
		{`{"alg":"RS256",` + many(1024)[1:], `{"iss":"large"}`, verify.TokenTooLarge},
	} {
		if _, err := rules.Parse(encode([]byte(c.header)) + "." + encode([]byte(c.payload)) + "."); verify.ReasonOf(err) != c.want {
			t.Errorf("%d and %d bytes: %v, want %v", len(c.header), len(c.payload), err, c.want)
		}
	}
	if _, err := verify.Parse(encode([]byte(rs256)) + "." + encode([]byte(many(1025))) + "."); verify.ReasonOf(err) != verify.TokenTooLarge {
		t.Errorf("1025 values without rules: %v", err)
	}
}
