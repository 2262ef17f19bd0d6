// Package abi has the host functions and callbacks of proxy-wasm that the SDK
// (github.com/proxy-wasm/proxy-wasm-go-sdk) lacks or that cost too much there. For
// everything else edgejwt uses the SDK.
//
// # Host functions
//
// The SDK's SendHttpResponse has no response code details, where an access log finds the
// reason of a refusal. The SDK's metrics cannot be set, and they panic when the host
// refuses one. So SendReply, DefineMetric, IncrementMetric and RecordMetric call the host
// functions of proxy-wasm directly.
//
// # Callbacks
//
// Callbacks are the functions that a module exports for the host. Envoy calls every
// callback that the module exports. The SDK exports them all, so the host calls the module
// at least five times for a request that is decided by its headers:
//
//	proxy_on_context_create    the SDK makes an object for the stream
//	proxy_on_request_headers   the plugin decides
//	proxy_on_memory_allocate   once for each value that the host passes to the module
//	proxy_on_response_headers, proxy_on_response_body, …   nothing to do
//	proxy_on_done, proxy_on_log, proxy_on_delete           the SDK removes the object
//
// Each of these calls costs more than most steps of a decision. So this package has
// callbacks of its own (module.go). Their names begin with edgejwt_on_, because the SDK's
// callbacks have the names of proxy-wasm:
//
//   - edgejwt_on_context_create stores the numbers of the stream and of its plugin
//     context. Plugin contexts are made by the SDK as usual.
//   - edgejwt_on_request_headers finds the plugin context and calls its
//     OnRequestHeaders.
//   - edgejwt_on_request_trailers calls OnRequestTrailers of every plugin context.
//   - edgejwt_on_memory_allocate gives RequestHeaders a buffer that the next request
//     uses again.
//
// After the build cmd/trim changes the export section of the module: these four
// callbacks get the names of proxy-wasm, callbacks without a use are no longer exported,
// and the others (start, configuration, tick, answers of callouts) stay the SDK's. Under go
// test there is no export section, and the SDK's callbacks call the same methods
// (native.go).
//
// # Rules for changes here
//
//   - A VM may have several plugin contexts: plugins that share a vm_id, or a listener and
//     the one that replaces it. Headers come with the number of the stream only. Its
//     plugin context is known from the last proxy_on_context_create, which Envoy calls
//     right before proxy_on_request_headers. If that was for another stream, the request
//     is refused with 500.
//   - The end of a plugin context or a stream is not known, because proxy_on_done and
//     proxy_on_delete are not exported. But the host fails to select a context that is
//     gone (SetEffectiveContext). This package tries that for plugin contexts. Package
//     plugin tries it for requests that wait for keys, before it replies to them, and
//     before it refuses a request because too many wait.
//   - Only requests that wait keep state for a stream. The plugin context of a stream is
//     not known when its trailers come, so every plugin context removes forged trailers.
//   - Header texts are parts of one buffer, which the next request overwrites. Clone texts
//     that are used after the callback.
//
// The host calls a VM from one thread, one call at a time, so nothing here locks.
package abi

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// Plugin has the methods of a plugin context that the callbacks of this package call.
type Plugin interface {
	// OnRequestHeaders decides about a new stream, whose context is in effect. Any action
	// but types.ActionContinue stops headers, body and trailers.
	OnRequestHeaders(stream uint32) types.Action
	// OnRequestTrailers removes forged trailers of a stream that passed. The stream may
	// belong to another plugin context.
	OnRequestTrailers(stream uint32) types.Action
	// OnGone is called when the plugin context no longer exists in the host.
	OnGone()
}

// statusOK is the status for success. All others are failures.
const statusOK = 0

var errReply = errors.New("proxy_send_local_response failed")

// SendReply sends a reply to the client of the stream in effect. Access logs show details
// as response code details; they must have no spaces. grpcStatus is the status for gRPC
// clients.
func SendReply(status uint32, details string, headers [][2]string, body []byte, grpcStatus int32) error {
	pairs := serializePairs(headers)
	if hostSendLocalResponse(status, unsafe.StringData(details), int32(len(details)),
		unsafe.SliceData(body), int32(len(body)), unsafe.SliceData(pairs), int32(len(pairs)), grpcStatus) != statusOK {
		return errReply
	}
	return nil
}

// The kinds of metrics. All VMs of a process share a metric: increments are added, and of
// recorded values the last counts.
const (
	Counter = 0
	Gauge   = 1
)

// DefineMetric returns the host's number of the metric with this name. The host makes the
// metric if there is none. ok is false when the host refuses.
func DefineMetric(kind uint32, name string) (id uint32, ok bool) {
	ok = hostDefineMetric(kind, unsafe.StringData(name), int32(len(name)), &id) == statusOK
	return id, ok
}

// IncrementMetric adds n to a metric. n may be negative for a gauge.
func IncrementMetric(id uint32, n int64) { _ = hostIncrementMetric(id, n) }

// RecordMetric sets a gauge.
func RecordMetric(id uint32, value uint64) { _ = hostRecordMetric(id, value) }

const word = 4 // bytes of a number in a serialized map

// serializePairs serializes pairs as proxy-wasm defines it: the number of pairs, the lengths
// of each name and value, then each name and value with a zero byte after it.
func serializePairs(pairs [][2]string) []byte {
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(pairs)))
	for _, pair := range pairs {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(pair[0])))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(pair[1])))
	}
	for _, pair := range pairs {
		out = append(append(out, pair[0]...), 0)
		out = append(append(out, pair[1]...), 0)
	}
	return out
}

var errPairs = errors.New("the host's headers are not a serialized map of proxy-wasm")

// appendPairs appends the pairs that b serializes. Their texts are parts of b.
func appendPairs(pairs [][2]string, b []byte) ([][2]string, error) {
	if len(b) < word {
		return nil, errPairs
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	if uint64(len(b)) < word+2*word*n {
		return nil, errPairs
	}
	sizes, texts := b[word:word+2*word*n], b[word+2*word*n:]
	for ; len(sizes) > 0; sizes = sizes[2*word:] {
		name, value := uint64(binary.LittleEndian.Uint32(sizes)), uint64(binary.LittleEndian.Uint32(sizes[word:]))
		if name+value+2 > uint64(len(texts)) {
			return nil, errPairs
		}
		pairs = append(pairs, [2]string{unsafe.String(&texts[0], name), unsafe.String(&texts[name+1], value)})
		texts = texts[name+value+2:]
	}
	return pairs, nil
}
