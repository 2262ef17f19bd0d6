package explain

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// Asks says how much is asked of a request.
type Asks string

const (
	// AsksNothing: it passes without a token, or with any text for one.
	AsksNothing Asks = "nothing"
	// AsksToken: a valid token, and nothing more.
	AsksToken Asks = "token"
	// AsksMore: a valid token that has what a route demands.
	AsksMore Asks = "more"
	// AsksDenied: nobody passes.
	AsksDenied Asks = "denied"
	// AsksRefused: the request is refused, for it has readings that come to different
	// routes.
	AsksRefused Asks = "refused"
)

// Coverage says what each operation of an API needs.
type Coverage struct {
	Operations []Operation `json:"operations"`
	// Notes say what was not looked at.
	Notes []string `json:"notes,omitempty"`
}

// Operation is a method on a path, and what it needs. An operation stands several
// times where that depends on the values of the path's variables.
type Operation struct {
	// Method is "*" for every method of which no other line tells.
	Method string `json:"method"`
	// Path is as its source has it: an OpenAPI path with the server's base before it, or
	// a route's condition; "*" for every path of which no other line tells.
	Path string `json:"path"`
	// Hosts and Headers are the conditions of the route whose path it is; nil for none.
	Hosts   []string `json:"hosts,omitempty"`
	Headers []string `json:"headers,omitempty"`
	// ID is the OpenAPI operationId.
	ID string `json:"operationId,omitempty"`
	// Example is a path for which this line tells; empty when it tells of every value
	// that was tried.
	Example string `json:"example,omitempty"`
	// Route is the route's name, or routes[i]; empty when none matches.
	Route string `json:"route"`
	// Index is the route's place, or -1.
	Index int  `json:"index"`
	Asks  Asks `json:"asks"`
	// Needs are what is asked, in words: "permissions: read:orders".
	Needs []string `json:"needs"`
}

// planned is an operation before it is judged.
type planned struct {
	Operation
	method  string
	host    string
	paths   []string
	headers [][2]string
}

// CoverRoutes lists what the configured routes leave to whom: for the path of each
// route the methods that are treated differently, and then all others. Of the paths of
// a prefix, a template or an expression one is tried, which no other route names.
func CoverRoutes(c *config.Config) *Coverage {
	v := newCoverer(c)
	type condition struct {
		path           route.Path
		hosts, headers string
	}
	seen := map[condition]bool{}
	for i := range c.Routes {
		r := &c.Routes[i]
		headers, words := headersOf(r)
		path := r.Path
		if path.Kind == route.Prefix && path.Text == "/" {
			path = route.Path{}
		}
		key := condition{path, strings.Join(r.Hosts, " "), strings.Join(words, "\n")}
		if seen[key] {
			continue
		}
		seen[key] = true
		sample := v.samplePath(&path)
		if path.Kind == route.Regex {
			v.note("Of the paths of " + nameOf(r, i) + ", an expression, this one was tried: " + sample)
		}
		shown := path.String()
		if path.Kind == route.Any {
			shown = "*"
		}
		v.everyMethod(planned{Operation: Operation{Path: shown, Hosts: r.Hosts, Headers: words},
			host: v.hostOf(r.Hosts), paths: []string{sample}, headers: headers})
	}
	if rest := (condition{}); !seen[rest] {
		v.everyMethod(planned{Operation: Operation{Path: "*"}, host: v.hostOf(nil), paths: []string{v.samplePath(&route.Path{})}})
	}
	return v.coverage
}

// coverer asks one configuration.
type coverer struct {
	config   *config.Config
	table    *route.Table
	methods  []string // that some route names, HEAD where GET is named
	literals []string // segments of the routes' paths
	coverage *Coverage
}

func newCoverer(c *config.Config) *coverer {
	table, faults := route.NewTable(c.Routes, c.RouteOptions)
	if faults != nil {
		panic("explain: routes with a fault") // ParseWith refuses them
	}
	v := &coverer{config: c, table: table, coverage: &Coverage{Operations: []Operation{}}}
	for i := range c.Routes {
		for _, method := range c.Routes[i].Methods {
			v.addMethod(method)
			if method == "GET" {
				v.addMethod("HEAD")
			}
		}
		v.literals = append(v.literals, strings.Split(strings.ToLower(c.Routes[i].Path.Text), "/")...)
	}
	if c.RouteMetadata {
		v.note("Policies in the metadata of Envoy's routes (routeMetadata) are not looked at; they take the place of what is told here.")
	}
	return v
}

func (v *coverer) note(text string) { v.coverage.Notes = append(v.coverage.Notes, text) }

func (v *coverer) addMethod(method string) {
	if !slices.Contains(v.methods, method) {
		v.methods = append(v.methods, method)
	}
}

// otherMethod stands for every method that no route names.
const otherMethod = "ANY-OTHER"

// everyMethod judges an operation for each method that the routes name, and for all
// others; methods that come to the same as all others are not told.
func (v *coverer) everyMethod(p planned) {
	p.method, p.Method = otherMethod, "*"
	rest := v.judge(&p)
	for _, method := range v.methods {
		p.method, p.Method = method, method
		lines := v.judge(&p)
		if !slices.EqualFunc(lines, rest, func(a, b Operation) bool { return a.Index == b.Index && a.Asks == b.Asks }) {
			v.coverage.Operations = append(v.coverage.Operations, lines...)
		}
	}
	v.coverage.Operations = append(v.coverage.Operations, rest...)
}

