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
	g.reportUnread = cfg.Report && !cfg.RouteMetadata // a policy may enforce
	g.reports = cfg.Report || cfg.RouteMetadata
	g.judgesPreflights = cfg.JudgePreflights
	g.options = cfg.RouteOptions
	g.denies = cfg.RouteMetadata || cfg.RouteOptions.DenyUnmatched // a policy may deny
	for i := range cfg.Routes {
		g.reportUnread = g.reportUnread && cfg.Routes[i].Mode != route.Enforce
		g.reports = g.reports || cfg.Routes[i].Mode == route.Report
		g.denies = g.denies || cfg.Routes[i].Auth == route.Deny
	}
	if cfg.RouteMetadata {
		g.policies = newPolicies(cfg.RouteOptions)
	}
	if cfg.ResourceMetadata != nil {
		path, err := route.Canonical(cfg.ResourceMetadata.Path, route.Options{})
		if err != nil {
			panic("gate: a description without a place")
		}
		g.metadata = path
	}
}

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
	q := route.Request{
		Method:  Value(headers, ":method"),
		Host:    Value(headers, ":authority"),
		Path:    Value(headers, ":path"),
		Headers: headers,
	}
	table := g.routes
	if g.policies != nil {
		j.step = StepPolicy
		if len(forged) > 0 {
			// Envoy chose by these headers too, and chooses anew without them, also where
			// the first route says nothing.
			j.decide(verify.IdentityForged, nil)
			return false
		}
		var accepted route.Spelling
		if policy != nil {
			found := g.policies.of(*policy)
			j.Notice, found.notice = found.notice, ""
			if found.table == nil {
				// Whatever mode it meant, it may have been to enforce.
				j.decide(verify.Internal, errPolicy)
				return false
			}
			table, accepted, j.byPolicy = found.table, found.spellings, true
		}
		// Envoy chose its route by one reading of the request; another's policy may be
		// stricter, and cannot be asked for.
		if odd := route.Spellings(&q, g.options) &^ accepted; odd != 0 {
			j.spelling = odd
			j.fail(&verify.Refusal{Reason: odd.Reason(), Detail: odd.Advice()})
			return false
		}
	}
	j.step = StepRoute
	if err := table.Find(&q, &j.match); err != nil {
		// What cannot be read in one way may lead to a route that enforces.
		j.lenient, j.spelling = g.reportUnread, j.match.Spelling
		j.fail(err)
		return false
	}
	j.routed, j.lenient, j.spelling = true, j.match.Report, j.match.Spelling
	return true
}

// preflightDenied reports whether nobody passes a preflight, which asks on behalf
// of the request that would follow: where no route names OPTIONS, that request's
// own route is asked.
func (j *Judgement) preflightDenied(headers [][2]string) bool {
	if j.match.Route.Auth != route.Deny || j.match.Index >= 0 || j.byPolicy {
		return j.match.Route.Auth == route.Deny
	}
	q := route.Request{
		Method:  Value(headers, "access-control-request-method"),
		Host:    Value(headers, ":authority"),
		Path:    Value(headers, ":path"),
		Headers: headers,
	}
	var m route.Match
	return j.gate.routes.Find(&q, &m) != nil || m.Route.Auth == route.Deny
}
