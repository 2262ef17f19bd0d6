package revocation

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"edgejwt/verify"
)

const issuer = "https://issuer.example/"

// token is a token with these claims. Its signature is no matter of this package.
func token(t testing.TB, claims string) *verify.Token {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	token, err := verify.Parse(encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + ".c2ln")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func list(t testing.TB, members string) *List {
	t.Helper()
	l, err := Parse([]byte(`{"issuer":"`+issuer+`"`+members+`}`), issuer)
	if err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	return l
}

func TestRevokes(t *testing.T) {
	const ordinary = `{"jti":"j","sid":"s","sub":"u","azp":"c","client_id":"c","iat":1000}`
	for _, c := range []struct {
		name, members, claims string
		want                  bool
	}{
		{"nothing revoked", ``, ordinary, false},
		{"empty list", `,"revoked":[]`, ordinary, false},
		{"jti", `,"revoked":[{"jti":"j"}]`, ordinary, true},
		{"sid", `,"revoked":[{"sid":"s"}]`, ordinary, true},
		{"sub", `,"revoked":[{"sub":"u"}]`, ordinary, true},
		{"clientId", `,"revoked":[{"clientId":"c"}]`, ordinary, true},
		{"clientId, azp only", `,"revoked":[{"clientId":"c"}]`, `{"azp":"c"}`, true},
		{"clientId, client_id only", `,"revoked":[{"clientId":"c"}]`, `{"client_id":"c"}`, true},
		{"clientId, the second of two", `,"revoked":[{"clientId":"d"}]`, `{"azp":"c","client_id":"d"}`, true},
		{"others' values", `,"revoked":[{"jti":"x"},{"sid":"x"},{"sub":"x"},{"clientId":"x"}]`, ordinary, false},
		{"another claim's value", `,"revoked":[{"jti":"u"},{"sid":"j"},{"sub":"c"},{"clientId":"s"}]`, ordinary, false},
		{"the last of many", `,"revoked":[{"jti":"x"},{"sub":"y"},{"clientId":"z"},{"sid":"s"}]`, ordinary, true},
		{"value in another case", `,"revoked":[{"sub":"U"}]`, ordinary, false},
		{"value escaped", `,"revoked":[{"s\u0075b":"\u0075"}]`, ordinary, true},
		{"a number is no string", `,"revoked":[{"sid":"7"}]`, `{"sid":7}`, false},
		{"no such claim", `,"revoked":[{"jti":"j"}]`, `{"sub":"j"}`, false},
		{"sub, issued before", `,"revoked":[{"sub":"u","issuedBefore":1000.5}]`, ordinary, true},
		{"sub, issued at that time", `,"revoked":[{"sub":"u","issuedBefore":1000}]`, ordinary, false},
		{"sub, issued later", `,"revoked":[{"sub":"u","issuedBefore":999}]`, ordinary, false},
		{"sub, no time of issue", `,"revoked":[{"sub":"u","issuedBefore":1}]`, `{"sub":"u"}`, true},
		{"sub, time of issue a string", `,"revoked":[{"sub":"u","issuedBefore":1}]`, `{"sub":"u","iat":"1000"}`, true},
		{"client, issued before", `,"revoked":[{"issuedBefore":1001,"clientId":"c"}]`, ordinary, true},
		{"client, issued later", `,"revoked":[{"clientId":"c","issuedBefore":1000}]`, ordinary, false},
		{"the later of two times", `,"revoked":[{"sub":"u","issuedBefore":10},{"sub":"u","issuedBefore":2000},{"sub":"u","issuedBefore":20}]`, ordinary, true},
		{"a time and none", `,"revoked":[{"sub":"u"},{"sub":"u","issuedBefore":20}]`, ordinary, true},
		{"issuer, issued before", `,"issuedBefore":1001`, ordinary, true},
		{"issuer, issued at that time", `,"issuedBefore":1000`, ordinary, false},
		{"issuer, no time of issue", `,"issuedBefore":1`, `{"sub":"u"}`, true},
		{"no issuedBefore and no time of issue", ``, `{"sub":"u"}`, false},
		{"issuer from zero on", `,"issuedBefore":0`, `{"sub":"u"}`, false},
		{"issuer, before the epoch", `,"issuedBefore":1`, `{"iat":-5}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, claims := list(t, c.members), ClaimsOf(token(t, c.claims))
			if got := l.Revokes(&claims); got != c.want {
				t.Errorf("revoked: %v", got)
			}
			again, err := Decode(bytes.Clone(l.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			if again.Revokes(&claims) != c.want || again.Len() != l.Len() {
				t.Error("the decoded list differs")
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const named = `{"issuer":"` + issuer + `"`
	entry := func(text string) string { return named + `,"revoked":[{"jti":"x"},` + text + `]}` }
	for _, c := range []struct {
		name, document string
		want           error
	}{
		{"empty", ``, ErrNotJSON},
		{"HTML", `<html>`, ErrNotJSON},
		{"cut", named + `,"revoked":[{"jti":"x"}`, ErrNotJSON},
		{"a member twice", named + `,"revoked":[],"revoked":[]}`, ErrNotJSON},
		{"a claim twice", entry(`{"sub":"a","sub":"b"}`), ErrNotJSON},
		{"not UTF-8", entry("{\"sub\":\"\xff\"}"), ErrNotJSON},
		{"half a surrogate pair", entry(`{"sub":"\ud800"}`), ErrNotJSON},
		{"too deep", entry(`{"sub":[[[[[[["a"]]]]]]]}`), ErrNotJSON},
		{"a list", `[{"jti":"x"}]`, ErrNotList},
		{"null", `null`, ErrNotList},
		{"no issuer", `{"revoked":[]}`, ErrNotList},
		{"an empty object", `{}`, ErrNotList},
		{"an unknown member", named + `,"expires":1}`, ErrNotList},
		{"a misspelt member", named + `,"Revoked":[{"jti":"x"}]}`, ErrNotList},
		{"revoked an object", named + `,"revoked":{"jti":["x"]}}`, ErrNotList},
		{"revoked null", named + `,"revoked":null}`, ErrNotList},
		{"another issuer", `{"issuer":"https://other.example/"}`, ErrIssuer},
		{"another spelling of the issuer", `{"issuer":"https://issuer.example"}`, ErrIssuer},
		{"issuer a list", `{"issuer":["` + issuer + `"]}`, ErrIssuer},
		{"issuedBefore a string", named + `,"issuedBefore":"1000"}`, ErrIssuedBefore},
		{"issuedBefore in milliseconds", named + `,"issuedBefore":1764300000000}`, ErrIssuedBefore},
		{"issuedBefore negative", named + `,"issuedBefore":-1}`, ErrIssuedBefore},
		{"issuedBefore infinite", named + `,"issuedBefore":1e999}`, ErrIssuedBefore},
		{"an entry a string", entry(`"x"`), ErrEntry},
		{"an entry null", entry(`null`), ErrEntry},
		{"an entry empty", entry(`{}`), ErrEntry},
		{"an entry with only a time", entry(`{"issuedBefore":5}`), ErrEntry},
		{"an entry with two claims", entry(`{"sub":"a","clientId":"b"}`), ErrEntry},
		{"an entry with another claim", entry(`{"email":"a"}`), ErrEntry},
		{"an entry with client_id", entry(`{"client_id":"a"}`), ErrEntry},
		{"an entry with one claim more", entry(`{"sub":"a","note":"b"}`), ErrEntry},
		{"an entry with one claim more in front", entry(`{"note":"b","sub":"a"}`), ErrEntry},
		{"an entry with an empty value", entry(`{"sub":""}`), ErrEntry},
		{"an entry with a number", entry(`{"sub":7}`), ErrEntry},
		{"an entry with a list", entry(`{"jti":["a"]}`), ErrEntry},
		{"a time beside jti", entry(`{"jti":"a","issuedBefore":5}`), ErrNoTime},
		{"a time beside sid", entry(`{"issuedBefore":5,"sid":"a"}`), ErrNoTime},
		{"a time in milliseconds", entry(`{"sub":"a","issuedBefore":1764300000000}`), ErrIssuedBefore},
		{"a time null", entry(`{"sub":"a","issuedBefore":null}`), ErrIssuedBefore},
		{"too many", named + `,"revoked":[` + strings.Repeat(`{"jti":"x"},`, MaxEntries) + `{"jti":"x"}]}`, ErrTooMany},
		{"too long", named + strings.Repeat(" ", MaxDocumentBytes) + `}`, ErrTooLong},
	} {
		l, err := Parse([]byte(c.document), issuer)
		if l != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, l, err, c.want)
		}
		var at *EntryError
		if inEntry := strings.Contains(c.name, "an entry") || strings.HasPrefix(c.name, "a time"); errors.As(err, &at) != inEntry || inEntry && (at.Index != 1 || !strings.HasPrefix(err.Error(), "revoked[1] ")) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// many is a document with that many different entries, each with a value as long as a UUID.
func many(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"issuer":"` + issuer + `","revoked":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"%s":"%036d"}`, []string{"jti", "sub", "sid", "clientId"}[i%4], i)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// TestManyEntries: a list of as many entries as there may be finds each of them and no
// other, and keeps within its memory.
func TestManyEntries(t *testing.T) {
	l, err := Parse(many(MaxEntries), issuer)
	if err != nil || l.Len() != MaxEntries || l.Size() > 4_000_000 {
		t.Fatalf("%v: %d entries, %d bytes", err, l.Len(), l.Size())
	}
	for i := 0; i < MaxEntries; i += 97 {
		claims := ClaimsOf(token(t, fmt.Sprintf(`{%q:"%036d","iat":1}`, []string{"jti", "sub", "sid", "azp"}[i%4], i)))
		if !l.Revokes(&claims) {
			t.Fatalf("entry %d is not found", i)
		}
		claims = ClaimsOf(token(t, fmt.Sprintf(`{%q:"%036d","iat":1}`, []string{"sub", "sid", "azp", "jti"}[i%4], i)))
		if l.Revokes(&claims) {
			t.Fatalf("entry %d is found by another claim", i)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := list(t, `,"issuedBefore":5,"revoked":[{"jti":"a"},{"sub":"b","issuedBefore":7}]`).Encode()
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	for name, b := range map[string][]byte{
		"nothing":         nil,
		"the name alone":  []byte(magic),
		"another version": change(func(b []byte) []byte { b[3]++; return b }),
		"a byte less":     change(func(b []byte) []byte { return b[:len(b)-1] }),
		"a byte more":     change(func(b []byte) []byte { return append(b, 0) }),
		"not sorted": change(func(b []byte) []byte {
			return append(append(b[:headBytes:headBytes], b[headBytes+entryBytes:]...), b[headBytes:headBytes+entryBytes]...)
		}),
		"an entry twice":    change(func(b []byte) []byte { return append(b, b[len(b)-entryBytes:]...) }),
		"a time not a time": change(func(b []byte) []byte { return appendTime(b[:len(b)-8], math.NaN()) }),
		"a negative time":   change(func(b []byte) []byte { return appendTime(b[:len(b)-8], -1) }),
		"no time for all":   change(func(b []byte) []byte { copy(b[len(magic):], appendTime(nil, math.NaN())); return b }),
	} {
		if l, err := Decode(b); l != nil || err != ErrCorrupt {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
}

// FuzzParse demands that encoding/json finds the same entries in what is accepted, and that
// a list revokes exactly them.
func FuzzParse(f *testing.F) {
	for _, members := range []string{``, `,"issuedBefore":5`, `,"revoked":[{"jti":"j"},{"sub":"u","issuedBefore":9}]`, `,"revoked":[{"clientId":"c"},{"sid":"s"}],"issuedBefore":1`, `,"revoked":[{"jti":"x","issuedBefore":1}]`} {
		f.Add(`{"issuer":"` + issuer + `"` + members + `}`)
	}
	f.Fuzz(func(t *testing.T, document string) {
		l, err := Parse([]byte(document), issuer)
		if err != nil {
			if l != nil {
				t.Fatal("an error and a list")
			}
			return
		}
		var read struct {
			Issuer       string
			IssuedBefore *float64
			Revoked      []map[string]any
		}
		if err := json.Unmarshal([]byte(document), &read); err != nil || read.Issuer != issuer {
			t.Fatalf("%q: %v", document, err)
		}
		if again, err := Decode(l.Encode()); err != nil || again.Len() != l.Len() || l.Len() > len(read.Revoked) {
			t.Fatalf("%q: %v", document, err)
		}
		for _, entry := range read.Revoked {
			claims := map[string]any{}
			for from, to := range map[string]string{"jti": "jti", "sid": "sid", "sub": "sub", "clientId": "client_id"} {
				if value, has := entry[from]; has {
					claims[to] = value
				}
			}
			text, err := json.Marshal(claims)
			if err != nil || len(claims) != 1 || len(text) > 8000 {
				return
			}
			found := ClaimsOf(token(t, string(text)))
			if before, has := entry["issuedBefore"]; !l.Revokes(&found) && !(has && before == 0.0) {
				t.Fatalf("%q does not revoke %s", document, text)
			}
		}
		if other := ClaimsOf(token(t, fmt.Sprintf(`{"jti":"other %d","iat":1e11}`, rand.Uint64()))); l.Revokes(&other) {
			t.Fatalf("%q revokes another token", document)
		}
	})
}

// FuzzDecode demands that what is accepted encodes to itself.
func FuzzDecode(f *testing.F) {
	f.Add(list(f, `,"revoked":[{"jti":"a"},{"sub":"b","issuedBefore":7}]`).Encode())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, encoded []byte) {
		l, err := Decode(bytes.Clone(encoded))
		if err != nil {
			return
		}
		if !bytes.Equal(l.Encode(), encoded) {
			t.Fatal("it encodes to something else")
		}
		claims := ClaimsOf(token(t, `{"jti":"a","sub":"b"}`))
		l.Revokes(&claims)
	})
}

func BenchmarkRevokes(b *testing.B) {
	l, err := Parse(many(MaxEntries), issuer)
	if err != nil {
		b.Fatal(err)
	}
	claims := ClaimsOf(token(b, `{"jti":"other","sid":"other","sub":"other","azp":"other","client_id":"other","iat":1}`))
	for b.Loop() {
		if l.Revokes(&claims) {
			b.Fatal("revoked")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	document := many(MaxEntries)
	b.SetBytes(int64(len(document)))
	for b.Loop() {
		if _, err := Parse(document, issuer); err != nil {
			b.Fatal(err)
		}
	}
}

func Example() {
	l, err := Parse([]byte(`{"issuer": "https://issuer.example/", "revoked": [{"sub": "auth0|1", "issuedBefore": 1764300000}]}`), "https://issuer.example/")
	if err != nil {
		fmt.Println(err)
		return
	}
	encode := base64.RawURLEncoding.EncodeToString
	for _, issued := range []string{"1764299999", "1764300000"} {
		token, err := verify.Parse(encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(`{"sub":"auth0|1","iat":`+issued+`}`)) + ".c2ln")
		if err != nil {
			fmt.Println(err)
			return
		}
		claims := ClaimsOf(token)
		fmt.Println(issued, l.Revokes(&claims))
	}
	// Output:
	// 1764299999 true
	// 1764300000 false
}
