package config

import (
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// locations reads the places of the token. Who names one names all: the default is
// then not among them (as in Istio).
func (o *object) locations() []verify.TokenLocation {
	if !o.has("fromHeaders") && !o.has("fromCookies") && !o.has("fromParams") {
		return []verify.TokenLocation{verify.Authorization}
	}
	headers, cookies, params := o.fromHeaders(), o.list("fromCookies", wantCookie), o.list("fromParams", wantParam)
	all := make([]verify.TokenLocation, len(headers)+len(cookies)+len(params))
	rest := all[copy(all, headers):]
	for i := range rest {
		if l := &rest[i]; i < len(cookies) {
			l.In, l.Name = verify.InCookie, cookies[i]
		} else {
			l.In, l.Name = verify.InQuery, params[i-len(cookies)]
		}
	}
	if o.sound("fromParams") {
		o.warn("fromParams", "", "lets tokens stand in URLs, which are logged and shown in many places (RFC 6750 §2.3, RFC 9700 §4.3.2)")
	}
	return all
}

func wantCookie(name string) string {
	if !isToken(name) || len(name) > maxHeaderName {
		return "is not a cookie's name (RFC 6265 §4.1.1)"
	}
	return ""
}

func wantParam(name string) string {
	if !isPrintable(name) || len(name) > maxName {
		return "is not a parameter's name of at most " + itoa(maxName) + " bytes without control characters"
	}
	return ""
}

// fromHeaders reads the headers in which the token may stand.
func (o *object) fromHeaders() []verify.TokenLocation {
	var all []verify.TokenLocation
	for _, place := range o.children("fromHeaders") {
		l := verify.TokenLocation{Name: place.headerName("name", sourceHeader), Prefix: place.prefix()}
		if l.Name == "authorization" && !place.has("prefix") {
			place.warn("prefix", "", "is missing, so that the whole value must be the token, without Bearer before it")
		}
		for i, other := range all {
			if l.Name != "" && l == other {
				place.wrong("name", l.Name, "with the same prefix stands in "+at(o.member("fromHeaders"), i))
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
		o.wrong("prefix", prefix, "is longer than "+itoa(MaxTextBytes)+" bytes")
	case !isVisible(prefix):
		o.unfit("prefix", prefix, "may only have printable ASCII characters")
	case strings.HasPrefix(prefix, " "):
		o.wrong("prefix", prefix, "begins with a space, which no header's value does")
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

// refuseOverlaps refuses two places in one header of which one begins like the
// other: a value would then hold two tokens, and every request be ambiguous. So it
// is with two headers that some servers take for one.
func refuseOverlaps(rules []*placedRule) {
	for i, rule := range rules {
		for j := range rule.Locations {
			for k, earlier := range rules[:i+1] {
				for l := range earlier.Locations {
					if k == i && l >= j {
						break
					}
					a, b := &rule.Locations[j], &earlier.Locations[l]
					if a.In == verify.InHeader && b.In == verify.InHeader && a.Name != b.Name && ascii.SameHeader(a.Name, b.Name) {
						rule.object.wrong("fromHeaders", a.Name, "is "+quote(b.Name)+" in "+earlier.Path+" to some servers: every token in either would be ambiguous")
						return
					}
					if a.In != verify.InHeader || b.In != verify.InHeader || a.Name == "" || a.Name != b.Name ||
						ascii.EqualFold(a.Prefix, b.Prefix) || !begins(a.Prefix, b.Prefix) && !begins(b.Prefix, a.Prefix) {
						continue
					}
					rule.object.wrong("fromHeaders", a.Name, "with the prefix "+quote(a.Prefix)+" overlaps with the prefix "+
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
