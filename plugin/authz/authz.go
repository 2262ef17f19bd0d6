// Package authz decides about requests, from their headers to the decision. It does
// not know the host: package plugin passes requests to it, and so does the command
// line's explain.
//
// Most callers need New once, and Authorizer.Decide for each request. While a request
// waits for keys, they call Decision.Resume or Decision.Timeout. Decision.Changes
// returns the changes to the request's headers and the filter state.
//
// decide.go has the checks in their order. They use package route to find the route,
// package verify for tokens, package jwks for keys, and package config for the
// configuration.
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

// Authorizer decides about requests by one configuration, which must not change after
// New. It must not be used concurrently: it caches tokens and policies.
type Authorizer struct {
	steps     []step // the checks that this configuration needs, in order
	rules     *verify.Rules
	issuers   []issuer // by the index in verify.Rules
	locations []verify.TokenLocation
	headers   headers
	engine    verify.Engine
	host      Host // nil when none is set
	tokens    tokens

	routes   *route.Table
	policies *policies // nil unless Envoy's routes may have a policy
	options  route.Options
	// reportsUnreadable is true when ambiguous requests are only reported. It is false if
	// any route enforces, because the request may be for that route.
	reportsUnreadable bool
	reports           bool // whether anything may be reported
	denies            bool // whether any route or policy may deny

	trustedXFCC     int    // elements of x-forwarded-client-cert that are trusted
	metadataPath    string // canonical path of the resource metadata; "" for none
	hasRoutes       bool
	filterState     bool
	clearRouteCache bool

	request request // reused for each request
}

// issuer has the parts of a rule that verify.Rule lacks.
type issuer struct {
	name      string // as configured
	rule      int    // index in config.Config.Rules
	locations []int  // indexes into Authorizer.locations
	keys      *jwks.Source
	tokens    *tokenCache
	binding   verify.SenderConstraint
	outputs   outputs
}

// New makes an Authorizer for a configuration that config.Parse returned. It panics
// when the routes have a fault. keys returns the source of a rule's keys; rules may
// share a source.
func New(cfg *config.Config, engine verify.Engine, keys func(rule *config.Rule) *jwks.Source) *Authorizer {
	table, faults := route.NewTable(cfg.Routes, cfg.RouteOptions)
	if faults != nil {
		panic("authz: routes with a fault")
	}
	a := &Authorizer{
		engine:            engine,
		headers:           newHeaders(cfg),
		routes:            table,
		options:           cfg.RouteOptions,
		hasRoutes:         len(cfg.Routes) > 0,
		trustedXFCC:       cfg.XFCCTrustedElements,
		filterState:       cfg.FilterState,
		clearRouteCache:   cfg.ClearRouteCache,
		reports:           cfg.Report || cfg.RouteMetadata,
		reportsUnreadable: cfg.Report && !cfg.RouteMetadata, // a policy may enforce
		denies:            cfg.RouteMetadata || cfg.RouteOptions.DenyUnmatched,
	}
	for i := range cfg.Routes {
		a.reportsUnreadable = a.reportsUnreadable && cfg.Routes[i].Mode != route.Enforce
		a.reports = a.reports || cfg.Routes[i].Mode == route.Report
		a.denies = a.denies || cfg.Routes[i].Auth == route.Deny
	}
	if cfg.RouteMetadata {
		a.policies = newPolicies(cfg.RouteOptions, &a.headers)
	}
	if cfg.ResourceMetadata != nil {
		path, err := route.Canonical(cfg.ResourceMetadata.Path, route.Options{})
		if err != nil {
			panic("authz: the path of the resource metadata is not valid")
		}
		a.metadataPath = path
	}
	var shared *tokenCache
	rules := make([]verify.Rule, len(cfg.Rules))
	for i := range cfg.Rules {
		rule := &cfg.Rules[i]
		rules[i] = verify.Rule{
			Issuer:        rule.Issuer,
			Audiences:     rule.Audiences,
			AnyAudience:   rule.AnyAudience,
			Algorithms:    rule.Algorithms,
			ClockSkew:     rule.ClockSkew,
			MaxTokenBytes: rule.MaxTokenBytes,
		}
		var cache *tokenCache
		switch {
		case rule.TokenCache != nil:
			cache = a.tokens.add(*rule.TokenCache)
		case shared == nil:
			shared = a.tokens.add(cfg.TokenCache)
			fallthrough
		default:
			cache = shared
		}
		a.issuers = append(a.issuers, issuer{rule.Issuer, i, a.addLocations(rule.Locations), keys(rule), cache, rule.SenderConstraint, newOutputs(rule)})
	}
	a.rules = verify.NewRules(rules)
	a.steps = a.plan(cfg)
	return a
}

// addLocations adds a rule's locations to Authorizer.locations, each once, and returns
// their indexes.
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

// takesFrom reports whether one of the locations is one of the issuer's.
func (i *issuer) takesFrom(locations []int) bool {
	return slices.ContainsFunc(locations, func(found int) bool { return slices.Contains(i.locations, found) })
}

// Reports reports whether any request may get past a refusal, which is only reported
// (mode: report).
func (a *Authorizer) Reports() bool { return a.reports }

// UsesPolicies reports whether Decide needs the policy in the metadata of Envoy's
// route.
func (a *Authorizer) UsesPolicies() bool { return a.policies != nil }

// methodOverrides are the headers that make some servers use another method than the
// request's own.
var methodOverrides = []string{"x-http-method-override", "x-http-method", "x-method-override", "x-original-method", "-method"}

// notInPreflights are headers that no browser sends in a preflight: a token, a body, or
// another protocol.
var notInPreflights = []string{"authorization", "cookie", "transfer-encoding", "content-type", "upgrade", "expect", "trailer"}

// IsPreflight reports whether a request is a CORS preflight as browsers send it
// (Fetch §4.8). headers are as for Decide. A preflight has no credentials, so requiring
// a token would refuse every browser. Browsers send no preflight with a token, with
// headers of a body or with a header that makes servers use another method: such a
// request is decided like any other.
func IsPreflight(headers [][2]string) bool {
	if value(headers, ":method") != "OPTIONS" || value(headers, "origin") == "" || value(headers, "access-control-request-method") == "" {
		return false
	}
	return !slices.ContainsFunc(headers, func(header [2]string) bool {
		switch name := header[0]; {
		case ascii.SameHeader(name, "content-length"):
			return header[1] != "0"
		default:
			return containsHeader(notInPreflights, name) || containsHeader(methodOverrides, name)
		}
	})
}

// value returns the first value of a header, or "".
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
