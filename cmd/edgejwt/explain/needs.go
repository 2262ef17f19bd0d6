package explain

import (
	"sort"
	"strconv"
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

// need tells what the route demands. Each demand is judged by itself too, by the
// same code, so that all that a token lacks is told and not the first thing only.
func (x *explainer) need(ok bool) (string, []string) {
	var details []string
	for _, d := range demandsOf(&x.j.Match().Route.Requirements) {
		verdict := "ok"
		if err := x.alone(d.need); err != nil {
			verdict = "NOT MET"
		}
		line := d.name + ": " + d.words + " — " + verdict
		if x.o.Claims && d.claims != nil {
			line += "; the token has " + x.saidOf(d.claims)
		}
		details = append(details, line)
	}
	switch {
	case !ok:
		return x.why(), details
	case details == nil:
		return "the route demands nothing more of a valid token", nil
	}
	return "the token has all that the route demands", details
}

// alone judges one demand under the route's own conditions.
func (x *explainer) alone(need route.Requirements) error {
	only := *x.j.Match().Route
	only.Requirements = need
	options := x.o.Config.RouteOptions
	if x.j.ByPolicy() {
		options = route.Options{}
	}
	table, faults := route.NewTable([]route.Route{only}, options)
	if faults != nil {
		return verify.Internal
	}
	var m route.Match
	if err := table.Find(&route.Request{Method: x.q.method, Host: x.q.host, Path: x.q.path, Headers: x.headers}, &m); err != nil {
		return err
	}
	return m.Check(x.token(), x.o.At, x.rule().ClockSkew)
}

// saidOf is what the token says under each of the names.
func (x *explainer) saidOf(claims [][]string) string {
	var said []string
	for _, names := range claims {
		if claim := x.token().Lookup(names); claim != nil {
			said = append(said, way(names)+" "+shown(claim))
		}
	}
	if said == nil {
		return "no such claim"
	}
	return strings.Join(said, ", ")
}

// demand is one thing that a route demands.
type demand struct {
	name, words string
	need        route.Requirements // nothing but this
	claims      [][]string         // that it looks at
}

func demandsOf(n *route.Requirements) (all []demand) {
	list := func(name string, values []string, need route.Requirements, claims ...string) {
		if len(values) > 0 {
			var ways [][]string
			for _, claim := range claims {
				ways = append(ways, []string{claim})
			}
			all = append(all, demand{name, strings.Join(values, " "), need, ways})
		}
	}
	list("tokenTypes", n.TokenTypes, route.Requirements{TokenTypes: n.TokenTypes})
	list("issuers", n.Issuers, route.Requirements{Issuers: n.Issuers}, "iss")
	list("audiences", n.Audiences, route.Requirements{Audiences: n.Audiences}, "aud")
	if n.MaxAge > 0 {
		all = append(all, demand{"maxAge", written(n.MaxAge), route.Requirements{MaxAge: n.MaxAge}, [][]string{{"auth_time"}, {"iat"}}})
	}
	list("acr", n.ACR, route.Requirements{ACR: n.ACR}, "acr")
	if n.MaxAuthAge > 0 {
		all = append(all, demand{"maxAuthAge", written(n.MaxAuthAge), route.Requirements{MaxAuthAge: n.MaxAuthAge}, [][]string{{"auth_time"}}})
	}
	if n.MaxLifetime > 0 {
		all = append(all, demand{"maxLifetime", written(n.MaxLifetime), route.Requirements{MaxLifetime: n.MaxLifetime}, [][]string{{"iat"}, {"exp"}}})
	}
	list("scopes", n.Scopes, route.Requirements{Scopes: n.Scopes}, "scope", "scp")
	list("anyScope", n.AnyScope, route.Requirements{AnyScope: n.AnyScope}, "scope", "scp")
	list("permissions", n.Permissions, route.Requirements{Permissions: n.Permissions}, "permissions")
	list("anyPermission", n.AnyPermission, route.Requirements{AnyPermission: n.AnyPermission}, "permissions")
	list("subjects", n.Subjects, route.Requirements{Subjects: n.Subjects}, "sub")
	list("clients", n.Clients, route.Requirements{Clients: n.Clients}, "azp", "client_id")
	for _, names := range n.RequiredClaims {
		all = append(all, demand{"requiredClaims", way(names), route.Requirements{RequiredClaims: [][]string{names}}, [][]string{names}})
	}
	for _, claim := range n.Claims {
		verb := " is or holds "
		if claim.SpaceDelimited {
			verb = " has the word "
		}
		all = append(all, demand{"claims", way(claim.Name) + verb + values(claim.Values), route.Requirements{Claims: []route.Claim{claim}}, [][]string{claim.Name}})
	}
	for _, b := range n.ClaimMatches {
		words := way(b.Claim) + " is or holds "
		switch {
		case b.Variable != "":
			words += "{" + b.Variable + "}"
		case b.Header != "":
			words += "the header " + b.Header
		default:
			words += "the host"
		}
		all = append(all, demand{"claimMatches", words, route.Requirements{ClaimMatches: []route.Binding{b}}, [][]string{b.Claim}})
	}
	return all
}

func values(all []strictjson.Value) string {
	var texts []string
	for i := range all {
		text := all[i].Raw
		if all[i].Kind == strictjson.String {
			text = strconv.Quote(all[i].Text)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " or ")
}

// variables are the names in a template.
func variables(r *route.Route) (names []string) {
	if r.Path.Kind != route.Template {
		return nil
	}
	for _, segment := range strings.Split(r.Path.Text, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			name, _, _ = strings.Cut(strings.TrimSuffix(name, "}"), "=")
			names = append(names, name)
		}
	}
	return names
}

// conditions are a route's, in short.
func conditions(r *route.Route) string {
	var all []string
	if len(r.Methods) > 0 {
		all = append(all, strings.Join(r.Methods, " or "))
	}
	kinds := map[route.Kind]string{route.Exact: "exact ", route.Prefix: "prefix ", route.Template: "template ", route.Regex: "regex"}
	if r.Path.Kind != route.Any {
		all = append(all, strings.TrimSpace(kinds[r.Path.Kind]+r.Path.Text))
	}
	if len(r.Hosts) > 0 {
		all = append(all, "host "+strings.Join(r.Hosts, " or "))
	}
	for _, h := range r.Headers {
		text := "header " + h.Name
		if len(h.Values) > 0 {
			quoted := make([]string, len(h.Values))
			for i, value := range h.Values {
				quoted[i] = strconv.Quote(value)
			}
			sort.Strings(quoted)
			text += " " + strings.Join(quoted, " or ")
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}
