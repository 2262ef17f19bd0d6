package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata anew")

// TestModules: what the shipped modules import and export is what testdata says.
// A change is a change of what hosts have to offer, and of what capability
// restrictions have to allow: tell the users (go test ./plugin/cmd/trim -update).
func TestModules(t *testing.T) {
	for _, name := range []string{"edgejwt", "edgejwt-full"} {
		module, err := os.ReadFile(filepath.Join("../../../dist", name+".wasm"))
		if err != nil {
			t.Fatalf("the compiled module is missing, run make build: %v", err)
		}
		got, err := list(module)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s.wasm:\n%s\nwant\n%s", name, got, want)
		}
		for to := range newNames() {
			if !strings.Contains(got, "export "+to+"\n") {
				t.Errorf("%s.wasm lacks %s", name, to)
			}
		}
	}
}