// judge finds what each of the operation's paths needs, and tells those together that
// need the same.
func (v *coverer) judge(p *planned) (lines []Operation) {
	for _, path := range p.paths {
		path = sent(path)
		line := p.Operation
		line.Example = path
		var m route.Match
		err := v.table.Find(&route.Request{Method: p.method, Host: p.host, Path: path, Headers: p.headers}, &m)
		if err != nil {
			line.Index, line.Asks, line.Needs = -1, AsksRefused, []string{verify.ReasonOf(err).String()}
		} else {
			v.asked(&line, &m)
		}
		if !slices.ContainsFunc(lines, func(other Operation) bool { return other.Index == line.Index && other.Asks == line.Asks }) {
			lines = append(lines, line)
		}
	}
	if len(lines) == 1 {
		lines[0].Example = ""
	}
	return lines
}

// asked fills in what a match needs.
func (v *coverer) asked(line *Operation, m *route.Match) {
	r := m.Route
	line.Index = m.Index
	if m.Index >= 0 {
		line.Route = nameOf(r, m.Index)
	}
	for _, d := range demandsOf(&r.Requirements) {
		line.Needs = append(line.Needs, d.name+": "+d.words)
	}
	switch {
	case m.Report:
		line.Asks, line.Needs = AsksNothing, append([]string{"mode report: what would be refused passes"}, line.Needs...)
	case r.Auth == route.Deny:
		line.Asks, line.Needs = AsksDenied, []string{"nobody passes"}
	case r.Auth == route.None:
		line.Asks, line.Needs = AsksNothing, []string{"nothing"}
	case r.Auth == route.Optional && line.Needs != nil:
		line.Asks, line.Needs = AsksNothing, append([]string{"nothing without a token; of a token"}, line.Needs...)
	case r.Auth == route.Optional:
		line.Asks, line.Needs = AsksNothing, []string{"a valid token or none"}
	case r.AllowOpaque:
		line.Asks, line.Needs = AsksNothing, append([]string{"any text for a token (allowOpaque)"}, line.Needs...)
	case line.Needs == nil:
		line.Asks, line.Needs = AsksToken, []string{"a valid token only"}
	default:
		line.Asks = AsksMore
	}
}

// nameOf is how findings and metrics call a route.
func nameOf(r *route.Route, index int) string {
	if r.Name != "" {
		return r.Name
	}
	return "routes[" + strconv.Itoa(index) + "]"
}

// hostOf is a host that meets the condition, or one that no route names.
func (v *coverer) hostOf(hosts []string) string {
	if hosts == nil {
		return "any-other.invalid"
	}
	return strings.Replace(hosts[0], "*", "any", 1)
}

// samplePath is a path that meets the condition, and has no segment of another
// route's where that leaves a choice.
func (v *coverer) samplePath(p *route.Path) string {
	below := "/" + v.segment("any")
	switch p.Kind {
	case route.Any:
		return below + below
	case route.Prefix:
		return strings.TrimSuffix(p.Text, "/") + below
	case route.Regex:
		parsed, err := syntax.Parse(p.Text, syntax.Perl)
		if err != nil {
			panic("explain: a route with a faulty expression") // ParseWith refuses it
		}
		return matched(parsed)
	}
	var b strings.Builder
	for _, segment := range strings.Split(strings.Trim(p.Text, "/"), "/") {
		if name := variableOf(p, segment); name != "" {
			segment = v.segment(name)
		}
		b.WriteString("/" + segment)
	}
	if strings.HasSuffix(p.Text, "/") && b.Len() > 1 {
		b.WriteByte('/')
	}
	return b.String()
}

// matched is a short text that an expression matches, assertions such as \b apart.
func matched(e *syntax.Regexp) string {
	switch e.Op {
	case syntax.OpLiteral:
		return string(e.Rune)
	case syntax.OpCharClass:
		for _, c := range "a1A-_." {
			for i := 0; i < len(e.Rune); i += 2 {
				if e.Rune[i] <= c && c <= e.Rune[i+1] {
					return string(c)
				}
			}
		}
		return string(e.Rune[:min(1, len(e.Rune))])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpCapture, syntax.OpPlus, syntax.OpAlternate:
		return matched(e.Sub[0])
	case syntax.OpRepeat:
		return strings.Repeat(matched(e.Sub[0]), e.Min)
	case syntax.OpConcat:
		text := ""
		for _, part := range e.Sub {
			text += matched(part)
		}
		return text
	}
	return ""
}

// sent is a path as clients send it, of which operators may write more than that.
func sent(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		if c <= ' ' || c > '~' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// segment is a segment that stands in no route.
func (v *coverer) segment(name string) string {
	segment := "some-" + name
	for slices.Contains(v.literals, strings.ToLower(segment)) {
		segment += "-"
	}
	return segment
}

// variableOf is the name of a template's variable, or empty for a literal segment.
func variableOf(p *route.Path, segment string) string {
	if name, ok := strings.CutPrefix(segment, "{"); ok && p.Kind == route.Template {
		name, _, _ = strings.Cut(strings.TrimSuffix(name, "}"), "=")
		return name
	}
	return ""
}

// headersOf are lines that meet the route's conditions on headers, and those in words.
func headersOf(r *route.Route) (lines [][2]string, words []string) {
	for _, h := range r.Headers {
		value, word := "any", h.Name
		if len(h.Values) > 0 {
			value = h.Values[0]
			word += ": " + strings.Join(h.Values, " or ")
		}
		lines, words = append(lines, [2]string{h.Name, value}), append(words, word)
	}
	return lines, words
}
