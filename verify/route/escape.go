package route

import (
	"strings"

	"edgejwt/verify/ascii"
)

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
