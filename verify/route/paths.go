package route

import (
	"slices"
	"strings"
	"unicode/utf8"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// MaxPathBytes is the greatest length of a path, its query left out.
const MaxPathBytes = verify.MaxPathBytes

// ambiguous refuses a request. Details are constants.
func ambiguous(detail string) error {
	return &verify.Refusal{Reason: verify.PathAmbiguous, Detail: detail}
}

// Canonical gives the one form in which a path, the value of :path, is judged:
// without its query; with every escape decoded that RFC 3986 §3.3 does not need
// in a segment, and the others in upper case; with dot segments resolved (§5.2.4)
// and repeated slashes merged; without a trailing slash; in lower case if asked.
// It is plain ASCII, starts with a slash, and is its own canonical form.
//
// Reason: PathAmbiguous, for what servers read in different ways:
//
//   - an encoded slash, backslash, percent sign, question mark or number sign,
//     which are syntax to whoever decodes first or twice;
//   - a backslash, which is a slash to some; a semicolon, raw or not, from which
//     on some cut the segment; a number sign, from which on some cut the path;
//   - spaces around a segment, which some trim;
//   - control characters, raw spaces and raw bytes outside of ASCII; escapes that
//     are no UTF-8, or overlong, or of characters that some take for ASCII's;
//   - escapes that are none ("%zz", "%u002f");
//   - dot segments that lead above the root, or elsewhere if slashes are merged
//     before they are resolved;
//   - what is no path: "*", a whole URL, nothing; more than MaxPathBytes, or
//     more than verify.MaxOddPathBytes where it is not in canonical form.
//
// A path that is none of these may still be read in different ways by servers
// that do not normalise: Table.Find follows each.
func Canonical(path string, o Options) (string, error) {
	var r reader
	if err := r.read(path, o); err != nil {
		return "", err
	}
	return fold(r.canonical, o), nil
}

const tooOdd = "the path has several readings and is too long for them"

// class is what a raw byte of a path is.
type class byte

const (
	forbidden class = ' '
	plain     class = 'p' // stands for itself (RFC 3986 §3.3: pchar), the semicolon apart
	slash     class = '/'
	percent   class = '%'
	unwise    class = 'u' // not allowed there, but sent by browsers; one meaning everywhere
)

// classes has the class of each byte from '!' to '~'; all others are forbidden.
const classes = "" +
	//!"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~
	"pu p%ppppppppp/ppppppppppp upu pppppppppppppppppppppppppppu uupuppppppppppppppppppppppppppuuup"

func classOf(c byte) class {
	if c < '!' || c > '~' {
		return forbidden
	}
	return class(classes[c-'!'])
}

// reader reads one path. The fields behind the blank line are set by prepare.
type reader struct {
	// raw are the bytes that were sent. sent is the same, the spelling of escapes
	// apart; decoded is without those that it does not need; canonical is resolved
	// and merged, too. The last has no trailing slash, and all are equal for most
	// requests.
	raw, sent, decoded, canonical string

	bytes   reading   // raw without a slash at its end
	main    reading   // canonical
	slash   bool      // it ends in a slash, and is not the root
	slashed string    // main with a slash, once it was needed
	others  []reading // nil for a path in canonical form
	work    int       // of MaxRegexWork
}

func (r *reader) read(path string, o Options) error {
	if path == "" || path[0] != '/' {
		return ambiguous("the path does not start with a slash")
	}
	// Nearly all paths are canonical as they come. This looks at them once.
	end, simple, dots := 0, true, false
	for ; end < len(path) && path[end] != '?'; end++ {
		if end == MaxPathBytes {
			return ambiguous("the path is too long")
		}
		switch classOf(path[end]) {
		case plain:
		case slash:
			if end+1 < len(path) && (path[end+1] == '/' || path[end+1] == '.') {
				simple, dots = false, true
			}
		case forbidden:
			return ambiguous("the path has a character that has no place there")
		default:
			simple = false
		}
	}
	path = path[:end]
	r.raw, r.sent, r.decoded, r.canonical = path, path, path, trim(path)
	if dots && end > verify.MaxOddPathBytes {
		return ambiguous(tooOdd)
	}
	if !simple {
		if err := r.decode(path); err != nil {
			return err
		}
		if r.sent != r.decoded && len(r.sent) > verify.MaxOddPathBytes {
			return ambiguous(tooOdd)
		}
		unmerged, below := resolve(r.decoded, removeDots)
		unmerged, _ = resolve(unmerged, mergeSlashes)
		merged, belowToo := resolve(r.decoded, mergeSlashes|removeDots)
		if !below || !belowToo || merged != unmerged {
			return ambiguous("dot segments lead to different places")
		}
		r.canonical = merged
	}
	if o.IgnoreCase {
		return dull(r.canonical)
	}
	return nil
}

// decode sets sent and decoded.
func (r *reader) decode(path string) error {
	d := decoder{make([]byte, 0, len(path)+16), make([]byte, 0, len(path)+16)}
	for i := 0; i < len(path); {
		c := path[i]
		k := classOf(c)
		if k != percent {
			d.put(c, k == unwise, k == unwise)
			i++
			continue
		}
		c, ok := ascii.Unescape(path[i:])
		k = classOf(c)
		size := 1
		switch {
		case !ok:
			return ambiguous("the path has an escape that is none")
		case k == plain, k == unwise:
		case c == ' ':
			if path[i-1] == '/' || i+3 == len(path) || path[i+3] == '/' {
				return ambiguous("a segment starts or ends with a space")
			}
		case c >= utf8.RuneSelf:
			if size = character(path[i:]); size == 0 {
				return ambiguous("the path has a character that some read as another")
			}
		default:
			return ambiguous("the path has an encoded character that some read as syntax")
		}
		for ; size > 0; size-- {
			c, _ = ascii.Unescape(path[i:])
			d.put(c, true, k != plain)
			i += 3
		}
	}
	r.sent, r.decoded = string(d.sent), string(d.decoded)
	return nil
}

type decoder struct{ sent, decoded []byte }

func (d *decoder) put(c byte, escapeSent, escapeDecoded bool) {
	d.sent = escape(d.sent, c, escapeSent)
	d.decoded = escape(d.decoded, c, escapeDecoded)
}

// character is how many bytes the escapes with which s starts encode of one
// character, or 0 when that is none, or one that is treacherous.
func character(s string) int {
	var char [utf8.UTFMax]byte
	n := 0
	for n < len(char) {
		c, ok := ascii.Unescape(s)
		if !ok {
			break
		}
		char[n] = c
		n++
		s = s[3:]
	}
	// Surrogates and overlong forms are no UTF-8 to this one.
	letter, size := utf8.DecodeRune(char[:n])
	if letter == utf8.RuneError || treacherous(letter) {
		return 0
	}
	return size
}

// treacherous reports whether servers that map characters to similar ones of
// ASCII, or drop some, would get another path: C1 controls and line separators,
// the Greek question mark (a semicolon), fullwidth ASCII, and what compatibility
// forms (Unicode Annex 15) make dots, slashes and percent signs of; the signs
// that are a backslash in Shift JIS and EUC-KR; spaces and invisible ones.
func treacherous(c rune) bool {
	switch {
	case c <= 0xA0, c == 0xA5, c == 0xAD, c == 0x37E,
		0x2000 <= c && c <= 0x200F, 0x2024 <= c && c <= 0x202F, 0x205F <= c && c <= 0x206F,
		c == 0x2044, c == 0x20A9, c == 0x2100, c == 0x2101, c == 0x2105, c == 0x2106,
		c == 0x2215, c == 0x2216, c == 0x29F5, c == 0x29F8, c == 0x29F9,
		c == 0x3000, c == 0xFEFF, 0xFE50 <= c && c <= 0xFE6F, 0xFF01 <= c && c <= 0xFF5E:
		return true
	}
	return false
}

// dull refuses what servers that ignore case read in ways of their own: see
// Options.IgnoreCase.
func dull(canonical string) error {
	for i := range len(canonical) {
		switch canonical[i] {
		case '%':
			if canonical[i+1] >= '8' {
				return ambiguous("the case of a character is not ASCII's")
			}
		case '.':
			if i+1 == len(canonical) || canonical[i+1] == '/' {
				return ambiguous("a segment ends in a dot")
			}
		}
	}
	return nil
}

// escape appends c, escaped or not.
func escape(to []byte, c byte, escaped bool) []byte {
	if !escaped {
		return append(to, c)
	}
	return ascii.AppendEscape(to, c)
}

// unescaped gives s with all its escapes decoded.
func unescaped(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for s != "" {
		c, ok := ascii.Unescape(s)
		skip := 3
		if !ok {
			c, skip = s[0], 1
		}
		b = escape(b, c, false)
		s = s[skip:]
	}
	return string(b)
}

// fold gives the form that is compared: in lower case if asked, but for the
// digits of escapes.
func fold(path string, o Options) string {
	if !o.IgnoreCase {
		return path
	}
	b := []byte(path)
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '%':
			i += 2
		case 'A' <= b[i] && b[i] <= 'Z':
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// What resolve does to a path.
const (
	mergeSlashes uint8 = 1 << iota // first
	removeDots                     // RFC 3986 §5.2.4
)

// resolve gives a path without what the flags name and without a trailing slash.
// ok is false where dot segments lead above the root.
func resolve(path string, flags uint8) (resolved string, ok bool) {
	out := make([]byte, 0, len(path))
	ok = true
	for rest := path; rest != ""; {
		var segment string
		segment, rest = nextSegment(rest)
		switch {
		case segment == "" && flags&mergeSlashes != 0, segment == "." && flags&removeDots != 0:
		case segment == ".." && flags&removeDots != 0:
			last := len(out) - 1
			for last >= 0 && out[last] != '/' {
				last--
			}
			ok = ok && last >= 0
			out = out[:max(last, 0)]
		default:
			out = append(append(out, '/'), segment...)
		}
	}
	return trim(string(out)), ok
}

// nextSegment cuts the first segment off a path that starts with a slash; rest
// starts with the next slash, or is empty.
func nextSegment(path string) (segment, rest string) {
	path = path[1:]
	for i := range len(path) {
		if path[i] == '/' {
			return path[:i], path[i:]
		}
	}
	return path, ""
}

// trim removes trailing slashes; the root keeps its own.
func trim(path string) string {
	for len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	if path == "" {
		return "/"
	}
	return path
}

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
	if r.bytes = r.main; r.unslashed() != r.canonical {
		r.bytes.set(r.unslashed(), Options{})
	}
	r.slash = r.canonical != "/" && (strings.HasSuffix(r.sent, "/") || strings.HasSuffix(r.sent, "/.") || strings.HasSuffix(r.sent, "/.."))
	if paths := r.readings(); paths != nil {
		r.others = make([]reading, len(paths))
		for i, path := range paths {
			r.others[i].set(path, o)
		}
	}
}

// unslashed is raw without one slash at its end.
func (r *reader) unslashed() string {
	if len(r.raw) > 1 {
		return strings.TrimSuffix(r.raw, "/")
	}
	return r.raw
}

// fits judges a condition for every reading of the path, and sets captured to what
// the variables of a template stand for. other is how the path is spelled, where the
// condition does not hold for the bytes that were sent. slashed is true when some
// route may hold for a path with a slash at its end and not for the one without.
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
	var sent bool
	if err == nil {
		sent, err = r.holdsAsSent(p)
	}
	switch {
	case err != nil:
		return never, 0, err
	case !sent && !with && !without:
		return never, 0, nil
	case !sent:
		return inSome, r.spelling(), nil
	case with && without, without && !r.slash && !slashed:
		// The second: no route is for a path with a slash alone, so the one without is
		// not asked what it would be with it.
		return always, 0, nil
	}
	return asSent | inSome, 0, nil
}

