//go:build !wasm

package plugin

import _ "unsafe" // for go:linkname

// Under go test the SDK's emulator stands for the host; this is its side of the
// same call, which the SDK does not export.
//
//go:linkname hostSendLocalResponse github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/internal.ProxySendLocalResponse
func hostSendLocalResponse(status uint32, detailsData *byte, detailsSize int32,
	bodyData *byte, bodySize int32, headersData *byte, headersSize int32, grpcStatus int32) uint32
