package jwks

import (
	"strconv"
	"strings"
	"time"

	"edgejwt/verify/ascii"
)

// NextTick is how long the adapter should let pass until the next Tick: the
// policy's Tick when nothing is going on, at least 1 ms.
func (s *Source) NextTick(now time.Time) time.Duration {
	s.advance(now)
	const (
		soonest            = time.Millisecond
		afterLostWrites    = 5 * time.Millisecond   // a write was lost again and again
		afterDroppedRecord = 100 * time.Millisecond // the record was dropped; if the next one is too, do not fight over it
		whileLeased        = 25 * time.Millisecond  // another worker is fetching
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

// RetryAfter is what a client that gets 503 is told: when the next fetch is due,
// in whole seconds from 1 to 30.
func (s *Source) RetryAfter(now time.Time) time.Duration {
	s.advance(now)
	left := time.Second
	if s.record != nil && !s.leased() {
		left = s.untilScheduled(now)
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
	Name string
	// Failures counts failed fetches since the last good one.
	Failures int
	// Trouble is why the last fetch failed; nil when it did not.
	LastError error
	// Wanted is how many kids parked requests of this worker wait for.
	Awaited int
	// Rejected counts the records in shared data that this worker dropped, because
	// they were damaged, forged or outdated.
	Rejected uint64
	// Fetches counts what came of the fetches of this worker; the process's
	// count is the sum over its workers.
	Fetches [ResultEnd]uint64
}

// Status describes the machine. It allocates; it is not for every request.
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

// mostNamed bounds how many kids one line of the log names.
const maxKIDsInLog = 10

// about begins every line with whose keys it speaks of. The name comes from the
// configuration, not from the provider.
func (s *Source) logLine(text string) string {
	return "keys of " + ascii.Quote(s.sourceName()) + ": " + text
}

// sourceName is the address that the operator wrote.
func (s *Source) sourceName() string {
	name := s.policy.URL
	if name == "" {
		name = s.policy.Issuer
	}
	name, _, query := ascii.Cut(name, '?')
	if query {
		name += "?…" // it may hold a secret
	}
	return name
}

// explain tells a verdict's trouble.
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

// introduce tells of a set that is new.
func (s *Set) describe(generation uint64) string {
	kids := s.KIDs()
	for i := range kids {
		kids[i] = ascii.Quote(shorten(kids[i]))
	}
	if more := len(kids) - maxKIDsInLog; more > 0 {
		kids = append(kids[:maxKIDsInLog], "and "+strconv.Itoa(more)+" more")
	}
	return "generation " + strconv.FormatUint(generation, 10) + ", " + strconv.Itoa(s.Len()) + " usable, kid " + strings.Join(kids, ", ")
}

// list tells of keys that were skipped.
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

// hashSkipped tells one list of skipped keys from another; 0 for none.
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
