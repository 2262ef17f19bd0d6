package validate

import (
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"edgejwt/verify/route"
)

// maxSamples bounds the requests that are tried for one route.
const maxSamples = 1000

// judgeOrder looks for requests of a route that an earlier one takes, which asks for
// less and is no exception from the later one. Requests that meet the later route's own
// conditions are tried on the table that the plugin compiles.
func (w *world) judgeOrder(p *plugin) {
	c := p.config
	table, faults := route.NewTable(c.Routes, c.RouteOptions)
	if len(faults) > 0 {
		return // the parser has told them
	}
	for i := range c.Routes {
		later := &c.Routes[i]
		place := "routes[" + strconv.Itoa(i) + "]"
		if later.Auth == route.None || slices.ContainsFunc(c.Warnings, func(s string) bool { return strings.HasPrefix(s, place+": never applies") }) {
			continue
		}
		told := map[int]bool{}
		alone, _ := route.NewTable(c.Routes[i:i+1], c.RouteOptions)
		for _, q := range samples(later, c.RouteOptions) {
			var m, own route.Match
			if table.Find(&q, &m) != nil || m.Spelling != 0 || m.Index < 0 || m.Index >= i || told[m.Index] {
				continue
			}
			told[m.Index] = true
			earlier := &c.Routes[m.Index]
			if alone.Find(&q, &own) == nil && own.AsksNoMoreThan(&m) || isException(earlier, later, c.RouteOptions) {
				continue
			}
			host := ""
			if later.Hosts != nil {
				host = q.Host
			}
			w.found(Finding{Severity: Warning,
				What: place + " guards " + later.Path.String() + ", and routes[" + strconv.Itoa(m.Index) + "] stands before it, asks for less, and takes " +
					q.Method + " " + host + q.Path,
				Why:   "The first route whose conditions hold applies.",
				Write: place + " before routes[" + strconv.Itoa(m.Index) + "]"}, p.file, p.where(place))
		}
	}
}

// isException reports whether the earlier route is narrower than the later one, as an
// exception from a rule is: by its path or, of one path, by its hosts or, of one host, by
// its methods.
func isException(earlier, later *route.Route, o route.Options) bool {
	for _, part := range []func(*route.Route) route.Route{
		func(r *route.Route) route.Route { return route.Route{Path: r.Path} },
		func(r *route.Route) route.Route { return route.Route{Hosts: r.Hosts} },
		func(r *route.Route) route.Route { return route.Route{Methods: r.Methods} },
		func(r *route.Route) route.Route { return route.Route{Headers: r.Headers} },
	} {
		mine, theirs := part(earlier), part(later)
		in, covers := within(&mine, &theirs, o), within(&theirs, &mine, o)
		if !in || !covers {
			return in
		}
	}
	return false
}

// within reports whether all samples of a meet the conditions of b.
func within(a, b *route.Route, o route.Options) bool {
	return len(meeting(samples(a, o), b, o)) == len(samples(a, o))
}

// meeting are those requests that meet the conditions of one route.
func meeting(all []route.Request, r *route.Route, o route.Options) (some []route.Request) {
	table, faults := route.NewTable([]route.Route{*r}, o)
	if len(faults) > 0 {
		return nil
	}
	for i := range all {
		var m route.Match
		if table.Find(&all[i], &m) == nil && m.Index == 0 && m.Spelling == 0 {
			some = append(some, all[i])
		}
	}
	return some
}

// samples are requests that meet a route's conditions.
func samples(r *route.Route, o route.Options) (all []route.Request) {
	methods := r.Methods
	if methods == nil {
		methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	}
	hosts := []string{"some-host.invalid"}
	if r.Hosts != nil {
		hosts = nil
		for _, host := range r.Hosts {
			hosts = append(hosts, strings.Replace(strings.ToLower(host), "*", "some-host", 1))
		}
	}
	var headers [][2]string
	for _, h := range r.Headers {
		value := "some-value"
		if len(h.Values) > 0 {
			value = h.Values[0]
		}
		headers = append(headers, [2]string{h.Name, value})
	}
	for _, path := range samplePaths(&r.Path) {
		for _, host := range hosts {
			for _, method := range methods {
				if len(all) < maxSamples {
					all = append(all, route.Request{Method: method, Host: host, Path: path, Headers: headers})
				}
			}
		}
	}
	return meeting(all, r, o)
}

// samplePaths are paths that may meet the condition: the ends of what it leaves open.
func samplePaths(p *route.Path) []string {
	text := strings.TrimRight(p.Text, "/")
	switch p.Kind {
	case route.Any:
		return []string{"/some-path", "/some-path/below"}
	case route.Prefix:
		return []string{text + "/some-path", text + "/some-path/below", rooted(text)}
	case route.Template:
		var short, long string
		for _, segment := range strings.Split(strings.TrimPrefix(text, "/"), "/") {
			switch {
			case strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "=**}"):
				long += "/some-path"
			case strings.HasPrefix(segment, "{"):
				short, long = short+"/some-segment", long+"/some-segment"
			default:
				short, long = short+"/"+segment, long+"/"+segment
			}
		}
		return []string{long, rooted(short)}
	case route.Regex:
		e, err := syntax.Parse(p.Text, syntax.Perl)
		if err != nil {
			return nil
		}
		var all []string
		for variant := range 8 {
			if path := sampleOf(e, variant); !slices.Contains(all, path) {
				all = append(all, path)
			}
		}
		return all
	}
	return []string{rooted(text), p.Text}
}

// rooted is the path, or that of the root.
func rooted(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// sampleOf is a text that the expression may match. The variant says whether what may be
// left out is there (its lowest bit), and which of several alternatives is taken.
func sampleOf(e *syntax.Regexp, variant int) string {
	switch e.Op {
	case syntax.OpLiteral:
		return string(e.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "x"
	case syntax.OpCharClass:
		return string(runeOf(e.Rune))
	case syntax.OpStar, syntax.OpQuest:
		if variant&1 == 1 {
			return ""
		}
		return sampleOf(e.Sub[0], variant)
	case syntax.OpRepeat:
		return strings.Repeat(sampleOf(e.Sub[0], variant), max(e.Min, 1-variant&1))
	case syntax.OpPlus, syntax.OpCapture:
		return sampleOf(e.Sub[0], variant)
	case syntax.OpAlternate:
		return sampleOf(e.Sub[variant/2%len(e.Sub)], variant)
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range e.Sub {
			b.WriteString(sampleOf(sub, variant))
		}
		return b.String()
	}
	return "" // anchors
}

// runeOf is a character of a class, given by pairs of first and last: x, 0 or the first
// that is printable.
func runeOf(class []rune) rune {
	for _, c := range "x0A" {
		for i := 0; i+1 < len(class); i += 2 {
			if class[i] <= c && c <= class[i+1] {
				return c
			}
		}
	}
	for i := 0; i+1 < len(class); i += 2 {
		if class[i+1] > ' ' {
			return max(class[i], '!')
		}
	}
	return 'x'
}
