package main

import (
	"encoding/json"
	"io"
)

// printJSON prints a value for scripts, indented.
func printJSON(out io.Writer, value any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
