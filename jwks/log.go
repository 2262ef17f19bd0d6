package jwks

import (
	"strconv"
	"strings"
)

// mostNamed bounds how many kids one line of the log names.
const mostNamed = 10

// about begins every line with whose keys it speaks of. The name comes from the
// configuration, not from the provider.
func (m *Machine) about(text string) string {
	return "keys of " + strconv.QuoteToASCII(m.sourceName()) + ": " + text
}

// sourceName is the address that the operator wrote.
func (m *Machine) sourceName() string {
	name := m.p.URL
	if name == "" {
		name = m.p.Issuer
	}
	name, _, query := strings.Cut(name, "?")
	if query {
		name += "?…" // it may hold a secret
	}
	return name
}

// explain tells a verdict's trouble.
func (v *verdict) explain() string {
	text := v.trouble.Error()
	if v.discovery {
		text = "discovery: " + text
	}
	if v.status != 0 && v.status != 200 {
		text += " (status " + strconv.Itoa(v.status) + ")"
	}
	return text
}

// introduce tells of a set that is new.
func (s *Set) introduce(generation uint64) string {
	kids := s.KIDs()
	for i := range kids {
		kids[i] = strconv.QuoteToASCII(shorten(kids[i]))
	}
	if more := len(kids) - mostNamed; more > 0 {
		kids = append(kids[:mostNamed], "and "+strconv.Itoa(more)+" more")
	}
	return "generation " + strconv.FormatUint(generation, 10) + ", " + strconv.Itoa(s.Len()) + " usable, kid " + strings.Join(kids, ", ")
}

// list tells of keys that were skipped.
func list(skipped []Skipped) string {
	var texts []string
	for i, s := range skipped {
		if i == mostNamed {
			texts = append(texts, "and "+strconv.Itoa(len(skipped)-mostNamed)+" more")
			break
		}
		texts = append(texts, s.String())
	}
	return strings.Join(texts, "; ")
}

// hashSkipped tells one list of skipped keys from another; 0 for none.
func hashSkipped(skipped []Skipped) uint64 {
	if len(skipped) == 0 {
		return 0
	}
	var text []byte
	for _, s := range skipped {
		text = append(append(append(text, s.ID...), 0), s.Why...)
	}
	return hash(text)
}
