package explain

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
	"edgejwt/verify/route"
)

// maxSamples bounds the paths that are tried for one operation.
const maxSamples = 64

// CoverOpenAPI lists what the operations of an OpenAPI document (3.x, YAML or JSON)
// need. The base paths of its servers stand before its paths, and their hosts count
// where routes depend on hosts. For a path's variables several values are tried: some
// of the parameter's type, and what the routes themselves have in that place.
//
// The error says what is no OpenAPI document, or what it refers to and lacks.
func CoverOpenAPI(c *config.Config, text []byte) (*Coverage, error) {
	documents, err := document.Read(text)
	if err != nil {
		return nil, err
	}
	if len(documents) != 1 {
		return nil, errors.New("is not one document")
	}
	a := api{root: documents[0], coverer: newCoverer(c)}
	switch version := a.root.Get("openapi"); {
	case a.root.Get("swagger") != nil:
		return nil, errors.New("is Swagger 2; only OpenAPI 3 is read")
	case !strings.HasPrefix(version.Str(), "3."):
		return nil, errors.New("is no OpenAPI document of version 3")
	}
	for _, item := range a.root.Get("paths").Members() {
		if err := a.item(item); err != nil {
			return nil, err
		}
	}
	return a.coverage, nil
}

// api is an OpenAPI document and the configuration before it.
type api struct {
	*coverer
	root *document.Node
}

// methods are the fields of a Path Item Object that are operations.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// item takes one path.
func (a *api) item(at *document.Node) error {
	path := at.Name
	item, err := a.resolve(at)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("line %d: the path %s does not begin with a slash", at.Line, strconv.Quote(path))
	}
	for _, method := range methods {
		operation := item.Get(method)
		if operation == nil {
			continue
		}
		values, err := a.values(item, operation)
		if err != nil {
			return err
		}
		servers := a.root.Get("servers")
		for _, closer := range []*document.Node{item.Get("servers"), operation.Get("servers")} {
			if closer != nil {
				servers = closer
			}
		}
		bases, err := a.bases(servers)
		if err != nil {
			return err
		}
		for _, base := range bases {
			p := planned{Operation: Operation{Method: strings.ToUpper(method), Path: base.path + path, ID: operation.Get("operationId").Str()},
				method: strings.ToUpper(method), host: base.host}
			if len(bases) > 1 && base.named {
				p.Hosts = []string{base.host}
			}
			p.paths = a.samples(base.path+path, values)
			a.coverage.Operations = append(a.coverage.Operations, a.judge(&p)...)
		}
	}
	return nil
}

// resolve follows a Reference Object within the document.
func (a *api) resolve(n *document.Node) (*document.Node, error) {
	for range 16 {
		ref := n.Get("$ref")
		if ref == nil {
			return n, nil
		}
		pointer, ok := strings.CutPrefix(ref.Str(), "#/")
		next := a.root
		for _, name := range strings.Split(pointer, "/") {
			if unescaped, err := url.PathUnescape(name); err == nil {
				name = unescaped
			}
			next = memberOf(next, strings.NewReplacer("~1", "/", "~0", "~").Replace(name))
		}
		if !ok || next == nil {
			return nil, fmt.Errorf("line %d: $ref %s is not in this document", ref.Line, strconv.Quote(ref.Str()))
		}
		n = next
	}
	return nil, fmt.Errorf("line %d: $ref leads to no end", n.Line)
}

// memberOf takes names as they are, which Node.Get does not.
func memberOf(n *document.Node, name string) *document.Node {
	for _, child := range n.Members() {
		if child.Name == name {
			return child
		}
	}
	return nil
}

// base is where a server has its paths.
type base struct {
	host, path string
	named      bool // the document names the host
}

// bases are those of a list of Server Objects, each once.
func (a *api) bases(servers *document.Node) (all []base, err error) {
	byHost := slices.ContainsFunc(a.config.Routes, func(r route.Route) bool { return r.Hosts != nil })
	for _, server := range servers.Items() {
		text := server.Get("url").Str()
		for _, variable := range server.Get("variables").Members() {
			text = strings.ReplaceAll(text, "{"+variable.Name+"}", variable.Get("default").Str())
		}
		parsed, err := url.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: the server's url %s cannot be read", server.Line, strconv.Quote(text))
		}
		b := base{host: a.hostOf(nil), path: strings.TrimSuffix(parsed.EscapedPath(), "/")}
		if b.path != "" && b.path[0] != '/' {
			b.path = "/" + b.path
		}
		if parsed.Host != "" && byHost {
			b.host, b.named = parsed.Host, true
		}
		if !slices.Contains(all, b) {
			all = append(all, b)
		}
	}
	if all == nil {
		all = []base{{host: a.hostOf(nil)}}
	}
	return all, nil
}

