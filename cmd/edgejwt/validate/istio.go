package validate

import (
	"strings"

	"edgejwt/cmd/edgejwt/document"
)

// wasmPlugin takes Istio's resource up, if it is edgejwt's.
func (w *world) wasmPlugin(s source) {
	spec := s.root.Get("spec")
	held := spec.Get("pluginConfig")
	module := spec.Get("url").Str()
	if !isOurs(module, held, s.root.Get("metadata", "name").Str(), spec.Get("pluginName").Str()) {
		return
	}
	p := &plugin{file: s.file, in: "WasmPlugin", at: or(held, spec, s.root), inner: held, module: module, code: spec}
	if held != nil {
		p.text = held.JSON()
	}
	p.around = func(w *world, p *plugin) { w.judgeWasmPlugin(p, or(spec, s.root)) }
	w.plugins = append(w.plugins, p)
}

func (w *world) judgeWasmPlugin(p *plugin, spec *document.Node) {
	if p.text == nil {
		w.found(Finding{Severity: Error, What: "pluginConfig is missing", Why: "The plugin refuses to start.", Write: "pluginConfig: {auth0: …}"}, p.file, spec)
	}
	w.judgeMeshPort(p, "Istio")
	if phase := spec.Get("phase"); !phase.Is("AUTHN") {
		w.found(Finding{Severity: Warning, What: "phase is not AUTHN",
			Why:   "Istio then puts the plugin behind its own authorization, which judges before the token was.",
			Write: "phase: AUTHN"}, p.file, or(phase, spec))
	}
	switch fail := spec.Get("failStrategy"); {
	case fail.Is("FAIL_OPEN"):
		w.found(Finding{Severity: Error, What: "failStrategy is FAIL_OPEN", Why: "Should the plugin fail, or its image not be had, every request passes unchecked.",
			Write: "failStrategy: FAIL_RELOAD where your Istio knows it, or FAIL_CLOSE"}, p.file, fail)
	case !fail.Is("FAIL_RELOAD"):
		w.found(Finding{Severity: Hint, What: "failStrategy is not FAIL_RELOAD",
			Why:   "Should the VM ever die, every request is refused until the proxy is started again.",
			Write: "failStrategy: FAIL_RELOAD, where your Istio knows it"}, p.file, or(fail, spec))
	}
	if kind := spec.Get("type"); kind != nil && !kind.Is("HTTP") && !kind.Is("UNSPECIFIED_PLUGIN_TYPE") {
		w.found(Finding{Severity: Error, What: "type is " + kind.Str(), Why: "edgejwt is an HTTP filter.", Write: "type: HTTP"}, p.file, kind)
	}
	url := spec.Get("url")
	switch {
	case url.Str() == "":
		w.found(Finding{Severity: Error, What: "url is missing"}, p.file, or(url, spec))
	case spec.Get("sha256").Str() == "" && !strings.Contains(url.Str(), "@sha256:") && !strings.HasPrefix(url.Str(), "file:"):
		w.found(Finding{Severity: Warning, What: "the image is not pinned", Why: "Whoever can move the tag decides what runs in front of your API.",
			Write: "url: oci://…@sha256:<digest>, or sha256: <digest>"}, p.file, url)
	}
	if spec.Get("match") == nil && !atGateway(spec) {
		w.found(Finding{Severity: Hint, What: "no match",
			Why:   "In a sidecar, what the workload itself asks of others needs a token too.",
			Write: "match: [{mode: SERVER}], unless it is for a gateway"}, p.file, spec)
	}
}

// atGateway reports whether the resource is, by its looks, for a gateway only.
func atGateway(spec *document.Node) bool {
	for _, label := range spec.Get("selector", "matchLabels").Members() {
		if strings.Contains(label.Str(), "gateway") {
			return true
		}
	}
	for _, target := range spec.Get("targetRefs").Items() {
		if target.Get("kind").Is("Gateway") {
			return true
		}
	}
	return spec.Get("targetRef", "kind").Is("Gateway")
}

