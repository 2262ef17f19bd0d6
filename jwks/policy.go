package jwks

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"edgejwt/verify"
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

// Policy says where the keys of one issuer are, and when they are fetched. Zero
// durations mean the defaults. It must not be changed after New.
type Policy struct {
	// URL is the key set's address, https. Empty: OpenID discovery at Issuer.
	URL string
	// AllowHTTP also takes http for URL, Issuer and a discovered jwks_uri.
	AllowHTTP bool
	// Cluster and DiscoveryCluster are the proxy's names of what carries requests.
	// Requests to the issuer's own host go over DiscoveryCluster, all others over
	// Cluster; an empty DiscoveryCluster is Cluster. An empty Cluster is not named in
	// messages.
	Cluster, DiscoveryCluster string
	// Issuer is the issuer whose keys these are. It must equal the discovery
	// document's "issuer" byte for byte (OpenID Connect Discovery 1.0 §4.3).
	Issuer string
	// ExtraHosts are the hosts (host or host:port), besides the issuer's own, that
	// a discovered jwks_uri may have.
	ExtraHosts []string
	// Algorithms are the values of "alg" that tokens may have. Keys for other
	// algorithms are skipped. None means all that package verify supports.
	Algorithms []string
	// Refresh is the longest time between two scheduled fetches; default
	// DefaultRefresh, at least 1 s.
	Refresh time.Duration
	// MaxStale is the greatest age of keys that are used; default DefaultMaxStale, at least 2 s.
	MaxStale time.Duration
	// Cooldown is the least time between two early refetches of the process;
	// default DefaultCooldown, at least 1 s.
	Cooldown time.Duration
	// Jitter bounds the random delay of an early refetch; default 0: there is none. It keeps
	// a fleet of proxies that see a new key at the same time from asking at the same time.
	// A request whose key comes later than Wait for this reason is Unavailable.
	Jitter time.Duration
	// Timeout bounds one request to the provider; default DefaultTimeout, at least 10 ms.
	Timeout time.Duration
	// Wait is how long a request may wait for keys; default DefaultWait, at least 1 ms.
	Wait time.Duration
	// Tick is the time between two ticks when nothing is due; default
	// DefaultTick, from 10 ms to MaxTick. A worker uses keys no longer than that after another worker
	// learned that they are withdrawn.
	Tick time.Duration
	// Deny lists "kid" values that are never accepted.
	Deny []string
	// RecordKey is the secret from which the key of the records' MACs is derived.
	// Without it, another plugin can remove a record but cannot replace it with its
	// own. Sources that share a record need the same one. Empty: only damaged and
	// mixed-up records are found.
	RecordKey []byte
}

// The errors of Check.
var (
	ErrNoSource  = errors.New("neither the key set's URL nor an issuer for discovery is given")
	ErrSourceURL = errors.New("the URL must be https (or http, if that is allowed), with a host, without user, fragment, white space or control characters")
	ErrNegative  = errors.New("durations must not be negative")
)

// Check reports whether the policy can work. New accepts any policy; a Source whose
// policy fails Check never has keys.
func (p Policy) Check() error {
	if p.URL == "" && p.Issuer == "" {
		return ErrNoSource
	}
	if u, ok := parseURL(p.firstURL()); !ok || !p.allows(u.scheme) {
		return ErrSourceURL
	}
	for _, d := range []time.Duration{p.Refresh, p.MaxStale, p.Cooldown, p.Jitter, p.Timeout, p.Wait, p.Tick} {
		if d < 0 {
			return ErrNegative
		}
	}
	return nil
}

// SourceID identifies where the keys come from, and over which clusters. Sources whose
// policies have equal IDs may share one record.
func (p Policy) SourceID() string {
	// The algorithms, not their order, decide which keys of the document are kept.
	var kept []string
	for _, algorithm := range verify.Algorithms() {
		if slices.Contains(p.Algorithms, algorithm) {
			kept = append(kept, algorithm)
		}
	}
	id := strings.Join(kept, ",") + "\x00" + p.Cluster + "\x00"
	if p.URL != "" {
		return p.URL + "\x00" + id
	}
	// A policy without extra hosts, or without http, must not use keys that another one
	// fetched from such a host, or by http.
	return strings.Join([]string{"discovery:" + p.Issuer, id, p.DiscoveryCluster, strings.Join(p.ExtraHosts, " "), strconv.FormatBool(p.AllowHTTP)}, "\x00")
}

// firstURL is the URL of the first request: the key set, or the discovery document
// (OpenID Connect Discovery 1.0 §4: the issuer without a trailing slash).
func (p Policy) firstURL() string {
	if p.URL != "" {
		return p.URL
	}
	return strings.TrimSuffix(p.Issuer, "/") + "/.well-known/openid-configuration"
}

// withDefaults fills in durations that are not set, and applies the bounds.
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
	set(&p.Jitter, 0, 0)
	set(&p.Timeout, DefaultTimeout, 10*time.Millisecond)
	set(&p.Wait, DefaultWait, time.Millisecond)
	set(&p.Tick, DefaultTick, 10*time.Millisecond)
	p.Tick = min(p.Tick, MaxTick)
	return p
}

// allows reports whether URLs may have the scheme.
func (p Policy) allows(scheme string) bool {
	return scheme == "https" || scheme == "http" && p.AllowHTTP
}

// mayServe reports whether the policy allows scheme and host of a discovered jwks_uri.
func (p Policy) mayServe(uri string) bool {
	u, ok := parseURL(uri)
	if !ok || !p.allows(u.scheme) {
		return false
	}
	if p.isIssuersHost(u) {
		return true
	}
	for _, extra := range p.ExtraHosts {
		if named, ok := parseURL(u.scheme + "://" + extra); ok && named.authority == u.authority {
			return true
		}
	}
	return false
}

// isIssuersHost reports whether the URL is on the issuer's own host and port.
func (p Policy) isIssuersHost(u parsedURL) bool {
	own, ok := parseURL(p.Issuer)
	return ok && own.authority == u.authority
}

// clusterOf is the cluster that carries a request.
func (p Policy) clusterOf(url string) string {
	if p.DiscoveryCluster != "" {
		if u, ok := parseURL(url); ok && p.isIssuersHost(u) {
			return p.DiscoveryCluster
		}
	}
	return p.Cluster
}
