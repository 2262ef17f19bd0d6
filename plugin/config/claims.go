package config

import (
	"strings"

	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

// way gives the names that lead to a claim; nil after a fault.
func (o *object) way(name string) []string {
	o.demands(name)
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	return o.r.way(o.member(name), m.field, m.value)
}

// way gives what one TextOrTexts says, be it a field's or an element's.
func (r *reader) way(path string, f *field, value *strictjson.Value) (names []string) {
	sound := true
	add := func(path string, value *strictjson.Value) {
		text, ok := r.bounded(listed{value.Text, path, value.Offset}, f)
		if ok && !isPrintable(text) {
			r.fault(value.Offset, path, quoteURL(text), unprintable)
			ok = false
		}
		names, sound = append(names, text), sound && ok
	}
	if value.Kind != strictjson.Array {
		add(path, value)
	}
	for i := range value.Children {
		add(at(path, i), &value.Children[i])
	}
	if !sound {
		return nil
	}
	return names
}

// ways reads a list of ways.
func (o *object) ways(name string) [][]string {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	all := make([][]string, len(m.value.Children))
	for i := range all {
		element, path := &m.value.Children[i], at(o.member(name), i)
		all[i] = o.r.way(path, m.field, element)
		if n := len(element.Children); n > maxWay || len(all[i]) == 0 && !o.r.isFaulty(element) {
			o.r.fault(element.Offset, path, "a list of "+itoa(n), "is not a list of 1 to "+itoa(maxWay)+" names")
		}
	}
	return all
}

// claims reads claims and their values: an object, whose names are those of claims
// as they are, or a list, for those that stand inside of others.
func (o *object) claims(name string) []route.Claim {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	all := make([]route.Claim, len(m.value.Children))
	for i := range all {
		claim, value := &all[i], &m.value.Children[i]
		if m.value.Kind == strictjson.Array {
			entry := o.r.object(at(o.member(name), i), m.field.Fields, value)
			claim.Name = entry.way("claim")
			if entry.demands("values"); entry.sound("values") {
				claim.Values = o.r.values(entry.member("values"), entry.find("values").value)
			}
			claim.SpaceDelimited = entry.switched("spaceDelimited")
			continue
		}
		path := join(o.member(name), value.Name)
		claim.Name = o.r.way(path, m.field, &strictjson.Value{Kind: strictjson.String, Text: value.Name, Offset: value.Offset})
		if o.r.hasKind(path, lookUp(m.field.Fields, "values"), value) {
			claim.Values = o.r.values(path, value)
		}
	}
	return all
}

// values copies strings, numbers, as they are spelled, and booleans.
func (r *reader) values(path string, list *strictjson.Value) []strictjson.Value {
	all := make([]strictjson.Value, len(list.Children))
	for i := range all {
		copied, v := &all[i], &list.Children[i]
		copied.Kind, copied.Num = v.Kind, v.Num
		if v.Kind == strictjson.String {
			copied.Text, _ = r.bounded(listed{v.Text, at(path, i), v.Offset}, anyValue)
		} else {
			copied.Raw = strings.Clone(v.Raw)
		}
	}
	return all
}

// anyValue is for bounded: an element of Values.
var anyValue = &field{Kind: Values}
