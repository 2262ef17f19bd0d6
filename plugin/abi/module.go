//go:build wasm

package abi

import (
	"errors"
	"slices"
	"time"
	"unsafe"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/verify"
)

// What a callback answers. Hold keeps back headers, body and trailers
// (StopAllIterationAndWatermark), also where allow_on_headers_stop_iteration lets a
// mere Pause pass the body on.
const (
	goOn uint32 = 0
	hold uint32 = 4
)

// plugin is a plugin context of this VM.
type plugin struct {
	id uint32
	Plugin
}

var plugins []plugin

// announced is the stream that the host announced last, and the plugin context that
// it belongs to.
var announced struct{ stream, plugin uint32 }

// Add announces a plugin context that the SDK has made. One that had the number
// before is gone.
func Add(id uint32, p Plugin) {
	plugins = slices.DeleteFunc(plugins, func(old plugin) bool {
		if old.id == id {
			old.OnGone()
		}
		return old.id == id
	})
	plugins = append(plugins, plugin{id, p})
}

//go:linkname sdkOnContextCreate github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/internal.proxyOnContextCreate
func sdkOnContextCreate(contextID, pluginContextID uint32)

//go:linkname sdkOnDelete github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/internal.proxyOnDelete
func sdkOnDelete(contextID uint32)

//go:wasmexport edgejwt_on_context_create
func onContextCreate(contextID, pluginContextID uint32) {
	if pluginContextID == 0 {
		// Here, too, because the VM of the main thread never sees a request.
		removeGone(contextID)
		sdkOnContextCreate(contextID, 0)
		return
	}
	announced.stream, announced.plugin = contextID, pluginContextID
}

//go:wasmexport edgejwt_on_request_headers
func onRequestHeaders(contextID uint32, _ int32, _ uint32) uint32 {
	p := pluginOf(contextID)
	if p == nil {
		const reason = verify.Internal
		_ = SendReply(uint32(reason.Status()), reason.String(), nil, reason.Body(), int32(reason.GRPCStatus()))
		return hold
	}
	return answer(p.OnRequestHeaders(contextID))
}

//go:wasmexport edgejwt_on_request_trailers
func onRequestTrailers(contextID uint32, _ int32) uint32 {
	for _, p := range plugins {
		if action := p.OnRequestTrailers(contextID); action != types.ActionContinue {
			return hold
		}
	}
	return goOn
}

func answer(action types.Action) uint32 {
	if action == types.ActionContinue {
		return goOn
	}
	return hold
}

// pluginOf finds the plugin context of a stream; nil when that is not certain.
func pluginOf(stream uint32) Plugin {
	if len(plugins) == 1 {
		return plugins[0].Plugin
	}
	removeGone(stream)
	for _, p := range plugins {
		if announced.stream == stream && announced.plugin == p.id {
			return p.Plugin
		}
	}
	return nil
}

var lastRemoval time.Time

// removeGone removes the plugin contexts that the host has forgotten. It asks at most
// once a second, and leaves the stream's context in effect.
func removeGone(stream uint32) {
	now := Now()
	if since := now.Sub(lastRemoval); since >= 0 && since < time.Second {
		return
	}
	lastRemoval = now
	plugins = slices.DeleteFunc(plugins, func(p plugin) bool {
		if proxywasm.SetEffectiveContext(p.id) != types.ErrorStatusBadArgument {
			return false
		}
		p.OnGone()
		sdkOnDelete(p.id)
		return true
	})
	_ = proxywasm.SetEffectiveContext(stream)
}

// lent is the memory that the host gets for the headers in RequestHeaders.
var lent struct {
	inUse  bool
	buffer []byte
	pairs  [][2]string

	data *byte // where the host says that the headers are
	size uint32
}

// maxLent is how much of it is kept for the next request: twice what Envoy takes of
// headers by default.
const maxLent = 128 << 10

// onMemoryAllocate also takes a size of 0, at which the SDK's panics.
//
//go:wasmexport edgejwt_on_memory_allocate
func onMemoryAllocate(size uint32) *byte {
	if !lent.inUse || size > maxLent {
		return &make([]byte, max(size, 1))[0]
	}
	if int(size) > len(lent.buffer) {
		lent.buffer = make([]byte, max(size, 4<<10))
	}
	return &lent.buffer[0]
}

var errHeaders = errors.New("proxy_get_header_map_pairs failed")

// RequestHeaders gives the headers of the stream in effect. They and the slice are
// overwritten by the next call.
func RequestHeaders() ([][2]string, error) {
	const requestHeaders = 0
	lent.inUse, lent.data, lent.size = true, nil, 0
	status := hostGetHeaderMapPairs(requestHeaders, unsafe.Pointer(&lent.data), &lent.size)
	lent.inUse = false
	if status != statusOK || lent.data == nil {
		return nil, errHeaders
	}
	pairs, err := appendPairs(lent.pairs[:0], unsafe.Slice(lent.data, lent.size))
	if err == nil {
		lent.pairs = pairs
	}
	return pairs, err
}

// Now is the host's wall clock. time.Now asks the host for the monotonic clock too,
// for which a decision has no use.
func Now() time.Time {
	const realtime = 0
	if hostClock(realtime, 1, &clockTime) != statusOK {
		return time.Now()
	}
	return time.Unix(0, int64(clockTime))
}

// clockTime is where the host writes the time, in nanoseconds. A variable of Now would
// be allocated for each request.
var clockTime uint64

//go:wasmimport wasi_snapshot_preview1 clock_time_get
func hostClock(id uint32, precision uint64, out *uint64) uint32

//go:wasmimport env proxy_get_header_map_pairs
func hostGetHeaderMapPairs(kind uint32, data unsafe.Pointer, size *uint32) uint32

//go:wasmimport env proxy_send_local_response
func hostSendLocalResponse(status uint32, detailsData *byte, detailsSize int32,
	bodyData *byte, bodySize int32, headersData *byte, headersSize int32, grpcStatus int32) uint32

//go:wasmimport env proxy_define_metric
func hostDefineMetric(kind uint32, nameData *byte, nameSize int32, id *uint32) uint32

//go:wasmimport env proxy_increment_metric
func hostIncrementMetric(id uint32, offset int64) uint32

//go:wasmimport env proxy_record_metric
func hostRecordMetric(id uint32, value uint64) uint32
