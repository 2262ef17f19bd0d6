package plugin_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

const (
	issuer   = "https://tenant.auth0.example/"
	audience = "https://api.example.com"
)

// modulePath is the shipped module, made by make build.
const modulePath = "../dist/edgejwt.wasm"

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // the emulator prints every host call
	os.Exit(m.Run())
}

// world is an emulated host with one started plugin.
type world struct {
	testing.TB
	proxytest.HostEmulator
	form   form
	now    time.Time
	served int
}

const auth0Config = `{"auth0": {"domain": "tenant.auth0.example", "audience": "https://api.example.com", "cluster": "auth0",
	"outputPayloadToHeader": "x-jwt-payload",
	"outputClaimToHeaders": [{"header": "x-jwt-sub", "claim": "sub"}, {"header": "x-org", "claim": "https://example.com/org"}]}}`

func newWorld(t testing.TB, form form, config string) *world {
	t.Helper()
	host, reset := form.start(config)
	t.Cleanup(reset)
	w := &world{TB: t, HostEmulator: host, form: form, now: form.now}
	if w.StartVM() != types.OnVMStartStatusOK {
		t.Fatal("the VM did not start")
	}
	if w.StartPlugin() != types.OnPluginStartStatusOK {
		t.Fatalf("the plugin did not start: %q", w.GetCriticalLogs())
	}
	return w
}

// callouts are the fetches that wait for an answer.
func (w *world) callouts() []proxytest.HttpCalloutAttribute {
	return w.GetCalloutAttributesFromContext(proxytest.PluginContextID)
}

// tickUntilFetch ticks until the plugin has a callout under way, and gives it.
func (w *world) tickUntilFetch(seen int) proxytest.HttpCalloutAttribute {
	w.Helper()
	for range 200 {
		w.Tick()
		if calls := w.callouts(); len(calls) > seen {
			return calls[len(calls)-1]
		}
		time.Sleep(time.Millisecond)
	}
	w.Fatal("200 ticks and no fetch")
	return proxytest.HttpCalloutAttribute{}
}

// serveKeys ticks until the plugin fetches, and answers with the key set.
func (w *world) serveKeys(set []byte) {
	w.Helper()
	call := w.tickUntilFetch(w.served)
	w.served++
	w.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}, {"content-type", "application/json"}}, nil, set)
}

// send sends a request's headers and gives the stream.
func (w *world) send(headers ...[2]string) *stream {
	w.Helper()
	id := w.InitializeHttpContext()
	all := [][2]string{{":method", "GET"}, {":path", "/orders"}, {":authority", "api.example.com"}}
	for _, h := range headers {
		if h[0] == ":method" {
			all[0] = h
		} else {
			all = append(all, h)
		}
	}
	return &stream{w, id, w.CallOnRequestHeaders(id, all, true)}
}

func bearer(token string) [2]string { return [2]string{"authorization", "Bearer " + token} }

type stream struct {
	*world
	id     uint32
	action types.Action
}

// refusedWith asserts a local reply with the status and the reason.
func (s *stream) refusedWith(status uint32, reason string) *proxytest.LocalHttpResponse {
	s.Helper()
	reply := s.GetSentLocalResponse(s.id)
	if reply == nil {
		s.Fatalf("no reply, want %d %s (action %v)", status, reason, s.GetCurrentHttpStreamAction(s.id))
	}
	if reply.StatusCode != status || reply.StatusCodeDetail != reason {
		s.Errorf("reply %d %q, want %d %q", reply.StatusCode, reply.StatusCodeDetail, status, reason)
	}
	if got := s.GetCurrentHttpStreamAction(s.id); got != types.ActionPause {
		s.Errorf("action %v after a refusal, want Pause", got)
	}
	return reply
}

// accepted asserts that the request went on, and gives its headers.
func (s *stream) accepted() map[string]string {
	s.Helper()
	if reply := s.GetSentLocalResponse(s.id); reply != nil {
		s.Fatalf("reply %d %s, want the request to go on", reply.StatusCode, reply.StatusCodeDetail)
	}
	if got := s.GetCurrentHttpStreamAction(s.id); got != types.ActionContinue {
		s.Fatalf("action %v, want Continue", got)
	}
	headers := map[string]string{}
	for _, h := range s.GetCurrentRequestHeaders(s.id) {
		headers[h[0]] = strings.Clone(h[1])
	}
	return headers
}

// waiting asserts that the request is held back, unanswered.
func (s *stream) waiting() {
	s.Helper()
	if s.GetSentLocalResponse(s.id) != nil || s.GetCurrentHttpStreamAction(s.id) != types.ActionPause {
		s.Fatal("the request does not wait")
	}
}

// signer signs with golang-jwt and publishes with go-jose: neither is ours.
type signer struct {
	kid string
	key *rsa.PrivateKey
}

var signers = struct {
	sync.Mutex
	byKID map[string]*signer
}{byKID: map[string]*signer{}}

// signerOf gives the one signer of a kid; keys are made once, they take a while.
func signerOf(kid string) *signer {
	signers.Lock()
	defer signers.Unlock()
	if s, ok := signers.byKID[kid]; ok {
		return s
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	s := &signer{kid, key}
	signers.byKID[kid] = s
	return s
}

// keySet is the JWKS of the signers.
func keySet(kids ...string) []byte {
	var set jose.JSONWebKeySet
	for _, kid := range kids {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: &signerOf(kid).key.PublicKey, KeyID: kid, Algorithm: "RS256", Use: "sig"})
	}
	document, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return document
}

// sign makes a token that is valid but for the claims given; nil removes one.
func (f form) sign(kid string, changes map[string]any) string {
	return signWith(signerOf(kid), kid, f.now, changes)
}

// signAs signs with one key under the name of another.
func (f form) signAs(kid, with string) string { return signWith(signerOf(with), kid, f.now, nil) }

func signWith(by *signer, kid string, now time.Time, changes map[string]any) string {
	claims := jwt.MapClaims{
		"iss": issuer, "aud": audience, "sub": "client@clients",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	maps.Copy(claims, changes)
	for name, value := range claims {
		if value == nil {
			delete(claims, name)
		}
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = kid
	text, err := token.SignedString(by.key)
	if err != nil {
		panic(err)
	}
	return text
}

// counterAfterTick returns a counter after the next tick.
func (w *world) counterAfterTick(name string) uint64 {
	w.Tick()
	return w.counter(name)
}

func (w *world) counter(name string) uint64 {
	w.Helper()
	value, err := w.GetCounterMetric(name)
	if err != nil {
		w.Fatal(err)
	}
	return value
}

func reasonCounter(reason string) string { return fmt.Sprintf("edgejwt_requests;reason=%s;;", reason) }
