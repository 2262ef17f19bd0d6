package config

import (
	"slices"
	"strconv"
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// locations reads the token locations. The default applies only without these three fields,
// as in Istio.
func (o *object) locations() []verify.TokenLocation {
	if !o.has("fromHeaders") && !o.has("fromCookies") && !o.has("fromParams") {
		return []verify.TokenLocation{verify.Authorization}
	}
	all := o.fromHeaders()
	for _, name := range o.list("fromCookies", checkCookie) {
		all = append(all, verify.TokenLocation{In: verify.InCookie, Name: name})
	}
	for _, name := range o.list("fromParams", checkParam) {
		all = append(all, verify.TokenLocation{In: verify.InQuery, Name: name})
	}
	if o.sound("fromParams") {
		o.warn("fromParams", "", "lets tokens stand in URLs, which are logged and shown in many places (RFC 6750 §2.3, RFC 9700 §4.3.2)")
	}
	return all
}

func checkCookie(name string) string {
	if !isToken(name) || len(name) > maxHeaderName {
		return "is not a cookie's name (RFC 6265 §4.1.1)"
	}
	return ""
}

func checkParam(name string) string {
	if !isPrintable(name) || len(name) > maxName {
		return "is not a parameter's name of at most " + strconv.Itoa(maxName) + " bytes without control characters"
	}
	return ""
}

// fromHeaders reads the headers in which the token may be.
func (o *object) fromHeaders() []verify.TokenLocation {
	var all []verify.TokenLocation
	for _, entry := range o.children("fromHeaders") {
		l := verify.TokenLocation{Name: entry.headerName("name", tokenHeader), Prefix: entry.prefix()}
		const webSocket = "sec-websocket-protocol"
		l.List = entry.switched("list") || l.Name == webSocket
		switch {
		case l.Name == webSocket && entry.has("list") && !entry.switched("list"):
			entry.fault("list", "false", "stands beside "+webSocket+", which is a list (RFC 6455 §11.3.4)")
		case l.List && l.Name == "authorization":
			entry.fault("list", "true", "stands beside authorization, which is no list (RFC 9110 §11.6.2)")
		case l.List && strings.Contains(l.Prefix, ","):
			entry.wrong("prefix", l.Prefix, "has a comma, which separates the elements of the list")
		}
		if l.Name == "authorization" && !entry.has("prefix") {
			entry.warn("prefix", "", "is missing, so that the whole value must be the token, without Bearer before it")
		}
		if first := slices.IndexFunc(all, func(other verify.TokenLocation) bool { return other.Name == l.Name && other.Prefix == l.Prefix }); l.Name != "" && first >= 0 {
			entry.wrong("name", l.Name, "with the same prefix stands in "+at(o.pathTo("fromHeaders"), first))
		}
		all = append(all, l)
	}
	return all
}

// prefix reads what precedes the token. Unlike other strings it may be empty.
func (o *object) prefix() string {
	if !o.sound("prefix") {
		return ""
	}
	prefix := strings.Clone(o.find("prefix").value.Text)
	switch {
	case len(prefix) > MaxTextBytes:
		o.wrong("prefix", prefix, "is longer than "+strconv.Itoa(MaxTextBytes)+" bytes")
	case strings.ContainsFunc(prefix, func(c rune) bool { return c < ' ' || c > '~' }):
		o.unfit("prefix", prefix, "may only have printable ASCII characters")
	case strings.HasPrefix(prefix, " "):
		o.wrong("prefix", prefix, "begins with a space, which no header's value does")
	case prefix != "" && isAlphanumeric(prefix[len(prefix)-1]):
		o.warn("prefix", quote(prefix), "does not end in a space; the token must follow it at once")
	}
	return prefix
}

// refuseOverlaps refuses two locations in one header if one prefix begins with the other: a
// value would contain two tokens, and every request would be ambiguous. It also refuses two
// headers that some servers do not distinguish. It reports only one overlap.
func refuseOverlaps(rules []*parsedRule) {
	type location struct {
		verify.TokenLocation
		rule *parsedRule
	}
	var earlier []location
	for _, rule := range rules {
		for _, l := range rule.Locations {
			if l.In != verify.InHeader || l.Name == "" {
				continue
			}
			for _, e := range earlier {
				switch {
				case l.Name != e.Name && ascii.SameHeader(l.Name, e.Name):
					rule.object.wrong("fromHeaders", l.Name, "is "+quote(e.Name)+" in "+e.rule.Path+" to some servers: every token in either would be ambiguous")
					return
				case l.Name == e.Name && l.List != e.List:
					rule.object.wrong("fromHeaders", l.Name, "is a list here and none in "+e.rule.Path+"; write the same list for both")
					return
				case l.Name == e.Name && !ascii.EqualFold(l.Prefix, e.Prefix) && (begins(l.Prefix, e.Prefix) || begins(e.Prefix, l.Prefix)):
					rule.object.wrong("fromHeaders", l.Name, "with the prefix "+quote(l.Prefix)+" overlaps with the prefix "+
						quote(e.Prefix)+" in "+e.rule.Path+": one value would be two tokens")
					return
				}
			}
			earlier = append(earlier, location{l, rule})
		}
	}
}

// begins is strings.HasPrefix without regard to ASCII case.
func begins(s, prefix string) bool {
	return len(s) >= len(prefix) && ascii.EqualFold(s[:len(prefix)], prefix)
}

// headerUse is the use of a header that a field names.
type headerUse uint8

const (
	tokenHeader  headerUse = iota // a token may be in it
	outputHeader                  // the plugin writes it
)

// headerName reads a header's name (RFC 9110 §5.1, a token of §5.6.2) and returns it in lower
// case, as Envoy does; "" after a fault.
func (o *object) headerName(name string, use headerUse) string {
	written, ok := o.required(name)
	if !ok {
		return ""
	}
	header := ascii.Lower(written)
	folded := ascii.FoldHeader(header)
	complaint := ""
	switch {
	case header[0] == ':':
		complaint = "is a pseudo header, which HTTP keeps for itself"
	case !isToken(header):
		complaint = notHeader + example(o.field(name))
	case len(header) > maxHeaderName:
		complaint = "is longer than " + strconv.Itoa(maxHeaderName) + " bytes"
	case use == tokenHeader && header == "cookie":
		complaint = "is searched for a token by fromCookies; name the cookie there"
	case slices.Contains(framing, folded):
		complaint = "says how HTTP carries the request, and nothing else"
	case use == tokenHeader && o.r.losesOverride(header):
		complaint = removed
	case use == outputHeader && (slices.Contains(reserved, folded) || slices.Contains(overrides, folded) || hasReservedPrefix(folded)):
		complaint = "has another meaning to proxies or to the API" + example(o.field(name))
	}
	if complaint != "" {
		o.wrong(name, written, complaint)
		return ""
	}
	return header
}

// conditionHeader reads the name of a header that routes compare, in lower case. It refuses
// output headers and overrides, because they are removed from requests.
func (o *object) conditionHeader(name string, rules []*parsedRule) string {
	written, ok := o.text(name)
	header := ascii.Lower(written)
	if ok && !isToken(header) {
		o.unfit(name, written, notHeader)
	}
	if o.r.losesOverride(header) {
		o.wrong(name, written, removed)
	}
	for _, rule := range rules {
		if owner := rule.writes(header); owner != "" {
			o.wrong(name, written, "is written for the API ("+owner+"), and removed when a client sends it")
			break
		}
	}
	return header
}

const (
	notHeader = "is not a header name of RFC 9110 §5.1"
	// removed is the complaint about a header that is removed before anything reads it.
	removed = "is removed from requests, because servers take another method, path or host by it; write overrideHeaders: keep"
)

// isToken reports whether s is a token (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if !isAlphanumeric(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// The names in these lists are as ascii.FoldHeader returns them.
var (
	// framing lists the headers that belong to the connection or to the message's
	// form (RFC 9110 §7.2, §7.6.1, §8.6, §10.1.1; RFC 9112 §6).
	framing = []string{"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade",
		"keep-alive", "proxy-connection", "http2-settings", "expect"}

	// reserved and reservedPrefixes list headers that a claim must not replace,
	// because a proxy or an API acts on them.
	reserved = []string{"authorization", "www-authenticate", "cookie", "set-cookie", "origin", "via", "forwarded",
		"x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-client-cert",
		"x-real-ip", "x-request-id", "date", "range", "accept", "accept-encoding"}
	reservedPrefixes = []string{"proxy-", "content-", "x-envoy-", "grpc-", "if-", "sec-", "access-control-"}

	// overrides lists headers that make servers use another method, path or host than the
	// request's own: X-HTTP-Method-Override and its like (Rack, Express,
	// Laravel, OData), X-Original-URL and X-Rewrite-URL (IIS, Symfony), X-Forwarded-Host.
	overrides = []string{"x-forwarded-host", "x-http-method-override", "x-http-method", "x-method-override", "-method",
		"x-original-url", "x-rewrite-url", "x-original-uri", "x-rewrite-uri", "x-original-method", "x-original-host", "x-host", "x-http-host-override",
		"x-forwarded-uri", "x-forwarded-path", "x-forwarded-prefix", "script-name", "x-script-name", "path-info"}
)

func hasReservedPrefix(header string) bool {
	return slices.ContainsFunc(reservedPrefixes, func(prefix string) bool { return strings.HasPrefix(header, prefix) })
}

// losesOverride reports whether the header is one that overrideHeaders removes.
func (r *reader) losesOverride(header string) bool {
	return r.removesOverrides && slices.Contains(overrides, ascii.FoldHeader(header))
}

// overridden returns the headers to remove from requests: overrides if some route depends on
// method, path or host. Envoy's routes with policies always do.
func (o *object) overridden(c *Config) []string {
	depends := c.RouteMetadata || slices.ContainsFunc(c.Routes, func(r route.Route) bool {
		return r.Path.Kind != route.Any || r.Methods != nil || r.Hosts != nil ||
			slices.ContainsFunc(r.Requirements.ClaimMatches, func(b route.Binding) bool { return b.Host })
	})
	if !depends {
		return nil
	}
	if !o.r.removesOverrides {
		o.warn("overrideHeaders", "", "lets a server take another method, path or host than the one that was judged, if it acts on X-HTTP-Method-Override, X-Original-URL, X-Forwarded-Host or their like")
		return nil
	}
	return slices.Clone(overrides)
}
