package config

import (
	"strings"

	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// headerUse is what a header is named for.
type headerUse uint8

const (
	sourceHeader headerUse = iota // a token may stand in it
	outputHeader                  // the plugin writes it
)

// headerName reads a header's name (RFC 9110 §5.1, a token of §5.6.2) and gives
// it in lower case, as HTTP/2 demands and Envoy has it; "" after a fault.
func (o *object) headerName(name string, use headerUse) string {
	written, ok := o.required(name)
	if !ok {
		return ""
	}
	header := ascii.Lower(written)
	want := ""
	switch {
	case header[0] == ':':
		want = "is a pseudo header, which HTTP keeps for itself"
	case !isToken(header):
		want = notHeader + example(lookUp(o.fields, name))
	case len(header) > maxHeaderName:
		want = "is longer than " + itoa(maxHeaderName) + " bytes"
	case use == sourceHeader && header == "cookie":
		want = "is searched for a token by fromCookies; name the cookie there"
	case names(framing, ascii.FoldHeader(header)):
		want = "says how HTTP carries the request, and nothing else"
	case use == sourceHeader && o.r.losesOverride(header):
		want = removed
	case use == outputHeader && (names(taken, ascii.FoldHeader(header)) || names(overrides, ascii.FoldHeader(header)) || namesFamily(takenFamilies, ascii.FoldHeader(header))):
		want = "has another meaning to proxies or to the API" + example(lookUp(o.fields, name))
	}
	if want != "" {
		o.wrong(name, written, want)
		return ""
	}
	return header
}

const (
	maxHeaderName = 128
	notHeader     = "is not a header name of RFC 9110 §5.1"
)

// isToken reports whether s is a token (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isAlphanumeric(s[i]) && strings.IndexByte("!#$%&'*+-.^_`|~", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// framing lists the headers that belong to the connection or to the message's
// form (RFC 9110 §7.2, §7.6.1, §8.6, §10.1.1; RFC 9112 §6).
const framing = "host connection content-length transfer-encoding te trailer upgrade " +
	"keep-alive proxy-connection http2-settings expect "

// taken and takenFamilies list headers that must not be replaced by a claim,
// because a proxy or an API acts on them; families by how their names begin.
const (
	taken = "authorization www-authenticate cookie set-cookie origin via forwarded " +
		"x-forwarded-for x-forwarded-port x-forwarded-proto x-forwarded-client-cert " +
		"x-real-ip x-request-id date range accept accept-encoding "
	takenFamilies = "proxy- content- x-envoy- grpc- if- sec- access-control- "
)

// overrides lists, folded, the headers by which servers take another method, path
// or host than the request's own: X-HTTP-Method-Override and its like (Rack, Express,
// Laravel, OData), X-Original-URL and X-Rewrite-URL (IIS, Symfony), X-Forwarded-Host.
const overrides = "x-forwarded-host x-http-method-override x-http-method x-method-override -method " +
	"x-original-url x-rewrite-url "

// removed is said of a header that is judged, or may hold a token, and would be
// removed before anybody looks at it.
const removed = "is removed from requests, because servers take another method, path or host by it; write overrideHeaders: keep"

// losesOverride reports whether the header is one that overrideHeaders removes.
func (r *reader) losesOverride(header string) bool {
	return r.removesOverrides && names(overrides, ascii.FoldHeader(header))
}

// overridden gives the headers of overrides if requests are to lose them: some rule
// depends on method, path or host. So do Envoy's routes, and the policies in them.
func (o *object) overridden(c *Config) []string {
	depends := c.RouteMetadata
	for i := range c.Routes {
		r := &c.Routes[i]
		depends = depends || r.Path.Kind != route.Any || r.Methods != nil || r.Hosts != nil
		for j := range r.Requirements.ClaimMatches {
			depends = depends || r.Requirements.ClaimMatches[j].Host
		}
	}
	if !depends {
		return nil
	}
	if !o.r.removesOverrides {
		o.warn("overrideHeaders", "", "lets a server take another method, path or host than the one that was judged, if it acts on X-HTTP-Method-Override, X-Original-URL, X-Forwarded-Host or their like")
		return nil
	}
	var list []string
	for first, rest, more := strings.Cut(overrides, " "); more; first, rest, more = strings.Cut(rest, " ") {
		list = append(list, first)
	}
	return list
}

// names reports whether a word stands in a list, in which each word
// has a space behind it.
func names(list, word string) bool {
	for first, rest, more := strings.Cut(list, " "); more; first, rest, more = strings.Cut(rest, " ") {
		if first == word {
			return true
		}
	}
	return false
}

// namesFamily reports whether a word of the list is how the name begins.
func namesFamily(list, name string) bool {
	for first, rest, more := strings.Cut(list, " "); more; first, rest, more = strings.Cut(rest, " ") {
		if strings.HasPrefix(name, first) {
			return true
		}
	}
	return false
}
