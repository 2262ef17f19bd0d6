package authz

import (
	"errors"
	"strings"

	"edgejwt/plugin/config"
	"edgejwt/verify/route"
)

// maxPolicies bounds how many policies are remembered. They come from Envoy's
// configuration, never from a client.
const maxPolicies = 256

// policies remembers the policies of Envoy's routes by their text, made ready.
type policies struct {
	byText  map[string]*policy
	options route.Options
	// headers learns which headers they judge, and forgets none: the trailers of a
	// request may come long after its policy was looked at.
	headers *headers
}

// policy is a table of one route without conditions.
type policy struct {
	table *route.Table // nil when the text is refused
	route *route.Route // the table's one
	// spellings are those that no other Envoy route matches.
	spellings route.Spelling
	notice    string // why, until it has been told
}

var errPolicy = errors.New("the policy in the route's metadata is refused")

func newPolicies(o route.Options, h *headers) *policies {
	return &policies{make(map[string]*policy), o, h}
}

// of gives the policy of a text, which is kept nowhere.
func (p *policies) of(text string) *policy {
	if known := p.byText[text]; known != nil {
		return known
	}
	if len(p.byText) >= maxPolicies {
		p.byText = make(map[string]*policy)
	}
	made := makePolicy(text, p.options)
	if made.table != nil {
		p.headers.judgeAll(made.route)
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
	table, _ := route.NewTable(routes, o) // without a fault, as ParsePolicy has seen
	return &policy{table: table, route: &routes[0], spellings: r.Spellings}
}
