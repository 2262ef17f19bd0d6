package verify_test

import (
	"encoding/base64"
	"errors"
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
		ok      bool
	}{
		{`{"auth_time":1700000000}`, 1700000000, true},
		{`{"auth_time":1.5}`, 1.5, true},
		{`{"auth_time":0}`, 0, true},
		{`{}`, 0, false},
		{`{"auth_time":"1700000000"}`, 0, false},
		{`{"auth_time":null}`, 0, false},
		{`{"auth_time":1e300}`, 0, false},
		{`{"a":{"auth_time":1}}`, 0, false},
	} {
		got, err := readOnly(t, `{"alg":"RS256"}`, c.payload).Date("auth_time")
		if got != c.want || (err == nil) != c.ok || err != nil && !errors.Is(err, verify.ClaimInvalid) {
			t.Errorf("%s: %v, %v; want %v, ok %v", c.payload, got, err, c.want, c.ok)
		}
	}
}
