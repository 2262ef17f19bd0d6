package explain

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
)

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, []byte(keySet()), 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, keySet()) })
	mux.Handle("/moved", http.RedirectHandler("/keys", http.StatusFound))
	mux.HandleFunc("/html", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat(" ", 600<<10)+keySet()) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	server := httptest.NewServer(mux) // on loopback, where http is allowed
	defer server.Close()
	for _, x := range []struct{ place, want string }{
		{file, ""},
		{server.URL + "/keys", ""},
		{file + "x", "no such file"},
		{server.URL + "/moved", "status 302"},
		{server.URL + "/html", "/html is no key set that can be used"},
		{server.URL + "/long", "/long is no key set that can be used"},
		{server.URL + "/broken", "status 418"},
		{"http://192.0.2.1/keys", "is not https"},
		{"http://user:password@192.0.2.1/keys?secret", "http://192.0.2.1/keys is not https"},
		{"https://", "is not a URL"},
	} {
		set, err := Load(x.place, server.Client())
		if x.want == "" {
			if err != nil || set.Len() != 2 {
				t.Errorf("%s: %v, %v", x.place, set, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "password") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", x.place, err, x.want)
		}
	}
}

// TestFetch: the plugin's own state machine fetches, from the key set's address
// and by discovery.
func TestFetch(t *testing.T) {
	var issuer string
	mux := http.NewServeMux()
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, keySet()) })
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q}`, issuer, issuer+"keys")
	})
	mux.HandleFunc("/empty", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys": []}`) })
	mux.HandleFunc("/closed", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	issuer = server.URL + "/"
	parse := func(more string) *config.Config {
		c, err := config.Parse([]byte(fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": ["x"]%s}]}`, issuer, more)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, more := range []string{"", fmt.Sprintf(`, "jwksUri": "%skeys"`, issuer)} {
		c := parse(more)
		s := &KeySource{}
		if err := s.Fetch(c, server.Client(), at); err != nil {
			t.Errorf("%s: %v", more, err)
			continue
		}
		for kid, want := range map[string]string{"k": "accepted", "z": "key_unknown"} {
			q := mustRequest(t, "GET /x")
			q.PutToken(token(at, kid, "k", map[string]any{"iss": issuer, "aud": "x"}), c)
			e := Explain(q, &Options{Config: c, Keys: s, At: at})
			if !e.Decided || e.Reason != want {
				t.Errorf("%s, kid %s: decided %v: %s, want %s", more, kid, e.Decided, e.Reason, want)
			}
		}
	}

	for more, want := range map[string]string{
		fmt.Sprintf(`, "jwksUri": "%snone"`, issuer):   "the provider answered, but not with status 200 (status 404",
		`, "jwksUri": "https://127.0.0.1:1/keys"`:      `jwtRules[0]: keys of "https://127.0.0.1:1/keys": the provider refused the connection`,
		`, "jwksUri": "https://nowhere.invalid/keys"`:  "the provider's name could not be resolved",
		fmt.Sprintf(`, "jwksUri": "%sempty"`, issuer):  "no usable key (it is empty); next: ",
		fmt.Sprintf(`, "jwksUri": "%sclosed"`, issuer): "the connection ended before the answer was complete",
	} {
		s := &KeySource{}
		if err := s.Fetch(parse(more), server.Client(), at); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", more, err, want)
		}
	}
	// A certificate that nobody vouches for.
	if err := new(KeySource).Fetch(parse(""), http.DefaultClient, at); err == nil || !strings.Contains(err.Error(), ": TLS failed (") || strings.Contains(err.Error(), "cluster") {
		t.Errorf("a certificate of unknown origin: %v", err)
	}
}

// TestWhichKeys: what is told of the keys that a token may mean.
func TestWhichKeys(t *testing.T) {
	published := func(name, kid string) jose.JSONWebKey {
		return jose.JSONWebKey{Key: &testKeys()[name].PublicKey, KeyID: kid}
	}
	more := func() (keys []jose.JSONWebKey) {
		for range 4 {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, jose.JSONWebKey{Key: &key.PublicKey})
		}
		return keys
	}
	c, err := config.Parse([]byte(fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q]}]}`, testIssuer, testAudience)))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		name   string
		keys   []jose.JSONWebKey
		kid    string // of the token
		reason string
		tells  []string
	}{
		{"one key", []jose.JSONWebKey{published("k", "a")}, "a", "accepted", []string{"the key set has the key that the token names", `the key set has kid "a"` + "\n"}},
		{"two keys under one kid", []jose.JSONWebKey{published("k", "a"), published("other", "a")}, "a", "accepted", []string{"several keys that the token may mean"}},
		{"no kid in the token", []jose.JSONWebKey{published("k", "a"), published("other", "b")}, "", "accepted", []string{"those of the set that are for RS256 are tried"}},
		{"no kids", []jose.JSONWebKey{published("k", ""), published("other", "")}, "x", "accepted", []string{"no key has the token's kid: those without a kid are tried", "no key with a kid; keys without kid: 2"}},
		{"none of them", []jose.JSONWebKey{published("other", "")}, "x", "key_unknown", []string{"keys without kid: 1"}},
		{"more than are tried", append(more(), published("other", "")), "", "kid_missing", []string{"5 keys may have signed the token, of which 4 are tried"}},
	} {
		document, err := json.Marshal(jose.JSONWebKeySet{Keys: x.keys})
		if err != nil {
			t.Fatal(err)
		}
		set, _, err := jwks.Parse(document)
		if err != nil {
			t.Fatal(err)
		}
		q := mustRequest(t, "GET /x")
		q.PutToken(token(at, x.kid, "k", nil), c)
		e := Explain(q, &Options{Config: c, Keys: &KeySource{Default: set}, At: at})
		var text strings.Builder
		e.Write(&text)
		if e.Reason != x.reason {
			t.Errorf("%s: %s, want %s", x.name, e.Reason, x.reason)
		}
		for _, want := range x.tells {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: %q is not told:\n%s", x.name, want, text.String())
			}
		}
	}
}
