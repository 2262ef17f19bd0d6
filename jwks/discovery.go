package jwks

import (
	"strings"
	"time"

	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

var discoveryLimits = strictjson.Limits{Bytes: 64 << 10, Depth: 16, Values: 4000}

// readDiscovery gives the jwks_uri of a discovery document (OpenID Connect Discovery
// 1.0 §3), or an error with a detail for the log.
func (p Policy) readDiscovery(headers [][2]string, body []byte) (uri string, err Error, detail string) {
	if len(body) > discoveryLimits.Bytes {
		return "", ErrDiscoveryTooLong, ""
	}
	root, parseErr := strictjson.Parse(string(body), discoveryLimits)
	if parseErr != nil {
		return "", ErrDiscoveryUnreadable, whyNotJSON(headers, body, discoveryLimits)
	}
	issuer, _, named := text(&root, "issuer")
	uri, _, located := text(&root, "jwks_uri")
	switch {
	case !named:
		return "", ErrDiscoveryMember, `"issuer" is missing or not a string`
	case !located:
		return "", ErrDiscoveryMember, `"jwks_uri" is missing or not a string`
	case issuer != p.Issuer:
		detail = "it names " + quoteText(issuer) + ", the rule " + quoteText(p.Issuer)
		if difference := verify.Difference(issuer, p.Issuer); difference != "" {
			detail += ": they differ " + difference
		}
		return "", ErrDiscoveryIssuer, detail
	case !p.mayServe(uri):
		return "", ErrDiscoveryHost, p.whyNotServed(uri)
	}
	u, _ := parseURL(uri)
	return u.String(), 0, ""
}

// whyNotServed says why mayServe refuses a jwks_uri, and which field would allow it.
func (p Policy) whyNotServed(uri string) string {
	u, ok := parseURL(uri)
	if !ok {
		return "jwks_uri is " + quoteText(ShortURL(uri)) + ", which is not an https URL"
	}
	var fields []string
	if !p.allows(u.scheme) {
		fields = append(fields, "allowHttp: true")
	}
	if p.AllowHTTP = true; !p.mayServe(uri) {
		fields = append(fields, "jwksHost: "+u.authority)
	}
	return "jwks_uri is " + quoteText(ShortURL(uri)) + ", which needs " + strings.Join(fields, " and ")
}

// needsDiscovery reports whether the next fetch is of the discovery document. If that
// fetch fails, an earlier jwks_uri is still used.
func (s *Source) needsDiscovery(now time.Time) bool {
	switch {
	case s.policy.URL != "":
		return false
	case !s.policy.mayServe(s.record.uri):
		return true
	}
	ago := fromMillis(millis(now) - s.record.discovered)
	maxAge := discoveryMaxAge
	switch {
	case s.record.discoveryFailed:
		maxAge = discoveryRetryInterval
	case s.record.failures > toleratedFailures:
		maxAge = discoveryMaxAgeFailing
	}
	return ago < 0 || ago >= maxAge // in the future: the wall clock was set back
}

// keysURL is the URL of the key set.
func (s *Source) keysURL() string {
	if s.policy.URL != "" {
		return s.policy.URL
	}
	return s.record.uri
}
