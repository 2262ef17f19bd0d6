package jwks

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"edgejwt/verify/ascii"
)

// When keys are fetched and how long they are used.
//
// Workers share only the wall clock, and it can be set forward and back. So each
// Source also has a clock of its own. It moves with the wall clock, but never back
// and never by more than maxClockStep at once. It notes when each event in the
// record was first read:
//
//   - What limits a rate (lease, cooldown, backoff) is counted on the Source's
//     clock, from when the event was read: a jump does not change it.
//   - What limits an age (refresh, maxStale) is the greater of what both clocks
//     say: a jump does not make keys younger.
const (
	// maxClockStep is what one event can add to the clock. It is longer than
	// Policy.Tick, so only jumps and stalls are cut.
	maxClockStep = 2 * time.Second
	// leaseMargin is what a lease lasts longer than the request's timeout, so that
	// the worker can write the answer to the record. It also covers one jump.
	leaseMargin = 2 * time.Second
	// maxLease is the longest lease that a valid record can have.
	maxLease = time.Hour
	// maxRetryAfter bounds the provider's Retry-After (RFC 9110 §10.2.3) while there
	// are usable keys, maxRetryAfterWithoutKeys while there are none.
	maxRetryAfter            = 5 * time.Minute
	maxRetryAfterWithoutKeys = 10 * time.Second
	// busyWindow bounds the random delay after the first answer that asks for patience (429,
	// or 503 with Retry-After), while there are usable keys. It is long, because such an
	// answer often means that a whole fleet asks at once. busyWindowWithoutKeys is the same
	// while there are none and every request is refused; maxBusyWindowWithoutKeys bounds
	// the delays after the next ones.
	busyWindow               = time.Minute
	busyWindowWithoutKeys    = 5 * time.Second
	maxBusyWindowWithoutKeys = 10 * time.Second
	// rejectWarningInterval is the least time between two warnings of a rejected
	// record.
	rejectWarningInterval = time.Minute
	// recordPollInterval is how often the record is read although the hint is the
	// same: a worker may have died after it wrote the record and before the hint.
	recordPollInterval = 10 * time.Second
	// discoveryMaxAge is how long a discovery document is used,
	// discoveryMaxAgeFailing while fetches from its jwks_uri fail, and
	// discoveryRetryInterval the time after a failed discovery if an earlier
	// jwks_uri is known.
	discoveryMaxAge        = 24 * time.Hour
	discoveryMaxAgeFailing = 10 * time.Minute
	discoveryRetryInterval = time.Hour
	// toleratedFailures is after how many failed fetches in a row requests still
	// wait for the next one.
	toleratedFailures = 2
)

// advance moves the Source's clock.
func (s *Source) advance(now time.Time) {
	if !s.lastEvent.IsZero() {
		s.clock += min(max(now.Sub(s.lastEvent), 0), maxClockStep)
	}
	s.lastEvent = now
}

// millis is the wall time in Unix milliseconds, as records keep it. It is never 0,
// which means "not yet".
func millis(now time.Time) int64 {
	const year3000 = 32503680000000
	return min(max(now.UnixMilli(), 1), year3000)
}

func fromMillis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// age is the time since the set was last confirmed. There must be a set.
func (s *Source) age(now time.Time) time.Duration {
	return max(fromMillis(millis(now)-s.record.confirmed), s.clock-s.confirmedAt)
}

// usable reports whether there is a set that is not older than Policy.MaxStale.
func (s *Source) usable(now time.Time) bool {
	return s.fixed || s.usableKeys != nil && s.age(now) <= s.policy.MaxStale
}

// leased reports whether a worker is fetching, as far as this one knows.
func (s *Source) leased() bool {
	return s.record != nil && s.record.lease.ticket != 0 && s.clock-s.leaseAt < fromMillis(s.record.lease.lasts)
}

// sinceAttempt is the time since a fetch last finished.
func (s *Source) sinceAttempt() time.Duration { return s.clock - s.attemptedAt }

// providerRetryAfter is the provider's Retry-After, from the last fetch on.
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

// busy reports whether the last answer asked for patience (429, or 503 with Retry-After) and
// the time of the next scheduled fetch has not come. No request causes a fetch before it:
// a fleet that asks at once again gets the same answer again.
func (s *Source) busy(now time.Time) bool {
	return s.lastAnswerBusy() && s.untilScheduled(now) > 0
}

