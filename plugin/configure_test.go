package plugin

import (
	"io"
	"log"
	"testing"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"

	"edgejwt/plugin/config"
)

// TestConfiguredAgain: a host that configures a plugin context a second time gets
// the second configuration as a whole, with the keys that are known already, and
// one with a fault changes nothing.
func TestConfiguredAgain(t *testing.T) {
	log.SetOutput(io.Discard)
	host, vm := startFaulty(t, `{"auth0": {"domain": "tenant.auth0.example", "audience": "a"}}`)
	host.RegisterForeignFunction("verify_signature", func([]byte) []byte { return []byte{0} }) // no engine
	send := func() uint32 {
		id := host.InitializeHttpContext()
		host.CallOnRequestHeaders(id, [][2]string{{":method", "GET"}, {"authorization", "Bearer " + waitingToken}}, true)
		return id
	}
	configure := func(document string) error {
		t.Helper()
		cfg, err := config.Parse([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		return vm.plugin.configure(cfg)
	}
	pending := send()
	host.Tick()
	calls := host.GetCalloutAttributesFromContext(proxytest.PluginContextID)
	if len(calls) != 1 {
		t.Fatalf("%d callouts, want 1", len(calls))
	}

	// The second configuration denies the key of the token.
	if err := configure(`{"auth0": {"domain": "tenant.auth0.example", "audience": "a"}, "keys": {"deny": ["k"]}}`); err != nil {
		t.Fatal(err)
	}
	if n := len(vm.plugin.sources); n != 1 {
		t.Errorf("%d key sources, want that of the second configuration alone", n)
	}
	host.CallOnHttpCallResponse(calls[0].CalloutID, [][2]string{{":status", "200"}}, nil, []byte(waitingKeys))
	host.Tick()
	for _, call := range host.GetCalloutAttributesFromContext(proxytest.PluginContextID)[1:] {
		host.CallOnHttpCallResponse(call.CalloutID, [][2]string{{":status", "200"}}, nil, []byte(waitingKeys))
	}
	if reply := host.GetSentLocalResponse(send()); reply == nil || reply.StatusCodeDetail != "key_unknown" {
		t.Errorf("a token with a denied kid: %+v, want key_unknown", reply)
	}

	// The third takes over what the second knows: nothing waits.
	if err := configure(`{"auth0": {"domain": "tenant.auth0.example", "audience": "b"}, "realm": "third"}`); err != nil {
		t.Fatal(err)
	}
	if reply := host.GetSentLocalResponse(send()); reply == nil || reply.StatusCodeDetail != "audience_mismatch" {
		t.Errorf("for another audience: %+v, want audience_mismatch", reply)
	}

	before := vm.plugin.setup
	if err := configure(`{"auth0": {"domain": "tenant.auth0.example", "audience": "c"}, "signature": "host"}`); err == nil {
		t.Fatal("a host without an engine is taken for one with it")
	}
	if vm.plugin.setup != before {
		t.Error("a configuration that was refused has left something")
	}

	// What waited by the first configuration is decided by the first.
	later := time.Now().Add(time.Minute)
	vm.plugin.clock = func() time.Time { return later }
	host.Tick()
	if reply := host.GetSentLocalResponse(pending); reply == nil || reply.StatusCodeDetail != "keys_unavailable" {
		t.Errorf("a request of the first configuration: %+v, want keys_unavailable", reply)
	}
}

// waitingKeys has a key with the kid of waitingToken, which is not signed with it.
const waitingKeys = `{"keys": [{"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "e": "AQAB",
	"n": "vMoYiMOPPpsSMlRBaFmKZJr2xUK2UXsjwjIqEjPymHiHniwFg188HJuXgEeLtkaDbjdGwOJeF6rubVgDyufb8WyCW68ocChDfPQZIOz8JjvwBIBlNS8kGbj7OXMms36fXJZMtSH5JsWftghKlY8QvFkELd5avVRqLVLZFvkDuLzXVotlDiLodjmLZ_VGRHbGKtExSKKXuLvYIO5ul4x-n0qU7BgXIEwMwwbGJ4XwgZQerO_Zv7dC31Lykt3dbktcE60itOfkt7QHEz_0L2Jf5yiCcL7lHfPci2ZguiPiSfwK6pMXJiJGjHaSFQwWr9LL6rvOayGNx3ohurhOeplRhQ"}]}`
