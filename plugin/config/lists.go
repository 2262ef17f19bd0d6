package config

import (
	"strings"

	"edgejwt/verify/strictjson"
)

// list gives the strings of a list, of which none may stand twice and each must be
// good: want says what one is not, or is empty. Nil when the field is absent or
// none is left.
func (o *object) list(name string, want func(text string) string) []string {
	return distinct(o.r, o.texts(name), func(l listed) bool {
		not := want(l.text)
		if not != "" {
			o.r.fault(l.at, l.path, quoteURL(l.text), not)
		}
		return not == ""
	})
}

// distinct gives the texts that are good, after a fault for each that stands twice.
func distinct(r *reader, all []listed, good func(listed) bool) []string {
	var texts []string
	for i, l := range all {
		repeats := -1
		for j := range all[:i] {
			if all[j].text == l.text {
				repeats = j
				break
			}
		}
		if repeats >= 0 {
			r.fault(l.at, l.path, quoteURL(l.text), "repeats "+all[repeats].path)
		} else if good(l) {
			texts = append(texts, l.text)
		}
	}
	return texts
}

// refuseRepeat refuses what an earlier of the objects says in the same field.
func refuseRepeat(objects []*object, i int, name string) {
	m := objects[i].find(name)
	for j := 0; j < i && m != nil && m.sound; j++ {
		if other := objects[j].find(name); other != nil && other.sound && other.value.Text == m.value.Text {
			objects[i].fault(name, quote(m.value.Text), "repeats "+objects[j].member(name))
			return
		}
	}
}

// wantPrintable is for list.
func wantPrintable(text string) string {
	if !isPrintable(text) {
		return unprintable
	}
	return ""
}

// listed is one string of a list, with its place.
type listed struct {
	text, path string
	at         int
}

// texts gives the strings of a list, or the one string that may stand in place
// of a list. Strings that are empty or too long are left out, after a fault.
func (o *object) texts(name string) []listed {
	m := o.find(name)
	if m == nil || !m.sound {
		return nil
	}
	var all []listed
	add := func(path string, value *strictjson.Value) {
		l := listed{value.Text, path, value.Offset}
		if text, ok := o.r.bounded(l, m.field); ok {
			l.text = text
			all = append(all, l)
		}
	}
	if m.value.Kind != strictjson.Array {
		add(o.member(name), m.value)
	}
	for i := range m.value.Children {
		add(at(o.member(name), i), &m.value.Children[i])
	}
	return all
}

// bounded copies a string, so that nothing holds on to the document.
func (r *reader) bounded(l listed, f *field) (string, bool) {
	most := MaxTextBytes
	if f.Kind == Text && f.Max > 0 {
		most = int(f.Max)
	}
	found := ""
	if !f.Hidden {
		found = quoteURL(l.text)
	}
	switch {
	case l.text == "":
		want := "is empty"
		if f.Kind == Text || f.Kind == TextOrTexts { // or its example is a whole list
			want += example(f)
		}
		r.fault(l.at, l.path, `""`, want)
	case len(l.text) > most:
		r.fault(l.at, l.path, found, "is longer than "+itoa(most)+" bytes")
	case f.Kind == Text && len(l.text) < int(f.Min):
		r.fault(l.at, l.path, found, "is shorter than "+itoa(int(f.Min))+" bytes")
	default:
		return strings.Clone(l.text), true
	}
	return "", false
}

// count is the number of elements of the list under name, and 1 for a string
// that stands in place of a list.
func (o *object) count(name string) int {
	switch m := o.find(name); {
	case m == nil || !m.sound:
		return 0
	case m.value.Kind == strictjson.Array:
		return len(m.value.Children)
	}
	return 1
}
