package jwks

import "time"

// How time is told here. Wall time is the only time that workers share, and it
// jumps. So every worker also keeps a clock of its own (Machine.clock) that only
// goes forward and never by more than longestStep at once, and notes on it when
// each thing in the record happened:
//
//   - What limits a rate (lease, cooldown, backoff) is counted on the worker's
//     own clock, from when it saw the thing: no jump shortens or lengthens it.
//   - What limits an age (refresh, maxStale) is the greater of what the own clock
//     and the wall clock say: no jump makes keys younger.
const (
	// longestStep is how much time one event can add to the own clock. It is
	// over the longest tick, so that only jumps and stalls are cut.
	longestStep = 2 * time.Second
	// leaseMargin is what a worker gets, beyond the request's timeout, to carry
	// the answer into the record; it also covers one jump of the clock.
	leaseMargin = 2 * time.Second
	// longestLease bounds what a record can claim.
	longestLease = time.Hour
	// longestHold is the ceiling for Retry-After while there are keys, and
	// longestColdHold while there are none.
	longestHold     = 5 * time.Minute
	longestColdHold = 10 * time.Second
	// complain is how often a worker says at most that records are dropped.
	complain = time.Minute
	// recheck is how often the record is read although the hint did not change,
	// in case that a worker died between writing the record and the hint.
	recheck = 10 * time.Second
	// rediscover and rediscoverMisled are how long a discovery document is
	// believed, and how long a failed one is not asked for again.
	rediscover       = 24 * time.Hour
	rediscoverMisled = time.Hour
	// rediscoverFailing applies when the discovered jwks_uri fails again and again.
	rediscoverFailing = 10 * time.Minute
	// patience is how many failures in a row are still worth waiting for.
	patience = 2
)

// advance moves the own clock.
func (m *Machine) advance(now time.Time) {
	if !m.last.IsZero() {
		m.clock += min(max(now.Sub(m.last), 0), longestStep)
	}
	m.last = now
}

// millis is wall time as records keep it; never 0, which means "not yet".
func millis(now time.Time) int64 {
	const year3000 = 32503680000000
	return min(max(now.UnixMilli(), 1), year3000)
}

func fromMillis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// age is how old the set is. It must not be called without one.
func (m *Machine) age(now time.Time) time.Duration {
	return max(fromMillis(millis(now)-m.rec.good), m.clock-m.goodAt)
}

// usable reports whether there is a set that is young enough to judge by.
func (m *Machine) usable(now time.Time) bool {
	return m.fixed || m.set != nil && m.age(now) <= m.p.MaxStale
}

// leased reports whether some worker is fetching, as far as this one knows.
func (m *Machine) leased() bool {
	return m.rec != nil && m.rec.lease.ticket != 0 && m.clock-m.leaseAt < fromMillis(m.rec.lease.lasts)
}

// sinceAttempt is the time since a fetch last finished.
func (m *Machine) sinceAttempt() time.Duration { return m.clock - m.attemptedAt }

// hold is how long after the last attempt the provider wants to be left alone.
func (m *Machine) hold(now time.Time) time.Duration {
	if m.rec == nil {
		return 0
	}
	hold := fromMillis(m.rec.hold)
	if !m.usable(now) {
		hold = min(hold, longestColdHold)
	}
	return hold
}

// held reports whether that time is not over.
func (m *Machine) held(now time.Time) bool { return m.sinceAttempt() < m.hold(now) }

// cooldownLeft is how long no early refetch is allowed yet; ≤ 0 when it is.
func (m *Machine) cooldownLeft() time.Duration {
	if m.rec == nil || m.rec.earlies == 0 {
		return 0
	}
	return m.p.Cooldown - (m.clock - m.earlyAt)
}

// period is the time between a good answer and the next scheduled fetch: what
// the provider says, but from half of Refresh to Refresh, never less than the
// cooldown, and in time before the keys are too old. Half, because providers
// send max-age=15 to shield their origin; obeyed by a thousand sidecars, that
// would be no shield.
func (m *Machine) period() time.Duration {
	period := m.p.Refresh
	if m.rec.lifetime != untold {
		floor := min(max(m.p.Refresh/2, m.p.Cooldown), m.p.Refresh)
		period = min(max(time.Duration(m.rec.lifetime)*time.Second, floor), m.p.Refresh)
	}
	return min(period, m.p.MaxStale/2)
}

// spread gives a point between low and high, random but the same for all
// workers until the next answer, so that one delay is drawn and not the
// shortest of N.
func (m *Machine) spread(low, high time.Duration) time.Duration {
	return low + time.Duration(float64(max(high-low, 0))*(float64(m.rec.spread)/(1<<32)))
}

// retryDelay is the time between a failed fetch and the next: exponential
// backoff with full jitter. With keys in hand it is slow to begin with and ends
// at Refresh, so that a fleet that lost its provider does not ask more often
// than it did before; it gets faster as the keys near maxStale. Without keys
// every request fails, so it is as fast as one provider bears from one process.
func (m *Machine) retryDelay(now time.Time) time.Duration {
	n := max(int(m.rec.failures), 1)
	if !m.usable(now) {
		const first, ceiling, tired = 250 * time.Millisecond, 1750 * time.Millisecond, 10 * time.Second
		window := ceiling
		switch {
		case n <= 3:
			window = min(first<<(n-1), ceiling)
		case n > 64:
			window = tired
		}
		return m.spread(100*time.Millisecond, window)
	}
	if m.retriesSoon() {
		return m.spread(100*time.Millisecond, time.Second)
	}
	window := min(max(m.p.Refresh/5, 250*time.Millisecond), 2*time.Minute)
	ceiling := max(min(m.p.Refresh, (m.p.MaxStale-m.age(now))/4), 2*time.Second)
	for i := 1; i < n && window < ceiling; i++ {
		window *= 4
	}
	return m.spread(100*time.Millisecond, min(window, ceiling))
}

// retriesSoon reports whether the last fetch was an early one and the first to
// fail: somebody waits for a new key, and one reset connection should not cost
// them the whole backoff.
func (m *Machine) retriesSoon() bool { return m.rec.early && m.rec.failures == 1 }

// untilScheduled is how long it is until the next fetch that needs no request to
// ask for it; ≤ 0 when it is due.
func (m *Machine) untilScheduled(now time.Time) time.Duration {
	if m.rec.attempts == 0 && m.set == nil {
		return 0
	}
	if m.rec.failures > 0 {
		return m.hold(now) + m.retryDelay(now) - m.sinceAttempt()
	}
	if !m.usable(now) {
		return time.Second - m.sinceAttempt()
	}
	period := m.period()
	return m.spread(period-period/4, period) - m.age(now)
}

// due says whether this worker should try to take the lease, and for what.
func (m *Machine) due(now time.Time) (fetch, early bool) {
	switch {
	case m.rec == nil || m.leased():
		return false, false
	case m.untilScheduled(now) <= 0:
		return true, false
	case len(m.wanted) > 0 && m.usable(now) && m.cooldownLeft() <= 0 && !m.held(now):
		return true, true
	}
	return false, false
}
