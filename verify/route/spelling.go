package route

import "edgejwt/verify"

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
