package main

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata anew")

// TestModule: what the shipped module imports and exports is what testdata says.
// A change is a change of what hosts have to offer, and of what capability
// restrictions have to allow: tell the users (go test ./cmd/trim -update).
func TestModule(t *testing.T) {
	module, err := os.ReadFile("../../dist/edgejwt.wasm")
	if err != nil {
		t.Fatalf("the compiled module is missing, run make build: %v", err)
	}
	got, err := list(module)
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/edgejwt.txt"
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
		t.Errorf("%s, want %s", got, want)
	}
	for to := range newNames() {
		if !strings.Contains(got, "export "+to+"\n") {
			t.Errorf("the module lacks %s", to)
		}
	}
}
