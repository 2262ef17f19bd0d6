//go:build !wasm

package abi

import (
	"time"
	_ "unsafe" // for go:linkname

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
)

// Under go test the SDK's callbacks are used, and its emulator (proxytest) is the host.

// Add does nothing: the SDK's callbacks know the plugin contexts.
func Add(uint32, Plugin) {}

// RequestHeaders returns the headers of the stream in effect.
func RequestHeaders() ([][2]string, error) { return proxywasm.GetHttpRequestHeaders() }

// Now returns the time of the wall clock.
func Now() time.Time { return time.Now() }

// The emulator's host functions, which the SDK does not export.

//go:linkname hostSendLocalResponse github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/internal.ProxySendLocalResponse
func hostSendLocalResponse(status uint32, detailsData *byte, detailsSize int32,
	bodyData *byte, bodySize int32, headersData *byte, headersSize int32, grpcStatus int32) uint32

//go:linkname hostDefineMetric github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/internal.ProxyDefineMetric
func hostDefineMetric(kind uint32, nameData *byte, nameSize int32, id *uint32) uint32

//go:linkname hostIncrementMetric github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/internal.ProxyIncrementMetric
func hostIncrementMetric(id uint32, offset int64) uint32

//go:linkname hostRecordMetric github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/internal.ProxyRecordMetric
func hostRecordMetric(id uint32, value uint64) uint32
