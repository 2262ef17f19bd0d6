package validate

import (
	"strconv"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// manager is one of Envoy's HTTP connection managers.
type manager struct {
	file string
	node *document.Node
	// index is edgejwt's place in http_filters, and plugin what stands there; nil
	// without one.
	index  int
	plugin *plugin
}

// manager takes a connection manager up, with the edgejwt that stands in it.
func (w *world) manager(file string, n *document.Node) {
	m := &manager{file: file, node: n}
	w.managers = append(w.managers, m)
	for i, filter := range n.Get("http_filters").Items() {
		body := filter.Get("typed_config")
		if !isWasmFilter(body) {
			continue
		}
		if p := w.filter(file, body, m); p != nil && m.plugin == nil {
			m.index, m.plugin = i, p
		}
	}
}

func (w *world) judgeManagers() {
	for _, m := range w.managers {
		if m.plugin == nil {
			if len(w.plugins) > 0 {
				w.found(Finding{Severity: Hint, What: "no edgejwt among the http_filters",
					Why: "What comes in here is not checked."}, m.file, m.node)
			}
			continue
		}
		m.judge(w)
	}
}

func (m *manager) judge(w *world) {
	filters := m.node.Get("http_filters").Items()
	for i, filter := range filters {
		kind := filterPackage(filter.Get("typed_config"))
		switch rule, known := order[kind]; {
		case !known || i == m.index || rule.before == (i < m.index):
		default:
			place := "after"
			if i < m.index {
				place = "before"
			}
			rule.Finding.What = kind + " stands " + place + " edgejwt"
			w.found(rule.Finding, m.file, filter)
		}
	}
	own := filters[m.index]
	if off := own.Get("disabled"); off.Is("true") {
		w.found(Finding{Severity: Error, What: "the filter is disabled", Why: "It checks only requests of routes that turn it on; all others pass.",
			Write: "leave disabled out, and turn the filter off where a route needs none (or write a route with auth: none)"}, m.file, off)
	}
	if optional := own.Get("is_optional"); optional.Is("true") {
		w.found(Finding{Severity: Error, What: "the filter is optional", Why: "An Envoy that cannot run it leaves it out, and every request passes.",
			Write: "leave is_optional out"}, m.file, optional)
	}
	m.judgePaths(w)
	m.judgeTokenBytes(w)
	m.judgeUpgrades(w)
	m.judgeRoutes(w, own.Get("name").Str())
	m.judgeMatches(w)
	m.judgeRouting(w)
}

// order lists the filters whose place beside edgejwt matters.
var order = map[string]struct {
	before bool // it belongs before edgejwt
	Finding
}{
	"cors": {true, Finding{Severity: Warning, Write: "cors before edgejwt",
		Why: "Refusals then lack the CORS headers, and scripts in browsers cannot read why they were refused."}},
	"grpc_web": {true, Finding{Severity: Warning, Write: "grpc_web before edgejwt",
		Why: "gRPC-Web clients cannot read refusals that do not pass through it."}},
	"health_check": {true, Finding{Severity: Hint, Write: "health_check before edgejwt",
		Why: "Health checks would need a token."}},
	"oauth2": {true, Finding{Severity: Warning, Write: "oauth2 before edgejwt",
		Why: "It puts the user's token into the request, which edgejwt then has already judged without."}},
	"cache": {false, Finding{Severity: Error, Write: "cache after edgejwt",
		Why: "What is in the cache is given to whoever asks, without a token."}},
	"rbac": {false, Finding{Severity: Warning, Write: "rbac after edgejwt",
		Why: "It judges before the token was, and the headers that tell who calls may be forged by then."}},
	"ext_authz": {false, Finding{Severity: Warning, Write: "ext_authz after edgejwt",
		Why: "The service is asked with unchecked tokens, and the headers that tell who calls may be forged by then."}},
	"ratelimit": {false, Finding{Severity: Hint, Write: "ratelimit after edgejwt, if its descriptors say who calls",
		Why: "The headers that tell who calls may be forged by then."}},
}

// judgePaths looks at whether edge and API mean the same path and header.
func (m *manager) judgePaths(w *world) {
	const why = "Servers read odd paths differently. edgejwt refuses what has not one reading only; an Envoy that normalises lets more through, and spells it one way for all."
	n := m.node
	if !n.Get("normalize_path").Is("true") {
		w.found(Finding{Severity: Warning, What: "normalize_path is not true", Why: why, Write: "normalize_path: true"}, m.file, or(n.Get("normalize_path"), n))
	}
	if !n.Get("merge_slashes").Is("true") {
		w.found(Finding{Severity: Hint, What: "merge_slashes is not true", Why: why, Write: "merge_slashes: true"}, m.file, or(n.Get("merge_slashes"), n))
	}
	action := n.Get("path_with_escaped_slashes_action")
	if !action.Is("UNESCAPE_AND_REDIRECT") && !action.Is("UNESCAPE_AND_FORWARD") && !action.Is("REJECT_REQUEST") &&
		!action.Is("2") && !action.Is("3") && !action.Is("4") {
		w.found(Finding{Severity: Hint, What: "path_with_escaped_slashes_action keeps %2F and %5C", Why: why,
			Write: "path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT"}, m.file, or(action, n))
	}
	underscores := n.Get("common_http_protocol_options", "headers_with_underscores_action")
	if !underscores.Is("DROP_HEADER") && !underscores.Is("REJECT_REQUEST") && !underscores.Is("1") && !underscores.Is("2") {
		w.found(Finding{Severity: Hint, What: "headers with underscores are let through",
			Why:   "Some servers read x_jwt_sub as x-jwt-sub. edgejwt removes those of its own headers; other headers that your API trusts are yours.",
			Write: "common_http_protocol_options: {headers_with_underscores_action: DROP_HEADER}"}, m.file, or(underscores, n))
	}
}

// judgeTokenBytes looks for tokens that Envoy's bound on all headers does not let through.
func (m *manager) judgeTokenBytes(w *world) {
	if m.plugin.config == nil {
		return
	}
	most := 60 << 10
	limit := m.node.Get("max_request_headers_kb")
	if limit != nil {
		if kib, err := strconv.Atoi(limit.Text); err == nil {
			most = kib << 10
		}
	}
	for i := range m.plugin.config.Rules {
		rule := &m.plugin.config.Rules[i]
		if rule.MaxTokenBytes > verify.DefaultTokenBytes && rule.MaxTokenBytes >= most {
			w.found(Finding{Severity: Warning, What: "max_request_headers_kb is less than " + rule.Path + ".maxTokenBytes needs",
				Why:   "Envoy answers 431 when all headers together are longer, before it asks edgejwt.",
				Write: "max_request_headers_kb: " + strconv.Itoa(rule.MaxTokenBytes>>10+16)}, m.file, or(limit, m.node))
		}
	}
}

// judgeUpgrades looks for upgrades with a filter chain of their own.
func (m *manager) judgeUpgrades(w *world) {
	for _, upgrade := range m.node.Get("upgrade_configs").Items() {
		filters := upgrade.Get("filters").Items()
		has := len(filters) == 0 // http_filters then
		for _, filter := range filters {
			has = has || isWasmFilter(filter.Get("typed_config"))
		}
		if !has {
			w.found(Finding{Severity: Error, What: "upgrades to " + upgrade.Get("upgrade_type").Str() + " have filters of their own, without edgejwt",
				Why: "A request that asks for the upgrade passes unchecked.", Write: "leave filters out, or edgejwt first among them"}, m.file, upgrade)
		}
	}
}

// judgeRoutes looks at what routes say of the filter, which they know by name.
func (m *manager) judgeRoutes(w *world, name string) {
	uses := m.plugin.config != nil && m.plugin.config.RouteMetadata
	routes := w.routeConfigOf(m)
	routes.Walk(func(n *document.Node) bool {
		for _, per := range n.Get("typed_per_filter_config").Members() {
			switch kind, body := typed(per); {
			case per.Name != name:
			case kind != "FilterConfig":
				w.found(Finding{Severity: Error, What: "a Wasm filter takes no configuration of its own for a route", Why: "Envoy refuses the route.",
					Write: "a route in edgejwt's own configuration, or routeMetadata"}, routes.file, per)
			case body.Get("disabled").Is("true"):
				w.found(Finding{Severity: Warning, What: "edgejwt is off here",
					Why:   "Nothing is checked, and headers that tell who calls are not cleaned of what clients forge.",
					Write: "a route with auth: none, which does clean them"}, routes.file, per)
			}
		}
		if policy := n.Get("metadata", "filter_metadata", "edgejwt", "policy"); policy != nil && n.Get("match") != nil {
			m.judgePolicy(w, routes.file, policy, uses)
		}
		return true
	})
}

// judgePolicy looks at a policy in the metadata of one of Envoy's routes.
func (m *manager) judgePolicy(w *world, file string, policy *document.Node, uses bool) {
	if !uses && m.plugin.config != nil {
		w.found(Finding{Severity: Error, What: "a policy stands here, which edgejwt does not read",
			Write: "routeMetadata: true in edgejwt's configuration"}, file, policy)
	}
	if policy.Kind != document.Text {
		w.found(Finding{Severity: Error, What: "the policy is not a string that holds JSON", Why: "Requests of this route get 500.",
			Write: `policy: '{"scopes": ["read:orders"]}'`}, file, policy)
		return
	}
	parsed, err := config.ParsePolicy(policy.Str())
	w.judgeLists(&parsed.Route.Requirements, file, func(string, int) *document.Node { return policy })
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			w.found(Finding{Severity: Error, What: line, Why: "Requests of this route get 500."}, file, policy)
		}
	}
}

// judgeStats looks at whether the reasons of refusals become labels.
func (w *world) judgeStats() {
	for _, s := range w.sources {
		if s.root.Get("static_resources") == nil || len(w.plugins) == 0 {
			continue
		}
		tags := s.root.Get("stats_config", "stats_tags")
		has := false
		for _, tag := range tags.Items() {
			has = has || strings.Contains(tag.Get("regex").Str(), "reason=")
		}
		if !has {
			w.found(Finding{Severity: Hint, What: "no stats_tags for edgejwt's metrics",
				Why:   "The reason of a refusal stays a part of the counter's name.",
				Write: `stats_config: {stats_tags: [{tag_name: reason, regex: "(;reason=(.*?);;)"}, …]}`}, s.file, or(tags, s.root))
		}
	}
}
