package validate

import "edgejwt/cmd/edgejwt/document"

// extensionPolicy takes Envoy Gateway's resource up, for each edgejwt in it.
func (w *world) extensionPolicy(s source) {
	before := len(w.plugins)
	defer func() {
		if len(w.plugins) == before {
			w.others = append(w.others, located{s.file, s.root})
		}
	}()
	for _, wasm := range s.root.Get("spec", "wasm").Items() {
		held, code := wasm.Get("config"), wasm.Get("code")
		source := first(code.Get("image"), code.Get("http"))
		module := source.Get("url").Str()
		if !isOurs(module, held, wasm.Get("name").Str(), wasm.Get("rootID").Str()) {
			continue
		}
		p := &plugin{file: s.file, in: "EnvoyExtensionPolicy", at: or(held, wasm), inner: held, module: module, code: source}
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
	w.judgeMeshPort(p, "Envoy Gateway")
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

// judgeOthers looks for policies that take edgejwt's place: Envoy Gateway applies
// the most specific one only, and a policy that merges brings its own list of Wasm
// plugins in place of the Gateway's.
func (w *world) judgeOthers() {
	guarded := false
	for _, p := range w.plugins {
		guarded = guarded || p.in == "EnvoyExtensionPolicy"
	}
	if !guarded {
		return
	}
	for _, o := range w.others {
		spec := o.Get("spec")
		if !isBelowGateway(spec) || spec.Get("mergeType") != nil && len(spec.Get("wasm").Items()) == 0 {
			continue
		}
		w.found(Finding{Severity: Warning, What: "a policy without edgejwt for a part of a Gateway",
			Why:   "It takes the place of the Gateway's policy (with mergeType, its wasm takes the place of the Gateway's wasm): requests that it is for pass unchecked.",
			Write: "edgejwt among its wasm, or mergeType and no wasm (Envoy Gateway 1.9 and later)"}, o.file, spec)
	}
}

// isBelowGateway reports whether a policy is for routes or listeners, and not for
// Gateways as a whole.
func isBelowGateway(spec *document.Node) bool {
	refs := append(spec.Get("targetRefs").Items(), spec.Get("targetSelectors").Items()...)
	if ref := spec.Get("targetRef"); ref != nil {
		refs = append(refs, ref)
	}
	for _, ref := range refs {
		if ref.Get("kind").Str() != "Gateway" || ref.Get("sectionName") != nil {
			return true
		}
	}
	return false
}
