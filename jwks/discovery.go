package jwks

import (
	"time"

	"edgejwt/verify/strictjson"
)

var discoveryLimits = strictjson.Limits{Bytes: 64 << 10, Depth: 16, Values: 4000}

// readDiscovery returns the jwks_uri of a discovery document (OpenID Connect Discovery
// 1.0 §3). The Error is 0 if the document can be used.
func (p Policy) readDiscovery(body []byte) (string, Error) {
	root, err := strictjson.Parse(string(body), discoveryLimits)
	if err != nil {
		return "", ErrDiscoveryUnreadable
	}
	issuer, _, named := text(&root, "issuer")
	uri, _, located := text(&root, "jwks_uri")
	switch {
	case !named || !located:
		return "", ErrDiscoveryUnreadable
	case issuer != p.Issuer:
		return "", ErrDiscoveryIssuer
	case !p.mayServe(uri):
		return "", ErrDiscoveryHost
	}
	return normalURL(uri), 0
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
