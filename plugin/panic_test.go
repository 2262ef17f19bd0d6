package plugin

import (
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/plugin/authz"
	"edgejwt/verify"
)

// faultyVM is a VM whose plugin can be made to panic.
type faultyVM struct {
	types.DefaultVMContext
	plugin *pluginContext
}

func (v *faultyVM) NewPluginContext(id uint32) types.PluginContext {
	v.plugin = newPluginContext(id)
	return v.plugin
}

// startFaulty starts a plugin with this configuration in an emulated host.
func startFaulty(t *testing.T, config string) (proxytest.HostEmulator, *faultyVM) {
	t.Helper()
	vm := &faultyVM{}
	host, reset := proxytest.NewHostEmulator(proxytest.NewEmulatorOption().WithVMContext(vm).WithPluginConfiguration([]byte(config)))
	t.Cleanup(reset)
	if host.StartPlugin() != types.OnPluginStartStatusOK {
		t.Fatal("did not start")
	}
	return host, vm
}

// TestPanicsEndAtTheCallback causes a panic in each callback. None may reach the host, which
// would end the VM. The request of the callback gets 500.
func TestPanicsEndAtTheCallback(t *testing.T) {
	log.SetOutput(io.Discard)
	const config = `{"auth0": {"domain": "tenant.auth0.example", "audience": "a", "outputPayloadToHeader": "x-p"}}`
	const secret = "value of a panic"
	explode := func() { panic(secret) }
	send := func(h proxytest.HostEmulator) uint32 {
		id := h.InitializeHttpContext()
		h.CallOnRequestHeaders(id, [][2]string{{":method", "GET"}, {"authorization", "Bearer " + waitingToken}}, false)
		return id
	}
	cases := []struct {
		during string
		plant  func(h proxytest.HostEmulator, ctx *pluginContext) (stream uint32) // 0: none to be answered
	}{
		{"request headers", func(h proxytest.HostEmulator, ctx *pluginContext) uint32 {
			ctx.requestClock = func() time.Time { explode(); return time.Time{} }
			return send(h)
		}},
		{"tick", func(h proxytest.HostEmulator, ctx *pluginContext) uint32 {
			ctx.clock = func() time.Time { explode(); return time.Time{} }
			h.Tick()
			return 0
		}},
		{"pending request", func(h proxytest.HostEmulator, ctx *pluginContext) uint32 {
			id := send(h)
			ctx.pending.requests[0].decision = authz.Decision{} // without an Authorizer: a nil dereference
			ctx.pending.requests[0].deadline = time.Time{}
			ctx.afterKeyEvents()
			return id
		}},
	}
	for _, c := range cases {
		t.Run(c.during, func(t *testing.T) {
			host, vm := startFaulty(t, config)
			stream := c.plant(host, vm.plugin)
			if n, _ := host.GetCounterMetric("edgejwt_panics"); n != 1 {
				t.Errorf("%d panics counted, want 1", n)
			}
			said := strings.Join(host.GetCriticalLogs(), "\n")
			if !strings.Contains(said, "in "+c.during) || strings.Contains(said, secret) {
				t.Errorf("the log says %q", said)
			}
			if stream == 0 {
				return
			}
			reply := host.GetSentLocalResponse(stream)
			if reply == nil || reply.StatusCode != 500 || reply.StatusCodeDetail != verify.Internal.String() {
				t.Fatalf("reply %+v, want 500 internal", reply)
			}
			if host.GetCurrentHttpStreamAction(stream) != types.ActionPause {
				t.Error("the request goes on")
			}
		})
	}
}

// waitingToken is well formed. Its key is not in the key set yet:
// {"alg":"RS256","kid":"k"}.{"iss":"https://tenant.auth0.example/","aud":"a","exp":9999999999}
const waitingToken = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ" +
	".eyJpc3MiOiJodHRwczovL3RlbmFudC5hdXRoMC5leGFtcGxlLyIsImF1ZCI6ImEiLCJleHAiOjk5OTk5OTk5OTl9.AAAA"

// TestRefusedIsNotDecidedAgain: a panic while a request waits refuses the request, and keys
// that come later do not let it pass.
func TestRefusedIsNotDecidedAgain(t *testing.T) {
	log.SetOutput(io.Discard)
	host, vm := startFaulty(t, `{"auth0": {"domain": "tenant.auth0.example", "audience": "a", "outputPayloadToHeader": "x-p"}}`)
	id := host.InitializeHttpContext()
	host.CallOnRequestHeaders(id, [][2]string{{":method", "POST"}, {"authorization", "Bearer " + waitingToken}}, false)
	q := vm.plugin.pending.requests[0]
	q.setup.authz = nil // the trailers cause a nil dereference
	host.CallOnRequestTrailers(id, [][2]string{{"x-p", "forged"}})
	if reply := host.GetSentLocalResponse(id); reply == nil || reply.StatusCode != 500 {
		t.Fatalf("reply %+v, want 500", reply)
	}
	if q.state != refused || len(vm.plugin.pending.requests) != 0 {
		t.Errorf("state %d, %d pending; want it refused and removed", q.state, len(vm.plugin.pending.requests))
	}
	if q.resume(time.Now()) || q.state != refused {
		t.Error("it was decided again")
	}
}

// TestOneFaultySourceLeavesTheOthersAlone: a source that panics at each tick delays no
// deadline, and it does not panic a thousand times a second.
func TestOneFaultySourceLeavesTheOthersAlone(t *testing.T) {
	log.SetOutput(io.Discard)
	host, vm := startFaulty(t, `{"auth0": {"domain": "tenant.auth0.example", "audience": "a"}, "keys": {"wait": "100ms"}}`)
	id := host.InitializeHttpContext()
	host.CallOnRequestHeaders(id, [][2]string{{":method", "GET"}, {"authorization", "Bearer " + waitingToken}}, true)
	broken := *vm.plugin.sources[0]
	broken.machine = nil
	broken.metrics = &keySourceMetrics{next: time.Now().Add(time.Hour)}
	later := time.Now().Add(time.Second)
	vm.plugin.clock = func() time.Time { return later }
	vm.plugin.sources = []*keySource{vm.plugin.sources[0]}
	faulty := &broken
	faulty.tick(later)
	host.Tick()
	if n, _ := host.GetCounterMetric("edgejwt_panics"); n != 1 {
		t.Errorf("%d panics counted, want 1", n)
	}
	if reply := host.GetSentLocalResponse(id); reply == nil || reply.StatusCode != 503 {
		t.Errorf("reply %+v after the wait, want 503", reply)
	}
	if host.GetTickPeriod() < 1000 {
		t.Errorf("next tick after %d ms, want a second at least", host.GetTickPeriod())
	}
}

// TestOnlyAnAbsentRecordIsMadeAnew: with version 0 the machine creates a record, so a failure
// to read must not look like a missing record.
func TestOnlyAnAbsentRecordIsMadeAnew(t *testing.T) {
	if _, version, ok := loaded([]byte("x"), 7, nil); !ok || version != 7 {
		t.Errorf("read: version %d, %v", version, ok)
	}
	if record, version, ok := loaded(nil, 0, types.ErrorStatusNotFound); !ok || version != 0 || record != nil {
		t.Errorf("absent: %q, version %d, %v", record, version, ok)
	}
	for _, err := range []error{types.ErrorInternalFailure, types.ErrorStatusBadArgument, types.ErrorStatusEmpty} {
		if _, _, ok := loaded([]byte("x"), 7, err); ok {
			t.Errorf("%v: taken for an answer", err)
		}
	}
}
