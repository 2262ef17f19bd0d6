package route

import (
	"strings"

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
		if !ignorePort {
			h.port, h.spelling = name[colon+1:], HostPort
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
