package config

import (
	"strings"

	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

// routeFault tells what route.NewTable found, at the very text to blame. What a
// faulty field leads to is not told.
func (o *object) routeFault(f route.Fault) {
	m := o.find(f.Field)
	if m == nil {
		o.fault("", "", f.Field+" "+f.Want) // for want of a better place
		return
	}
	path, value, found := o.member(f.Field), m.value, ""
	if f.Found != "" {
		found = quoteURL(f.Found)
		if p, v := o.r.placeOf(path, value, f.Found); v != nil {
			path, value, found = p, v, shown(v)
		}
	}
	if o.r.isFaulty(value) {
		return
	}
	if f.Field == "path" && strings.HasSuffix(path, ".regex") {
		found = quote(f.Found) // a ? begins no query here
	}
	if path := o.find("path"); f.Field == "claimMatches" && path != nil && o.r.isFaulty(path.value) {
		return // whose variables are not known
	}
	o.r.fault(value.Offset, path, found, f.Want)
}

// isFaulty reports whether a fault was told about a value or something in it.
func (r *reader) isFaulty(value *strictjson.Value) bool {
	for i := range r.faults {
		if at := r.faults[i].at; at >= value.Offset && at < value.Offset+len(value.Raw) {
			return true
		}
	}
	return false
}

// placeOf finds where a text stands in a value, of those places of which nothing
// was told yet; nil when there is none.
func (r *reader) placeOf(path string, value *strictjson.Value, text string) (string, *strictjson.Value) {
	switch value.Kind {
	case strictjson.Array, strictjson.Object:
	default:
		isIt := value.Raw == text || value.Kind == strictjson.String && (value.Text == text || ascii.Lower(value.Text) == text)
		if isIt && !r.isFaulty(value) {
			return path, value
		}
		return "", nil
	}
	for i := range value.Children {
		child := &value.Children[i]
		below := at(path, i)
		if value.Kind == strictjson.Object {
			if below = join(path, child.Name); child.Name == "claim" {
				continue // which route.NewTable never blames
			}
		}
		if p, v := r.placeOf(below, child, text); v != nil {
			return p, v
		}
	}
	return "", nil
}
