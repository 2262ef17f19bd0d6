package jwks

import (
	"time"

	"edgejwt/verify/strictjson"
)

var discoveryLimits = strictjson.Limits{Bytes: 64 << 10, Depth: 16, Values: 4000}

// readDiscovery gives the jwks_uri of a discovery document (OpenID Connect
// Discovery 1.0 §3), or 0 and what is wrong with it.
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

// normalURL writes an https URL, which hostOf has read, as it is asked for: scheme
// and host in lower case, without the port that goes without saying.
func normalURL(uri string) string {
	host, _ := hostOf(uri)
	path := uri[len("https://"):]
	for i := 0; i < len(path); i++ {
		if path[i] == '/' || path[i] == '?' {
			return "https://" + host + path[i:]
		}
	}
	return "https://" + host
}

// needsDiscovery reports whether the next fetch has to ask where the keys are.
// A document that cannot be had is no reason to forget where they were.
func (s *Source) needsDiscovery(now time.Time) bool {
	switch {
	case s.policy.URL != "":
		return false
	case !s.policy.mayServe(s.record.uri):
		return true
	}
	ago := fromMillis(millis(now) - s.record.discovered)
	believed := discoveryMaxAge
	switch {
	case s.record.discoveryFailed:
		believed = discoveryRetryInterval
	case s.record.failures > toleratedFailures:
		believed = discoveryMaxAgeFailing
	}
	return ago < 0 || ago >= believed // in the future: the clock was put back
}

// keysURL is where the keys are.
func (s *Source) keysURL() string {
	if s.policy.URL != "" {
		return s.policy.URL
	}
	return s.record.uri
}