// holdsAsSent judges the condition for the bytes that were sent, by the text as the
// operator wrote it: as Envoy's routes match them.
func (r *reader) holdsAsSent(p *pattern) (bool, error) {
	slash := len(r.raw) > 1 && r.raw[len(r.raw)-1] == '/'
	switch p.kind {
	case Exact:
		return r.unslashed() == p.exact && slash == p.slash, nil
	case Prefix:
		rest, ok := strings.CutPrefix(r.raw, p.exact)
		return ok && (p.exact == "/" || rest == "" && !p.slash || rest != "" && rest[0] == '/'), nil
	case Template:
		return (p.tail() || slash == p.slash) && p.template(&r.bytes, nil), nil
	}
	if !strings.HasPrefix(r.raw, p.text) {
		return false, nil
	}
	if r.work += p.instructions * len(r.raw); r.work > verify.MaxRegexWork {
		return false, ambiguous(tooMuchWork)
	}
	return p.exactRegex.MatchString(r.raw), nil
}

// spelling says in what way the bytes that were sent differ from the canonical form.
func (r *reader) spelling() Spelling {
	switch sent := r.unslashed(); {
	case sent == r.canonical && !r.slash || trim(sent) == r.canonical && r.slash:
		return TrailingSlash | r.caseSpelling()
	case trim(r.sent) == r.canonical:
		return PathEscape | r.caseSpelling()
	}
	return OddPath
}

