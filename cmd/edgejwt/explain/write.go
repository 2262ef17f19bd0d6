package explain

import (
	"fmt"
	"io"
	"strings"

	"edgejwt/cmd/edgejwt/style"
)

// Write tells the decision to people, in colours if out is a terminal.
func (e *Explanation) Write(out io.Writer) error {
	paint := style.For(out)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", e.Request)
	for _, s := range e.Steps {
		mark := paint.Green("ok")
		switch {
		case s.OK:
		case e.Decided:
			mark = paint.Red("NO")
		default:
			mark = paint.Yellow("??")
		}
		fmt.Fprintf(&b, "  %s  %-12s  %s\n", mark, s.Name, s.Text)
		for _, line := range s.Details {
			fmt.Fprintf(&b, "      %-12s    %s\n", "", line)
		}
	}
	switch {
	case !e.Decided:
		b.WriteString(paint.Yellow("not decided") + "\n")
	case e.Reported:
		fmt.Fprintf(&b, "%s, though it would be refused: %s (mode: report)\n", paint.Yellow("goes on to the API"), e.Reason)
	case e.GoesOn:
		fmt.Fprintf(&b, "%s: %s\n", paint.Green("goes on to the API"), e.Reason)
	default:
		fmt.Fprintf(&b, "%s: %s\n", paint.Red("answered by the edge"), e.Reason)
	}
	if e.Upstream != nil {
		e.Upstream.write(&b)
	}
	for _, v := range e.State {
		fmt.Fprintf(&b, "  filter state  %s\n", v.line(" = "))
	}
	for _, d := range e.Dropped {
		fmt.Fprintf(&b, "  left out      %s: the claim %s %s\n", d.Output, d.Claim, d.Cause)
	}
	if e.Answer != nil {
		e.Answer.write(&b)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (u *Upstream) write(b *strings.Builder) {
	for _, name := range u.Removed {
		fmt.Fprintf(b, "  removed       %s\n", name)
	}
	for _, v := range u.Set {
		fmt.Fprintf(b, "  set           %s\n", v.line(": "))
	}
	if u.ClearRoute {
		b.WriteString("  Envoy chooses its route again\n")
	}
}

func (a *Answer) write(b *strings.Builder) {
	fmt.Fprintf(b, "  %d\n", a.Status)
	if a.GRPC > 0 {
		fmt.Fprintf(b, "  grpc-status: %d\n", a.GRPC)
	}
	for _, v := range a.Headers {
		fmt.Fprintf(b, "  %s\n", v.line(": "))
	}
	if a.Body != "" {
		fmt.Fprintf(b, "  %s\n", a.Body)
	}
}

// line is name and value, or what the value comes from.
func (v Value) line(between string) string {
	switch {
	case v.From == "":
		return v.Name + between + v.Value
	case v.Value == "":
		return v.Name + " (" + v.From + ")"
	}
	return v.Name + between + v.Value + " (" + v.From + ")"
}
