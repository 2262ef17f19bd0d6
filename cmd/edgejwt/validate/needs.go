package validate

import (
	"strconv"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/verify/route"
)

// judgeIssuers looks for an issuer without a slash whose key set lies where Auth0 has it:
// at a custom domain, the slash is easily forgotten. Other providers do the same without
// a slash, so it is a hint.
func (w *world) judgeIssuers(p *plugin) {
	for i := range p.config.Rules {
		rule := &p.config.Rules[i]
		host, secure := strings.CutPrefix(rule.Issuer, "https://")
		if secure && !strings.Contains(host, "/") && !strings.HasSuffix(host, ".auth0.com") && rule.JWKSURI == rule.Issuer+"/.well-known/jwks.json" {
			w.found(Finding{Severity: Hint, What: "the issuer does not end in a slash",
				Why:   "The issuer of Auth0's tokens does, at custom domains too, and is compared byte for byte. Other providers have none: see iss in a token.",
				Write: "issuer: " + rule.Issuer + "/"}, p.file, p.where(rule.Path+".issuer"))
		}
	}
}

// judgeNeeds looks for texts in routes that do not mean what they look like.
func (w *world) judgeNeeds(p *plugin) {
	for i := range p.config.Routes {
		r := &p.config.Routes[i]
		place := "routes[" + strconv.Itoa(i) + "]"
		for j, method := range r.Methods {
			if strings.Contains(method, "*") || method == "ANY" || method == "ALL" {
				w.found(Finding{Severity: Warning, What: strconv.Quote(method) + " is taken literally, and no client sends this method",
					Why:   "The route does not apply to what its author meant, and other routes, or none, do.",
					Write: "leave methods out for every method"}, p.file, p.where(place+".methods["+strconv.Itoa(j)+"]"))
			}
		}
		w.judgeLists(&r.Requirements, p.file, func(field string, j int) *document.Node {
			return p.where(place + "." + field + "[" + strconv.Itoa(j) + "]")
		})
	}
}

// judgeLists looks for scopes and permissions that look like several in one text.
func (w *world) judgeLists(n *route.Requirements, file string, where func(field string, j int) *document.Node) {
	for _, list := range []struct {
		field string
		texts []string
	}{{"scopes", n.Scopes}, {"anyScope", n.AnyScope}, {"permissions", n.Permissions}, {"anyPermission", n.AnyPermission}} {
		for j, text := range list.texts {
			if strings.ContainsAny(text, ",;|[] ") {
				w.found(Finding{Severity: Warning, What: strconv.Quote(text) + " looks like a list",
					Why:   "It is one name, which a token must have as it stands here.",
					Write: list.field + ": one element for each name"}, file, where(list.field, j))
			}
		}
	}
}
