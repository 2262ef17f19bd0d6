// Package authz decides about requests. It knows the whole way of a request from
// its headers to its decision, and nothing of the host: package plugin carries
// requests to it, and the command line's explain asks the same code.
//
// Most callers need New once, and for each request Authorizer.Decide; while a
// request waits for keys, Decision.Resume and Decision.Timeout; and at the end
// Decision.Changes, which says what becomes of the request's headers.
//
// decide.go has the checks in their order. What they rest on is decided elsewhere:
// which route applies by package route, what a token says by package verify, which
// keys there are by package jwks, and what the operator wants by package config.
package authz

import (
	"slices"
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// Authorizer decides about requests by one configuration, which does not change
// after New. It must not be used concurrently: it caches tokens and policies.
type Authorizer struct {
	steps     []step // those of the checks that this configuration needs
	rules     *verify.Rules
	issuers   []issuer // by the index that verify.Rules gives
	locations []verify.TokenLocation
	headers   headers
	engine    verify.Engine
	tokens    tokens

	routes   *route.Table
	policies *policies // nil unless Envoy's routes may carry one
	options  route.Options
	// reportsUnread is true when requests that cannot be read in one way are only
	// reported: not where any route enforces.
	reportsUnread bool
	reports       bool // whether anything may be reported
	denies        bool // whether any route or policy may deny

	metadataPath    string // canonical, of the API's metadata; "" for none
	hasRoutes       bool
	filterState     bool
	clearRouteCache bool

	request request // reused for each request
}

// issuer is what belongs to one rule besides the rule itself.
type issuer struct {
	name      string // as configured
	rule      int    // its place in config.Config.Rules
	locations []int  // indexes into Authorizer.locations
	keys      *jwks.Source
	outputs   outputs
}

// New makes an Authorizer of a configuration as config.Parse gives it, and panics
// when its routes have a fault. keys gives the source of a rule's keys; rules may
// share one.
func New(cfg *config.Config, engine verify.Engine, keys func(rule *config.Rule) *jwks.Source) *Authorizer {
	table, faults := route.NewTable(cfg.Routes, cfg.RouteOptions)
	if faults != nil {
		panic("authz: routes with a fault")
	}
	a := &Authorizer{
		engine:          engine,
		tokens:          newTokens(cfg.TokenCache),
		headers:         newHeaders(cfg),
		routes:          table,
		options:         cfg.RouteOptions,
		hasRoutes:       len(cfg.Routes) > 0,
		filterState:     cfg.FilterState,
		clearRouteCache: cfg.ClearRouteCache,
		reports:         cfg.Report || cfg.RouteMetadata,
		reportsUnread:   cfg.Report && !cfg.RouteMetadata, // a policy may enforce
		denies:          cfg.RouteMetadata || cfg.RouteOptions.DenyUnmatched,
	}
	for i := range cfg.Routes {
		a.reportsUnread = a.reportsUnread && cfg.Routes[i].Mode != route.Enforce
		a.reports = a.reports || cfg.Routes[i].Mode == route.Report
		a.denies = a.denies || cfg.Routes[i].Auth == route.Deny
	}
	if cfg.RouteMetadata {
		a.policies = newPolicies(cfg.RouteOptions, &a.headers)
	}
	if cfg.ResourceMetadata != nil {
		path, err := route.Canonical(cfg.ResourceMetadata.Path, route.Options{})
		if err != nil {
			panic("authz: the API's metadata has no path")
		}
		a.metadataPath = path
	}
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
		a.issuers = append(a.issuers, issuer{rule.Issuer, i, a.addLocations(rule.Locations), keys(rule), newOutputs(rule)})
	}
	a.rules = verify.NewRules(rules)
	a.steps = a.plan(cfg)
	return a
}

// addLocations gives the indexes of the rule's locations in Authorizer.locations,
// which holds each once.
func (a *Authorizer) addLocations(locations []verify.TokenLocation) (indexes []int) {
	for _, location := range locations {
		index := slices.Index(a.locations, location)
		if index < 0 {
			index = len(a.locations)
			a.locations = append(a.locations, location)
		}
		indexes = append(indexes, index)
	}
	return indexes
}

// takesFrom reports whether the issuer's tokens may stand where this one stood.
func (i *issuer) takesFrom(locations []int) bool {
	return slices.ContainsFunc(locations, func(found int) bool { return slices.Contains(i.locations, found) })
}

// Reports reports whether a request that is refused may ever be let through.
func (a *Authorizer) Reports() bool { return a.reports }

// UsesPolicies reports whether Decide wants the policy that Envoy's route carries.
func (a *Authorizer) UsesPolicies() bool { return a.policies != nil }

// methodOverrides are the headers by which servers take a request for one with
// another method.
var methodOverrides = []string{"x-http-method-override", "x-http-method", "x-method-override", "x-original-method", "-method"}

// notInPreflights are headers that no browser sends in a preflight: a token, a body, or
// another protocol.
var notInPreflights = []string{"authorization", "cookie", "transfer-encoding", "content-type", "upgrade", "expect", "trailer"}

// IsPreflight reports whether a request is a CORS preflight as browsers send it
// (Fetch §4.8), by its headers as Decide takes them. A preflight carries no
// credentials, so asking for a token would refuse every browser. One with headers of a
// body, with a token, or with a header by which some servers take it for another request
// is not a browser's, and is decided like any other request.
func IsPreflight(headers [][2]string) bool {
	if value(headers, ":method") != "OPTIONS" || value(headers, "origin") == "" || value(headers, "access-control-request-method") == "" {
		return false
	}
	return !slices.ContainsFunc(headers, func(header [2]string) bool {
		switch name := header[0]; {
		case ascii.SameHeader(name, "content-length"):
			return header[1] != "0"
		default:
			return among(notInPreflights, name) || among(methodOverrides, name)
		}
	})
}

// value gives the first value of a header, or "".
func value(headers [][2]string, name string) string {
	for i := range headers {
		if headers[i][0] == name {
			return headers[i][1]
		}
	}
	return ""
}

// IsGRPC reports whether a content type is gRPC's ("application/grpc", optionally
// with a suffix). gRPC-Web ("application/grpc-web") is not: its clients read the
// HTTP status, unless Envoy's grpc_web filter comes first and makes it gRPC.
func IsGRPC(contentType string) bool {
	const grpc = "application/grpc"
	if len(contentType) < len(grpc) || contentType[:len(grpc)] != grpc {
		return false
	}
	rest := contentType[len(grpc):]
	return rest == "" || rest[0] == '+' || rest[0] == ';'
}

// minRetryAfter is the shortest Retry-After of a 503.
const minRetryAfter = time.Second
