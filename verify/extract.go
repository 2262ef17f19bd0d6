package verify

import (
	"strings"

	"edgejwt/verify/ascii"
)

// RequestPart is a part of a request that may contain a token.
type RequestPart uint8

const (
	// InHeader is a request header; the zero value.
	InHeader RequestPart = iota
	// InCookie is a cookie (RFC 6265 §4.2).
	InCookie
	// InQuery is a parameter of the URL's query. RFC 6750 §2.3 recommends not to use it.
	InQuery
)

// TokenLocation is a place in a request that may contain a token.
type TokenLocation struct {
	// In is the part of the request.
	In RequestPart
	// Name is the name of the header in lower case, or of the cookie or parameter with
	// its case.
	Name string
	// Prefix stands before the token. It is for headers only and is compared without
	// case. A prefix that ends with a space is an authentication scheme (RFC 9110
	// §11.1); any number of spaces may follow it.
	Prefix string
	// List is for headers whose value is a list of elements separated by commas (RFC
	// 9110 §5.6.1), such as Sec-WebSocket-Protocol. The token is the element that has
	// the prefix. Without a prefix it is the element that has a dot.
	List bool
}

// Authorization is the location of RFC 6750 §2.1.
var Authorization = TokenLocation{Name: "authorization", Prefix: "Bearer "}

// Found is a token and its locations.
type Found struct {
	Token string
	// Locations are indexes of the locations given to Extract: all that contain the
	// token, at least one, in ascending order. The slice must not be changed.
	Locations []int
}

// Extract finds the token of a request. headers are name and value of each header line
// in their order, names in lower case. :path is needed for locations in the query.
//
// A token must be the only one (RFC 6750 §2). These are ambiguous:
//
//   - two different tokens. The same token may stand in several locations, but
//     authorization may come only once;
//   - a header, cookie or parameter that only some servers read as one of the locations;
//   - more cookies, or a longer query or list, than MaxListBytes and MaxListSigns allow,
//     if a location is in them.
//
// An empty value is no token. Bodies are never read. Reasons: TokenMissing,
// TokenAmbiguous.
func Extract(headers [][2]string, locations []TokenLocation) (Found, error) {
	var found Found
	var has [InQuery + 1]bool
	for i := range locations {
		location := &locations[i]
		if has[location.In] = true; location.In != InHeader {
			continue
		}
		name := location.Name
		inThisHeader, first := 0, ""
		listBytes, commas := 0, 0 // of a list, in all lines
		for h := range headers {
			value := headers[h][1]
			if headers[h][0] != name {
				if value != "" && ascii.SameHeader(headers[h][0], name) {
					return Found{}, refuse(TokenAmbiguous, "a header that only some servers take for the token's")
				}
				continue
			}
			if location.List {
				if listBytes += len(value); listBytes <= MaxListBytes {
					commas += strings.Count(value, ",")
				}
				if listBytes > MaxListBytes || commas > MaxListSigns {
					return Found{}, refuse(TokenAmbiguous, beyond)
				}
				if err := found.addElement(value, location, i); err != nil {
					return Found{}, err
				}
				continue
			}
			inThisHeader++
			switch {
			case name == Authorization.Name && inThisHeader > 1:
				return Found{}, refuse(TokenAmbiguous, "authorization stands twice")
			case inThisHeader > 1 && value != first:
				return Found{}, refuse(TokenAmbiguous, "a header of the token's stands twice")
			case location.elsewhere(value), name == Authorization.Name && location.Prefix != Authorization.Prefix && Authorization.elsewhere(value):
				return Found{}, refuse(TokenAmbiguous, "only some servers find the scheme")
			}
			first = value
			if err := found.add(location.token(value), i); err != nil {
				return Found{}, err
			}
		}
	}
	for in := InCookie; in <= InQuery; in++ {
		if !has[in] {
			continue
		}
		s := search{found: &found, locations: locations, in: in}
		if err := s.all(headers); err != nil {
			return Found{}, err
		}
	}
	if found.Token == "" {
		return Found{}, refuse(TokenMissing, "no token where one may stand")
	}
	return found, nil
}

// token returns the token of a header's value, or "".
func (l *TokenLocation) token(value string) string {
	if !hasPrefixFold(value, l.Prefix) {
		return ""
	}
	token := value[len(l.Prefix):]
	if strings.HasSuffix(l.Prefix, " ") {
		for token != "" && token[0] == ' ' {
			token = token[1:]
		}
	}
	return token
}

// addElement records the token of a list. The API may read another element than the one
// that is verified here. So each element that may be a token must be the same one.
func (f *Found) addElement(list string, l *TokenLocation, at int) error {
	if strings.IndexByte(list, '"') >= 0 {
		return refuse(TokenAmbiguous, "only some servers separate the elements of a quoted list")
	}
	for element := range strings.SplitSeq(list, ",") {
		element = strings.Trim(element, ascii.Space)
		switch {
		case l.elsewhere(element):
			return refuse(TokenAmbiguous, "only some servers find the scheme")
		case l.Prefix == "" && strings.IndexByte(element, '.') < 0:
			continue
		}
		if err := f.add(l.token(element), at); err != nil {
			return err
		}
	}
	return nil
}

