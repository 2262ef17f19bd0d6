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

// module makes one with all exports of the table, a function for each, changed by
// the names given: "+name" adds one, "-name" leaves one out. The function of a name
// is the one at functionOf.
func module(changes ...string) []byte {
	names := slices.Collect(maps.Keys(exports)) // in another order each time
	for _, change := range changes {
		if name := change[1:]; change[0] == '+' {
			names = append(names, name)
		} else {
			names = slices.DeleteFunc(names, func(n string) bool { return n == name })
		}
	}
	m := &wasm.Module{
		TypeSection:    []*wasm.FunctionType{{}},
		ImportSection:  []*wasm.Import{{Module: "env", Name: "proxy_log", Type: wasm.ExternTypeFunc}},
		MemorySection:  &wasm.Memory{Min: 1},
		CustomSections: []*wasm.CustomSection{{Name: "producers", Data: []byte("Go")}},
	}
	for range len(exports) {
		m.FunctionSection = append(m.FunctionSection, 0)
		m.CodeSection = append(m.CodeSection, &wasm.Code{Body: []byte{wasm.OpcodeEnd}})
	}
	for _, name := range names {
		e := &wasm.Export{Type: wasm.ExternTypeFunc, Name: name, Index: functionOf(name)}
		if name == "memory" {
			e = &wasm.Export{Type: wasm.ExternTypeMemory, Name: name}
		}
		m.ExportSection = append(m.ExportSection, e)
	}
	return binary.EncodeModule(m)
}

func functionOf(name string) wasm.Index {
	at, _ := slices.BinarySearch(slices.Sorted(maps.Keys(exports)), name)
	return wasm.Index(1 + at%len(exports))
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
	for range 5 {
		again, err := trim(in)
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("another module from the same parts: %v", err)
		}
	}
	m, err := binary.DecodeModule(out, wasm.CoreFeaturesV2)
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range exports {
		at := slices.IndexFunc(m.ExportSection, func(e *wasm.Export) bool { return e.Name == to })
		switch {
		case to == "":
			if strings.Contains(lines, "export "+name+"\n") && !newNames()[name] {
				t.Errorf("%s is still there", name)
			}
		case at < 0:
			t.Errorf("%s is lost", to)
		case name == "memory":
			if m.ExportSection[at].Type != wasm.ExternTypeMemory {
				t.Error("memory is a memory no more")
			}
		case m.ExportSection[at].Index != functionOf(name) || m.ExportSection[at].Type != wasm.ExternTypeFunc:
			t.Errorf("%s is not what %s was", to, name)
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
