// Package validate looks for what will bite: in edgejwt's own configuration, by
// the plugin's parser, and in what stands around it in a proxy's or a mesh's
// files, by the list of mistakes that let requests past the check, let somebody
// else hand out the keys, or leave the API without traffic after a fault.
//
// Files gives a Report: every configuration of the plugin that the files hold,
// and findings, each with its place, the reason and what to write instead. It
// reads
//
//   - the plugin's configuration by itself, JSON or YAML;
//   - Envoy's bootstrap, and files of listeners, clusters and routes (LDS, CDS, RDS);
//   - Istio's WasmPlugin, with ServiceEntry and DestinationRule beside it, and
//     Envoy's own filter wherever another resource (EnvoyFilter) wraps it;
//   - Envoy Gateway's EnvoyExtensionPolicy.
//
// It judges files, not a running proxy: what is not in them (a cluster that
// comes by CDS, a resource in another folder) is told as not seen, and is no
// error. What Envoy itself refuses at the start is left to it.
//
// The files: find.go looks for the plugin, policy.go judges its configuration with
// gaps.go, order.go and needs.go, filter.go and chain.go what Envoy wraps it in,
// metadata.go, routing.go and rewrite.go its routes, cluster.go the way to the keys,
// istio.go and gateway.go their resources, placeholder.go what was left of an example.
package validate

import (
	"sort"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
)

// Severity says how bad a Finding is.
type Severity string

const (
	// Error: the plugin does not start, or does not protect.
	Error Severity = "error"
	// Warning: it works, and will bite.
	Warning Severity = "warning"
	// Hint: better otherwise, or not to be seen in the files.
	Hint Severity = "hint"
)

// Finding is one thing that was found, in words for the operator.
type Finding struct {
	Severity Severity `json:"severity"`
	File     string   `json:"file"`
	// Line is where in the file, from 1.
	Line int `json:"line"`
	// Path is where in the document: "static_resources.listeners[0]".
	Path string `json:"path"`
	// Field is the end of Path that lies in the plugin's configuration, as the plugin
	// itself names it: "jwtRules[0].issuer"; empty for what surrounds the configuration.
	Field string `json:"field,omitempty"`
	// What is there or is missing.
	What string `json:"what"`
	// Why it matters; may be empty.
	Why string `json:"why,omitempty"`
	// Write is what to write instead; may be empty.
	Write string `json:"write,omitempty"`
}

// Place is one configuration of the plugin.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Path string `json:"path"`
	// In is what it stands in: "configuration", "Envoy", "WasmPlugin" or
	// "EnvoyExtensionPolicy".
	In string `json:"in"`
	// Valid is true when the plugin would start with it.
	Valid bool `json:"valid"`
}

// Report is all that was found.
type Report struct {
	Places   []Place   `json:"configurations"`
	Findings []Finding `json:"findings"`
}

// Count gives the number of findings of a severity.
func (r *Report) Count(s Severity) (n int) {
	for i := range r.Findings {
		if r.Findings[i].Severity == s {
			n++
		}
	}
	return n
}

// File is a file's name, for findings, and its content.
type File struct {
	Name string
	Text []byte
}

// Files judges files that belong together. A file that is neither YAML nor JSON
// is a Finding.
func Files(files []File) *Report {
	w := &world{report: Report{Places: []Place{}, Findings: []Finding{}}} // never null in JSON
	for _, f := range files {
		documents, err := document.ReadNamed(f.Name, f.Text)
		if err != nil {
			w.found(Finding{Severity: Error, What: "cannot be read: " + err.Error()}, f.Name, &document.Node{Line: 1})
		}
		for _, d := range documents {
			w.sources = append(w.sources, source{f.Name, d})
		}
	}
	w.find()
	for _, p := range w.plugins {
		w.judge(p)
	}
	w.judgeManagers()
	w.judgeMetadata()
	w.judgeOthers()
	w.judgeStats()
	w.report.sort()
	w.report.setFields()
	return &w.report
}

// source is one document of one file.
type source struct {
	file string
	root *document.Node
}

// world is all that the files say.
type world struct {
	sources  []source
	plugins  []*plugin
	managers []*manager
	clusters []located
	// routeConfigs are RouteConfigurations outside of a connection manager.
	routeConfigs []located
	entries      []located // Istio's ServiceEntry
	rules        []located // Istio's DestinationRule
	others       []located // EnvoyExtensionPolicy without edgejwt
	// static is true when a bootstrap lists its clusters and fetches none.
	static bool
	report Report
}

// located is a node and the file that it stands in.
type located struct {
	file string
	*document.Node
}

// plugin is one configuration of edgejwt, with what it stands in.
type plugin struct {
	file string
	in   string
	// at is the value that holds the configuration, and inner the configuration as
	// a tree; inner is nil when it cannot be read.
	at, inner *document.Node
	text      []byte         // JSON as the plugin gets it
	module    string         // the module's file, URL or image; "" when it is not told
	code      *document.Node // with url and sha256; nil where they are not told
	around    func(w *world, p *plugin)
	config    *config.Config // nil when it is refused
}

func (w *world) found(f Finding, file string, at *document.Node) {
	at = or(at) // what is missing stands nowhere
	f.File, f.Line, f.Path = file, at.Line, at.Path
	w.report.Findings = append(w.report.Findings, f)
}

// setFields finds out which findings lie in a configuration of the plugin. Path is then
// that of the configuration, a space, and the field (see joined).
func (r *Report) setFields() {
	for i := range r.Findings {
		f := &r.Findings[i]
		for _, p := range r.Places {
			if p.File != f.File {
				continue
			}
			if p.Path == "" {
				f.Field = f.Path
			} else if field, ok := strings.CutPrefix(f.Path, p.Path+" "); ok {
				f.Field = field
			}
		}
	}
}

func (r *Report) sort() {
	rank := map[Severity]int{Error: 0, Warning: 1, Hint: 2}
	sort.SliceStable(r.Findings, func(i, j int) bool {
		a, b := &r.Findings[i], &r.Findings[j]
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return rank[a.Severity] < rank[b.Severity]
	})
}
