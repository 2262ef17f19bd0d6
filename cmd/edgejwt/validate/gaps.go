package validate

import (
	"slices"
	"strconv"
	"strings"

	"edgejwt/cmd/edgejwt/explain"
	"edgejwt/verify/route"
)

// judgeGaps looks for what lies beside the routes: methods of a path that none of them
// names, and HEAD beside GET.
func (w *world) judgeGaps(p *plugin) {
	operations := explain.CoverRoutes(p.config).Operations
	for len(operations) > 0 {
		first := &operations[0]
		n := 1
		for n < len(operations) && operations[n].Path == first.Path && slices.Equal(operations[n].Hosts, first.Hosts) && slices.Equal(operations[n].Headers, first.Headers) {
			n++
		}
		if rest := &operations[n-1]; first.Headers == nil && first.Path != "*" && rest.Method == "*" {
			w.judgeMethods(p, operations[:n-1], rest)
		}
		operations = operations[n:]
	}
}

// judgeMethods looks at one path: lines for some methods, and one for the rest.
func (w *world) judgeMethods(p *plugin, lines []explain.Operation, rest *explain.Operation) {
	var named []string
	get, head := rest, rest
	for i := range lines {
		switch line := &lines[i]; line.Method {
		case "GET":
			get = line
		case "HEAD":
			head = line
		}
		if index := lines[i].Index; index >= 0 && slices.Contains(p.config.Routes[index].Methods, lines[i].Method) {
			named = append(named, lines[i].Method)
		}
	}
	path := rest.Path
	if rest.Hosts != nil {
		path += " at " + strings.Join(rest.Hosts, ", ")
	}
	if rest.Index < 0 && rest.Asks == explain.AsksToken && named != nil {
		w.found(Finding{Severity: Warning, What: path + " has routes for " + strings.Join(named, ", ") + "; other methods need a valid token only",
			Write: "unmatched: deny, or a route for this path without methods, behind the others"}, p.file, p.where(placeOfRoute(lines)))
	}
	if get.Index < 0 || head.Index == get.Index || head.Index >= 0 && slices.Contains(p.config.Routes[head.Index].Methods, "HEAD") {
		return
	}
	opener := &p.config.Routes[get.Index]
	where := p.where("routes[" + strconv.Itoa(get.Index) + "].methods")
	switch {
	case head.Asks == explain.AsksRefused:
		w.found(Finding{Severity: Hint, What: "HEAD of " + path + " is refused as ambiguous",
			Why:   "Servers answer HEAD as GET. Neither GET's route nor the one that HEAD comes to asks for more than the other.",
			Write: "HEAD beside GET in methods"}, p.file, where)
	case opener.Auth == route.None || opener.Auth == route.Optional:
		w.found(Finding{Severity: Warning, What: "HEAD of " + path + " is not open as GET is",
			Why:   "A route that names GET opens nothing to HEAD; HEAD needs: " + strings.Join(head.Needs, "; ") + ".",
			Write: "HEAD beside GET in methods"}, p.file, where)
	}
}

// placeOfRoute is that of the first route that the lines name.
func placeOfRoute(lines []explain.Operation) string {
	for i := range lines {
		if lines[i].Index >= 0 {
			return "routes[" + strconv.Itoa(lines[i].Index) + "]"
		}
	}
	return "routes"
}
