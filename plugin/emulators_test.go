package plugin_test

import (
	"bytes"
	leb128 "encoding/binary"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	archived "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	archivedtest "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/proxytest"
	archivedtypes "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/plugin"
)

// form is one of three ways to run a test: the plugin as Go, and the shipped module, both
// under the emulator of the SDK that the plugin is built with, and the shipped module under
// the emulator of the archived SDK, which others maintained.
type form struct {
	start func(config string) (host proxytest.HostEmulator, reset func())
	now   time.Time // what the plugin's clock shows
	// native: the plugin is Go, and called by the SDK's callbacks. The shipped module has
	// no callbacks for bodies and for the end of a stream.
	native bool
	// sharedData and setSharedData are the host's functions, for tests that act as another
	// plugin.
	sharedData    func(name string) (data []byte, version uint32, err error)
	setSharedData func(name string, data []byte, version uint32) error
}

func native() form {
	vm := plugin.NewVM()
	return form{func(config string) (proxytest.HostEmulator, func()) {
		return proxytest.NewHostEmulator(proxytest.NewEmulatorOption().WithVMContext(vm).WithPluginConfiguration([]byte(config)))
	}, time.Now(), true, proxywasm.GetSharedData, proxywasm.SetSharedData}
}

// forms runs a test in each form.
func forms(t *testing.T, test func(t *testing.T, form form)) {
	compileBoth()
	t.Run("native", func(t *testing.T) { test(t, native()) })
	t.Run("wasm", func(t *testing.T) { test(t, shippedForm(t)) })
	t.Run("wasm under the archived emulator", func(t *testing.T) { test(t, archivedForm(t)) })
}

// An emulator compiles the module for each VM, which takes seconds. So all tests share one
// VM of each emulator, with a plugin context for each test. The emulators' clock starts at
// epoch and moves by a millisecond with each reading, so for all tests it stays near epoch.
var epoch = time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)

var (
	shippedVMs  = sync.OnceValues(func() (proxytest.WasmVMContext, error) { return compiled(proxytest.NewWasmVMContext) })
	archivedVMs = sync.OnceValues(func() (archivedtest.WasmVMContext, error) {
		return compiled(func(code []byte) (archivedtest.WasmVMContext, error) {
			return archivedtest.NewWasmVMContext(withStart(code))
		})
	})
	// compileBoth uses two processors while native tests run.
	compileBoth = sync.OnceFunc(func() {
		go func() { _, _ = shippedVMs() }()
		go func() { _, _ = archivedVMs() }()
	})
)

func compiled[VM any](compile func(code []byte) (vm VM, err error)) (vm VM, err error) {
	code, err := os.ReadFile(modulePath)
	if err != nil {
		return vm, fmt.Errorf("the compiled module is missing, run make build: %w", err)
	}
	return compile(code)
}

func shippedForm(t testing.TB) form {
	shared, err := shippedVMs()
	if err != nil {
		t.Fatal(err)
	}
	vm := shippedVM{shared}
	return form{func(config string) (proxytest.HostEmulator, func()) {
		return proxytest.NewHostEmulator(proxytest.NewEmulatorOption().WithVMContext(vm).WithPluginConfiguration([]byte(config)))
	}, epoch, false, proxywasm.GetSharedData, proxywasm.SetSharedData}
}

// shippedVM calls the shipped module as Envoy does, only by callbacks that it exports. The
// emulator expects all callbacks.
type shippedVM struct{ types.VMContext }

func (v shippedVM) NewPluginContext(id uint32) types.PluginContext {
	return shippedPlugin{v.VMContext.NewPluginContext(id)}
}

type shippedPlugin struct{ types.PluginContext }

func (p shippedPlugin) OnPluginDone() bool { return true }

func (p shippedPlugin) NewHttpContext(id uint32) types.HttpContext {
	return shippedStream{p.PluginContext.NewHttpContext(id)}
}

type shippedStream struct{ types.HttpContext }

func (s shippedStream) OnHttpRequestHeaders(n int, end bool) types.Action {
	return types.Action(held(uint32(s.HttpContext.OnHttpRequestHeaders(n, end))))
}

func (s shippedStream) OnHttpRequestTrailers(n int) types.Action {
	return types.Action(held(uint32(s.HttpContext.OnHttpRequestTrailers(n))))
}

func (s shippedStream) OnHttpStreamDone() {}

// held makes StopAllIterationAndWatermark, which the emulators do not know, a Pause.
func held(action uint32) uint32 { return min(action, uint32(types.ActionPause)) }

func archivedForm(t testing.TB) form {
	shared, err := archivedVMs()
	if err != nil {
		t.Fatal(err)
	}
	vm := archivedVM{shared}
	return form{func(config string) (proxytest.HostEmulator, func()) {
		host, reset := archivedtest.NewHostEmulator(archivedtest.NewEmulatorOption().WithVMContext(vm).WithPluginConfiguration([]byte(config)))
		return archivedHost{host}, reset
	}, epoch, false, archived.GetSharedData, archived.SetSharedData}
}

