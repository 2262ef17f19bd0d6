package config

import (
	"bytes"

	"edgejwt/verify/strictjson"
)

// syntax walks a JSON text (RFC 8259) that strictjson refused, to find the first
// byte that is wrong and the members that stand twice. It exists for messages
// only and decides nothing.
type syntax struct {
	text  []byte
	at    int
	path  string // of the value at hand
	depth int
	twice []listed // of which only path and place are set
}

// walk goes as far as text is JSON and leaves s.at there.
func walk(text []byte) *syntax {
	s := &syntax{text: text}
	s.space()
	if s.value() {
		s.space()
	}
	return s
}

// place gives the line and the byte in it, both from 1, at which s stands.
func (s *syntax) place() (line, column int) {
	before := s.text[:s.at]
	return 1 + bytes.Count(before, []byte{'\n'}), s.at - bytes.LastIndexByte(before, '\n')
}

// next gives the byte at hand; 0, which is wrong everywhere, after the end.
func (s *syntax) next() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// take steps over c if it is the byte at hand.
func (s *syntax) take(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *syntax) space() {
	for s.take(' ') || s.take('\t') || s.take('\n') || s.take('\r') {
	}
}

// value steps over a value. Every method that reports false leaves s.at at the
// wrong byte.
func (s *syntax) value() bool {
	switch c := s.next(); {
	case c == '{' || c == '[':
		path := s.path
		s.depth++
		ok := s.depth <= limits.Depth && s.list(path, c)
		s.depth--
		s.path = path
		return ok
	case c == '"':
		return s.string()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.number()
}

// list steps over the object or array at path, whose opening byte is at hand.
func (s *syntax) list(path string, opening byte) bool {
	end := opening + 2 // in ASCII
	s.at++
	s.space()
	if s.take(end) {
		return true
	}
	names := make(map[string]bool)
	for n := 0; ; n++ {
		s.path = at(path, n)
		if end == '}' && !s.name(path, names) {
			return false
		}
		if !s.value() {
			return false
		}
		s.space()
		if s.take(end) {
			return true
		}
		if !s.take(',') {
			return false
		}
		s.space()
	}
}

// name steps over a member's name and the colon behind it.
func (s *syntax) name(path string, names map[string]bool) bool {
	from := s.at
	if s.next() != '"' || !s.string() {
		return false
	}
	// Compared as decoded: "a" and "\u0061" are one name.
	name := string(s.text[from:s.at])
	if decoded, err := strictjson.Parse(name, limits); err == nil {
		name = decoded.Text
	}
	s.path = join(path, name)
	if names[name] {
		s.twice = append(s.twice, listed{path: s.path, at: from})
	}
	names[name] = true
	s.space()
	if !s.take(':') {
		return false
	}
	s.space()
	return true
}

func (s *syntax) string() bool {
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return true
		case c < ' ':
			return false
		case c == '\\':
			s.at++
			if s.next() == 'u' {
				for range 4 {
					s.at++
					if !isHex(s.next()) {
						return false
					}
				}
			} else if bytes.IndexByte([]byte(`"\/bfnrt`), s.next()) < 0 {
				return false
			}
		}
	}
	return false
}

func (s *syntax) word(word string) bool {
	for i := range len(word) {
		if !s.take(word[i]) {
			return false
		}
	}
	return true
}

func (s *syntax) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		return s.digits()
	}
	return true
}

func (s *syntax) digits() bool {
	from := s.at
	for c := s.next(); c >= '0' && c <= '9'; c = s.next() {
		s.at++
	}
	return s.at > from
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
