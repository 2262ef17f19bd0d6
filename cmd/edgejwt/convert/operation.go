package convert

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	security "istio.io/api/security/v1beta1"
)

func (c *conversion) operation(o *security.Operation) test {
	t := test{subs: []test{
		both(o.GetPaths(), o.GetNotPaths(), istioPath),
		both(o.GetMethods(), o.GetNotMethods(), func(m string) test {
			switch {
			case m == "*":
				return test{}
			case strings.Contains(m, "*"):
				return cannot("methods", m)
			}
			return request(cond{methods: []string{m}})
		}),
		both(c.namesOf(o.GetHosts()), c.namesOf(o.GetNotHosts()), istioHost),
	}}
	if len(o.GetPorts())+len(o.GetNotPorts()) > 0 {
		t.subs = append(t.subs, other("ports"))
	}
	return t
}

// istioHost is a host, which Istio compares without case, with its port.
func istioHost(h string) test {
	h = strings.ToLower(h)
	if h == "*" {
		return test{}
	}
	if !isHost.MatchString(strings.TrimPrefix(h, "*.")) {
		return cannot("hosts", h)
	}
	return request(cond{hosts: []string{h}})
}

// namesOf leaves out hosts with any port where the same hosts stand without.
func (c *conversion) namesOf(hosts []string) []string {
	if !c.portIgnored {
		return hosts
	}
	return slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return strings.HasSuffix(h, anyPort) })
}

// anyPort is what Istio takes for a host with any port, behind its name.
const anyPort = ":*"

// portsIgnored reports whether the policies name hosts, and each with any port
// beside the same without: then the port is no part of the host.
func portsIgnored(policies []*named) bool {
	some := false
	for _, p := range policies {
		for _, r := range p.GetRules() {
			for _, to := range r.GetTo() {
				for _, list := range [][]string{to.GetOperation().GetHosts(), to.GetOperation().GetNotHosts()} {
					for _, h := range list {
						name, any := strings.CutSuffix(h, anyPort)
						switch {
						case h == "*":
							continue
						case any && !slices.Contains(list, name), !any && !slices.Contains(list, name+anyPort):
							return false
						}
						some = true
					}
				}
			}
		}
	}
	return some
}

// istioPath is a path, a template, or a text with a star at one end.
func istioPath(text string) test {
	var p path
	var err error
	prefix, open := strings.CutSuffix(text, "*")
	switch {
	case strings.Contains(text, "{*}") || strings.Contains(text, "{**}"):
		p, err = istioTemplate(text)
	case text == "*":
	case strings.HasPrefix(text, "*"):
		p, err = pattern(".*" + regexp.QuoteMeta(text[1:]))
	case open:
		p, err = begins(prefix)
	default:
		p, err = exact(text)
	}
	if err != nil {
		return cannot("paths", text)
	}
	return request(cond{path: p})
}

// istioTemplate gives the stars names. A tail, {**}, is what follows a slash, also
// nothing, where edgejwt's is also for the path without that slash: it becomes a
// prefix or an expression.
func istioTemplate(text string) (path, error) {
	shape, tail := strings.CutSuffix(text, "{**}")
	segments := strings.Split(shape, "/")
	expression := ""
	for i, s := range segments {
		switch {
		case s == "{*}" && i <= 9:
			segments[i] = "{p" + strconv.Itoa(i) + "}"
			s = "[^/]+"
		case strings.ContainsAny(s, "{}*"), s != "" && !isWritable("/"+s):
			return path{}, errUnwritable
		default:
			s = regexp.QuoteMeta(s)
		}
		if i > 0 {
			expression += "/"
		}
		expression += s
	}
	shape = strings.Join(segments, "/")
	switch {
	case !tail && !strings.HasSuffix(shape, "/") && shapeIsSound(shape):
		return path{shapePath, shape}, nil
	case !tail:
		return pattern(expression)
	case !strings.HasSuffix(shape, "/"):
		return path{}, errUnwritable
	case !strings.Contains(shape, "{"):
		return begins(shape)
	}
	return pattern(expression + ".*")
}

// when is a condition of a rule.
func (c *conversion) when(w *security.Condition) test {
	key := w.GetKey()
	read := func(string) test { return cannot("condition", key) }
	claims := func(way ...string) func(string) test {
		return func(value string) test { return c.istioClaim(way, value) }
	}
	switch {
	case key == "request.auth.principal":
		read = c.requestPrincipal
	case key == "request.auth.audiences":
		read = func(value string) test {
			if strings.Contains(value, "*") {
				return cannot(key, value)
			}
			return token(need{audiences: []string{value}})
		}
	case key == "request.auth.presenter":
		read = claims("azp")
	case strings.HasPrefix(key, "request.auth.claims["):
		if way := brackets(strings.TrimPrefix(key, "request.auth.claims")); way != nil {
			read = claims(way...)
		}
	case strings.HasPrefix(key, "request.headers["):
		if way := brackets(strings.TrimPrefix(key, "request.headers")); len(way) == 1 {
			read = func(value string) test { return istioHeader(strings.ToLower(way[0]), value) }
		}
	}
	return both(w.GetValues(), w.GetNotValues(), read)
}

// brackets reads "[a][b]"; nil when it is not that.
func brackets(text string) (way []string) {
	for text != "" {
		name, rest, ok := strings.Cut(strings.TrimPrefix(text, "["), "]")
		if text[0] != '[' || !ok || name == "" {
			return nil
		}
		way, text = append(way, name), rest
	}
	return way
}

func istioHeader(name, value string) test {
	switch {
	case strings.HasPrefix(name, ":"):
		return cannot("header", name)
	case value == "*":
		return request(cond{headers: []header{{name: name}}})
	case strings.HasPrefix(value, "*") || strings.HasSuffix(value, "*"):
		return cannot("header", name)
	}
	return request(cond{headers: []header{{name, []string{value}}}})
}
