package config

import (
	"bytes"
	"errors"

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
	value, err := strictjson.Parse(string(document), limits)
	switch {
	case err == nil:
	case errors.Is(err, strictjson.ErrTooLong):
		r.whole("", "is longer than "+itoa(MaxBytes)+" bytes")
		return nil
	case len(bytes.Trim(document, jsonSpace)) == 0:
		r.whole("", "is empty; "+writeStringValue)
		return nil
	case isProtobuf(document):
		r.whole("", "arrived as a Struct or another protobuf message; "+writeStringValue)
		return nil
	case errors.Is(err, strictjson.ErrDuplicate):
		_, path := place(err)
		r.fault(0, path, "", "stands twice")
		return nil
	case errors.Is(err, strictjson.ErrSyntax):
		offset, _ := place(err)
		line := 1 + bytes.Count(document[:offset], []byte{'\n'})
		column := offset - bytes.LastIndexByte(document[:offset], '\n')
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

// place says where the text is wrong: the offset, and the path of a member that
// stands twice.
func place(err error) (offset int, path string) {
	var e *strictjson.Error
	if !errors.As(err, &e) {
		return 0, wholePath
	}
	for _, step := range e.Path {
		if step.InArray {
			path = at(path, step.Index)
		} else {
			path = join(path, step.Name)
		}
	}
	return e.Offset, path
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
