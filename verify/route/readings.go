package route

import "strings"

// Plain tells whether a path, the value of :path, means the same to every server:
// it can be read (see Canonical), and was sent in its canonical form, the spelling
// of needful escapes and one trailing slash apart. It is for callers who match
// paths elsewhere, so that no other reading can be asked where it would lead.
// Reason: PathAmbiguous.
func Plain(path string) error {
	var r reader
	if err := r.read(path, Options{}); err != nil {
		return err
	}
	if r.readings() != nil || strings.HasSuffix(r.sent, "//") {
		return ambiguous("the path is not in its canonical form")
	}
	return nil
}

// readings lists what else than the canonical form servers make of the path.
// Those that do not decode see it as sent (Express matches so), others without
// needless escapes; each of them may merge slashes (nginx), resolve dot segments
// (Tomcat), do both (Go's ServeMux) or neither (Starlette). A path with two
// slashes in front begins with a host to some (Python's urlsplit).
//
// The list is empty for a path that was sent in canonical form.
func (r *reader) readings() []string {
	if r.sent == r.decoded && trim(r.decoded) == r.canonical {
		return nil
	}
	var list []string
	for _, path := range [2]string{r.sent, r.decoded} {
		for flags := range (mergeSlashes | removeDots) + 1 {
			list = r.add(list, path, flags)
		}
		if path[1:] != "" && path[1] == '/' {
			_, behindHost := nextSegment(path[1:])
			list = r.add(list, behindHost, mergeSlashes|removeDots)
		}
	}
	return list
}

func (r *reader) add(list []string, path string, flags uint8) []string {
	reading, _ := resolve(path, flags) // that it stays below the root, read has seen
	if reading != r.canonical && !contains(list, reading) {
		list = append(list, reading)
	}
	return list
}
