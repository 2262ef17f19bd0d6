package config

import (
	"strings"

	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

// way gives the names that lead to a claim; nil after a fault.
func (o *object) way(name string) []string {
	if o.lacks(name) {
		o.fault(name, "", "is missing"+example(lookUp(o.fields, name)))
	}
	m := o.find(name)
	if m == nil || !m.sound {
		return nil
	}
	return o.r.way(o.member(name), m.field, m.value)
}

// way gives what one TextOrTexts says, be it a field's or an element's.
func (r *reader) way(path string, f *Field, value *strictjson.Value) (names []string) {
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
func (o *object) ways(name string) (all [][]string) {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	for i := range m.value.Children {
		element, path := &m.value.Children[i], at(o.member(name), i)
		if n := len(element.Children); element.Kind == strictjson.Array && (n == 0 || n > maxWay) {
			o.r.fault(element.Offset, path, "a list of "+itoa(n), "is not a list of 1 to "+itoa(maxWay)+" names")
		} else if way := o.r.way(path, m.field, element); way != nil {
			all = append(all, way)
		}
	}
	return all
}

// claims reads claims and their values: an object, whose names are those of claims
// as they are, or a list, for those that stand inside of others.
func (o *object) claims(name string) (all []route.Claim) {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	if m.value.Kind == strictjson.Array {
		for _, entry := range o.children(name) {
			claim := route.Claim{Name: entry.way("claim")}
			if entry.lacks("values") {
				entry.fault("values", "", "is missing"+example(lookUp(entry.fields, "values")))
			} else if entry.sound("values") {
				claim.Values = o.r.values(entry.member("values"), entry.find("values").value)
			}
			all = append(all, claim)
		}
		return all
	}
	for i := range m.value.Children {
		value := &m.value.Children[i]
		path := join(o.member(name), value.Name)
		text, ok := o.r.bounded(listed{value.Name, path, value.Offset}, m.field)
		if ok && !isPrintable(text) {
			o.r.fault(value.Offset, path, "", "is the name of a claim that "+unprintable)
			ok = false
		}
		if o.r.hasKind(path, lookUp(m.field.Fields, "values"), value) && ok {
			all = append(all, route.Claim{Name: []string{text}, Values: o.r.values(path, value)})
		}
	}
	return all
}

// values copies strings, numbers, as they are spelled, and booleans; none may
// stand twice.
func (r *reader) values(path string, list *strictjson.Value) []strictjson.Value {
	var all []strictjson.Value
	for i := range list.Children {
		v := &list.Children[i]
		copied := strictjson.Value{Kind: v.Kind, Num: v.Num}
		if v.Kind == strictjson.String {
			text, ok := r.bounded(listed{v.Text, at(path, i), v.Offset}, anyValue)
			if !ok {
				continue
			}
			copied.Text = text
		} else {
			copied.Raw = strings.Clone(v.Raw)
		}
		for j := range i {
			if other := &list.Children[j]; other.Kind == v.Kind && other.Text == v.Text && (v.Kind == strictjson.String || other.Raw == v.Raw) {
				r.fault(v.Offset, at(path, i), shown(v), "repeats "+at(path, j))
				break
			}
		}
		all = append(all, copied)
	}
	return all
}

// anyValue is for bounded: an element of Values.
var anyValue = &Field{Kind: Values}
