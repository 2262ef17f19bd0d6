package ascii

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
