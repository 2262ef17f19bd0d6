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
	Absent
	// Misfit: a fresh set has the key, but for other algorithms than the token's.
	Misfit
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
type wish struct {
	kid     string
	since   time.Duration // own clock: when first asked for
	at      time.Duration // own clock: when last asked for, or when to forget
	suspect *verify.Key   // the key under which a signature failed; nil: there is none
}

const (
	// mostWanted bounds the kids that are waited for by name. Requests with
	// further ones wait all the same.
	mostWanted = 64
	// mostLacking bounds the kids that are remembered as absent; the oldest go first.
	mostLacking = 256
)

// Find gives the keys for a token with this "kid" (RFC 7515 §4.1.4) and "alg", or
// without a kid: then only a set with exactly one usable key answers. There is one
// key or more when the outcome is Found, and none otherwise. It may note that a fetch
// is wanted; NextTick then asks for a tick soon.
func (m *Machine) Find(now time.Time, kid string, hasKID bool, algorithm string) ([]*verify.Key, Outcome) {
	m.advance(now)
	usable := m.usable(now)
	if usable {
		keys, known := m.set.Find(kid, hasKID, algorithm)
		switch {
		case len(keys) > 0:
			return keys, Found
		case known:
			return nil, Misfit
		}
	}
	switch {
	case hasKID && (kid == "" || len(kid) > MaxKID || slices.Contains(m.p.Deny, kid)):
		return nil, Absent
	case m.fixed || usable && !hasKID:
		return nil, Absent
	case !usable:
		return nil, m.hope(now)
	}
	return nil, m.missing(now, kid)
}

// hope says what requests are told while there are no keys at all.
func (m *Machine) hope(now time.Time) Outcome {
	switch {
	case m.rec == nil || m.leased() || m.verdict != nil:
		return Wait
	case m.rec.failures <= patience && m.untilScheduled(now) <= m.p.Wait:
		return Wait
	}
	return Unavailable
}

// missing says what requests are told whose kid the set lacks.
func (m *Machine) missing(now time.Time, kid string) Outcome {
	switch {
	case m.isLacking(kid, nil):
		return Absent
	case m.leased() || m.verdict != nil:
	case m.held(now):
		return Unavailable
	case m.cooldownLeft() <= 0:
	case m.untilScheduled(now) <= m.p.Wait && m.rec.failures <= patience:
	case m.rec.failures > 0:
		return Unavailable
	case m.cooldownLeft() > m.p.Wait:
		return Absent
	}
	m.want(wish{kid: kid})
	return Wait
}

// Suspect says whether it is worth waiting for other material in place of a key
// that Find gave and whose signature check failed: some providers replace a key and
// keep its kid. Wait or Absent; on Absent the signature stays invalid.
func (m *Machine) Suspect(now time.Time, key *verify.Key) Outcome {
	m.advance(now)
	if m.fixed || !m.usable(now) || !m.set.has(key) {
		return Absent
	}
	switch {
	case m.isLacking(key.ID, key):
		return Absent
	case m.leased() || m.verdict != nil:
	case m.cooldownLeft() > 0 || m.held(now):
		return Absent
	}
	m.want(wish{kid: key.ID, suspect: key})
	return Wait
}

// want notes what a request waits for.
func (m *Machine) want(w wish) {
	w.since, w.at = m.clock, m.clock
	for i := range m.wanted {
		if m.wanted[i].kid == w.kid && m.wanted[i].suspect == w.suspect {
			m.wanted[i].at = m.clock
			return
		}
	}
	if len(m.wanted) < mostWanted {
		w.kid = strings.Clone(w.kid) // it is a part of a token
		m.wanted = append(m.wanted, w)
	}
}

// prune forgets wishes for which no request can be waiting any more.
func (m *Machine) prune() {
	kept := m.wanted[:0]
	for _, w := range m.wanted {
		if m.clock-w.at <= m.p.Wait {
			kept = append(kept, w)
		}
	}
	clear(m.wanted[len(kept):])
	m.wanted = kept
}

// settle judges the wishes by a fetch that has finished. Those that it did not
// fulfil may have the next one, if it is on its way already or to be had. One
// that is younger than the fetch learns nothing from it: the key may have been
// published meanwhile.
func (m *Machine) settle() {
	again := m.leased() || m.cooldownLeft() <= 0 || m.retriesSoon()
	kept := m.wanted[:0]
	for _, w := range m.wanted {
		switch {
		case m.fulfilled(w):
		case again:
			kept = append(kept, w)
		case m.rec.failures == 0 && w.since <= m.begunAt:
			m.remember(w)
		}
	}
	clear(m.wanted[len(kept):])
	m.wanted = kept
}

// fulfilled reports whether the set now has what was wished for.
func (m *Machine) fulfilled(w wish) bool {
	if w.suspect != nil {
		return !m.set.has(w.suspect) // gone is an answer too
	}
	return len(m.set.byID(w.kid)) > 0
}

// remember notes that a fresh set did not bring what was wished for, until the
// next early refetch may ask for it: a key that is published later is found then.
func (m *Machine) remember(w wish) {
	w.at = m.earlyAt + m.p.Cooldown
	if len(m.lacking) < mostLacking {
		m.lacking = append(m.lacking, w)
		return
	}
	m.lacking[m.next] = w
	m.next = (m.next + 1) % mostLacking
}

// isLacking reports whether a fresh set lacked the kid or, with suspect, had
// the same key again.
func (m *Machine) isLacking(kid string, suspect *verify.Key) bool {
	for i := range m.lacking {
		w := &m.lacking[i]
		if w.at > m.clock && w.kid == kid && w.suspect == suspect {
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
func (m *Machine) Current(now time.Time) (epoch uint64, usable bool) {
	if m.fixed {
		return m.epoch, true
	}
	if !m.usable(now) {
		return 0, false
	}
	// Not the record's generation: a record that was lost begins anew.
	return m.epoch, true
}
