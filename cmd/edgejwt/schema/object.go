package schema

import (
	"bytes"
	"encoding/json"
)

// object is a JSON object whose members keep their order.
type object struct{ members []member }

type member struct {
	name  string
	value any
}

// raw is a value that is JSON already.
type raw = json.RawMessage

func (o *object) add(name string, value any) { o.members = append(o.members, member{name, value}) }

// before puts members before the one of that name.
func (o *object) before(name string, members ...member) {
	for i := range o.members {
		if o.members[i].name == name {
			o.members = append(append(append([]member(nil), o.members[:i]...), members...), o.members[i:]...)
			return
		}
	}
}

// MarshalJSON writes the members in their order.
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{m.name, m.value} {
			if j > 0 {
				b.WriteByte(':')
			}
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			if err := e.Encode(part); err != nil {
				return nil, err
			}
			b.Truncate(b.Len() - 1) // the line feed
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// bytes is the object as a file.
func (o *object) bytes() []byte {
	text, err := o.MarshalJSON()
	if err != nil {
		panic("schema: " + err.Error()) // it is made of strings, numbers and lists
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		panic("schema: " + err.Error())
	}
	b.WriteByte('\n')
	return b.Bytes()
}
