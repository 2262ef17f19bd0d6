package route

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// ambiguous refuses a request. The detail must be a constant.
func ambiguous(detail string) error {
	return &verify.Refusal{Reason: verify.PathAmbiguous, Detail: detail}
}

// Canonical returns the canonical form of a path, the value of :path:
//
//   - without its query and without a trailing slash;
//   - with all escapes decoded that a segment does not need (RFC 3986 §3.3), the others
//     in upper case;
//   - with dot segments resolved (RFC 3986 §5.2.4) and repeated slashes merged;
//   - in lower case with Options.IgnoreCase.
//
// The result is ASCII, starts with a slash, and is its own canonical form.
//
// Reason: PathAmbiguous, for paths that servers read in different ways:
//
//   - an encoded slash, backslash, percent sign, question mark or number sign, which
//     are syntax to servers that decode first or twice;
//   - a backslash, which some servers treat as a slash; a semicolon, encoded or not,
//     after which some cut the segment; a number sign, after which some cut the path;
//   - spaces at the start or end of a segment, which some servers remove;
//   - control characters, and spaces and non-ASCII bytes without escapes; escapes that
//     are not valid UTF-8, or whose character some servers map to an ASCII character;
//   - a percent sign that begins no escape ("%zz", "%u002f");
//   - dot segments that lead above the root, or to another path when slashes are merged
//     first;
//   - what is not a path: "*", a URL, an empty text; a path longer than verify.MaxPathBytes, or
//     longer than verify.MaxOddPathBytes if it is not in canonical form.
//
// Servers that do not normalise may read other paths in different ways, too. Table.Find
// compares all these readings.
func Canonical(path string, o Options) (string, error) {
	var r reader
	if err := r.read(path, o); err != nil {
		return "", err
	}
	return fold(r.canonical, o), nil
}

const tooOdd = "the path has several readings and is too long for them"

// class is the class of a byte of a path.
type class byte

