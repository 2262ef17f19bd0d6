package gate

import (
	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// addRoutes makes ready what is known of a request before its token.
func (g *Gate) addRoutes(cfg *config.Config) {
	table, faults := route.NewTable(cfg.Routes, cfg.RouteOptions)
	if faults != nil {
		panic("gate: routes with a fault")
	}
	g.routes, g.routed = table, len(cfg.Routes) > 0
	g.report = cfg.Report
	g.reportUnread = cfg.Report && !cfg.RouteMetadata // a policy may enforce
	g.reports = cfg.Report || cfg.RouteMetadata
	g.judgesPreflights = cfg.JudgePreflights
	g.denies = cfg.RouteMetadata // a policy may deny
	for i := range cfg.Routes {
		g.reportUnread = g.reportUnread && cfg.Routes[i].Mode != route.Enforce
		g.reports = g.reports || cfg.Routes[i].Mode == route.Report
		g.denies = g.denies || cfg.Routes[i].Auth == route.Deny
	}
	if cfg.RouteMetadata {
		g.policies = newPolicies(&g.headers)
	}
	if cfg.ResourceMetadata != nil {
		path, err := route.Canonical(cfg.ResourceMetadata.Path, route.Options{})
		if err != nil {
			panic("gate: a description without a place")
		}
		g.metadata = path
	}
}

var (
	errForged   = &verify.Refusal{Reason: verify.IdentityForged, Detail: "a header that only the edge may set, and by which Envoy may have chosen its route"}
	errOverride = &verify.Refusal{Reason: verify.IdentityForged, Detail: "a header that overrideHeaders removes, and by which Envoy may have chosen its route"}
)

// describes reports whether the request asks for the API's description
// (RFC 9728 §3.1). Preflights for it are answered too: the API knows nothing of
// the path, and browsers that are clients of MCP send one.
func (g *Gate) describes(headers [][2]string) bool {
	if g.metadata == "" {
		return false
	}
	if method := Value(headers, ":method"); method != "GET" && method != "HEAD" && method != "OPTIONS" {
		return false
	}
	path, err := route.Canonical(Value(headers, ":path"), route.Options{})
	return err == nil && path == g.metadata
}

// IsPreflight reports whether a request, by its headers as Judge takes them, is a
// CORS preflight. It follows the Fetch standard, §3.2.2: a preflight carries no
// credentials, so asking for a token would refuse every browser.
func IsPreflight(headers [][2]string) bool {
	return Value(headers, ":method") == "OPTIONS" &&
		Value(headers, "origin") != "" &&
		Value(headers, "access-control-request-method") != ""
}

// findRoute sets the route, and with it what becomes of a refusal. Where it fails
// the request is decided.
func (j *Judgement) findRoute(headers [][2]string, forged []string, policy *string) bool {
	g := j.gate
	table := g.routes
	if g.policies != nil {
		j.step = StepPolicy
		// Envoy chose its route by one reading of the path; another's policy may be
		// stricter. It chose by what Forged removes too, and chooses anew without it, also
		// where the first route says nothing.
		err := route.Plain(Value(headers, ":path"))
		if len(forged) > 0 {
			err = errForged
			if !among(g.headers.identity, forged[0]) {
				err = errOverride
			}
		}
		if err != nil {
			j.fail(err)
			return false
		}
	}
	if policy != nil && g.policies != nil {
		found := g.policies.of(*policy)
		j.Notice, found.notice = found.notice, ""
		if found.table == nil {
			// Whatever mode it meant, it may have been to enforce.
			j.decide(verify.Internal, errPolicy)
			return false
		}
		table, j.byPolicy = found.table, true
	}
	j.step = StepRoute
	q := route.Request{
		Method:  Value(headers, ":method"),
		Host:    Value(headers, ":authority"),
		Path:    Value(headers, ":path"),
		Headers: headers,
	}
	if err := table.Find(&q, &j.match); err != nil {
		// A path that cannot be read may lead to a route that enforces.
		j.lenient = g.reportUnread
		j.fail(err)
		return false
	}
	j.routed = true
	switch j.match.Route.Mode {
	case route.Inherit:
		j.lenient = g.report
	case route.Report:
		j.lenient = true
	}
	return true
}
