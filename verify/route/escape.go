package route

import "strings"

const hexDigits = "0123456789ABCDEF"

// escape appends c, escaped or not.
//
//go:noinline
func escape(to []byte, c byte, escaped bool) []byte {
	if !escaped {
		return append(to, c)
	}
	return append(to, '%', hexDigits[c>>4], hexDigits[c&15])
}

// unescape reads the escape with which s starts.
//
//go:noinline
func unescape(s string) (c byte, ok bool) {
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

// unescaped gives s with all its escapes decoded.
//
//go:noinline
func unescaped(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for s != "" {
		c, ok := unescape(s)
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
