package convert

import (
	"regexp"
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// pathMatch reads Envoy's matcher of a path without its query.
func pathMatch(m *matcherv3.StringMatcher) (p path, err error) {
	switch by := m.GetMatchPattern().(type) {
	case *matcherv3.StringMatcher_Exact:
		p, err = exact(by.Exact)
	case *matcherv3.StringMatcher_Prefix:
		p, err = begins(by.Prefix)
	case *matcherv3.StringMatcher_Suffix:
		p, err = pattern(".*" + regexp.QuoteMeta(by.Suffix))
	case *matcherv3.StringMatcher_Contains:
		p, err = pattern(".*" + regexp.QuoteMeta(by.Contains) + ".*")
	case *matcherv3.StringMatcher_SafeRegex:
		// ignore_case does not apply to it.
		return pattern(by.SafeRegex.GetRegex())
	default:
		return path{}, errUnwritable
	}
	if err == nil && m.GetIgnoreCase() {
		p, err = p.folded()
	}
	return p, err
}

// conditions are those of Envoy's routes that edgejwt does not have.
var conditions = map[string]string{
	"query_parameters": "query parameters", "cookies": "cookies", "dynamic_metadata": "dynamic metadata", "filter_state": "filter state",
	"tls_context": "TLS", "grpc": "gRPC", "runtime_fraction": "a fraction of requests",
}

// routeMatch reads the condition of one of jwt_authn's rules. What of it edgejwt
// cannot say is left out and named in lacks; err is for a path that it cannot.
func routeMatch(m *routev3.RouteMatch) (c cond, lacks []string, err error) {
	switch by := m.GetPathSpecifier().(type) {
	case *routev3.RouteMatch_Prefix:
		c.path, err = begins(by.Prefix)
	case *routev3.RouteMatch_Path:
		c.path, err = exact(by.Path)
	case *routev3.RouteMatch_SafeRegex:
		c.path, err = pattern(by.SafeRegex.GetRegex())
	case *routev3.RouteMatch_PathSeparatedPrefix:
		c.path, err = under(by.PathSeparatedPrefix)
	default:
		err = errUnwritable
	}
	if _, isRegex := m.GetPathSpecifier().(*routev3.RouteMatch_SafeRegex); err == nil && !isRegex && m.CaseSensitive != nil && !m.CaseSensitive.Value {
		c.path, err = c.path.folded()
	}
	for _, h := range m.GetHeaders() {
		t := headerMatch(h)
		if t.op == onRequest {
			if both, r := c.meet(t.cond); r == meeting {
				c = both
				continue
			}
		}
		lacks = append(lacks, "the condition on header "+h.GetName())
	}
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		switch name := string(f.Name()); {
		case f.ContainingOneof() != nil, name == "headers", name == "case_sensitive":
		case conditions[name] != "":
			lacks = append(lacks, "the condition on "+conditions[name])
		default:
			lacks = append(lacks, "the condition "+name)
		}
		return true
	})
	slices.Sort(lacks)
	return c, lacks, err
}

// headerMatch reads Envoy's matcher of a header.
func headerMatch(h *routev3.HeaderMatcher) test {
	t := headerTest(h)
	if h.GetInvertMatch() {
		// A header that is not there does not match, inverted or not; the exception is present_match.
		_, present := h.GetHeaderMatchSpecifier().(*routev3.HeaderMatcher_PresentMatch)
		if t.op == onRequest && (present || strings.HasPrefix(h.GetName(), ":")) {
			return test{op: not, subs: []test{t}}
		}
		return other("header " + h.GetName())
	}
	return t
}

func headerTest(h *routev3.HeaderMatcher) test {
	name := strings.ToLower(h.GetName())
	cannot := other("header " + name)
	if h.GetTreatMissingHeaderAsEmpty() {
		return cannot
	}
	m := h.GetStringMatch()
	switch by := h.GetHeaderMatchSpecifier().(type) {
	case *routev3.HeaderMatcher_StringMatch:
	case *routev3.HeaderMatcher_ExactMatch:
		//lint:ignore SA1019 configurations in use have it.
		m = &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: by.ExactMatch}}
	case *routev3.HeaderMatcher_PrefixMatch:
		//lint:ignore SA1019 configurations in use have it.
		m = &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: by.PrefixMatch}}
	case *routev3.HeaderMatcher_SafeRegexMatch:
		//lint:ignore SA1019 configurations in use have it.
		m = &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: by.SafeRegexMatch}}
	case *routev3.HeaderMatcher_PresentMatch:
		switch {
		case strings.HasPrefix(name, ":"):
			return cannot
		case by.PresentMatch:
			return request(cond{headers: []header{{name: name}}})
		}
		return test{op: not, subs: []test{request(cond{headers: []header{{name: name}}})}}
	case nil: // is there
		return request(cond{headers: []header{{name: name}}})
	default:
		return cannot
	}
	values := texts(m)
	switch {
	case name == ":path" && m.GetPrefix() != "" && !m.GetIgnoreCase():
		// Only a prefix says the same of a path with its query and without.
		if p, err := begins(m.GetPrefix()); err == nil {
			return request(cond{path: p})
		}
		return cannot
	case values == nil:
		return cannot
	case name == ":method":
		return request(cond{methods: values})
	case name == ":authority" || name == "host":
		return hostTest(values, cannot)
	case strings.HasPrefix(name, ":"):
		return cannot
	}
	return request(cond{headers: []header{{name, values}}})
}

// hostTest is a condition on the host as it was sent.
func hostTest(values []string, cannot test) test {
	if slices.ContainsFunc(values, func(v string) bool { return !isHost.MatchString(v) }) {
		return cannot
	}
	return request(cond{hosts: values})
}

// isHost is for a host in the one spelling in which edgejwt's routes have it: in
// lower case, without a dot at its end; with or without port.
var isHost = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]+)?$`)

// wordsOnly is an expression that is a list of words.
var wordsOnly = regexp.MustCompile(`^\^?\(?(?:\?:)?([A-Za-z0-9_-]+(?:\|[A-Za-z0-9_-]+)*)\)?\$?$`)

// texts are those that match, nil when they cannot be listed.
func texts(m *matcherv3.StringMatcher) []string {
	if m.GetIgnoreCase() {
		return nil
	}
	switch by := m.GetMatchPattern().(type) {
	case *matcherv3.StringMatcher_Exact:
		return []string{by.Exact}
	case *matcherv3.StringMatcher_SafeRegex:
		found := wordsOnly.FindStringSubmatch(by.SafeRegex.GetRegex())
		if found == nil || strings.Contains(by.SafeRegex.GetRegex(), "(") != strings.Contains(by.SafeRegex.GetRegex(), ")") ||
			strings.ContainsAny(by.SafeRegex.GetRegex(), "^$") && strings.Contains(found[1], "|") && !strings.Contains(by.SafeRegex.GetRegex(), "(") {
			return nil
		}
		return strings.Split(found[1], "|")
	}
	return nil
}
