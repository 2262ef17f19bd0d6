package demo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// tenant is where tokens come from: the stand-in or a real one.
type tenant struct {
	domain, audience       string
	otherAudience          string // a second API of the tenant; "" leaves that step out
	clientID, clientSecret string
	secretShown            bool   // the stand-in's secret may be printed, a real one never
	connect                string // host:port to connect to instead of domain:443
	caFile                 string // authorities that Envoy trusts for it
	ownCA                  bool   // caFile was named by the user
}

// tenantFrom reads the environment. nil without an error means the stand-in.
//
// AUTH0_DOMAIN, AUTH0_AUDIENCE, AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET go
// together. AUTH0_OTHER_AUDIENCE names a second API that the client may ask
// tokens for. AUTH0_CONNECT (host:port) and AUTH0_CA_FILE are for tests and for
// tenants behind a private authority.
func tenantFrom(env func(string) string) (*tenant, error) {
	t := &tenant{
		domain: env("AUTH0_DOMAIN"), audience: env("AUTH0_AUDIENCE"), otherAudience: env("AUTH0_OTHER_AUDIENCE"),
		clientID: env("AUTH0_CLIENT_ID"), clientSecret: env("AUTH0_CLIENT_SECRET"),
		connect: env("AUTH0_CONNECT"), caFile: env("AUTH0_CA_FILE"),
	}
	var missing []string
	for _, v := range []struct{ name, value string }{
		{"AUTH0_DOMAIN", t.domain}, {"AUTH0_AUDIENCE", t.audience},
		{"AUTH0_CLIENT_ID", t.clientID}, {"AUTH0_CLIENT_SECRET", t.clientSecret},
	} {
		if v.value == "" {
			missing = append(missing, v.name)
		}
	}
	switch {
	case len(missing) == 4:
		return nil, nil
	case len(missing) > 0:
		return nil, fmt.Errorf("for a real tenant, %s must be set too (or none of the four AUTH0_ variables, for the stand-in)", strings.Join(missing, ", "))
	case strings.Trim(t.domain, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || !strings.Contains(t.domain, "."):
		return nil, fmt.Errorf("AUTH0_DOMAIN is %q; it must be the tenant's bare name in lower case, for example tenant.eu.auth0.com", t.domain)
	}
	if t.connect != "" {
		if _, _, err := net.SplitHostPort(t.connect); err != nil {
			return nil, fmt.Errorf("AUTH0_CONNECT is %q; it must be host:port", t.connect)
		}
	}
	if t.caFile != "" {
		t.ownCA = true
		if _, err := os.Stat(t.caFile); err != nil {
			return nil, fmt.Errorf("AUTH0_CA_FILE: %w", err)
		}
		return t, nil
	}
	for _, path := range caBundles {
		if _, err := os.Stat(path); err == nil {
			t.caFile = path
			return t, nil
		}
	}
	return nil, fmt.Errorf("no list of certificate authorities at %s; install ca-certificates, or name one with AUTH0_CA_FILE", strings.Join(caBundles, ", "))
}

// caBundles are where systems keep the authorities that they trust.
var caBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, RHEL
	"/etc/ssl/ca-bundle.pem",             // openSUSE
	"/etc/ssl/cert.pem",                  // macOS, Alpine, BSD
}

// client speaks to the tenant as curl does with the line that is printed.
func (t *tenant) client() (*http.Client, error) {
	pem, err := os.ReadFile(t.caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New(t.caFile + " holds no certificate")
	}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		if t.connect != "" {
			addr = t.connect
		}
		return (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, network, addr)
	}
	return &http.Client{
		Timeout:   20 * time.Second,
		Transport: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true, ForceAttemptHTTP2: true},
	}, nil
}
