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
