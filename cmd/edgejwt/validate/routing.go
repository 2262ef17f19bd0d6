package validate

import (
	"slices"
	"strconv"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/verify/route"
)

// routing is what of Envoy's configuration decides how its routes read a request, and
// what of edgejwt's depends on it.
type routing struct {
	world   *world
	file    string         // of the connection manager
	manager *document.Node // HttpConnectionManager
	config  located        // RouteConfiguration; nil when it is not in the files
	plugin  *plugin

	byHost, byPath, byPolicy bool // edgejwt's decision depends on the host, the path, the route's own policy
}

// Setting is a setting of Envoy by which its routes read a request in another way
// than edgejwt does, unless edgejwt is told.
type Setting struct {
	// Name is Envoy's.
	Name  string
	judge func(*routing)
}

// Settings are all that validate looks at, for the page that explains them.
func Settings() []Setting {
	return []Setting{
		{"ignore_port_in_host_matching", (*routing).judgeIgnoredPort},
		{"strip_any_host_port", (*routing).judgePort},
		{"strip_matching_host_port", (*routing).judgeNamedPorts}, // and strip_any_host_port, of which Envoy takes one
		{"strip_trailing_host_dot", (*routing).judgeDot},
		{"vhost_header", (*routing).judgeHostHeader},
		{"case_sensitive", (*routing).judgeCase},
		{"ignore_path_parameters_in_path_matching", (*routing).judgeParameters},
	}
}

// judgeRouting looks at each setting, and at what policies say of Envoy's routes.
func (m *manager) judgeRouting(w *world) {
	c := m.plugin.config
	if c == nil {
		return
	}
	r := &routing{world: w, file: m.file, manager: m.node, plugin: m.plugin, byPolicy: c.RouteMetadata}
	for i := range c.Routes {
		r.byHost = r.byHost || c.Routes[i].Hosts != nil
		r.byPath = r.byPath || c.Routes[i].Path.Kind != route.Any
	}
	r.config = w.routeConfigOf(m)
	for _, s := range Settings() {
		s.judge(r)
	}
	r.judgeRewrites()
	if r.config.Node != nil && c.RouteMetadata {
		r.judgeSpellings()
	}
}

// routeConfigOf is the manager's RouteConfiguration: its own, or the one that it names
// if it stands in one of the files.
func (w *world) routeConfigOf(m *manager) located {
	if own := m.node.Get("route_config"); own != nil {
		return located{m.file, own}
	}
	name := m.node.Get("rds", "route_config_name").Str()
	for _, c := range w.routeConfigs {
		if name != "" && c.Get("name").Is(name) {
			return c
		}
	}
	return located{}
}

// on reports whether a switch is on; field is nil where it is absent.
func on(field *document.Node) bool { return field.Is("true") }

func (r *routing) found(f Finding, at ...*document.Node) {
	r.world.found(f, r.file, or(append(at, r.manager)...))
}

func (r *routing) foundInRoutes(f Finding, at ...*document.Node) {
	r.world.found(f, r.config.file, or(append(at, r.config.Node)...))
}

// hostPort is where edgejwt's own field stands, or would.
func (r *routing) hostPort() *document.Node { return r.plugin.where("hostPort") }

const whyPort = "A client chooses the port that it names in Host."

func (r *routing) judgeIgnoredPort() {
	ignored := r.plugin.config.RouteOptions.IgnoreHostPort
	field := r.config.Get("ignore_port_in_host_matching")
	switch {
	case ignored && r.config.Node == nil:
		r.world.found(Finding{Severity: Hint, What: "hostPort is ignored, and Envoy's routes are not in these files",
			Why:   "Whether they ignore the port too (ignore_port_in_host_matching) was not looked at.",
			Write: "hostPort: exact, unless they do"}, r.plugin.file, r.hostPort())
	case ignored && !on(field):
		r.world.found(Finding{Severity: Error, What: "hostPort is ignored, and Envoy's routes do not ignore the port",
			Why:   whyPort + " With one, edgejwt applies the rule of a host that Envoy takes for another. Where Envoy strips ports, it keeps one that is empty or too great (www.example.com:).",
			Write: "hostPort: exact, or ignore_port_in_host_matching: true in Envoy's route configuration"}, r.plugin.file, r.hostPort())
	case !ignored && on(field) && (r.byHost || r.byPolicy) && !on(r.manager.Get("strip_any_host_port")):
		r.foundInRoutes(Finding{Severity: Warning, What: "Envoy's routes ignore the port of the host, and hostPort is exact",
			Why:   "Requests that name a port are then refused, or asked for more than others.",
			Write: "hostPort: ignored in edgejwt's configuration"}, field)
	}
}

func (r *routing) judgePort() {
	if !r.byHost && !r.byPolicy || r.plugin.config.RouteOptions.IgnoreHostPort || on(r.config.Get("ignore_port_in_host_matching")) ||
		on(r.manager.Get("strip_any_host_port")) || on(r.manager.Get("strip_matching_host_port")) {
		return
	}
	r.found(Finding{Severity: Hint, What: "hosts keep their port",
		Why:   whyPort + " To the routes a host with a port is another one: such a request is refused, or asked for the strictest that it could mean.",
		Write: "strip_any_host_port: true, if Envoy's domains name no port"}, r.manager.Get("strip_any_host_port"), r.manager.Get("strip_matching_host_port"))
}

