package config

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write FIELDS.md anew")

// TestFieldTable holds FIELDS.md against the list of fields.
func TestFieldTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Every field of the configuration\n\n" +
		"<!-- Written by go test ./plugin/config -run TestFieldTable -update. Do not edit. -->\n\n" +
		"The configuration is strict JSON of at most 1 MiB; strings have at most 4 KiB. Durations are written as in Go: " +
		"`250ms`, `60s`, `1h30m`. `auth0`, `jwtRules` or both must be there.\n\n" +
		"| Field | Type | Default | Limits | Meaning |\n|---|---|---|---|---|\n")
	writeRows(&b, "", Fields())
	b.WriteString("\nThese names are known, and refused for now:\n\n| Field | Why |\n|---|---|\n")
	writeRefused(&b, "", Fields())
	want := b.String()
	if *update {
		if err := os.WriteFile("FIELDS.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("FIELDS.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("FIELDS.md is not what the list of fields says; run go test ./plugin/config -run TestFieldTable -update")
	}
}

func writeRows(b *strings.Builder, path string, fields []Field) {
	for _, f := range fields {
		if f.Refused != "" {
			continue
		}
		limits := f.Limits
		if f.Kind == Duration {
			limits = short(f.Min) + " to " + short(f.Max)
			if f.Limits != "" {
				limits += "; " + f.Limits
			}
		}
		b.WriteString("| " + code(path+f.Name) + " | " + f.Kind.String() + " | " + code(f.Default) + " | " +
			cell(limits) + " | " + cell(f.Meaning) + " |\n")
		writeRows(b, below(path, f), f.Fields)
	}
}

func writeRefused(b *strings.Builder, path string, fields []Field) {
	for _, f := range fields {
		if f.Refused != "" {
			b.WriteString("| " + code(path+f.Name) + " | " + cell(f.Refused) + " |\n")
		}
		writeRefused(b, below(path, f), f.Fields)
	}
}

func below(path string, f Field) string {
	if f.Kind == Objects {
		return path + f.Name + "[]."
	}
	return path + f.Name + "."
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// TestFieldList holds the list to what the reader takes for granted.
func TestFieldList(t *testing.T) {
	var walk func(path string, fields []Field)
	walk = func(path string, fields []Field) {
		names := map[string]bool{}
		for _, f := range fields {
			path := path + f.Name
			if names[f.Name] {
				t.Errorf("%s: listed twice", path)
			}
			names[f.Name] = true
			if f.Refused != "" {
				if f.Kind != 0 || f.Meaning != "" || f.Fields != nil {
					t.Errorf("%s: refused, and yet described", path)
				}
				continue
			}
			if f.Kind.String() == "" || kinds[f.Kind].not == "" {
				t.Errorf("%s: kind %d has no row in kinds", path, f.Kind)
			}
			if !strings.HasSuffix(f.Meaning, ".") {
				t.Errorf("%s: %q is not a sentence", path, f.Meaning)
			}
			if (f.Kind == Object || f.Kind == Objects) != (f.Fields != nil) {
				t.Errorf("%s: objects, and only they, have fields", path)
			}
			if f.Kind == Duration {
				if d, err := time.ParseDuration(f.Default); err != nil || d < f.Min || d > f.Max || f.Min < 0 {
					t.Errorf("%s: default %q, bounds %v to %v", path, f.Default, f.Min, f.Max)
				}
			} else if f.Min != 0 || f.Max != 0 {
				t.Errorf("%s: only durations have bounds", path)
			}
			if f.Kind == Switch && f.Default != "true" && f.Default != "false" {
				t.Errorf("%s: default %q", path, f.Default)
			}
			walk(path+".", f.Fields)
		}
	}
	walk("", Fields())
}
