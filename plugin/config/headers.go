package config

import (
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// fromHeaders reads the places of the token.
func (o *object) fromHeaders() []verify.Location {
	if !o.has("fromHeaders") {
		return []verify.Location{verify.Authorization}
	}
	if o.sound("fromHeaders") && o.count("fromHeaders") == 0 {
		o.fault("fromHeaders", "a list of none", "names no header, so that no token is ever found; leave the field out for its default")
	}
	var all []verify.Location
	for _, place := range o.children("fromHeaders", MaxListed) {
		l := verify.Location{Name: place.headerName("name", sourceHeader), Prefix: place.prefix()}
		if l.Name == "authorization" && !place.has("prefix") {
			place.warn("prefix", "", "is missing, so that the whole value must be the token, without Bearer before it")
		}
		for i, other := range all {
			if l.Name != "" && l == other {
				place.fault("name", quote(l.Name), "with the same prefix stands in "+at(o.member("fromHeaders"), i))
				break
			}
		}
		all = append(all, l)
	}
	return all
}

// prefix reads what stands before the token. Unlike other strings it may be empty.
func (o *object) prefix() string {
	if !o.has("prefix") || !o.sound("prefix") {
		return ""
	}
	prefix := strings.Clone(o.find("prefix").value.Text)
	switch {
	case len(prefix) > MaxTextBytes:
		o.fault("prefix", quote(prefix), "is longer than "+itoa(MaxTextBytes)+" bytes")
	case !isVisible(prefix):
		o.fault("prefix", quote(prefix), "may only have printable ASCII characters"+example(lookUp(o.fields, "prefix")))
	case strings.HasPrefix(prefix, " "):
		o.fault("prefix", quote(prefix), "begins with a space, which no header's value does")
	case prefix != "" && isAlphanumeric(prefix[len(prefix)-1]):
		o.warn("prefix", quote(prefix), "does not end in a space; the token must follow it at once")
	}
	return prefix
}

func isVisible(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// outputs reads the headers that tell the API who calls. None may be named
// twice: what the API reads would be a matter of order.
func (o *object) outputs(rule *placedRule) {
	if o.has("outputPayloadToHeader") {
		rule.OutputPayloadToHeader = o.headerName("outputPayloadToHeader", outputHeader)
	}
	rule.outputs = o.children("outputClaimToHeaders", MaxListed)
	for _, output := range rule.outputs {
		header := output.headerName("header", outputHeader)
		if other := rule.writes(header); other != "" {
			output.fault("header", quote(header), "repeats "+other)
			header = ""
		}
		claim := ""
		if _, ok := output.required("claim"); ok {
			claim, _ = output.plain("claim")
		}
		rule.OutputClaimToHeaders = append(rule.OutputClaimToHeaders, ClaimHeader{Header: header, Claim: []string{claim}})
	}
}

// writes says which field names an output header already; "" when none does.
func (rule *placedRule) writes(header string) string {
	if header == "" {
		return ""
	}
	header = FoldHeader(header)
	if header == FoldHeader(rule.OutputPayloadToHeader) {
		return rule.object.member("outputPayloadToHeader")
	}
	for i := range rule.OutputClaimToHeaders {
		if FoldHeader(rule.OutputClaimToHeaders[i].Header) == header {
			return rule.outputs[i].member("header")
		}
	}
	return ""
}

// refuseLostTokens refuses an output header in which another rule looks for a
// token. What a client sends in an output header is removed before anything
// else, and the token would go with it.
func refuseLostTokens(rules []*placedRule) {
	for _, rule := range rules {
		refuseLostToken(rules, rule.object, "outputPayloadToHeader", rule.OutputPayloadToHeader)
		for i, output := range rule.OutputClaimToHeaders {
			refuseLostToken(rules, rule.outputs[i], "header", output.Header)
		}
	}
}

// refuseLostToken judges one output header, which is empty for none.
func refuseLostToken(rules []*placedRule, o *object, name, header string) {
	for _, rule := range rules {
		for i := range rule.Locations {
			if header == "" || FoldHeader(rule.Locations[i].Name) != FoldHeader(header) {
				continue
			}
			path := rule.Path + ".fromHeaders"
			if rule.object.has("fromHeaders") {
				path = at(path, i)
			}
			o.fault(name, quote(header), "is where a token may stand ("+path+")")
			return
		}
	}
}

// refuseOverlaps refuses two places in one header of which one begins like the
// other: a value would then hold two tokens, and every request be ambiguous.
func refuseOverlaps(rules []*placedRule) {
	for i, rule := range rules {
		for j := range rule.Locations {
			for k, earlier := range rules[:i+1] {
				for l := range earlier.Locations {
					if k == i && l >= j {
						break
					}
					a, b := &rule.Locations[j], &earlier.Locations[l]
					if a.Name == "" || a.Name != b.Name || ascii.EqualFold(a.Prefix, b.Prefix) || !begins(a.Prefix, b.Prefix) && !begins(b.Prefix, a.Prefix) {
						continue
					}
					rule.object.fault("fromHeaders", quote(a.Name), "with the prefix "+quote(a.Prefix)+" overlaps with the prefix "+
						quote(b.Prefix)+" in "+earlier.Path+": one value would be two tokens")
					return
				}
			}
		}
	}
}

// begins is strings.HasPrefix without regard to ASCII case.
func begins(s, prefix string) bool {
	return len(s) >= len(prefix) && ascii.EqualFold(s[:len(prefix)], prefix)
}

// FoldHeader is how servers of the CGI family (WSGI, PHP, Rack) read a header's
// name: letters in one case, and all that is neither letter nor digit alike. To
// them x_jwt_sub, x.jwt.sub and X-Jwt-Sub are one variable, so they are one here.
func FoldHeader(name string) string {
	b := []byte(ascii.Lower(name))
	for i, c := range b {
		if !isAlphanumeric(c) {
			b[i] = '-'
		}
	}
	return string(b)
}

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
		want = "is not a header name of RFC 9110 §5.1" + example(lookUp(o.fields, name))
	case len(header) > maxHeaderName:
		want = "is longer than " + itoa(maxHeaderName) + " bytes"
	case use == sourceHeader && header == "cookie":
		want = "cannot be searched for a token: fromCookies " + later
	case names(framing, FoldHeader(header)):
		want = "says how HTTP carries the request, and nothing else"
	case use == outputHeader && (names(taken, FoldHeader(header)) || namesFamily(takenFamilies, FoldHeader(header))):
		want = "has another meaning to proxies or to the API" + example(lookUp(o.fields, name))
	}
	if want != "" {
		o.fault(name, quote(written), want)
		return ""
	}
	return header
}

const maxHeaderName = 128

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
		"x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-forwarded-client-cert " +
		"x-real-ip x-request-id date range accept accept-encoding "
	takenFamilies = "proxy- content- x-envoy- grpc- if- sec- access-control- "
)

// names reports whether a word stands in a list, in which each word
// has a space behind it.
func names(list, word string) bool {
	for first, rest, more := ascii.Cut(list, ' '); more; first, rest, more = ascii.Cut(rest, ' ') {
		if first == word {
			return true
		}
	}
	return false
}

// namesFamily reports whether a word of the list is how the name begins.
func namesFamily(list, name string) bool {
	for first, rest, more := ascii.Cut(list, ' '); more; first, rest, more = ascii.Cut(rest, ' ') {
		if strings.HasPrefix(name, first) {
			return true
		}
	}
	return false
}
