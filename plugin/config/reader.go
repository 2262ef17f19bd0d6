package config

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"

	"edgejwt/verify/ascii"
	"edgejwt/verify/strictjson"
)

// reader compares a text with the list of fields and collects its faults. It continues after
// a fault, so that all faults are reported at once. The value that it returns for a faulty
// field is not used, because a text with a fault gives no configuration.
type reader struct {
	faults   []Fault
	warnings []Fault
	// removesOverrides is true when requests lose the headers in overrides.
	removesOverrides bool
	// keys and tokenCache are those of the top level, from which rules inherit.
	keys       Keys
	tokenCache TokenCache
}

// document is a kind of text that the reader reads.
type document struct {
	name   string // for faults of the whole
	limits strictjson.Limits
	fields []Field
	write  string // how to write it, for messages
	// fromYAML is how to make JSON of YAML, for messages; may be empty.
	fromYAML string
}

const wholePath = "configuration"

// The depths leave room for an inline key set, and for the names of claims.
var (
	configDocument = document{wholePath, strictjson.Limits{Bytes: MaxBytes, Depth: 16, Values: 50_000}, fields,
		`it must be a google.protobuf.StringValue that holds JSON: ` +
			`configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, ` +
			`value: '{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "https://api.example.com"}}'}`,
		" (edgejwt json FILE converts it)"}
	policyDocument = document{"policy", strictjson.Limits{Bytes: MaxPolicyBytes, Depth: 16, Values: 5_000}, policyFields,
		"write an object of a route's fields", ""}
)

// open checks the text as a whole and returns its top level; nil after a fault.
func (r *reader) open(text string, d *document) *object {
	value, err := strictjson.Parse(text, d.limits)
	if err != nil {
		r.unreadable(text, d, err)
		return nil
	}
	if value.Kind != strictjson.Object {
		found := shown(&value)
		if value.Kind == strictjson.String {
			found = "a string" // it may be long, and may hold a secret
		}
		r.fault(0, d.name, found, "is not an object; "+d.write)
		return nil
	}
	return r.object("", d.fields, &value)
}

// unreadable reports why strictjson refused the text.
func (r *reader) unreadable(text string, d *document, err error) {
	var repeated *strictjson.Repeated
	want := ""
	switch {
	case errors.Is(err, strictjson.ErrTooLong):
		want = "is longer than " + strconv.Itoa(d.limits.Bytes) + " bytes"
	case strings.Trim(text, ascii.Space) == "":
		want = "is empty; " + d.write
	case isProtobuf(text):
		want = "arrived as a Struct or another protobuf message; " + d.write
	case errors.As(err, &repeated):
		r.fault(0, pathOf(repeated.Path), "", "stands twice")
		return
	case errors.Is(err, strictjson.ErrSyntax):
		line, column := position(text[:strictjson.SyntaxOffset(text)])
		want = "is not JSON; the first wrong byte is byte " + strconv.Itoa(column) + " of line " + strconv.Itoa(line)
		if looksLikeYAML(text) {
			want += "; write JSON, not YAML" + d.fromYAML
		}
	default:
		want = "cannot be read: " + err.Error()
	}
	r.fault(0, d.name, "", want)
}

// looksLikeYAML reports whether a text that is no JSON has the first bytes of a YAML
// mapping: none that opens an object, or one whose first name has no quotes.
func looksLikeYAML(text string) bool {
	members, isObject := strings.CutPrefix(strings.TrimLeft(text, ascii.Space), "{")
	if !isObject {
		return true
	}
	members = strings.TrimLeft(members, ascii.Space)
	return members != "" && isAlphanumeric(members[0])
}

// position returns the line and the byte in that line, both from 1, of the byte that
// follows a text.
func position(before string) (line, column int) {
	return 1 + strings.Count(before, "\n"), len(before) - strings.LastIndexByte(before, '\n')
}

// pathOf writes the path of a member as faults do.
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
// A Struct begins with the tag 0x0a of its first member, which is a line feed in JSON. But
// the tag 0x12 of that member's value does not occur in JSON. A StringValue that was not
// unpacked is one field with the tag 0x0a, as long as the text.
func isProtobuf(text string) bool {
	switch text[0] {
	case '\t', '\r':
		return false
	case '\n':
		size, n := binary.Uvarint([]byte(text[1:]))
		return strings.IndexByte(text, 0x12) >= 0 || n > 0 && size == uint64(len(text)-1-n)
	}
	return text[0] < ' '
}

// object is one object of the document, with the fields that it may have.
type object struct {
	r         *reader
	path      string // "" for the top level
	at        int    // offset in the document
	fields    []Field
	members   []member
	suggested []string // fields that were suggested for unknown names
}

// member is one known field that is present in the document.
type member struct {
	field *Field
	value *strictjson.Value
	sound bool // has the field's type
}

// object reads the members of value and compares names and types with the list. An
// unknown or refused name and a wrong type are faults.
func (r *reader) object(path string, fields []Field, value *strictjson.Value) *object {
	o := &object{r: r, path: path, at: value.Offset, fields: fields}
	for i := range value.Children {
		value := &value.Children[i]
		path := o.pathTo(value.Name)
		m := member{field: lookUp(fields, value.Name), value: value}
		switch {
		case m.field == nil:
			want := "is not a field"
			if name := nearest(fields, value.Name); name != "" {
				o.suggested = append(o.suggested, name)
				want += "; did you mean " + name + "?"
			}
			r.fault(value.Offset, path, "", want)
			continue
		case m.field.Refused != "":
			r.fault(value.Offset, path, "", m.field.Refused)
		default:
			m.sound = r.hasKind(path, m.field, value)
		}
		o.members = append(o.members, m)
	}
	return o
}

