package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"edgejwt/cmd/edgejwt/validate"
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

// asJSON is a configuration of the plugin, in YAML or JSON, as the plugin gets it; ok
// is false for a block that is something else.
func (b *block) asJSON(t *testing.T) (document []byte, ok bool) {
	t.Helper()
	var tree map[string]any
	switch b.kind {
	case "json":
		if err := json.Unmarshal([]byte(b.text), &tree); err != nil {
			return nil, false // part of something
		}
	case "yaml":
		if err := yaml.Unmarshal([]byte(b.text), &tree); err != nil {
			return nil, false // several documents, or a list: another's
		}
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

// TestConfigurationsOfThePages: the plugin starts with each configuration that a page
// shows, and each is valid by the JSON Schema.
func TestConfigurationsOfThePages(t *testing.T) {
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
	count := map[string]int{}
	for _, p := range pages(t) {
		if strings.HasPrefix(p.path, "deploy/") {
			continue // there stand values of the chart and resources; the tests of deploy/ read them
		}
		for _, b := range blocksOf(p.text) {
			document, ok := b.asJSON(t)
			if !ok {
				continue
			}
			count[p.path]++
			if _, err := config.Parse(document); err != nil {
				t.Errorf("%s, below %q: %v\n%s", p.path, b.heading, err, b.text)
			}
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(document)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("%s, below %q, by the schema: %v", p.path, b.heading, err)
			}
		}
	}
	for page, least := range map[string]int{"README.md": 2, "docs/configuration.md": 2, "docs/routes.md": 3, "docs/tokens.md": 2, "docs/tenants.md": 1} {
		if count[page] < least {
			t.Errorf("%s has %d configurations, want %d or more", page, count[page], least)
		}
	}
}

// TestReadmeLoadsInEnvoy: the lines for Envoy in README.md, in the place of those of
// envoy.yaml and with a reader's own names, are a configuration with which edgejwt
// validate finds no fault.
func TestReadmeLoadsInEnvoy(t *testing.T) {
	var shown struct {
		Filters  []any `yaml:"http_filters"`
		Clusters []any `yaml:"clusters"`
	}
	for _, b := range blocksOf(fileInRoot(t, "README.md")) {
		if b.heading == "Load it" && b.kind == "yaml" {
			if err := yaml.Unmarshal([]byte(b.text), &shown); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(shown.Filters) != 1 || len(shown.Clusters) != 1 {
		t.Fatalf("README.md shows %d filters and %d clusters, want one of each", len(shown.Filters), len(shown.Clusters))
	}
	var bootstrap map[string]any
	if err := yaml.Unmarshal([]byte(fileInRoot(t, "envoy.yaml")), &bootstrap); err != nil {
		t.Fatal(err)
	}
	resources := bootstrap["static_resources"].(map[string]any)
	resources["clusters"] = []any{resources["clusters"].([]any)[0], shown.Clusters[0]}
	listener := resources["listeners"].([]any)[0].(map[string]any)
	network := listener["filter_chains"].([]any)[0].(map[string]any)["filters"].([]any)[0].(map[string]any)
	manager := network["typed_config"].(map[string]any)
	filters := manager["http_filters"].([]any)
	manager["http_filters"] = []any{shown.Filters[0], filters[len(filters)-1]}
	text, err := yaml.Marshal(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	// The names are placeholders, of which validate warns: a reader writes his own.
	own := strings.NewReplacer("tenant.eu.auth0.com", "login.shop.example", "https://api.example.com", "https://orders.shop.example").Replace(string(text))
	report := validate.Files([]validate.File{{Name: "envoy.yaml", Text: []byte(own)}})
	if len(report.Places) != 1 {
		t.Errorf("%d configurations are found, want 1", len(report.Places))
	}
	for _, f := range report.Findings {
		t.Errorf("%v", f)
	}
}

// TestReadmeIsShort: a reader sees on one page what edgejwt is and where everything
// else stands.
func TestReadmeIsShort(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(fileInRoot(t, "README.md"), "\n"), "\n")
	if len(lines) > 200 {
		t.Errorf("README.md has %d lines, 200 are allowed", len(lines))
	}
	for i, line := range lines {
		if n := utf8.RuneCountInString(line); n > 140 {
			t.Errorf("README.md:%d has %d characters, 140 are allowed", i+1, n)
		}
	}
}

// TestMetricsPage: docs/metrics.md has the metrics of the plugin and no other, and the
// stats_tags of envoy.yaml.
func TestMetricsPage(t *testing.T) {
	name := regexp.MustCompile(`edgejwt_[a-z_]*[a-z]`)
	page := fileInRoot(t, "docs", "metrics.md")
	listed, made := map[string]bool{}, map[string]bool{}
	for _, row := range tableOf(t, page, "| metric |")[1:] {
		for _, m := range name.FindAllString(row[0], -1) {
			listed[m] = true
		}
	}
	sources, err := filepath.Glob(filepath.Join(harness.Root(), "plugin", "*.go"))
	if err != nil || len(sources) == 0 {
		t.Fatal(sources, err)
	}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(edgejwt_[a-z_]*[a-z])`).FindAllStringSubmatch(string(raw), -1) {
			made[m[1]] = true
		}
	}
	if len(made) < 15 {
		t.Errorf("only %d metrics found in the plugin", len(made))
	}
	for m := range made {
		if !listed[m] {
			t.Errorf("docs/metrics.md lacks %s", m)
		}
	}
	for m := range listed {
		if !made[m] {
			t.Errorf("docs/metrics.md lists %s, which the plugin does not have", m)
		}
	}
	_, tags, _ := strings.Cut(fileInRoot(t, "envoy.yaml"), "stats_config:\n")
	tags, _, _ = strings.Cut(tags, "\n\n")
	if !strings.Contains(page, "stats_config:\n"+tags+"\n```") {
		t.Error("docs/metrics.md does not show the stats_tags of envoy.yaml")
	}
}
