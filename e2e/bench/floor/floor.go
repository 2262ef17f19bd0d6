// Package floor writes the least plugin that looks at a token: a module without
// any language's runtime, which Envoy enters once for each request and which
// reads one header. What it costs is the floor under every plugin of this kind.
package floor

import (
	"github.com/tetratelabs/wabin/binary"
	"github.com/tetratelabs/wabin/leb128"
	"github.com/tetratelabs/wabin/wasm"
)

// The module's one page of memory: the header's name, the place for what the
// host answers (address and size), and the place for the value. Every value
// lands in the same place: it is not looked at.
const (
	nameAt   = 0
	answerAt = 256
	valueAt  = 1024
	header   = "authorization"
)

// Module is the module in binary form. By hand it would read:
//
//	(import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
//	(memory (export "memory") 2)
//	(data (i32.const 0) "authorization")
//	(func (export "proxy_abi_version_0_2_1"))
//	(func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
//	(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
//	  i32.const 0  i32.const 0  i32.const 13  i32.const 256  i32.const 260  call $get)
//
// The result of the call is 0, which also means "go on". Were the header absent,
// it would be 1, "stop": requests without the header hang, so send it.
func Module() []byte {
	i32 := wasm.ValueTypeI32
	read := concat(
		constant(0), // the request's headers
		constant(nameAt), constant(int32(len(header))),
		constant(answerAt), constant(answerAt+4),
		[]byte{wasm.OpcodeCall, 0, wasm.OpcodeEnd},
	)
	return binary.EncodeModule(&wasm.Module{
		TypeSection: []*wasm.FunctionType{
			{Params: []wasm.ValueType{i32, i32, i32, i32, i32}, Results: []wasm.ValueType{i32}},
			{},
			{Params: []wasm.ValueType{i32}, Results: []wasm.ValueType{i32}},
			{Params: []wasm.ValueType{i32, i32, i32}, Results: []wasm.ValueType{i32}},
		},
		ImportSection: []*wasm.Import{
			{Type: wasm.ExternTypeFunc, Module: "env", Name: "proxy_get_header_map_value", DescFunc: 0},
		},
		FunctionSection: []wasm.Index{1, 2, 3},
		MemorySection:   &wasm.Memory{Min: 2, Max: 2, IsMaxEncoded: true},
		ExportSection: []*wasm.Export{
			{Type: wasm.ExternTypeMemory, Name: "memory", Index: 0},
			{Type: wasm.ExternTypeFunc, Name: "proxy_abi_version_0_2_1", Index: 1},
			{Type: wasm.ExternTypeFunc, Name: "proxy_on_memory_allocate", Index: 2},
			{Type: wasm.ExternTypeFunc, Name: "proxy_on_request_headers", Index: 3},
		},
		CodeSection: []*wasm.Code{
			{Body: []byte{wasm.OpcodeEnd}},
			{Body: append(constant(valueAt), wasm.OpcodeEnd)},
			{Body: read},
		},
		DataSection: []*wasm.DataSegment{{
			OffsetExpression: &wasm.ConstantExpression{Opcode: wasm.OpcodeI32Const, Data: leb128.EncodeInt32(nameAt)},
			Init:             []byte(header),
		}},
	})
}

func constant(v int32) []byte {
	return append([]byte{wasm.OpcodeI32Const}, leb128.EncodeInt32(v)...)
}

func concat(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
