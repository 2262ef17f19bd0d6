// Package gate decides about requests: it puts together what the configuration
// says (package config), which route applies (package route), what tokens say
// (package verify) and which keys there are (package jwks). It is the whole way
// of a request from its headers to its decision, and knows nothing of the host:
// the plugin carries requests to it, and whatever else wants to know how the edge
// decides asks the same code.
//
// A request goes: Forged, whatever comes of it; Judge, and Again while it waits
// for keys; Changes. The files: judgement.go has the order of the checks, find.go
// what comes before a token is looked at, policy.go what Envoy's routes say,
// outputs.go what is told of a decision, explain.go what may be asked of one.
package gate

import (
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// Gate judges requests by one configuration. It is not changed after New, but
// its machines and its memory of policies are, so it must not be used concurrently.
type Gate struct {
	rules     *verify.Rules
	issuers   []issuer // by the index that verify.Rules gives
	locations []verify.Location
	identity  []string // folded names of the headers that tell the API who calls
	engine    verify.Engine
	tokens    tokens
	quick     quick

	routes   *route.Table
	routed   bool      // whether there are any
	policies *policies // nil when Envoy's routes are not asked
	options  route.Options
	// reportUnread is true when requests that cannot be read in one way are only
	// reported: not where any route enforces.
	reportUnread bool
	reports      bool // whether anything may be reported
	// judgesPreflights is true when CORS preflights are requests like any other;
	// else they pass, but where nobody does, and denies says whether there may be
	// such a place.
	judgesPreflights, denies bool

	metadata        string // canonical path of the API's description; "" for none
	filterState     bool
	clearRouteCache bool
}

// issuer is what belongs to one rule besides the rule itself.
type issuer struct {
	name      string // as configured
	rule      int    // its place in config.Config.Rules
	locations []int  // indexes into Gate.locations
	keys      *jwks.Machine
	outputs   outputs
}

// New makes a gate of a configuration as config.Parse gives it, and panics when
// its routes are not sound. keys gives the machine that holds a rule's keys;
// rules may share one.
func New(cfg *config.Config, engine verify.Engine, keys func(rule *config.Rule) *jwks.Machine) *Gate {
	g := &Gate{engine: engine, tokens: newTokens(cfg.TokenCache), filterState: cfg.FilterState, clearRouteCache: cfg.ClearRouteCache}
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
		g.issuers = append(g.issuers, issuer{rule.Issuer, i, g.addLocations(rule.Locations), keys(rule), newOutputs(rule)})
		g.addIdentity(rule)
	}
	g.rules = verify.NewRules(rules)
	g.addRoutes(cfg)
	g.quick = g.newQuick()
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

// Reports reports whether the gate may ever let a request go on that it refuses.
func (g *Gate) Reports() bool { return g.reports }

// AsksPolicy reports whether Judge wants to know the policy that Envoy's route
// holds.
func (g *Gate) AsksPolicy() bool { return g.policies != nil }

// Value gives the first value of a header, whose name is in lower case, or "".
func Value(headers [][2]string, name string) string {
	for i := range headers {
		if headers[i][0] == name {
			return headers[i][1]
		}
	}
	return ""
}

// leastRetryAfter is what a client is told at least to wait after a 503.
const leastRetryAfter = time.Second
