package verify

import (
	"strings"

	"edgejwt/verify/ascii"
)

// Cookies and parameters are lists of pairs, "name=value". Servers agree on what
// the lists of honest clients mean, and on little else. What follows is for the
// others: a token that the API reads must not be another than the one judged
// here.

// hides reports whether a server may find the named value in a text that has
// another meaning here: behind one of its own splits, or under a name that it
// takes for this one.
func hides(text, name string, splits func(c byte) bool, anyCase bool) bool {
	for i := range len(text) {
		if text[i] != '=' {
			continue
		}
		end := i
		for end > 0 && splits(text[end-1]) {
			end-- // white space before the sign
		}
		start := end
		for start > 0 && text[start-1] != '=' && !splits(text[start-1]) {
			start--
		}
		isValue := start > 0 && text[start-1] == '='
		if !isValue && resembles(text[start:end], name, anyCase) {
			return true
		}
	}
	return false
}

// spells reports whether text, unescaped, is the name.
func spells(text, name string) bool {
	for i := range len(name) {
		if text == "" {
			return false
		}
		c, size := unescape(text)
		if c != name[i] {
			return false
		}
		text = text[size:]
	}
	return text == ""
}

// resembles reports whether some server takes text for the name: PHP unescapes
// it, drops spaces in front, makes underscores of spaces, dots and brackets, makes
// a list of what a bracket follows, and reads up to a zero byte; ASP.NET ignores
// the case of parameters.
func resembles(text, name string, anyCase bool) bool {
	for text != "" {
		c, size := unescape(text)
		if c != ' ' {
			break
		}
		text = text[size:]
	}
	for i := range len(name) {
		if text == "" {
			return false
		}
		c, size := unescape(text)
		switch n := name[i]; {
		case c == n:
		case n == '_' && (c == ' ' || c == '.' || c == '['):
		case anyCase && c|0x20 == n|0x20 && 'a' <= c|0x20 && c|0x20 <= 'z':
		default:
			return false
		}
		text = text[size:]
	}
	if text == "" {
		return true
	}
	c, _ := unescape(text)
	return c == 0 || c == '['
}

// unescape reads the first byte of a form-urlencoded text, which is not empty,
// and says how many bytes spell it. An escape that is none stands for itself.
func unescape(text string) (c byte, size int) {
	if text[0] == '+' {
		return ' ', 1
	}
	if c, ok := ascii.Unescape(text); ok {
		return c, 3
	}
	return text[0], 1
}

// without gives the list without its pairs of that name; empty when nothing but
// separators is left.
func without(list string, separator byte, name string, read func(pair, name string) (string, bool)) string {
	kept := make([]byte, 0, len(list))
	some, first, removed := false, true, false
	for rest, more := list, true; more; {
		var pair string
		pair, rest, more = strings.Cut(rest, string(rune(separator)))
		if _, is := read(pair, name); is {
			removed = true
			continue
		}
		if !first {
			kept = append(kept, separator)
		} else if removed {
			pair = strings.TrimLeft(pair, ascii.Space) // it leads now
		}
		kept = append(kept, pair...)
		first = false
		some = some || strings.Trim(pair, ascii.Space) != ""
	}
	switch {
	case !removed:
		return list
	case !some:
		return ""
	}
	return string(kept)
}
