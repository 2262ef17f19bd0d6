package config

import (
	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

// routeFault tells what route.NewTable found, at the very text to blame. What a
// faulty field leads to is not told.
func (o *object) routeFault(f route.Fault) {
	m := o.find(f.Field)
	if o.isFaulty(m) || f.Field == "claimMatches" && o.isFaulty(o.find("path")) {
		return
	}
	if m == nil {
		o.fault("", "", f.Field+" "+f.Want) // for want of a better place
		return
	}
	path, value, found := o.member(f.Field), m.value, ""
	if f.Found != "" {
		found = quoteURL(f.Found)
		if p, v := placeOf(path, value, f.Found); v != nil {
			path, value, found = p, v, shown(v)
		}
	}
	o.r.fault(value.Offset, path, found, f.Want)
}

// isFaulty reports whether a fault was told about a member or something in it.
func (o *object) isFaulty(m *member) bool {
	if m == nil {
		return false
	}
	for i := range o.r.faults {
		if at := o.r.faults[i].at; at >= m.value.Offset && at < m.value.Offset+len(m.value.Raw) {
			return true
		}
	}
	return false
}

// placeOf finds where a text stands in a value.
func placeOf(path string, value *strictjson.Value, text string) (string, *strictjson.Value) {
	if value.Kind == strictjson.String && (value.Text == text || ascii.Lower(value.Text) == text) || value.Raw == text {
		return path, value
	}
	for i := range value.Children {
		child := &value.Children[i]
		below := at(path, i)
		if value.Kind == strictjson.Object {
			below = join(path, child.Name)
		}
		if p, v := placeOf(below, child, text); v != nil {
			return p, v
		}
	}
	return "", nil
}
