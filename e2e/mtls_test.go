package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// clientCA issues the client certificates of these tests.
var clientCA = sync.OnceValue(func() tls.Certificate {
	return issueClient("edgejwt test clients", nil, ecdsaKey())
})

func ecdsaKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// issueClient makes a client certificate; without an issuer, that of an authority.
func issueClient(name string, by *tls.Certificate, key crypto.Signer) tls.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	parent, signer := template, key
	if by == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	} else {
		parent, signer = by.Leaf, by.PrivateKey.(crypto.Signer)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// mtlsEdges: "mtls" asks clients for certificates. "front" does so too, checks no token, and
// forwards the certificate to "behind", which believes what it says.
func mtlsEdges(*testing.T) ([]harness.Edge, []harness.Cluster) {
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: clientCA().Certificate[0]}))
	with := func(field string) string {
		return strings.Replace(harness.DefaultPlugin, `"auth0":`, field+`, "auth0":`, 1)
	}
	return []harness.Edge{
		{Name: "mtls", ClientCA: ca, Manager: harness.Normalising + "forward_client_cert_details: APPEND_FORWARD\n"},
		{Name: "front", ClientCA: ca, Plugin: with(`"routes": [{"auth": "none"}]`), Routes: "- match: {prefix: /}\n  route: {cluster: behind}\n",
			Manager: harness.Normalising + "forward_client_cert_details: SANITIZE_SET\nset_current_client_cert_details: {subject: true, uri: true}\n"},
		{Name: "behind", Plugin: with(`"xfccTrustedElements": 1`), Manager: harness.Normalising + "forward_client_cert_details: ALWAYS_FORWARD_ONLY\n"},
		{Name: "behind-two", Plugin: with(`"xfccTrustedElements": 2`), Manager: harness.Normalising + "forward_client_cert_details: ALWAYS_FORWARD_ONLY\n"},
	}, []harness.Cluster{{Name: "behind", Address: "edge:behind"}}
}

// byCertificate is a client that shows a certificate, or none.
func byCertificate(certificate *tls.Certificate, http2 bool) *http.Client {
	// The edge's certificate is not what is tested.
	config := &tls.Config{InsecureSkipVerify: true}
	if certificate != nil {
		config.Certificates = []tls.Certificate{*certificate}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: http2}, Timeout: 20 * time.Second}
}

// boundToCertificate is a token that is bound to a certificate (RFC 8705 §3.1).
func boundToCertificate(t *testing.T, by *auth0.Server, certificate *tls.Certificate) string {
	digest := sha256.Sum256(certificate.Certificate[0])
	return signed(t, by, auth0.Claims{"cnf": map[string]string{"x5t#S256": base64.RawURLEncoding.EncodeToString(digest[:])}})
}

