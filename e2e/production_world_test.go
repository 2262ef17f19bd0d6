package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
	"edgejwt/e2e/parts"
)

// production is an Envoy with the files of deploy/envoy, changed only in
// addresses, paths and names.
type production struct {
	t       *testing.T
	auth0   *auth0.Server
	envoy   *parts.Envoy
	dir     string
	host    string // of the edge, with port
	metrics string // host:port
	client  *http.Client
	changes []string // old, new, old, new …
}

const productionHost = "api.example.com"

// laidOut copies deploy/envoy to a folder of its own and adapts it. change is
// made besides, in whichever file it applies to.
func laidOut(t *testing.T, change ...string) *production {
	t.Helper()
	w := harness.Shared(t) // for its tenant and its API
	p := &production{t: t, auth0: w.Auth0, dir: t.TempDir(), host: freePort(t), metrics: freePort(t)}
	admin := freePort(t)
	p.changes = append(change,
		"/etc/ssl/certs/ca-certificates.crt", filepath.Join(p.dir, "ca.pem"),
		"/etc/envoy/edgejwt.wasm", filepath.Join(harness.Root(), "dist/edgejwt.wasm"),
		"/etc/envoy", p.dir,
		"address: 0.0.0.0, port_value: 8443", socketAt(p.host),
		"address: 0.0.0.0, port_value: 9902", socketAt(p.metrics),
		"address: 127.0.0.1, port_value: 9901", socketAt(admin),
		"address: api, port_value: 8000", socketAt(w.API.Address),
		"address: tenant.eu.auth0.com, port_value: 443", socketAt(w.Auth0.Address()),
		"tenant.eu.auth0.com", w.Auth0.Domain(),
	)
	roots := p.certificate()
	p.put("ca.pem", string(w.Auth0.CA()))
	used := map[string]bool{}
	for _, name := range []string{"envoy.yaml", "live/listeners.yaml", "live/clusters.yaml", "live/secrets.yaml"} {
		text := fileInRoot(t, "deploy", "envoy", name)
		for i := 0; i < len(p.changes); i += 2 {
			used[p.changes[i]] = used[p.changes[i]] || strings.Contains(text, p.changes[i])
		}
		p.put(name, p.adapted(text))
	}
	for old, ok := range used {
		if !ok {
			t.Fatalf("nothing in deploy/envoy says %q", old)
		}
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: productionHost}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	p.client = &http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p
}

// adapted is a file with the changes made. For an older Envoy the list of
// capabilities goes two columns to the left, as the comment above it says.
func (p *production) adapted(text string) string {
	p.t.Helper()
	text = strings.NewReplacer(p.changes...).Replace(text)
	before, list, ok := strings.Cut(text, listStart)
	if !ok || !olderEnvoy(p.t) {
		return text
	}
	list, after, _ := strings.Cut(list, listEnd)
	return before + strings.ReplaceAll("\n"+listStart+list, "\n  ", "\n")[1:] + listEnd + after
}

// put replaces a file the way that the README says: write it elsewhere, move it.
func (p *production) put(name, text string) {
	p.t.Helper()
	path, draft := filepath.Join(p.dir, name), filepath.Join(p.dir, "draft")
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(draft, []byte(text), 0o644)
	}
	if err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *production) start() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	e, err := parts.StartEnvoy(ctx, parts.EnvoyOptions{
		Root: harness.Root(), Config: filepath.Join(p.dir, "envoy.yaml"), Log: filepath.Join(p.dir, "log"), Concurrency: 2,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.envoy = e
	p.t.Cleanup(func() {
		if p.t.Failed() {
			p.t.Logf("the end of Envoy's log:\n%s", e.Tail(40))
		}
		e.Stop()
	})
}

// do asks the edge over TLS; it answers nil while there is no listener.
func (p *production) do(method, path string, headers ...string) (*http.Response, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, "https://"+p.host+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Host = productionHost
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp, string(body)
}

// status is that of a GET, 0 for no answer.
func (p *production) status(path string, headers ...string) int {
	p.t.Helper()
	resp, _ := p.do("GET", path, headers...)
	if resp == nil {
		return 0
	}
	return resp.StatusCode
}

func (p *production) eventually(what string, done func() bool) {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("not within half a minute: %s", what)
		}
	}
}

// log is the access log's objects.
func (p *production) log() (lines []map[string]any) {
	for line := range strings.Lines(p.envoy.Output()) {
		var object map[string]any
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &object) == nil {
			lines = append(lines, object)
		}
	}
	return lines
}

// certificate makes the one that clients see, and what they trust.
func (p *production) certificate() *x509.CertPool {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{productionHost}, Subject: pkix.Name{CommonName: productionHost}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		p.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		p.t.Fatal(err)
	}
	crt := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	p.put("tls/tls.crt", string(crt))
	p.put("tls/tls.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(crt)
	return roots
}

func freePort(t *testing.T) string {
	t.Helper()
	address, err := parts.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func socketAt(address string) string {
	host, port, _ := net.SplitHostPort(address)
	return "address: " + host + ", port_value: " + port
}
