package image

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// part is a Go module that is linked into a WebAssembly module, or Go's own
// standard library.
type part struct {
	path, version string
	sum           string // of go.sum, "" for the standard library
	licence       string // SPDX
	text          string // of the licence
}

// goLicence is the text that comes with every Go. Some distributions keep it
// elsewhere than Go does, so a copy stands here.
//
//go:embed go.license.txt
var goLicence string

// linked asks the go command what the build is made of: Go first,
// then the modules by path. Our own module is not among them.
func linked(ctx context.Context, root string) ([]part, error) {
	version, err := goCommand(ctx, root, "env", "GOVERSION")
	if err != nil {
		return nil, err
	}
	parts := []part{{path: "std", version: strings.TrimSpace(version), licence: "BSD-3-Clause", text: goLicence}}
	out, err := goCommand(ctx, root, "list", "-deps", "-f",
		"{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Sum}}\t{{.Dir}}\n{{end}}{{end}}", ".")
	if err != nil {
		return nil, err
	}
	lines := slices.Compact(slices.Sorted(slices.Values(strings.FieldsFunc(out, func(r rune) bool { return r == '\n' }))))
	for _, line := range lines {
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("go list says %q", line)
		}
		p := part{path: f[0], version: f[1], sum: f[2]}
		text, err := os.ReadFile(filepath.Join(f[3], "LICENSE"))
		if err != nil {
			return nil, fmt.Errorf("%s has no licence where it should be: %w", p.path, err)
		}
		p.text = string(text)
		if p.licence, err = spdx(p.text); err != nil {
			return nil, fmt.Errorf("%s: %w", p.path, err)
		}
		// Some modules keep the licence of code that they took over beside that
		// code, in a folder below their own.
		taken, err := filepath.Glob(filepath.Join(f[3], "*", "LICENSE*"))
		if err != nil {
			return nil, err
		}
		for _, name := range taken {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			p.text += "\n\n" + string(text)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// goCommand runs go as the build does, in no workspace.
func goCommand(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWORK=off")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("go %s: %w\n%s", args[0], err, exit.Stderr)
	}
	return string(out), err
}

// spdx recognises the licences that we have met. Another one is an error: what it
// asks of those who ship the module is to be read first.
func spdx(text string) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	switch {
	case strings.Contains(text, "Mozilla Public License, version 2.0"):
		return "MPL-2.0", nil
	case strings.Contains(text, "Apache License Version 2.0"):
		return "Apache-2.0", nil
	case strings.Contains(text, "Redistribution and use in source and binary forms") && strings.Contains(text, "Neither the name"):
		return "BSD-3-Clause", nil
	case strings.Contains(text, "Permission is hereby granted, free of charge, to any person obtaining a copy of this software"):
		return "MIT", nil
	}
	return "", errors.New("a licence that linked.go does not know")
}

// notices is the text that has to go with the binary.
func notices(parts []part) []byte {
	var b strings.Builder
	b.WriteString("This module is made of the following, besides edgejwt itself.\n")
	for _, p := range parts {
		rule := strings.Repeat("=", 72)
		fmt.Fprintf(&b, "\n%s\n%s %s (%s)\n%s\n\n%s\n", rule, p.path, p.version, p.licence, rule, strings.TrimSpace(p.text))
		if p.licence == "MPL-2.0" { // section 3.2: where the source form is
			fmt.Fprintf(&b, "\nIts source, which is unchanged: https://%s, version %s.\n", p.path, p.version)
		}
	}
	return []byte(b.String())
}
