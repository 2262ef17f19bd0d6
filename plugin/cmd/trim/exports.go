package main

// exports says what becomes of each export: its name in the trimmed module, or ""
// for one that goes. An export that is not here is refused, so that what a new
// SDK brings is looked at first.
var exports = map[string]string{
	"memory":                  "memory",
	"_initialize":             "_initialize",
	"proxy_abi_version_0_2_0": "proxy_abi_version_0_2_0",

	"proxy_on_memory_allocate":    "proxy_on_memory_allocate",
	"proxy_on_vm_start":           "proxy_on_vm_start",
	"proxy_on_configure":          "proxy_on_configure",
	"proxy_on_tick":               "proxy_on_tick",
	"proxy_on_http_call_response": "proxy_on_http_call_response",
	"proxy_on_context_create":     "proxy_on_context_create",
	"proxy_on_request_headers":    "proxy_on_request_headers",
	"proxy_on_request_body":       "proxy_on_request_body",
	"proxy_on_request_trailers":   "proxy_on_request_trailers",

	// The SDK tells of a stream's end in the one and frees its context in the other.
	"proxy_on_log":    "proxy_on_log",
	"proxy_on_delete": "proxy_on_delete",

	// The SDK's answer is always yes, and without the export the host assumes it.
	"proxy_on_done": "",

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
