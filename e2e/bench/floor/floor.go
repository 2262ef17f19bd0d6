// Package floor writes plugins that do nothing but call the host: modules without
// any language's runtime, which Envoy enters once for each request. What they
// cost is the floor under every plugin that makes the same calls.
package floor

import (
	"github.com/tetratelabs/wabin/binary"
	"github.com/tetratelabs/wabin/leb128"
	"github.com/tetratelabs/wabin/wasm"
)

// Calls are what a module does with each request. None of it is looked at.
type Calls struct {
	AllHeaders bool // reads all headers at once; otherwise only authorization
	Announced  bool // is told of each stream before it comes, and of its plugin
	Clock      bool // asks for the time
	Replaced   int  // how many headers it writes
}

// Places in the module's memory: a header's name, the names and values of
// headers that are written, the place for what the host answers (address and
// size), and the place for what it hands over, always the same one.
const (
	nameAt   = 0
	header   = "authorization"
	writeAt  = 64
	written  = "x-jwt-claim-0"
	answerAt = 256
	valueAt  = 1024
)

// The host's functions, in the order in which they are imported.
const (
	getValue = iota
	getPairs
	replaceValue
	clockTime
)

// Module is a module in binary form. For the zero Calls it would read, by hand:
//
//	(import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
//	(memory (export "memory") 2)
//	(data (i32.const 0) "authorization")
//	(func (export "proxy_abi_version_0_2_1"))
//	(func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
//	(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
//	  i32.const 0  i32.const 0  i32.const 13  i32.const 256  i32.const 260  call $get)
//
// The result of the last call is 0, which also means "go on". Were the header
// absent, it would be 1, "stop": requests without the header hang, so send it.
func Module(c Calls) []byte {
	i32, i64 := wasm.ValueTypeI32, wasm.ValueTypeI64
	types := []*wasm.FunctionType{
		{Params: []wasm.ValueType{i32, i32, i32, i32, i32}, Results: []wasm.ValueType{i32}},
		{Params: []wasm.ValueType{i32, i32, i32}, Results: []wasm.ValueType{i32}},
		{Params: []wasm.ValueType{i32, i64, i32}, Results: []wasm.ValueType{i32}},
		{},
		{Params: []wasm.ValueType{i32}, Results: []wasm.ValueType{i32}},
		{Params: []wasm.ValueType{i32, i32}},
	}
	const five, three, clock, nothing, allocate, announce = 0, 1, 2, 3, 4, 5

	var body []byte
	if c.Clock {
		body = concat(body, constant(0), []byte{wasm.OpcodeI64Const, 1}, constant(answerAt), call(clockTime), []byte{wasm.OpcodeDrop})
	}
	for i := range c.Replaced {
		name := writeAt + int32(i)*int32(len(written))
		size := constant(int32(len(written)))
		body = concat(body, constant(0), constant(name), size, constant(name), size, call(replaceValue), []byte{wasm.OpcodeDrop})
	}
	if c.AllHeaders {
		body = concat(body, constant(0), constant(answerAt), constant(answerAt+4), call(getPairs))
	} else {
		body = concat(body, constant(0), constant(nameAt), constant(int32(len(header))), constant(answerAt), constant(answerAt+4), call(getValue))
	}
	m := &wasm.Module{
		TypeSection: types,
		ImportSection: []*wasm.Import{
			{Type: wasm.ExternTypeFunc, Module: "env", Name: "proxy_get_header_map_value", DescFunc: five},
			{Type: wasm.ExternTypeFunc, Module: "env", Name: "proxy_get_header_map_pairs", DescFunc: three},
			{Type: wasm.ExternTypeFunc, Module: "env", Name: "proxy_replace_header_map_value", DescFunc: five},
			{Type: wasm.ExternTypeFunc, Module: "wasi_snapshot_preview1", Name: "clock_time_get", DescFunc: clock},
		},
		MemorySection: &wasm.Memory{Min: 2, Max: 2, IsMaxEncoded: true},
		ExportSection: []*wasm.Export{{Type: wasm.ExternTypeMemory, Name: "memory", Index: 0}},
		DataSection:   []*wasm.DataSegment{data(nameAt, header)},
	}
	add := func(name string, kind wasm.Index, body []byte) {
		index := wasm.Index(len(m.ImportSection) + len(m.FunctionSection))
		m.FunctionSection = append(m.FunctionSection, kind)
		m.CodeSection = append(m.CodeSection, &wasm.Code{Body: append(body, wasm.OpcodeEnd)})
		m.ExportSection = append(m.ExportSection, &wasm.Export{Type: wasm.ExternTypeFunc, Name: name, Index: index})
	}
	add("proxy_abi_version_0_2_1", nothing, nil)
	add("proxy_on_memory_allocate", allocate, constant(valueAt))
	add("proxy_on_request_headers", three, body)
	if c.Announced {
		add("proxy_on_context_create", announce, nil)
	}
	for i := range c.Replaced {
		name := []byte(written)
		name[len(name)-1] += byte(i)
		m.DataSection = append(m.DataSection, data(writeAt+int32(i)*int32(len(written)), string(name)))
	}
	return binary.EncodeModule(m)
}

func data(at int32, text string) *wasm.DataSegment {
	return &wasm.DataSegment{
		OffsetExpression: &wasm.ConstantExpression{Opcode: wasm.OpcodeI32Const, Data: leb128.EncodeInt32(at)},
		Init:             []byte(text),
	}
}

func call(function byte) []byte { return []byte{wasm.OpcodeCall, function} }

func constant(v int32) []byte {
	return append([]byte{wasm.OpcodeI32Const}, leb128.EncodeInt32(v)...)
}

func concat(parts ...[]byte) (all []byte) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}
