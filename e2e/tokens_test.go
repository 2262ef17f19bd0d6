package e2e

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"edgejwt/e2e/auth0"
)

// askToken plays a client: RFC 6749 §4.4 at the tenant's token endpoint.
func askToken(t *testing.T, a *auth0.Server, audience string) string {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.CA())
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, a.Address())
		},
	}}
	resp, err := client.PostForm("https://"+a.Domain()+"/oauth/token", url.Values{
		"grant_type": {"client_credentials"}, "audience": {audience},
		"client_id": {auth0.DefaultClientID}, "client_secret": {auth0.DefaultClientSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		t.Fatalf("no token: %s, %v", resp.Status, err)
	}
	return answer.AccessToken
}

// jwkOf is a JWK as an attacker would put it into a token's header.
func jwkOf(k *rsa.PrivateKey) map[string]any {
	return map[string]any{"kty": "RSA", "e": "AQAB", "n": base64.RawURLEncoding.EncodeToString(k.N.Bytes())}
}

// forge makes the payload speak for somebody else.
func forge(t *testing.T, payload string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(string(raw), "@clients", "@admins!", 1)
	if forged == string(raw) {
		t.Fatal("nothing to forge")
	}
	return base64.RawURLEncoding.EncodeToString([]byte(forged))
}
