package authz

import (
	"slices"
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// tokens caches tokens whose signature was checked. A token from the cache is not parsed
// again, and its signature is not checked again while its key is in the key set. All
// other checks are made again: times, token location, route.
type tokens struct {
	caches  []*tokenCache // all that may have tokens
	lookups [CacheResultEnd]int64
}

// tokenCache is one cache: an issuer's own, or that of all issuers without one.
type tokenCache struct {
	verified *cache[*cachedToken]
	rejected *cache[rejectedToken]
}

// CacheResult is the result of looking up a token in the cache.
type CacheResult uint8

// The results.
const (
	// Hit: the signature verified before, with a key that is still in the key set.
	Hit CacheResult = iota
	// Miss: the signature must be checked.
	Miss
	// Bad: the signature failed a short time ago, with the same key.
	Bad
	// CacheResultEnd is the number of results.
	CacheResultEnd
)

// Lookups returns the number of each result since the last call. All are 0 without a
// cache.
func (a *Authorizer) Lookups() (counts [CacheResultEnd]int64) {
	counts, a.tokens.lookups = a.tokens.lookups, counts
	return counts
}

// cachedToken is a token whose signature verified with a key.
type cachedToken struct {
	key    *verify.Key
	epoch  uint64 // of the key set in which the key was found last
	token  *verify.Token
	rule   *verify.Rule
	issuer *issuer
	// binding is read once. Whether a request proves it is checked for each request.
	binding verify.Binding
	output  *output // the headers and filter state that are made of the token
}

// rejectedToken is a token whose signature failed.
type rejectedToken struct {
	keys  [jwks.MaxCandidates]*verify.Key // under these keys, the last one first
	until time.Time                       // when to check again
}

const (
	// rejectedShare: the cache of tokens with a bad signature has the bounds of the cache
	// of verified tokens divided by this.
	rejectedShare = 16
	// rejectedLifetime is how long a token with a bad signature stays in the cache.
	rejectedLifetime = 30 * time.Second
	// entryBytes is the memory of an entry without its texts.
	entryBytes = 400
)

// add makes a cache.
func (t *tokens) add(c config.TokenCache) *tokenCache {
	made := &tokenCache{
		verified: newCache[*cachedToken](c.Entries, c.Bytes),
		rejected: newCache[rejectedToken](c.Entries/rejectedShare, c.Bytes/rejectedShare),
	}
	if made.verified != nil {
		t.caches = append(t.caches, made)
	}
	return made
}

// get returns the token of that text if its signature verified before, or nil. Which
// issuer's token it is is not known yet, so it may be in any cache.
func (t *tokens) get(text string) *cachedToken {
	for _, cache := range t.caches {
		if c, ok := cache.verified.get(text); ok {
			return c
		}
	}
	return nil
}

// clone copies the token's text, which is a part of the headers, if it may be cached.
func (t *tokens) clone(text string) string {
	if len(t.caches) == 0 {
		return text
	}
	return strings.Clone(text)
}

// inCache reports whether the token is in the cache, verified with a key that is still in
// the key set.
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
	kid, _ := d.token.KeyID()
	keys, outcome := d.issuer.keys.Find(now, kid, d.token.Algorithm())
	if outcome == jwks.Found {
		if d.keys = keys; slices.Contains(d.candidates(), c.key) {
			c.epoch = epoch
			t.lookups[Hit]++
			return true
		}
		d.issuer.tokens.verified.remove(d.found.Token)
	}
	d.cached, d.found.Token = nil, t.clone(d.found.Token)
	return false
}

// verify checks the signature with the keys that are tried, until one verifies it. Keys
// under which the cache knows that it fails are skipped. A key that the engine cannot use
// does not stand in the way of the others.
func (d *Decision) verify(now time.Time) error {
	rejected := d.issuer.tokens.rejected
	bad, _ := rejected.get(d.found.Token)
	if !now.Before(bad.until) {
		bad = rejectedToken{until: now.Add(rejectedLifetime)}
	}
	var err error = verify.SignatureInvalid
	result := Bad
	for _, key := range d.candidates() {
		if slices.Contains(bad.keys[:], key) {
			continue
		}
		result = Miss
		switch checked := d.token.VerifySignature(d.authz.engine, key); verify.ReasonOf(checked) {
		case verify.Accepted:
			d.count(Miss)
			rejected.remove(d.found.Token)
			d.remember(key, now)
			return nil
		case verify.SignatureInvalid:
			copy(bad.keys[1:], bad.keys[:])
			bad.keys[0] = key
			if verify.ReasonOf(err) == verify.SignatureInvalid {
				err = checked
			}
		default:
			err = checked
		}
	}
	d.count(result)
	if result == Miss {
		rejected.put(d.found.Token, bad, entryBytes)
	}
	return err
}

// count counts what looking a token up has come to, if the issuer's tokens are cached.
func (d *Decision) count(result CacheResult) {
	if d.issuer.tokens.verified != nil {
		d.authz.tokens.lookups[result]++
	}
}

// remember caches the token with the key that has verified it.
func (d *Decision) remember(key *verify.Key, now time.Time) {
	verified := d.issuer.tokens.verified
	if verified == nil {
		return
	}
	epoch, _ := d.issuer.keys.Current(now)
	d.cached = &cachedToken{key, epoch, d.token, d.rule, d.issuer, d.token.Binding(), d.issuer.outputs.prepare(d.token)}
	verified.put(d.found.Token, d.cached, entryBytes+d.token.Size()+d.cached.output.bytes)
}
