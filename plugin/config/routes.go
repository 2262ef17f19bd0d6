package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

// routes reads the routes and the options for all of them.
func (o *object) routes(c *Config, rules []*parsedRule) {
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
	all := false // a route without conditions, so that every request matches one
	for i, entry := range objects {
		r := &c.Routes[i]
		entry.route(r, rules)
		refuseRepeat(objects, i, "name")
		entry.warnIssuers(r.Requirements.Issuers, rules)
		if earlier := coveredBy(c.Routes, i); earlier >= 0 {
			entry.warn("", "", "never applies: "+objects[earlier].path+" stands before it and matches whatever it would")
		}
		all = all || isEverything(&r.Path) && r.Methods == nil && r.Hosts == nil && r.Headers == nil
	}
	if !all && o.lacks("unmatched") {
		o.warn("routes", "", "leave what none of them matches to any valid token; say unmatched: deny, or unmatched: token if that is meant")
	}
	_, faults := route.NewTable(c.Routes, c.RouteOptions)
	for _, f := range faults {
		objects[f.Route].routeFault(f)
	}
}

// route reads one route. It may have faults that only route.NewTable finds.
func (o *object) route(r *route.Route, rules []*parsedRule) {
	o.pathCondition(&r.Path)
	r.Methods = o.anyList("methods")
	r.Hosts = o.anyList("hosts")
	for _, header := range o.children("headers") {
		header.demands("name")
		name := header.conditionHeader("name", rules)
		if name == "host" {
			header.wrong("name", name, "is what hosts are for")
		}
		r.Headers = append(r.Headers, route.Header{Name: name, Values: header.anyList("values")})
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

// demand reads the fields of a route that are not conditions.
func (o *object) demand(r *route.Route, rules []*parsedRule) {
	r.Name, _ = o.text("name")
	o.label("name", r.Name)
	r.Auth = route.Auth(max(o.choice("auth"), 0))
	r.Mode = route.Mode(o.choice("mode") + 1) // 0: as the configuration has it
	r.AllowOpaque = o.switched("allowOpaque")
	n := &r.Requirements
	n.Scopes = o.printableList("scopes")
	n.AnyScope = o.printableList("anyScope")
	n.Permissions = o.printableList("permissions")
	n.AnyPermission = o.printableList("anyPermission")
	n.Issuers = o.printableList("issuers")
	n.Audiences = o.printableList("audiences")
	n.Subjects = o.printableList("subjects")
	n.Clients = o.printableList("clients")
	n.TokenTypes = o.printableList("tokenTypes")
	n.Claims = o.claims("claims")
	n.RequiredClaims = o.claimPaths("requiredClaims")
	n.ClaimMatches = o.claimMatches(rules)
	n.MaxAge, _ = o.duration("maxAge")
	n.ACR = o.printableList("acr")
	if n.MaxAuthAge, _ = o.duration("maxAuthAge"); n.MaxAuthAge%time.Second != 0 {
		o.wrong("maxAuthAge", o.find("maxAuthAge").value.Text, "is not of whole seconds, which max_age in the challenge counts (RFC 9470 §3)")
	}
	n.MaxLifetime, _ = o.duration("maxLifetime")
	demands := slices.ContainsFunc(o.members, func(m member) bool { return lookUp(requirementFields, m.field.Name) != nil })
	switch passes := o.switched("anonymousPasses"); {
	case passes && (r.Auth != route.Optional || !demands):
		o.fault("anonymousPasses", "true", "is for a route with auth: optional that demands something of a token; leave it out")
	case r.Auth == route.Optional && demands && !passes && (o.lacks("anonymousPasses") || o.sound("anonymousPasses")):
		o.fault("auth", `"optional"`, "lets pass who drops his token, whatever the route demands of one; write required, or anonymousPasses: true if that is meant")
	}
	if r.AllowOpaque && r.Auth == route.None {
		o.warn("allowOpaque", "", "is true, but with auth none tokens are not looked at")
	} else if r.AllowOpaque && demands {
		o.warn("allowOpaque", "", "lets tokens pass that are no JWS, of which nothing that the route needs is checked")
	}
}

// pathCondition reads the condition on the path.
func (o *object) pathCondition(p *route.Path) {
	path := o.child("path")
	if path == nil {
		return
	}
	var names []string
	for i := range path.fields {
		name := path.fields[i].Name
		names = append(names, name)
		if !path.has(name) {
			continue
		}
		if p.Kind != route.Any {
			path.fault(name, "", "stands beside another kind of path; write one of them")
			continue
		}
		p.Kind = route.Kind(i + 1)
		p.Text, _ = path.text(name)
		if warning := misplacedPlaceholder(p); warning != "" {
			path.warn(name, quote(p.Text), warning)
		}
	}
	if p.Kind == route.Any && !o.r.isFaulty(o.find("path").value) {
		path.fault("", "", "has no condition; write "+either(names)+" (example: {prefix: /public})")
	}
}

// misplacedPlaceholder returns a warning if a part of a path looks like a placeholder of
// another product, and "" otherwise. Such a route would match only the path with these
// characters. An author who means the characters themselves writes their escapes: %2A, %3A,
// %7B, %3C.
func misplacedPlaceholder(p *route.Path) string {
	for segment := range strings.SplitSeq(p.Text, "/") {
		named := len(segment) > 1 && 'a' <= segment[1]|0x20 && segment[1]|0x20 <= 'z'
		braced := named && segment[0] == '{'
		found := named && (braced || segment[0] == ':' || segment[0] == '<')
		switch {
		case braced && p.Kind == route.Template: // a variable
			continue
		case p.Kind == route.Regex:
			found = found || strings.HasPrefix(segment, "*")
		default:
			found = found || strings.Contains(segment, "*")
		}
		switch {
		case found && p.Kind == route.Regex:
			return "has " + quote(segment) + ", which is no placeholder in an expression; write [^/]+ for one segment, .* for anything"
		case found:
			return "takes " + quote(segment) + " literally; a template has {id} for one segment and, as the last, {rest=**} for all that is left"
		}
	}
	return ""
}

// claimPaths reads a list of claims: see claimPath.
func (o *object) claimPaths(name string) [][]string {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	all := make([][]string, len(m.value.Children))
	for i := range all {
		element, path := &m.value.Children[i], at(o.pathTo(name), i)
		all[i] = o.r.claimPath(path, m.field, element)
		if n := len(element.Children); n > maxClaimPath || len(all[i]) == 0 && !o.r.isFaulty(element) {
			o.r.fault(element.Offset, path, "a list of "+strconv.Itoa(n), "is not a list of 1 to "+strconv.Itoa(maxClaimPath)+" names")
		}
	}
	return all
}

// claims reads claims and their values: an object for top-level claims, by their
// literal names, or a list for nested ones.
func (o *object) claims(name string) []route.Claim {
	if !o.sound(name) {
		return nil
	}
	m := o.find(name)
	all := make([]route.Claim, len(m.value.Children))
	for i := range all {
		claim, value := &all[i], &m.value.Children[i]
		if m.value.Kind == strictjson.Array {
			entry := o.r.object(at(o.pathTo(name), i), m.field.Fields, value)
			claim.Name = entry.claimPath("claim")
			if entry.demands("values"); entry.sound("values") {
				claim.Values = o.r.scalars(entry.pathTo("values"), entry.find("values").value)
			}
			claim.SpaceDelimited = entry.switched("spaceDelimited")
			continue
		}
		path := join(o.pathTo(name), value.Name)
		claim.Name = o.r.claimPath(path, m.field, &strictjson.Value{Kind: strictjson.String, Text: value.Name, Offset: value.Offset})
		if o.r.hasKind(path, lookUp(m.field.Fields, "values"), value) {
			claim.Values = o.r.scalars(path, value)
		}
	}
	return all
}

// scalars copies strings, booleans and numbers; numbers keep their spelling.
func (r *reader) scalars(path string, list *strictjson.Value) []strictjson.Value {
	all := make([]strictjson.Value, len(list.Children))
	for i := range all {
		copied, v := &all[i], &list.Children[i]
		copied.Kind, copied.Num = v.Kind, v.Num
		if v.Kind == strictjson.String {
			copied.Text, _ = r.bounded(listed{v.Text, at(path, i), v.Offset}, &Field{Kind: Values})
		} else {
			copied.Raw = strings.Clone(v.Raw)
		}
	}
	return all
}

// claimMatches reads what claims must equal in the request.
func (o *object) claimMatches(rules []*parsedRule) []route.Binding {
	objects := o.children("claimMatches")
	if objects == nil {
		return nil
	}
	all := make([]route.Binding, len(objects))
	for i, entry := range objects {
		b := &all[i]
		b.Claim = entry.claimPath("claim")
		b.Variable, _ = entry.text("variable")
		b.Header = entry.conditionHeader("header", rules)
		b.Host = entry.switched("host")
		sources := 0
		for _, m := range entry.members {
			if m.field.Name != "claim" && (m.field.Kind != Switch || b.Host) {
				sources++
			}
		}
		if sources != 1 && !o.r.isFaulty(&o.find("claimMatches").value.Children[i]) {
			entry.fault("", "", "needs exactly one of variable, header and host: true")
		}
	}
	return all
}

// warnIssuers warns of issuers that no rule has.
func (o *object) warnIssuers(issuers []string, rules []*parsedRule) {
	for _, issuer := range issuers {
		if !slices.ContainsFunc(rules, func(rule *parsedRule) bool { return rule.Issuer == issuer }) {
			o.warn("issuers", quoteURL(issuer), "is the issuer of no rule: no token of it is valid")
		}
	}
}

// routeFault reports a fault that route.NewTable found, at the value that causes it. It does
// not report a fault that follows from another one.
func (o *object) routeFault(f route.Fault) {
	m := o.find(f.Field)
	if m == nil {
		o.fault("", "", f.Field+" "+f.Want)
		return
	}
	path, value, found := o.pathTo(f.Field), m.value, ""
	if f.Found != "" {
		found = quoteURL(f.Found)
		if p, v := o.r.findText(path, value, f.Found); v != nil {
			path, value, found = p, v, shown(v)
		}
	}
	if o.r.isFaulty(value) {
		return
	}
	if f.Field == "path" && strings.HasSuffix(path, ".regex") {
		found = quote(f.Found) // a ? begins no query here
	}
	if path := o.find("path"); f.Field == "claimMatches" && path != nil && o.r.isFaulty(path.value) {
		return // whose variables are not known
	}
	o.r.fault(value.Offset, path, found, f.Want)
}

// findText finds the first value inside a value that has this text and no fault yet, and its
// path. It returns nil when there is none.
func (r *reader) findText(path string, value *strictjson.Value, text string) (string, *strictjson.Value) {
	switch value.Kind {
	case strictjson.Array, strictjson.Object:
	default:
		isIt := value.Raw == text || value.Kind == strictjson.String && (value.Text == text || ascii.Lower(value.Text) == text)
		if isIt && !r.isFaulty(value) {
			return path, value
		}
		return "", nil
	}
	for i := range value.Children {
		child := &value.Children[i]
		below := at(path, i)
		if value.Kind == strictjson.Object {
			if below = join(path, child.Name); child.Name == "claim" {
				continue // route.NewTable finds no fault in it
			}
		}
		if p, v := r.findText(below, child, text); v != nil {
			return p, v
		}
	}
	return "", nil
}

// coveredBy returns the index of the first route before routes[i] that matches every request
// that routes[i] matches, or -1. It does not find all such routes.
func coveredBy(routes []route.Route, i int) int {
	later := &routes[i]
	for j := range routes[:i] {
		earlier := &routes[j]
		if earlier.Headers == nil && includes(earlier.Methods, later.Methods) && includes(earlier.Hosts, later.Hosts) &&
			covers(&earlier.Path, &later.Path) {
			return j
		}
	}
	return -1
}

// includes reports whether the condition all holds wherever some does. An absent condition
// holds for every request.
func includes(all, some []string) bool {
	if all == nil {
		return true
	}
	return some != nil && !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// isEverything reports whether the condition holds for every path.
func isEverything(p *route.Path) bool {
	rest, tail := shape(p)
	return p.Kind == route.Any || tail && rest == ""
}

// covers reports whether a holds wherever b does.
func covers(a, b *route.Path) bool {
	switch {
	case isEverything(a):
		return true
	case a.Kind == route.Regex || b.Kind == route.Regex:
		return a.Kind == b.Kind && a.Text == b.Text
	case b.Kind == route.Any:
		return false
	}
	wide, wideTail := shape(a)
	narrow, narrowTail := shape(b)
	for wide != "" {
		var w, n string
		if narrow == "" {
			return false
		}
		w, wide, _ = strings.Cut(wide, "/")
		n, narrow, _ = strings.Cut(narrow, "/")
		if isVariable(a, w) {
			continue
		}
		if isVariable(b, n) || w != n {
			return false
		}
	}
	// A slash at the end makes another path: see route.Table.Find.
	aSlash, bSlash := strings.HasSuffix(a.Text, "/"), strings.HasSuffix(b.Text, "/")
	if wideTail {
		return narrow != "" || !aSlash || bSlash
	}
	return narrow == "" && !narrowTail && aSlash == bSlash
}

// shape returns the path without the slashes at both ends, and whether more segments may
// follow.
func shape(p *route.Path) (segments string, tail bool) {
	segments = strings.TrimRight(strings.TrimPrefix(p.Text, "/"), "/")
	if p.Kind == route.Template && strings.HasSuffix(segments, "=**}") {
		return segments[:strings.LastIndexByte("/"+segments, '/')], true
	}
	return segments, p.Kind == route.Prefix
}

func isVariable(p *route.Path, segment string) bool {
	return p.Kind == route.Template && strings.HasPrefix(segment, "{")
}

// Policy is the policy in the filter metadata of an Envoy route.
type Policy struct {
	// Route has no conditions: Envoy has chosen it.
	Route route.Route
	// Spellings are those for which, by the configuration, Envoy chooses the same route.
	Spellings route.Spelling
}

// ParsePolicy parses the policy of an Envoy route: in its filter metadata, the string policy
// under the key edgejwt. It is the JSON of one route without conditions, at most
// MaxPolicyBytes long, and replaces Config.Routes (see Config.RouteMetadata).
//
// The error is an *Error as in Parse, with paths that start at the policy; the Policy is
// then empty. The Policy does not refer to the text.
func ParsePolicy(text string) (Policy, error) {
	r := new(reader)
	if root := r.open(text, &policyDocument); root != nil {
		var policy Policy
		root.demand(&policy.Route, nil)
		policy.Spellings = root.spellings()
		_, faults := route.NewTable([]route.Route{policy.Route}, route.Options{})
		for _, f := range faults {
			root.routeFault(f)
		}
		if len(r.faults) == 0 {
			return policy, nil
		}
	}
	return Policy{}, r.refusal()
}

// spellings reads the field of that name.
func (o *object) spellings() (all route.Spelling) {
	o.list("spellings", func(text string) string {
		switch text {
		case "trailingSlash":
			all |= route.TrailingSlash
		case "head":
			all |= route.HeadAsGet
		case "port":
			all |= route.HostPort
		case "pathCase":
			all |= route.PathCase
		default:
			return "is not known; write " + either(spellings)
		}
		return ""
	})
	return all
}