const (
	forbidden class = ' '
	plain     class = 'p' // a pchar (RFC 3986 §3.3) other than the semicolon
	slash     class = '/'
	percent   class = '%'
	unwise    class = 'u' // not a pchar, but browsers send it and all servers read it alike
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

// reader reads one path. read sets the first group of fields, prepare the second.
type reader struct {
	// raw is the path as it was sent, and sent the same with escapes in upper case. decoded
	// is sent without needless escapes. canonical is decoded, resolved, merged and without
	// trailing slash. All are equal for most requests.
	raw, sent, decoded, canonical string

	bytes  reading   // raw without a slash at its end
	main   reading   // canonical
	slash  bool      // the path ends in a slash and is not the root
	others []reading // nil for a path in canonical form
	work   int       // see verify.MaxRegexWork
}

// reading is one reading of a path.
type reading struct {
	path, folded string // without trailing slash; folded (see fold) has the same length
	slashed      string // folded with a slash, or "" if it was not needed yet
	// count is the number of segments. ends has the ends of the first maxSegments.
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

// withSlash returns slashed.
func (r *reading) withSlash() string {
	if r.slashed == "" {
		r.slashed = r.folded + "/"
	}
	return r.slashed
}

// segment returns the bounds of one of the first maxSegments segments.
func (r *reading) segment(i int) (start, end int) {
	if i > 0 {
		start = int(r.ends[i-1])
	}
	return start + 1, int(r.ends[i])
}

// read parses a value of :path; see Canonical for what it refuses.
func (r *reader) read(path string, o Options) error {
	if path == "" || path[0] != '/' {
		return ambiguous("the path does not start with a slash")
	}
	// Most paths are sent in canonical form. They are read once.
	end, simple, dots := 0, true, false
	for ; end < len(path) && path[end] != '?'; end++ {
		if end == verify.MaxPathBytes {
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
		return checkCaseless(r.canonical)
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

// oneReading reports whether the path was sent in its canonical form. It may have trailing
// slashes.
func (r *reader) oneReading() bool { return r.sent == r.decoded && trim(r.decoded) == r.canonical }

// prepare makes the reader ready for fits. read must have succeeded.
func (r *reader) prepare(o Options) {
	r.main.set(r.canonical, o)
	if r.bytes = r.main; r.unslashed() != r.canonical {
		r.bytes.set(r.unslashed(), Options{})
	}
	r.slash = r.canonical != "/" && (strings.HasSuffix(r.decoded, "/") || strings.HasSuffix(r.decoded, "/.") || strings.HasSuffix(r.decoded, "/.."))
	if paths := r.readings(); paths != nil {
		r.others = make([]reading, len(paths))
		for i, path := range paths {
			r.others[i].set(path, o)
		}
	}
}

// unslashed returns raw without one trailing slash.
func (r *reader) unslashed() string {
	if len(r.raw) > 1 {
		return strings.TrimSuffix(r.raw, "/")
	}
	return r.raw
}

// readings lists the paths, other than the canonical form, that servers may read. Servers
// that do not decode use the path as sent (Express), others without needless escapes. Each
// may merge slashes (nginx), resolve dot segments (Tomcat), do both (Go's ServeMux) or
// neither (Starlette). For some, a path that starts with two slashes starts with a host
// (Python's urlsplit).
//
// The list is nil for a path that was sent in canonical form.
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
	reading, _ := resolve(path, flags) // read has checked that it stays below the root
	if reading != r.canonical && !slices.Contains(list, reading) {
		list = append(list, reading)
	}
	return list
}

// fits evaluates a condition for every reading of the path, and sets captured to the
// values of the template's variables. other says how the path differs from a spelling
// for which the condition holds, when it does not hold for the bytes that were sent. slashed is
// Table.slashed.
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
	// The condition holds for the path with a trailing slash, and without.
	with, without := holds, holds
	switch {
	case r.canonical == "/":
	case p.kind == Regex:
		if with = false; p.slash {
			with, err = r.matches(p, r.main.withSlash())
			for i := range r.others {
				theirs, failed := r.matches(p, r.others[i].withSlash())
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
		// The path has no trailing slash, and no route matches only paths with one: the
		// reading with a slash need not be considered.
		return always, 0, nil
	}
	return asSent | inSome, 0, nil
}

// holdsAsSent evaluates the condition for the bytes that were sent, without folding, as
// Envoy's routes do.
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

// spelling says how the bytes that were sent differ from the canonical form.
func (r *reader) spelling() Spelling {
	switch sent := r.unslashed(); {
	case sent == r.canonical && !r.slash || trim(sent) == r.canonical && r.slash:
		return TrailingSlash | r.caseSpelling()
	case trim(r.sent) == r.canonical:
		return PathEscape | r.caseSpelling()
	}
	return OddPath
}

// caseSpelling is PathCase for a path with capitals when Options.IgnoreCase is set.
func (r *reader) caseSpelling() Spelling {
	if r.main.folded != r.main.path {
		return PathCase
	}
	return 0
}

// holds evaluates the condition for one reading.
func (r *reader) holds(p *pattern, path *reading, captured *[]string) (bool, error) {
	if p.kind == Regex {
		return r.matches(p, path.folded)
	}
	return p.holds(path, captured), nil
}

// matches runs a regular expression, within verify.MaxRegexWork.
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

// decoder collects reader.sent and reader.decoded.
type decoder struct{ sent, decoded []byte }

func (d *decoder) put(c byte, escapeSent, escapeDecoded bool) {
	d.sent = escape(d.sent, c, escapeSent)
	d.decoded = escape(d.decoded, c, escapeDecoded)
}

// character returns the number of bytes of the UTF-8 character whose escapes are at the
// start of s. It is 0 when there is no valid character, or a confusable one.
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
	// DecodeRune refuses surrogates and overlong forms.
	letter, size := utf8.DecodeRune(char[:n])
	if letter == utf8.RuneError || confusable(letter) {
		return 0
	}
	return size
}

// confusable reports whether servers may map a character to ASCII or drop it: C1 controls
// and line separators; the Greek question mark (a semicolon); fullwidth ASCII; characters
// that compatibility forms (Unicode Annex 15) map to dots, slashes and percent signs; the
// characters that are a backslash in Shift JIS and EUC-KR; spaces and invisible characters.
func confusable(c rune) bool {
	switch {
	case c <= 0xA0, c == 0xA5, c == 0xAD, c == 0x37E,
		0x2000 <= c && c <= 0x200F, 0x2024 <= c && c <= 0x202F, 0x205F <= c && c <= 0x206F,
		c == 0x1680, c == 0x2044, 0x2047 <= c && c <= 0x2049, c == 0x20A9, c == 0x2100, c == 0x2101, c == 0x2105, c == 0x2106,
		c == 0x2215, c == 0x2216, c == 0x29F5, c == 0x29F8, c == 0x29F9,
		c == 0x3000, c == 0xFEFF, 0xFE10 <= c && c <= 0xFE19, 0xFE30 <= c && c <= 0xFE32, 0xFE50 <= c && c <= 0xFE6F, 0xFF01 <= c && c <= 0xFF5E:
		return true
	}
	return false
}

// checkCaseless refuses paths that servers that ignore case read in different ways; see
// Options.IgnoreCase.
func checkCaseless(canonical string) error {
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

const hexDigits = "0123456789ABCDEF"

// escape appends c, or its escape in upper case (RFC 3986 §2.1).
func escape(to []byte, c byte, escaped bool) []byte {
	if !escaped {
		return append(to, c)
	}
	return append(to, '%', hexDigits[c>>4], hexDigits[c&15])
}

// unescaped returns s with all escapes decoded.
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

// fold returns the form of a path that is compared: with Options.IgnoreCase in lower case,
// except for the digits of escapes.
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

// The flags of resolve.
const (
	mergeSlashes uint8 = 1 << iota // first
	removeDots                     // RFC 3986 §5.2.4
)

// resolve merges slashes and removes dot segments as the flags say, and removes trailing
// slashes. ok is false when dot segments lead above the root.
func resolve(path string, flags uint8) (resolved string, ok bool) {
	out := make([]byte, 0, len(path))
	ok = true
	for rest := path; rest != ""; {
		var segment string
		segment, rest = nextSegment(rest)
		switch {
		case segment == "" && flags&mergeSlashes != 0, segment == "." && flags&removeDots != 0:
		case segment == ".." && flags&removeDots != 0:
			last := bytes.LastIndexByte(out, '/')
			ok = ok && last >= 0
			out = out[:max(last, 0)]
		default:
			out = append(append(out, '/'), segment...)
		}
	}
	return trim(string(out)), ok
}

// nextSegment returns the first segment of a path that starts with a slash. rest starts
// with the next slash, or is empty.
func nextSegment(path string) (segment, rest string) {
	path = path[1:]
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

// trim removes trailing slashes, but not that of the root.
func trim(path string) string {
	if path = strings.TrimRight(path, "/"); path == "" {
		return "/"
	}
	return path
}
