package plugin

import "github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

// The SDK takes its contexts as interfaces. For every type that becomes an
// interface the linker keeps, through all fields, whatever methods might be
// found by reflection: with *root itself that is the whole of math/big's and
// time's printing, 500 KB of module. A function value hides what it closes over,
// so the SDK gets these instead.

// pluginContext is a root to the SDK.
type pluginContext struct {
	types.DefaultPluginContext
	start  func(size int) types.OnPluginStartStatus
	tick   func()
	stream func(contextID uint32) types.HttpContext
}

// OnPluginStart implements types.PluginContext.
func (c *pluginContext) OnPluginStart(size int) types.OnPluginStartStatus { return c.start(size) }

// OnTick implements types.PluginContext.
func (c *pluginContext) OnTick() { c.tick() }

// NewHttpContext implements types.PluginContext.
func (c *pluginContext) NewHttpContext(contextID uint32) types.HttpContext {
	return c.stream(contextID)
}

// event is what the host tells.
type event uint8

const (
	pluginStart event = iota
	tick
	calloutAnswer
	parkedRequest // of a tick or an answer, for each request that waited
	requestHeaders
	requestBody
	requestTrailers
	streamDone
)

var eventNames = [...]string{"start", "tick", "callout answer", "parked request",
	"request headers", "request body", "request trailers", "stream done"}

// httpContext is a request to the SDK.
type httpContext struct {
	types.DefaultHttpContext
	on func(event) types.Action
}

// OnHttpRequestHeaders implements types.HttpContext.
func (c *httpContext) OnHttpRequestHeaders(int, bool) types.Action { return c.on(requestHeaders) }

// OnHttpRequestBody implements types.HttpContext.
func (c *httpContext) OnHttpRequestBody(int, bool) types.Action { return c.on(requestBody) }

// OnHttpRequestTrailers implements types.HttpContext.
func (c *httpContext) OnHttpRequestTrailers(int) types.Action { return c.on(requestTrailers) }

// OnHttpStreamDone implements types.HttpContext.
func (c *httpContext) OnHttpStreamDone() { c.on(streamDone) }
