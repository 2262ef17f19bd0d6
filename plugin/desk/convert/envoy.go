package convert

import (
	"bytes"
	"strings"

	jwtv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"edgejwt/plugin/desk/document"
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
	chains := httpFilters(root)
	if len(chains) == 0 {
		return
	}
	for _, other := range chains[1:] {
		if !sameFilters(chains[0], other) {
			c.problem("jwt_authn stands in several listeners and says different things; convert each listener alone")
			return
		}
	}
	c.perRoute(root)
	c.filters(chains[0])
}

// httpFilters gives the filters of each list that holds jwt_authn; a filter that
// stands alone is a list of one.
func httpFilters(root *document.Node) (chains [][]*document.Node) {
	root.Walk(func(n *document.Node) bool {
		var found []*document.Node
		guards := false
		elements := n.Items()
		if n.Kind == document.Map && (n == root || n.Name == "typed_config") && typeOf(n) == jwtType {
			elements = []*document.Node{n}
		}
		for _, e := range elements {
			config := e
			if inner := e.Get("typed_config"); inner != nil {
				config = inner
			}
			if t := typeOf(config); t == jwtType || t == rbacType {
				found = append(found, e)
				guards = guards || t == jwtType
			}
		}
		if guards {
			chains = append(chains, found)
		}
		return !guards
	})
	return chains
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
func typeOf(n *document.Node) string {
	t := n.Get("@type").Str()
	return t[strings.LastIndexByte(t, '/')+1:]
}

// perRoute looks for routes with settings of their own.
func (c *conversion) perRoute(root *document.Node) {
	root.Walk(func(n *document.Node) bool {
		if n.Name != "typed_per_filter_config" && n.Name != "typedPerFilterConfig" {
			return true
		}
		for _, setting := range n.Members() {
			config := setting
			if inner := setting.Get("config"); inner != nil { // a FilterConfig
				config = inner
			}
			t := typeOf(config)
			switch {
			case t == jwtRouteType && config.Get("disabled").Is("true"):
				c.note("Stricter here: line %d switches jwt_authn off for an Envoy route. Switch edgejwt off there in the same way, "+
					"or write a route with auth: none.", setting.Line)
			case t == jwtRouteType, strings.HasPrefix(t, rbacType), strings.Contains(setting.Name, "jwt_authn"), strings.Contains(setting.Name, "rbac"):
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
		config := n
		if inner := n.Get("typed_config"); inner != nil {
			config = inner
		}
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
	return err == nil
}
