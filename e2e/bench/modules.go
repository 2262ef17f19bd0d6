package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/tetratelabs/wabin/binary"
	"github.com/tetratelabs/wabin/wasm"

	"edgejwt/e2e/bench/floor"
)

// modules are the compiled plugins' files.
type modules struct {
	edgejwt string            // what make build made
	before  string            // another build of it
	empty   string            // SDK's empty plugin
	trimmed string            // the same without the exports that it does not need
	floors  map[string]string // by listener; see package floor
}

// floors are the modules of package floor, by the names of their listeners.
var floors = map[string]floor.Calls{
	"floor":           {},
	"floor-headers":   {AllHeaders: true},
	"floor-announced": {AllHeaders: true, Announced: true},
	"floor-clock":     {AllHeaders: true, Announced: true, Clock: true},
	"floor-writes":    {AllHeaders: true, Announced: true, Clock: true, Replaced: 4},
}

// needed are the exports of an SDK plugin that only looks at request headers.
// Envoy enters every callback that it finds.
var needed = []string{
	"_initialize", "memory", "proxy_abi_version_0_2_0", "proxy_on_memory_allocate",
	"proxy_on_vm_start", "proxy_on_configure", "proxy_on_context_create",
	"proxy_on_request_headers", "proxy_on_delete",
}

// buildModules makes the plugins to compare with in dir.
func buildModules(ctx context.Context, root, edgejwt, dir string) (*modules, error) {
	m := &modules{
		edgejwt: edgejwt,
		empty:   filepath.Join(dir, "empty.wasm"),
		trimmed: filepath.Join(dir, "empty-trimmed.wasm"),
		floors:  map[string]string{},
	}
	for name, calls := range floors {
		m.floors[name] = filepath.Join(dir, name+".wasm")
		if err := os.WriteFile(m.floors[name], floor.Module(calls), 0o644); err != nil {
			return nil, err
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-buildmode=c-shared", "-trimpath",
		"-ldflags=-s -w -buildid=", "-o", m.empty, "./bench/empty")
	build.Dir = filepath.Join(root, "e2e")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the empty plugin does not build: %w\n%s", err, bytes.TrimSpace(out))
	}
	return m, trim(m.empty, m.trimmed, needed)
}

// trim copies a module without the exports that are not listed.
func trim(from, to string, keep []string) error {
	code, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	m, err := binary.DecodeModule(code, wasm.CoreFeaturesV2)
	if err != nil {
		return fmt.Errorf("%s is no module: %w", from, err)
	}
	m.ExportSection = slices.DeleteFunc(m.ExportSection, func(e *wasm.Export) bool {
		return !slices.Contains(keep, e.Name)
	})
	return os.WriteFile(to, binary.EncodeModule(m), 0o644)
}
