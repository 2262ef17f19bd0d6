package config

import (
	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// routes reads the routes and what holds for all of them.
func (o *object) routes(c *Config, rules []*placedRule) {
	c.RouteOptions.IgnoreCase = o.switched("ignorePathCase")
	c.RouteOptions.IgnoreHostPort = o.choice("hostPort") == 1
	c.RouteOptions.DenyUnmatched = o.choice("unmatched") == 1
	c.RouteOptions.Report = c.Report
	c.RouteMetadata = o.switched("routeMetadata")
	if c.RouteMetadata && c.ClearRouteCache {
		o.warn("clearRouteCache", "", "lets Envoy choose another route than the one whose policy was applied (routeMetadata)")
	}
	objects := o.children("routes")
	if len(objects) == 0 {
		return
	}
	c.Routes = make([]route.Route, len(objects))
	all := false // a route without conditions, so that there is nothing that none matches
	for i, entry := range objects {
		read := &c.Routes[i]
		entry.route(read, rules)
		refuseRepeat(objects, i, "name")
		entry.warnIssuers(read.Requirements.Issuers, rules)
		if earlier := coveredBy(c.Routes, i); earlier >= 0 {
			entry.warn("", "", "never applies: "+objects[earlier].path+" stands before it and matches whatever it would")
		}
		all = all || isEverything(&read.Path) && read.Methods == nil && read.Hosts == nil && read.Headers == nil
	}
	if !all && o.lacks("unmatched") {
		o.warn("routes", "", "leave what none of them matches to any valid token; say unmatched: deny, or unmatched: token if that is meant")
	}
	_, faults := route.NewTable(c.Routes, c.RouteOptions)
	for _, f := range faults {
		objects[f.Route].routeFault(f)
	}
}

// route reads one route. What it gives may have faults that only route.NewTable
// will find.
func (o *object) route(r *route.Route, rules []*placedRule) {
	o.pathCondition(&r.Path)
	r.Methods = o.list("methods", wantAnything)
	r.Hosts = o.list("hosts", wantAnything)
	for _, header := range o.children("headers") {
		header.demands("name")
		name := header.judged("name", rules)
		if name == "host" {
			header.wrong("name", name, "is what hosts are for")
		}
		r.Headers = append(r.Headers, route.Header{Name: name, Values: header.list("values", wantAnything)})
	}
	o.demand(r, rules)
	if r.Auth == route.None && r.Headers != nil {
		o.warn("headers", "", "open the route (auth: none) to whoever sends them: a client chooses its headers")
	}
	if r.Auth == route.None && r.Hosts != nil {
		o.warn("hosts", "", "open the route (auth: none) to whoever names them: let Envoy's domains send these hosts, and no others, to what may be open")
	}
	if r.Auth == route.None && r.Methods == nil && r.Hosts == nil && isEverything(&r.Path) {
		o.warn("auth", "", "is none for every path: what no earlier route matches needs no token")
	}
}

// demand reads what a route has besides its conditions.
func (o *object) demand(r *route.Route, rules []*placedRule) {
	r.Name, _ = o.text("name")
	o.label("name", r.Name)
	r.Auth = route.Auth(max(o.choice("auth"), 0))
	r.Mode = route.Mode(o.choice("mode") + 1) // 0: as the configuration has it
	r.AllowOpaque = o.switched("allowOpaque")
	n := &r.Requirements
	o.listInto(&n.Scopes, "scopes")
	o.listInto(&n.AnyScope, "anyScope")
	o.listInto(&n.Permissions, "permissions")
	o.listInto(&n.AnyPermission, "anyPermission")
	o.listInto(&n.Issuers, "issuers")
	o.listInto(&n.Audiences, "audiences")
	o.listInto(&n.Subjects, "subjects")
	o.listInto(&n.Clients, "clients")
	o.listInto(&n.TokenTypes, "tokenTypes")
	n.Claims = o.claims("claims")
	n.RequiredClaims = o.ways("requiredClaims")
	o.bindings(n, rules)
	n.MaxAge, _ = o.duration("maxAge")
	n.MaxLifetime, _ = o.duration("maxLifetime")
	switch passes := o.switched("anonymousPasses"); {
	case passes && (r.Auth != route.Optional || !o.needs()):
		o.fault("anonymousPasses", "true", "is for a route with auth: optional that demands something of a token; leave it out")
	case r.Auth == route.Optional && o.needs() && !passes && (o.lacks("anonymousPasses") || o.sound("anonymousPasses")):
		o.fault("auth", `"optional"`, "lets pass who drops his token, whatever the route demands of one; write required, or anonymousPasses: true if that is meant")
	}
	if r.AllowOpaque && r.Auth == route.None {
		o.warn("allowOpaque", "", "is true, but with auth none tokens are not looked at")
	} else if r.AllowOpaque && o.needs() {
		o.warn("allowOpaque", "", "lets tokens pass that are no JWS, of which nothing that the route needs is checked")
	}
}

// needs reports whether the route asks for more than a valid token.
func (o *object) needs() bool {
	for i := range o.members {
		if lookUp(needFields, o.members[i].field.Name) != nil {
			return true
		}
	}
	return false
}

func (o *object) listInto(list *[]string, name string) { *list = o.list(name, wantPrintable) }

func wantAnything(string) string { return "" }

// pathCondition reads the condition on the path.
func (o *object) pathCondition(p *route.Path) {
	path := o.child("path")
	if path == nil {
		return
	}
	for i := range path.fields {
		name := path.fields[i].Name
		if !path.has(name) {
			continue
		}
		if p.Kind != route.Any {
			path.fault(name, "", "stands beside another kind of path; write one of them")
			continue
		}
		p.Kind = route.Kind(i + 1)
		p.Text, _ = path.text(name)
		if literal := takenLiterally(p); literal != "" {
			path.warn(name, quote(p.Text), literal)
		}
	}
	if p.Kind == route.Any && !o.r.isFaulty(o.find("path").value) {
		path.fault("", "", "has no condition; write "+either([]string{"exact", "prefix", "template", "regex"})+" (example: {prefix: /public})")
	}
}

// bindings reads claimMatches.
func (o *object) bindings(n *route.Requirements, rules []*placedRule) {
	objects := o.children("claimMatches")
	if objects == nil {
		return
	}
	n.ClaimMatches = make([]route.Binding, len(objects))
	for i, entry := range objects {
		b := &n.ClaimMatches[i]
		b.Claim = entry.way("claim")
		b.Variable, _ = entry.text("variable")
		b.Header = entry.judged("header", rules)
		b.Host = entry.switched("host")
		sources := 0
		for j := range entry.members {
			if f := entry.members[j].field; f.Name != "claim" && (f.Kind != Switch || b.Host) {
				sources++
			}
		}
		if sources != 1 && !o.r.isFaulty(&o.find("claimMatches").value.Children[i]) {
			entry.fault("", "", "needs exactly one of variable, header and host: true")
		}
	}
}

// judged reads the name of a header that requests are judged by, in lower case.
// One that the plugin writes for the API will not do, nor one of overrides: what a
// client sends in it is removed.
func (o *object) judged(name string, rules []*placedRule) string {
	written, ok := o.text(name)
	header := ascii.Lower(written)
	if ok && !isToken(header) {
		o.unfit(name, written, notHeader)
	}
	if o.r.losesOverride(header) {
		o.wrong(name, written, removed)
	}
	for _, rule := range rules {
		if owner := rule.writes(header); owner != "" {
			o.wrong(name, written, "is written for the API ("+owner+"), and removed when a client sends it")
			break
		}
	}
	return header
}

// warnIssuers warns of issuers that no rule has.
func (o *object) warnIssuers(issuers []string, rules []*placedRule) {
	for _, issuer := range issuers {
		known := false
		for _, rule := range rules {
			known = known || rule.Issuer == issuer
		}
		if !known {
			o.warn("issuers", quoteURL(issuer), "is the issuer of no rule: no token of it is valid")
		}
	}
}