// lastAnswerBusy reports whether the last answer asked for patience.
func (s *Source) lastAnswerBusy() bool {
	return s.record != nil && s.record.failures > 0 && s.record.lastError == ErrProviderBusy
}

// cooldownLeft is the time until the next early refetch is allowed; ≤ 0: now.
func (s *Source) cooldownLeft() time.Duration {
	if s.record == nil || s.record.earlyFetches == 0 {
		return 0
	}
	return s.policy.Cooldown - (s.clock - s.earlyFetchAt)
}

// period is the time between a successful fetch and the next scheduled one: the
// response's freshness lifetime (RFC 9111 §4.2), but at least half of Refresh and at
// least the cooldown, at most Refresh, and at most half of MaxStale. Providers send
// a short max-age (Auth0: 15 s) meant for caches in front of their origin. If every
// sidecar of a large fleet obeyed it, the provider would get too many requests.
func (s *Source) period() time.Duration {
	period := s.policy.Refresh
	if s.record.lifetime != noLifetime {
		floor := min(max(s.policy.Refresh/2, s.policy.Cooldown), s.policy.Refresh)
		period = min(max(time.Duration(s.record.lifetime)*time.Second, floor), s.policy.Refresh)
	}
	return min(period, s.policy.MaxStale/2)
}

// jittered returns a random duration between low and high. It is the same for all
// workers until the next fetch finishes: otherwise the shortest of their delays would
// apply.
func (s *Source) jittered(low, high time.Duration) time.Duration {
	return low + time.Duration(float64(max(high-low, 0))*(float64(s.record.jitter)/(1<<32)))
}

// retryDelay is the time between a failed fetch and the next: exponential backoff
// with full jitter. While there are usable keys it ends at Refresh, so a fleet does
// not send more requests in an outage than before it; the delay gets shorter as the
// keys near MaxStale. Without usable keys every request is refused, so the delay stays
// short for about 20 seconds, and then remains small beside the outage.
func (s *Source) retryDelay(now time.Time) time.Duration {
	n := max(int(s.record.failures), 1)
	if !s.usable(now) {
		const (
			slowest      = 30 * time.Second
			quickRetries = 24
		)
		window, quick := 250*time.Millisecond, 1750*time.Millisecond
		if s.lastAnswerBusy() {
			window, quick = busyWindowWithoutKeys, maxBusyWindowWithoutKeys
		}
		for i := 1; i < n && window < slowest; i++ {
			if i < quickRetries {
				window = min(2*window, quick)
			} else {
				window = min(window*6/5, slowest)
			}
		}
		return s.jittered(100*time.Millisecond, window)
	}
	if s.retriesEarlyFetch() {
		return s.jittered(100*time.Millisecond, time.Second)
	}
	window, growth := min(max(s.policy.Refresh/5, 250*time.Millisecond), 2*time.Minute), time.Duration(4)
	if s.lastAnswerBusy() {
		window, growth = max(busyWindow, s.policy.Jitter), 2
	}
	ceiling := max(min(s.policy.Refresh, (s.policy.MaxStale-s.age(now))/4), 2*time.Second)
	for i := 1; i < n && window < ceiling; i++ {
		window *= growth
	}
	return s.jittered(100*time.Millisecond, min(window, ceiling))
}

// retriesEarlyFetch reports whether the last fetch was an early refetch and the first
// to fail. Requests wait for a new key then, so it is repeated soon once, unless the
// provider asked for patience.
func (s *Source) retriesEarlyFetch() bool {
	return s.record.early && s.record.failures == 1 && !s.lastAnswerBusy()
}

// untilEarly is the time until the early refetch for the keys that requests wait for; ≤ 0:
// it is due. There must be such a key. The delay counts from the first request for the
// first of them, so that further requests do not put the refetch off.
func (s *Source) untilEarly() time.Duration {
	delay := s.jittered(0, s.policy.Jitter) - (s.clock - s.awaited[0].since)
	return max(delay, s.cooldownLeft())
}

