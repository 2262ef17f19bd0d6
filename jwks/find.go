package jwks

import (
	"slices"
	"strings"
	"time"

	"edgejwt/verify"
)

// Outcome is what Find and Suspect say of a key.
type Outcome uint8

// The outcomes. The zero Outcome is Unavailable, so that the unknown case refuses
// without blaming the client.
const (
	// Unavailable: nothing can be said, because keys cannot be had.
	Unavailable Outcome = iota
	// Found: here is the key.
	Found
	// Absent: a fresh set lacks the key, or it is denied.
	NotFound
	// Misfit: a fresh set has the key, but for other algorithms than the token's.
	AlgorithmMismatch
	// Wait: a fetch that may bring the key is on its way or about to start. Park
	// the request, ask NextTick, and ask again on Changed.
	Wait
)

// String is the outcome's name.
func (o Outcome) String() string {
	names := [...]string{"unavailable", "found", "absent", "misfit", "wait"}
	if int(o) >= len(names) {
		return "unknown"
	}
	return names[o]
}

// wish is a kid that requests wait for, or one that a fresh set lacked.
type awaitedKey struct {
	kid       string
	since     time.Duration // own clock: when first asked for
	at        time.Duration // own clock: when last asked for, or when to forget
	failedKey *verify.Key   // the key under which a signature failed; nil: there is none
}

const (
	// mostWanted bounds the kids that are waited for by name. Requests with
	// further ones wait all the same.
	maxAwaited = 64
	// mostLacking bounds the kids that are remembered as absent; the oldest go first.
	maxNegative = 256
)

// Find gives the keys for a token with this "kid" (RFC 7515 §4.1.4) and "alg", or
// without a kid: then only a set with exactly one usable key answers. There is one
// key or more when the outcome is Found, and none otherwise. It may note that a fetch
// is wanted; NextTick then asks for a tick soon.
func (s *Source) Find(now time.Time, kid string, hasKID bool, algorithm string) ([]*verify.Key, Outcome) {
	s.advance(now)
	usable := s.usable(now)
	if usable {
		keys, known := s.usableKeys.Find(kid, hasKID, algorithm)
		switch {
		case len(keys) > 0:
			return keys, Found
		case known:
			return nil, AlgorithmMismatch
		}
	}
	switch {
	case hasKID && (kid == "" || len(kid) > MaxKID || slices.Contains(s.policy.Deny, kid)):
		return nil, NotFound
	case s.fixed || usable && !hasKID:
		return nil, NotFound
	case !usable:
		return nil, s.outcomeWithoutKeys(now)
	}
	return nil, s.outcomeForUnknownKID(now, kid)
}

// hope says what requests are told while there are no keys at all.
func (s *Source) outcomeWithoutKeys(now time.Time) Outcome {
	switch {
	case s.record == nil || s.leased() || s.response != nil:
		return Wait
	case s.record.failures <= toleratedFailures && s.untilScheduled(now) <= s.policy.Wait:
		return Wait
	}
	return Unavailable
}

// missing says what requests are told whose kid the set lacks.
func (s *Source) outcomeForUnknownKID(now time.Time, kid string) Outcome {
	switch {
	case s.inNegativeCache(kid, nil):
		return NotFound
	case s.leased() || s.response != nil:
	case s.providerRetryPending(now):
		return Unavailable
	case s.cooldownLeft() <= 0:
	case s.untilScheduled(now) <= s.policy.Wait && s.record.failures <= toleratedFailures:
	case s.record.failures > 0:
		return Unavailable
	case s.cooldownLeft() > s.policy.Wait:
		return NotFound
	}
	s.await(awaitedKey{kid: kid})
	return Wait
}

// Suspect says whether it is worth waiting for other material in place of a key
// that Find gave and whose signature check failed: some providers replace a key and
// keep its kid. Wait or Absent; on Absent the signature stays invalid.
func (s *Source) RecheckKey(now time.Time, key *verify.Key) Outcome {
	s.advance(now)
	if s.fixed || !s.usable(now) || !s.usableKeys.has(key) {
		return NotFound
	}
	switch {
	case s.inNegativeCache(key.ID, key):
		return NotFound
	case s.leased() || s.response != nil:
	case s.cooldownLeft() > 0 || s.providerRetryPending(now):
		return NotFound
	}
	s.await(awaitedKey{kid: key.ID, failedKey: key})
	return Wait
}

// want notes what a request waits for.
func (s *Source) await(w awaitedKey) {
	w.since, w.at = s.clock, s.clock
	for i := range s.awaited {
		if s.awaited[i].kid == w.kid && s.awaited[i].failedKey == w.failedKey {
			s.awaited[i].at = s.clock
			return
		}
	}
	if len(s.awaited) < maxAwaited {
		w.kid = strings.Clone(w.kid) // it is a part of a token
		s.awaited = append(s.awaited, w)
	}
}

// prune forgets wishes for which no request can be waiting any more.
func (s *Source) forgetAwaited() {
	kept := s.awaited[:0]
	for _, w := range s.awaited {
		if s.clock-w.at <= s.policy.Wait {
			kept = append(kept, w)
		}
	}
	clear(s.awaited[len(kept):])
	s.awaited = kept
}

// settle judges the wishes by a fetch that has finished. Those that it did not
// fulfil may have the next one, if it is on its way already or to be had. One
// that is younger than the fetch learns nothing from it: the key may have been
// published meanwhile.
func (s *Source) resolveAwaited() {
	again := s.leased() || s.cooldownLeft() <= 0 || s.retriesEarlyFetch()
	kept := s.awaited[:0]
	for _, w := range s.awaited {
		switch {
		case s.satisfied(w):
		case again:
			kept = append(kept, w)
		case s.record.failures == 0 && w.since <= s.begunAt:
			s.cacheNegative(w)
		}
	}
	clear(s.awaited[len(kept):])
	s.awaited = kept
}

// fulfilled reports whether the set now has what was wished for.
func (s *Source) satisfied(w awaitedKey) bool {
	if w.failedKey != nil {
		return !s.usableKeys.has(w.failedKey) // gone is an answer too
	}
	return len(s.usableKeys.byID(w.kid)) > 0
}

// remember notes that a fresh set did not bring what was wished for, until the
// next early refetch may ask for it: a key that is published later is found then.
func (s *Source) cacheNegative(w awaitedKey) {
	w.at = s.earlyFetchAt + s.policy.Cooldown
	if len(s.negative) < maxNegative {
		s.negative = append(s.negative, w)
		return
	}
	s.negative[s.negativeNext] = w
	s.negativeNext = (s.negativeNext + 1) % maxNegative
}

// isLacking reports whether a fresh set lacked the kid or, with suspect, had
// the same key again.
func (s *Source) inNegativeCache(kid string, failedKey *verify.Key) bool {
	for i := range s.negative {
		w := &s.negative[i]
		if w.at > s.clock && w.kid == kid && w.failedKey == failedKey {
			return true
		}
	}
	return false
}

// Current gives a number for the set in force, and whether it may be judged by.
// A verdict derived from a key holds while usable is true and epoch is the same;
// at another epoch, Find the kid again and compare the keys (==), which are the same
// as long as the key stays the same. Epochs of different machines
// differ, so that no verdict outlives a change of the configuration (Policy.Deny).
// It changes nothing: the machine's own clock, which outlasts steps of the wall
// clock, moves with ticks, answers and Find.
func (s *Source) Current(now time.Time) (epoch uint64, usable bool) {
	if !s.usable(now) {
		return 0, false
	}
	// Not the record's generation: a record that was lost begins anew.
	return s.epoch, true
}
