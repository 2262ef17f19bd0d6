package authz

import (
	"errors"
	"strings"

	"edgejwt/plugin/config"
	"edgejwt/verify/route"
)

// maxPolicies bounds the number of compiled policies. They come from Envoy's
// configuration, never from a client.
const maxPolicies = 256

// policies has the compiled policies of Envoy's routes by their text.
type policies struct {
	byText  map[string]*policy
	options route.Options
	// headers gets the headers of the policies' conditions and keeps them: the trailers
	// of a request may come long after its policy was used.
	headers *headers
}

// policy is a table of one route without conditions.
type policy struct {
	table     *route.Table   // nil when the text has a fault
	route     *route.Route   // the table's only route
	spellings route.Spelling // see config.Policy
	notice    string         // the fault, until it is logged
}

var errPolicy = errors.New("the policy in the route's metadata is refused")

func newPolicies(o route.Options, h *headers) *policies {
	return &policies{make(map[string]*policy), o, h}
}

// of returns the policy of a text. It does not keep the text.
func (p *policies) of(text string) *policy {
	if known := p.byText[text]; known != nil {
		return known
	}
	if len(p.byText) >= maxPolicies {
		p.byText = make(map[string]*policy)
	}
	made := makePolicy(text, p.options)
	if made.table != nil {
		p.headers.addConditions(made.route)
	}
	p.byText[strings.Clone(text)] = made
	return made
}

func makePolicy(text string, o route.Options) *policy {
	r, err := config.ParsePolicy(text)
	if err != nil {
		return &policy{notice: "metadata of an Envoy route, key edgejwt: " + err.Error()}
	}
	routes := []route.Route{r.Route}
	table, _ := route.NewTable(routes, o) // ParsePolicy has checked it
	return &policy{table: table, route: &routes[0], spellings: r.Spellings}
}
