package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"edgejwt/jwks"
	"edgejwt/verify/strictjson"
)

// Fault is one fault of a configuration. Path, Found and Want are for people: they have no
// control bytes, and no value that may be a secret.
type Fault struct {
	// Path is the field: "jwtRules[0].clockSkew", or "configuration" for the whole.
	Path string
	// Found is the value in the document, quoted and cut at 64 bytes; empty when there
	// is none or when it must not be shown.
	Found string
	// Want completes the sentence that Found begins: "is not a duration (example: 60s)".
	Want string

	at int // offset in the document, for sorting
}

// String is the fault in one line.
func (f Fault) String() string {
	if f.Found == "" {
		return f.Path + ": " + f.Want
	}
	return f.Path + ": " + f.Found + " " + f.Want
}

// Error is the error for a configuration with faults.
type Error struct {
	// Faults has at least one entry. They are in the order of the document.
	Faults []Fault
}

// maxShown bounds the lines of an Error, so that it fits into a log.
const maxShown = 100

// Error returns one line for each fault. After a hundred it has only the number of the
// others.
func (e *Error) Error() string {
	var b strings.Builder
	for i, f := range e.Faults {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i == maxShown {
			b.WriteString("configuration: " + strconv.Itoa(len(e.Faults)-i) + " more faults")
			break
		}
		b.WriteString(f.String())
	}
	return b.String()
}

func (r *reader) fault(at int, path, found, want string) {
	r.faults = append(r.faults, Fault{Path: path, Found: found, Want: want, at: at})
}

// fault adds a fault of one of the object's fields, or of the object itself if name is empty.
// An absent field has the offset of the object.
func (o *object) fault(name, found, want string) {
	path := o.path
	if name != "" {
		path = o.pathTo(name)
	} else if path == "" {
		path = wholePath
	}
	o.r.fault(o.offset(name), path, found, want)
}

// wrong is fault for a text.
func (o *object) wrong(name, text, want string) { o.fault(name, quoteURL(text), want) }

// unfit is wrong with an example.
func (o *object) unfit(name, text, want string) {
	o.wrong(name, text, want+example(o.field(name)))
}

// warn is fault for a setting that is allowed, but often a mistake.
func (o *object) warn(name, found, text string) {
	path := o.path
	if name != "" {
		path = o.pathTo(name)
	}
	o.r.warnings = append(o.r.warnings, Fault{Path: path, Found: found, Want: text, at: o.offset(name)})
}

// refusal returns all faults as an *Error.
func (r *reader) refusal() error {
	sortByOffset(r.faults)
	return &Error{Faults: r.faults}
}

func (r *reader) sortedWarnings() []string {
	sortByOffset(r.warnings)
	var texts []string
	for _, w := range r.warnings {
		texts = append(texts, w.String())
	}
	return texts
}

// sortByOffset sorts by offset. Faults with the same offset keep their order.
func sortByOffset(faults []Fault) {
	slices.SortStableFunc(faults, func(a, b Fault) int { return cmp.Compare(a.at, b.at) })
}

// isFaulty reports whether there is a fault at a value or inside it.
func (r *reader) isFaulty(value *strictjson.Value) bool {
	return slices.ContainsFunc(r.faults, func(f Fault) bool {
		return value.Offset <= f.at && f.at < value.Offset+len(value.Raw)
	})
}

// example returns a text with a valid value of the field.
func example(f *Field) string {
	switch {
	case f.Example != "":
		return " (example: " + f.Example + ")"
	case f.Default != "" && f.Kind != Switch:
		return " (example: " + f.Default + ")"
	}
	return ""
}

// pathTo is the path of a member.
func (o *object) pathTo(name string) string { return join(o.path, name) }

// join adds a member's name to a path. Names with other characters than those of isPlain are
// quoted.
func join(path, name string) string {
	if !isPlain(name) {
		name = quote(name)
	} else {
		name = strings.Clone(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func isPlain(name string) bool {
	for _, c := range []byte(name) {
		if !isAlphanumeric(c) && c != '_' && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= maxQuoted
}

// at is the path of a list's element.
func at(path string, index int) string { return path + "[" + strconv.Itoa(index) + "]" }

// shown describes a value. Objects and lists are named only: they may hold a secret.
func shown(value *strictjson.Value) string {
	switch {
	case value.Kind == strictjson.Object:
		return "an object"
	case value.Kind == strictjson.Array:
		return "a list"
	case value.Kind == strictjson.String:
		return quoteURL(value.Text)
	case len(value.Raw) > maxQuoted:
		return value.Raw[:maxQuoted] + "…"
	}
	return strings.Clone(value.Raw)
}

const maxQuoted = 64

// quote quotes a text for a message. It escapes control bytes and shortens the text.
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

// quoteURL quotes a URL without the parts that may be a secret: user information, query and
// fragment. A long URL keeps its host and its end.
func quoteURL(s string) string {
	shown := jwks.ShortURL(s)
	if strings.Contains(shown, "://") && len(shown) <= maxQuotedURL {
		shown = strconv.QuoteToASCII(shown)
	} else {
		shown = quote(shown)
	}
	return strings.ReplaceAll(shown, `\u2026`, "…")
}

// maxQuotedURL is the greatest length of an address that is shown whole, in bytes.
// jwks.ShortURL gives no longer one unless the host is very long.
const maxQuotedURL = 160