// WithoutToken removes the elements that are the token from the value of a header with
// List. The other elements stay. The result is empty when none is left. A request may
// have several lines of the header; the caller must treat each.
func (l *TokenLocation) WithoutToken(list, token string) string {
	kept := make([]string, 0, 4)
	removed := false
	for element := range strings.SplitSeq(list, ",") {
		switch element = strings.Trim(element, ascii.Space); {
		case element == "":
		case l.token(element) == token:
			removed = true
		default:
			kept = append(kept, element)
		}
	}
	if !removed {
		return list
	}
	return strings.Join(kept, ", ")
}

// elsewhere reports whether only some servers find the prefix: after a comma, as in a
// value that a proxy has joined of several lines, after white space other than a space, or
// with such white space after the scheme. Servers that decode Latin-1 or UTF-8 (Python, Go,
// .NET) split at white space beyond ASCII, too. So every byte beyond ASCII counts as white
// space. A comma alone is allowed: Digest uses it.
func (l *TokenLocation) elsewhere(value string) bool {
	scheme := strings.TrimRight(l.Prefix, " ")
	if scheme == "" {
		return false
	}
	for at := 0; ; at++ {
		for at < len(value) && isWhite(value[at]) {
			at++
		}
		if hasPrefixFold(value[at:], scheme) {
			rest := value[at+len(scheme):]
			switch {
			case scheme == l.Prefix:
				if at > 0 {
					return true
				}
			case at > 0 && rest == "", rest != "" && isWhite(rest[0]) && (at > 0 || rest[0] != ' '):
				return true
			}
		}
		comma := strings.IndexByte(value[at:], ',')
		if comma < 0 {
			return false
		}
		at += comma
	}
}

func isWhite(c byte) bool { return c != 0 && c <= ' ' || c > '~' }

// single has the indexes of which Found.Locations are slices when there is only one, so
// that the usual request allocates none. The slices have a capacity of one.
var single = [...]int{0, 1, 2, 3, 4, 5, 6, 7}

// add records a token that was found at a location. An empty text is no token.
func (f *Found) add(token string, at int) error {
	if token == "" {
		return nil
	}
	if f.Token != "" && f.Token != token {
		return refuse(TokenAmbiguous, "two different tokens")
	}
	if strings.IndexByte(token, ',') >= 0 {
		return refuse(TokenAmbiguous, "the value is joined of several")
	}
	f.Token = token
	i := 0
	for i < len(f.Locations) && f.Locations[i] < at {
		i++
	}
	switch {
	case i < len(f.Locations) && f.Locations[i] == at: // already recorded
	case len(f.Locations) == 0 && at < len(single):
		f.Locations = single[at : at+1 : at+1]
	default:
		all := append(f.Locations[:i:i], at)
		f.Locations = append(all, f.Locations[i:]...)
	}
	return nil
}

// hasPrefixFold is strings.HasPrefix that ignores the case of ASCII letters.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && ascii.EqualFold(s[:len(prefix)], prefix)
}

// Cookies and parameters are lists of pairs "name=value". Servers parse the lists of
// ordinary clients alike, but malformed lists differently. The API must not read
// another token than the one that is verified here. So a pair has a token when its name
// is exactly the configured one, and the request is refused when only some servers
// find that name.

// search searches a request's lists of one kind for the tokens of all locations. Its
// time is linear in the bytes of the lists. It compares names at no more than
// MaxListSigns positions.
type search struct {
	found     *Found
	locations []TokenLocation
	in        RequestPart

	bytes, signs int // of the lists so far
	steps        int // how often a byte was read; a test bounds it
}

// all searches all cookie headers, or the query of the path. A request target has no
// fragment (RFC 9112 §3.2), but some servers leave one in the query.
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

const beyond = "more cookies, or a longer query or list, than are searched"

