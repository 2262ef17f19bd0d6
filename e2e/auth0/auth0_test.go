package auth0_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

func start(t *testing.T, o auth0.Options) *auth0.Server {
	t.Helper()
	s, err := auth0.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// client trusts only the stand-in's authority and finds its name at its port.
func client(t *testing.T, s *auth0.Server) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(s.CA()) {
		t.Fatal("CA is no PEM")
	}
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: s.Domain()},
		DisableKeepAlives: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     rewrite{s, transport},
		Timeout:       5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type rewrite struct {
	s  *auth0.Server
	to http.RoundTripper
}

func (r rewrite) RoundTrip(q *http.Request) (*http.Response, error) {
	q = q.Clone(q.Context())
	q.Host, q.URL.Host = r.s.Domain(), r.s.Address()
	return r.to.RoundTrip(q)
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, []byte) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func TestTokenEndpoint(t *testing.T) {
	o := auth0.Options{Clients: map[string]auth0.Client{
		"good": {Secret: "s", Grants: map[string]string{auth0.DefaultAudience: "read:orders"}},
	}}
	s := start(t, o)
	c := client(t, s)
	request := func(grant, id, secret, audience string) string {
		doc, _ := json.Marshal(map[string]string{"grant_type": grant, "client_id": id, "client_secret": secret, "audience": audience})
		return string(doc)
	}
	const api, cc = auth0.DefaultAudience, "client_credentials"
	form := url.Values{"grant_type": {cc}, "client_id": {"good"}, "client_secret": {"s"}, "audience": {api}}.Encode()

	for _, tc := range []struct {
		name, kind, body string
		status           int
		answer           string // exact for errors, contained for tokens
	}{
		{"json", "application/json", request(cc, "good", "s", api), 200, `"scope":"read:orders","expires_in":86400,"token_type":"Bearer"`},
		{"form", "application/x-www-form-urlencoded", form, 200, `"expires_in":86400`},
		{"wrong secret", "application/json", request(cc, "good", "S", api), 401, `{"error":"access_denied","error_description":"Unauthorized"}`},
		{"empty secret", "application/json", request(cc, "good", "", api), 401, `{"error":"access_denied","error_description":"Unauthorized"}`},
		{"unknown client", "application/json", request(cc, "bad", "s", api), 401, `{"error":"access_denied","error_description":"Unauthorized"}`},
		{"unknown client without secret", "application/json", request(cc, "bad", "", api), 401, `{"error":"access_denied","error_description":"Unauthorized"}`},
		{"unknown audience", "application/json", request(cc, "good", "s", "https://nowhere"), 403, `{"error":"access_denied","error_description":"Service not found: https://nowhere"}`},
		{"audience not granted", "application/json", request(cc, "good", "s", auth0.OtherAudience), 403, `{"error":"access_denied","error_description":"Client is not authorized to access \"https://other.example.com\". You need to create a \"client-grant\" associated to this API. See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants"}`},
		{"no audience", "application/json", request(cc, "good", "s", ""), 403, `{"error":"access_denied","error_description":"No audience parameter was provided, and no default audience has been configured"}`},
		{"no grant type", "application/json", request("", "good", "s", api), 403, `{"error":"invalid_request","error_description":"Missing required parameter: grant_type"}`},
		{"unsupported grant", "application/json", request("magic", "good", "s", api), 403, `{"error":"unsupported_grant_type","error_description":"Unsupported grant type: magic"}`},
		{"grant not allowed", "application/json", request("password", "good", "s", api), 403, `{"error":"unauthorized_client","error_description":"Grant type 'password' not allowed for the client.","error_uri":"https://auth0.com/docs/clients/client-grant-types"}`},
		{"no json", "application/json", "{", 400, `{"error":"invalid_request","error_description":"The request body could not be read."}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			resp, err := c.Post("https://tenant/oauth/token", tc.kind, strings.NewReader(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			raw, _ := io.ReadAll(resp.Body)
			body := strings.TrimSpace(string(raw))
			if resp.StatusCode != tc.status {
				t.Errorf("status %d, want %d: %s", resp.StatusCode, tc.status, body)
			}
			if resp.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control %q", resp.Header.Get("Cache-Control"))
			}
			if tc.status != 200 && body != tc.answer || !strings.Contains(body, tc.answer) {
				t.Errorf("body %s\nwant %s", body, tc.answer)
			}
		})
	}
}

// TestTokenVerifies judges the token as an API of today does: with the key
// that the published set names, by a library that is not ours.
func TestTokenVerifies(t *testing.T) {
	s := start(t, auth0.Options{})
	_, doc := get(t, client(t, s), "https://tenant/.well-known/jwks.json")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(doc, &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 2 {
		t.Fatalf("%d keys, want current and next", len(set.Keys))
	}
	for name, m := range map[string]auth0.Mint{"current": {}, "next": {Next: true}} {
		token, err := s.MintToken(s.ClientClaims("c", auth0.DefaultAudience, ""), m)
		if err != nil {
			t.Fatal(err)
		}
		_, err = jwt.Parse(token, func(t *jwt.Token) (any, error) {
			k := set.Key(t.Header["kid"].(string))
			if len(k) != 1 {
				return nil, fmt.Errorf("%d keys for %v", len(k), t.Header["kid"])
			}
			if len(k[0].Certificates) != 1 || len(k[0].CertificateThumbprintSHA1) == 0 {
				return nil, fmt.Errorf("no x5c or x5t")
			}
			return k[0].Key, nil
		}, jwt.WithIssuer("https://tenant.auth0.example/"), jwt.WithAudience(auth0.DefaultAudience), jwt.WithValidMethods([]string{"RS256"}), jwt.WithExpirationRequired())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeySetLooksLikeAuth0s(t *testing.T) {
	s := start(t, auth0.Options{ETag: true})
	c := client(t, s)
	resp, doc := get(t, c, "https://tenant/.well-known/jwks.json")
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(doc, &set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		for _, member := range []string{"kty", "use", "n", "e", "kid", "x5t", "x5c", "alg"} {
			if k[member] == nil {
				t.Errorf("key without %s", member)
			}
		}
		n, err := base64.RawURLEncoding.DecodeString(k["n"].(string))
		if err != nil || len(n) != 256 || k["e"] != "AQAB" || len(k["kid"].(string)) != 21 {
			t.Errorf("n of %d bytes, e %v, kid %v", len(n), k["e"], k["kid"])
		}
	}
	if got := resp.Header.Get("Cache-Control"); got != auth0.DefaultCacheControl {
		t.Errorf("Cache-Control %q", got)
	}
	q, _ := http.NewRequest("GET", "https://tenant/.well-known/jwks.json", nil)
	q.Header.Set("If-None-Match", resp.Header.Get("ETag"))
	again, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("If-None-Match: status %d, want 304", again.StatusCode)
	}
}

func TestDiscovery(t *testing.T) {
	s := start(t, auth0.Options{Domain: "other.example"})
	_, doc := get(t, client(t, s), "https://tenant/.well-known/openid-configuration")
	var d map[string]any
	if err := json.Unmarshal(doc, &d); err != nil {
		t.Fatal(err)
	}
	if d["issuer"] != "https://other.example/" || d["jwks_uri"] != "https://other.example/.well-known/jwks.json" {
		t.Errorf("issuer %v, jwks_uri %v", d["issuer"], d["jwks_uri"])
	}
}

func TestRotation(t *testing.T) {
	s := start(t, auth0.Options{})
	first := s.KIDs() // current, next
	kid := func(token string) string {
		p, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
		if err != nil {
			t.Fatal(err)
		}
		return p.Header["kid"].(string)
	}

	if _, err := s.Rotate(); err != nil {
		t.Fatal(err)
	}
	if got := s.KIDs(); got[0] != first[1] || got[2] != first[0] || len(got) != 3 {
		t.Errorf("after Rotate %v, before %v", got, first)
	}
	if got := kid(s.Token()); got != first[1] {
		t.Errorf("signs with %s, want the former next key %s", got, first[1])
	}
	unseen, err := s.RotateUnseen()
	if err != nil {
		t.Fatal(err)
	}
	if got := kid(s.Token()); got != unseen || slices.Contains(first, got) {
		t.Errorf("signs with %s, want the unseen %s", got, unseen)
	}
	before := s.KeySet()
	if err := s.Replace(); err != nil {
		t.Fatal(err)
	}
	if got := kid(s.Token()); got != unseen || string(before) == string(s.KeySet()) {
		t.Error("Replace must keep the kid and change the key")
	}
	for _, k := range s.KIDs() {
		if err := s.Withdraw(k); err != nil {
			t.Error(err)
		}
		if slices.Contains(s.KIDs(), k) {
			t.Errorf("%s is still published", k)
		}
	}
	if s.Withdraw("nobody") == nil {
		t.Error("withdrawing an unknown key must be an error")
	}
}

func TestCertificate(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "run", "ca.pem")
	s := start(t, auth0.Options{CAFile: ca})
	if pem, err := os.ReadFile(ca); err != nil || string(pem) != string(s.CA()) {
		t.Errorf("CA file: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA())
	for name, c := range map[string]*tls.Config{
		"another name":      {RootCAs: roots, ServerName: "evil.example"},
		"another authority": {RootCAs: x509.NewCertPool(), ServerName: s.Domain()},
	} {
		if conn, err := tls.Dial("tcp", s.Address(), c); err == nil {
			conn.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestControlPort(t *testing.T) {
	s := start(t, auth0.Options{Control: "127.0.0.1:0"})
	post := func(path, body string) (int, string) {
		t.Helper()
		resp, err := http.Post("http://"+s.ControlAddress()+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(raw)
	}
	before := s.KIDs()
	for _, tc := range []struct {
		path, body string
		status     int
		contains   string
	}{
		{"/fault", `{"kind":"html","delay":"1ms"}`, 200, `"fault":"html"`},
		{"/fault", `{"delay":"soon"}`, 400, "soon"},
		{"/fault", `{}`, 200, `"fault":""`},
		{"/rotate", "", 200, `"current":"` + before[1] + `"`},
		{"/withdraw?kid=" + url.QueryEscape(before[0]), "", 200, `"fetches":0`},
		{"/withdraw?kid=nobody", "", 400, "nobody"},
		{"/replace", "", 200, before[1]},
		{"/stop", "", 200, `"listening":false`},
		{"/resume", "", 200, `"listening":true`},
		{"/reset", "", 200, `"max_in_flight":0`},
		{"/mint", `{"sub":"x"}`, 200, "eyJ"},
		{"/rotate?unseen=1", "", 200, `"current":`},
	} {
		if status, body := post(tc.path, tc.body); status != tc.status || !strings.Contains(body, tc.contains) {
			t.Errorf("%s: %d %s", tc.path, status, body)
		}
	}
	if slices.Contains(s.KIDs(), before[0]) {
		t.Error("withdrawn key is still published")
	}
}
