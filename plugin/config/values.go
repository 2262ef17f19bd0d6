package config

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"edgejwt/verify/strictjson"
)

// text returns a string of 1 to MaxTextBytes bytes. ok is false when the field is
// absent and after a fault.
func (o *object) text(name string) (text string, ok bool) {
	if !o.sound(name) {
		return "", false
	}
	m := o.find(name)
	return o.r.bounded(listed{m.value.Text, o.pathTo(name), m.value.Offset}, m.field)
}

// textOr returns the string or, when the field is absent, its default.
func (o *object) textOr(name string) string {
	if !o.has(name) {
		return o.field(name).Default
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
		o.fault(name, "", "is missing"+example(o.field(name)))
	}
}

// printable is text that must have no control characters and no white space around it. A
// text that has would never equal a value in a token.
func (o *object) printable(name string) (string, bool) {
	value, ok := o.text(name)
	if ok && !isPrintable(value) {
		o.wrong(name, value, unprintable)
		return "", false
	}
	return value, ok
}

const unprintable = "has a control character in it or white space around it"

// isPrintable reports whether s has no control character and no white space around it.
func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, unicode.IsControl) && strings.TrimSpace(s) == s
}

// label refuses a text that cannot be a label of metrics, logs and filter state.
func (o *object) label(name, text string) {
	for _, c := range []byte(text) {
		if !isAlphanumeric(c) && c != '_' && c != '.' && c != '-' {
			o.unfit(name, text, "may only have letters, digits, dots, hyphens and underscores")
			return
		}
	}
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// switched returns a Switch or its default.
func (o *object) switched(name string) bool {
	if o.sound(name) {
		return o.find(name).value.Kind == strictjson.True
	}
	return o.field(name).Default == "true"
}

// choice returns the index in Field.OneOf of a Choice or of its default; -1 after a
// fault, and when the field is absent and has no default.
func (o *object) choice(name string) int {
	f, value := o.field(name), ""
	if !o.has(name) {
		value = f.Default
	} else if o.sound(name) {
		value = o.find(name).value.Text
	}
	i := slices.Index(f.OneOf, value)
	if i < 0 && o.sound(name) {
		o.wrong(name, value, "is not known; write "+either(f.OneOf))
	}
	return i
}

// either joins words for a message: "a, b or c".
func either(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// duration returns a Duration within its bounds; its default, or 0 without one, when
// the field is absent. ok is false after a fault.
func (o *object) duration(name string) (d time.Duration, ok bool) {
	f := o.field(name)
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
		o.wrong(name, written, kinds[Duration].mismatch+example(f))
	case int64(d) < f.Min || int64(d) > f.Max:
		o.wrong(name, written, "is not between "+FormatDuration(time.Duration(f.Min))+" and "+FormatDuration(time.Duration(f.Max)))
	default:
		return d, true
	}
	return 0, false
}

// FormatDuration formats a duration as a configuration has it: 10m instead of the 10m0s of
// time.Duration.
func FormatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// number returns a Count or Bytes within its bounds, or its default; 0 after a fault.
func (o *object) number(name string) int {
	f, m := o.field(name), o.find(name)
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
	want := kinds[f.Kind].mismatch + example(f)
	if ok {
		want = "is not between " + inBytes(f.Min, f.Kind) + " and " + inBytes(f.Max, f.Kind)
	}
	o.fault(name, shown(m.value), want)
	return 0
}

// byteUnits are Kubernetes' binary units, each 1024 times the one before.
var byteUnits = []string{"", "Ki", "Mi", "Gi"}

// parseBytes reads a count without sign, fraction and exponent, at most 2^50; if
// units is true, one of the binary units may follow.
func parseBytes(s string, units bool) (n int64, ok bool) {
	const most = 1 << 50
	shift := 0
	for i, unit := range byteUnits {
		if digits, has := strings.CutSuffix(s, unit); has && units && i > 0 {
			s, shift = digits, 10*i
		}
	}
	count, err := strconv.ParseUint(s, 10, 64)
	if err != nil || count > most>>shift {
		return 0, false
	}
	return int64(count) << shift, true
}

// inBytes formats a bound with the greatest unit that divides it.
func inBytes(n int64, kind Kind) string {
	unit := 0
	for kind == Bytes && n > 0 && n%1024 == 0 && unit < len(byteUnits)-1 {
		n, unit = n/1024, unit+1
	}
	return strconv.FormatInt(n, 10) + byteUnits[unit]
}

// listed is one string of a list, with its path and offset.
type listed struct {
	text, path string
	at         int
}

// list returns the strings of a list. A repeated string is a fault, and so is one for which
// check returns a complaint. It is nil when the field is absent or no string is left.
func (o *object) list(name string, check func(text string) string) []string {
	var texts []string
	all := o.texts(name)
	for i, l := range all {
		first := slices.IndexFunc(all, func(other listed) bool { return other.text == l.text })
		if first < i {
			o.r.fault(l.at, l.path, quoteURL(l.text), "repeats "+all[first].path)
		} else if complaint := check(l.text); complaint != "" {
			o.r.fault(l.at, l.path, quoteURL(l.text), complaint)
		} else {
			texts = append(texts, l.text)
		}
	}
	return texts
}

// printableList is list for texts that are compared byte for byte.
func (o *object) printableList(name string) []string { return o.list(name, checkPrintable) }

// anyList is list without a check: route.NewTable checks the texts.
func (o *object) anyList(name string) []string {
	return o.list(name, func(string) string { return "" })
}

func checkPrintable(text string) string {
	if !isPrintable(text) {
		return unprintable
	}
	return ""
}

// texts returns the strings of a list, or the one string that may replace a list. Strings
// that are empty or too long are faults and left out.
func (o *object) texts(name string) []listed {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	var all []listed
	for _, l := range stringsOf(o.pathTo(name), m.value) {
		if text, ok := o.r.bounded(l, m.field); ok {
			l.text = text
			all = append(all, l)
		}
	}
	return all
}

// stringsOf returns the strings of a TextOrTexts as they are.
func stringsOf(path string, value *strictjson.Value) []listed {
	if value.Kind != strictjson.Array {
		return []listed{{value.Text, path, value.Offset}}
	}
	var all []listed
	for i := range value.Children {
		all = append(all, listed{value.Children[i].Text, at(path, i), value.Children[i].Offset})
	}
	return all
}

// bounded checks the length of a string and copies it, so that nothing refers to the
// document. ok is false after a fault.
func (r *reader) bounded(l listed, f *Field) (text string, ok bool) {
	most := MaxTextBytes
	if f.Kind == Text && f.Max > 0 {
		most = int(f.Max)
	}
	found := ""
	if !f.hidden {
		found = quoteURL(l.text)
	}
	switch {
	case l.text == "":
		want := "is empty"
		if f.Kind == Text || f.Kind == TextOrTexts { // else the example is a whole list
			want += example(f)
		}
		r.fault(l.at, l.path, `""`, want)
	case len(l.text) > most:
		r.fault(l.at, l.path, found, "is longer than "+strconv.Itoa(most)+" bytes")
	case f.Kind == Text && len(l.text) < int(f.Min):
		r.fault(l.at, l.path, found, "is shorter than "+strconv.FormatInt(f.Min, 10)+" bytes")
	default:
		return strings.Clone(l.text), true
	}
	return "", false
}

// refuseRepeat refuses a value that an earlier object has in the same field.
func refuseRepeat(objects []*object, i int, name string) {
	if !objects[i].sound(name) {
		return
	}
	text := objects[i].find(name).value.Text
	for _, other := range objects[:i] {
		if other.sound(name) && other.find(name).value.Text == text {
			objects[i].fault(name, quote(text), "repeats "+other.pathTo(name))
			return
		}
	}
}

// claimPath returns the names that lead to a claim, outermost first; nil after a
// fault.
func (o *object) claimPath(name string) []string {
	o.demands(name)
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	return o.r.claimPath(o.pathTo(name), m.field, m.value)
}

// claimPath reads one TextOrTexts, a field's or an element's.
func (r *reader) claimPath(path string, f *Field, value *strictjson.Value) (names []string) {
	sound := true
	for _, l := range stringsOf(path, value) {
		text, ok := r.bounded(l, f)
		if ok && !isPrintable(text) {
			r.fault(l.at, l.path, quoteURL(text), unprintable)
			ok = false
		}
		names, sound = append(names, text), sound && ok
	}
	if !sound {
		return nil
	}
	if len(names) == 1 && isPathElsewhere(names[0]) {
		way := strings.Split(names[0], ".")
		for i := range way {
			way[i] = quote(way[i])
		}
		r.warnings = append(r.warnings, Fault{Path: path, Found: quote(names[0]), at: value.Offset,
			Want: "is taken literally, as the name of one claim; jwt_authn and Istio split names at dots: for the nested claim write [" + strings.Join(way, ", ") + "]"})
	}
	return names
}

// isPathElsewhere reports whether jwt_authn and Istio take a claim's name, in which a dot
// is no syntax here, for a path. Names that are URLs or domains (kubernetes.io) are
// meant literally.
func isPathElsewhere(name string) bool {
	parts := strings.Split(name, ".")
	for _, part := range parts {
		if part == "" || strings.ContainsFunc(part, func(c rune) bool { return c >= 0x80 || !isAlphanumeric(byte(c)) && c != '_' && c != '-' }) {
			return false
		}
	}
	return len(parts) > 1 && !slices.Contains([]string{"com", "dev", "io", "net", "org"}, parts[len(parts)-1])
}