// find returns the member of that name; nil when the field is absent.
func (o *object) find(name string) *member {
	for i := range o.members {
		if o.members[i].field.Name == name {
			return &o.members[i]
		}
	}
	return nil
}

// field returns the description of one of the object's fields.
func (o *object) field(name string) *Field { return lookUp(o.fields, name) }

// has reports whether the field is present, whatever its value.
func (o *object) has(name string) bool { return o.find(name) != nil }

// lacks reports whether the field is absent and should be reported as missing. It is false
// if the field was suggested for an unknown name, which is one fault already.
func (o *object) lacks(name string) bool { return !o.has(name) && !slices.Contains(o.suggested, name) }

// sound reports whether the field is present and has its type.
func (o *object) sound(name string) bool {
	m := o.find(name)
	return m != nil && m.sound
}

// offset is the offset of the field, or of the object when the field is absent.
func (o *object) offset(name string) int {
	if m := o.find(name); m != nil {
		return m.value.Offset
	}
	return o.at
}

// child returns the object under name; nil when there is none.
func (o *object) child(name string) *object {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	return o.r.object(o.pathTo(name), m.field.Fields, m.value)
}

// childOrDefault is child; where there is none, it returns an object without members.
func (o *object) childOrDefault(name string) *object {
	if child := o.child(name); child != nil {
		return child
	}
	return &object{r: o.r, path: o.pathTo(name), at: o.offset(name), fields: o.field(name).Fields}
}

// children returns the objects of a list.
func (o *object) children(name string) []*object {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	all := make([]*object, len(m.value.Children))
	for i := range all {
		all[i] = o.r.object(at(o.pathTo(name), i), m.field.Fields, &m.value.Children[i])
	}
	return all
}

// count is the number of elements of the list under name, or 1 for a string that replaces a
// list.
func (o *object) count(name string) int {
	switch {
	case !o.sound(name):
		return 0
	case o.find(name).value.Kind == strictjson.Array:
		return len(o.find(name).value.Children)
	}
	return 1
}

// hasKind checks the type of a value, of each element of a list, and how many
// there are.
func (r *reader) hasKind(path string, f *Field, value *strictjson.Value) bool {
	if !r.fits(path, f, f.Kind, value) {
		return false
	}
	n, many := len(value.Children), "a list of "
	switch {
	case value.Kind == strictjson.Array:
	case f.Kind == Claims:
		many = "an object of "
	default:
		return true
	}
	switch {
	case n == 0 && f.Min > 0:
		r.fault(value.Offset, path, many+"none", "names nothing"+example(f))
	case f.Max > 0 && int64(n) > f.Max:
		r.fault(value.Offset, path, many+strconv.Itoa(n), "is longer than "+strconv.FormatInt(f.Max, 10))
	default:
		return true
	}
	return false
}

// fits checks the type of a value and of each element; f is nil for an element.
func (r *reader) fits(path string, f *Field, kind Kind, value *strictjson.Value) bool {
	if !isOfKind(kind, value) {
		want := kinds[kind].mismatch
		switch {
		case f == nil:
		case value.Kind == strictjson.Null && f.Default != "":
			want += "; leave the field out for its default"
		default:
			want += example(f)
		}
		found := shown(value)
		if f != nil && f.hidden {
			found = ""
		}
		r.fault(value.Offset, path, found, want)
		return false
	}
	if value.Kind != strictjson.Array {
		return true
	}
	sound, element := true, elementOf(kind)
	for i := range value.Children {
		if !r.fits(at(path, i), nil, element, &value.Children[i]) {
			sound = false
		}
	}
	return sound
}

// isOfKind checks a value, not its elements.
func isOfKind(kind Kind, value *strictjson.Value) bool {
	switch value.Kind {
	case strictjson.String:
		switch kind {
		case Text, TextOrTexts, Duration, KeySet, Choice, Bytes, scalar:
			return true
		}
	case strictjson.True, strictjson.False:
		return kind == Switch || kind == scalar
	case strictjson.Number:
		return kind == Count || kind == Bytes || kind == scalar
	case strictjson.Object:
		return kind == Object || kind == KeySet || kind == Claims
	case strictjson.Array:
		return elementOf(kind) != 0
	}
	return false
}

// elementOf is the kind of the elements of a list; zero for a kind that is no list.
func elementOf(kind Kind) Kind {
	switch kind {
	case Texts, TextOrTexts:
		return Text
	case Objects, Claims:
		return Object
	case Ways:
		return TextOrTexts
	case Values:
		return scalar
	}
	return 0
}

// lookUp finds a field by its name; nil when there is none.
func lookUp(fields []Field, name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// nearest returns the field whose name is most similar to an unknown name, or "" when none
// is similar enough.
func nearest(fields []Field, name string) string {
	if len(name) > maxQuoted {
		return ""
	}
	best, least := "", 2+len(name)/3
	for i := range fields {
		if d := distance(fold(name), fold(fields[i].Name)); fields[i].Refused == "" && d < least {
			best, least = fields[i].Name, d
		}
	}
	return best
}

// fold removes what differs between spellings such as jwks_uri and jwksUri.
func fold(name string) string {
	return ascii.Lower(strings.ReplaceAll(strings.ReplaceAll(name, "_", ""), "-", ""))
}

// distance is the number of bytes to insert, delete or replace to make b of a
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
