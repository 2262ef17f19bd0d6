package plugin_test

import (
	"context"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// vm is a host with one VM that calls the shipped module as Envoy does. Unlike the SDKs'
// emulators it can have several plugins in the VM, refuses to select contexts that are
// gone, can fail, and records the host functions that the module calls.
type vm struct {
	testing.TB
	module api.Module

	calls     []string // host functions called
	current   uint32   // context in whose callback the module is
	effective uint32   // 0: the current one
	contexts  map[uint32]bool
	headers   map[uint32][][2]string
	trailers  map[uint32][][2]string
	replies   map[uint32]string // response code details by stream
	resumed   []uint32
	shared    map[string][]byte
	unshared  string          // function of shared data that fails
	deaf      map[uint32]bool // contexts that the host fails to select
	period    uint64          // of ticks, in ms
	versions  map[string]uint32
	callouts  []uint32 // plugins that asked
	answer    []byte
	config    []byte
	logs      []string
	now       time.Time
}

// Status codes of the ABI.
const (
	statusOK          = 0
	statusNotFound    = 1
	statusBadArgument = 2
	statusCASMismatch = 6

	statusInternalFailure = 10
)

// compilations lets all VMs share one compilation of the module.
var compilations = wazero.NewCompilationCache()

func newVM(t testing.TB) *vm {
	t.Helper()
	code, err := os.ReadFile(modulePath)
	if err != nil {
		t.Fatalf("the compiled module is missing, run make build: %v", err)
	}
	ctx := t.Context()
	v := &vm{TB: t, contexts: map[uint32]bool{}, headers: map[uint32][][2]string{}, trailers: map[uint32][][2]string{}, replies: map[uint32]string{},
		shared: map[string][]byte{}, versions: map[string]uint32{}, now: time.Now()}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(compilations))
	t.Cleanup(func() { r.Close(context.Background()) })
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	compiled, err := r.CompileModule(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	env := r.NewHostModuleBuilder("env")
	for _, f := range compiled.ImportedFunctions() {
		if from, name, _ := f.Import(); from == "env" {
			env.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(_ context.Context, m api.Module, stack []uint64) {
				v.calls = append(v.calls, name)
				var args []uint64
				for _, arg := range stack {
					args = append(args, uint64(api.DecodeU32(arg)))
				}
				stack[0] = v.call(name, args)
			}), f.ParamTypes(), f.ResultTypes()).Export(name)
		}
	}
	if _, err := env.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	v.module, err = r.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithStartFunctions("_initialize").
		WithStderr(os.Stderr).WithRandSource(strings.NewReader(strings.Repeat("random bytes ", 1000))).
		WithWalltime(func() (int64, int32) {
			v.calls = append(v.calls, "clock")
			return v.now.Unix(), int32(v.now.Nanosecond())
		}, sys.ClockResolution(1)).
		WithNanotime(func() int64 {
			v.calls = append(v.calls, "monotonic clock")
			return v.now.UnixNano()
		}, sys.ClockResolution(1)))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// enter calls an export of the module for a context.
func (v *vm) enter(context uint32, name string, args ...uint64) uint64 {
	v.Helper()
	f := v.module.ExportedFunction(name)
	v.current, v.effective = context, 0
	results, err := f.Call(v.Context(), append([]uint64{uint64(context)}, args...)...)
	if err != nil {
		v.Fatalf("%s: %v", name, err)
	}
	if len(results) == 0 {
		return 0
	}
	return results[0]
}

// plugin starts a plugin.
func (v *vm) plugin(id uint32, config string) (started bool) {
	v.Helper()
	v.contexts[id] = true
	v.config = []byte(config)
	v.enter(id, "proxy_on_context_create", 0)
	return v.enter(id, "proxy_on_configure", uint64(len(config))) == 1
}

// create announces a stream of a plugin.
func (v *vm) create(id, plugin uint32) {
	v.Helper()
	v.contexts[id] = true
	v.enter(id, "proxy_on_context_create", uint64(plugin))
}

// request announces a stream and sends its headers. It returns "passed", "held", or the
// reason of a refusal.
func (v *vm) request(id, plugin uint32, headers ...[2]string) string {
	v.Helper()
	v.create(id, plugin)
	return v.sendHeaders(id, headers...)
}

func (v *vm) sendHeaders(id uint32, headers ...[2]string) string {
	v.Helper()
	v.headers[id] = append([][2]string{{":method", "GET"}, {":path", "/orders"}, {":authority", "api.example.com"}, {"user-agent", "test"}}, headers...)
	action := v.enter(id, "proxy_on_request_headers", uint64(len(v.headers[id])), 1)
	if reason := v.replies[id]; reason != "" {
		if action == 0 {
			v.Errorf("stream %d is answered with %s and goes on", id, reason)
		}
		return reason
	}
	switch action {
	case 0:
		return "passed"
	case 4: // StopAllIterationAndWatermark
		return "held"
	}
	v.Fatalf("action %d", action)
	return ""
}

