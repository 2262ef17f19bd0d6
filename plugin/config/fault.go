package config

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fault is one reason to refuse a configuration. Path, Found and Want are made
// for reading: no control bytes, and no value of anything that may be a secret.
type Fault struct {
	// Path is where: "jwtRules[0].clockSkew", or "configuration" for the whole.
	Path string
	// Found is what stands there, quoted and cut at 64 bytes; empty when nothing
	// does or when it must not be shown.
	Found string
	// Want completes the sentence that Found begins: "is not a duration (example: 60s)".
	Want string

	at int // offset in the document, for the order
}

// String is the fault in one line.
func (f Fault) String() string {
	if f.Found == "" {
		return f.Path + ": " + f.Want
	}
	return f.Path + ": " + f.Found + " " + f.Want
}

// Error refuses a configuration.
type Error struct {
	// Faults has at least one entry, sorted by place in the document.
	Faults []Fault
}

// maxShown bounds the lines of an Error, so that it fits into a log.
const maxShown = 100

// Error gives one line per fault. After the first hundred only a count follows.
func (e *Error) Error() string {
	var b strings.Builder
	for i, f := range e.Faults {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i == maxShown {
			b.WriteString("configuration: " + itoa(len(e.Faults)-i) + " more faults")
			break
		}
		b.WriteString(f.String())
	}
	return b.String()
}

func (r *reader) fault(at int, path, found, want string) {
	r.faults = append(r.faults, Fault{Path: path, Found: found, Want: want, at: at})
}

// fault refuses a field of the object; the empty name stands for the object
// itself. A field that is absent has its object's place.
func (o *object) fault(name, found, want string) {
	path := o.path
	if name != "" {
		path = o.member(name)
	} else if path == "" {
		path = wholePath
	}
	o.r.fault(o.offset(name), path, found, want)
}

// wrong is fault for a text that stands there.
func (o *object) wrong(name, text, want string) { o.fault(name, quoteURL(text), want) }

// unfit is wrong, with an example of what could stand there.
func (o *object) unfit(name, text, want string) {
	o.wrong(name, text, want+example(lookUp(o.fields, name)))
}

// warn is fault for what is allowed, but likely to bite.
func (o *object) warn(name, found, text string) {
	path := o.path
	if name != "" {
		path = o.member(name)
	}
	f := Fault{Path: path, Found: found, Want: text, at: o.offset(name)}
	o.r.warnings = append(o.r.warnings, f)
}

// refusal is everything that was found.
func (r *reader) refusal() error {
	sortByPlace(r.faults)
	return &Error{Faults: r.faults}
}

func (r *reader) sortedWarnings() []string {
	sortByPlace(r.warnings)
	var texts []string
	for _, w := range r.warnings {
		texts = append(texts, w.String())
	}
	return texts
}

// sortByPlace keeps the order of what was found at the same place.
func sortByPlace(faults []Fault) {
	slices.SortStableFunc(faults, func(a, b Fault) int { return a.at - b.at })
}

const maxQuoted = 64

// quote shows a text: escaped, so that no control byte survives, and cut.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return strconv.QuoteToASCII(s)
	}
	cut := maxQuoted
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.QuoteToASCII(s[:cut]) + "…"
}

// quoteURL shows an address without what may be a secret: user information,
// query and fragment.
func quoteURL(s string) string {
	shown := s
	if i := strings.IndexAny(shown, "?#"); i >= 0 {
		shown = shown[:i+1] + "…"
	}
	// Without a colon before it, as in "me@example.com", no password stands there.
	if at := strings.LastIndexByte(shown, '@'); at >= 0 && strings.IndexByte(shown[:at], ':') >= 0 {
		start := 0
		if i := strings.Index(shown[:at], "://"); i >= 0 {
			start = i + len("://")
		}
		shown = shown[:start] + "…" + shown[at:]
	}
	return strings.ReplaceAll(quote(shown), `\u2026`, "…")
}

func itoa(n int) string { return strconv.Itoa(n) }
