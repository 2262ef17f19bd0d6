package config

import (
	"strings"

	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// routes reads the routes and what holds for all of them.
func (o *object) routes(c *Config, rules []*placedRule) {
	c.RouteOptions.IgnoreCase = o.switched("ignorePathCase")
	c.RouteMetadata = o.switched("routeMetadata")
	objects := o.children("routes")
	for i, entry := range objects {
		read := entry.route(c.RouteOptions, rules)
		for j := range c.Routes {
			if read.Name != "" && c.Routes[j].Name == read.Name {
				entry.fault("name", quote(read.Name), "repeats "+objects[j].member("name"))
				break
			}
		}
		entry.warnIssuers(read.Need.Issuers, rules)
		c.Routes = append(c.Routes, read)
		if earlier := coveredBy(c.Routes, i); earlier >= 0 {
			entry.warn("", "", "never applies: "+objects[earlier].path+" stands before it and matches whatever it would")
		}
	}
	_, faults := route.NewTable(c.Routes, c.RouteOptions)
	for _, f := range faults {
		objects[f.Route].routeFault(f)
	}
	if c.RouteMetadata && c.ClearRouteCache {
		o.warn("clearRouteCache", "", "lets Envoy choose another route than the one whose policy was applied (routeMetadata)")
	}
}

// route reads one route. What it gives may have faults that only route.NewTable
// will find.
func (o *object) route(options route.Options, rules []*placedRule) (r route.Route) {
	r.Path = o.pathCondition(options)
	r.Methods = o.list("methods", wantAnything)
	r.Hosts = o.list("hosts", wantAnything)
	for _, header := range o.children("headers") {
		name, _ := header.required("name")
		r.Headers = append(r.Headers, route.Header{Name: ascii.Lower(name), Values: header.list("values", wantAnything)})
		if ascii.Lower(name) == "host" {
			header.fault("name", quote(name), "is what hosts are for")
		}
		header.refuseWritten("name", rules)
	}
	o.demand(&r, rules)
	if r.Auth == route.None && r.Headers != nil {
		o.warn("headers", "", "open the route (auth: none) to whoever sends them: a client chooses its headers")
	}
	if r.Auth == route.None && r.Methods == nil && r.Hosts == nil && isEverything(&r.Path) {
		o.warn("auth", "", "is none for every path: what no earlier route matches needs no token")
	}
	return r
}

// demand reads what a route has besides its conditions.
func (o *object) demand(r *route.Route, rules []*placedRule) {
	r.Name, _ = o.text("name")
	if r.Name != "" && !isLabel(r.Name) {
		o.fault("name", quote(r.Name), "may only have letters, digits, dots, hyphens and underscores"+example(lookUp(o.fields, "name")))
	}
	r.Auth = route.Auth(max(o.choice("auth"), 0))
	r.Mode = route.Mode(o.choice("mode") + 1) // 0: as the configuration has it
	r.AllowOpaque = o.switched("allowOpaque")
	n := &r.Need
	for _, field := range []struct {
		name string
		into *[]string
	}{
		{"scopes", &n.Scopes}, {"anyScope", &n.AnyScope}, {"permissions", &n.Permissions}, {"anyPermission", &n.AnyPermission},
	} {
		*field.into = o.list(field.name, wantAnything) // route.NewTable says what a scope is
	}
	for _, field := range []struct {
		name string
		into *[]string
	}{
		{"issuers", &n.Issuers}, {"audiences", &n.Audiences}, {"subjects", &n.Subjects}, {"clients", &n.Clients}, {"tokenTypes", &n.TokenTypes},
	} {
		*field.into = o.list(field.name, wantPrintable)
	}
	n.Claims = o.claims("claims")
	n.RequiredClaims = o.ways("requiredClaims")
	for _, entry := range o.children("claimMatches") {
		n.ClaimMatches = append(n.ClaimMatches, entry.binding())
		entry.refuseWritten("header", rules)
	}
	n.MaxAge, _ = o.duration("maxAge")
	n.MaxLifetime, _ = o.duration("maxLifetime")
	if r.AllowOpaque && r.Auth == route.None {
		o.warn("allowOpaque", "", "is true, but with auth none tokens are not looked at")
	} else if r.AllowOpaque && o.needs() {
		o.warn("allowOpaque", "", "lets tokens pass that are no JWS, of which nothing that the route needs is checked")
	}
}

// needs reports whether the route asks for more than a valid token.
func (o *object) needs() bool {
	for i := range o.members {
		switch o.members[i].field.Name {
		case "name", "path", "methods", "hosts", "headers", "auth", "mode", "allowOpaque":
		default:
			return true
		}
	}
	return false
}

func wantAnything(string) string { return "" }

// pathCondition reads the condition on the path.
func (o *object) pathCondition(options route.Options) (p route.Path) {
	path := o.child("path")
	if path == nil {
		return p
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
	}
	if p.Kind == route.Any && path.meant == nil {
		path.fault("", "", "has no condition; write "+either([]string{"exact", "prefix", "template", "regex"})+" (example: {prefix: /public})")
	}
	if p.Kind == route.Regex {
		path.regex(&p, options)
	}
	return p
}

// regex makes the pattern.
func (o *object) regex(p *route.Path, options route.Options) {
	if o.r.features.Regex == nil {
		o.fault("regex", "", fullModule+"; write exact, prefix or template")
		return
	}
	if p.Text == "" {
		return
	}
	var want string
	if p.Pattern, want = o.r.features.Regex(p.Text, options.IgnoreCase); want != "" {
		o.fault("regex", quote(p.Text), want+example(lookUp(o.fields, "regex")))
	} else if strings.HasSuffix(p.Text, "/") && p.Text != "/" {
		o.warn("regex", quote(p.Text), "ends in a slash, and paths are matched without the one at their end")
	}
}

// binding reads an entry of claimMatches.
func (o *object) binding() (b route.Binding) {
	b.Claim = o.way("claim")
	b.Variable, _ = o.text("variable")
	header, _ := o.text("header")
	b.Header = ascii.Lower(header)
	b.Host = o.switched("host")
	sources := 0
	for _, name := range []string{"variable", "header"} {
		if !o.lacks(name) {
			sources++
		}
	}
	if b.Host {
		sources++
	}
	if sources != 1 && (!o.has("host") || o.sound("host")) && o.meant == nil {
		o.fault("", "", "needs exactly one of variable, header and host: true")
	}
	return b
}

// refuseWritten refuses to judge by a header that the plugin writes for the API:
// what a client sends in it is removed.
func (o *object) refuseWritten(name string, rules []*placedRule) {
	header := ""
	if o.sound(name) {
		header = o.find(name).value.Text
	}
	for _, rule := range rules {
		if owner := rule.writes(header); owner != "" {
			o.fault(name, quote(header), "is written for the API ("+owner+"), and removed when a client sends it")
			return
		}
	}
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