// istioName takes Istio's name of a cluster apart: outbound|443|subset|host.
func istioName(cluster string) (host, port string, ok bool) {
	parts := strings.Split(cluster, "|")
	if len(parts) != 4 || parts[0] != "outbound" {
		return "", "", false
	}
	return parts[3], parts[1], true
}

// judgeMesh looks for what makes and secures a cluster of that name in Istio.
func (w *world) judgeMesh(p *plugin, y *way, host, port string) {
	if y.plain && strings.HasSuffix(host, ".svc.cluster.local") {
		return // a service of the mesh has its cluster without a ServiceEntry
	}
	entry := false
	for _, e := range w.entries {
		for _, name := range e.Get("spec", "hosts").Items() {
			if strings.EqualFold(name.Str(), host) {
				entry = true
				w.judgeEntry(e, host, port)
			}
		}
	}
	if !entry {
		w.found(Finding{Severity: Warning, What: "no ServiceEntry for " + host + " in these files",
			Why:   "Without one there is no cluster " + y.cluster + ": the keys are never had, and every token is answered with 503.",
			Write: "a ServiceEntry with hosts: [" + host + "], as in deploy/istio"}, p.file, p.where(y.rule.Path))
	}
	for _, rule := range w.rules {
		if strings.EqualFold(rule.Get("spec", "host").Str(), host) {
			w.judgeRule(rule, y, port)
			return
		}
	}
	if y.plain {
		return
	}
	w.found(Finding{Severity: Warning, What: "no DestinationRule for " + host + " in these files",
		Why:   "A ServiceEntry alone gives a cluster without TLS. " + whoAnswers,
		Write: "a DestinationRule with tls: {mode: SIMPLE, sni: " + host + ", subjectAltNames: [" + host + "]}"}, p.file, p.where(y.rule.Path))
}

func (w *world) judgeEntry(e located, host, port string) {
	for _, p := range e.Get("spec", "ports").Items() {
		if p.Get("number").Is(port) {
			return
		}
	}
	w.found(Finding{Severity: Error, What: "the ServiceEntry for " + host + " has no port " + port,
		Why: "There is no cluster of the name that the configuration asks for.", Write: "ports: [{number: " + port + ", name: https, protocol: HTTPS}]"},
		e.file, or(e.Get("spec", "ports"), e.Node))
}

func (w *world) judgeRule(rule located, y *way, port string) {
	policy := rule.Get("spec", "trafficPolicy")
	tls := policy.Get("tls")
	for _, level := range policy.Get("portLevelSettings").Items() {
		if level.Get("port", "number").Is(port) {
			tls = first(level.Get("tls"), tls)
		}
	}
	mode := tls.Get("mode")
	if !mode.Is("SIMPLE") && !mode.Is("MUTUAL") {
		w.found(Finding{Severity: Error, What: "the DestinationRule for " + y.host + " does not start TLS",
			Why:   "The keys would be asked for in the clear, or with the mesh's own certificates. " + whoAnswers,
			Write: "trafficPolicy: {tls: {mode: SIMPLE, sni: " + y.host + ", subjectAltNames: [" + y.host + "]}}"}, rule.file, or(mode, tls, rule.Node))
		return
	}
	if skip := tls.Get("insecureSkipVerify"); skip.Is("true") {
		w.found(Finding{Severity: Error, What: "any certificate is accepted", Why: whoAnswers, Write: "leave insecureSkipVerify out"}, rule.file, skip)
	}
	if !tls.Get("sni").Is(y.host) {
		w.found(Finding{Severity: Warning, What: "sni is not " + y.host, Why: "Another name is asked for, or none, and another certificate may come.",
			Write: "sni: " + y.host}, rule.file, or(tls.Get("sni"), tls))
	}
	for _, name := range tls.Get("subjectAltNames").Items() {
		if strings.EqualFold(name.Str(), y.host) {
			return
		}
	}
	w.found(Finding{Severity: Warning, What: "subjectAltNames does not name " + y.host,
		Why:   "Whether names are compared without it depends on Istio's version and settings. " + whoAnswers,
		Write: "subjectAltNames: [" + y.host + "]"}, rule.file, or(tls.Get("subjectAltNames"), tls))
}
