package jwks

import (
	"strconv"
	"strings"
	"time"
)

// NextTick is the time until Tick has to be called, from 1 ms to Policy.Tick. Ask
// after each event and each Find.
func (s *Source) NextTick(now time.Time) time.Duration {
	s.advance(now)
	const (
		soonest            = time.Millisecond
		afterLostWrites    = 5 * time.Millisecond   // other workers won each compare-and-swap
		afterDroppedRecord = 100 * time.Millisecond // another plugin may replace the next record too
		whileLeased        = 25 * time.Millisecond  // another worker fetches
	)
	if s.fixed {
		return s.policy.Tick
	}
	awaited := !s.usable(now) || len(s.awaited) > 0
	switch {
	case s.record == nil:
		return soonest
	case s.droppedRecord:
		return min(afterDroppedRecord, s.policy.Tick)
	case s.response != nil:
		return afterLostWrites
	case !awaited:
		return s.policy.Tick
	case s.leased():
		return min(whileLeased, s.policy.Tick)
	}
	left := s.untilScheduled(now)
	if len(s.awaited) > 0 && s.usable(now) {
		left = min(left, max(s.cooldownLeft(), s.providerRetryAfter(now)-s.sinceAttempt()))
	}
	return min(max(left, soonest), s.policy.Tick)
}

// RetryAfter is the Retry-After (RFC 9110 §10.2.3) for a client that gets 503: the
// time until the next fetch, in whole seconds from 1 to 30.
func (s *Source) RetryAfter(now time.Time) time.Duration {
	s.advance(now)
	left := time.Second
	if s.record != nil && !s.leased() {
		left = s.untilScheduled(now)
	}
	return min(max((left+time.Second-1).Truncate(time.Second), time.Second), 30*time.Second)
}

// Status is the state of a Source for metrics, logs and explanations. It belongs to
// the caller.
type Status struct {
	// Generation grows with each change of the set; 0: no set yet.
	Generation uint64
	// Keys and KIDs are the usable keys that are not denied. Keys counts those
	// without kid too.
	Keys int
	KIDs []string
	// Age is the time since a fetch confirmed the set; -1 without a set.
	Age time.Duration
	// Usable: there is a set, and it is not older than Policy.MaxStale.
	Usable bool
	// Name is the configured URL, without its query, or the issuer.
	Name string
	// Failures is the number of failed fetches since the last successful one.
	Failures int
	// LastError is why the last fetch failed; nil if it succeeded.
	LastError error
	// Awaited is the number of keys that pending requests of this worker wait for.
	Awaited int
	// Rejected is the number of records in shared data that this worker rejected as
	// damaged, forged or outdated.
	Rejected uint64
	// Fetches counts the results of this worker's fetches.
	Fetches [ResultEnd]uint64
}

// Status describes the Source. It allocates, so do not call it for each request.
func (s *Source) Status(now time.Time) Status {
	s.advance(now)
	status := Status{Age: -1, Keys: s.usableKeys.Len(), KIDs: s.usableKeys.KIDs(), Usable: s.usable(now), Name: s.sourceName(),
		Awaited: len(s.awaited), Rejected: s.rejected, Fetches: s.fetchResults}
	if s.fixed {
		status.Generation, status.Age, status.Name = 1, 0, "configuration"
	}
	if s.record != nil {
		status.Generation, status.Failures = s.record.generation, int(s.record.failures)
		if s.record.lastError != 0 {
			status.LastError = s.record.lastError
		}
		if s.usableKeys != nil {
			status.Age = s.age(now)
		}
	}
	return status
}

// maxKIDsInLog bounds the kids in one log line.
const maxKIDsInLog = 10

// logLine puts the source's name in front of a message. The name comes from the
// configuration, not from the provider.
func (s *Source) logLine(text string) string {
	return "keys of " + strconv.QuoteToASCII(s.sourceName()) + ": " + text
}

// sourceName is the configured URL, without its query, or the issuer.
func (s *Source) sourceName() string {
	name := s.policy.URL
	if name == "" {
		name = s.policy.Issuer
	}
	name, _, query := strings.Cut(name, "?")
	if query {
		name += "?…" // it may hold a secret
	}
	return name
}

// describe gives a failed response's error for the log.
func (r *response) describe() string {
	text := r.err.Error()
	if r.discovery {
		text = "discovery: " + text
	}
	if r.status != 0 && r.status != 200 {
		text += " (status " + strconv.Itoa(r.status) + ")"
	}
	return text
}

// describe lists a new set's kids for the log.
func (s *Set) describe(generation uint64) string {
	kids := s.KIDs()
	for i := range kids {
		kids[i] = strconv.QuoteToASCII(shorten(kids[i]))
	}
	if more := len(kids) - maxKIDsInLog; more > 0 {
		kids = append(kids[:maxKIDsInLog], "and "+strconv.Itoa(more)+" more")
	}
	return "generation " + strconv.FormatUint(generation, 10) + ", " + strconv.Itoa(s.Len()) + " usable, kid " + strings.Join(kids, ", ")
}

// listSkipped lists skipped keys for the log.
func listSkipped(skipped []Skipped) string {
	var texts []string
	for i, s := range skipped {
		if i == maxKIDsInLog {
			texts = append(texts, "and "+strconv.Itoa(len(skipped)-maxKIDsInLog)+" more")
			break
		}
		texts = append(texts, s.String())
	}
	return strings.Join(texts, "; ")
}

// hashSkipped gives a hash of a list of skipped keys; 0 for an empty one.
func hashSkipped(skipped []Skipped) uint64 {
	if len(skipped) == 0 {
		return 0
	}
	var text []byte
	for _, s := range skipped {
		text = append(append(append(text, s.ID...), 0), s.Why...)
	}
	return hash(text)
}
