package config

import (
	"errors"
	"strings"

	"edgejwt/verify/ascii"
	"edgejwt/verify/strictjson"
)

// wholeText is what one kind of text may be.
type wholeText struct {
	name   string // for faults of the whole
	limits strictjson.Limits
	fields []field
	write  string // how it is to be written
}

// The depths leave room for an inline key set, and for the names of claims.
var (
	wholeConfig = wholeText{wholePath, strictjson.Limits{Bytes: MaxBytes, Depth: 16, Values: 50_000}, fields, writeStringValue}
	wholePolicy = wholeText{"policy", strictjson.Limits{Bytes: MaxPolicyBytes, Depth: 16, Values: 5_000}, policyFields, "write an object of a route's fields"}
)

const (
	wholePath = "configuration"

	writeStringValue = `it must be a google.protobuf.StringValue that holds JSON: ` +
		`configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, ` +
		`value: '{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "https://api.example.com"}}'}`
)

// open checks the text as a whole and gives its top level; nil after a fault.
func (r *reader) open(text string, kind *wholeText) *object {
	whole := func(found, want string) { r.fault(0, kind.name, found, want) }
	value, err := strictjson.Parse(text, kind.limits)
	var repeated *strictjson.Repeated
	switch {
	case err == nil:
	case err == strictjson.ErrTooLong:
		whole("", "is longer than "+itoa(kind.limits.Bytes)+" bytes")
		return nil
	case strings.Trim(text, ascii.Space) == "":
		whole("", "is empty; "+kind.write)
		return nil
	case isProtobuf(text):
		whole("", "arrived as a Struct or another protobuf message; "+kind.write)
		return nil
	case errors.As(err, &repeated):
		r.fault(0, pathOf(repeated.Path), "", "stands twice")
		return nil
	case err == strictjson.ErrSyntax:
		line, column := position(text[:strictjson.SyntaxOffset(text)])
		want := "is not JSON; the first wrong byte is byte " + itoa(column) + " of line " + itoa(line)
		if strings.TrimLeft(text, ascii.Space)[0] != '{' {
			want += "; write JSON, not YAML"
		}
		whole("", want)
		return nil
	default:
		whole("", "cannot be read: "+err.Error())
		return nil
	}
	if value.Kind != strictjson.Object {
		found := shown(&value)
		if value.Kind == strictjson.String {
			found = "a string" // it may be long, and hold anything
		}
		whole(found, "is not an object; "+kind.write)
		return nil
	}
	return r.object("", kind.fields, &value)
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
