//go:build wasm

package plugin

//go:wasmimport env proxy_send_local_response
func hostSendLocalResponse(status uint32, detailsData *byte, detailsSize int32,
	bodyData *byte, bodySize int32, headersData *byte, headersSize int32, grpcStatus int32) uint32
