package main

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wabin/binary"
	"github.com/tetratelabs/wabin/wasm"
)

// module makes one with a function, data and all exports of the table, changed by
// the names given: "+name" adds one, "-name" leaves one out.
func module(changes ...string) []byte {
	names := slices.Collect(maps.Keys(exports))
	for _, change := range changes {
		if name := change[1:]; change[0] == '+' {
			names = append(names, name)
		} else {
			names = slices.DeleteFunc(names, func(n string) bool { return n == name })
		}
	}
	m := &wasm.Module{
		TypeSection:     []*wasm.FunctionType{{}},
		ImportSection:   []*wasm.Import{{Module: "env", Name: "proxy_log", Type: wasm.ExternTypeFunc}},
		FunctionSection: []wasm.Index{0},
		MemorySection:   &wasm.Memory{Min: 1},
		CodeSection:     []*wasm.Code{{Body: []byte{wasm.OpcodeEnd}}},
		CustomSections:  []*wasm.CustomSection{{Name: "producers", Data: []byte("Go")}},
	}
	for _, name := range names {
		e := &wasm.Export{Type: wasm.ExternTypeFunc, Name: name, Index: 1}
		if name == "memory" {
			e = &wasm.Export{Type: wasm.ExternTypeMemory, Name: name}
		}
		m.ExportSection = append(m.ExportSection, e)
	}
	return binary.EncodeModule(m)
}

func TestTrim(t *testing.T) {
	in := module()
	out, err := trim(in)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := list(out)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(lines, "export "); got != len(newNames()) {
		t.Errorf("%d exports, want %d", got, len(newNames()))
	}
	for name, to := range exports {
		if to != "" && !strings.Contains(lines, "export "+to+"\n") {
			t.Errorf("%s is lost", to)
		}
		if to != name && strings.Contains(lines, "export "+name+"\n") {
			t.Errorf("%s is still there", name)
		}
	}
	for range 5 { // the maps above come in another order each time
		again, err := trim(module())
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("another module from the same parts: %v", err)
		}
	}
	m, err := binary.DecodeModule(out, wasm.CoreFeaturesV2)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range m.ExportSection {
		if (e.Name == "memory") != (e.Type == wasm.ExternTypeMemory) || e.Type == wasm.ExternTypeFunc && e.Index != 1 {
			t.Errorf("%s is now %+v", e.Name, e)
		}
	}
	// All but the exports is as it was, to the byte.
	before, after := withoutExports(in), withoutExports(out)
	if !bytes.Equal(before, after) || !bytes.Contains(after, []byte("producers")) {
		t.Error("more than the exports has changed")
	}
}

// newNames are the names in the trimmed module; none may stand twice.
func newNames() map[string]bool {
	names := map[string]bool{}
	for name, to := range exports {
		if names[to] {
			panic("two exports become " + to + ", one of them " + name)
		}
		names[to] = to != ""
	}
	delete(names, "")
	return names
}

// withoutExports leaves the exports empty.
func withoutExports(module []byte) []byte { return replaceExports(module, nil) }

func TestRefused(t *testing.T) {
	trimmed, err := trim(module())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		module []byte
		want   string
	}{
		"an export that nobody knows": {module("+proxy_on_grpc_close"), "proxy_on_grpc_close is new"},
		"one that is missing":         {module("-proxy_on_request_headers"), "missing: proxy_on_request_headers"},
		"trimmed already":             {trimmed, "trimmed already"},
		"twice":                       {module("+proxy_on_tick"), "duplicates name"},
		"no module":                   {[]byte("\x7fELF"), "invalid magic number"},
		"nothing":                     {nil, "invalid magic number"},
		"half a module":               {module()[:60], ""},
	} {
		out, err := trim(c.module)
		if err == nil || out != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v with %d bytes, want %q", name, err, len(out), c.want)
		}
	}
	if _, err := list([]byte("no module")); err == nil {
		t.Error("a list of no module")
	}
}

func TestList(t *testing.T) {
	got, err := list(module("-proxy_on_tick"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if !slices.IsSorted(lines) || !slices.Contains(lines, "import env.proxy_log") || slices.Contains(lines, "export proxy_on_tick") {
		t.Errorf("list gives\n%s", got)
	}
}
