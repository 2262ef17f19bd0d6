package main

import (
	leb128 "encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tetratelabs/wabin/binary"
	"github.com/tetratelabs/wabin/wasm"
)

// trim gives the module with its exports as the table has them, in the order of
// their new names. Equal modules give equal bytes.
func trim(module []byte) ([]byte, error) {
	m, err := binary.DecodeModule(module, wasm.CoreFeaturesV2)
	if err != nil {
		return nil, err
	}
	var kept []*wasm.Export
	missing := maps.Clone(exports)
	for _, export := range m.ExportSection {
		name, known := exports[export.Name]
		if !known {
			return nil, fmt.Errorf("the export %s is new: exports.go has to say whether the plugin needs it", export.Name)
		}
		delete(missing, export.Name)
		if name != "" {
			kept = append(kept, &wasm.Export{Type: export.Type, Name: name, Index: export.Index})
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("these exports are missing: %s; was it trimmed already?", strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	slices.SortFunc(kept, func(a, b *wasm.Export) int { return strings.Compare(a.Name, b.Name) })
	return replaceExports(module, kept), nil
}

// replaceExports copies every section but the exports byte for byte: wabin writes
// some of them in another, longer way than Go's linker.
func replaceExports(module []byte, exports []*wasm.Export) []byte {
	const header = 8 // magic number and version
	out := slices.Clone(module[:header])
	for rest := module[header:]; len(rest) > 0; {
		size, n := leb128.Uvarint(rest[1:])
		end := 1 + n + int(size)
		if rest[0] == wasm.SectionIDExport {
			out = append(out, binary.EncodeModule(&wasm.Module{ExportSection: exports})[header:]...)
		} else {
			out = append(out, rest[:end]...)
		}
		rest = rest[end:]
	}
	return out
}

// list names what the module imports and exports.
func list(module []byte) (string, error) {
	m, err := binary.DecodeModule(module, wasm.CoreFeaturesV2)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, i := range m.ImportSection {
		lines = append(lines, "import "+i.Module+"."+i.Name)
	}
	for _, e := range m.ExportSection {
		lines = append(lines, "export "+e.Name)
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n") + "\n", nil
}
