package main

// exports says what becomes of each export: its name in the trimmed module, or ""
// for one that goes. An export that is not here is refused, so that what a new
// SDK brings is looked at first.
var exports = map[string]string{
	"memory":                  "memory",
	"_initialize":             "_initialize",
	"proxy_abi_version_0_2_0": "proxy_abi_version_0_2_0",

	"proxy_on_vm_start":           "proxy_on_vm_start",
	"proxy_on_configure":          "proxy_on_configure",
	"proxy_on_tick":               "proxy_on_tick",
	"proxy_on_http_call_response": "proxy_on_http_call_response",

	// Ours stand in for the SDK's: see package plugin/abi.
	"edgejwt_on_memory_allocate":  "proxy_on_memory_allocate",
	"edgejwt_on_context_create":   "proxy_on_context_create",
	"edgejwt_on_request_headers":  "proxy_on_request_headers",
	"edgejwt_on_request_trailers": "proxy_on_request_trailers",
	"proxy_on_memory_allocate":    "",
	"proxy_on_context_create":     "",
	"proxy_on_request_headers":    "",
	"proxy_on_request_trailers":   "",

	// What is held back is held back with its body, so no body has to be looked at.
	"proxy_on_request_body": "",

	// Nothing is kept of a request that has to be forgotten at its end; without
	// done the host assumes the SDK's answer, which is yes.
	"proxy_on_log":    "",
	"proxy_on_done":   "",
	"proxy_on_delete": "",

	// Responses are none of the plugin's business.
	"proxy_on_response_headers":  "",
	"proxy_on_response_body":     "",
	"proxy_on_response_trailers": "",

	// Nor are connections and queues.
	"proxy_on_new_connection":              "",
	"proxy_on_downstream_data":             "",
	"proxy_on_downstream_connection_close": "",
	"proxy_on_upstream_data":               "",
	"proxy_on_upstream_connection_close":   "",
	"proxy_on_queue_ready":                 "",
}
