package jwks

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// The defaults of a Policy's durations, and the greatest Tick.
const (
	DefaultRefresh  = 10 * time.Minute
	DefaultMaxStale = 24 * time.Hour
	DefaultCooldown = 30 * time.Second
	DefaultTimeout  = 5 * time.Second
	DefaultWait     = 2 * time.Second
	DefaultTick     = time.Second

	MaxTick = time.Second
)

// Policy says where the keys of one issuer are and how they are to be kept.
// Durations that are zero mean the defaults.
type Policy struct {
	// URL is the key set's address, https. Empty means OpenID discovery at Issuer.
	URL string
	// Issuer is the issuer whose keys these are; its "iss" is compared byte for
	// byte with the discovery document's (OpenID Connect Discovery 1.0 §4.3).
	Issuer string
	// ExtraHosts are the hosts (host or host:port), besides the issuer's own, on
	// which a discovered jwks_uri may lie.
	ExtraHosts []string
	// Algorithms are those that the issuer's tokens may be signed with; keys for
	// others are skipped. None means all that package verify knows.
	Algorithms []string
	// Refresh is the greatest time between two scheduled fetches; default DefaultRefresh.
	Refresh time.Duration
	// MaxStale is the greatest age of keys that are used; default DefaultMaxStale.
	MaxStale time.Duration
	// Cooldown is the least time between two early refetches of the process;
	// default DefaultCooldown.
	Cooldown time.Duration
	// Timeout bounds one request to the provider; default DefaultTimeout.
	Timeout time.Duration
	// Wait is how long a request may be parked; default DefaultWait.
	Wait time.Duration
	// Tick is the time between two ticks when nothing is going on; default DefaultTick,
	// at most MaxTick, which is also the bound on how long a worker goes on
	// with keys that another worker knows to be withdrawn.
	Tick time.Duration
	// Deny lists "kid" values that are never accepted, whatever is published.
	Deny []string
	// RecordKey authenticates the record in shared data: who does not know it can
	// take the record away, but put no other in its place. Machines that are to
	// share a record have the same. Empty: only damage and mix-ups are found.
	RecordKey []byte
}

// The errors of Check.
var (
	ErrNoSource  = errors.New("neither the key set's URL nor an issuer for discovery is given")
	ErrSourceURL = errors.New("the URL must be https, with a host, without user, fragment, white space or control characters")
	ErrNegative  = errors.New("durations must not be negative")
)

// Check reports whether the policy can work at all. New accepts any policy; one
// that fails Check never finds keys.
func (p Policy) Check() error {
	if p.URL == "" && p.Issuer == "" {
		return ErrNoSource
	}
	if _, ok := hostOf(p.firstURL()); !ok {
		return ErrSourceURL
	}
	for _, d := range []time.Duration{p.Refresh, p.MaxStale, p.Cooldown, p.Timeout, p.Wait, p.Tick} {
		if d < 0 {
			return ErrNegative
		}
	}
	return nil
}

// Source identifies where keys come from: policies with equal sources may share
// one record. The adapter adds to it what it alone knows (the cluster).
func (p Policy) Source() string {
	// Which algorithms the rule names decides which keys of the document are kept.
	algorithms := strings.Join(slices.Sorted(slices.Values(p.Algorithms)), ",")
	if p.URL != "" {
		return p.URL + " " + algorithms
	}
	// Which hosts may serve keys belongs to the source: a policy without extra
	// hosts must not take keys that another one fetched from such a host.
	return "discovery:" + p.Issuer + " " + strings.Join(p.ExtraHosts, " ") + " " + algorithms
}

// firstURL is where the first request goes: to the key set, or to the discovery
// document (OpenID Connect Discovery 1.0 §4: the issuer without a final slash).
func (p Policy) firstURL() string {
	if p.URL != "" {
		return p.URL
	}
	return strings.TrimSuffix(p.Issuer, "/") + "/.well-known/openid-configuration"
}

// withDefaults fills in what is not set and bends what cannot work.
func (p Policy) withDefaults() Policy {
	set := func(d *time.Duration, preset, least time.Duration) {
		if *d <= 0 {
			*d = preset
		}
		*d = max(*d, least)
	}
	set(&p.Refresh, DefaultRefresh, time.Second)
	set(&p.MaxStale, DefaultMaxStale, 2*time.Second)
	set(&p.Cooldown, DefaultCooldown, time.Second)
	set(&p.Timeout, DefaultTimeout, 10*time.Millisecond)
	set(&p.Wait, DefaultWait, time.Millisecond)
	set(&p.Tick, DefaultTick, 10*time.Millisecond)
	p.Tick = min(p.Tick, MaxTick)
	return p
}

// mayServe reports whether a discovered jwks_uri lies where the policy allows.
func (p Policy) mayServe(uri string) bool {
	host, ok := hostOf(uri)
	if !ok {
		return false
	}
	if own, ok := hostOf(p.Issuer); ok && own == host {
		return true
	}
	for _, extra := range p.ExtraHosts {
		if named, ok := hostOf("https://" + extra); ok && named == host {
			return true
		}
	}
	return false
}
