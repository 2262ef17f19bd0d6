//go:build wasm

package plugin

//go:wasmimport env proxy_send_local_response
func hostSendLocalResponse(status uint32, detailsData *byte, detailsSize int32,
	bodyData *byte, bodySize int32, headersData *byte, headersSize int32, grpcStatus int32) uint32

//go:wasmimport env proxy_define_metric
func hostDefineMetric(kind uint32, nameData *byte, nameSize int32, id *uint32) uint32

//go:wasmimport env proxy_increment_metric
func hostIncrementMetric(id uint32, offset int64) uint32

//go:wasmimport env proxy_record_metric
func hostRecordMetric(id uint32, value uint64) uint32
