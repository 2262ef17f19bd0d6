package verify

import (
	"strings"

	"edgejwt/verify/ascii"
)

// WithoutCookie gives the value of a cookie header without the cookies of that
// name; the others stay byte for byte as they were. It is empty when none is
// left. A request may have several such headers (RFC 9113 §8.2.3): each is to be
// treated.
func WithoutCookie(value, name string) string {
	return without(value, ';', name, cookie)
}

// addCookies takes note of the tokens in a cookie header (RFC 6265 §5.4).
func (f *Found) addCookies(header, name string, at int) error {
	for more := true; more; {
		var pair string
		pair, header, more = strings.Cut(header, ";")
		if value, ok := cookie(pair, name); ok {
			if err := f.add(value, at); err != nil {
				return err
			}
		} else if hides(pair, name, splitsCookies, false) {
			return refuse(TokenAmbiguous, "a cookie that only some servers take for the token's")
		}
	}
	return nil
}

// cookie gives the value of the pair; ok is false when it is another cookie.
//
// Double quotes stay in the value, as RFC 6265 §5.2 has it, browsers, PHP and
// Rack. Go, Node and Python take them off: a token within is therefore none, and
// Parse says so. Two quotes with nothing between them, to which Python's
// frameworks reset a cookie, are no token to anyone.
func cookie(pair, name string) (value string, ok bool) {
	first, value, found := strings.Cut(pair, "=")
	if !found || strings.Trim(first, ascii.Space) != name {
		return "", false
	}
	if value = strings.Trim(value, ascii.Space); value == `""` {
		value = ""
	}
	return value, true
}

// splitsCookies reports whether a server starts a new cookie, or a name, behind
// this byte although RFC 6265 does not: at a comma (RFC 2109 §4.3.4), at white
// space and in quotes (Python's http.cookies), at what Unicode takes for white
// space, in Latin-1 or UTF-8 (Starlette).
func splitsCookies(c byte) bool {
	return c <= ' ' || c == ',' || c == '"' || c > '~'
}
