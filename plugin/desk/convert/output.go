package convert

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

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
	if err := check(raw, config.Full()); err != nil {
		return nil, err
	}
	full := check(raw, config.Standard()) != nil
	if full {
		c.head = append(c.head, "Needs the module edgejwt-full.wasm: the standard one has neither regular expressions in paths nor algorithms besides RS256.")
	}
	var b strings.Builder
	comment(&b, "", c.head...)
	document.yaml(&b, "")
	r := &Result{JSON: raw, YAML: []byte(b.String()), Full: full}
	for _, note := range append(c.head, document.comments()...) {
		r.Comments = union(r.Comments, []string{clean(note)})
	}
	return r, nil
}

func (c *conversion) document() object {
	var o object
	var rules []any
	fetched := false
	for _, p := range c.providers {
		rules = append(rules, p.entry())
		fetched = fetched || p.inline == ""
	}
	o.add("jwtRules", rules)
	if routes := c.routes(); routes != nil {
		o.add("routes", routes)
	}
	if c.judges {
		o.add("corsPreflight", "judge")
	}
	if c.clear {
		o.add("clearRouteCache", true)
	}
	if fetched && c.refresh != 0 && c.refresh < 10*time.Minute {
		o.add("keys", object{{key: "refresh", value: short(max(c.refresh, 30*time.Second))}},
			"as often as the key sets were fetched; when a provider cannot be reached, edgejwt goes on with the last keys for keys.maxStale (24h)")
	}
	c.head = append([]string{"Written by edgejwt convert. Read the comments: they say what is not as it was."}, c.head...)
	if slices.ContainsFunc(c.decision, func(r rule) bool { return r.path.kind != anyPath }) {
		c.note("A path is the same here with and without a slash at its end, and where the two were treated differently, " +
			"both are now what the first route that matches one of them says. What servers read in different ways is refused with 400.")
	}
	if slices.ContainsFunc(c.decision, func(r rule) bool { return r.path.settled().kind == beginPath }) {
		c.note("A prefix that ends inside of a segment, as /api does if it is for /apiary too, is an expression (regex) here. " +
			"If there is nothing but /api and what is below it, write prefix: /api, which the standard module knows too.")
	}
	return o
}

// routes is the decision as routes; what matches none needs a valid token.
func (c *conversion) routes() []any {
	decision, err := c.decision.settled().joined().heads()
	if err != nil {
		c.problem("%v", err)
		return nil
	}
	last := &decision[len(decision)-1]
	plain := last.need.auth == must && last.need.bare()
	if plain {
		decision = decision[:len(decision)-1]
	}
	var routes []any
	for i := range decision {
		routes = append(routes, decision[i].route())
	}
	if plain && len(routes) > 0 {
		c.note("What matches no route needs a valid token.")
	}
	return routes
}

func (r *rule) route() object {
	var o object
	switch r.path.kind {
	case exactPath:
		o.add("path", object{{key: "exact", value: r.path.text}})
	case underPath:
		o.add("path", object{{key: "prefix", value: r.path.text}})
	case beginPath:
		text, _ := r.path.regex()
		o.add("path", object{{key: "regex", value: text}})
	case edgePath:
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
		o.add("maxLifetime", short(n.maxLifetime))
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
		simple = simple && len(c.way) == 1 && !slices.ContainsFunc(asObject, func(m member) bool { return m.key == c.way[0] })
		asObject.add(c.way[0], values)
		asList = append(asList, object{{key: "claim", value: wayValue(c.way)}, {key: "values", value: values}})
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

// short writes a duration as people do.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// heads puts routes for HEAD in front of those for GET where it matters that
// edgejwt takes HEAD for GET, and other filters do not.
func (a chain) heads() (chain, error) {
	var all chain
	for i, x := range a {
		if x.methods != nil && slices.Contains(x.methods, "GET") && !slices.Contains(x.methods, "HEAD") {
			head := x.cond
			head.methods = []string{"HEAD"}
			heads, err := a[i+1:].within(head)
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(heads, func(h rule) bool { return !x.need.implies(h.need) }) {
				heads[0].notes = []string{"edgejwt takes HEAD for GET, and before it was another method; remove this if HEAD may do what GET may"}
				all = append(all, heads...)
			}
		}
		all = append(all, x)
	}
	return all, nil
}

// within is what the chain says of some requests.
func (a chain) within(c cond) (chain, error) {
	var all chain
	for _, x := range a {
		both, r := c.meet(x.cond)
		switch r {
		case apart:
			continue
		case tangled:
			return nil, fmt.Errorf("no condition of edgejwt holds for exactly the requests of both %s and %s", c, x.cond)
		}
		all = append(all, rule{cond: both, need: x.need})
		if x.cond.covers(c) {
			break
		}
	}
	return all.pruned(), nil
}