// values are those to try for each of the path's parameters that the document
// describes.
func (a *api) values(owners ...*document.Node) (map[string][]string, error) {
	all := map[string][]string{}
	for _, owner := range owners {
		for _, parameter := range owner.Get("parameters").Items() {
			parameter, err := a.resolve(parameter)
			if err != nil {
				return nil, err
			}
			if !parameter.Get("in").Is("path") {
				continue
			}
			schema, err := a.resolve(parameter.Get("schema"))
			if err != nil {
				return nil, err
			}
			name := parameter.Get("name").Str()
			all[name] = a.valuesOf(name, schema)
		}
	}
	return all, nil
}

// valuesOf are some values that a schema allows.
func (a *api) valuesOf(name string, schema *document.Node) (values []string) {
	for _, value := range schema.Get("enum").Items() {
		if value.Kind != document.Null && len(values) < maxSamples {
			values = append(values, url.PathEscape(value.Text))
		}
	}
	if values != nil {
		return values
	}
	kind := schema.Get("type")
	is := func(name string) bool {
		return kind.Is(name) || slices.ContainsFunc(kind.Items(), func(n *document.Node) bool { return n.Is(name) })
	}
	switch format := schema.Get("format"); {
	case is("integer"), is("number"):
		return []string{"7"}
	case is("boolean"):
		return []string{"true", "false"}
	case format.Is("uuid"):
		return []string{"6f1c64ab-34a4-4d1c-9a3e-0d7e7f3f7c55"}
	case format.Is("date"):
		return []string{"2026-01-31"}
	}
	return []string{a.segment(plainName(name)), "7"}
}

// plainName leaves of a parameter's name what stands for itself in a path.
func plainName(name string) string {
	plain := strings.Map(func(c rune) rune {
		if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '-' || c == '_' {
			return c
		}
		return -1
	}, name)
	if plain == "" {
		return "value"
	}
	return plain
}

// samples are paths of a templated path: one for each value of its variables, and one
// for each route that has a text of its own in a variable's place.
func (a *api) samples(path string, values map[string][]string) []string {
	of := func(name string) []string {
		if known := values[name]; known != nil {
			return known
		}
		return a.valuesOf(name, nil)
	}
	most := 1
	for _, part := range strings.Split(path, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		most = max(most, len(of(name)))
	}
	var all []string
	for i := range min(most, maxSamples) {
		all = appendNew(all, filled(path, func(name string) string { return of(name)[i%len(of(name))] }))
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i := range a.config.Routes {
		if own := a.literally(&a.config.Routes[i].Path, segments); own != nil && len(all) < maxSamples {
			all = appendNew(all, filled("/"+strings.Join(own, "/"), func(name string) string { return of(name)[0] }))
		}
	}
	return all
}

// literally puts a route's own segments in the place of variables; nil when the route
// has none there, or is for other paths.
func (a *api) literally(p *route.Path, segments []string) []string {
	if p.Kind == route.Any || p.Kind == route.Regex || strings.Trim(p.Text, "/") == "" {
		return nil
	}
	theirs := strings.Split(strings.Trim(p.Text, "/"), "/")
	tail := p.Kind == route.Prefix
	if last := theirs[len(theirs)-1]; p.Kind == route.Template && strings.HasSuffix(last, "=**}") {
		theirs, tail = theirs[:len(theirs)-1], true
	}
	if len(theirs) > len(segments) || len(theirs) < len(segments) && !tail {
		return nil
	}
	var own []string
	for i, theirs := range theirs {
		switch mine := segments[i]; {
		case variableOf(p, theirs) != "":
		case strings.HasPrefix(mine, "{") && strings.IndexByte(mine, '}') == len(mine)-1:
			if own == nil {
				own = slices.Clone(segments)
			}
			own[i] = theirs
		case mine != theirs && !(a.config.RouteOptions.IgnoreCase && strings.EqualFold(mine, theirs)):
			return nil
		}
	}
	return own
}

// filled is a path with each {name} replaced.
func filled(path string, value func(name string) string) string {
	var b strings.Builder
	for path != "" {
		before, rest, ok := strings.Cut(path, "{")
		b.WriteString(before)
		if path = rest; !ok {
			break
		}
		name, rest, _ := strings.Cut(path, "}")
		b.WriteString(value(name))
		path = rest
	}
	return b.String()
}

func appendNew(all []string, text string) []string {
	if slices.Contains(all, text) {
		return all
	}
	return append(all, text)
}
