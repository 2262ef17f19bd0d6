package route

import (
	"slices"
	"strings"

	"edgejwt/verify"
)

// reading is one reading of a path: without trailing slash, and in the form that is
// compared, which has the same length.
type reading struct {
	path, folded string
	// count is the number of segments, of which ends has the ends of the first.
	count int
	ends  [maxSegments]uint16
}

// maxSegments is the greatest number of segments of a template.
const maxSegments = 32

func (r *reading) set(path string, o Options) {
	r.path, r.folded, r.count = path, fold(path, o), 0
	if path == "/" {
		return
	}
	for i := 1; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			if r.count < maxSegments {
				r.ends[r.count] = uint16(i)
			}
			r.count++
		}
	}
}

// segment gives the bounds of one of the first maxSegments segments.
func (r *reading) segment(i int) (start, end int) {
	if i > 0 {
		start = int(r.ends[i-1])
	}
	return start + 1, int(r.ends[i])
}

// prepare makes a path that was read ready for fits.
func (r *reader) prepare(o Options) {
	r.main.set(r.canonical, o)
	r.slash = r.canonical != "/" && (strings.HasSuffix(r.sent, "/") || strings.HasSuffix(r.sent, "/.") || strings.HasSuffix(r.sent, "/.."))
	if paths := r.readings(); paths != nil {
		r.others = make([]reading, len(paths))
		for i, path := range paths {
			r.others[i].set(path, o)
		}
	}
}

// fits judges a condition for every reading of the path, and sets captured to what
// the variables of a template stand for. other has TrailingSlash where the
// condition does not hold for the path as it was sent. slashed is true when some
// route was written with a trailing slash.
func (r *reader) fits(p *pattern, slashed bool, captured *[]string) (f fit, other Spelling, err error) {
	if p.kind == Any {
		return always, 0, nil
	}
	holds, err := r.holds(p, &r.main, captured)
	if err != nil {
		return never, 0, err
	}
	for i := range r.others {
		var theirs []string
		switch theyHold, err := r.holds(p, &r.others[i], &theirs); {
		case err != nil:
			return never, 0, err
		case theyHold != holds:
			return never, 0, ambiguous("another reading comes to another route")
		case holds && !slices.EqualFunc(*captured, theirs, func(a, b string) bool { return unescaped(a) == unescaped(b) }):
			return never, 0, ambiguous("another reading has other variables")
		}
	}
	// with and without: whether the condition holds with a trailing slash and without.
	with, without := holds, holds
	switch {
	case r.canonical == "/":
	case p.kind == Regex:
		if with = false; p.slash {
			if r.slashed == "" {
				r.slashed = r.main.folded + "/"
			}
			with, err = r.matches(p, r.slashed)
			for i := range r.others {
				theirs, failed := r.matches(p, r.others[i].folded+"/")
				if err == nil {
					err = failed
				}
				if err == nil && theirs != with {
					err = ambiguous("another reading comes to another route")
				}
			}
		}
	case p.kind == Prefix:
		without = holds && !(p.slash && r.main.folded == p.text)
	case p.tail():
	default:
		with, without = holds && p.slash, holds && !p.slash
	}
	sent := without
	switch {
	case strings.HasSuffix(r.sent, "//"):
		sent = with && without && (p.kind == Prefix || p.tail()) // which hold for what is below, too
	case r.slash:
		sent = with
	}
	switch {
	case err != nil:
		return never, 0, err
	case !with && !without:
		return never, 0, nil
	case !sent:
		return inSome, TrailingSlash, nil
	case with && without, !r.slash && !slashed:
		// The second: no route is for a path with a slash alone, so the one without is
		// not asked what it would be with it.
		return always, 0, nil
	}
	return asSent | inSome, 0, nil
}

// holds judges the condition for one reading.
func (r *reader) holds(p *pattern, path *reading, captured *[]string) (bool, error) {
	if p.kind == Regex {
		return r.matches(p, path.folded)
	}
	return p.holds(path, captured), nil
}

// matches runs a regular expression within the budget of the request.
func (r *reader) matches(p *pattern, folded string) (bool, error) {
	if !strings.HasPrefix(folded, p.text) {
		return false, nil
	}
	if r.work += p.instructions * len(folded); r.work > verify.MaxRegexWork {
		return false, ambiguous("the path is too long for the regular expressions of the routes")
	}
	return p.regex.MatchString(folded), nil
}

// oneReading reports whether the path was sent in its canonical form, one trailing
// slash apart.
func (r *reader) oneReading() bool { return r.sent == r.decoded && trim(r.decoded) == r.canonical }

// Spellings tells in which ways the request was spelled so that others may read it
// in another way than what matched it, for callers who match requests elsewhere, so
// that no other reading can be asked where it would lead. It is 0 for a request that
// means the same to every server: its host in lower case, without trailing dot and,
// unless Options.IgnoreHostPort, without port; its method in capitals and not HEAD;
// its path in canonical form (see Canonical) without trailing slash.
func Spellings(q *Request, o Options) (s Spelling) {
	h, ok := hostOf(q.Host, o.IgnoreHostPort)
	if s |= h.spelling; !ok {
		s |= OddHost
	}
	m := methodOf(q.Method)
	s |= m.spelling
	var r reader
	switch err := r.read(q.Path, Options{}); {
	case err != nil, !r.oneReading(), strings.HasSuffix(r.sent, "//"):
		s |= OddPath
	case r.canonical != "/" && strings.HasSuffix(r.sent, "/"):
		s |= TrailingSlash
	}
	return s
}

// readings lists what else than the canonical form servers make of the path.
// Those that do not decode see it as sent (Express matches so), others without
// needless escapes; each of them may merge slashes (nginx), resolve dot segments
// (Tomcat), do both (Go's ServeMux) or neither (Starlette). A path with two
// slashes in front begins with a host to some (Python's urlsplit).
//
// The list is empty for a path that was sent in canonical form.
func (r *reader) readings() []string {
	if r.oneReading() {
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
