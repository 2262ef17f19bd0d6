package convert

import (
	"regexp"
	"strings"

	security "istio.io/api/security/v1beta1"
)

func operation(o *security.Operation) test {
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
		both(o.GetHosts(), o.GetNotHosts(), istioHost),
	}}
	if len(o.GetPorts())+len(o.GetNotPorts()) > 0 {
		t.subs = append(t.subs, other("ports"))
	}
	return t
}

func istioHost(h string) test {
	h = strings.ToLower(h)
	name, wild := strings.CutPrefix(h, "*")
	switch {
	case h == "*":
		return test{}
	case wild && !strings.HasPrefix(name, "."), strings.Contains(name, "*"), strings.Contains(name, ":"):
		return cannot("hosts", h)
	}
	return request(cond{hosts: []string{h}})
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

// istioTemplate gives the stars names.
func istioTemplate(text string) (path, error) {
	segments := strings.Split(text, "/")
	for i, s := range segments {
		name := "p" + string(rune('0'+i%10))
		switch {
		case s == "{*}":
			segments[i] = "{" + name + "}"
		case s == "{**}" && i == len(segments)-1:
			segments[i] = "{" + name + "=**}"
		case strings.ContainsAny(s, "{}*") || i > 9:
			return path{}, errUnwritable
		case s != "":
			if !isWritable("/" + s) {
				return path{}, errUnwritable
			}
		}
	}
	shape := strings.Join(segments, "/")
	if !shapeIsSound(shape) {
		return path{}, errUnwritable
	}
	return path{shapePath, shape}, nil
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
