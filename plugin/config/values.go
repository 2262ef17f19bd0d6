package config

import (
	"slices"
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
	o.demands(name)
	return o.text(name)
}

// demands refuses the object when it lacks the field.
func (o *object) demands(name string) {
	if o.lacks(name) {
		o.fault(name, "", "is missing"+example(lookUp(o.fields, name)))
	}
}

// plain is text without control characters and without white space around it,
// which no comparison byte for byte would ever match.
func (o *object) plain(name string) (string, bool) {
	value, ok := o.text(name)
	if ok && !isPrintable(value) {
		o.wrong(name, value, unprintable)
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
	d, err := time.ParseDuration(written)
	switch {
	case err != nil:
		o.wrong(name, written, nots[Duration]+example(f))
	case int64(d) < f.Min || int64(d) > f.Max:
		o.wrong(name, written, "is not between "+short(time.Duration(f.Min))+" and "+short(time.Duration(f.Max)))
	default:
		return d, true
	}
	return 0, false
}

// number gives a Count or Bytes within its bounds, or its default; 0 after a fault.
func (o *object) number(name string) int {
	f, m := lookUp(o.fields, name), o.find(name)
	if m == nil {
		n, _ := parseBytes(f.Default, true)
		return int(n)
	}
	if !m.sound {
		return 0
	}
	written := m.value.Raw
	if m.value.Kind == strictjson.String {
		written = m.value.Text
	}
	n, ok := parseBytes(written, f.Kind == Bytes)
	if ok && n >= f.Min && n <= f.Max {
		return int(n)
	}
	want := nots[f.Kind] + example(f)
	if ok {
		want = "is not between " + inBytes(f.Min, f.Kind) + " and " + inBytes(f.Max, f.Kind)
	}
	o.fault(name, shown(m.value), want)
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
		o.wrong(name, value, "is not known; write "+either(f.OneOf))
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

// child gives the object under name; nil when there is none.
func (o *object) child(name string) *object {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	return o.r.object(o.member(name), m.field.Fields, m.value)
}

// childOrDefault is child; where there is none, it gives an object without members.
func (o *object) childOrDefault(name string, fields []field) *object {
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
