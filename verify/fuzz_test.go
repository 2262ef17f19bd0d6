package verify_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

// seeds gives the table's tokens; a table without any fails the target.
func seeds(f *testing.F, add func(token string)) {
	f.Helper()
	n := 0
	for _, c := range table() {
		for _, header := range c.Headers {
			if _, token, ok := strings.Cut(header[1], " "); ok {
				add(token)
				n++
			}
		}
	}
	if n < 140 {
		f.Fatalf("only %d seeds", n)
	}
}

// FuzzParse demands that failure gives nothing but a refusal, that what is
// accepted has this one spelling only, and that it is JSON to the standard
// library too, with the same claims.
func FuzzParse(f *testing.F) {
	seeds(f, func(token string) { f.Add(token) })
	f.Fuzz(func(t *testing.T, compact string) {
		token, err := verify.Parse(compact)
		if err != nil {
			if reason := verify.ReasonOf(err); token != nil || !slices.Contains([]verify.Reason{verify.TokenTooLarge, verify.TokenOpaque, verify.TokenEncrypted, verify.TokenMalformed}, reason) {
				t.Fatalf("Parse(%q) = %v, %v", compact, token, err)
			}
			return
		}
		part := strings.Split(compact, ".")
		if len(part) != 3 || token.Payload() != part[1] || len(compact) > verify.DefaultTokenBytes {
			t.Fatalf("accepted %q", compact)
		}
		var decoded [3][]byte
		for i := range part {
			decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part[i])
			if err != nil || base64.RawURLEncoding.EncodeToString(decoded[i]) != part[i] {
				t.Fatalf("part %d of %q does not encode to itself: %v", i, compact, err)
			}
		}
		var header struct {
			Alg string
			Kid *string
		}
		var claims map[string]json.RawMessage
		if err := json.Unmarshal(decoded[1], &claims); err != nil {
			t.Fatalf("accepted the payload %q: %v", decoded[1], err)
		}
		// encoding/json folds the case of names into fields, so only exact ones compare.
		var members map[string]json.RawMessage
		if err := json.Unmarshal(decoded[0], &members); err != nil {
			t.Fatalf("accepted the header %q: %v", decoded[0], err)
		}
		if err := json.Unmarshal(members["alg"], &header.Alg); err != nil || header.Alg != token.Algorithm() || header.Alg == "" {
			t.Fatalf("alg is %q, the standard library reads %q (%v)", token.Algorithm(), header.Alg, err)
		}
		kid, has := token.KeyID()
		if raw, there := members["kid"]; there != has {
			t.Fatalf("kid: %v, the standard library says %v", has, there)
		} else if there {
			if err := json.Unmarshal(raw, &header.Kid); err != nil || *header.Kid != kid {
				t.Fatalf("kid is %q, the standard library reads %s", kid, raw)
			}
		}
		for _, forbidden := range []string{"crit", "b64"} {
			if _, there := members[forbidden]; there {
				t.Fatalf("accepted a header with %s", forbidden)
			}
		}
		for name, raw := range claims {
			got, ok := token.Claim(name)
			if !ok || got.Raw != string(raw) {
				t.Fatalf("claim %q is %s, the standard library reads %s", name, got.Raw, raw)
			}
		}
	})
}

