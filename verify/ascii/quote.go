package ascii

import "unicode/utf8"

// Quote gives s as a Go string literal in printable ASCII, as
// strconv.QuoteToASCII does, which is 20 KB of module with what it brings.
func Quote(s string) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(s)+2)
	out = append(out, '"')
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		letter, width := byte('x'), 0 // of an escape, and how many digits it has
		switch {
		case r == utf8.RuneError && size == 1:
			r, width = rune(s[0]), 2
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case ' ' <= r && r <= '~':
			out = append(out, byte(r))
		case '\a' <= r && r <= '\r':
			out = append(out, '\\', "abtnvfr"[r-'\a'])
		case r < ' ' || r == 0x7f:
			width = 2
		case r <= 0xffff:
			letter, width = 'u', 4
		default:
			letter, width = 'U', 8
		}
		if width > 0 {
			out = append(out, '\\', letter)
			for shift := 4 * (width - 1); shift >= 0; shift -= 4 {
				out = append(out, digits[r>>shift&15])
			}
		}
		s = s[size:]
	}
	return string(append(out, '"'))
}
