package route

import (
	"strconv"
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// host is the value of :authority and its readings.
type host struct {
	name     string // in lower case, without port and trailing dot
	port     string // digits; "" for none
	spelling Spelling
}

// hostOf reads :authority (RFC 9110 §7.2). With ignorePort the port is no part of
// it. ok is false for what is no host and port.
func hostOf(authority string, ignorePort bool) (h host, ok bool) {
	name := authority
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, ']') {
		for i := colon + 1; i < len(name); i++ {
			if name[i] < '0' || name[i] > '9' {
				return host{}, false
			}
		}
		if port := name[colon+1:]; !ignorePort {
			h.port, h.spelling = port, HostPort
		} else if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
			return host{}, false // Envoy does not take it for a port either
		}
		name = name[:colon]
	}
	if len(name) > 1 && name[0] == '[' && name[len(name)-1] == ']' {
		ok = onlyOf(name[1:len(name)-1], ":.")
	} else {
		if len(name) > 1 && name[len(name)-1] == '.' {
			name = name[:len(name)-1]
			h.spelling |= HostDot
		}
		if name == "" || name[0] == '.' || name[len(name)-1] == '.' {
			return host{}, false
		}
		ok = onlyOf(name, "-._")
	}
	if h.name = ascii.Lower(name); h.name != name {
		h.spelling |= HostCase
	}
	return h, ok
}

// onlyOf reports whether s has only letters and digits of ASCII, and the others.
func onlyOf(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if ('0' > c || c > '9') && ('a' > c|0x20 || c|0x20 > 'z') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// hostCondition is one of Route.Hosts made ready: a name, or "*." and a name, in
// lower case and without trailing dot, and a port or "".
type hostCondition struct{ name, port string }

// fits judges a list of which one must hold.
func (h *host) fits(conditions []hostCondition) (f fit) {
	withPort, without := false, false
	for _, c := range conditions {
		if hostHolds(c.name, h.name) {
			withPort = withPort || c.port != "" && c.port == h.port
			without = without || c.port == ""
		}
	}
	switch {
	case !withPort && !without:
		return never
	case h.spelling == 0:
		return always
	case h.spelling == HostPort && withPort && without:
		return always
	case h.spelling == HostPort && withPort:
		return asSent | inSome // without its port it is another host
	}
	return inSome
}

// hostHolds compares a name with a condition.
func hostHolds(condition, name string) bool {
	if below, ok := strings.CutPrefix(condition, "*"); ok {
		return strings.HasSuffix(name, below) // which starts with a dot, and a name does not
	}
	return condition == name
}

// Spelling says in what way a request was spelled so that others may read it in
// another way than Envoy's routes. Several may be set.
type Spelling uint16

const (
	// HostPort: the host has a port.
	HostPort Spelling = 1 << iota
	// HostDot: the host ends in a dot.
	HostDot
	// HostCase: the host has capitals.
	HostCase
	// OddHost: the host cannot be read.
	OddHost
	// TrailingSlash: the path ends in a slash, or a route names it with one.
	TrailingSlash
	// OddPath: the path cannot be read in one way only.
	OddPath
	// MethodCase: the method is not in capitals.
	MethodCase
	// HeadAsGet: the method is HEAD, which most servers answer as GET.
	HeadAsGet
	// PathEscape: the path has escapes that are not needed, or not as the canonical
	// form has them, or lacks some.
	PathEscape
	// PathCase: the path has capitals, and the servers behind ignore case.
	PathCase
	// HeaderName: a header's name is one that some servers take for another's, or
	// the header has several lines.
	HeaderName
)

// advice has a sentence for each Spelling, in their order.
var advice = [...]string{
	"the host has a port: set strip_any_host_port in Envoy, name host:port in the rule, or say hostPort: ignored if Envoy's routes ignore it",
	"the host ends in a dot: set strip_trailing_host_dot in Envoy",
	"the host has capitals: clients should send it in lower case",
	"the host cannot be read",
	"the path differs from a rule's by the slash at its end: redirect to one spelling, or write a rule for each",
	"the path can be read in more than one way: set normalize_path, merge_slashes and path_with_escaped_slashes_action in Envoy",
	"the method is not in capitals: clients should send it as RFC 9110 names it",
	"the method is HEAD, which servers answer as GET: name HEAD beside GET in the rule",
	"the path's escapes are not as RFC 3986 §6.2.2 has them: in capitals, and where they are needed",
	"the path has capitals, and the servers behind ignore the case (ignorePathCase): clients should send it as the rule has it",
	"a header is repeated, or its name differs from a rule's by other signs: set headers_with_underscores_action in Envoy",
}

// Reason is that of a request which is refused for its spelling.
func (s Spelling) Reason() verify.Reason {
	if s&(OddPath|OddHost|MethodCase) != 0 {
		return verify.PathAmbiguous
	}
	return verify.RequestAmbiguous
}

// Advice says for the log what was odd and what to set in Envoy; empty for 0. It
// quotes nothing of the request.
func (s Spelling) Advice() (text string) {
	for i, sentence := range advice {
		if s>>i&1 == 0 {
			continue
		}
		if text != "" {
			text += "; "
		}
		text += sentence
	}
	return text
}
