package convert

import (
	"encoding/json"
	"slices"
	"strings"

	"edgejwt/plugin/config"
)

// nobody is the issuer of no rule: no token of it is valid. A route whose token is
// optional and of this issuer lets requests through that have none, and no others.
const nobody = "urn:edgejwt:nobody"

// result writes the configuration down and has it checked.
func (c *conversion) result() (*Result, error) {
	document := c.document()
	if c.problems != nil {
		return nil, &Error{c.problems}
	}
	raw, err := plainJSON(document)
	if err != nil {
		return nil, err
	}
	if err := check(raw); err != nil {
		return nil, err
	}
	var b strings.Builder
	comment(&b, "", c.head...)
	document.yaml(&b, "")
	r := &Result{JSON: raw, YAML: []byte(b.String())}
	for _, note := range append(c.head, document.comments()...) {
		r.Comments = union(r.Comments, []string{clean(note)})
	}
	return r, nil
}

func (c *conversion) document() object {
	var o object
	var rules []any
	of := c.refreshProvider()
	for _, p := range c.providers {
		rules = append(rules, p.entry(of == nil))
		if p.placeless {
			c.note("%s", unread)
		}
	}
	o.add("jwtRules", rules)
	routes, unmatched := c.routes()
	if routes != nil {
		o.add("routes", routes)
	}
	if unmatched != "" {
		o.add("unmatched", unmatched)
	}
	if c.portIgnored {
		o.add("hostPort", "ignored")
	}
	if c.judges {
		o.add("corsPreflight", "judge")
	}
	if c.clear {
		o.add("clearRouteCache", true)
	}
	if of != nil {
		if keys, note := of.refreshes(); keys != nil {
			o.add("keys", keys, note)
		}
	}
	c.head = append([]string{"Written by edgejwt convert. Read the comments: they say what is not as it was."}, c.head...)
	if slices.ContainsFunc(c.decision, func(r rule) bool { return !r.cond.isAny() }) {
		c.note("A request whose path, host, method or headers servers read in different ways gets the strictest of what the routes say of each: " +
			"a slash at the end of the path, a port, a dot or capitals in the host, HEAD for GET. Where that cannot be told, it is refused with 400.")
	}
	if slices.ContainsFunc(c.decision, func(r rule) bool { return r.path.kind == beginPath && !strings.HasSuffix(r.path.text, "/") }) {
		c.note("A prefix that ends inside of a segment, as /api does if it is for /apiary too, is an expression (regex) here. " +
			"If there is nothing but /api and what is below it, write prefix: /api.")
	}
	return o
}

// refreshProvider is a provider whose time between two fetches is that of all whose keys are
// fetched; nil where they differ, or none is.
func (c *conversion) refreshProvider() (one *provider) {
	for _, p := range c.providers {
		switch {
		case p.inline != "":
		case one == nil:
			one = p
		case p.period() != one.period():
			return nil
		}
	}
	return one
}

// routes is the decision as routes, and what is asked of a request that matches
// none of them: "" when the last one matches all, or when there are none.
func (c *conversion) routes() (routes []any, unmatched string) {
	decision := c.decision.joined()
	last := &decision[len(decision)-1]
	switch {
	case last.need.auth == must && last.need.bare():
		unmatched = "token"
	case last.need.auth == never && last.notes == nil && len(decision) > 1:
		unmatched = "deny"
	}
	if unmatched != "" {
		decision = decision[:len(decision)-1]
	}
	for i := range decision {
		routes = append(routes, decision[i].route())
	}
	if routes == nil {
		return nil, ""
	}
	return routes, unmatched
}

func (r *rule) route() object {
	var o object
	switch r.path.kind {
	case exactPath:
		o.add("path", object{{key: "exact", value: r.path.text}})
	case underPath:
		o.add("path", object{{key: "prefix", value: r.path.text}})
	case beginPath:
		if strings.HasSuffix(r.path.text, "/") {
			o.add("path", object{{key: "prefix", value: r.path.text}})
			break
		}
		text, _ := r.path.regex()
		o.add("path", object{{key: "regex", value: text}})
	case shapePath:
		o.add("path", object{{key: "template", value: r.path.text}})
	case regexPath:
		o.add("path", object{{key: "regex", value: r.path.text}})
	}
	if r.methods != nil {
		o.add("methods", list(r.methods))
	}
	if r.hosts != nil {
		o.add("hosts", list(r.hosts))
	}
	var headers []any
	for _, h := range r.headers {
		e := object{{key: "name", value: h.name}}
		if h.values != nil {
			e.add("values", list(h.values))
		}
		headers = append(headers, e)
	}
	if headers != nil {
		o.add("headers", headers)
	}
	r.need.members(&o)
	o[0].notes = append(slices.Clone(r.notes), o[0].notes...)
	return o
}

// judgesBehind is for a filter that lets CORS preflights pass, their tokens
// unread, to one that judges them without claims. Nothing of ours is just that.
func (c *conversion) judgesBehind(first, second string) {
	c.judges = true
	c.note("CORS preflights (OPTIONS with Origin and Access-Control-Request-Method) passed %s, and the %s judged them as requests without a token. "+
		"Here they are judged like any other request: a token that one carries counts, and one without is refused where a token is needed. "+
		"Envoy's cors filter before the plugin answers those of the pages it knows; corsPreflight: pass lets through all but those to routes with auth: deny.", first, second)
}

func (n *need) members(o *object) {
	if n.auth == must && slices.Equal(n.issuers, []string{nobody}) {
		n = &need{auth: never}
	}
	switch n.auth {
	case open:
		o.add("auth", "none")
	case maybe:
		o.add("auth", "optional")
		if !n.bare() {
			o.add("anonymousPasses", true) // as it did: the source asks tokens only
		}
	case must:
		o.add("auth", "required")
	case never:
		o.add("auth", "deny")
	}
	for _, l := range []struct {
		name  string
		texts []string
	}{
		{"issuers", n.issuers}, {"audiences", n.audiences}, {"subjects", n.subjects}, {"scopes", n.scopes}, {"anyScope", n.anyScope},
	} {
		if l.texts != nil {
			o.add(l.name, list(l.texts))
		}
	}
	if n.claims != nil {
		o.add("claims", n.claimsValue())
	}
	if n.required != nil {
		var ways []any
		for _, way := range n.required {
			ways = append(ways, wayValue(way))
		}
		o.add("requiredClaims", ways)
	}
	if n.maxLifetime != 0 {
		o.add("maxLifetime", config.FormatDuration(n.maxLifetime))
	}
}

// claimsValue is an object where the names allow it, a list otherwise.
func (n *need) claimsValue() any {
	var asObject object
	var asList []any
	simple := true
	for _, c := range n.claims {
		var values []any
		for _, v := range c.values {
			values = append(values, json.RawMessage(v))
		}
		simple = simple && len(c.way) == 1 && !c.words && !slices.ContainsFunc(asObject, func(m member) bool { return m.key == c.way[0] })
		asObject.add(c.way[0], values)
		entry := object{{key: "claim", value: wayValue(c.way)}, {key: "values", value: values}}
		if c.words {
			entry.add("spaceDelimited", true)
		}
		asList = append(asList, entry)
	}
	if simple {
		return asObject
	}
	return asList
}

func wayValue(way []string) any {
	if len(way) == 1 {
		return way[0]
	}
	return list(way)
}
