// Package ascii has the functions on ASCII texts of HTTP that the standard library
// lacks. Unlike package strings they change and fold only ASCII letters: strings.EqualFold
// takes the Kelvin sign (U+212A) for a k. All functions may be called concurrently.
package ascii

// Space is the ASCII white space, as a cutset for strings.Trim.
const Space = " \t\r\n"

// Lower returns s with A to Z in lower case.
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

// Unescape decodes the %XX at the start of s, in upper or lower case. ok is false when
// s does not start with %XX.
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

// FoldHeader returns the common spelling of all header names that servers of the CGI
// family (WSGI, PHP, Rack) turn into the same variable (RFC 3875 §4.1.18): letters in
// lower case, and a hyphen for each byte that is neither letter nor digit. X-Jwt-Sub,
// x_jwt_sub and x.jwt.sub become x-jwt-sub. Pseudo headers (":path") are unchanged.
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

// SameHeader reports whether FoldHeader returns the same spelling for both names. It does
// not allocate.
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
