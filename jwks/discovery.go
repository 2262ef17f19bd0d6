package jwks

import (
	"time"

	"edgejwt/verify/strictjson"
)

var discoveryLimits = strictjson.Limits{Bytes: 64 << 10, Depth: 16, Values: 4000}

// readDiscovery gives the jwks_uri of a discovery document (OpenID Connect
// Discovery 1.0 §3), or 0 and what is wrong with it.
func (p Policy) readDiscovery(body []byte) (string, Trouble) {
	root, err := strictjson.Parse(string(body), discoveryLimits)
	if err != nil {
		return "", DiscoveryUnreadable
	}
	issuer, _, named := text(&root, "issuer")
	uri, _, located := text(&root, "jwks_uri")
	switch {
	case !named || !located:
		return "", DiscoveryUnreadable
	case issuer != p.Issuer:
		return "", DiscoveryIssuer
	case !p.mayServe(uri):
		return "", DiscoveryHost
	}
	return normalURL(uri), 0
}

// needsDiscovery reports whether the next fetch has to ask where the keys are.
// A document that cannot be had is no reason to forget where they were.
func (m *Machine) needsDiscovery(now time.Time) bool {
	switch {
	case m.p.URL != "":
		return false
	case !m.p.mayServe(m.rec.uri):
		return true
	}
	ago := fromMillis(millis(now) - m.rec.discovered)
	believed := rediscover
	switch {
	case m.rec.misled:
		believed = rediscoverMisled
	case m.rec.failures > patience:
		believed = rediscoverFailing
	}
	return ago < 0 || ago >= believed // in the future: the clock was put back
}

// keysURL is where the keys are.
func (m *Machine) keysURL() string {
	if m.p.URL != "" {
		return m.p.URL
	}
	return m.rec.uri
}
