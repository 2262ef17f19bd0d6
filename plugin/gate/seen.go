package gate

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/tokencache"
)

// tokens remembers tokens that were seen before. What is found there still has
// to satisfy clock, key set, places and route like any other.
type tokens struct {
	good *tokencache.Cache[*seen] // whose signatures verified
	bad  *tokencache.Cache[*seen] // whose signatures did not

	lookups [LookupEnd]int64
}

// Lookup is what asking for a token that was seen before has come to.
type Lookup uint8

// What may come of it.
const (
	// Hit: the signature verified before, with a key that is still in force.
	Hit Lookup = iota
	// Miss: the signature has to be checked.
	Miss
	// Bad: the signature failed a short while ago, with the key of now.
	Bad
	// LookupEnd is their number.
	LookupEnd
)

// Lookups counts, by Lookup, the tokens that only lacked a proof of their
// signature; none without a cache. Whoever takes the counts sets them to 0.
func (g *Gate) Lookups() *[LookupEnd]int64 { return &g.tokens.lookups }

// seen is a token whose signature was checked with a key.
type seen struct {
	key *verify.Key

	// Of good ones: what Parse and Match gave, the key set's epoch in which the key
	// was last found in force, and what the API is told once that was asked.
	token  *verify.Token
	rule   *verify.Rule
	issuer *issuer
	epoch  uint64
	told   *told
	// changes are what an accepted request with it means where no other part of the
	// request has a say in that: see Quick.
	changes *Changes

	// Of bad ones: when to check again.
	until time.Time
}

// badShare is the part of the cache, one in so many, that bad signatures have
// for themselves.
const badShare = 16

// badFor is how long a signature that did not verify is remembered.
const badFor = 30 * time.Second

// seenBytes is what a seen takes besides its token.
const seenBytes = 320

func newTokens(c config.TokenCache) tokens {
	seed := rand.Uint64()
	return tokens{
		good: tokencache.New[*seen](c.Entries, c.Bytes, seed),
		bad:  tokencache.New[*seen](c.Entries/badShare, c.Bytes/badShare, seed),
	}
}

// get gives what is known of a token whose signature was verified; nil for others.
func (t *tokens) get(text string) *seen {
	s, _ := t.good.Get(text)
	return s
}

// own gives the token's text a memory of its own if it may be remembered: as it
// came it is a part of the headers.
func (t *tokens) own(text string) string {
	if t.good == nil {
		return text
	}
	return strings.Clone(text)
}

// verified reports whether the signature is known to be that of a key in force.
func (j *Judgement) verified(now time.Time) bool {
	s := j.seen
	if s == nil {
		return false
	}
	epoch, usable := j.issuer.keys.Current(now)
	if usable && epoch == s.epoch {
		j.gate.tokens.lookups[Hit]++
		return true
	}
	kid, hasKID := j.token.KeyID()
	if keys, outcome := j.issuer.keys.Find(now, kid, hasKID, j.token.Algorithm()); outcome == jwks.Found {
		if slices.Contains(keys, s.key) {
			s.epoch = epoch
			j.gate.tokens.lookups[Hit]++
			return true
		}
		j.gate.tokens.good.Remove(j.found.Token)
	}
	j.seen, j.found.Token = nil, j.gate.tokens.own(j.found.Token)
	return false
}

// verify checks the signature, unless it is known to be bad.
func (j *Judgement) verify(key *verify.Key, now time.Time) error {
	t := &j.gate.tokens
	if bad, ok := t.bad.Get(j.found.Token); ok {
		if bad.key == key && now.Before(bad.until) {
			t.lookups[Bad]++
			return verify.SignatureInvalid
		}
		t.bad.Remove(j.found.Token)
	}
	if t.good != nil {
		t.lookups[Miss]++
	}
	err := j.token.VerifySignature(j.gate.engine, key)
	switch verify.ReasonOf(err) {
	case verify.Accepted:
		if t.good != nil {
			epoch, _ := j.issuer.keys.Current(now)
			j.seen = &seen{key: key, token: j.token, rule: j.rule, issuer: j.issuer, epoch: epoch}
			t.good.Put(j.found.Token, j.seen, seenBytes+j.token.Size())
		}
	case verify.SignatureInvalid:
		if t.bad != nil {
			t.bad.Put(j.found.Token, &seen{key: key, until: now.Add(badFor)}, seenBytes)
		}
	}
	return err
}
