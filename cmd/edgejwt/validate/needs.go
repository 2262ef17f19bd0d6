package validate

import (
	"strconv"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/verify/route"
)

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
