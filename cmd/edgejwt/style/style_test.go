package style_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/creack/pty"

	"edgejwt/cmd/edgejwt/style"
)

func TestFor(t *testing.T) {
	keyboard, screen, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer keyboard.Close()
	defer screen.Close()
	file, err := os.Create(t.TempDir() + "/report")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		name, noColor, term string
		style               func() style.Style
		want                string
	}{
		{"a terminal", "", "xterm", func() style.Style { return style.For(screen) }, "\x1b[31mno\x1b[0m"},
		{"a terminal and NO_COLOR", "1", "xterm", func() style.Style { return style.For(screen) }, "no"},
		{"a terminal without colours", "", "dumb", func() style.Style { return style.For(screen) }, "no"},
		{"a file", "", "xterm", func() style.Style { return style.For(file) }, "no"},
		{"memory", "", "xterm", func() style.Style { return style.For(new(bytes.Buffer)) }, "no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("NO_COLOR", c.noColor)
			t.Setenv("TERM", c.term)
			if got := c.style().Red("no"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
