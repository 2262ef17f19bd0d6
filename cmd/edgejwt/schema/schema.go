// Package schema writes the configuration's JSON Schema (draft 2020-12) for
// editors and pipelines, from the list of fields by which the plugin itself
// parses (config.Fields): names, types, defaults and bounds cannot drift apart.
//
// The schema is never stricter than the plugin: what the plugin accepts fits it.
// It is laxer where a schema cannot say what is meant (a host, a path that can
// be read in one way only, a claim that another rule already hands over).
//
// edgejwt.schema.json is a copy for those who want a file; a test keeps it
// current. The files: schema.go has one value's form for each kind of field,
// demands.go what concerns several fields, object.go JSON with members in order.
package schema

import (
	"fmt"
	"strings"
	"time"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
)

// Configuration gives the schema of a configuration, as JSON that ends in a line
// feed.
func Configuration() []byte {
	top := form(config.Fields(), "")
	top.before("type",
		member{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		member{"$id", "urn:edgejwt:configuration"},
		member{"title", "edgejwt"},
		member{"description", "The configuration of the edgejwt plugin for Envoy."})
	return top.bytes()
}

// Policy gives the schema of a policy in the metadata of one of Envoy's routes
// (see config.ParsePolicy).
func Policy() []byte {
	top := form(config.PolicyFields(), "routes[].")
	top.before("type",
		member{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		member{"$id", "urn:edgejwt:policy"},
		member{"title", "edgejwt policy"},
		member{"description", "What edgejwt demands on one of Envoy's routes: the string policy under the key edgejwt of its filter metadata."})
	return top.bytes()
}

// form is the schema of an object with these fields.
func form(fields []config.Field, path string) *object {
	properties := new(object)
	var required []any
	for _, f := range fields {
		properties.add(f.Name, field(f, path+f.Name))
		if f.Required {
			required = append(required, f.Name)
		}
	}
	o := new(object)
	o.add("type", "object")
	o.add("additionalProperties", false)
	if required != nil {
		o.add("required", required)
	}
	for _, m := range demands(path) {
		o.add(m.name, m.value)
	}
	o.add("properties", properties)
	return o
}

// field is the schema of one field.
func field(f config.Field, path string) *object {
	o := new(object)
	if f.Refused != "" {
		// Known, and refused in words that an editor can show.
		o.add("description", sentence(f.Name+" "+f.Refused))
		o.add("not", new(object))
		return o
	}
	text := f.Meaning
	if f.Limits != "" {
		text += " " + sentence(f.Limits)
	}
	if f.Kind == config.Duration {
		text += " From " + written(f.Min) + " to " + written(f.Max) + "."
	}
	value, ok := spelled(f, f.Default)
	if f.Default != "" && !ok {
		text += " Default: " + f.Default + "."
	}
	o.add("description", text)
	for _, m := range of(f, path).members {
		o.add(m.name, m.value)
	}
	if ok {
		o.add("default", value)
	}
	if example, ok := spelled(f, f.Example); ok {
		o.add("examples", []any{example})
	}
	return o
}

const (
	// duration is what config's durations look like: Go's syntax.
	duration = `^[+-]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$`
	size     = `^\d+(Ki|Mi|Gi)?$`
)

// of is the form of a field's value by its kind.
func of(f config.Field, path string) *object {
	o := new(object)
	switch f.Kind {
	case config.Text:
		texts(o, f, mayBeEmpty(path))
	case config.Choice:
		o.add("enum", anys(f.OneOf))
	case config.Switch:
		o.add("type", "boolean")
	case config.Duration:
		o.add("type", "string")
		o.add("pattern", duration)
	case config.Count:
		whole(o, f)
	case config.Bytes:
		number, text := new(object), new(object)
		whole(number, f)
		text.add("type", "string")
		text.add("pattern", size)
		o.add("anyOf", []any{number, text})
	case config.Texts:
		list(o, f, element(f))
	case config.TextOrTexts:
		oneOrMore(o, f)
	case config.Ways:
		names := new(object)
		oneOrMore(names, config.Field{Min: 1, Max: 16})
		list(o, f, names)
	case config.Values:
		list(o, f, scalar())
	case config.Object:
		return form(f.Fields, path+".")
	case config.Objects:
		list(o, f, form(f.Fields, path+"[]."))
	case config.KeySet:
		set, text := new(object), new(object)
		set.add("type", "object")
		set.add("required", []any{"keys"})
		text.add("type", "string")
		text.add("minLength", 1)
		o.add("anyOf", []any{set, text})
	case config.Claims:
		named, values, nested := new(object), new(object), new(object)
		list(values, config.Field{Min: 1, Max: config.MaxListed}, scalar())
		named.add("type", "object")
		named.add("minProperties", f.Min)
		named.add("maxProperties", f.Max)
		named.add("additionalProperties", values)
		list(nested, f, form(f.Fields, path+"[]."))
		o.add("anyOf", []any{named, nested})
	default:
		panic(fmt.Sprintf("schema: %s: kind %d has no form", path, f.Kind))
	}
	return o
}

// texts is the form of a string. The plugin counts bytes and a schema
// characters, of which there are never more.
func texts(o *object, f config.Field, empty bool) {
	o.add("type", "string")
	if !empty {
		least := int64(1)
		if f.Kind == config.Text {
			least = max(least, f.Min)
		}
		o.add("minLength", least)
	}
	most := int64(config.MaxTextBytes)
	if f.Kind == config.Text && f.Max > 0 {
		most = f.Max
	}
	o.add("maxLength", most)
}

// element is the form of one of several strings.
func element(f config.Field) *object {
	o := new(object)
	if f.OneOf != nil {
		o.add("enum", anys(f.OneOf))
	} else {
		texts(o, f, false)
	}
	return o
}

func list(o *object, f config.Field, elements *object) {
	o.add("type", "array")
	if f.Min > 0 {
		o.add("minItems", f.Min)
	}
	if f.Max > 0 {
		o.add("maxItems", f.Max)
	}
	o.add("items", elements)
}

// oneOrMore is the form of a string, or of a list of them.
func oneOrMore(o *object, f config.Field) {
	one, more := new(object), new(object)
	texts(one, f, false)
	list(more, f, element(f))
	o.add("anyOf", []any{one, more})
}

func whole(o *object, f config.Field) {
	o.add("type", "integer")
	o.add("minimum", f.Min)
	o.add("maximum", f.Max)
}

func scalar() *object {
	o := new(object)
	o.add("type", []any{"string", "number", "boolean"})
	return o
}

func anys(texts []string) (all []any) {
	for _, text := range texts {
		all = append(all, text)
	}
	return all
}

// spelled is a default or an example as a value; ok is false when there is none,
// or when it is a description.
func spelled(f config.Field, text string) (value any, ok bool) {
	if text == "" {
		return nil, false
	}
	switch f.Kind {
	case config.Text, config.Duration, config.Choice, config.TextOrTexts:
		if strings.Contains(text, "{") && f.Default == text {
			return nil, false // a pattern, such as outbound|443||{domain}
		}
		if !strings.HasPrefix(text, `"`) {
			return text, true
		}
	}
	documents, err := document.Read([]byte(text))
	if err != nil || len(documents) != 1 {
		return nil, false
	}
	if documents[0].Kind == document.Text && f.Kind != config.Text && f.Kind != config.Bytes {
		return nil, false // words
	}
	return raw(documents[0].JSON()), true
}

// sentence makes a sentence of a clause.
func sentence(clause string) string {
	if clause[0] >= 'a' && clause[0] <= 'z' && !strings.ContainsAny(strings.SplitN(clause, " ", 2)[0], "._") {
		clause = strings.ToUpper(clause[:1]) + clause[1:]
	}
	return clause + "."
}

// written is a duration as one would write it by hand.
func written(nanoseconds int64) string {
	text := time.Duration(nanoseconds).String()
	text = strings.TrimSuffix(text, "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	if text == "" || text[len(text)-1] >= '0' && text[len(text)-1] <= '9' {
		return time.Duration(nanoseconds).String()
	}
	return text
}