// untilFetch is the time until the next fetch; ≤ 0: it is due.
func (s *Source) untilFetch(now time.Time) time.Duration {
	left := s.untilScheduled(now)
	if len(s.awaited) > 0 && s.usable(now) && !s.busy(now) {
		left = min(left, s.untilEarly())
	}
	return left
}

// untilScheduled is the time until the next fetch that no request asked for; ≤ 0: it
// is due.
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

// due reports whether this worker should take the lease for a fetch, and whether that
// fetch is an early refetch.
func (s *Source) due(now time.Time) (fetch, early bool) {
	switch {
	case s.record == nil || s.leased():
		return false, false
	case s.untilScheduled(now) <= 0:
		return true, false
	case s.untilFetch(now) <= 0:
		return true, true
	}
	return false, false
}

// header returns the values of a header field, joined (RFC 9110 §5.3).
func header(headers [][2]string, name string) (string, bool) {
	value, has := "", false
	for _, h := range headers {
		if !ascii.EqualFold(h[0], name) {
			continue
		}
		if has {
			value += ", "
		}
		value, has = value+h[1], true
	}
	return value, has
}

// noLifetime is the freshness lifetime of a response that has none.
const noLifetime = -1

// maxSeconds bounds each number of seconds in a response: a year.
const maxSeconds = 365 * 24 * 3600

// freshnessLifetime is the remaining freshness lifetime of a response in seconds (RFC
// 9111 §4.2), less its Age, or noLifetime. Invalid values count as stale (§4.2.1).
func freshnessLifetime(headers [][2]string, now time.Time) int64 {
	life := int64(noLifetime)
	if control, has := header(headers, "cache-control"); has {
		for directive := range strings.SplitSeq(control, ",") {
			name, value, _ := strings.Cut(directive, "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "no-store", "no-cache":
				return 0
			case "max-age":
				seconds, ok := parseSeconds(unquote(value))
				if !ok {
					return 0
				}
				if life == noLifetime || seconds < life {
					life = seconds // of two values the shorter one
				}
			}
		}
	}
	if life == noLifetime {
		expires, has := header(headers, "expires")
		if !has {
			return noLifetime
		}
		until, ok := parseDate(expires)
		if !ok {
			return 0 // "0" is a common way to say "already expired" (§5.3)
		}
		// Compared with the provider's Date, if there is one, not with our clock.
		from := now
		if date, has := header(headers, "date"); has {
			if d, ok := parseDate(date); ok {
				from = d
			}
		}
		life = min(max(int64(until.Sub(from)/time.Second), 0), maxSeconds)
	}
	if age, has := header(headers, "age"); has {
		if seconds, ok := parseSeconds(age); ok {
			life = max(life-seconds, 0)
		}
	}
	return life
}

// unquote removes the white space and the quotes around a directive's value. RFC 9111
// §5.2 asks recipients to accept max-age="60", too.
func unquote(value string) string {
	return strings.Trim(strings.TrimSpace(value), `"`)
}

// parseRetryAfter returns the Retry-After of a response (RFC 9110 §10.2.3), at most
// maxRetryAfter; 0 if there is none.
func parseRetryAfter(headers [][2]string, now time.Time) time.Duration {
	value, has := header(headers, "retry-after")
	if !has {
		return 0
	}
	if seconds, ok := parseSeconds(value); ok {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if until, ok := parseDate(value); ok {
		return min(max(until.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// parseSeconds reads delta-seconds (RFC 9111 §1.2.2), capped at a year.
func parseSeconds(s string) (int64, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return maxSeconds, true
	}
	return int64(min(n, maxSeconds)), err == nil
}

// parseDate reads an HTTP-date in the form that senders must use, IMF-fixdate
// (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". It refuses the two obsolete
// forms.
func parseDate(s string) (time.Time, bool) {
	date, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", strings.TrimSpace(s))
	return date, err == nil
}

// validator returns the value of ETag or Last-Modified (RFC 9110 §8.8) if it can be
// sent back as it is; otherwise "", and the next request is not conditional.
func validator(headers [][2]string, name string) string {
	const longest = 256
	value, _ := header(headers, name)
	if len(value) > longest {
		return ""
	}
	for i := 0; i < len(value); i++ {
		if value[i] < ' ' || value[i] >= 0x7f {
			return ""
		}
	}
	return value
}
