package validate

import (
	"encoding/base64"
	"fmt"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
)

// Configuration is a configuration of the plugin, as JSON, and where it stands.
type Configuration struct {
	File, Path string
	Line       int
	Text       []byte
}

// Configurations finds what Files would judge, and judges nothing. The error is
// for a file that is neither YAML nor JSON.
func Configurations(files []File) (all []Configuration, err error) {
	w := &world{}
	for _, f := range files {
		documents, err := document.ReadNamed(f.Name, f.Text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		for _, d := range documents {
			w.sources = append(w.sources, source{f.Name, d})
		}
	}
	w.find()
	for _, p := range w.plugins {
		if p.text != nil {
			all = append(all, Configuration{p.file, p.at.Path, p.at.Line, p.text})
		}
	}
	return all, nil
}

// find looks through all documents for the plugin and for what it needs.
func (w *world) find() {
	for _, s := range w.sources {
		w.take(s)
	}
}

// take looks at one document, or at each of the documents that kubectl puts into a
// list.
func (w *world) take(s source) {
	switch kind := s.root.Get("kind").Str(); {
	case strings.HasSuffix(kind, "List") && s.root.Get("apiVersion") != nil:
		for _, item := range s.root.Get("items").Items() {
			w.take(source{s.file, item})
		}
	case kind == "WasmPlugin":
		w.wasmPlugin(s)
	case kind == "EnvoyExtensionPolicy":
		w.extensionPolicy(s)
	case kind == "ServiceEntry":
		w.entries = append(w.entries, located{s.file, s.root})
	case kind == "DestinationRule":
		w.rules = append(w.rules, located{s.file, s.root})
	case isConfiguration(s.root) || isLikeOne(s.root):
		w.plugins = append(w.plugins, &plugin{file: s.file, in: "configuration", at: s.root, inner: s.root, text: s.root.JSON()})
	default:
		w.envoy(s)
	}
}

// isConfiguration tells the plugin's own configuration from other documents by
// the two names of which it must have one.
func isConfiguration(n *document.Node) bool { return n.Get("auth0") != nil || n.Get("jwtRules") != nil }

// isLikeOne reports whether a document could be a configuration that lacks both:
// all its names are known.
func isLikeOne(n *document.Node) bool {
	known := map[string]bool{}
	for _, f := range config.Fields() {
		known[f.Name] = true
	}
	for _, member := range n.Members() {
		if !known[member.Name] {
			return false
		}
	}
	return len(n.Members()) > 0
}

// envoy looks for Envoy's own resources, wherever they stand.
func (w *world) envoy(s source) {
	static := s.root.Get("static_resources")
	for _, cluster := range static.Get("clusters").Items() {
		w.clusters = append(w.clusters, located{s.file, cluster})
	}
	if static != nil && s.root.Get("dynamic_resources") == nil {
		w.static = true
	}
	s.root.Walk(func(n *document.Node) bool {
		switch kind, body := typed(n); {
		case kind == "HttpConnectionManager":
			w.manager(s.file, body)
			return false
		case kind == "Cluster":
			w.clusters = append(w.clusters, located{s.file, body})
			return false
		case kind == "RouteConfiguration":
			w.routeConfigs = append(w.routeConfigs, located{s.file, body})
			return false
		case isWasmFilter(n):
			w.filter(s.file, n, nil)
			return false
		}
		return true
	})
}

// typed gives the last word of a message's type and the message itself, also
// where it is wrapped in a TypedStruct; "" for anything else.
func typed(n *document.Node) (kind string, body *document.Node) {
	url := n.Get("@type").Str()
	body = n
	if strings.HasSuffix(url, ".TypedStruct") {
		url, body = n.Get("type_url").Str(), n.Get("value")
	}
	return url[strings.LastIndexByte(url, '.')+1:], body
}

// filterPackage gives what kind of HTTP filter a typed_config is: "cors" of
// type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors.
func filterPackage(n *document.Node) string {
	url := n.Get("@type").Str()
	if strings.HasSuffix(url, ".TypedStruct") {
		url = n.Get("type_url").Str()
	}
	_, rest, _ := strings.Cut(url, ".filters.http.")
	name, _, _ := strings.Cut(rest, ".")
	return name
}

func isWasmFilter(n *document.Node) bool { return filterPackage(n) == "wasm" }

// filter takes Envoy's Wasm filter up, if it is edgejwt; m is the connection
// manager that it stands in, or nil.
func (w *world) filter(file string, n *document.Node, m *manager) *plugin {
	_, body := typed(n)
	conf := body.Get("config")
	held := conf.Get("configuration")
	p := &plugin{file: file, in: "Envoy", at: held, module: moduleOf(conf.Get("vm_config", "code"))}
	if held == nil {
		p.at = conf
		if p.at == nil {
			p.at = n
		}
	}
	value := held.Get("value")
	switch kind := held.Get("@type").Str(); {
	case strings.HasSuffix(kind, ".StringValue") && value.Str() != "":
		p.at, p.text = value, []byte(value.Str())
		p.inner, _ = value.Inner()
	case strings.HasSuffix(kind, ".BytesValue"):
		p.at = held
		p.text, _ = base64.StdEncoding.DecodeString(value.Str())
		p.inner, _ = document.ParseJSON(string(p.text), lineOf(value))
	case strings.HasSuffix(kind, ".Struct"):
		p.inner = value
	}
	if !isOurs(p.module, p.inner, conf.Get("name").Str(), conf.Get("root_id").Str(), conf.Get("vm_config", "vm_id").Str()) {
		return nil
	}
	p.around = func(w *world, p *plugin) { w.judgeFilter(p, conf, m) }
	w.plugins = append(w.plugins, p)
	return p
}

// isOurs tells edgejwt from other Wasm plugins: by its configuration or by any
// name that the operator gave.
func isOurs(module string, inner *document.Node, names ...string) bool {
	if isConfiguration(inner) {
		return true
	}
	for _, name := range append(names, module) {
		if strings.Contains(strings.ToLower(name), "edgejwt") {
			return true
		}
	}
	return false
}

// moduleOf gives the place of the module's code (AsyncDataSource).
func moduleOf(code *document.Node) string {
	if name := code.Get("local", "filename").Str(); name != "" {
		return name
	}
	return code.Get("remote", "http_uri", "uri").Str()
}

func lineOf(n *document.Node) int {
	if n == nil {
		return 1
	}
	return n.Line
}
