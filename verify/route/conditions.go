package route

import (
	"slices"
	"strconv"
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// fit says for which readings of a request a condition holds. The fits of several
// conditions are combined with &.
type fit uint8

const (
	asSent fit = 1 << iota // for the request as it was sent, as Envoy's routes match it
	inSome                 // for at least one reading
	inAll                  // for every reading

	never  fit = 0
	always     = asSent | inSome | inAll
)

// Spelling says how the spelling of a request differs from the usual one, so that servers
// may read it differently than Envoy's routes do. It is a set of flags.
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
	// TrailingSlash: the path ends in a slash, or the path of a route does.
	TrailingSlash
	// OddPath: servers may read the path differently.
	OddPath
	// MethodCase: the method is not in capitals.
	MethodCase
	// HeadAsGet: the method is HEAD, which most servers answer as GET.
	HeadAsGet
	// PathEscape: escapes of the path are not in canonical form (see Canonical).
	PathEscape
	// PathCase: the path has capitals, and Options.IgnoreCase is set.
	PathCase
	// HeaderName: some servers do not distinguish a header's name from another name, or
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

// Reason is the Reason for a request that is refused for its spelling.
func (s Spelling) Reason() verify.Reason {
	if s&(OddPath|OddHost|MethodCase) != 0 {
		return verify.PathAmbiguous
	}
	return verify.RequestAmbiguous
}

// Advice is a text for the log: what is unusual, and what to change in Envoy or in the
// configuration. It is empty for 0 and quotes nothing of the request.
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

// Spellings returns the spellings of a request's host, method and path, for callers that
// do not use a Table. It is 0 for a request that all servers read alike: the host is in
// lower case, without trailing dot and, unless Options.IgnoreHostPort is set, without
// port; the method is in capitals and not HEAD; the path is in canonical form (Canonical),
// byte by byte, without trailing slash and, with Options.IgnoreCase, in lower case.
func Spellings(q *Request, o Options) (s Spelling) {
	h, ok := hostOf(q.Host, o.IgnoreHostPort)
	if s |= h.spelling; !ok {
		s |= OddHost
	}
	m := methodOf(q.Method)
	s |= m.spelling
	var r reader
	switch err := r.read(q.Path, o); {
	case err != nil, !r.oneReading(), strings.HasSuffix(r.sent, "//"):
		s |= OddPath
	default:
		if r.canonical != "/" && strings.HasSuffix(r.sent, "/") {
			s |= TrailingSlash
		}
		if r.unslashed() != r.canonical && r.canonical != "/" {
			s |= PathEscape
		}
		if fold(r.canonical, o) != r.canonical {
			s |= PathCase
		}
	}
	return s
}

// host is a request's host and its readings.
type host struct {
	name     string // in lower case, without port and trailing dot
	port     string // digits; "" for none
	spelling Spelling
}

// hostOf parses :authority (RFC 9110 §7.2). With ignorePort it drops the port. ok is false
// when authority is not a host with an optional port.
func hostOf(authority string, ignorePort bool) (h host, ok bool) {
	name := authority
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, ']') {
		for i := colon + 1; i < len(name); i++ {
			if name[i] < '0' || name[i] > '9' {
				return host{}, false
			}
		}
		if port := name[colon+1:]; !ignorePort {
			if len(port) > 1 && port[0] == '0' {
				return host{}, false // to servers that read numbers, another port
			}
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

// onlyOf reports whether s consists of ASCII letters, digits and the other characters.
func onlyOf(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if ('0' > c || c > '9') && ('a' > c|0x20 || c|0x20 > 'z') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// hostCondition is one of Route.Hosts: a name or "*." and a name, in lower case and without
// trailing dot, and a port or "".
type hostCondition struct{ name, port string }

// fits evaluates a list of conditions, of which one must hold.
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

// hostHolds reports whether the name fulfils the condition.
func hostHolds(condition, name string) bool {
	if below, ok := strings.CutPrefix(condition, "*"); ok {
		return strings.HasSuffix(name, below) // which starts with a dot, and a name does not
	}
	return condition == name
}

// method is a request's method and its readings.
type method struct {
	sent, upper string
	spelling    Spelling
}

// methodOf reads a method. RFC 9110 §9.1 distinguishes get from GET, some frameworks do
// not. Most servers handle HEAD like GET.
func methodOf(sent string) method {
	m := method{sent: sent, upper: strings.ToUpper(sent)}
	if m.upper != sent {
		m.spelling |= MethodCase
	}
	if m.upper == "HEAD" {
		m.spelling |= HeadAsGet
	}
	return m
}

func (m *method) fits(methods []string) (f fit) {
	if len(methods) == 0 {
		return always
	}
	upper, head := slices.Contains(methods, m.upper), m.upper == "HEAD"
	get := head && slices.Contains(methods, "GET")
	if upper || get {
		f |= inSome
	}
	if upper && m.sent == m.upper {
		f |= asSent
		if get || !head {
			f |= inAll
		}
	}
	return f
}

// headersFit evaluates the conditions on headers. Of several lines, some servers read all
// and others one. Some servers fold names (see ascii.FoldHeader).
func (l *lookup) headersFit(r *rule) fit {
	all := always
	for i := range r.route.Headers {
		c, lines := &r.route.Headers[i], l.linesOf(r.headers[i])
		sent, holding, joined := 0, 0, false
		for _, j := range lines {
			if l.request.Headers[j][0] == c.Name {
				sent++
			}
			if len(c.Values) == 0 || slices.Contains(c.Values, l.request.Headers[j][1]) {
				holding++
			} else {
				joined = joined || listHolds(l.request.Headers[j][1], c.Values)
			}
		}
		f := never
		if holding > 0 || joined {
			f |= inSome
			// Of several lines, Envoy's matchers may take any, or join them.
			if sent > 0 && holding == len(lines) && (sent == 1 || len(c.Values) == 0) {
				f |= asSent | inAll
			}
		}
		if all &= f; all == never {
			break
		}
	}
	return all
}

// listHolds reports whether one of the elements that commas separate is a value: one line is
// then the same message as several lines (RFC 9110 §5.3).
func listHolds(line string, values []string) bool {
	if strings.IndexByte(line, ',') < 0 {
		return false
	}
	for element := range strings.SplitSeq(line, ",") {
		if slices.Contains(values, strings.Trim(element, ascii.Space)) {
			return true
		}
	}
	return false
}

// linesOf returns the indices of the request's lines of a header, under every name that
// some servers do not distinguish from it. Each name is looked up once for all rules.
func (l *lookup) linesOf(name int) []int {
	if l.lines == nil {
		l.lines = make([][]int, len(l.table.headerNames))
	}
	if l.lines[name] == nil {
		l.lines[name] = []int{}
		for j := range l.request.Headers {
			if ascii.SameHeader(l.request.Headers[j][0], l.table.headerNames[name]) {
				l.lines[name] = append(l.lines[name], j)
			}
		}
	}
	return l.lines[name]
}
