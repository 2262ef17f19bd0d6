// Package style colours the words of a report for a terminal. Output to a file or a pipe
// stays plain.
package style

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Style colours words. The zero value leaves them as they are.
type Style struct{ on bool }

// For returns the style for an output: colours if it is a terminal, unless NO_COLOR is
// set (https://no-color.org) or TERM is "dumb".
func For(out io.Writer) Style {
	file, ok := out.(*os.File)
	return Style{ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// Red is for what is refused or does not work.
func (s Style) Red(text string) string { return s.sgr("31", text) }

// Yellow is for what needs a look.
func (s Style) Yellow(text string) string { return s.sgr("33", text) }

// Green is for what is as it should be.
func (s Style) Green(text string) string { return s.sgr("32", text) }

// Cyan is for remarks.
func (s Style) Cyan(text string) string { return s.sgr("36", text) }

// Faint is for what repeats or explains.
func (s Style) Faint(text string) string { return s.sgr("2", text) }

// sgr puts a text between a Select Graphic Rendition and its reset (ECMA-48 §8.3.117).
func (s Style) sgr(code, text string) string {
	if !s.on {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
