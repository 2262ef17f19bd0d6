package jwks

import "time"

// NextTick is how long the adapter should let pass until the next Tick: the
// policy's Tick when nothing is going on, at least 1 ms.
func (m *Machine) NextTick(now time.Time) time.Duration {
	m.advance(now)
	const (
		soonest  = time.Millisecond
		stuck    = 5 * time.Millisecond   // a write was lost again and again
		blind    = 100 * time.Millisecond // the record was dropped; if the next one is too, do not fight over it
		watching = 25 * time.Millisecond  // another worker is fetching
	)
	if m.fixed {
		return m.p.Tick
	}
	awaited := !m.usable(now) || len(m.wanted) > 0
	switch {
	case m.rec == nil:
		return soonest
	case m.blind:
		return min(blind, m.p.Tick)
	case m.verdict != nil:
		return stuck
	case !awaited:
		return m.p.Tick
	case m.leased():
		return min(watching, m.p.Tick)
	}
	left := m.untilScheduled(now)
	if len(m.wanted) > 0 && m.usable(now) {
		left = min(left, max(m.cooldownLeft(), m.hold(now)-m.sinceAttempt()))
	}
	return min(max(left, soonest), m.p.Tick)
}

// RetryAfter is what a client that gets 503 is told: when the next fetch is due,
// in whole seconds from 1 to 30.
func (m *Machine) RetryAfter(now time.Time) time.Duration {
	m.advance(now)
	left := time.Second
	if m.rec != nil && !m.leased() {
		left = m.untilScheduled(now)
	}
	return min(max((left+time.Second-1).Truncate(time.Second), time.Second), 30*time.Second)
}

// Status is what metrics and the log can tell of a machine.
type Status struct {
	// Generation grows with each change of the set; 0: none yet.
	Generation uint64
	// Keys and KIDs are the usable keys that are not denied.
	Keys int
	KIDs []string
	// Age is the time since a good answer confirmed the set; -1 without one.
	Age time.Duration
	// Usable: there is a set, and it is not older than maxStale.
	Usable bool
	// Source is the configured URL or issuer.
	Source string
	// Failures counts failed fetches since the last good one.
	Failures int
	// Trouble is why the last fetch failed; nil when it did not.
	Trouble error
	// Wanted is how many kids parked requests of this worker wait for.
	Wanted int
	// Rejected counts the records in shared data that this worker dropped, because
	// they were damaged, forged or outdated.
	Rejected uint64
	// Fetches counts what came of the fetches of this worker; the process's
	// count is the sum over its workers.
	Fetches [ResultEnd]uint64
}

// Status describes the machine. It allocates; it is not for every request.
func (m *Machine) Status(now time.Time) Status {
	m.advance(now)
	s := Status{Age: -1, Keys: m.set.Len(), KIDs: m.set.KIDs(), Usable: m.usable(now), Source: m.sourceName(),
		Wanted: len(m.wanted), Rejected: m.rejected, Fetches: m.results}
	if m.fixed {
		s.Generation, s.Age, s.Source = 1, 0, "configuration"
	}
	if m.rec != nil {
		s.Generation, s.Failures = m.rec.generation, int(m.rec.failures)
		if m.rec.trouble != 0 {
			s.Trouble = m.rec.trouble
		}
		if m.set != nil {
			s.Age = m.age(now)
		}
	}
	return s
}
