package config

import (
	"strings"

	"edgejwt/verify/ascii"
	"edgejwt/verify/strictjson"
)

// limits bound the text; the depth leaves room for an inline key set.
var limits = strictjson.Limits{Bytes: MaxBytes, Depth: 16, Values: 50_000}

const (
	wholePath = "configuration"

	writeStringValue = `it must be a google.protobuf.StringValue that holds JSON: ` +
		`configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, ` +
		`value: '{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "https://api.example.com"}}'}`
)

// open checks the text as a whole and gives its top level; nil after a fault.
func (r *reader) open(document []byte) *object {
	text := string(document)
	value, err := strictjson.Parse(text, limits)
	refusal, _ := err.(*strictjson.Error) // there is no other
	switch {
	case err == nil:
	case refusal.Err == strictjson.ErrTooLong:
		r.whole("", "is longer than "+itoa(MaxBytes)+" bytes")
		return nil
	case ascii.TrimSpace(text) == "":
		r.whole("", "is empty; "+writeStringValue)
		return nil
	case isProtobuf(text):
		r.whole("", "arrived as a Struct or another protobuf message; "+writeStringValue)
		return nil
	case refusal.Err == strictjson.ErrDuplicate:
		r.fault(0, pathOf(refusal.Path), "", "stands twice")
		return nil
	case refusal.Err == strictjson.ErrSyntax:
		line, column := position(text[:refusal.Offset])
		want := "is not JSON; the first wrong byte is byte " + itoa(column) + " of line " + itoa(line)
		if ascii.TrimLeft(text)[0] != '{' {
			want += "; write JSON, not YAML"
		}
		r.whole("", want)
		return nil
	default:
		r.whole("", "cannot be read: "+err.Error())
		return nil
	}
	if value.Kind != strictjson.Object {
		found := shown(&value)
		if value.Kind == strictjson.String {
			found = "a string" // it may be long, and hold anything
		}
		r.whole(found, "is not an object; "+writeStringValue)
		return nil
	}
	return r.object("", fields, &value)
}

// position counts the lines and the bytes of the last line, up to the byte that
// comes next, both from 1.
func position(before string) (line, column int) {
	line, column = 1, 1
	for i := range len(before) {
		if column++; before[i] == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}

// pathOf writes the way to a member as faults do.
func pathOf(steps []strictjson.Step) (path string) {
	for _, step := range steps {
		if step.InArray {
			path = at(path, step.Index)
		} else {
			path = join(path, step.Name)
		}
	}
	return path
}

// whole refuses the document, not one field of it.
func (r *reader) whole(found, want string) { r.fault(0, wholePath, found, want) }

// isProtobuf reports whether a text that is no JSON is a protobuf message.
//
// A Struct begins with the tag 0x0a of its first member, which is a line feed
// in JSON, but the tag 0x12 of that member's value stands in no JSON text. A
// StringValue that nobody unpacked is one field of tag 0x0a that fills the text.
func isProtobuf(text string) bool {
	switch text[0] {
	case '\t', '\r':
		return false
	case '\n':
		return strings.IndexByte(text, 0x12) >= 0 || isOneField(text[1:])
	}
	return text[0] < ' '
}

// isOneField reports whether a varint stands first and counts the bytes after it.
func isOneField(b string) bool {
	n := 0
	for i := 0; i < len(b) && i < 4; i++ {
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return n == len(b)-i-1
		}
	}
	return false
}
