package config

import (
	"strings"

	"edgejwt/verify/route"
)

const (
	inTemplate   = " literally; a template has {id} for one segment and, as the last, {rest=**} for all that is left"
	inExpression = " is no placeholder in an expression; write [^/]+ for one segment, .* for anything"
)

// takenLiterally says which part of a path looks like a placeholder of another
// product and is none here; empty when nothing does. A rule with such a path is for
// one odd path, and the requests that its author meant fall to other rules. Who means
// the sign itself writes its escape: %2A, %3A, %7B, %3C.
func takenLiterally(p *route.Path) string {
	for rest, more := p.Text, true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		named := len(segment) > 1 && 'a' <= segment[1]|0x20 && segment[1]|0x20 <= 'z'
		braced := named && segment[0] == '{'
		switch {
		case braced && p.Kind == route.Template: // a variable
		case named && (braced || segment[0] == ':' || segment[0] == '<'):
			if p.Kind == route.Regex {
				return "has " + quote(segment) + ", which" + inExpression
			}
			return "takes " + quote(segment) + inTemplate
		case p.Kind == route.Regex:
			if strings.HasPrefix(segment, "*") {
				return "has " + quote(segment) + ", which" + inExpression
			}
		case strings.IndexByte(segment, '*') >= 0:
			return "takes " + quote(segment) + inTemplate
		}
	}
	return ""
}
