// Package authz is the usual alternative to a filter: a server beside Envoy that
// answers ext_authz over gRPC. It checks tokens with golang-jwt against a key set
// that it keeps, as a careful team would write it: one fetch, RS256 only, issuer,
// audience and expiry required.
package authz

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	kind "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// Options say what tokens are judged by.
type Options struct {
	Issuer   string
	Audience string
	KeysAt   string // host:port of the provider's TLS port
	Domain   string // its name
	CA       []byte // PEM of the authority behind its certificate
}

// Serve answers on l until it is closed.
func Serve(l net.Listener, o Options) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(o.CA) {
		return errors.New("authz: no certificate in CA")
	}
	s := &server{
		keys: keys{
			url: "https://" + o.Domain + "/.well-known/jwks.json",
			client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
				DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, network, o.KeysAt)
				},
			}},
		},
		parser: jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(o.Issuer),
			jwt.WithAudience(o.Audience), jwt.WithExpirationRequired(), jwt.WithLeeway(time.Minute)),
	}
	g := grpc.NewServer()
	auth.RegisterAuthorizationServer(g, s)
	return g.Serve(l)
}

type server struct {
	auth.UnimplementedAuthorizationServer
	keys   keys
	parser *jwt.Parser
}

// Check implements the ext_authz service.
func (s *server) Check(_ context.Context, q *auth.CheckRequest) (*auth.CheckResponse, error) {
	value := q.GetAttributes().GetRequest().GetHttp().GetHeaders()["authorization"]
	scheme, token, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return denied, nil
	}
	if _, err := s.parser.Parse(token, s.keys.find); err != nil {
		return denied, nil
	}
	return allowed, nil
}

var allowed = &auth.CheckResponse{
	Status:       &status.Status{Code: int32(codes.OK)},
	HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: &auth.OkHttpResponse{}},
}

var denied = &auth.CheckResponse{
	Status: &status.Status{Code: int32(codes.Unauthenticated)},
	HttpResponse: &auth.CheckResponse_DeniedResponse{DeniedResponse: &auth.DeniedHttpResponse{
		Status: &kind.HttpStatus{Code: kind.StatusCode_Unauthorized},
		Headers: []*core.HeaderValueOption{{
			Header: &core.HeaderValue{Key: "www-authenticate", Value: `Bearer error="invalid_token"`},
		}},
	}},
}

// keys keeps the provider's key set: fetched when first needed, and again for an
// unknown kid, but not more than every half minute.
type keys struct {
	url    string
	client *http.Client

	mu      sync.RWMutex
	byKID   map[string]*rsa.PublicKey
	fetched time.Time
}

func (k *keys) find(t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	k.mu.RLock()
	key := k.byKID[kid]
	k.mu.RUnlock()
	if key != nil {
		return key, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.fetched) > 30*time.Second {
		if err := k.fetch(); err != nil {
			return nil, err
		}
	}
	if key := k.byKID[kid]; key != nil {
		return key, nil
	}
	return nil, errors.New("unknown kid")
}

func (k *keys) fetch() error {
	resp, err := k.client.Get(k.url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(io.LimitReader(resp.Body, 512<<10)).Decode(&set); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("key set: %d, %v", resp.StatusCode, err)
	}
	k.byKID = map[string]*rsa.PublicKey{}
	for _, key := range set.Keys {
		if public, ok := key.Key.(*rsa.PublicKey); ok {
			k.byKID[key.KeyID] = public
		}
	}
	k.fetched = time.Now()
	return nil
}
