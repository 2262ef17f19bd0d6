package harness

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"edgejwt/e2e/auth0"
)

// Edge is one more listener of a world, with a configuration of the plugin of its
// own. An Envoy that has compiled the module once serves any number of them, so
// a test that needs several configurations gets them for the price of one. All
// of them share one VM for each worker.
type Edge struct {
	// Name is the listener's, unique in the world; its requests' addresses are
	// World.At(Name).
	Name string
	// Plugin is the plugin's configuration; default DefaultPlugin.
	Plugin string
	// Manager is what the connection manager is told besides filters and routes,
	// as YAML at column 0; default Normalising.
	Manager string
	// Before and Behind are filters before and behind the plugin: YAML lists at
	// column 0.
	Before, Behind string
	// Routes are Envoy's, a YAML list at column 0; default all to the API.
	Routes string
	// VirtualHosts stand beside the one of Routes, whose domain is "*": a YAML list
	// at column 0.
	VirtualHosts string
	// IgnoreHostPort sets ignore_port_in_host_matching.
	IgnoreHostPort bool
	// HTTP3 makes it one of HTTP/3, over UDP, with a certificate of its own making.
	HTTP3 bool
	// ClientCA makes it one of TLS, with a certificate of its own making. It asks clients
	// for certificates and accepts those that this authority, in PEM, has issued; and it
	// accepts clients without one.
	ClientCA string
	// Log is the format of the access log (World.LogOf); default that of AccessLog.
	Log string
	// LogFormat takes the place of Log where it is given: the access log's log_format,
	// in JSON.
	LogFormat string
}

// What Envoy may do to paths before the plugin sees them, as Edge.Manager.
const (
	// Normalising is what the shipped example has.
	Normalising = "normalize_path: true\nmerge_slashes: true\npath_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT\n"
	// Unescaping is the same without sending the client elsewhere.
	Unescaping = "normalize_path: true\nmerge_slashes: true\npath_with_escaped_slashes_action: UNESCAPE_AND_FORWARD\n"
	// AsSent leaves paths as they came.
	AsSent = "normalize_path: false\nmerge_slashes: false\npath_with_escaped_slashes_action: KEEP_UNCHANGED\n"
)

const (
	everythingToAPI  = "- match: {prefix: /}\n  route: {cluster: api, timeout: 60s}\n"
	usualLog         = "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %REQ(:METHOD)% %PATH(NQ)%"
	usualHeadersRule = "common_http_protocol_options: {headers_with_underscores_action: ALLOW}\n"
	// Envoy would wait a second before it closes a connection with a broken request.
	soonClosed = "delayed_close_timeout: 0.1s\n"
)

// selfSigned is what an edge of TLS or HTTP/3 shows, in PEM; nobody need trust it.
var selfSigned = sync.OnceValues(func() (certificate, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"edge"}, NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	if err != nil {
		panic(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	block := func(kind string, bytes []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}))
	}
	return block("CERTIFICATE", der), block("PRIVATE KEY", secret)
})

// Certificate is what an edge of TLS or HTTP/3 shows, in PEM.
func (e Edge) Certificate() string { certificate, _ := selfSigned(); return certificate }

// Key is the certificate's, in PEM.
func (e Edge) Key() string { _, key := selfSigned(); return key }

// Cluster is one more server that Envoy reaches.
type Cluster struct {
	Name    string
	Address string // host:port, or "edge:" and the name of an edge
	HTTP2   bool
	// Trailers sends it the trailers of requests by HTTP/1.1; by HTTP/2 it gets
	// them anyway.
	Trailers bool
	// Provider makes it a tenant, reached over TLS with its name checked; Address
	// is then its own.
	Provider *auth0.Server
}

// cluster is what the template is told of one.
type cluster struct {
	Name, Address, CA, CertificateOf string
	HTTP2, Trailers                  bool
}

// clusters are all that Envoy reaches besides the API.
func (w *World) clusters() []cluster {
	list := []cluster{w.provider("auth0", w.Auth0, w.opts.CertificateOf)}
	for _, c := range w.opts.Clusters {
		if c.Provider != nil {
			list = append(list, w.provider(c.Name, c.Provider, ""))
			continue
		}
		if name, is := strings.CutPrefix(c.Address, "edge:"); is {
			c.Address = w.At(name)
		}
		list = append(list, cluster{Name: c.Name, Address: c.Address, HTTP2: c.HTTP2, Trailers: c.Trailers})
	}
	return list
}

func (w *World) provider(name string, of *auth0.Server, certificateOf string) cluster {
	file := name + "-ca.pem"
	w.put(file, string(of.CA()))
	return cluster{Name: name, Address: of.Address(), CA: filepath.Join(w.Dir, file), CertificateOf: cmp.Or(certificateOf, of.Domain())}
}

// completed gives edges what they leave open.
func completed(edges []Edge) []Edge {
	done := make([]Edge, len(edges))
	for i, e := range edges {
		e.Plugin = cmp.Or(e.Plugin, DefaultPlugin)
		e.Manager = cmp.Or(e.Manager, Normalising)
		if !strings.Contains(e.Manager, "common_http_protocol_options") {
			e.Manager += usualHeadersRule
		}
		e.Manager += soonClosed
		e.Routes = cmp.Or(e.Routes, everythingToAPI)
		e.Log = cmp.Or(e.Log, usualLog)
		done[i] = e
	}
	return done
}

// At is host:port of an edge.
func (w *World) At(edge string) string {
	w.T.Helper()
	address := w.edges[edge]
	if address == "" {
		w.T.Fatalf("there is no edge %q", edge)
	}
	return address
}

// LogOf is the access log of an edge: one line per finished request.
func (w *World) LogOf(edge string) []string {
	data, err := os.ReadFile(filepath.Join(w.Dir, edge+".log"))
	if err != nil || len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimRight(string(data), "\n"), "\n")
}
