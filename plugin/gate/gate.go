// Package gate decides about requests: it puts together what the configuration
// says (package config), what tokens say (package verify) and which keys there
// are (package jwks). It is the whole way of a request from its headers to its
// decision, and knows nothing of the host: the plugin carries requests to it,
// and whatever else wants to know how the edge decides asks the same code.
package gate

import (
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// Gate judges requests by one configuration. It is not changed after New, but
// its machines are, so it must not be used concurrently.
type Gate struct {
	rules     *verify.Rules
	issuers   []issuer // by the index that verify.Rules gives
	locations []verify.Location
	identity  []string // folded names of the headers that tell the API who calls
	engine    verify.Engine
}

// issuer is what belongs to one rule besides the rule itself.
type issuer struct {
	locations []int // indexes into Gate.locations
	keys      *jwks.Machine
	outputs   outputs
}

// New makes a gate of a sound configuration. keys gives the machine that holds a
// rule's keys; rules may share one.
func New(cfg *config.Config, engine verify.Engine, keys func(rule *config.Rule) *jwks.Machine) *Gate {
	g := &Gate{engine: engine}
	rules := make([]verify.Rule, len(cfg.Rules))
	for i := range cfg.Rules {
		rule := &cfg.Rules[i]
		rules[i] = verify.Rule{
			Issuer:      rule.Issuer,
			Audiences:   rule.Audiences,
			AnyAudience: rule.AnyAudience,
			Algorithms:  rule.Algorithms,
			ClockSkew:   rule.ClockSkew,
		}
		g.issuers = append(g.issuers, issuer{g.addLocations(rule.Locations), keys(rule), newOutputs(rule)})
		g.addIdentity(rule)
	}
	g.rules = verify.NewRules(rules)
	return g
}

// addLocations gives the indexes of the rule's locations in Gate.locations,
// which holds each once.
func (g *Gate) addLocations(locations []verify.Location) []int {
	var indexes []int
	for _, location := range locations {
		index := -1
		for i := range g.locations {
			if g.locations[i] == location {
				index = i
			}
		}
		if index < 0 {
			index = len(g.locations)
			g.locations = append(g.locations, location)
		}
		indexes = append(indexes, index)
	}
	return indexes
}

// takesFrom reports whether the issuer's tokens may stand where this one stood.
func (i *issuer) takesFrom(locations []int) bool {
	for _, found := range locations {
		for _, allowed := range i.locations {
			if found == allowed {
				return true
			}
		}
	}
	return false
}

// Value gives the first value of a header, whose name is in lower case, or "".
func Value(headers [][2]string, name string) string {
	for i := range headers {
		if headers[i][0] == name {
			return headers[i][1]
		}
	}
	return ""
}

// isPreflight follows the Fetch standard, §3.2.2: a preflight carries no
// credentials, so asking for a token would refuse every browser.
func isPreflight(headers [][2]string) bool {
	return Value(headers, ":method") == "OPTIONS" &&
		Value(headers, "origin") != "" &&
		Value(headers, "access-control-request-method") != ""
}

// leastRetryAfter is what a client is told at least to wait after a 503.
const leastRetryAfter = time.Second
