// Trim is the last step of the build: it takes from the module's exports the
// callbacks that the plugin does not use.
//
//	trim -o dist/edgejwt.wasm untrimmed.wasm
//	trim -list dist/edgejwt.wasm
//
// The SDK exports every callback of proxy-wasm, and Envoy enters each one that it
// finds, for each request: a callback that does nothing costs about 0.7 µs, and
// there are eight of them. A module without them is the same module: nothing is
// changed but names in the export section.
//
// The list tells what the module asks of its host and what it offers, one name a
// line, sorted: what a capability restriction has to allow.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: trim -o out.wasm in.wasm\n       trim -list in.wasm")
		flag.PrintDefaults()
	}
	out := flag.String("o", "", "write the trimmed module to this `file`")
	list := flag.Bool("list", false, "print imports and exports of the module as it is")
	flag.Parse()
	if flag.NArg() != 1 || (*out == "") != *list {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *out); err != nil {
		fmt.Fprintln(os.Stderr, "trim:", err)
		os.Exit(1)
	}
}

// run writes the trimmed module to out; without out it prints the list.
func run(in, out string) error {
	module, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	if out == "" {
		lines, err := list(module)
		if err == nil {
			_, err = os.Stdout.WriteString(lines)
		}
		return err
	}
	trimmed, err := trim(module)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	return os.WriteFile(out, trimmed, 0o644)
}
