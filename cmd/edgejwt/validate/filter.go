package validate

import (
	"sort"
	"strings"

	"edgejwt/cmd/edgejwt/document"
)

// judgeFilter looks at what Envoy's Wasm filter says besides the configuration.
func (w *world) judgeFilter(p *plugin, conf *document.Node, m *manager) {
	if conf == nil {
		w.found(Finding{Severity: Error, What: "the Wasm filter has no config"}, p.file, p.at)
		return
	}
	w.judgeHeld(p, conf)
	w.judgeFailure(p, conf)
	vm := conf.Get("vm_config")
	if vm.Get("vm_id").Str() == "" {
		w.found(Finding{Severity: Hint, What: "vm_config.vm_id is not set",
			Why:   "Workers share key sets under this name. All plugins without one can write there, and those that run the same code share a VM and its failures.",
			Write: "vm_id: edgejwt"}, p.file, or(vm, conf))
	}
	if runtime := vm.Get("runtime"); runtime != nil && !strings.HasSuffix(runtime.Str(), ".v8") {
		severity := Warning
		if strings.HasSuffix(runtime.Str(), ".null") {
			severity = Error
		}
		w.found(Finding{Severity: severity, What: runtime.Str() + " is not the runtime that edgejwt is tested with",
			Write: "runtime: envoy.wasm.runtime.v8"}, p.file, runtime)
	}
	if stop := conf.Get("allow_on_headers_stop_iteration"); stop.Is("true") {
		w.found(Finding{Severity: Warning, What: "allow_on_headers_stop_iteration is true",
			Why:   "Bodies of requests that wait for keys are buffered, and one that outgrows the buffer gets 413.",
			Write: "leave it out; false is the default"}, p.file, stop)
	}
	for _, restriction := range []*document.Node{conf.Get("capability_restriction_config"), vm.Get("capability_restriction_config")} {
		w.judgeCapabilities(p, restriction.Get("allowed_capabilities"))
	}
}

// judgeHeld looks at how the configuration is handed over.
func (w *world) judgeHeld(p *plugin, conf *document.Node) {
	held := conf.Get("configuration")
	switch kind := held.Get("@type").Str(); {
	case held == nil:
		w.found(Finding{Severity: Error, What: "the plugin has no configuration", Why: "It refuses to start.", Write: writeStringValue}, p.file, conf)
	case p.text == nil && strings.HasSuffix(kind, ".Struct"):
		w.found(Finding{Severity: Error, What: "configuration is a Struct",
			Why:   "A Struct reaches a plugin as protobuf bytes and not as JSON; it refuses to start.",
			Write: writeStringValue}, p.file, held)
	case p.text == nil:
		w.found(Finding{Severity: Error, What: "configuration is not a StringValue with JSON in it", Why: "The plugin refuses to start.",
			Write: writeStringValue}, p.file, held)
	}
}

const writeStringValue = `configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, value: '{"auth0": …}'}`

// judgeFailure looks at what becomes of requests when the VM dies.
func (w *world) judgeFailure(p *plugin, conf *document.Node) {
	if open := conf.Get("fail_open"); open.Is("true") {
		w.found(Finding{Severity: Error, What: "fail_open is true", Why: "Should the plugin ever fail, every request passes unchecked.",
			Write: "failure_policy: FAIL_RELOAD"}, p.file, open)
	}
	policy := conf.Get("failure_policy")
	switch {
	case policy.Is("FAIL_RELOAD") || policy.Is("1"):
	case policy.Is("FAIL_OPEN") || policy.Is("3"):
		w.found(Finding{Severity: Error, What: "failure_policy is FAIL_OPEN", Why: "Should the plugin ever fail, every request passes unchecked.",
			Write: "failure_policy: FAIL_RELOAD"}, p.file, policy)
	case conf.Get("fail_open").Is("true"): // told above
	default:
		w.found(Finding{Severity: Warning, What: "failure_policy is not FAIL_RELOAD",
			Why:   "Should the VM ever die, every request gets 503 until Envoy is started again. FAIL_RELOAD (Envoy 1.33 and later) makes a new one.",
			Write: "failure_policy: FAIL_RELOAD"}, p.file, or(policy, conf))
	}
}

// Capabilities are the names that a capability restriction must allow: what the
// module imports and what of its exports has to be called. Nil when this build
// does not know them; then only those are asked for without which requests pass
// unchecked or the VM does not start.
var Capabilities []string

// vital: without the first, Envoy never asks the plugin and every request
// passes; Go does not start without the second.
var vital = []string{"proxy_on_request_headers", "fd_prestat_get"}

func (w *world) judgeCapabilities(p *plugin, allowed *document.Node) {
	if len(allowed.Members()) == 0 {
		return // nothing is restricted
	}
	wanted := append(append([]string(nil), vital...), Capabilities...)
	sort.Strings(wanted)
	last := ""
	for _, name := range wanted {
		if name == last || allowed.Get(name) != nil {
			continue
		}
		last = name
		why := "The module does not load without it, or fails later."
		if name == vital[0] {
			why = "Envoy loads the module all the same, never asks it, and every request passes unchecked."
		}
		w.found(Finding{Severity: Error, What: "allowed_capabilities lacks " + name, Why: why, Write: name + ": {}"}, p.file, allowed)
	}
}

// or gives the first node that is there.
func or(nodes ...*document.Node) *document.Node {
	for _, n := range nodes {
		if n != nil {
			return n
		}
	}
	return &document.Node{Line: 1}
}
