// Package convert turns what other filters are told about tokens into edgejwt's
// configuration: Envoy's jwt_authn with the RBAC filter behind it, Istio's
// RequestAuthentication with AuthorizationPolicy, and Envoy Gateway's
// SecurityPolicy.
//
// Convert is the only call. What it gives is never silently laxer than what it
// was given: what edgejwt cannot say becomes stricter, with a comment, and where
// nothing stricter can be said either, there is an error. A comment also stands
// where edgejwt takes two tokens for one that the other filter tells apart: a claim
// that is a value, and one that is a list with it.
//
// Files are read strictly, because an unknown field may be what guards an API.
// The output has passed config.Parse.
//
// # How
//
// What guards a request is brought into chains: lists of conditions and needs of
// which the first that matches decides, as that filter sees requests. chain.go has
// their algebra, with cond.go and path.go for the conditions and need.go for what is
// asked; policy.go turns policies into chains. jwtauthn.go, rbac.go and matcher.go read
// Envoy's filters, istio.go Istio's resources, gateway.go Envoy Gateway's;
// provider.go has what they say of issuers. output.go turns the chain into
// routes, and yaml.go writes them down.
package convert

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
)

// Result is a configuration that config.Parse accepts.
type Result struct {
	// JSON is the configuration, for the plugin.
	JSON []byte
	// YAML is the same, for people: with a comment on each thing that is not as it
	// was.
	YAML []byte
	// Comments are those of the YAML, each once and on one line.
	Comments []string
}

// Error is what stands in the way of a conversion: at least one sentence.
type Error struct{ Problems []string }

func (e *Error) Error() string { return strings.Join(e.Problems, "\n") }

// conversion is one call of Convert.
type conversion struct {
	providers []*provider // one for each issuer
	// byMetadata are the providers as RBAC knows them: by where their payload stands.
	byMetadata []*provider
	decision   chain
	head       []string // comments above everything
	problems   []string
	clear      bool // clearRouteCache
	judges     bool // the other filters judge CORS preflights (corsPreflight)
	// portIgnored is true when the port is no part of the host (hostPort: ignored).
	portIgnored bool
	guarded     bool // an RBAC filter looks at what jwt_authn leaves of a token
}

func (c *conversion) note(format string, args ...any) {
	c.head = union(c.head, []string{fmt.Sprintf(format, args...)})
}

func (c *conversion) problem(format string, args ...any) {
	c.problems = union(c.problems, []string{clean(fmt.Sprintf(format, args...))})
}

// Convert reads YAML or JSON, of several documents if need be, finds out what it
// is, and converts it. The error is an *Error, or document's for a text that
// cannot be read.
func Convert(text []byte) (*Result, error) {
	documents, err := document.Read(text)
	if err != nil {
		return nil, err
	}
	c := new(conversion)
	c.read(documents)
	if c.problems == nil && len(c.providers) == 0 {
		c.problem("nothing to convert: no jwt_authn filter, no RequestAuthentication and no SecurityPolicy with jwt")
	}
	if c.problems != nil {
		return nil, &Error{c.problems}
	}
	return c.result()
}

// read finds out what the documents are.
func (c *conversion) read(documents []*document.Node) {
	var istio, gateway, envoy []*document.Node
	for _, d := range listed(documents) {
		group, _, _ := strings.Cut(d.Get("apiVersion").Str(), "/")
		switch {
		case d.Kind != document.Map:
			c.problem("line %d: not an object", d.Line)
		case group == "security.istio.io":
			istio = append(istio, d)
		case group == "gateway.envoyproxy.io":
			gateway = append(gateway, d)
		case group == "gateway.networking.k8s.io":
			c.note("%s is left aside: what it routes is guarded where the plugin is attached", titleOf(d))
		case d.Get("apiVersion") != nil:
			c.problem("line %d: %s %s is nothing that convert knows", d.Line, d.Get("apiVersion").Str(), d.Get("kind").Str())
		default:
			envoy = append(envoy, d)
		}
	}
	kinds := 0
	for _, found := range [][]*document.Node{istio, gateway, envoy} {
		kinds += min(1, len(found))
	}
	switch {
	case kinds > 1:
		c.problem("resources of different kinds; convert them one by one")
	case istio != nil:
		c.istio(istio)
	case gateway != nil:
		c.gateway(gateway)
	case len(envoy) > 1:
		c.problem("several Envoy configurations; convert them one by one")
	case envoy != nil:
		c.envoy(envoy[0])
	}
}

// listed puts what a Kubernetes List holds in its place.
func listed(documents []*document.Node) (all []*document.Node) {
	for _, d := range documents {
		if d.Get("kind").Str() == "List" && d.Get("items") != nil {
			all = append(all, listed(d.Get("items").Items())...)
			continue
		}
		all = append(all, d)
	}
	return all
}

// readFile is a variable for tests.
var readFile = os.ReadFile

// check holds the output against the plugin's own parser.
func check(raw []byte) error {
	_, err := config.Parse(raw)
	var faults *config.Error
	if !errors.As(err, &faults) {
		return err
	}
	e := new(Error)
	for _, f := range faults.Faults {
		e.Problems = append(e.Problems, "edgejwt does not take what this becomes: "+f.String())
	}
	return e
}
