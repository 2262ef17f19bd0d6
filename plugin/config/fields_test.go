package config

import (
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the tables of docs/configuration.md anew")

// fieldPage is the page that describes the configuration. It is written by hand
// down to the line tablesBegin; the rest follows from the list of fields.
const (
	fieldPage   = "../../docs/configuration.md"
	tablesBegin = "<!-- From here on written by go test ./plugin/config -run TestFieldTable -update. Do not edit. -->\n"
)

// TestFieldTable compares the tables of docs/configuration.md with the list of
// fields.
func TestFieldTable(t *testing.T) {
	raw, err := os.ReadFile(fieldPage)
	if err != nil {
		t.Fatal(err)
	}
	head, got, found := strings.Cut(string(raw), tablesBegin)
	if !found {
		t.Fatalf("docs/configuration.md has no line %q", tablesBegin)
	}
	var b strings.Builder
	b.WriteString("\n## Every field\n\n| Field | Type | Default | Limits | Meaning |\n|---|---|---|---|---|\n")
	writeRows(&b, "", Fields())
	b.WriteString("\n## Names that are known and refused\n\n| Field | Why |\n|---|---|\n")
	writeRefused(&b, "", Fields())
	want := b.String()
	if *update {
		if err := os.WriteFile(fieldPage, []byte(head+tablesBegin+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Error("docs/configuration.md is not what the list of fields says; run go test ./plugin/config -run TestFieldTable -update")
	}
}

func writeRows(b *strings.Builder, path string, fields []Field) {
	for _, f := range fields {
		if f.Refused != "" {
			continue
		}
		b.WriteString("| " + code(path+f.Name) + " | " + f.Kind.String() + " | " + code(f.Default) + " | " +
			cell(limitsOf(f)) + " | " + cell(f.Meaning) + " |\n")
		writeRows(b, below(path, f), f.Fields)
	}
}

// limitsOf lists all that is demanded of a value, in the order of a reader's interest.
func limitsOf(f Field) string {
	var all []string
	if f.Required {
		all = append(all, "required")
	}
	if f.OneOf != nil {
		all = append(all, either(f.OneOf))
	}
	switch low, high := strconv.Itoa(int(f.Min)), strconv.Itoa(int(f.Max)); {
	case f.Kind == Duration:
		all = append(all, FormatDuration(time.Duration(f.Min))+" to "+FormatDuration(time.Duration(f.Max)))
	case f.Kind == Bytes || f.Kind == Count:
		all = append(all, inBytes(f.Min, f.Kind)+" to "+inBytes(f.Max, f.Kind))
	case f.Max == 0 || f.OneOf != nil:
	case f.Kind == Text:
		all = append(all, strconv.Itoa(max(int(f.Min), 1))+" to "+high+" bytes")
	case f.Min == 0:
		all = append(all, "at most "+high)
	default:
		all = append(all, low+" to "+high)
	}
	if f.Limits != "" {
		all = append(all, f.Limits)
	}
	return strings.Join(all, "; ")
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
	if f.Kind == Objects || f.Kind == Claims {
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
			short := below(path, Field{Name: f.Name, Kind: f.Kind})
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
			if f.Kind.String() == "" || kinds[f.Kind].mismatch == "" {
				t.Errorf("%s: kind %d has no name", path, f.Kind)
			}
			if !strings.HasSuffix(f.Meaning, ".") && !strings.HasSuffix(f.Meaning, "…") {
				t.Errorf("%s: %q is not a sentence", path, f.Meaning)
			}
			if (f.Kind == Object || f.Kind == Objects || f.Kind == Claims) != (f.Fields != nil) {
				t.Errorf("%s: objects, and only they, have fields", path)
			}
			if f.Required && f.Default != "" {
				t.Errorf("%s: required, and yet with a default", path)
			}
			checkBounds(t, path, f)
			walk(short, f.Fields)
		}
	}
	walk("", Fields())
	walk("routes[].", PolicyFields())
}

// checkBounds demands a default within its bounds.
func checkBounds(t *testing.T, path string, f Field) {
	t.Helper()
	if f.Min < 0 || f.Max < f.Min && f.Max != 0 {
		t.Errorf("%s: bounds %d to %d", path, f.Min, f.Max)
	}
	switch f.Kind {
	case Duration:
		if d, err := time.ParseDuration(f.Default); f.Max == 0 || f.Default != "" && (err != nil || int64(d) < f.Min || int64(d) > f.Max) {
			t.Errorf("%s: default %q, bounds %d to %d", path, f.Default, f.Min, f.Max)
		}
	case Count, Bytes:
		value := f.Default
		if strings.Contains(path, "[].tokenCache.") || strings.HasPrefix(path, "auth0.tokenCache.") { // without default: inherited
			value = f.Example
		}
		if n, ok := parseBytes(value, f.Kind == Bytes); !ok || n < f.Min || n > f.Max {
			t.Errorf("%s: default %q, bounds %d to %d", path, f.Default, f.Min, f.Max)
		}
	case Switch:
		if f.Default != "true" && f.Default != "false" {
			t.Errorf("%s: default %q", path, f.Default)
		}
	case Choice:
		if f.Default != "" && !slices.Contains(f.OneOf, f.Default) || len(f.OneOf) < 2 {
			t.Errorf("%s: default %q of %q", path, f.Default, f.OneOf)
		}
	case Texts, TextOrTexts, Ways, Values, Claims, Objects:
		if f.Max == 0 {
			t.Errorf("%s: a list without bound", path)
		}
	case KeySet, Object:
		if f.Min != 0 || f.Max != 0 {
			t.Errorf("%s: no bounds are known for its kind", path)
		}
	}
}
