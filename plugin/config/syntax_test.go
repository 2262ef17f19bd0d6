package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"
)

// FuzzSyntax holds the scanner for messages against encoding/json, whose
// offset of the first wrong byte counts from 1.
func FuzzSyntax(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"a":[1,-2.5e+3,"\u0041\n"],"b":{"c":null,"d":[true,false]}}`, "{\n  \"a\": 1,\n}", `{"a":01}`, `{"a":1.}`,
		`{"a":1e}`, `{"a":-}`, `{"a" 1}`, `{"a":1 "b"}`, `[1 2]`, `"\x"`, `"\u12g4"`, "\"\n\"", `tru`, `truе`, `nulll`, `[`, `"`, `{}x`, `-0`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		deep := bytes.Count(document, []byte("{"))+bytes.Count(document, []byte("[")) > limits.Depth
		if !utf8.Valid(document) || deep {
			return // may be refused for another reason than a wrong byte
		}
		s := syntax{text: document}
		s.space()
		whole := s.value()
		s.space()
		whole = whole && s.at == len(document)
		line, column := walk(document).place()
		if whole != json.Valid(document) {
			t.Fatalf("scanned %q to the end: %v; encoding/json disagrees", document, whole)
		}
		if lines := 1 + bytes.Count(document, []byte("\n")); line < 1 || line > lines || column < 1 || column > len(document)+1 {
			t.Fatalf("%q: line %d, byte %d", document, line, column)
		}
		var wrong *json.SyntaxError
		if whole || !errors.As(json.Unmarshal(document, new(any)), &wrong) {
			return
		}
		offset := 0
		for range line - 1 {
			offset += 1 + bytes.IndexByte(document[offset:], '\n')
		}
		// At the end of the text encoding/json names the last byte instead.
		if at := offset + column; at != int(wrong.Offset) && at != len(document)+1 {
			t.Fatalf("%q: first wrong byte is %d, encoding/json says %d", document, at, wrong.Offset)
		}
	})
}