// TestCertificateBoundTokens uses tokens that are bound to client certificates (RFC 8705 §3)
// with these certificates, with others, with none, and with forged headers.
func TestCertificateBoundTokens(t *testing.T) {
	w := boundEdges(t)
	ca := clientCA()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	anna, eve := issueClient("anna", &ca, ecdsaKey()), issueClient("eve, with \"quotes\"; Hash=0", &ca, rsaKey)
	digest := sha256.Sum256(anna.Certificate[0])
	forged := "Hash=" + hex.EncodeToString(digest[:])
	annas, eves, anyones := boundToCertificate(t, w.Auth0, &anna), boundToCertificate(t, w.Auth0, &eve), signed(t, w.Auth0, nil)
	other := signed(t, w.Auth0, auth0.Claims{"cnf": map[string]string{"x5t": base64.RawURLEncoding.EncodeToString(digest[:20])}})

	for _, c := range []struct {
		name        string
		edge        string
		certificate *tls.Certificate
		token       string
		forwarded   string // a header that the client sends
		want        string // the reason; "" passes
	}{
		{"her own", "mtls", &anna, annas, "", ""},
		{"her own again, from the cache", "mtls", &anna, annas, "", ""},
		{"stolen", "mtls", &eve, annas, "", "binding_mismatch"},
		{"stolen, without a certificate", "mtls", nil, annas, "", "binding_missing"},
		{"stolen, with a forged header", "mtls", &eve, annas, forged, "binding_mismatch"},
		{"stolen, with a forged header and no certificate", "mtls", nil, annas, forged, "binding_missing"},
		{"her own, with a header of another", "mtls", &eve, eves, forged, ""},
		{"not bound", "mtls", &eve, anyones, "", ""},
		{"not bound, without a certificate", "mtls", nil, anyones, "", ""},
		{"bound by a member that is not known", "mtls", &anna, other, "", "binding_missing"},

		{"forwarded", "front", &anna, annas, "", ""},
		{"forwarded, of a subject with quotes", "front", &eve, eves, "", ""},
		{"forwarded, stolen", "front", &eve, annas, "", "binding_mismatch"},
		{"forwarded, stolen, without a certificate", "front", nil, annas, "", "binding_missing"},
		{"forwarded, stolen, with a forged header", "front", &eve, annas, forged, "binding_mismatch"},
		{"forwarded, stolen, with an open quote", "front", &eve, annas, forged + `;Subject="`, "binding_mismatch"},
		{"forwarded, stolen, with a forged header and no certificate", "front", nil, annas, forged, "binding_missing"},
	} {
		for _, http2 := range []bool{false, true} {
			client := byCertificate(c.certificate, http2)
			q, err := http.NewRequest("GET", "https://"+w.At(c.edge)+"/orders", nil)
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("Authorization", "Bearer "+c.token)
			if c.forwarded != "" {
				q.Header.Set("X-Forwarded-Client-Cert", c.forwarded)
			}
			response, err := client.Do(q)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			client.CloseIdleConnections()
			status := 200
			if c.want != "" {
				status = 401
			}
			if response.StatusCode != status || !strings.Contains(string(body), c.want) || (response.ProtoMajor == 2) != http2 {
				t.Errorf("%s: %d %s over %s, want %d %s", c.name, response.StatusCode, body, response.Proto, status, c.want)
			}
			if challenge := response.Header.Get("WWW-Authenticate"); c.want != "" && challenge != `Bearer realm="api", error="invalid_token"` {
				t.Errorf("%s: WWW-Authenticate is %q", c.name, challenge)
			}
		}
	}
}

// TestForwardedClientCertificate sends x-forwarded-client-cert to an edge that takes whoever
// sends it for a proxy in front: of its elements, only the one that counts is believed.
func TestForwardedClientCertificate(t *testing.T) {
	w := boundEdges(t)
	ca := clientCA()
	anna := issueClient("anna", &ca, ecdsaKey())
	digest := sha256.Sum256(anna.Certificate[0])
	hers, others := "Hash="+hex.EncodeToString(digest[:]), "Hash="+strings.Repeat("ab", 32)
	token := boundToCertificate(t, w.Auth0, &anna)
	for _, c := range []struct {
		name  string
		edge  string
		lines []string
		want  string
	}{
		{"one element", "behind", []string{`By=spiffe://x;` + hers + `;Subject="CN=anna"`}, ""},
		{"capitals", "behind", []string{strings.ToUpper(hers)}, ""},
		{"no header", "behind", nil, "binding_missing"},
		{"an empty header", "behind", []string{""}, "binding_missing"},
		{"no hash", "behind", []string{`Subject="CN=anna"`}, "binding_missing"},
		{"two hashes", "behind", []string{hers + ";" + others}, "binding_missing"},
		{"of another", "behind", []string{others}, "binding_mismatch"},
		{"forged, before the proxy's", "behind", []string{hers + "," + others}, "binding_mismatch"},
		{"forged, in a line before the proxy's", "behind", []string{hers, others}, "binding_mismatch"},
		{"forged, around the proxy's", "behind", []string{hers + `;Subject="`, others + `;Subject="CN=eve"`}, "binding_missing"},
		{"the last counts", "behind", []string{others + "," + hers}, ""},
		{"two proxies, one element", "behind-two", []string{hers}, "binding_missing"},
		{"two proxies", "behind-two", []string{hers + "," + others}, ""},
		{"two proxies, forged before them", "behind-two", []string{hers + "," + others + "," + others}, "binding_mismatch"},
		{"two proxies, the last is not the client's", "behind-two", []string{others + "," + hers}, "binding_mismatch"},
	} {
		request := "GET /orders HTTP/1.1\r\nHost: edge\r\nConnection: close\r\nAuthorization: Bearer " + token + "\r\n"
		for _, line := range c.lines {
			request += "X-Forwarded-Client-Cert: " + line + "\r\n"
		}
		got := harness.Raw(w.At(c.edge), request+"\r\n")
		if got.Err != nil || got.Reason != c.want || (got.Status == 200) != (c.want == "") {
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
		}
	}
}
