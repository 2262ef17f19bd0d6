// Package policytest is an example to copy: a policy is tested in its own
// repository, by the compiled plugin in an emulated host, without Envoy, network
// or provider. policy_test.go is what an operator writes; this file, written once,
// starts the plugin and hands it the keys that it asks for.
package policytest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log"
	"os"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// edge is the plugin with a policy, and a key that signs for its issuer.
type edge struct {
	proxytest.HostEmulator
	t   *testing.T
	key *rsa.PrivateKey
}

// start fails the test when the plugin refuses the policy.
func start(t *testing.T, module, policy string) *edge {
	t.Helper()
	log.SetOutput(io.Discard) // the emulator prints every host call
	vm := must(proxytest.NewWasmVMContext(must(os.ReadFile(module))))
	host, reset := proxytest.NewHostEmulator(proxytest.NewEmulatorOption().
		WithVMContext(vm).WithPluginConfiguration(must(os.ReadFile(policy))))
	t.Cleanup(func() { reset(); vm.Close() })
	if host.StartVM() != types.OnVMStartStatusOK || host.StartPlugin() != types.OnPluginStartStatusOK {
		t.Fatalf("%s is refused: %q", policy, host.GetCriticalLogs())
	}
	e := &edge{host, t, must(rsa.GenerateKey(rand.Reader, 2048))}
	keys := must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: e.key.Public(), KeyID: "test"}}}))
	for range 1000 { // the plugin fetches on a tick
		if host.Tick(); len(host.GetCalloutAttributesFromContext(proxytest.PluginContextID)) > 0 {
			break
		}
	}
	for _, call := range host.GetCalloutAttributesFromContext(proxytest.PluginContextID) {
		host.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}}, nil, keys)
	}
	return e
}

// token signs claims; they are good from the emulator's clock, which begins in 2022, on.
func (e *edge) token(claims jwt.MapClaims) string {
	claims["exp"] = time.Date(2022, 1, 2, 0, 0, 0, 0, time.UTC).Unix()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "test"
	return must(token.SignedString(e.key))
}

// ask gives the status and the reason of the plugin's answer; 200 and none when
// the request goes on to the API.
func (e *edge) ask(method, path, token string) (status uint32, reason string) {
	headers := [][2]string{{":method", method}, {":path", path}, {":authority", "api.example.com"}}
	if token != "" {
		headers = append(headers, [2]string{"authorization", "Bearer " + token})
	}
	id := e.InitializeHttpContext()
	action := e.CallOnRequestHeaders(id, headers, true)
	if reply := e.GetSentLocalResponse(id); reply != nil {
		return reply.StatusCode, reply.StatusCodeDetail
	}
	if action != types.ActionContinue {
		e.t.Fatalf("%s %s neither passes nor is answered", method, path)
	}
	return 200, ""
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
