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
	maxClockStep = 2 * time.Second
	// leaseMargin is what a worker gets, beyond the request's timeout, to carry
	// the answer into the record; it also covers one jump of the clock.
	leaseMargin = 2 * time.Second
	// longestLease bounds what a record can claim.
	maxLease = time.Hour
	// longestHold is the ceiling for Retry-After while there are keys, and
	// longestColdHold while there are none.
	maxRetryAfter            = 5 * time.Minute
	maxRetryAfterWithoutKeys = 10 * time.Second
	// complain is how often a worker says at most that records are dropped.
	rejectWarningInterval = time.Minute
	// recheck is how often the record is read although the hint did not change,
	// in case that a worker died between writing the record and the hint.
	recordPollInterval = 10 * time.Second
	// rediscover and rediscoverMisled are how long a discovery document is
	// believed, and how long a failed one is not asked for again.
	discoveryMaxAge        = 24 * time.Hour
	discoveryRetryInterval = time.Hour
	// rediscoverFailing applies when the discovered jwks_uri fails again and again.
	discoveryMaxAgeFailing = 10 * time.Minute
	// patience is how many failures in a row are still worth waiting for.
	toleratedFailures = 2
)

// advance moves the own clock.
func (s *Source) advance(now time.Time) {
	if !s.lastEvent.IsZero() {
		s.clock += min(max(now.Sub(s.lastEvent), 0), maxClockStep)
	}
	s.lastEvent = now
}

// millis is wall time as records keep it; never 0, which means "not yet".
//
//go:noinline // it stands in a score of places: 4 KB
func millis(now time.Time) int64 {
	const year3000 = 32503680000000
	return min(max(now.UnixMilli(), 1), year3000)
}

func fromMillis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// age is how old the set is. It must not be called without one.
func (s *Source) age(now time.Time) time.Duration {
	return max(fromMillis(millis(now)-s.record.good), s.clock-s.goodAt)
}

// usable reports whether there is a set that is young enough to judge by.
func (s *Source) usable(now time.Time) bool {
	return s.fixed || s.usableKeys != nil && s.age(now) <= s.policy.MaxStale
}

// leased reports whether some worker is fetching, as far as this one knows.
func (s *Source) leased() bool {
	return s.record != nil && s.record.lease.ticket != 0 && s.clock-s.leaseAt < fromMillis(s.record.lease.lasts)
}

// sinceAttempt is the time since a fetch last finished.
func (s *Source) sinceAttempt() time.Duration { return s.clock - s.attemptedAt }

// hold is how long after the last attempt the provider wants to be left alone.
func (s *Source) providerRetryAfter(now time.Time) time.Duration {
	if s.record == nil {
		return 0
	}
	hold := fromMillis(s.record.retryAfter)
	if !s.usable(now) {
		hold = min(hold, maxRetryAfterWithoutKeys)
	}
	return hold
}

// held reports whether that time is not over.
func (s *Source) providerRetryPending(now time.Time) bool {
	return s.sinceAttempt() < s.providerRetryAfter(now)
}

// cooldownLeft is how long no early refetch is allowed yet; ≤ 0 when it is.
func (s *Source) cooldownLeft() time.Duration {
	if s.record == nil || s.record.earlyFetches == 0 {
		return 0
	}
	return s.policy.Cooldown - (s.clock - s.earlyFetchAt)
}

// period is the time between a good answer and the next scheduled fetch: what
// the provider says, but from half of Refresh to Refresh, never less than the
// cooldown, and in time before the keys are too old. Half, because providers
// send max-age=15 to shield their origin; obeyed by a thousand sidecars, that
// would be no shield.
func (s *Source) period() time.Duration {
	period := s.policy.Refresh
	if s.record.lifetime != noLifetime {
		floor := min(max(s.policy.Refresh/2, s.policy.Cooldown), s.policy.Refresh)
		period = min(max(time.Duration(s.record.lifetime)*time.Second, floor), s.policy.Refresh)
	}
	return min(period, s.policy.MaxStale/2)
}

// spread gives a point between low and high, random but the same for all
// workers until the next answer, so that one delay is drawn and not the
// shortest of N.
func (s *Source) jittered(low, high time.Duration) time.Duration {
	return low + time.Duration(float64(max(high-low, 0))*(float64(s.record.jitter)/(1<<32)))
}

// retryDelay is the time between a failed fetch and the next: exponential
// backoff with full jitter. With keys in hand it is slow to begin with and ends
// at Refresh, so that a fleet that lost its provider does not ask more often
// than it did before; it gets faster as the keys near maxStale. Without keys
// every request fails, so it is as fast as one provider bears from one process.
func (s *Source) retryDelay(now time.Time) time.Duration {
	n := max(int(s.record.failures), 1)
	if !s.usable(now) {
		const first, ceiling, tired = 250 * time.Millisecond, 1750 * time.Millisecond, 10 * time.Second
		window := ceiling
		switch {
		case n <= 3:
			window = min(first<<(n-1), ceiling)
		case n > 64:
			window = tired
		}
		return s.jittered(100*time.Millisecond, window)
	}
	if s.retriesEarlyFetch() {
		return s.jittered(100*time.Millisecond, time.Second)
	}
	window := min(max(s.policy.Refresh/5, 250*time.Millisecond), 2*time.Minute)
	ceiling := max(min(s.policy.Refresh, (s.policy.MaxStale-s.age(now))/4), 2*time.Second)
	for i := 1; i < n && window < ceiling; i++ {
		window *= 4
	}
	return s.jittered(100*time.Millisecond, min(window, ceiling))
}

// retriesSoon reports whether the last fetch was an early one and the first to
// fail: somebody waits for a new key, and one reset connection should not cost
// them the whole backoff.
func (s *Source) retriesEarlyFetch() bool { return s.record.early && s.record.failures == 1 }

// untilScheduled is how long it is until the next fetch that needs no request to
// ask for it; ≤ 0 when it is due.
func (s *Source) untilScheduled(now time.Time) time.Duration {
	if s.record.attempts == 0 && s.usableKeys == nil {
		return 0
	}
	if s.record.failures > 0 {
		return s.providerRetryAfter(now) + s.retryDelay(now) - s.sinceAttempt()
	}
	if !s.usable(now) {
		return time.Second - s.sinceAttempt()
	}
	period := s.period()
	return s.jittered(period-period/4, period) - s.age(now)
}

// due says whether this worker should try to take the lease, and for what.
func (s *Source) due(now time.Time) (fetch, early bool) {
	switch {
	case s.record == nil || s.leased():
		return false, false
	case s.untilScheduled(now) <= 0:
		return true, false
	case len(s.awaited) > 0 && s.usable(now) && s.cooldownLeft() <= 0 && !s.providerRetryPending(now):
		return true, true
	}
	return false, false
}
