package convert

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// object is a JSON object whose members keep their order and have comments.
type object []member

type member struct {
	key   string
	value any // object, []any, string, bool, int, json.RawMessage
	notes []string
}

func (o *object) add(key string, value any, notes ...string) {
	*o = append(*o, member{key, value, notes})
}

// MarshalJSON leaves the comments out.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := plainJSON(m.value)
		if err != nil {
			return nil, err
		}
		b.WriteString(quoted(m.key) + ":")
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func plainJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return bytes.TrimSpace(b.Bytes()), err
}

// yaml writes the object in block style, with its comments.
func (o object) yaml(b *strings.Builder, indent string) {
	for _, m := range o {
		comment(b, indent, m.notes...)
		b.WriteString(indent + scalar(m.key) + ":")
		switch value := m.value.(type) {
		case object:
			if isLeaf(value) {
				b.WriteString(" " + flow(value) + "\n")
				continue
			}
			b.WriteString("\n")
			value.yaml(b, indent+"  ")
		case []any:
			if len(value) > 0 && !isLeaf(value[0]) {
				b.WriteString("\n")
				for _, element := range value {
					element.(object).element(b, indent)
				}
				continue
			}
			b.WriteString(" " + flow(value) + "\n")
		default:
			b.WriteString(" " + flow(value) + "\n")
		}
	}
}

// comments are all that stand in the object.
func (o object) comments() (all []string) {
	for _, m := range o {
		for _, note := range m.notes {
			all = append(all, clean(note))
		}
		switch value := m.value.(type) {
		case object:
			all = append(all, value.comments()...)
		case []any:
			for _, element := range value {
				if inner, ok := element.(object); ok {
					all = append(all, inner.comments()...)
				}
			}
		}
	}
	return all
}

// element writes an object as an element of a list: its first comments above.
func (o object) element(b *strings.Builder, indent string) {
	comment(b, indent, o[0].notes...)
	o = append(object{{o[0].key, o[0].value, nil}}, o[1:]...)
	var inner strings.Builder
	o.yaml(&inner, indent+"  ")
	b.WriteString(indent + "- " + strings.TrimPrefix(inner.String(), indent+"  "))
}

// isLeaf reports whether a value goes on one line: objects of scalars do not when
// they are long.
func isLeaf(value any) bool {
	o, ok := value.(object)
	if !ok {
		return true
	}
	for _, m := range o {
		if _, deep := m.value.(object); deep || m.notes != nil {
			return false
		}
	}
	return len(flow(o)) <= 100 && o[0].key != "issuer"
}

// flow writes a value on one line.
func flow(value any) string {
	switch value := value.(type) {
	case string:
		return scalar(value)
	case []any:
		parts := make([]string, len(value))
		for i, element := range value {
			parts[i] = flow(element)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case object:
		parts := make([]string, len(value))
		for i, m := range value {
			parts[i] = scalar(m.key) + ": " + flow(m.value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	raw, err := plainJSON(value)
	if err != nil {
		return "null"
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return scalar(text)
	}
	var compact bytes.Buffer
	if json.Compact(&compact, raw) != nil {
		return "null"
	}
	return compact.String()
}

// unquoted are texts that need no quotes in YAML and are no other type there.
var unquoted = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_/.@:|-]*[A-Za-z0-9_/|-]$|^[a-z]$|^/$|^([0-9]+(ms|[smh]))+$`)

func scalar(text string) string {
	switch strings.ToLower(text) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return quoted(text)
	}
	if !unquoted.MatchString(text) {
		return quoted(text)
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil { // inf, nan
		return quoted(text)
	}
	return text
}

// comment writes comments, each wrapped; what was read from a file cannot end
// one.
func comment(b *strings.Builder, indent string, notes ...string) {
	for _, note := range notes {
		if note == "" {
			continue
		}
		line := indent + "#"
		for _, word := range strings.Fields(clean(note)) {
			if len(line)+len(word) > 118 && line != indent+"#" {
				b.WriteString(line + "\n")
				line = indent + "#"
			}
			line += " " + word
		}
		b.WriteString(line + "\n")
	}
}

// clean makes a text fit for a line.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
