package jwks

import (
	"slices"
	"strings"
	"time"

	"edgejwt/verify"
)

// Outcome is the result of Find and Recheck.
type Outcome uint8

// The outcomes. The zero value is Unavailable: an unknown case refuses the request
// and does not blame the client.
const (
	// Unavailable: the keys cannot be had, so nothing is known about this one.
	Unavailable Outcome = iota
	// Found: the set has the key.
	Found
	// NotFound: a fresh set does not have the key, or it is in Policy.Deny.
	NotFound
	// AlgorithmMismatch: a fresh set has the kid, but not for the token's algorithm. For a
	// token without kid: no key is for it.
	AlgorithmMismatch
	// Wait: a fetch that may bring the key is in flight or about to start. Keep the
	// request pending, ask NextTick, and call Find again on Changed.
	Wait
)

// String is the outcome's name.
func (o Outcome) String() string {
	names := [...]string{"unavailable", "found", "not_found", "algorithm_mismatch", "wait"}
	if int(o) >= len(names) {
		return "unknown"
	}
	return names[o]
}

// awaitedKey is a key that requests wait for, or one that a fresh set did not have.
type awaitedKey struct {
	kid       string        // empty: a key for tokens without kid
	since     time.Duration // by Source.clock: when first asked for
	at        time.Duration // by Source.clock: when last asked for; in the negative cache the expiry
	failedKey *verify.Key   // the key whose signature check failed; nil: no key has this kid
	epoch     uint64        // of the set that does not have it
}

const (
	// maxAwaited bounds the kids in Source.awaited. Requests with further kids wait
	// for the fetch that these cause.
	maxAwaited = 64
	// maxNegative bounds the negative cache. The oldest entries are replaced first.
	maxNegative = 256
)

// Find returns the keys for a token with this "kid" (RFC 7515 §4.1.4), empty for a token
// without one, and "alg": see Set.Find. There are keys if and only if the outcome is
// Found; the slice is shared and must not be changed, and kid is not kept. At most
// MaxCandidates of them are to be tried. When none of them verifies the signature, call
// Recheck. Find may note that a fetch is needed; NextTick then asks for a tick soon.
func (s *Source) Find(now time.Time, kid, algorithm string) ([]*verify.Key, Outcome) {
	s.advance(now)
	if kid != "" && slices.Contains(s.policy.Deny, kid) {
		return nil, NotFound
	}
	if !s.usable(now) {
		return nil, s.outcomeWithoutKeys(now)
	}
	keys, known := s.usableKeys.Find(kid, algorithm)
	switch {
	case len(keys) > 0:
		return keys, Found
	case known:
		return nil, AlgorithmMismatch
	case kid == "":
		return nil, NotFound // all keys are denied
	}
	return nil, s.outcomeForUnknownKID(now, kid)
}

// outcomeWithoutKeys is the outcome while there are no usable keys.
func (s *Source) outcomeWithoutKeys(now time.Time) Outcome {
	if s.record == nil || s.comesSoon(now) {
		return Wait
	}
	return Unavailable
}

// outcomeForUnknownKID is the outcome for a kid that the usable set does not have, or for
// tokens without kid (empty) that none of its keys verifies.
func (s *Source) outcomeForUnknownKID(now time.Time, kid string) Outcome {
	switch {
	case s.fixed || len(kid) > MaxKID || s.inNegativeCache(kid, nil):
		return NotFound
	case s.comesSoon(now):
		s.await(awaitedKey{kid: kid})
		return Wait
	case s.busy(now):
		return Unavailable
	case s.cooldownLeft() <= 0:
	case s.record.failures > 0:
		return Unavailable
	case s.cooldownLeft() > s.policy.Wait:
		return NotFound
	}
	s.await(awaitedKey{kid: kid})
	return s.outcomeOfEarlyFetch()
}

// comesSoon reports whether the answer to a fetch that no request asked for can be there
// before a request has waited too long.
func (s *Source) comesSoon(now time.Time) bool {
	return s.leased() || s.response != nil || s.untilScheduled(now) <= s.policy.Wait && s.record.failures <= toleratedFailures
}

// outcomeOfEarlyFetch is the outcome for a request that needs the next early refetch. It
// does not wait for one that Policy.Jitter puts off for too long. The refetch is made
// without it.
func (s *Source) outcomeOfEarlyFetch() Outcome {
	if s.untilEarly() > s.policy.Wait {
		return Unavailable
	}
	return Wait
}

