package config

import (
	"bytes"
	"errors"

	"github.com/tidwall/gjson"

	"edgejwt/verify/strictjson"
)

// limits bound the text; the depth leaves room for an inline key set.
var limits = strictjson.Limits{Bytes: MaxBytes, Depth: 16, Values: 50_000}

const (
	wholePath = "configuration"
	jsonSpace = " \t\r\n"

	writeStringValue = `it must be a google.protobuf.StringValue that holds JSON: ` +
		`configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, ` +
		`value: '{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "https://api.example.com"}}'}`
)

// open checks the text as a whole and gives its top level; nil after a fault.
func (r *reader) open(document []byte) *object {
	err := strictjson.Check(document, limits)
	switch {
	case err == nil:
	case errors.Is(err, strictjson.ErrDuplicate):
		// The objects tell which one, when they are read; see Parse.
		r.repeated = true
	case errors.Is(err, strictjson.ErrTooLong):
		r.whole("", "is longer than "+itoa(MaxBytes)+" bytes")
		return nil
	case len(bytes.Trim(document, jsonSpace)) == 0:
		r.whole("", "is empty; "+writeStringValue)
		return nil
	case isProtobuf(document):
		r.whole("", "arrived as a Struct or another protobuf message; "+writeStringValue)
		return nil
	case errors.Is(err, strictjson.ErrSyntax):
		line, column := firstError(document)
		want := "is not JSON; the first wrong byte is byte " + itoa(column) + " of line " + itoa(line)
		if text := bytes.TrimLeft(document, jsonSpace); text[0] != '{' {
			want += "; write JSON, not YAML"
		}
		r.whole("", want)
		return nil
	default:
		r.whole("", "cannot be read: "+err.Error())
		return nil
	}
	value := gjson.ParseBytes(document)
	if !value.IsObject() {
		found := shown(value)
		if value.Type == gjson.String {
			found = "a string" // it may be long, and hold anything
		}
		r.whole(found, "is not an object; "+writeStringValue)
		return nil
	}
	return r.object("", 0, fields, value)
}

// whole refuses the document, not one field of it.
func (r *reader) whole(found, want string) { r.fault(0, wholePath, found, want) }

// isProtobuf reports whether a text that is no JSON is a protobuf message.
//
// A Struct begins with the tag 0x0a of its first member, which is a line feed
// in JSON, but the tag 0x12 of that member's value stands in no JSON text. A
// StringValue that nobody unpacked is one field of tag 0x0a that fills the text.
func isProtobuf(document []byte) bool {
	switch document[0] {
	case '\t', '\r':
		return false
	case '\n':
		return bytes.IndexByte(document, 0x12) >= 0 || isOneField(document[1:])
	}
	return document[0] < ' '
}

// isOneField reports whether a varint stands first and counts the bytes after it.
func isOneField(b []byte) bool {
	n := 0
	for i := 0; i < len(b) && i < 4; i++ {
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return n == len(b)-i-1
		}
	}
	return false
}

// firstError gives line and byte within the line, both from 1, where a text
// that strictjson called ErrSyntax stops being JSON.
func firstError(document []byte) (line, column int) {
	s := syntax{text: document}
	s.space()
	if s.value(0) {
		s.space()
	}
	before := document[:s.at]
	return 1 + bytes.Count(before, []byte{'\n'}), s.at - bytes.LastIndexByte(before, '\n')
}

// syntax walks a JSON text (RFC 8259) up to the first byte that is wrong. It
// exists for the message only: strictjson decides.
type syntax struct {
	text []byte
	at   int
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
func (s *syntax) value(depth int) bool {
	switch c := s.next(); {
	case depth > limits.Depth:
		return false
	case c == '{':
		return s.list('}', depth)
	case c == '[':
		return s.list(']', depth)
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

// list steps over an object or an array, whose first byte is at hand.
func (s *syntax) list(end byte, depth int) bool {
	s.at++
	s.space()
	if s.take(end) {
		return true
	}
	for {
		if end == '}' {
			if s.next() != '"' || !s.string() {
				return false
			}
			s.space()
			if !s.take(':') {
				return false
			}
			s.space()
		}
		if !s.value(depth + 1) {
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
