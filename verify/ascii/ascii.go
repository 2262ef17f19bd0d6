// Package ascii folds, trims, cuts and escapes what HTTP, URLs and token schemes spell in
// ASCII. Unlike package strings it leaves every other byte alone: the Kelvin
// sign is no k here, and a no-break space no white space. Nor does it bring
// tables of Unicode or a general search along, 45 KB of module.
package ascii

import "strings"

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

// TrimSpace gives s without the spaces, tabs and line breaks around it.
func TrimSpace(s string) string {
	s = TrimLeft(s)
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// TrimLeft gives s without the spaces, tabs and line breaks in front.
func TrimLeft(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}

// Cut splits s at the first separator, which is in neither part; rest is empty
// when there is none.
func Cut(s string, separator byte) (first, rest string, found bool) {
	if i := strings.IndexByte(s, separator); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
