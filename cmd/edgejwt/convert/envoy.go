package convert

import (
	"bytes"
	"slices"
	"strings"

	jwtv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"edgejwt/cmd/edgejwt/document"
)

// The types that matter, as "@type" ends.
const (
	jwtType      = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
	jwtRouteType = "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig"
	rbacType     = "envoy.extensions.filters.http.rbac.v3.RBAC"
)

// envoy reads the filters out of a bootstrap, a listener, a list of filters or
// one filter's configuration.
func (c *conversion) envoy(root *document.Node) {
	if root.Get("@type") == nil && (root.Get("providers") != nil || root.Get("requirement_map") != nil) {
		c.filters([]*document.Node{root})
		return
	}
	lists := c.httpFilters(root)
	if c.problems != nil || len(lists) == 0 {
		return
	}
	for _, other := range lists[1:] {
		if !sameFilters(lists[0].found, other.found) {
			c.problem("jwt_authn stands in several listeners and says different things; convert each listener alone")
			return
		}
	}
	for _, l := range lists {
		c.beside(l)
	}
	c.perRoute(root, lists[0].found)
	c.filters(lists[0].found)
}

// filterList is a list of filters: all of them, and those that are read.
type filterList struct{ all, found []*document.Node }

// configOf is the configuration of a filter in a list.
func configOf(filter *document.Node) *document.Node {
	if inner := filter.Get("typed_config"); inner != nil {
		return inner
	}
	return filter
}

// httpFilters gives the lists that hold jwt_authn; a filter that stands alone is a
// list of one. A filter that is not in a list as it is, but inside of another or
// at a discovery service, is a problem: it may refuse what the others do not.
func (c *conversion) httpFilters(root *document.Node) (lists []filterList) {
	known := map[*document.Node]bool{}
	root.Walk(func(n *document.Node) bool {
		l := filterList{all: n.Items()}
		if n == root && typeOf(configOf(n)) == jwtType {
			l.all = []*document.Node{n}
		}
		guards := false
		for _, e := range l.all {
			if t := typeOf(configOf(e)); t == jwtType || t == rbacType {
				l.found = append(l.found, e)
				guards = guards || t == jwtType
			}
		}
		switch {
		case guards:
			lists = append(lists, l)
		case l.found != nil && n.Name == "http_filters", l.found != nil && n.Name == "httpFilters":
			for _, e := range l.found {
				c.note("The RBAC filter in %s stands in a list without jwt_authn and is not part of this: leave it where it is.", e.Path)
			}
		default:
			return true
		}
		for _, e := range l.found {
			known[configOf(e)] = true
		}
		return true
	})
	root.Walk(func(n *document.Node) bool {
		if known[n] {
			return false
		}
		if what := filterNames[typeName(n.Str())]; what != "" {
			c.problem("line %d: %s: %s that does not stand in the list of filters itself; write it there, with its typed_config", n.Line, n.Path, what)
		}
		return true
	})
	return lists
}

var filterNames = map[string]string{jwtType: "a jwt_authn filter", rbacType: "an RBAC filter"}

// beside names what stands in a list and is not read.
func (c *conversion) beside(l filterList) {
	var others []string
	for _, e := range l.all {
		if !slices.Contains(l.found, e) {
			if name := e.Get("name").Str(); name != "envoy.filters.http.router" {
				others = append(others, name)
			}
			continue
		}
		if e.Get("typed_config") == nil {
			continue // the configuration itself
		}
		for _, field := range e.Members() {
			switch field.Name {
			case "name", "typed_config", "typedConfig", "disabled", "is_optional", "isOptional":
			default:
				c.problem("line %d: the field %s of a filter is nothing that convert knows", field.Line, field.Name)
			}
		}
	}
	if others != nil {
		c.note("Filters that convert has not read, and that stay where they are: %s.", strings.Join(others, ", "))
	}
}

func sameFilters(a, b []*document.Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i].JSON(), b[i].JSON()) {
			return false
		}
	}
	return true
}

// typeOf is the type of a typed_config, "" when there is none.
func typeOf(n *document.Node) string { return typeName(n.Get("@type").Str()) }

