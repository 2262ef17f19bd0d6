package jwks

import (
	"strconv"
	"strings"

	"edgejwt/verify/ascii"
)

// mostNamed bounds how many kids one line of the log names.
const maxKIDsInLog = 10

// about begins every line with whose keys it speaks of. The name comes from the
// configuration, not from the provider.
func (s *Source) logLine(text string) string {
	return "keys of " + ascii.Quote(s.sourceName()) + ": " + text
}

// sourceName is the address that the operator wrote.
func (s *Source) sourceName() string {
	name := s.policy.URL
	if name == "" {
		name = s.policy.Issuer
	}
	name, _, query := ascii.Cut(name, '?')
	if query {
		name += "?…" // it may hold a secret
	}
	return name
}

// explain tells a verdict's trouble.
func (r *response) describe() string {
	text := r.err.Error()
	if r.discovery {
		text = "discovery: " + text
	}
	if r.status != 0 && r.status != 200 {
		text += " (status " + strconv.Itoa(r.status) + ")"
	}
	return text
}

// introduce tells of a set that is new.
func (s *Set) describe(generation uint64) string {
	kids := s.KIDs()
	for i := range kids {
		kids[i] = ascii.Quote(shorten(kids[i]))
	}
	if more := len(kids) - maxKIDsInLog; more > 0 {
		kids = append(kids[:maxKIDsInLog], "and "+strconv.Itoa(more)+" more")
	}
	return "generation " + strconv.FormatUint(generation, 10) + ", " + strconv.Itoa(s.Len()) + " usable, kid " + strings.Join(kids, ", ")
}

// list tells of keys that were skipped.
func listSkipped(skipped []Skipped) string {
	var texts []string
	for i, s := range skipped {
		if i == maxKIDsInLog {
			texts = append(texts, "and "+strconv.Itoa(len(skipped)-maxKIDsInLog)+" more")
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
