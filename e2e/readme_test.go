package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"edgejwt/cmd/edgejwt/convert"
	"edgejwt/e2e/harness"
	"edgejwt/plugin/config"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// block is one fenced block of a page, with the heading above it.
type block struct{ heading, kind, text string }

func blocksOf(page string) (list []block) {
	heading, open := "", false
	for _, line := range strings.SplitAfter(page, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && !open:
			open = true
			list = append(list, block{heading: heading, kind: strings.TrimSpace(fence)})
		case isFence:
			open = false
		case open:
			list[len(list)-1].text += line
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return list
}

// asJSON is a configuration in YAML as the plugin gets it; ok is false for YAML
// that is something else.
func (b *block) asJSON(t *testing.T) (document []byte, ok bool) {
	t.Helper()
	if b.kind != "yaml" {
		return nil, false
	}
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(b.text), &tree); err != nil {
		return nil, false // several documents, or a list: another's
	}
	if tree["auth0"] == nil && tree["jwtRules"] == nil {
		return nil, false
	}
	document, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return document, true
}

// TestConfigurationsOfTheReadme: each starts the plugin as it stands and
// holds by the JSON Schema.
func TestConfigurationsOfTheReadme(t *testing.T) {
	path := filepath.Join(harness.Root(), "cmd", "edgejwt", "schema", "edgejwt.schema.json")
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	parsed, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, b := range blocksOf(fileInRoot(t, "README.md")) {
		document, ok := b.asJSON(t)
		if !ok {
			continue
		}
		count++
		if _, err := config.Parse(document); err != nil {
			t.Errorf("below %q: %v\n%s", b.heading, err, b.text)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(document)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("below %q, by the schema: %v", b.heading, err)
		}
	}
	if count < 12 {
		t.Errorf("only %d configurations found", count)
	}
}

// TestConversionsOfTheReadme: what "becomes" is what the desk makes of it.
func TestConversionsOfTheReadme(t *testing.T) {
	blocks := blocksOf(fileInRoot(t, "README.md"))
	count := 0
	for i, b := range blocks {
		var kind struct {
			Kind string
			Type string `yaml:"@type"`
		}
		if b.kind != "yaml" || yaml.Unmarshal([]byte(b.text), &kind) != nil || kind.Kind == "" && kind.Type == "" {
			continue
		}
		count++
		made, err := convert.Convert([]byte(b.text))
		if err != nil {
			t.Errorf("below %q: %v", b.heading, err)
			continue
		}
		after, ok := blocks[i+1].asJSON(t)
		if !ok || blocks[i+1].heading != b.heading {
			t.Errorf("below %q there is no configuration that it becomes", b.heading)
			continue
		}
		var want, got any
		if json.Unmarshal(after, &want) != nil || json.Unmarshal(made.JSON, &got) != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("below %q it becomes, by the desk:\n%s", b.heading, made.YAML)
		}
	}
	if count != 3 {
		t.Errorf("%d configurations of others found, want one each of jwt_authn, Istio and Envoy Gateway", count)
	}
}
