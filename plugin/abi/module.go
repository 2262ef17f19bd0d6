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

// The results of a callback. actionStop (StopAllIterationAndWatermark) stops headers, body
// and trailers. With Pause, allow_on_headers_stop_iteration would let the body pass.
const (
	actionContinue uint32 = 0
	actionStop     uint32 = 4
)

// plugin is a plugin context of this VM.
type plugin struct {
	id uint32
	Plugin
}

var plugins []plugin

// lastCreated is the stream of the last proxy_on_context_create, and its plugin context.
var lastCreated struct{ stream, plugin uint32 }

// Add adds a plugin context that the SDK has made. It replaces one with the same number.
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
		// The VM of the main thread has no requests, so removeGone is called here, too.
		removeGone(contextID)
		sdkOnContextCreate(contextID, 0)
		return
	}
	lastCreated.stream, lastCreated.plugin = contextID, pluginContextID
}

//go:wasmexport edgejwt_on_request_headers
func onRequestHeaders(contextID uint32, _ int32, _ uint32) uint32 {
	p := pluginOf(contextID)
	if p == nil {
		const reason = verify.Internal
		_ = SendReply(uint32(reason.Status()), reason.String(), nil, reason.Body(), int32(reason.GRPCStatus()))
		return actionStop
	}
	if p.OnRequestHeaders(contextID) != types.ActionContinue {
		return actionStop
	}
	return actionContinue
}

//go:wasmexport edgejwt_on_request_trailers
func onRequestTrailers(contextID uint32, _ int32) uint32 {
	for _, p := range plugins {
		if action := p.OnRequestTrailers(contextID); action != types.ActionContinue {
			return actionStop
		}
	}
	return actionContinue
}

// pluginOf returns the plugin context of a stream, or nil when it is not known.
func pluginOf(stream uint32) Plugin {
	if len(plugins) == 1 {
		return plugins[0].Plugin
	}
	removeGone(stream)
	for _, p := range plugins {
		if lastCreated.stream == stream && lastCreated.plugin == p.id {
			return p.Plugin
		}
	}
	return nil
}

var lastRemoval time.Time

// removeGone removes the plugin contexts that no longer exist in the host. It does so at
// most once a second. Afterwards the stream's context is in effect.
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

// headerBuffer is the memory into which the host writes the headers for RequestHeaders.
var headerBuffer struct {
	inUse  bool
	buffer []byte
	pairs  [][2]string

	data *byte // the headers; set by the host
	size uint32
}

// maxHeaderBuffer is the greatest size of headerBuffer. Envoy accepts headers of half of it
// by default.
const maxHeaderBuffer = 128 << 10

// onMemoryAllocate accepts a size of 0, for which the SDK's panics.
//
//go:wasmexport edgejwt_on_memory_allocate
func onMemoryAllocate(size uint32) *byte {
	if !headerBuffer.inUse || size > maxHeaderBuffer {
		return &make([]byte, max(size, 1))[0]
	}
	if int(size) > len(headerBuffer.buffer) {
		headerBuffer.buffer = make([]byte, max(size, 4<<10))
	}
	return &headerBuffer.buffer[0]
}

var errHeaders = errors.New("proxy_get_header_map_pairs failed")

// RequestHeaders returns the headers of the stream in effect, names in lower case. The next
// call overwrites the slice and its texts.
func RequestHeaders() ([][2]string, error) {
	const requestHeaders = 0
	headerBuffer.inUse, headerBuffer.data, headerBuffer.size = true, nil, 0
	status := hostGetHeaderMapPairs(requestHeaders, unsafe.Pointer(&headerBuffer.data), &headerBuffer.size)
	headerBuffer.inUse = false
	if status != statusOK || headerBuffer.data == nil {
		return nil, errHeaders
	}
	pairs, err := appendPairs(headerBuffer.pairs[:0], unsafe.Slice(headerBuffer.data, headerBuffer.size))
	if err == nil {
		headerBuffer.pairs = pairs
	}
	return pairs, err
}

// Now returns the time of the host's wall clock. time.Now would also call the host for the
// monotonic clock, which a decision does not need.
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
