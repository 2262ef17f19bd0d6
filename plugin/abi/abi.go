// Package abi is the boundary to the host where the SDK's own is not enough. All
// else that edgejwt asks of the host goes through the SDK
// (github.com/proxy-wasm/proxy-wasm-go-sdk).
//
// # Host functions
//
// The SDK's SendHttpResponse has no response code details, which is where an access
// log looks for the reason of a refusal; its metrics cannot be set, and panic when
// the host refuses one. SendReply, DefineMetric, IncrementMetric and RecordMetric
// call the host functions of proxy-wasm themselves.
//
// # Callbacks
//
// proxy-wasm names the functions that a module exports for the host to call: its
// callbacks. Envoy calls each one that the module has. The SDK exports them all, and
// so a request that is decided by its headers enters the module at least five times:
//
//	proxy_on_context_create    the SDK makes an object for the stream
//	proxy_on_request_headers   the plugin decides
//	proxy_on_memory_allocate   once for each thing that the host hands over meanwhile
//	proxy_on_response_headers, proxy_on_response_body, …   nothing to do
//	proxy_on_done, proxy_on_log, proxy_on_delete           the SDK drops the object
//
// Each entry costs more than most of what a decision needs. So this package has
// callbacks of its own (module.go), named edgejwt_on_… because the SDK's hold the
// names of proxy-wasm:
//
//   - edgejwt_on_context_create notes the number of the stream and of its plugin
//     context, and makes nothing. Contexts of plugins go to the SDK as usual.
//   - edgejwt_on_request_headers finds the plugin context and calls its
//     OnRequestHeaders.
//   - edgejwt_on_request_trailers calls OnRequestTrailers of every plugin context.
//   - edgejwt_on_memory_allocate gives RequestHeaders a buffer that the next request
//     uses again.
//
// After the build cmd/trim changes the export section of the module, and
// nothing else: these four get the proxy-wasm names in place of the SDK's, callbacks
// without a use lose theirs, and the rest (start, configuration, tick, answers of
// callouts) stays the SDK's. Natively, under go test, there is no export section: the
// SDK's callbacks call the same methods of the same types (native.go).
//
// # What has to be watched
//
//   - A VM may have several plugin contexts: plugins that share a vm_id, and for a
//     while a listener and the one that replaces it. Headers arrive with the stream's
//     number only. Whose stream it is follows from the last announcement, which Envoy
//     makes right before it hands over the headers; if that is of another stream,
//     the request is refused with 500.
//   - Nobody says when a plugin context or a stream has ended, because proxy_on_done
//     and proxy_on_delete are not exported. The host says it when it is asked: it
//     fails to select a context that is gone (SetEffectiveContext). This package asks
//     for plugin contexts; package plugin asks for requests that wait for keys before
//     it answers them, and before it turns others away for want of a slot.
//   - Of a stream nothing is kept but by requests that wait. When trailers come, the
//     plugin context of the stream is not known, so all of them remove what no client
//     may send.
//   - Header texts are parts of one buffer that the next request overwrites. What
//     outlives the callback has to be cloned.
//
// The host calls a VM from one thread, one call at a time, so nothing here locks.
package abi

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// Plugin is a plugin context as the callbacks of this package need it.
type Plugin interface {
	// OnRequestHeaders decides about a new stream, whose context is in effect.
	// Anything but types.ActionContinue holds back headers, body and trailers.
	OnRequestHeaders(stream uint32) types.Action
	// OnRequestTrailers removes from the trailers of a stream that goes on what no
	// client may send. The stream may be another plugin's.
	OnRequestTrailers(stream uint32) types.Action
	// OnGone is called when the host has forgotten the plugin context.
	OnGone()
}

// statusOK is the host's word for success; every other number is a failure.
const statusOK = 0

var errReply = errors.New("proxy_send_local_response failed")

// SendReply answers the stream in effect itself. The details must have no spaces;
// access logs show them as response code details.
func SendReply(status uint32, details string, headers [][2]string, body []byte, grpcStatus int32) error {
	pairs := serializePairs(headers)
	if hostSendLocalResponse(status, unsafe.StringData(details), int32(len(details)),
		unsafe.SliceData(body), int32(len(body)), unsafe.SliceData(pairs), int32(len(pairs)), grpcStatus) != statusOK {
		return errReply
	}
	return nil
}

// The kinds of metrics. Of a gauge all VMs of a process have one: increments add up,
// and of what is recorded the last counts.
const (
	Counter = 0
	Gauge   = 1
)

// DefineMetric gives the host's number of a metric, which it makes if there is none
// of the name. ok is false when the host refuses.
func DefineMetric(kind uint32, name string) (id uint32, ok bool) {
	ok = hostDefineMetric(kind, unsafe.StringData(name), int32(len(name)), &id) == statusOK
	return id, ok
}

// IncrementMetric adds to a metric, for a gauge also less than nothing.
func IncrementMetric(id uint32, n int64) { _ = hostIncrementMetric(id, n) }

// RecordMetric sets a gauge.
func RecordMetric(id uint32, value uint64) { _ = hostRecordMetric(id, value) }

const word = 4 // bytes of a number in a serialized map

// serializePairs writes pairs as proxy-wasm has them: their number, the lengths of
// each, then each with a zero byte behind it.
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

var errPairs = errors.New("the host's headers are no map of proxy-wasm")

// appendPairs reads what serializePairs writes. The texts are parts of b.
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
