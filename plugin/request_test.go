package plugin

import (
	"io"
	"log"
	"testing"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// TestReportedAfterTheWait: with mode: report a request passes after keys.wait without
// keys, and its stream keeps nothing of the decision.
func TestReportedAfterTheWait(t *testing.T) {
	log.SetOutput(io.Discard)
	host, vm := startFaulty(t, `{"auth0": {"domain": "tenant.auth0.example", "audience": "a"}, "mode": "report", "keys": {"wait": "100ms"}}`)
	id := host.InitializeHttpContext()
	host.CallOnRequestHeaders(id, [][2]string{{":method", "GET"}, {"authorization", "Bearer " + waitingToken}}, true)
	q := vm.plugin.pending.requests[0]
	later := time.Now().Add(time.Second)
	vm.plugin.clock = func() time.Time { return later }
	host.Tick()
	if q.state != passed || host.GetSentLocalResponse(id) != nil || host.GetCurrentHttpStreamAction(id) != types.ActionContinue {
		t.Fatalf("state %d, reply %+v; want it to go on", q.state, host.GetSentLocalResponse(id))
	}
	if n, _ := host.GetCounterMetric("edgejwt_would_refuse;reason=keys_unavailable;;"); n != 1 {
		t.Errorf("reported %d times, want once", n)
	}
	if n, _ := host.GetCounterMetric("edgejwt_wait_timeouts"); n != 1 {
		t.Errorf("%d timeouts, want 1", n)
	}
	if q.decision.Decided || q.decision.Token() != nil || q.decision.Match() != nil {
		t.Error("the decision is still there")
	}
}

// TestStateFailureIsCounted: filter state that the host refuses is counted.
func TestStateFailureIsCounted(t *testing.T) {
	log.SetOutput(io.Discard)
	host, vm := startFaulty(t, `{"auth0": {"domain": "tenant.auth0.example", "audience": "a"}}`)
	q := &request{plugin: vm.plugin, setup: vm.plugin.setup}
	q.setFilterState([][2]string{{"k", ""}, {"k", "v"}}) // the SDK has no call for an empty value
	if n, _ := host.GetCounterMetric("edgejwt_state_failures"); n != 0 {
		t.Error("the counter is flushed with every request")
	}
	host.Tick()
	if n, _ := host.GetCounterMetric("edgejwt_state_failures"); n != 1 {
		t.Errorf("%d failures counted, want 1", n)
	}
}
