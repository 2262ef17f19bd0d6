package route

import (
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
	// sent is the path as it was sent, the spelling of escapes apart; decoded is
	// without those that it does not need; canonical is resolved and merged, too.
	// The last has no trailing slash, and all three are equal for most requests.
	sent, decoded, canonical string

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
	r.sent, r.decoded, r.canonical = path, path, trim(path)
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