// Recheck is the outcome for a token whose signature failed under every key that Find
// returned for it and that was tried. The outcome is
//
//   - Found: the signature is invalid.
//   - Wait: a fetch may bring another key. A token whose kid no key has, or that has none,
//     waits as from Find; with a known kid, because some providers replace a key and keep
//     its kid.
//   - NotFound: no key has the kid, and the keys without kid failed.
//   - Unavailable: as from Find.
func (s *Source) Recheck(now time.Time, kid string, keys []*verify.Key) Outcome {
	s.advance(now)
	if !s.usable(now) {
		return s.outcomeWithoutKeys(now)
	}
	if kid == "" || len(s.usableKeys.byID(kid)) == 0 {
		outcome := s.outcomeForUnknownKID(now, kid)
		if kid == "" && outcome == NotFound {
			return Found
		}
		return outcome
	}
	outcome := Found
	for _, key := range keys {
		if s.mayBeReplaced(now, key) {
			s.await(awaitedKey{kid: key.ID, failedKey: key})
			outcome = Wait
		}
	}
	if outcome == Wait && !s.comesSoon(now) {
		return s.outcomeOfEarlyFetch()
	}
	return outcome
}

// mayBeReplaced reports whether a fetch that is in flight or allowed now may replace a
// key of the set whose signature check failed.
func (s *Source) mayBeReplaced(now time.Time, key *verify.Key) bool {
	switch {
	case s.fixed || !s.usableKeys.has(key) || s.inNegativeCache(key.ID, key):
		return false
	case s.leased() || s.response != nil:
		return true
	}
	return s.cooldownLeft() <= 0 && !s.busy(now)
}

// await notes what a request waits for.
func (s *Source) await(w awaitedKey) {
	w.since, w.at, w.epoch = s.clock, s.clock, s.epoch
	for i := range s.awaited {
		if s.awaited[i].kid == w.kid && s.awaited[i].failedKey == w.failedKey {
			s.awaited[i].at, s.awaited[i].epoch = s.clock, s.epoch
			return
		}
	}
	if len(s.awaited) < maxAwaited {
		w.kid = strings.Clone(w.kid) // kid is a part of the token
		s.awaited = append(s.awaited, w)
	}
}

// forgetAwaited drops keys for which no request can be pending any more. Those for which
// Policy.Jitter puts the refetch off stay until it is made.
func (s *Source) forgetAwaited() {
	kept := s.awaited[:0]
	for _, w := range s.awaited {
		if s.clock-w.at <= max(s.policy.Wait, s.policy.Jitter) {
			kept = append(kept, w)
		}
	}
	clear(s.awaited[len(kept):])
	s.awaited = kept
}

// resolveAwaited updates the awaited keys after a fetch. Keys that it did not bring
// stay if the next fetch has begun or is allowed. Others go to the negative cache,
// unless they were first asked for after the fetch began: they may have been
// published since.
func (s *Source) resolveAwaited() {
	nextFetchIsSoon := s.leased() || s.cooldownLeft() <= 0 || s.retriesEarlyFetch()
	kept := s.awaited[:0]
	for _, w := range s.awaited {
		switch {
		case s.satisfied(w):
		case nextFetchIsSoon:
			kept = append(kept, w)
		case s.record.failures == 0 && w.since <= s.fetchBegunAt:
			s.cacheNegative(w)
		}
	}
	clear(s.awaited[len(kept):])
	s.awaited = kept
}

// satisfied reports whether the set now answers what a request waits for.
func (s *Source) satisfied(w awaitedKey) bool {
	if w.failedKey != nil {
		return !s.usableKeys.has(w.failedKey) // the signature is checked again, whatever the set has
	}
	if w.kid != "" && len(s.usableKeys.byID(w.kid)) > 0 {
		return true
	}
	// A new key without kid may be the one.
	return s.epoch != w.epoch && (w.kid == "" || len(s.usableKeys.byID("")) > 0)
}

// cacheNegative notes that a fresh set did not have the key, until the next early
// refetch is allowed. A key that is published later is found then.
func (s *Source) cacheNegative(w awaitedKey) {
	w.at = s.earlyFetchAt + s.policy.Cooldown
	if len(s.negative) < maxNegative {
		s.negative = append(s.negative, w)
		return
	}
	s.negative[s.negativeNext] = w
	s.negativeNext = (s.negativeNext + 1) % maxNegative
}

// inNegativeCache reports whether a fresh set did not have the kid or, with failedKey,
// had the same key again.
func (s *Source) inNegativeCache(kid string, failedKey *verify.Key) bool {
	for i := range s.negative {
		w := &s.negative[i]
		if w.at > s.clock && w.kid == kid && w.failedKey == failedKey {
			return true
		}
	}
	return false
}

// Current returns the epoch of the set in force, and whether its keys may be used.
// What was verified with a key stays valid while usable is true and the epoch is the
// same. At another epoch, call Find again and compare the keys with ==: a key that
// was published again is the same pointer. Epochs of different Sources differ, so no
// cached result outlives a change of Policy.Deny. Current changes nothing.
func (s *Source) Current(now time.Time) (epoch uint64, usable bool) {
	if !s.usable(now) {
		return 0, false
	}
	// Not the record's generation, which starts again when a record was lost.
	return s.epoch, true
}
