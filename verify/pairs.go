package verify

import (
	"strings"

	"edgejwt/verify/ascii"
)

// Cookies and parameters are lists of pairs, "name=value". Servers agree on what
// the lists of honest clients mean, and on little else. What follows is for the
// others: a token that the API reads must not be another than the one judged
// here. So a pair is the token's when its name is exactly the configured one, and
// where only some servers find that name, the request is refused.

// search looks through a request's lists of one kind, for all tokens that may
// stand there at once: each byte is looked at a few times, whatever the list, and
// compared with names at no more than MaxListSigns places.
type search struct {
	found     *Found
	locations []TokenLocation
	in        RequestPart

	bytes, signs int // how much there was
	steps        int // how often a byte was looked at: the work, which a test bounds
}

// all searches all cookie headers, or the path's query. A request has no fragment
// (RFC 9112 §3.2); who sends one all the same finds servers that leave it in the
// query.
func (s *search) all(headers [][2]string) (err error) {
	for h := range headers {
		value := headers[h][1]
		switch name := headers[h][0]; {
		case s.in == InCookie && name == "cookie":
			err = s.list(value, true)
		case s.in == InQuery && name == ":path":
			path, fragment, _ := strings.Cut(value, "#")
			_, query, _ := strings.Cut(path, "?")
			if err = s.list(query, true); err == nil {
				err = s.list(fragment, false)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const beyond = "more cookies, or a longer query, than are searched"

// list searches a cookie header (RFC 6265 §5.4) or a query, which is read as the
// URL standard reads application/x-www-form-urlencoded
// (https://url.spec.whatwg.org/#urlencoded-parsing), or, if it is without pairs, a
// fragment, in which no token may stand.
func (s *search) list(text string, pairs bool) error {
	if s.bytes += len(text); s.bytes > MaxListBytes {
		return refuse(TokenAmbiguous, beyond)
	}
	separator, kinds := byte('&'), &paramBytes
	if s.in == InCookie {
		separator, kinds = ';', &cookieBytes
	}
	begin := 0    // of the pair
	first := true // whether the next sign is the pair's first
	owner := ""   // whose name the pair has
	for from := 0; ; {
		next := strings.IndexByte(text[from:], '=')
		if next < 0 {
			return nil
		}
		if s.signs++; s.signs > MaxListSigns {
			return refuse(TokenAmbiguous, beyond)
		}
		// What stands before the sign, up to where some server would split: a name.
		sign := from + next
		end := sign
		for end > from && kinds[text[end-1]] == splitting {
			end-- // white space before the sign
		}
		start := end
		for start > from && kinds[text[start-1]] == plainByte {
			start--
		}
		s.steps += next + (sign - start)
		if start > from && pairs {
			last := strings.LastIndexByte(text[from:start], separator)
			s.steps += start - from - max(last, 0)
			if last >= 0 {
				begin, first, owner = from+last+1, true, ""
			}
		}
		if start > from || from == 0 { // or it is a value, behind another sign
			name := s.pastSpaces(text[start:end])
			for i := range s.locations {
				l := &s.locations[i]
				if l.In != s.in {
					continue
				}
				how := s.compare(name, l.Name)
				switch {
				case how == another:
				case how == same && pairs && first && s.isAll(text[begin:sign], name):
					value, _, _ := strings.Cut(text[sign+1:], string(rune(separator)))
					s.steps += len(value)
					if err := s.found.add(s.value(value), i); err != nil {
						return err
					}
					owner = l.Name
				case l.Name != owner:
					return refuse(TokenAmbiguous, "a cookie or a parameter that only some servers take for the token's")
				}
			}
		}
		first = false
		for from = sign + 1; from < len(text) && text[from] == '='; from++ {
		}
	}
}

// What bytes of a list are.
const (
	plainByte = iota // of a name
	splitting        // some server starts a new pair, or a name, behind it although the standards do not
	parting          // the separator
)

var cookieBytes, paramBytes = byteKinds()

func byteKinds() (cookie, param [256]byte) {
	// At a comma (RFC 2109 §4.3.4), at white space and in quotes (Python's
	// http.cookies), at what Unicode takes for white space, in Latin-1 or UTF-8
	// (Starlette).
	for c := range cookie {
		if c <= ' ' || c > '~' || c == ',' || c == '"' {
			cookie[c] = splitting
		}
	}
	cookie[';'] = parting
	// HTML 4.01 (appendix B.2.2) proposed the semicolon; Python did so until 3.9,
	// Java's and Ruby's servers longer. The number sign is for fragments.
	param[';'], param['#'], param['&'] = splitting, splitting, parting
	return cookie, param
}

// isAll reports whether a pair's name, as it was sent, is this part of it and
// nothing else.
func (s *search) isAll(sent, part string) bool {
	if s.in == InCookie {
		sent = strings.Trim(sent, ascii.Space)
	}
	return len(sent) == len(part)
}

// value reads what stands behind the sign.
//
// In a cookie double quotes stay, as RFC 6265 §5.2 has it, browsers, PHP and
// Rack. Go, Node and Python take them off: a token within is therefore none, and
// Parse says so. Two quotes with nothing between them, to which Python's
// frameworks reset a cookie, are no token to anyone.
func (s *search) value(text string) string {
	if s.in == InCookie {
		if text = strings.Trim(text, ascii.Space); text == `""` {
			text = ""
		}
		return text
	}
	if strings.IndexByte(text, '%') < 0 && strings.IndexByte(text, '+') < 0 {
		return text
	}
	decoded := make([]byte, 0, len(text))
	for text != "" {
		c, size := unescape(text)
		decoded, text = append(decoded, c), text[size:]
	}
	return string(decoded)
}

// How a text compares with a name.
type likeness uint8

const (
	another likeness = iota
	similar          // some server takes it for the name
	same
)

// compare compares a text, without spaces in front, with a name. PHP unescapes
// it, makes underscores of spaces, dots and brackets, makes a list of what a
// bracket follows, and reads up to a zero byte; ASP.NET ignores the case of
// parameters. It is the same if it is the name, unescaped if it is a parameter's.
func (s *search) compare(text, name string) likeness {
	how, at := same, 0
	if s.in == InCookie {
		if text == name {
			return same
		}
		how = similar
	}
	for i := range len(name) {
		if at >= len(text) {
			return another
		}
		s.steps++
		c, n := text[at], name[i]
		at++
		if c == n && c != '%' && c != '+' {
			continue
		}
		if c == '%' || c == '+' {
			var size int
			c, size = unescape(text[at-1:])
			at += size - 1
		}
		switch {
		case c == n:
		case n == '_' && (c == ' ' || c == '.' || c == '['):
			how = similar
		case s.in == InQuery && c|0x20 == n|0x20 && 'a' <= c|0x20 && c|0x20 <= 'z':
			how = similar
		default:
			return another
		}
	}
	if at == len(text) {
		return how
	}
	if c, _ := unescape(text[at:]); c == 0 || c == '[' {
		return similar
	}
	return another
}

// pastSpaces gives an escaped text without the spaces in front, which PHP drops.
func (s *search) pastSpaces(text string) string {
	for text != "" {
		c, size := unescape(text)
		if s.steps += size; c != ' ' {
			break
		}
		text = text[size:]
	}
	return text
}

// unescape reads the first byte of a form-urlencoded text, which is not empty,
// and says how many bytes spell it. An escape that is none stands for itself.
func unescape(text string) (c byte, size int) {
	switch c = text[0]; c {
	case '+':
		return ' ', 1
	case '%':
		if c, ok := ascii.Unescape(text); ok {
			return c, 3
		}
	}
	return c, 1
}

// WithoutCookie gives the value of a cookie header without the cookies of that
// name; the others stay byte for byte as they were. It is empty when none is
// left. A request may have several such headers (RFC 9113 §8.2.3): each is to be
// treated.
func WithoutCookie(value, name string) string { return without(value, ';', InCookie, name) }

// WithoutParam gives a path with its query, the value of :path, without the
// parameters of that name, however it is escaped; all else stays byte for byte
// as it was. The question mark goes with the last parameter.
func WithoutParam(path, name string) string {
	rest, fragment, hasFragment := strings.Cut(path, "#")
	rest, query, _ := strings.Cut(rest, "?")
	kept := without(query, '&', InQuery, name)
	if kept == query {
		return path
	}
	if kept != "" {
		rest += "?" + kept
	}
	if hasFragment {
		rest += "#" + fragment
	}
	return rest
}

// without gives the list without its pairs of that name; empty when nothing but
// separators is left. A parameter without a sign is one of that name, a cookie is
// not.
func without(list string, separator byte, in RequestPart, name string) string {
	s := search{in: in}
	kept := make([]byte, 0, len(list))
	some, first, removed := false, true, false
	for rest, more := list, true; more; {
		var pair string
		pair, rest, more = strings.Cut(rest, string(rune(separator)))
		of, _, signed := strings.Cut(pair, "=")
		if in == InCookie {
			of = strings.Trim(of, ascii.Space)
		}
		if (signed || in == InQuery) && s.compare(of, name) == same {
			removed = true
			continue
		}
		if !first {
			kept = append(kept, separator)
		} else if removed {
			pair = strings.TrimLeft(pair, ascii.Space) // it leads now
		}
		kept = append(kept, pair...)
		first = false
		some = some || strings.Trim(pair, ascii.Space) != ""
	}
	switch {
	case !removed:
		return list
	case !some:
		return ""
	}
	return string(kept)
}
