package validate

import "edgejwt/plugin/desk/document"

// extensionPolicy takes Envoy Gateway's resource up, for each edgejwt in it.
func (w *world) extensionPolicy(s source) {
	for _, wasm := range s.root.Get("spec", "wasm").Items() {
		held, code := wasm.Get("config"), wasm.Get("code")
		source := first(code.Get("image"), code.Get("http"))
		module := source.Get("url").Str()
		if !isOurs(module, held, wasm.Get("name").Str(), wasm.Get("rootID").Str()) {
			continue
		}
		p := &plugin{file: s.file, in: "EnvoyExtensionPolicy", at: or(held, wasm), inner: held, module: module}
		if held != nil {
			p.text = held.JSON()
		}
		p.around = func(w *world, p *plugin) { w.judgeExtension(p, wasm, source) }
		w.plugins = append(w.plugins, p)
	}
}

func (w *world) judgeExtension(p *plugin, wasm, source *document.Node) {
	if p.text == nil {
		w.found(Finding{Severity: Error, What: "config is missing", Why: "The plugin refuses to start.", Write: "config: {auth0: …}"}, p.file, wasm)
	}
	if open := wasm.Get("failOpen"); open.Is("true") {
		w.found(Finding{Severity: Error, What: "failOpen is true", Why: "Should the plugin fail, or its image not be had, every request passes unchecked.",
			Write: "leave failOpen out"}, p.file, open)
	}
	switch {
	case source == nil:
		w.found(Finding{Severity: Error, What: "code names neither image nor http"}, p.file, wasm)
	case source.Get("sha256").Str() == "":
		w.found(Finding{Severity: Warning, What: "the code is not pinned", Why: "Whoever can move the tag decides what runs in front of your API.",
			Write: "sha256: <digest>"}, p.file, source)
	}
}
