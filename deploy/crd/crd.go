// Package crd judges Kubernetes resources as an API server would that has the
// resources' definitions, and a little more strictly: by their schema, where a
// name that the schema does not know is a fault and not dropped in silence, and by
// the rules in CEL that the definitions carry. The tests of deploy/istio and
// deploy/envoy-gateway use it with the definitions that Istio and Envoy Gateway
// publish. What only a controller would notice is not seen.
//
// Defaults are filled in before anything is judged. Rules about a change
// (oldSelf) are left out: nothing changes here.
package crd

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// Object is a resource as a tree of maps, slices, strings, numbers and booleans.
type Object = map[string]any

// Definitions are CustomResourceDefinitions, by what they define.
type Definitions struct {
	schemas map[string]*schema
}

// schema is one version of one kind.
type schema struct {
	tree     Object
	compiled *jsonschema.Schema
}

// Read takes definitions from YAML documents. Others are passed over, and so are
// lines that a Helm chart begins with {{. Documents may be read one after another
// into the same Definitions; the zero value is empty.
func (d *Definitions) Read(text string) error {
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "{{") {
			lines = append(lines, line)
		}
	}
	objects, err := Documents(strings.Join(lines, ""))
	if err != nil {
		return err
	}
	for _, o := range objects {
		if o["kind"] != "CustomResourceDefinition" {
			continue
		}
		spec := o["spec"].(Object)
		for _, v := range spec["versions"].([]any) {
			version := v.(Object)
			if version["served"] != true {
				continue
			}
			tree := version["schema"].(Object)["openAPIV3Schema"].(Object)
			name := fmt.Sprint(spec["group"], "/", version["name"], " ", spec["names"].(Object)["kind"])
			compiled, err := compile(name, tree)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if d.schemas == nil {
				d.schemas = map[string]*schema{}
			}
			d.schemas[name] = &schema{tree, compiled}
		}
	}
	return nil
}

// Documents reads YAML documents; empty ones are left out.
func Documents(text string) (all []Object, err error) {
	for decoder := yaml.NewDecoder(strings.NewReader(text)); ; {
		var o Object
		switch err := decoder.Decode(&o); {
		case err != nil && err.Error() == "EOF":
			return all, nil
		case err != nil:
			return nil, err
		case o != nil:
			all = append(all, o)
		}
	}
}

// Judge gives the faults of a resource; none when it would be taken.
func (d *Definitions) Judge(o Object) (faults []string) {
	name := fmt.Sprint(o["apiVersion"], " ", o["kind"])
	s := d.schemas[name]
	if s == nil {
		return []string{"nobody defines " + name + "; known: " + strings.Join(slices.Sorted(maps.Keys(d.schemas)), ", ")}
	}
	filled := fill(s.tree, o).(Object)
	if err := s.compiled.Validate(plain(filled)); err != nil {
		faults = append(faults, err.Error())
	}
	return append(faults, judgeRules(s.tree, filled, name)...)
}

// compile makes a strict JSON Schema of a definition's schema.
func compile(name string, tree Object) (*jsonschema.Schema, error) {
	strict := strictly(tree, false).(Object)
	properties := strict["properties"].(Object)
	properties["apiVersion"], properties["kind"] = Object{"type": "string"}, Object{"type": "string"}
	properties["metadata"] = Object{"type": "object", "additionalProperties": false, "required": []any{"name"}, "properties": Object{
		"name": Object{"type": "string"}, "namespace": Object{"type": "string"},
		"labels":      Object{"type": "object", "additionalProperties": Object{"type": "string"}},
		"annotations": Object{"type": "object", "additionalProperties": Object{"type": "string"}},
	}}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4) // whose exclusiveMinimum is OpenAPI's
	c.AssertFormat()
	url := "crd:///" + strings.ReplaceAll(name, " ", "/")
	if err := c.AddResource(url, plain(strict)); err != nil {
		return nil, err
	}
	return c.Compile(url)
}

// strictly copies a schema, with unknown names refused. Within allOf, anyOf, oneOf
// and not, a schema only adds to what its parent says, so it stays open there.
func strictly(v any, open bool) any {
	switch v := v.(type) {
	case Object:
		c := Object{}
		for name, value := range v {
			switch name {
			case "properties":
				p := Object{}
				for member, of := range value.(Object) {
					p[member] = strictly(of, open)
				}
				c[name] = p
			case "allOf", "anyOf", "oneOf", "not":
				c[name] = strictly(value, true)
			case "default", "enum", "description":
				c[name] = value
			default:
				c[name] = strictly(value, open)
			}
		}
		if v["x-kubernetes-int-or-string"] == true {
			delete(c, "type")
			c["type"] = []any{"integer", "string"}
		}
		if kind, ok := c["type"].(string); ok && v["nullable"] == true {
			c["type"] = []any{kind, "null"}
		}
		_, named := v["properties"]
		_, told := v["additionalProperties"]
		if named && !told && !open && v["x-kubernetes-preserve-unknown-fields"] != true {
			c["additionalProperties"] = false
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = strictly(v[i], open)
		}
		return c
	}
	return v
}

// fill copies a value with its schema's defaults in it.
func fill(tree Object, v any) any {
	switch v := v.(type) {
	case Object:
		c := maps.Clone(v)
		properties, _ := tree["properties"].(Object)
		for name, of := range properties {
			of := of.(Object)
			switch held, ok := v[name]; {
			case ok:
				c[name] = fill(of, held)
			case of["default"] != nil:
				c[name] = fill(of, of["default"])
			}
		}
		if more, ok := tree["additionalProperties"].(Object); ok {
			for name := range c {
				c[name] = fill(more, c[name])
			}
		}
		return c
	case []any:
		items, _ := tree["items"].(Object)
		c := make([]any, len(v))
		for i := range v {
			c[i] = fill(items, v[i])
		}
		return c
	}
	return v
}

// plain turns YAML's numbers into the kinds that the libraries expect.
func plain(v any) any {
	switch v := v.(type) {
	case Object:
		c := Object{}
		for name, value := range v {
			c[name] = plain(value)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = plain(v[i])
		}
		return c
	case int:
		return int64(v)
	}
	return v
}
