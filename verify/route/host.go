package route

import (
	"strings"

	"edgejwt/verify/ascii"
)

// hostOf reads the name out of :authority (RFC 9110 §7.2): in lower case,
// without port and trailing dot. ok is false for what is no host and port.
func hostOf(authority string) (name string, ok bool) {
	name = authority
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, ']') {
		for i := colon + 1; i < len(name); i++ {
			if name[i] < '0' || name[i] > '9' {
				return "", false
			}
		}
		name = name[:colon]
	}
	if len(name) > 1 && name[0] == '[' && name[len(name)-1] == ']' {
		return ascii.Lower(name), onlyOf(name[1:len(name)-1], ":.")
	}
	if len(name) > 1 && name[len(name)-1] == '.' {
		name = name[:len(name)-1]
	}
	if name == "" || name[0] == '.' || name[len(name)-1] == '.' {
		return "", false
	}
	return ascii.Lower(name), onlyOf(name, "-._")
}

// onlyOf reports whether s has only letters and digits of ASCII, and the others.
func onlyOf(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if ('0' > c || c > '9') && ('a' > c|0x20 || c|0x20 > 'z') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// hostHolds compares a name with a condition; both are in the form of hostOf.
func hostHolds(condition, name string) bool {
	if below, ok := strings.CutPrefix(condition, "*"); ok {
		return strings.HasSuffix(name, below) // which starts with a dot, and a name does not
	}
	return condition == name
}
