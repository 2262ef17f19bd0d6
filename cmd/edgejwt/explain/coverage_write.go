package explain

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// open reports whether whoever has a valid token, or nothing at all, may do it.
func (o *Operation) open() bool { return o.Asks == AsksNothing || o.Asks == AsksToken }

// Write tells the coverage to people: a line for each operation, with a mark before
// those that need nothing or a valid token only, and the numbers.
func (c *Coverage) Write(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	count := map[Asks]int{}
	for i := range c.Operations {
		o := &c.Operations[i]
		count[o.Asks]++
		mark := " "
		if o.open() {
			mark = "!"
		}
		path := o.Path
		if len(o.Hosts) > 0 {
			path += " at " + strings.Join(o.Hosts, " or ")
		}
		if len(o.Headers) > 0 {
			path += " with " + strings.Join(o.Headers, ", ")
		}
		if o.Example != "" {
			path += " (as " + o.Example + ")"
		}
		route := o.Route
		if o.Index < 0 {
			route = "no route"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", mark, o.Method, path, route, strings.Join(o.Needs, "; "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	for _, note := range c.Notes {
		b.WriteString("note: " + note + "\n")
	}
	fmt.Fprintf(&b, "%d need nothing, %d a valid token only, %d more; %d are closed, %d refused as ambiguous\n",
		count[AsksNothing], count[AsksToken], count[AsksMore], count[AsksDenied], count[AsksRefused])
	_, err := io.WriteString(out, b.String())
	return err
}
