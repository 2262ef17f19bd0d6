package bench

import (
	"fmt"
	"strings"
)

// share is a part of what a request costs: the processor time that one row needs
// more than another.
type share struct {
	Name      string
	row, than string // than is empty for all that the row needs
}

// shares add up to what the rows of edgejwt need, each from the one before.
var shares = []share{
	{"Envoy's own work for a request", rowNone, ""},
	{"entering a module, which reads all headers at once", "floor-headers", rowNone},
	{"saying first whose stream it is", "floor-announced", "floor-headers"},
	{"asking for the time", "floor-clock", "floor-announced"},
	{"edgejwt's own code for a **repeated token**, in V8", rowRepeated, "floor-clock"},
	{"more for **ten routes**, of it: writing four headers, after which Envoy chooses its route anew", "floor-writes", "floor-clock"},
	{"more for ten routes, all of it", rowRich, rowRepeated},
	{"more for a **new token, host**, of it: what Envoy's own filter needs to read and check it", rowUncached, rowNative},
	{"more for a new token, host, all of it", rowNewHost, rowRepeated},
	{"more for a **new token, go**: a check by the module in place of Envoy's", rowNewGo, rowNewHost},
}

// writeProfile tells where the time goes, by differences between rows.
func (m *Measured) writeProfile(b *strings.Builder) {
	for _, s := range shares {
		if len(m.Closed[s.row]) == 0 || s.than != "" && len(m.Closed[s.than]) == 0 {
			return
		}
	}
	b.WriteString("| where a request's time goes | µs, medians | least disturbed rounds |\n|---|--:|--:|\n")
	for _, s := range shares {
		if s.than == "" {
			fmt.Fprintf(b, "| %s | %.1f | %.1f |\n", s.Name, median(m.Closed[s.row], cpu), m.least(s.row))
			continue
		}
		fmt.Fprintf(b, "| %s | %+.1f | %+.1f |\n", s.Name, m.extra(s.row, s.than), m.least(s.row)-m.least(s.than))
	}
	b.WriteString("\nEach row has a module of its own, and where its code happens to lie counts too: differences of a few µs say nothing.\n\n")
}