// FuzzExtract demands that a token is found only where it stands, once.
func FuzzExtract(f *testing.F) {
	seeds(f, func(token string) { f.Add("Bearer "+token, "") })
	for _, c := range table() {
		if c.Group == "transport" && len(c.Headers) == 2 {
			f.Add(c.Headers[0][1], c.Headers[1][1])
		}
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		for _, headers := range [][][2]string{
			{{"authorization", first}},
			{{"authorization", first}, {"authorization", second}},
			{{"x-other", second}, {"authorization", first + "," + second}},
		} {
			found, err := verify.Extract(headers, []verify.TokenLocation{verify.Authorization})
			if err != nil {
				if found.Token != "" || found.Locations != nil {
					t.Fatalf("Extract(%q) = %v, %v", headers, found, err)
				}
				if !errors.Is(err, verify.TokenMissing) && !errors.Is(err, verify.TokenAmbiguous) {
					t.Fatalf("Extract(%q): %v", headers, err)
				}
				continue
			}
			value := headers[len(headers)-1][1]
			if len(headers) == 2 && headers[0][0] == headers[1][0] {
				t.Fatalf("two authorization headers gave %q", found.Token)
			}
			if !strings.EqualFold(value[:6], "bearer") || !strings.HasSuffix(value, found.Token) ||
				strings.Trim(value[6:len(value)-len(found.Token)], " ") != "" {
				t.Fatalf("Extract(%q) = %q", headers, found.Token)
			}
			if found.Token == "" || found.Token[0] == ' ' || strings.Contains(found.Token, ",") || len(found.Locations) != 1 {
				t.Fatalf("Extract(%q) = %q at %v", headers, found.Token, found.Locations)
			}
		}
	})
}

// FuzzHeaderValue demands that whatever becomes a header is one that HTTP
// carries unchanged, and can be turned back into the claim.
func FuzzHeaderValue(f *testing.F) {
	for _, seed := range []string{`"abc"`, `"a\nb"`, `1e5`, `true`, `null`, `[1]`, `"\u0000"`, `" a"`, `"é"`, `""`, `{"a":"b"}`, `"\ud83d\ude00"`,
		`["a","b"]`, `["a,b"]`, `[]`, `[""]`, `["a",null]`, `[[1],2]`, `["a ", -1.0, true]`, `{"a": "é"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, claim string) {
		parsed, err := strictjson.Parse(claim, strictjson.Limits{Bytes: 1 << 20, Depth: 32, Values: 4096})
		if err != nil {
			return
		}
		for _, encoding := range []verify.Encoding{verify.Plain, verify.Percent, verify.Base64URL} {
			value, err := verify.HeaderValue(&parsed, encoding)
			if (err == nil) != (value != "") || strings.TrimSpace(value) != value || len(value) > verify.MaxHeaderValueBytes {
				t.Fatalf("HeaderValue(%q, %d) = %q, %v", claim, encoding, value, err)
			}
			for _, c := range []byte(value) {
				if c < 0x20 || c > 0x7e {
					t.Fatalf("HeaderValue(%q, %d) = %q", claim, encoding, value)
				}
			}
			if err == nil && !means(t, value, encoding, claim) {
				t.Fatalf("HeaderValue(%q, %d) = %q", claim, encoding, value)
			}
		}
	})
}

// means reports whether the header's value, decoded, is the claim's.
func means(t *testing.T, value string, encoding verify.Encoding, claim string) bool {
	decode := func(s string) string { return s }
	switch encoding {
	case verify.Percent:
		decode = func(s string) string {
			decoded, err := url.PathUnescape(s)
			if err != nil {
				t.Fatal(err)
			}
			return decoded
		}
	case verify.Base64URL:
		decoded, err := base64.RawURLEncoding.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		value = string(decoded)
	}
	claim = strings.TrimSpace(claim)
	// One text, or the list's elements, each as it is meant.
	isText := func(value, claim string) bool {
		var s string
		if claim[0] == '"' && json.Unmarshal([]byte(claim), &s) == nil {
			return decode(value) == s
		}
		return decode(value) == claim
	}
	var elements []json.RawMessage
	if encoding == verify.Base64URL || json.Unmarshal([]byte(claim), &elements) != nil || isText(value, claim) {
		return isText(value, claim)
	}
	parts := strings.Split(value, ",")
	if len(parts) != len(elements) {
		return false
	}
	for i := range parts {
		if parts[i] == "" || !isText(parts[i], string(elements[i])) {
			return false
		}
	}
	return true
}
