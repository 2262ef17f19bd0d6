package config

import (
	"strings"

	"edgejwt/verify/ascii"
	"edgejwt/verify/strictjson"
)

// reader holds a text against the list of fields and collects what is wrong
// with it. Reading goes on after a fault, so that all are told at once; what it
// gives for a faulty field is good for nothing but further reading.
type reader struct {
	faults   []Fault
	warnings []Fault
	// removesOverrides is true when requests are to lose the headers of overrides.
	removesOverrides bool
}

// object is one object of the document, with the fields that it may have.
type object struct {
	r       *reader
	path    string // "" for the top level
	at      int    // offset in the document
	fields  []field
	members []member
	meant   []string // fields that unknown names suggest
}

// member is one known field that stands in the document.
type member struct {
	field *field
	value *strictjson.Value
	sound bool // of the right type
}

// object reads the members of value: names against the list, types against
// their kinds. What is unknown, refused or mistyped becomes a fault.
func (r *reader) object(path string, fields []field, value *strictjson.Value) *object {
	o := &object{r: r, path: path, at: value.Offset, fields: fields}
	for i := range value.Children {
		value := &value.Children[i]
		path := o.member(value.Name)
		m := member{field: lookUp(fields, value.Name), value: value}
		switch {
		case m.field == nil:
			want := "is not a field"
			if meant := nearest(fields, value.Name); meant != "" {
				o.meant = append(o.meant, meant)
				want += "; did you mean " + meant + "?"
			}
			r.fault(m.value.Offset, path, "", want)
			continue
		case m.field.Refused != "":
			r.fault(m.value.Offset, path, "", m.field.Refused)
		default:
			m.sound = r.hasKind(path, m.field, value)
		}
		o.members = append(o.members, m)
	}
	return o
}

// hasKind judges the type of a value, of each element of a list, and how many
// there are.
func (r *reader) hasKind(path string, f *field, value *strictjson.Value) bool {
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
		r.fault(value.Offset, path, many+itoa(n), "is longer than "+itoa(int(f.Max)))
	default:
		return true
	}
	return false
}

// fits judges a value and what is listed in it; the field is nil for the latter.
func (r *reader) fits(path string, f *field, kind Kind, value *strictjson.Value) bool {
	if !isOfKind(kind, value) {
		want := nots[kind]
		switch {
		case f == nil:
		case value.Kind == strictjson.Null && f.Default != "":
			want += "; leave the field out for its default"
		default:
			want += example(f)
		}
		found := shown(value)
		if f != nil && f.Hidden {
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

// isOfKind judges a value by itself.
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

// elementOf is the kind of what may be listed; zero where nothing may.
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

// example shows what could stand in the field.
func example(f *field) string {
	switch {
	case f.Example != "":
		return " (example: " + f.Example + ")"
	case f.Default != "" && f.Kind != Switch:
		return " (example: " + f.Default + ")"
	}
	return ""
}

// shown tells what stands there. Objects and lists are named only: they may
// hold anything.
func shown(value *strictjson.Value) string {
	switch {
	case value.Kind == strictjson.Object:
		return "an object"
	case value.Kind == strictjson.Array:
		return "a list"
	case value.Kind == strictjson.String:
		return quoteURL(value.Text)
	case len(value.Raw) > maxQuoted:
		return value.Raw[:maxQuoted] + "…"
	}
	return strings.Clone(value.Raw)
}

// member is the path of a member. A name that could be misread is quoted.
func (o *object) member(name string) string { return join(o.path, name) }

func join(path, name string) string {
	if !isPlain(name) {
		name = quote(name)
	} else {
		name = strings.Clone(name)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func isPlain(name string) bool {
	for _, c := range []byte(name) {
		if !isAlphanumeric(c) && c != '_' && c != '-' {
			return false
		}
	}
	return name != "" && len(name) <= maxQuoted
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// at is the path of a list's element.
func at(path string, index int) string { return path + "[" + itoa(index) + "]" }

// offset is where the field stands, or the object when the field is absent.
func (o *object) offset(name string) int {
	if m := o.find(name); m != nil {
		return m.value.Offset
	}
	return o.at
}

func (o *object) find(name string) *member {
	for i := range o.members {
		if o.members[i].field.Name == name {
			return &o.members[i]
		}
	}
	return nil
}

// lookUp finds a field by its name; nil when there is none.
func lookUp(fields []field, name string) *field {
	for i := range fields {
		f := &fields[i]
		if f.Name == "" { // a name that a document may have, too
			if f = lookUp(f.Fields, name); f != nil {
				return f
			}
		} else if f.Name == name {
			return f
		}
	}
	return nil
}

// nearest names the field that is closest to an unknown name; "" when none is
// close enough to have been meant.
func nearest(fields []field, name string) string {
	if len(name) > maxQuoted {
		return ""
	}
	best, _ := nearer(fields, fold(name), "", 1+len(name)/3)
	return best
}

// nearer looks for a field that is closer than the best, or as close as is enough.
func nearer(fields []field, name, best string, least int) (string, int) {
	for i := range fields {
		f := &fields[i]
		if f.Name == "" {
			best, least = nearer(f.Fields, name, best, least)
		} else if d := distance(name, fold(f.Name)); f.Refused == "" && d <= least && (best == "" || d < least) {
			best, least = f.Name, d
		}
	}
	return best, least
}

// fold takes away what differs between spellings such as jwks_uri and jwksUri.
func fold(name string) string {
	var b []byte
	for _, c := range []byte(name) {
		if c != '_' && c != '-' {
			b = append(b, c)
		}
	}
	return ascii.Lower(string(b))
}

// distance is the number of bytes to insert, delete or replace to make b of a.
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
