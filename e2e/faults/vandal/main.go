// Vandal is another plugin that shares the shared data of ours, because its
// operator gave both one vm_id, or none to either. The tests of faults compile it and tell it, by
// headers, what to do there. It is never shipped.
package main

import (
	"encoding/base64"
	"strconv"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

func init() { proxywasm.SetVMContext(&vm{}) }

type vm struct{ types.DefaultVMContext }

// NewPluginContext implements types.VMContext.
func (*vm) NewPluginContext(uint32) types.PluginContext { return &plugin{} }

type plugin struct{ types.DefaultPluginContext }

// NewHttpContext implements types.PluginContext.
func (*plugin) NewHttpContext(uint32) types.HttpContext { return &stream{} }

type stream struct{ types.DefaultHttpContext }

// OnHttpRequestHeaders implements types.HttpContext. x-name is a name in shared
// data; x-do is size (answer how long its value is), get (answer with it in
// base64), put (store what x-value says in base64), junk (overwrite it), empty
// (take the value away) or fill (write 64 MiB under other names).
func (*stream) OnHttpRequestHeaders(int, bool) types.Action {
	name, _ := proxywasm.GetHttpRequestHeader("x-name")
	do, _ := proxywasm.GetHttpRequestHeader("x-do")
	answer := "done"
	var err error
	switch do {
	case "size":
		var value []byte
		value, _, err = proxywasm.GetSharedData(name)
		answer = strconv.Itoa(len(value))
	case "get":
		var value []byte
		value, _, err = proxywasm.GetSharedData(name)
		answer = base64.StdEncoding.EncodeToString(value)
	case "put":
		text, _ := proxywasm.GetHttpRequestHeader("x-value")
		var value []byte
		if value, err = base64.StdEncoding.DecodeString(text); err == nil {
			err = proxywasm.SetSharedData(name, value, 0)
		}
	case "junk":
		err = proxywasm.SetSharedData(name, []byte("not a record, and longer than a hint"), 0)
	case "empty":
		err = proxywasm.SetSharedData(name, nil, 0)
	case "fill":
		megabyte := make([]byte, 1<<20)
		for i := 0; i < 64 && err == nil; i++ {
			err = proxywasm.SetSharedData("vandal/"+strconv.Itoa(i), megabyte, 0)
		}
	}
	if err != nil {
		answer = err.Error()
	}
	_ = proxywasm.SendHttpResponse(200, nil, []byte(answer), -1)
	return types.ActionPause
}
