package config

import (
	"strings"

	"github.com/tidwall/gjson"
)

// reader holds a text against the list of fields and collects what is wrong
// with it. Reading goes on after a fault, so that all are told at once; what it
// gives for a faulty field is good for nothing but further reading.
type reader struct {
	faults   []Fault
	warnings []Fault
	repeated bool // some object has a member twice
}

// object is one object of the document, with the fields that it may have.
type object struct {
	r       *reader
	path    string // "" for the top level
	at      int    // offset in the document
	fields  []Field
	members []member
	meant   []string // fields that unknown names suggest
}

// member is one known field that stands in the document.
type member struct {
	field *Field
	value gjson.Result
	at    int  // offset of its name
	sound bool // of the right type
}

// object reads the members of value: names against the list, types against
// their kinds. What is unknown, refused, repeated or mistyped becomes a fault.
func (r *reader) object(path string, at int, fields []Field, value gjson.Result) *object {
	o := &object{r: r, path: path, at: at, fields: fields}
	value.ForEach(func(name, value gjson.Result) bool {
		path := o.member(name.Str)
		m := member{field: lookUp(fields, name.Str), value: value, at: name.Index}
		switch {
		case m.field == nil:
			want := "is not a field"
			if meant := nearest(fields, name.Str); meant != "" {
				o.meant = append(o.meant, meant)
				want += "; did you mean " + meant + "?"
			}
			r.fault(m.at, path, "", want)
			return true
		case o.has(m.field.Name):
			r.fault(m.at, path, "", "stands twice")
			return true
		case m.field.Refused != "":
			r.fault(m.at, path, "", m.field.Refused)
		default:
			m.sound = r.hasKind(path, m)
		}
		o.members = append(o.members, m)
		return true
	})
	return o
}

// hasKind judges the type of a value, and of each element of a list.
func (r *reader) hasKind(path string, m member) bool {
	value, kind := m.value, m.field.Kind
	isText := value.Type == gjson.String
	sound := false
	switch kind {
	case Text, Duration:
		sound = isText
	case Switch:
		sound = value.IsBool()
	case Object:
		sound = value.IsObject()
	case KeySet:
		sound = isText || value.IsObject()
	case TextOrTexts:
		sound = isText || value.IsArray()
	case Texts, Objects:
		sound = value.IsArray()
	}
	if !sound {
		want := kinds[kind].not + example(m.field)
		if value.Type == gjson.Null && m.field.Default != "" {
			want = kinds[kind].not + "; leave the field out for its default"
		}
		r.fault(m.at, path, shown(value), want)
		return false
	}
	if value.IsArray() {
		n := 0
		value.ForEach(func(_, element gjson.Result) bool {
			switch path := at(path, n); {
			case kind == Objects && !element.IsObject():
				r.fault(element.Index, path, shown(element), kinds[Object].not)
				sound = false
			case kind != Objects && element.Type != gjson.String:
				r.fault(element.Index, path, shown(element), kinds[Text].not)
				sound = false
			}
			n++
			return true
		})
	}
	return sound
}

// example shows what could stand in the field.
func example(f *Field) string {
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
func shown(value gjson.Result) string {
	switch {
	case value.IsObject():
		return "an object"
	case value.IsArray():
		return "a list"
	case value.Type == gjson.String:
		return quoteURL(value.Str)
	}
	raw := strings.Trim(value.Raw, jsonSpace)
	if len(raw) > maxQuoted {
		raw = raw[:maxQuoted] + "…"
	}
	return raw
}

// member is the path of a member. A name that could be misread is quoted.
func (o *object) member(name string) string {
	if !isPlain(name) {
		name = quote(name)
	}
	if o.path == "" {
		return name
	}
	return o.path + "." + name
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
		return m.at
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
func lookUp(fields []Field, name string) *Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// nearest names the field that is closest to an unknown name; "" when none is
// close enough to have been meant.
func nearest(fields []Field, name string) string {
	if len(name) > maxQuoted {
		return ""
	}
	best, least := "", 1+len(name)/3
	for _, f := range fields {
		if f.Refused != "" {
			continue
		}
		if d := distance(fold(name), fold(f.Name)); d <= least && (best == "" || d < least) {
			best, least = f.Name, d
		}
	}
	return best
}

// fold takes away what differs between spellings such as jwks_uri and jwksUri.
func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
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
