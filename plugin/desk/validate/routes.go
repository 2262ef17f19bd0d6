package validate

import (
	"edgejwt/plugin/config"
	"edgejwt/plugin/desk/document"
	"edgejwt/verify"
)

// judgeMatches looks for routes that are chosen by what edgejwt changes. Envoy
// forgets its choice with every header that a Wasm plugin sets or removes, and
// chooses anew: the policy was that of one route, the request takes another.
func (m *manager) judgeMatches(w *world) {
	if m.plugin.config == nil || !m.plugin.config.RouteMetadata {
		return
	}
	headers, params := changed(m.plugin.config)
	told := func(name string, at *document.Node) {
		w.found(Finding{Severity: Warning, What: "the route is chosen by " + name + ", which edgejwt changes (routeMetadata)",
			Why:   "Envoy chooses again after the change: the policy of one route is applied, and the request takes another. A client that sends the header himself can pick the policy.",
			Write: "routes that are chosen by path, method and host only, or routes in edgejwt's own configuration"}, m.file, at)
	}
	m.node.Get("route_config").Walk(func(n *document.Node) bool {
		for _, header := range n.Get("match", "headers").Items() {
			if name := header.Get("name"); headers[config.FoldHeader(name.Str())] {
				told("the header "+name.Str(), name)
			}
		}
		for _, param := range n.Get("match", "query_parameters").Items() {
			if name := param.Get("name"); params[name.Str()] {
				told("the query parameter "+name.Str(), name)
			}
		}
		switch kind, body := typed(n); kind {
		case "HttpRequestHeaderMatchInput":
			if name := body.Get("header_name"); headers[config.FoldHeader(name.Str())] {
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

// changed are the folded names of the headers that edgejwt may set or remove, and
// the query parameters that it may cut out.
func changed(c *config.Config) (headers, params map[string]bool) {
	headers, params = map[string]bool{}, map[string]bool{}
	for i := range c.Rules {
		rule := &c.Rules[i]
		if rule.OutputPayloadToHeader != "" {
			headers[config.FoldHeader(rule.OutputPayloadToHeader)] = true
		}
		for _, out := range rule.OutputClaimToHeaders {
			headers[config.FoldHeader(out.Header)] = true
		}
		if rule.ForwardOriginalToken {
			continue
		}
		for _, l := range rule.Locations {
			switch l.In {
			case verify.InHeader:
				headers[config.FoldHeader(l.Name)] = true
			case verify.InCookie:
				headers["cookie"] = true
			case verify.InQuery:
				params[l.Name] = true
			}
		}
	}
	return headers, params
}