// gone removes a stream or a plugin without a callback, because the module exports none.
func (v *vm) gone(id uint32) { delete(v.contexts, id) }

// header returns the value of a stream's header.
func (v *vm) header(id uint32, name string) string {
	for _, h := range v.headers[id] {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

func (v *vm) read(at, size uint64) []byte {
	b, ok := v.module.Memory().Read(uint32(at), uint32(size))
	if !ok {
		v.Fatal("the module points outside of its memory")
	}
	return slices.Clone(b)
}

func (v *vm) text(at, size uint64) string { return string(v.read(at, size)) }

// give copies bytes into memory that it gets from the module.
func (v *vm) give(b []byte, at, size uint64) uint64 {
	memory := v.module.Memory()
	where := uint64(0)
	if len(b) > 0 {
		f := v.module.ExportedFunction("proxy_on_memory_allocate")
		got, err := f.Call(v.Context(), uint64(len(b)))
		if err != nil {
			v.Fatal(err)
		}
		where = got[0]
		if !memory.Write(uint32(where), b) {
			v.Fatal("the module gave memory that it does not have")
		}
	}
	memory.WriteUint32Le(uint32(at), uint32(where))
	memory.WriteUint32Le(uint32(size), uint32(len(b)))
	return statusOK
}

func pairsOf(headers [][2]string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(headers)))
	for _, h := range headers {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(h[0])))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(h[1])))
	}
	for _, h := range headers {
		b = append(append(append(append(b, h[0]...), 0), h[1]...), 0)
	}
	return b
}

// call is the host's side of the functions that the module imports.
func (v *vm) call(name string, a []uint64) uint64 {
	context := v.effective
	if context == 0 {
		context = v.current
	}
	if name == v.unshared {
		return statusInternalFailure
	}
	switch name {
	case "proxy_get_header_map_pairs":
		switch a[0] {
		case 0: // request headers
			return v.give(pairsOf(v.headers[context]), a[1], a[2])
		case 1: // request trailers
			return v.give(pairsOf(v.trailers[context]), a[1], a[2])
		case 6: // a callout's answer
			return v.give(pairsOf([][2]string{{":status", "200"}}), a[1], a[2])
		}
		return statusNotFound
	case "proxy_get_buffer_bytes":
		switch a[0] {
		case 4: // a callout's answer
			return v.give(v.answer, a[3], a[4])
		case 7:
			return v.give(v.config, a[3], a[4])
		}
		return statusNotFound
	case "proxy_replace_header_map_value", "proxy_remove_header_map_value":
		key, of := v.text(a[1], a[2]), v.headers
		if a[0] == 1 {
			of = v.trailers
		}
		of[context] = slices.DeleteFunc(of[context], func(h [2]string) bool { return h[0] == key })
		if name == "proxy_replace_header_map_value" {
			of[context] = append(of[context], [2]string{key, v.text(a[3], a[4])})
		}
	case "proxy_send_local_response":
		if v.replies[context] != "" {
			v.Errorf("stream %d is answered twice", context)
		}
		v.replies[context] = v.text(a[1], a[2])
	case "proxy_continue_stream":
		v.resumed = append(v.resumed, context)
	case "proxy_set_effective_context":
		if v.deaf[uint32(a[0])] {
			return statusInternalFailure
		}
		if !v.contexts[uint32(a[0])] {
			return statusBadArgument
		}
		v.effective = uint32(a[0])
	case "proxy_get_shared_data":
		key := v.text(a[0], a[1])
		data, ok := v.shared[key]
		if !ok {
			return statusNotFound
		}
		v.module.Memory().WriteUint32Le(uint32(a[4]), v.versions[key])
		return v.give(data, a[2], a[3])
	case "proxy_set_shared_data":
		key := v.text(a[0], a[1])
		if cas := uint32(a[4]); cas != 0 && v.versions[key] != 0 && cas != v.versions[key] {
			return statusCASMismatch
		}
		v.versions[key]++
		v.shared[key] = v.read(a[2], a[3])
	case "proxy_http_call":
		v.callouts = append(v.callouts, context)
		v.module.Memory().WriteUint32Le(uint32(a[9]), uint32(len(v.callouts)))
	case "proxy_set_tick_period_milliseconds":
		v.period = a[0]
	case "proxy_log":
		v.logs = append(v.logs, v.text(a[1], a[2]))
	case "proxy_define_metric":
		v.module.Memory().WriteUint32Le(uint32(a[3]), 1)
	}
	return statusOK
}
