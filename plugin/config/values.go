package config

import (
	"slices"
	"strings"
	"time"

	"edgejwt/verify/strictjson"
)

// has reports whether the field stands in the document, whatever its value.
func (o *object) has(name string) bool { return o.find(name) != nil }

// lacks reports whether the field neither stands in the document nor was meant
// by a name that is unknown, and already refused with a suggestion.
func (o *object) lacks(name string) bool { return !o.has(name) && !slices.Contains(o.meant, name) }

// sound reports whether the field stands in the document with the right type.
func (o *object) sound(name string) bool {
	m := o.find(name)
	return m != nil && m.sound
}

// text gives a string of 1 to MaxTextBytes bytes. False, after a fault unless
// the field is absent, when there is none.
func (o *object) text(name string) (string, bool) {
	m := o.find(name)
	if m == nil || !m.sound {
		return "", false
	}
	return o.r.bounded(listed{m.value.Text, o.member(name), m.value.Offset}, m.field)
}

// textOr gives the string or, when the field is absent, its default.
func (o *object) textOr(name string) string {
	if !o.has(name) {
		return lookUp(o.fields, name).Default
	}
	value, _ := o.text(name)
	return value
}

// required is text for a field that must not be absent.
func (o *object) required(name string) (string, bool) {
	if o.lacks(name) {
		o.fault(name, "", "is missing"+example(lookUp(o.fields, name)))
	}
	return o.text(name)
}

// plain is text without control characters and without white space around it,
// which no comparison byte for byte would ever match.
func (o *object) plain(name string) (string, bool) {
	value, ok := o.text(name)
	if ok && !isPrintable(value) {
		o.fault(name, quoteURL(value), unprintable)
		return "", false
	}
	return value, ok
}

const unprintable = "has a control character in it or white space around it"

// isPrintable reports whether no control character stands in s and no white
// space around it.
func isPrintable(s string) bool {
	last := rune(0)
	for i, c := range s {
		if c < ' ' || c >= 0x7f && c < 0xa0 || i == 0 && isSpace(c) {
			return false
		}
		last = c
	}
	return !isSpace(last)
}

// isSpace lists Unicode's white space, controls apart. Package unicode's table
// of it comes with all others.
func isSpace(c rune) bool {
	switch c {
	case ' ', 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000:
		return true
	}
	return 0x2000 <= c && c <= 0x200a
}

// switched gives a Switch or its default.
func (o *object) switched(name string) bool {
	if o.sound(name) {
		return o.find(name).value.Kind == strictjson.True
	}
	return lookUp(o.fields, name).Default == "true"
}

// duration gives a Duration within its bounds, or its default, or 0 without one.
// False, after a fault, when what stands there is none.
func (o *object) duration(name string) (time.Duration, bool) {
	f := lookUp(o.fields, name)
	written := f.Default
	if m := o.find(name); m != nil {
		if !m.sound {
			return 0, false
		}
		written = m.value.Text
	} else if written == "" {
		return 0, true
	}
	d, ok := parseDuration(written)
	switch {
	case !ok:
		o.fault(name, quote(written), nots[Duration]+example(f))
	case int64(d) < f.Min || int64(d) > f.Max:
		o.fault(name, quote(written), "is not between "+short(time.Duration(f.Min))+" and "+short(time.Duration(f.Max)))
	default:
		return d, true
	}
	return 0, false
}

// number gives a Count or Bytes within its bounds, or its default; 0 after a fault.
func (o *object) number(name string) int {
	f := lookUp(o.fields, name)
	written, shown := f.Default, ""
	if m := o.find(name); m != nil {
		if !m.sound {
			return 0
		}
		if written, shown = m.value.Raw, m.value.Raw; m.value.Kind == strictjson.String {
			written, shown = m.value.Text, quote(m.value.Text)
		}
	}
	n, ok := parseBytes(written, f.Kind == Bytes)
	switch {
	case !ok:
		if len(shown) > 2*maxQuoted {
			shown = "a number"
		}
		o.fault(name, strings.Clone(shown), nots[f.Kind]+example(f))
	case n < f.Min || n > f.Max:
		o.fault(name, strings.Clone(shown), "is not between "+inBytes(f.Min, f.Kind)+" and "+inBytes(f.Max, f.Kind))
	default:
		return int(n)
	}
	return 0
}

// choice gives the place in Field.OneOf of what a Choice says, or of its default;
// -1 after a fault, or when the field is absent and has none.
func (o *object) choice(name string) int {
	f, value := lookUp(o.fields, name), ""
	if !o.has(name) {
		value = f.Default
	} else if o.sound(name) {
		value = o.find(name).value.Text
	}
	for i, choice := range f.OneOf {
		if choice == value {
			return i
		}
	}
	if o.sound(name) {
		o.fault(name, quote(value), "is not known; write "+either(f.OneOf))
	}
	return -1
}

// either lists words as a sentence would: "a, b or c".
func either(words []string) (text string) {
	for i, word := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			text += " or "
		default:
			text += ", "
		}
		text += word
	}
	return text
}

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
func (r *reader) bounded(l listed, f *Field) (string, bool) {
	most := MaxTextBytes
	if f.Kind == Text && f.Max > 0 {
		most = int(f.Max)
	}
	switch {
	case l.text == "":
		want := "is empty"
		if f.Kind == Text || f.Kind == TextOrTexts { // or its example is a whole list
			want += example(f)
		}
		r.fault(l.at, l.path, `""`, want)
	case len(l.text) > most:
		r.fault(l.at, l.path, quoteURL(l.text), "is longer than "+itoa(most)+" bytes")
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

// child gives the object under name; nil when there is none.
func (o *object) child(name string) *object {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	return o.r.object(o.member(name), m.field.Fields, m.value)
}

// childOrDefault is child; where there is none, it gives an object without members.
func (o *object) childOrDefault(name string, fields []Field) *object {
	if child := o.child(name); child != nil {
		return child
	}
	return &object{r: o.r, path: o.member(name), at: o.offset(name), fields: fields}
}

// children gives the objects of a list.
func (o *object) children(name string) []*object {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	all := make([]*object, len(m.value.Children))
	for i := range all {
		all[i] = o.r.object(at(o.member(name), i), m.field.Fields, &m.value.Children[i])
	}
	return all
}
