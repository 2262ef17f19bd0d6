// Package plugin carries the host's events to the rooms that decide, and their
// decisions back: it knows contexts, callouts, ticks, shared data, headers,
// metrics and the log, and decides nothing about requests (package plugin/authz),
// tokens (package verify), key sets (package jwks) or the configuration (package
// plugin/config).
//
// One file each for what the host asks: start.go (configuration), tick.go
// (time), keys.go (key sets: shared data and callouts), request.go (streams and
// what becomes of their headers), parked.go (requests that wait for keys),
// reply.go (refusals), metrics.go, contain.go (panics). once_wasm.go is how the
// module is entered, hostcall.go what the SDK does not do for us.
//
// The host runs a VM in one thread and calls it once at a time, so nothing here
// locks. One VM may run several plugins: all state hangs on the plugin context;
// what once_wasm.go has besides belongs to the VM.
package plugin

import (
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// Register makes the host's calls arrive here. It is called once, from init.
func Register() { proxywasm.SetVMContext(NewVM()) }

// NewVM gives the VM context, for Register and for tests with an emulated host.
func NewVM() types.VMContext { return &vm{} }

type vm struct{ types.DefaultVMContext }

// NewPluginContext implements types.VMContext.
func (*vm) NewPluginContext(contextID uint32) types.PluginContext {
	r := newRoot(contextID)
	r.made()
	return &pluginContext{start: r.onStart, tick: r.onTick, stream: r.newStream}
}
