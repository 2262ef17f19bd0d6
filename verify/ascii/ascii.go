// Package ascii folds and escapes what HTTP, URLs and token schemes spell in ASCII.
// Unlike package strings it leaves every other byte alone: the Kelvin sign is no k
// here.
package ascii

// Space is white space for strings.Trim: spaces, tabs and line breaks, and nothing
// of Unicode's.
const Space = " \t\r\n"

// Lower gives s with A to Z in lower case.
func Lower(s string) string {
	for i := range len(s) {
		if isUpper(s[i]) {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if isUpper(b[j]) {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// EqualFold reports whether a and b differ in the case of A to Z at most.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		c, d := a[i], b[i]
		if c != d && (c|0x20 != d|0x20 || c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

const hexDigits = "0123456789ABCDEF"

// AppendEscape appends c as %XX, in upper case (RFC 3986 §2.1).
func AppendEscape(to []byte, c byte) []byte {
	return append(to, '%', hexDigits[c>>4], hexDigits[c&15])
}

// Unescape reads the %XX with which s starts, in either case; ok is false when
// it starts with none.
func Unescape(s string) (c byte, ok bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	high, low := hexValue(s[1]), hexValue(s[2])
	return high<<4 | low&15, high < 16 && low < 16
}

func hexValue(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// FoldHeader gives the one spelling of all header names that servers of the CGI
// family (WSGI, PHP, Rack) make one variable of: letters in lower case, and a hyphen
// for each byte that is neither letter nor digit. X-Jwt-Sub, x_jwt_sub and x.jwt.sub
// are x-jwt-sub. A pseudo header (":path") is no variable there and stays as it is.
//
// Every header that is judged, read as a token or told to the API is compared so:
// see SameHeader.
func FoldHeader(name string) string {
	if name == "" || name[0] == ':' {
		return name
	}
	b := []byte(name)
	for i, c := range b {
		b[i] = foldHeaderByte(c)
	}
	return string(b)
}

// SameHeader reports whether FoldHeader gives one spelling for both names. It
// allocates nothing.
func SameHeader(a, b string) bool {
	if len(a) != len(b) || a == "" || a[0] == ':' || b[0] == ':' {
		return a == b
	}
	for i := range len(a) {
		if a[i] != b[i] && foldHeaderByte(a[i]) != foldHeaderByte(b[i]) {
			return false
		}
	}
	return true
}

func foldHeaderByte(c byte) byte {
	switch {
	case isUpper(c):
		return c + 'a' - 'A'
	case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
		return c
	}
	return '-'
}
