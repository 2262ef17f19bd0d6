package config

import (
	"slices"
	"time"

	"edgejwt/jwks"
)

// keys reads the top level's field keys, or gives its defaults.
func (o *object) keys() Keys {
	k := o.childOrDefault("keys", keysFields)
	var keys Keys
	var refresh, stale, cooldown bool
	keys.Refresh, refresh = k.duration("refresh")
	keys.MaxStale, stale = k.duration("maxStale")
	keys.Cooldown, cooldown = k.duration("cooldown")
	keys.Timeout, _ = k.duration("timeout")
	keys.Wait, _ = k.duration("wait")
	keys.Tick, _ = k.duration("tick")
	keys.Deny = k.denied()

	if refresh && cooldown {
		k.ascending("cooldown", keys.Cooldown, "refresh", keys.Refresh)
	}
	if refresh && stale {
		k.ascending("refresh", keys.Refresh, "maxStale", keys.MaxStale)
	}
	if stale && keys.MaxStale > week {
		k.warn("maxStale", short(keys.MaxStale), "is long: a key that is withdrawn while the provider cannot be reached stays valid until then")
	}
	return keys
}

// ascending demands that one duration is not longer than another. It blames the
// longer one's field if it is written, else the other.
func (o *object) ascending(small string, least time.Duration, large string, d time.Duration) {
	switch {
	case d >= least:
	case o.has(large):
		o.wrong(large, o.find(large).value.Text, "is shorter than "+o.member(small)+" ("+short(least)+")")
	default:
		o.wrong(small, o.find(small).value.Text, "is longer than "+o.member(large)+" ("+short(d)+")")
	}
}

// denied reads keys.deny. It may be empty, and a kid may stand in it twice: an
// emergency brake should not fail for its looks.
func (o *object) denied() []string {
	var kids []string
	for _, l := range o.texts("deny") {
		if len(l.text) > MaxKIDBytes {
			o.r.fault(l.at, l.path, quote(l.text), "is longer than "+itoa(MaxKIDBytes)+" bytes")
		} else if !slices.Contains(kids, l.text) {
			kids = append(kids, l.text)
		}
	}
	return kids
}

// Policy is how the rule's key set is fetched and kept; of no use for a rule with
// an inline set.
func (r *Rule) Policy(keys *Keys) jwks.Policy {
	policy := jwks.Policy{
		URL:        r.JWKSURI,
		Issuer:     r.Issuer,
		Algorithms: r.Algorithms,
		Refresh:    keys.Refresh,
		MaxStale:   keys.MaxStale,
		Cooldown:   keys.Cooldown,
		Timeout:    keys.Timeout,
		Wait:       keys.Wait,
		Tick:       keys.Tick,
		Deny:       keys.Deny,
	}
	if r.KeysHost != "" {
		policy.ExtraHosts = []string{r.KeysHost}
	}
	return policy
}