// typeName is the type that a URL names.
func typeName(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

// perRoute looks for routes with settings of their own for the filters.
func (c *conversion) perRoute(root *document.Node, filters []*document.Node) {
	names := map[string]bool{}
	for _, f := range filters {
		names[f.Get("name").Str()] = true
	}
	root.Walk(func(n *document.Node) bool {
		switch n.Name {
		case "rds", "scoped_routes", "scopedRoutes":
			c.note("%s: the routes are not in this file. What they say of jwt_authn or RBAC (typed_per_filter_config) is not in this: "+
				"switch edgejwt off where they switch these off, and write what they require into routes or into their metadata (routeMetadata).", n.Path)
			return false
		case "typed_per_filter_config", "typedPerFilterConfig":
		default:
			return true
		}
		for _, setting := range n.Members() {
			config := setting
			if inner := setting.Get("config"); inner != nil { // a FilterConfig
				config = inner
			}
			ours := names[setting.Name] || strings.Contains(setting.Name, "jwt_authn") || strings.Contains(setting.Name, "rbac")
			setting.Walk(func(n *document.Node) bool {
				t := typeName(n.Str())
				ours = ours || t == jwtRouteType || strings.HasPrefix(t, rbacType)
				return true
			})
			switch {
			case !ours:
			case setting.Get("disabled").Is("true") && setting.Get("config") == nil, typeOf(config) == jwtRouteType && config.Get("disabled").Is("true"):
				c.note("Stricter here: line %d switches %s off for an Envoy route. Switch edgejwt off there in the same way, "+
					"or write a route with auth: none.", setting.Line, setting.Name)
			default:
				c.problem("line %d: an Envoy route has settings of its own (%s); write what it requires into the filter's rules, or into the route's metadata (routeMetadata)", setting.Line, setting.Name)
			}
		}
		return false
	})
}

// filters converts jwt_authn and the RBAC filters behind it.
func (c *conversion) filters(found []*document.Node) {
	var policies chain
	seen := false
	for i, n := range found {
		config := configOf(n)
		if n.Get("disabled").Is("true") {
			c.problem("line %d: a filter that is disabled, and may be enabled by routes", n.Line)
			return
		}
		if typeOf(config) == rbacType {
			if !seen {
				c.note("The RBAC filter in front of jwt_authn (line %d) is not part of this: leave it where it is.", n.Line)
				continue
			}
			m := new(rbacv3.RBAC)
			if !c.message(config, m) {
				return
			}
			more := c.rbac(m)
			if more == nil {
				continue
			}
			if policies == nil {
				policies = more
				continue
			}
			both, err := policies.and(more)
			if err != nil {
				c.problem("%v", err)
				return
			}
			policies = both
			continue
		}
		if seen {
			c.problem("line %d: jwt_authn stands there twice", n.Line)
			return
		}
		seen, c.guarded = true, i+1 < len(found)
		m := new(jwtv3.JwtAuthentication)
		if !c.message(config, m) {
			return
		}
		c.jwtAuthn(m)
	}
	if c.problems != nil || policies == nil {
		return
	}
	both, err := c.decision.before(policies)
	if err != nil {
		c.problem("%v", err)
		return
	}
	c.decision = both
	if !c.judges {
		c.judgesBehind("jwt_authn", "RBAC filter")
	}
	c.note("The RBAC filter is in this too: with edgejwt it would find no claims any more, so remove it.")
}

// message reads a protobuf message strictly.
func (c *conversion) message(n *document.Node, m interface {
	proto.Message
	ValidateAll() error
}) bool {
	bare := *n
	bare.Children = nil
	for _, child := range n.Members() {
		if child.Name != "@type" {
			bare.Children = append(bare.Children, child)
		}
	}
	err := protojson.Unmarshal(bare.JSON(), m)
	if err == nil {
		err = m.ValidateAll()
	}
	if err != nil {
		// protobuf puts a random space into its messages, so that nobody compares them.
		c.problem("line %d: %s", n.Line, strings.Join(strings.Fields(err.Error()), " "))
	}
	if err == nil {
		c.unread(m)
	}
	return err == nil
}
