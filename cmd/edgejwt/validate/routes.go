package validate

import (
	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// judgeMatches looks for routes that are chosen by what edgejwt changes. Envoy
// forgets its choice with every header that a Wasm plugin sets or removes, and
// chooses anew: the policy was that of one route, the request takes another.
func (m *manager) judgeMatches(w *world) {
	if m.plugin.config == nil || !m.plugin.config.RouteMetadata {
		return
	}
	headers, params, states := changed(m.plugin.config)
	routes := w.routeConfigOf(m)
	for _, name := range []string{"rds", "scoped_routes"} {
		if source := m.node.Get(name); source != nil && routes.Node == nil && len(headers)+len(params)+len(states) > 0 {
			w.found(Finding{Severity: Hint, What: "the routes come from elsewhere, and are not looked at (routeMetadata)",
				Why: "Envoy chooses again after every change of headers. A route that is chosen by what edgejwt sets or removes is taken without a look at its policy."}, m.file, source)
		}
	}
	severity := Warning
	routes.Walk(func(n *document.Node) bool {
		if n.Get("metadata", "filter_metadata", "edgejwt", "policy") != nil {
			severity = Error
		}
		return true
	})
	told := func(name string, at *document.Node) {
		w.found(Finding{Severity: severity, What: "the route is chosen by " + name + ", which edgejwt changes (routeMetadata)",
			Why:   "Envoy chooses again after the change: the policy of one route is applied, and the request takes another, whose policy nobody asks.",
			Write: "routes that are chosen by path, method and host only, or routes in edgejwt's own configuration"}, routes.file, at)
	}
	routes.Walk(func(n *document.Node) bool {
		for _, header := range n.Get("match", "headers").Items() {
			if name := header.Get("name"); headers[ascii.FoldHeader(name.Str())] {
				told("the header "+name.Str(), name)
			}
		}
		for _, param := range n.Get("match", "query_parameters").Items() {
			if name := param.Get("name"); params[name.Str()] {
				told("the query parameter "+name.Str(), name)
			}
		}
		for _, state := range n.Get("match", "filter_state").Items() {
			if key := state.Get("key"); states[key.Str()] {
				told("the filter state "+key.Str(), key)
			}
		}
		switch kind, body := typed(n); kind {
		case "HttpRequestHeaderMatchInput":
			if name := body.Get("header_name"); headers[ascii.FoldHeader(name.Str())] {
				told("the header "+name.Str(), name)
			}
		case "HttpRequestQueryParamMatchInput":
			if name := body.Get("query_param"); params[name.Str()] {
				told("the query parameter "+name.Str(), name)
			}
		}
		return true
	})
}

// changed are the folded names of the headers that edgejwt may set or remove, the
// query parameters that it may cut out, and Envoy's names of the filter state that it
// may set.
func changed(c *config.Config) (headers, params, states map[string]bool) {
	headers, params, states = map[string]bool{}, map[string]bool{}, map[string]bool{}
	if c.FilterState {
		for _, name := range []string{"decision", "route", "issuer"} {
			states["wasm.edgejwt."+name] = true
		}
	}
	for _, name := range c.Overrides {
		headers[name] = true
	}
	for i := range c.Rules {
		rule := &c.Rules[i]
		if rule.OutputPayloadToHeader != "" {
			headers[ascii.FoldHeader(rule.OutputPayloadToHeader)] = true
		}
		for _, out := range rule.OutputClaimToHeaders {
			headers[ascii.FoldHeader(out.Header)] = true
		}
		for _, out := range rule.OutputClaimToFilterState {
			states["wasm."+out.Key] = true
		}
		if rule.ForwardOriginalToken {
			continue
		}
		for _, l := range rule.Locations {
			switch l.In {
			case verify.InHeader:
				headers[ascii.FoldHeader(l.Name)] = true
			case verify.InCookie:
				headers["cookie"] = true
			case verify.InQuery:
				params[l.Name] = true
			}
		}
	}
	return headers, params, states
}
