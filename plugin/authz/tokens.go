package authz

import (
	"slices"
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// tokens caches tokens whose signature was checked. A token from the cache is not
// parsed again, and its signature is not checked again while its key is in force.
// Everything else is: clock, token location, route.
type tokens struct {
	verified *cache[*cachedToken]
	rejected *cache[rejectedToken]

	lookups [CacheResultEnd]int64
}

// CacheResult is what looking a token up in the cache has come to.
type CacheResult uint8

// What may come of it.
const (
	// Hit: the signature verified before, with a key that is still in force.
	Hit CacheResult = iota
	// Miss: the signature has to be checked.
	Miss
	// Bad: the signature failed a short while ago, with the same key.
	Bad
	// CacheResultEnd is their number.
	CacheResultEnd
)

// Lookups counts the results of the cache since the last call; none without a cache.
func (a *Authorizer) Lookups() (counts [CacheResultEnd]int64) {
	counts, a.tokens.lookups = a.tokens.lookups, counts
	return counts
}

// cachedToken is a token whose signature verified with a key.
type cachedToken struct {
	key    *verify.Key
	epoch  uint64 // of the key set in which the key was last found in force
	token  *verify.Token
	rule   *verify.Rule
	issuer *issuer
	output *output // what the API is told of the token
}

// rejectedToken is a token whose signature failed with a key.
type rejectedToken struct {
	key   *verify.Key
	until time.Time // when to check again
}

const (
	// rejectedShare is the part of the cache, one in so many, that tokens with a bad
	// signature have for themselves.
	rejectedShare = 16
	// rejectedFor is how long they are remembered.
	rejectedFor = 30 * time.Second
	// entryBytes is what an entry takes besides its texts.
	entryBytes = 400
)

func newTokens(c config.TokenCache) tokens {
	return tokens{
		verified: newCache[*cachedToken](c.Entries, c.Bytes),
		rejected: newCache[rejectedToken](c.Entries/rejectedShare, c.Bytes/rejectedShare),
	}
}

// get gives what is known of a token whose signature verified; nil for others.
func (t *tokens) get(text string) *cachedToken {
	c, _ := t.verified.get(text)
	return c
}

// own gives the token's text a memory of its own if it may be cached: as it came it
// is a part of the headers.
func (t *tokens) own(text string) string {
	if t.verified == nil {
		return text
	}
	return strings.Clone(text)
}

// inCache reports whether the cache knows that the signature verifies with a key
// that is in force.
func (d *Decision) inCache(now time.Time) bool {
	c, t := d.cached, &d.authz.tokens
	if c == nil {
		return false
	}
	epoch, usable := d.issuer.keys.Current(now)
	if usable && epoch == c.epoch {
		t.lookups[Hit]++
		return true
	}
	kid, hasKID := d.token.KeyID()
	if keys, outcome := d.issuer.keys.Find(now, kid, hasKID, d.token.Algorithm()); outcome == jwks.Found {
		if slices.Contains(keys, c.key) {
			c.epoch = epoch
			t.lookups[Hit]++
			return true
		}
		t.verified.remove(d.found.Token)
	}
	d.cached, d.found.Token = nil, t.own(d.found.Token)
	return false
}

// verify checks the signature, unless the cache knows that it is bad.
func (d *Decision) verify(key *verify.Key, now time.Time) error {
	t := &d.authz.tokens
	if bad, ok := t.rejected.get(d.found.Token); ok {
		if bad.key == key && now.Before(bad.until) {
			t.lookups[Bad]++
			return verify.SignatureInvalid
		}
		t.rejected.remove(d.found.Token)
	}
	if t.verified != nil {
		t.lookups[Miss]++
	}
	err := d.token.VerifySignature(d.authz.engine, key)
	switch verify.ReasonOf(err) {
	case verify.Accepted:
		if t.verified != nil {
			epoch, _ := d.issuer.keys.Current(now)
			d.cached = &cachedToken{key, epoch, d.token, d.rule, d.issuer, d.issuer.outputs.of(d.token)}
			t.verified.put(d.found.Token, d.cached, entryBytes+d.token.Size()+d.cached.output.bytes)
		}
	case verify.SignatureInvalid:
		t.rejected.put(d.found.Token, rejectedToken{key, now.Add(rejectedFor)}, entryBytes)
	}
	return err
}
