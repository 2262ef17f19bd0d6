// Package auth0 is a stand-in for an Auth0 tenant, for the demonstration and
// the tests. It answers as Auth0 does at the three places that a machine-to-
// machine client and a verifier use: POST /oauth/token (RFC 6749 §4.4),
// GET /.well-known/jwks.json (RFC 7517 §5) and
// GET /.well-known/openid-configuration (OpenID Connect Discovery §4), over TLS
// under its own short-lived certificate authority.
//
// Unlike the real one it can be told to misbehave: keys rotate or are
// withdrawn on demand, the key endpoint can be slow, broken or dead (Fault), and
// every fetch is counted. The same switches are methods of Server and, for other
// processes, requests to its control port (control.go).
//
// Nothing here is safe to expose: the control port mints any token that it is
// asked for. All ports are on the loopback interface.
package auth0

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// What the stand-in is when Options leaves it open. The client's secret is no
// secret: it opens nothing but this stand-in.
const (
	DefaultDomain       = "tenant.auth0.example"
	DefaultAudience     = "https://api.example.com"
	DefaultClientID     = "demoClientOfTheStandIn0123456789"
	DefaultClientSecret = "no-secret-it-opens-only-the-stand-in"
	// OtherAudience is a second API of the tenant, which the default client may
	// ask tokens for too: good tokens that the first API must refuse.
	OtherAudience = "https://other.example.com"
	// DefaultCacheControl is what Auth0 sends with its key set.
	DefaultCacheControl = "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400"
	// TokenLifetime is Auth0's default for an API's access tokens.
	TokenLifetime = 24 * time.Hour
)

// Client is an application registered with the tenant.
type Client struct {
	Secret string
	// Grants maps the audience of each API that the client may ask tokens for to
	// the scopes it gets, space separated.
	Grants map[string]string
}

// Options are what a tenant is made of. The zero value is a working one.
type Options struct {
	Domain       string            // tenant's name; default DefaultDomain
	Certificate  []string          // DNS names in its certificate, wildcards allowed; default Domain
	Audiences    []string          // APIs it knows; default DefaultAudience and OtherAudience
	Clients      map[string]Client // by client id; default one client with both APIs
	Address      string            // host:port for TLS; default 127.0.0.1:0
	Control      string            // host:port of the control port; default none
	CAFile       string            // where the authority's PEM goes; default nowhere
	CacheControl string            // of the key set; default DefaultCacheControl, "-" sends none
	ETag         bool              // send an ETag with the key set and honour If-None-Match
}

// Server is one running tenant. Its methods may be called by several goroutines.
type Server struct {
	opts Options
	ca   *authority
	cert tls.Certificate

	mu      sync.Mutex
	address string // where it listens, or listened before Stop
	http    *http.Server
	control *http.Server
	stopped chan struct{} // closed by Stop: ends hanging answers
	keys    keyRing
	faults  [endpoints]Fault
	// replaced is closed when a fault is replaced: it opens the gate.
	replaced chan struct{}
	fetches  [endpoints]fetchLog
}

// Start makes a tenant with fresh keys and certificates and serves it. It
// returns when the port accepts connections. The caller ends it with Close.
func Start(o Options) (*Server, error) {
	o.setDefaults()
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	cert, err := ca.issue(o.Certificate)
	if err != nil {
		return nil, err
	}
	if o.CAFile != "" {
		if err := os.MkdirAll(filepath.Dir(o.CAFile), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(o.CAFile, ca.pem, 0o644); err != nil {
			return nil, err
		}
	}
	s := &Server{opts: o, ca: ca, cert: cert, address: o.Address}
	if err := s.keys.init(o.Domain); err != nil {
		return nil, err
	}
	if err := s.Resume(); err != nil {
		return nil, err
	}
	if o.Control != "" {
		l, err := net.Listen("tcp", o.Control)
		if err != nil {
			s.Stop()
			return nil, fmt.Errorf("stand-in's control port: %w", err)
		}
		s.control = &http.Server{Handler: s.controlHandler(), Addr: l.Addr().String(), ReadHeaderTimeout: 5 * time.Second}
		go s.control.Serve(l)
	}
	return s, nil
}

func (o *Options) setDefaults() {
	if o.Domain == "" {
		o.Domain = DefaultDomain
	}
	if len(o.Certificate) == 0 {
		o.Certificate = []string{o.Domain}
	}
	if len(o.Audiences) == 0 {
		o.Audiences = []string{DefaultAudience, OtherAudience}
	}
	if o.Clients == nil {
		o.Clients = map[string]Client{DefaultClientID: {Secret: DefaultClientSecret, Grants: map[string]string{
			DefaultAudience: "read:orders write:orders",
			OtherAudience:   "read:other",
		}}}
	}
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.CacheControl == "" {
		o.CacheControl = DefaultCacheControl
	}
}

// Resume listens again after Stop, on the same port. It does nothing while the
// tenant is listening.
func (s *Server) Resume() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("stand-in: %w", err)
	}
	s.address = l.Addr().String()
	s.stopped = make(chan struct{})
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		// HTTP/1.1 only: the faults break connections, and with HTTP/2 they would
		// break other people's streams too.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		TLSConfig:    &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12},
		ErrorLog:     discardLog,
	}
	go s.http.ServeTLS(l, "", "")
	return nil
}

// Stop closes the port and every connection at once, as a killed process
// would. Keys, faults and counts stay; Resume brings it back.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http == nil {
		return
	}
	close(s.stopped)
	s.http.Close()
	s.http = nil
}

// Close ends the tenant and its control port.
func (s *Server) Close() error {
	s.Stop()
	if s.control == nil {
		return nil
	}
	if err := s.control.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Domain is the tenant's name.
func (s *Server) Domain() string { return s.opts.Domain }

// Issuer is the "iss" of its tokens: https://{domain}/, with the slash.
func (s *Server) Issuer() string { return "https://" + s.opts.Domain + "/" }

// Address is host:port of the TLS port.
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// ControlAddress is host:port of the control port, empty when there is none.
func (s *Server) ControlAddress() string {
	if s.control == nil {
		return ""
	}
	return s.control.Addr
}

// CA is the PEM of the authority that signed the tenant's certificate.
func (s *Server) CA() []byte { return s.ca.pem }

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/oauth/token", s.serveToken)
	mux.HandleFunc("/.well-known/jwks.json", s.serveKeys)
	mux.HandleFunc("/.well-known/openid-configuration", s.serveDiscovery)
	return mux
}