// caseSpelling is PathCase where the case of the path is not what is compared.
func (r *reader) caseSpelling() Spelling {
	if r.main.folded != r.main.path {
		return PathCase
	}
	return 0
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
		return false, ambiguous(tooMuchWork)
	}
	return p.regex.MatchString(folded), nil
}

const tooMuchWork = "the path is too long for the regular expressions of the routes"

// oneReading reports whether the path was sent in its canonical form, one trailing
// slash apart.
func (r *reader) oneReading() bool { return r.sent == r.decoded && trim(r.decoded) == r.canonical }

// Spellings tells in which ways the request was spelled so that others may read it
// in another way than what matched it, for callers who match requests elsewhere, so
// that no other reading can be asked where it would lead. It is 0 for a request that
// means the same to every server: its host in lower case, without trailing dot and,
// unless Options.IgnoreHostPort, without port; its method in capitals and not HEAD;
// its path in canonical form (see Canonical), byte by byte, without trailing slash
// and, with Options.IgnoreCase, in lower case.
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
	default:
		if r.canonical != "/" && strings.HasSuffix(r.sent, "/") {
			s |= TrailingSlash
		}
		if r.unslashed() != r.canonical && r.canonical != "/" {
			s |= PathEscape
		}
		if fold(r.canonical, o) != r.canonical {
			s |= PathCase
		}
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