// judgeNamedPorts looks for hosts with a port that Envoy strips from every request.
func (r *routing) judgeNamedPorts() {
	stripped := "" // the port that is stripped, where it is one
	if !on(r.manager.Get("strip_any_host_port")) {
		if stripped = r.listenerPort(); stripped == "" || !on(r.manager.Get("strip_matching_host_port")) {
			return
		}
	}
	for i := range r.plugin.config.Routes {
		hosts := r.plugin.config.Routes[i].Hosts
		for j, host := range hosts {
			colon := strings.LastIndexByte(host, ':')
			if colon <= strings.LastIndexByte(host, ']') || stripped != "" && host[colon+1:] != stripped {
				continue
			}
			if slices.ContainsFunc(hosts, func(other string) bool { return strings.EqualFold(other, host[:colon]) }) {
				continue
			}
			r.world.found(Finding{Severity: Warning, What: "names the port of " + host + ", which Envoy strips",
				Why:   "Envoy takes the port from the host before edgejwt sees it (strip_any_host_port, strip_matching_host_port): no request has this host.",
				Write: host[:colon]}, r.plugin.file, r.plugin.where("routes["+strconv.Itoa(i)+"].hosts["+strconv.Itoa(j)+"]"))
		}
	}
}

// listenerPort is the port of the listener that the connection manager stands in, or "".
func (r *routing) listenerPort() (port string) {
	for _, s := range r.world.sources {
		if s.file != r.file {
			continue
		}
		s.root.Walk(func(n *document.Node) bool {
			at := n.Get("address", "socket_address", "port_value")
			if at == nil {
				return true
			}
			n.Walk(func(below *document.Node) bool {
				if below == r.manager {
					port = at.Text
				}
				return port == ""
			})
			return port == ""
		})
	}
	return port
}

func (r *routing) judgeDot() {
	if dot := r.manager.Get("strip_trailing_host_dot"); (r.byHost || r.byPolicy) && !on(dot) {
		r.found(Finding{Severity: Hint, What: "hosts keep a dot at their end",
			Why:   "To Envoy's domains www.example.com. is another host than www.example.com: such a request is refused, or asked for the strictest that it could mean.",
			Write: "strip_trailing_host_dot: true"}, dot)
	}
}

func (r *routing) judgeHostHeader() {
	header := r.config.Get("vhost_header")
	byHost := r.byHost || r.byPolicy
	for i := range r.plugin.config.Routes {
		byHost = byHost || slices.ContainsFunc(r.plugin.config.Routes[i].Requirements.ClaimMatches, func(b route.Binding) bool { return b.Host })
	}
	if header.Str() == "" || !byHost {
		return
	}
	r.foundInRoutes(Finding{Severity: Error, What: "Envoy takes the host from the header " + header.Str() + ", and edgejwt from :authority",
		Why:   "A client may name one host in the one and another in the other: the rule of the first applies, and the request goes to the second.",
		Write: "leave vhost_header out, or hosts, claimMatches with host, and routeMetadata"}, header)
}

func (r *routing) judgeCase() {
	if !r.byPath || r.plugin.config.RouteOptions.IgnoreCase {
		return
	}
	r.config.Walk(func(n *document.Node) bool {
		match := n.Get("match")
		insensitive := match.Get("case_sensitive")
		if expression := match.Get("safe_regex", "regex"); strings.HasPrefix(expression.Str(), "(?i") {
			insensitive = expression
		} else if !insensitive.Is("false") {
			return true
		}
		r.foundInRoutes(Finding{Severity: Warning, What: "Envoy's route ignores the case of paths, and edgejwt's routes do not",
			Why:   "Where the server behind ignores it too, /ADMIN is served as /admin and comes to no rule for /admin.",
			Write: "ignorePathCase: true in edgejwt's configuration, or leave case_sensitive out"}, insensitive)
		return true
	})
}

func (r *routing) judgeParameters() {
	if ignores := r.config.Get("ignore_path_parameters_in_path_matching"); on(ignores) && (r.byPath || r.byPolicy) {
		r.foundInRoutes(Finding{Severity: Hint, What: "Envoy's routes leave out what stands behind a semicolon in a path",
			Why: "edgejwt refuses such paths with 400, because servers read them in different ways."}, ignores)
	}
}

// judgeMeshPort looks at hostPort where the routes are a mesh's, which ignore the port.
func (w *world) judgeMeshPort(p *plugin, mesh string) {
	c := p.config
	if c == nil || c.RouteOptions.IgnoreHostPort {
		return
	}
	byHost := slices.ContainsFunc(c.Routes, func(r route.Route) bool { return r.Hosts != nil })
	if byHost || c.RouteMetadata {
		w.found(Finding{Severity: Warning, What: "hostPort is exact, and the routes of " + mesh + " ignore the port of the host",
			Why:   "Requests that name a port are then refused, or asked for more than others.",
			Write: "hostPort: ignored"}, p.file, p.where("hostPort"))
	}
}
