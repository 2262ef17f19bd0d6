//go:build wasm

package plugin

import (
	"errors"
	"time"
	"unsafe"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/verify"
)

// This file lets the host enter the plugin once for a request, where the SDK is
// entered four times, and reads all headers in one call into a buffer that is
// used again. plugin/cmd/trim gives these exports the names that the host calls,
// in place of the SDK's; without it, and under go test, the SDK's callbacks do
// the same. Both lead into request.on.
//
// Of Envoy's time a call that hands something over takes the most, a microsecond,
// because the host then enters the module again for memory. So there is one such
// call. The SDK's others (contexts, end of stream) are not needed: nothing is
// kept of a request but of those that wait, and whether one of those is still
// there the host says when it is asked.

// hold keeps back headers, body and trailers: StopAllIterationAndWatermark, also
// where allow_on_headers_stop_iteration lets a mere Pause pass the body on.
const hold = 4

// roots are the plugins of this VM: several where they share a vm_id, or while
// a listener that was replaced drains.
var roots []*root

// created is the stream that the host announced last, and the plugin that it
// belongs to. Envoy announces a stream right before it hands over its headers.
var created struct{ stream, plugin uint32 }

// spare is what the next request is judged in; nil when the last one kept it.
var spare *request

//go:linkname sdkOnContextCreate github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/internal.proxyOnContextCreate
func sdkOnContextCreate(contextID, pluginContextID uint32)

//go:linkname sdkOnDelete github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/internal.proxyOnDelete
func sdkOnDelete(contextID uint32)

//go:wasmexport edgejwt_on_context_create
func onContextCreate(contextID, pluginContextID uint32) {
	if pluginContextID == 0 {
		// Also in the VM of the main thread, which never sees a request.
		forget(contextID)
		sdkOnContextCreate(contextID, 0)
		return
	}
	created.stream, created.plugin = contextID, pluginContextID
}

// made takes note of a plugin that the SDK has made.
func (r *root) made() { roots = append(roots, r) }

// siblings are the plugins of this VM, r among them.
func (r *root) siblings() []*root { return roots }

//go:wasmexport edgejwt_on_request_headers
func onRequestHeaders(contextID uint32, _ int32, _ uint32) uint32 {
	r := rootOf(contextID)
	if r == nil {
		// It is not known whose request this is, and no guess may let it pass.
		_ = sendReply(uint32(verify.Internal.Status()), verify.Internal.String(), nil, verify.Internal.Body(), int32(verify.Internal.GRPCStatus()))
		return hold
	}
	if spare == nil {
		spare = new(request)
	}
	q := spare
	*q = request{root: r, setup: r.setup, id: contextID}
	action := q.on(requestHeaders)
	if q.state == waiting {
		spare = nil // it is among the parked ones now
	}
	if action == types.ActionContinue {
		return 0
	}
	return hold
}

// rootOf finds the plugin that a stream belongs to; nil when that is not certain.
func rootOf(stream uint32) *root {
	if len(roots) == 1 {
		return roots[0]
	}
	forget(stream)
	for _, r := range roots {
		if created.stream == stream && created.plugin == r.id {
			return r
		}
	}
	return nil
}

// looked is when forget last asked.
var looked time.Time

// forget lets go of plugins that are no more, at most once a second. The host
// knows no context of theirs.
func forget(stream uint32) {
	now := wallClock()
	if since := now.Sub(looked); since >= 0 && since < time.Second {
		return
	}
	looked = now
	left := roots[:0]
	for _, r := range roots {
		if proxywasm.SetEffectiveContext(r.id) == types.ErrorStatusBadArgument {
			r.flushMetrics()
			sdkOnDelete(r.id)
			continue
		}
		left = append(left, r)
	}
	clear(roots[len(left):])
	roots = left
	_ = proxywasm.SetEffectiveContext(stream)
}

// onRequestTrailers removes from trailers what any plugin of the VM may say:
// which one the stream belongs to is not known any more, and no client may say
// any of it.
//
//go:wasmexport edgejwt_on_request_trailers
func onRequestTrailers(contextID uint32, _ int32) uint32 {
	for _, r := range roots {
		if r.authz == nil {
			continue // its configuration was refused: it decides nothing
		}
		q := request{root: r, setup: r.setup, id: contextID, state: passed}
		if q.on(requestTrailers) != types.ActionContinue {
			return hold
		}
	}
	return 0
}

// lent is the memory that the host gets for what it hands over in readHeaders.
var lent struct {
	out    bool
	buffer []byte
	pairs  [][2]string

	data *byte // where the host says that it is
	size uint32
}

// mostLent is how much of it is kept for the next request: twice what Envoy takes
// of headers by default.
const mostLent = 128 << 10

// onMemoryAllocate also stands a size of 0, at which the SDK's panics.
//
//go:wasmexport edgejwt_on_memory_allocate
func onMemoryAllocate(size uint32) *byte {
	if !lent.out || size > mostLent {
		return &make([]byte, max(size, 1))[0]
	}
	if int(size) > len(lent.buffer) {
		lent.buffer = make([]byte, max(size, 4<<10))
	}
	return &lent.buffer[0]
}

//go:wasmimport env proxy_get_header_map_pairs
func hostGetHeaderMapPairs(kind uint32, data unsafe.Pointer, size *uint32) uint32

//go:wasmimport wasi_snapshot_preview1 clock_time_get
func hostClock(id uint32, precision uint64, out *uint64) uint32

// hostTime is the host's wall clock. time.Now asks for the monotonic one too,
// which a decision that waits for nothing has no use for.
func (r *root) hostTime() time.Time {
	const realtime = 0
	var nanoseconds uint64
	if hostClock(realtime, 1, &nanoseconds) != statusOK {
		return r.clock()
	}
	return time.Unix(0, int64(nanoseconds))
}

var errHeaders = errors.New("proxy_get_header_map_pairs failed")

// readHeaders gives the request's headers. They lie in a buffer that the next
// request overwrites: whatever is to outlive the callback has to be cloned.
func readHeaders() ([][2]string, error) {
	const requestHeaders = 0
	lent.out, lent.data, lent.size = true, nil, 0
	status := hostGetHeaderMapPairs(requestHeaders, unsafe.Pointer(&lent.data), &lent.size)
	lent.out = false
	if status != statusOK || lent.data == nil {
		return nil, errHeaders
	}
	return parsePairs(unsafe.Slice(lent.data, lent.size))
}

// parsePairs reads what serializePairs writes.
func parsePairs(b []byte) ([][2]string, error) {
	const word = 4
	if len(b) < word {
		return nil, errHeaders
	}
	n := *(*uint32)(unsafe.Pointer(&b[0]))
	if uint64(len(b)) < word+2*word*uint64(n) {
		return nil, errHeaders
	}
	sizes := unsafe.Slice((*[2]uint32)(unsafe.Add(unsafe.Pointer(&b[0]), word)), n)
	texts := b[word+2*word*n:]
	pairs := lent.pairs[:0]
	for i := range sizes {
		name, value := uint64(sizes[i][0]), uint64(sizes[i][1])
		if name+value+2 > uint64(len(texts)) {
			return nil, errHeaders
		}
		pairs = append(pairs, [2]string{unsafe.String(&texts[0], name), unsafe.String(&texts[name+1], value)})
		texts = texts[name+value+2:]
	}
	lent.pairs = pairs
	return pairs, nil
}