// withStart returns the module with its _initialize exported as _start, too: the archived
// emulator starts only modules that are commands.
func withStart(module []byte) []byte {
	const header, exports = 8, 7 // magic number and version; the number of the section
	out := slices.Clone(module[:header])
	for rest := module[header:]; len(rest) > 0; {
		size, n := leb128.Uvarint(rest[1:])
		end := 1 + n + int(size)
		if rest[0] == exports {
			section := startToo(rest[1+n : end])
			out = append(leb128.AppendUvarint(append(out, exports), uint64(len(section))), section...)
		} else {
			out = append(out, rest[:end]...)
		}
		rest = rest[end:]
	}
	return out
}

// startToo adds the export to an export section: a count, then for each export the
// length of its name, the name, its kind (0 is a function) and its index.
func startToo(section []byte) []byte {
	count, n := leb128.Uvarint(section)
	_, index, found := bytes.Cut(section, []byte("\x0b_initialize\x00"))
	if !found {
		panic("the module does not export _initialize")
	}
	_, size := leb128.Uvarint(index)
	out := append(leb128.AppendUvarint(nil, count+1), section[n:]...)
	return append(append(out, "\x06_start\x00"...), index[:size]...)
}

// archivedVM is shippedVM for the archived emulator.
type archivedVM struct{ archivedtypes.VMContext }

func (v archivedVM) NewPluginContext(id uint32) archivedtypes.PluginContext {
	return archivedPlugin{v.VMContext.NewPluginContext(id)}
}

type archivedPlugin struct{ archivedtypes.PluginContext }

func (p archivedPlugin) OnPluginDone() bool { return true }

func (p archivedPlugin) NewHttpContext(id uint32) archivedtypes.HttpContext {
	return archivedStream{p.PluginContext.NewHttpContext(id)}
}

type archivedStream struct{ archivedtypes.HttpContext }

func (s archivedStream) OnHttpRequestHeaders(n int, end bool) archivedtypes.Action {
	return archivedtypes.Action(held(uint32(s.HttpContext.OnHttpRequestHeaders(n, end))))
}

func (s archivedStream) OnHttpRequestTrailers(n int) archivedtypes.Action {
	return archivedtypes.Action(held(uint32(s.HttpContext.OnHttpRequestTrailers(n))))
}

func (s archivedStream) OnHttpStreamDone() {}

// archivedHost converts the types of the archived emulator to those of the other one.
type archivedHost struct{ archivedtest.HostEmulator }

func (h archivedHost) StartVM() types.OnVMStartStatus {
	return types.OnVMStartStatus(h.HostEmulator.StartVM())
}

func (h archivedHost) StartPlugin() types.OnPluginStartStatus {
	return types.OnPluginStartStatus(h.HostEmulator.StartPlugin())
}

func (h archivedHost) GetCalloutAttributesFromContext(id uint32) (all []proxytest.HttpCalloutAttribute) {
	for _, a := range h.HostEmulator.GetCalloutAttributesFromContext(id) {
		all = append(all, proxytest.HttpCalloutAttribute(a))
	}
	return all
}

func (h archivedHost) GetSentLocalResponse(id uint32) *proxytest.LocalHttpResponse {
	return (*proxytest.LocalHttpResponse)(h.HostEmulator.GetSentLocalResponse(id))
}

func (h archivedHost) GetCurrentHttpStreamAction(id uint32) types.Action {
	return types.Action(h.HostEmulator.GetCurrentHttpStreamAction(id))
}

func (h archivedHost) CallOnRequestHeaders(id uint32, headers [][2]string, end bool) types.Action {
	return types.Action(h.HostEmulator.CallOnRequestHeaders(id, headers, end))
}

func (h archivedHost) CallOnRequestBody(id uint32, body []byte, end bool) types.Action {
	return types.Action(h.HostEmulator.CallOnRequestBody(id, body, end))
}

func (h archivedHost) CallOnRequestTrailers(id uint32, trailers [][2]string) types.Action {
	return types.Action(h.HostEmulator.CallOnRequestTrailers(id, trailers))
}

func (h archivedHost) CallOnResponseHeaders(id uint32, headers [][2]string, end bool) types.Action {
	return types.Action(h.HostEmulator.CallOnResponseHeaders(id, headers, end))
}

func (h archivedHost) CallOnResponseBody(id uint32, body []byte, end bool) types.Action {
	return types.Action(h.HostEmulator.CallOnResponseBody(id, body, end))
}

func (h archivedHost) CallOnResponseTrailers(id uint32, trailers [][2]string) types.Action {
	return types.Action(h.HostEmulator.CallOnResponseTrailers(id, trailers))
}

func (h archivedHost) InitializeConnection() (id uint32, action types.Action) {
	id, a := h.HostEmulator.InitializeConnection()
	return id, types.Action(a)
}

func (h archivedHost) CallOnUpstreamData(id uint32, data []byte) types.Action {
	return types.Action(h.HostEmulator.CallOnUpstreamData(id, data))
}

func (h archivedHost) CallOnDownstreamData(id uint32, data []byte) types.Action {
	return types.Action(h.HostEmulator.CallOnDownstreamData(id, data))
}

func (h archivedHost) GetProperty(path []string) ([]byte, error) {
	value, err := h.HostEmulator.GetProperty(path)
	if err == archivedtypes.ErrorStatusNotFound {
		err = types.ErrorStatusNotFound
	}
	return value, err
}