// list searches a cookie header (RFC 6265 §5.4) or a query, which it parses as
// application/x-www-form-urlencoded (https://url.spec.whatwg.org/#urlencoded-parsing).
// With pairs false the text is a fragment, which must not contain a token.
func (s *search) list(text string, pairs bool) error {
	if s.bytes += len(text); s.bytes > MaxListBytes {
		return refuse(TokenAmbiguous, beyond)
	}
	separator, kinds := byte('&'), &paramBytes
	if s.in == InCookie {
		separator, kinds = ';', &cookieBytes
	}
	begin := 0    // of the pair
	first := true // the next equals sign is the first of the pair
	owner := ""   // the name of the location that the pair belongs to
	for from := 0; ; {
		next := strings.IndexByte(text[from:], '=')
		if next < 0 {
			return nil
		}
		if s.signs++; s.signs > MaxListSigns {
			return refuse(TokenAmbiguous, beyond)
		}
		// A name: the text before the sign, up to where some server would split.
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
		if start > from || from == 0 { // otherwise it is a value, after another sign
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

// The kinds of bytes in a list.
const (
	plainByte = iota // part of a name
	splitting        // some server starts a new pair or a name after it, against the standards
	parting          // the separator
)

var cookieBytes, paramBytes = byteKinds()

func byteKinds() (cookie, param [256]byte) {
	// Servers split at a comma (RFC 2109 §4.3.4), at white space and quotes (Python's
	// http.cookies), and at Unicode's white space in Latin-1 or UTF-8 (Starlette).
	for c := range cookie {
		if c <= ' ' || c > '~' || c == ',' || c == '"' {
			cookie[c] = splitting
		}
	}
	cookie[';'] = parting
	// HTML 4.01 (appendix B.2.2) proposed the semicolon as a separator. Python until
	// 3.9 and servers in Java and Ruby use it. The number sign starts a fragment.
	param[';'], param['#'], param['&'] = splitting, splitting, parting
	return cookie, param
}

// isAll reports whether part is all of the name that was sent.
func (s *search) isAll(sent, part string) bool {
	if s.in == InCookie {
		sent = strings.Trim(sent, ascii.Space)
	}
	return len(sent) == len(part)
}

// value decodes the text after the equals sign.
//
// It removes the double quotes of a cookie's value (RFC 6265 §4.1.1), as do Go, Node and
// Python. Browsers, PHP and Rack keep them and find no token there. Only characters of
// cookie-octet may be between the quotes, because Python decodes a backslash.
func (s *search) value(text string) string {
	if s.in == InCookie {
		text = strings.Trim(text, ascii.Space)
		if last := len(text) - 1; last > 0 && text[0] == '"' && text[last] == '"' && !strings.ContainsFunc(text[1:last], notCookieOctet) {
			return text[1:last]
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

// notCookieOctet reports whether a character is not a cookie-octet (RFC 6265 §4.1.1).
func notCookieOctet(c rune) bool {
	return c <= ' ' || c > '~' || c == '"' || c == ',' || c == ';' || c == '\\'
}

// likeness is the result of comparing a text with a name.
type likeness uint8

const (
	another likeness = iota
	similar          // some server reads it as the name
	same
)

// compare compares a text without leading spaces with a name. It is the same if it is
// the name, after unescaping if it is the name of a parameter. PHP also unescapes names
// of cookies, replaces spaces, dots and brackets by underscores, makes a list of a name
// with a bracket after it, and stops at a zero byte. ASP.NET ignores the case of
// parameters and decodes %u0061. Express and Rack take a parameter in brackets for the one
// without.
func (s *search) compare(text, name string) likeness {
	how, at := same, 0
	if s.in == InCookie {
		if text == name {
			return same
		}
		how = similar
	} else {
		for at < len(text) {
			c, size := unescape(text[at:])
			if c != '[' && c != ']' {
				break
			}
			s.steps += size
			at += size
			how = similar
		}
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
			if c, size = unescape(text[at-1:]); size == 1 && s.in == InQuery {
				if wide, ok := unescapeWide(text[at-1:]); ok {
					c, size, how = wide, 6, similar
				}
			}
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
	c, _ := unescape(text[at:])
	if wide, ok := unescapeWide(text[at:]); ok && s.in == InQuery {
		c = wide
	}
	if c == 0 || c == '[' || c == ']' {
		return similar
	}
	return another
}

// unescapeWide decodes the ASCII character that %uXXXX spells at the start of s.
func unescapeWide(s string) (c byte, ok bool) {
	if len(s) < 6 || s[0] != '%' || s[1]|0x20 != 'u' || s[2:4] != "00" {
		return 0, false
	}
	return ascii.Unescape("%" + s[4:6])
}

// pastSpaces removes leading spaces, escaped or not, from an escaped text, as PHP does.
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

// unescape decodes the first byte of a form-urlencoded text, which must not be empty,
// and returns the number of bytes that spell it. A percent sign without two
// hexadecimal digits stands for itself.
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

// WithoutCookie removes the cookies of that name from the value of a cookie header. The
// other cookies stay unchanged. The result is empty when none is left. A request may
// have several cookie headers (RFC 9113 §8.2.3); the caller must treat each.
func WithoutCookie(value, name string) string { return without(value, ';', InCookie, name) }

// WithoutParam removes the parameters of that name, in every escaped form, from the
// value of :path. Everything else stays unchanged. The question mark is removed with
// the last parameter.
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

// without removes the pairs of that name from a list. The result is empty when only
// separators are left. A parameter may lack the equals sign, a cookie may not.
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
			pair = strings.TrimLeft(pair, ascii.Space) // it is the first now
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
