package jwks

import (
	"bytes"
	"time"
)

// Machine is what one worker knows of one key source. Events (Tick, Loaded,
// Saved, Answered) return the actions to carry out; Find, Suspect, Current,
// NextTick, RetryAfter and Status serve requests and cause none. It is not safe
// for concurrent use and never reads a clock: each call says what time it is.
type Source struct {
	policy Policy
	owner  uint64
	key    []byte // authenticates records
	random func() float64
	fixed  bool // made by Fixed: never acts

	clock     time.Duration // own clock, see timing.go
	lastEvent time.Time     // of the last event

	record     *record // as last read or written; nil before the first
	mac        mac     // of rec
	version    uint32  // of rec in shared data; 0 when not known
	hint       uint64  // as read before rec
	published  *Set    // rec's set
	usableKeys *Set    // all without denied keys; nil when rec has none
	epoch      uint64  // of set: starts at a random number, grows with each change
	wasUsable  bool    // usable at the last event

	// When things in rec happened, on the own clock.
	loadedAt, goodAt, begunAt, attemptedAt, earlyFetchAt, leaseAt time.Duration

	saving     pendingSave   // the Save under way
	casRetries int           // of compare-and-swap since the last tick or answer
	fetch      fetchInFlight // the fetch that this worker has the lease for
	response   *response     // its answer, while it waits to be published

	awaited      []awaitedKey // what parked requests wait for
	negative     []awaitedKey // what a fresh set did not bring; at is when to forget
	negativeNext int          // place in lacking that is overwritten next

	fetchResults [ResultEnd]uint64

	inherited inherited // until the first record is read or written

	droppedRecord     bool // the last record that was read was dropped
	rejected          uint64
	lastRejectWarning time.Duration // own clock: when that was last warned of
}

// intent says what a Save under way is for.
type savePurpose uint8

const (
	saveNothing  savePurpose = iota
	saveInitial              // to make or mend the record
	saveLease                // to take the lease
	saveResponse             // to write down what an answer brought
)

// draft is a record that is being written.
type pendingSave struct {
	purpose       savePurpose
	rec           *record
	mac           mac
	set           *Set     // rec's set, if it is a new one
	logLines      []Action // what there is to log once it is written
	result        Result   // of publishing
	fetchKeysNext bool     // publishing a discovered jwks_uri: the keys come next
}

// legacy is what another machine knew: see Inherit.
type inherited struct {
	rec *record
	set *Set
	// sequence is the one of a record that this machine would share with it; 0: none.
	sequence uint64
}

// flight is a fetch that is on its way.
type fetchInFlight struct {
	ticket      uint64 // 0: none
	discovery   bool   // it asks for the discovery document
	conditional bool   // it names validators, so 304 has a meaning
}

// mostTries bounds how often one event repeats a lost compare-and-swap; the next
// tick goes on.
const maxCASRetries = 8

// New makes a machine. owner tells this machine from all others of the process:
// random, of 64 bits, and not 0. random gives numbers from [0,1) and may be shared.
func New(p Policy, owner uint64, random func() float64) *Source {
	p = p.withDefaults()
	return &Source{policy: p, owner: owner, epoch: owner, key: recordKey(p.RecordKey, p.SourceID()), random: random}
}

// Inherit gives a machine that is new what another one of the same source knows,
// which is not to be in use at the same time by another thread. The new one uses
// it where shared data has nothing, or something older: so a plugin that starts
// with a changed RecordKey in a VM where the one before it still runs has its keys
// at once, and the provider is not asked. Of several to inherit from, the one with
// the freshest keys counts.
func (s *Source) Inherit(now time.Time, from *Source) {
	if s.fixed || from.fixed || s.record != nil || from.record == nil {
		return
	}
	from.advance(now)
	r := *from.record
	r.lease = lease{from: r.lease.from} // its owner would not know this machine's
	if from.usableKeys != nil {
		r.good = max(millis(now)-from.age(now).Milliseconds(), 1)
	}
	l := inherited{rec: &r, set: from.published}
	if bytes.Equal(s.key, from.key) {
		l.sequence = r.sequence
	} else {
		r.sequence = firstSequence(now)
	}
	l.sequence = max(l.sequence, s.inherited.sequence)
	if old := s.inherited.rec; old != nil && !r.confirmedAfter(old) {
		l.rec, l.set = old, s.inherited.set
	}
	s.inherited = l
}

// firstSequence is where the numbers of a new record start: above those of every
// record that was made before it, so that a worker which knows an old one that was
// lost takes the new one.
func firstSequence(now time.Time) uint64 { return uint64(millis(now)) << 16 }

// known is what this worker knows: its own record, or what it inherited.
func (s *Source) knownRecord() (*record, *Set) {
	if s.record != nil {
		return s.record, nil
	}
	return s.inherited.rec, s.inherited.set
}

// Fixed makes a machine for keys that are written into the configuration: it
// never acts, and what it does not find is absent.
func Fixed(set *Set, deny []string) *Source {
	left := set.Without(deny)
	return &Source{policy: Policy{Deny: deny}.withDefaults(), epoch: hash(left.AppendJSON(nil)), fixed: true, published: set, usableKeys: left}
}

// Tick is the event that drives all others: call it when NextTick says. hint is
// what the hint key holds, read before this call. When nothing is due it returns
// nil and does not allocate.
func (s *Source) Tick(now time.Time, hint uint64, haveHint bool) []Action {
	s.advance(now)
	if s.fixed {
		return nil
	}
	s.saving, s.casRetries = pendingSave{}, 0 // an event that the host swallowed is given up
	s.forgetAwaited()
	var actions []Action
	if ok := s.usable(now); ok != s.wasUsable {
		s.wasUsable = ok
		actions = appendAction(actions, Changed, "")
	}
	stale := s.record == nil || !haveHint || hint != s.hint || s.clock-s.loadedAt >= recordPollInterval
	fetch, _ := s.due(now)
	if !stale && !fetch && s.response == nil {
		return actions
	}
	s.hint = hint
	return appendAction(actions, Load, "")
}

// Loaded answers Load: the record as it is stored, and its version. Version 0
// means that there is none. b is not kept.
func (s *Source) Loaded(now time.Time, b []byte, version uint32) []Action {
	s.advance(now)
	if s.fixed {
		return nil
	}
	var actions []Action
	if version == 0 {
		return s.writeRecord(now, nil, VersionNone)
	}
	if version != s.version || s.record == nil {
		r, mac, ok := decodeRecord(b, s.key)
		var set *Set
		if ok && len(r.set) > 0 && (s.record == nil || !bytes.Equal(r.set, s.record.set)) {
			var err error
			set, _, err = Parse(r.set, s.policy.Algorithms...)
			ok = err == nil
		}
		if !ok {
			return s.rejectRecord(now, ErrRecordUnreadable, version)
		}
		if s.isOutdated(r, mac) {
			return s.rejectRecord(now, ErrRecordOutdated, version)
		}
		s.droppedRecord = false
		if s.lacksKnownKeys(now, r) {
			return s.writeRecord(now, r, version)
		}
		actions = s.applyRecord(now, r, mac, set)
		s.version = version
	}
	s.loadedAt = s.clock
	if s.response != nil {
		return append(actions, s.publishResponse(now)...)
	}
	if fetch, early := s.due(now); fetch {
		actions = append(actions, s.acquireLease(now, s.needsDiscovery(now), early)...)
	}
	return actions
}

// outdated reports whether a record is from before the one that this worker
// knows: every write has a sequence of its own, one higher than what it replaces.
// Whoever can write shared data can put back a record that he has read there, and
// with it a key that was withdrawn since.
func (s *Source) isOutdated(r *record, mac mac) bool {
	if s.record == nil {
		return r.sequence < s.inherited.sequence
	}
	return r.sequence < s.record.sequence || r.sequence == s.record.sequence && mac != s.mac
}

// restores reports whether a sound record lacks keys that this worker knows.
func (s *Source) lacksKnownKeys(now time.Time, r *record) bool {
	if s.record != nil {
		return len(r.set) == 0 && s.usableKeys != nil && s.usable(now)
	}
	l := s.inherited.rec
	return l != nil && len(l.set) > 0 && (len(r.set) == 0 || l.confirmedAfter(r))
}

// reject drops a record, and replaces it by what this worker knows.
func (s *Source) rejectRecord(now time.Time, why Error, version uint32) []Action {
	var actions []Action
	if s.rejected == 0 || s.clock-s.lastRejectWarning >= rejectWarningInterval {
		s.lastRejectWarning = s.clock
		actions = appendAction(actions, Warn, s.logLine(why.Error()+"; it is replaced"))
	}
	s.rejected++
	s.droppedRecord = true
	return append(actions, s.writeRecord(now, nil, version)...)
}

// seed writes a record where there is none, or none that can be used (version
// names what is replaced). It holds what this worker knows: nothing at a cold
// start, the keys if a record was lost. found is a record that is sound but has
// lost its set to a worker that overwrote it.
func (s *Source) writeRecord(now time.Time, found *record, version uint32) []Action {
	r := record{lifetime: noLifetime}
	known, set := s.knownRecord()
	switch {
	case found != nil:
		r = *found
		r.set, r.generation, r.skipped = known.set, max(r.generation, known.generation), known.skipped
		r.good, r.lifetime, r.etag, r.lastModified = known.good, known.lifetime, known.etag, known.lastModified
		r.sequence = max(r.sequence, known.sequence)
	case known != nil:
		r = *known
	default:
		r.sequence = firstSequence(now)
	}
	r.sequence = max(r.sequence, s.inherited.sequence)
	return s.save(now, pendingSave{purpose: saveInitial, rec: &r, set: set}, version)
}

// lease starts a fetch by writing down who does it.
func (s *Source) acquireLease(now time.Time, discovery, early bool) []Action {
	r := *s.record
	r.lease = lease{owner: s.owner, ticket: r.sequence + 1, from: millis(now), lasts: (s.policy.Timeout + leaseMargin).Milliseconds(), early: early}
	if early {
		r.earlyFetches++
		r.lastEarlyFetch = millis(now)
	}
	s.fetch = fetchInFlight{discovery: discovery}
	d := pendingSave{purpose: saveLease, rec: &r}
	if s.record.lease.ticket != 0 && r.warned&warnedBit(ErrFetchLost) == 0 {
		r.warned |= warnedBit(ErrFetchLost)
		d.logLines = []Action{{Kind: Warn, Message: s.logLine(ErrFetchLost.Error())}}
	}
	return s.save(now, d, s.version)
}

// save writes the record. The set's age goes along as this worker knows it: when
// the wall clock was put back, the record learns the true age that way.
func (s *Source) save(now time.Time, d pendingSave, version uint32) []Action {
	r := d.rec
	r.sequence++
	r.written = millis(now)
	if s.record != nil && r.good == s.record.good && r.good != 0 {
		if known := r.written - s.age(now).Milliseconds(); known < r.good-1000 {
			r.good = max(known, 1)
		}
	}
	var b []byte
	b, d.mac = r.encode(s.key)
	s.saving = d
	return []Action{{Kind: Save, Record: b, Version: version, Hint: r.sequence}}
}

// Saved answers Save.
func (s *Source) Saved(now time.Time, ok bool) []Action {
	s.advance(now)
	d := s.saving
	s.saving = pendingSave{}
	if d.purpose == saveNothing || s.fixed {
		return nil
	}
	s.version = 0 // known again after the next Load
	if !ok {
		if s.casRetries++; s.casRetries > maxCASRetries {
			return nil
		}
		return []Action{{Kind: Load}}
	}
	// First the record, then the news: whoever is woken finds the new keys.
	actions := append(s.applyRecord(now, d.rec, d.mac, d.set), d.logLines...)
	switch d.purpose {
	case saveInitial:
		// At once, before somebody can spoil the record again.
		if s.casRetries++; s.casRetries <= maxCASRetries {
			actions = appendAction(actions, Load, "")
		}
	case saveLease:
		actions = append(actions, s.startFetch())
	case saveResponse:
		s.fetchResults[d.result]++
		s.response, s.fetch = nil, fetchInFlight{}
		if d.fetchKeysNext {
			actions = append(actions, s.startFetch())
		}
	}
	return actions
}

// adopt takes over a record that was read or written. set is its set, or nil
// when that is the one already known.
func (s *Source) applyRecord(now time.Time, r *record, mac mac, set *Set) []Action {
	old, first := s.record, s.record == nil
	if first {
		old = &record{}
	}
	// How long ago things happened. What is new in this record cannot be older
	// than the last look at it, whatever the wall clock did since.
	since := func(ms int64) time.Duration {
		ago := max(fromMillis(millis(now)-ms), 0)
		if !first {
			ago = min(ago, s.clock-s.loadedAt)
		}
		return s.clock - ago
	}
	finished := first || r.attempts != old.attempts
	if finished {
		s.attemptedAt = since(r.attempted)
		// It may well have begun before the last look.
		s.begunAt = s.clock - max(fromMillis(millis(now)-r.lease.from), 0)
	}
	if r.earlyFetches != old.earlyFetches { // not by its time: a clock that was put back can show one time twice
		s.earlyFetchAt = since(r.lastEarlyFetch)
	}
	if r.lease.ticket != old.lease.ticket || r.lease.owner != old.lease.owner {
		s.leaseAt = s.clock // never earlier: its owner began to count before us
	}
	if r.good != old.good || finished && r.failures == 0 { // the same
		s.goodAt = s.clock - max(fromMillis(max(millis(now), r.written)-r.good), 0)
	}
	s.record, s.mac, s.loadedAt, s.inherited = r, mac, s.clock, inherited{}
	switch {
	case len(r.set) == 0:
		s.published, s.usableKeys = nil, nil
		s.epoch++
	case set != nil && !set.Equal(s.published):
		s.published = set.keep(s.published)
		s.usableKeys = s.published.Without(s.policy.Deny)
		s.epoch++
	}
	ok := s.usable(now)
	changed := finished && !first || set != nil || ok != s.wasUsable
	s.wasUsable = ok
	if !changed {
		return nil
	}
	s.resolveAwaited()
	return []Action{{Kind: Changed}}
}

// takeOff is the fetch whose lease has just been written.
func (s *Source) startFetch() Action {
	r := s.record
	s.fetch.ticket = r.lease.ticket
	var headers [][2]string
	url := s.policy.firstURL()
	if !s.fetch.discovery {
		url = s.keysURL()
		if len(r.set) > 0 && r.etag != "" {
			headers = append(headers, [2]string{"if-none-match", r.etag})
		}
		if len(r.set) > 0 && r.lastModified != "" {
			headers = append(headers, [2]string{"if-modified-since", r.lastModified})
		}
		s.fetch.conditional = len(headers) > 0
	}
	return Action{Kind: Fetch, Ticket: r.lease.ticket, URL: url, Headers: headers, Timeout: s.policy.Timeout}
}

// verdict is what an answer means, whatever the record says by now.
type response struct {
	err          Error // 0: the answer is good
	status       int   // HTTP status, for the log
	discovery    bool
	uri          string // discovered jwks_uri
	notModified  bool
	set          *Set
	skipped      []Skipped
	lifetime     int64
	retryAfter   time.Duration
	etag         string
	lastModified string
}

// Answered says what came of the Fetch with this ticket. An answer to a fetch
// that this worker no longer has the lease for is dropped, now or when the
// record shows it.
func (s *Source) Answered(now time.Time, ticket uint64, a Answer) []Action {
	s.advance(now)
	if s.fixed {
		return nil
	}
	if ticket == 0 || ticket != s.fetch.ticket || s.response != nil {
		s.fetchResults[ResultDiscarded]++
		return nil
	}
	s.response = s.readResponse(now, a)
	s.casRetries = 0
	return []Action{{Kind: Load}}
}

// judge reads an answer.
func (s *Source) readResponse(now time.Time, a Answer) *response {
	r := &response{status: a.Status, discovery: s.fetch.discovery, lifetime: noLifetime}
	if a.Err {
		r.err, r.status = ErrNoAnswer, 0
		return r
	}
	switch {
	case a.Status == 200:
	case a.Status == 304:
		if r.notModified = s.fetch.conditional; !r.notModified {
			r.err = ErrUnexpectedNotModified
			return r
		}
	case a.Status >= 300 && a.Status < 400:
		r.err = ErrRedirected
		return r
	case a.Status == 429 || a.Status >= 500:
		r.err = ErrProviderFailed
		if a.Status == 429 || a.Status == 503 {
			r.retryAfter = parseRetryAfter(a.Headers, now)
		}
		if a.Status == 429 || r.retryAfter > 0 {
			r.err = ErrProviderBusy
		}
		return r
	default:
		r.err = ErrProviderRefused
		return r
	}
	switch {
	case r.discovery:
		r.uri, r.err = s.policy.readDiscovery(a.Body)
		return r
	case !r.notModified:
		set, skipped, err := Parse(a.Body, s.policy.Algorithms...)
		if err != nil {
			r.err, _ = err.(Error)
			return r
		}
		r.set, r.skipped = set, skipped
	}
	r.lifetime = freshnessLifetime(a.Headers, now)
	r.etag, r.lastModified = validator(a.Headers, "etag"), validator(a.Headers, "last-modified")
	return r
}

// publish writes the verdict into the record, if the record still says that
// this worker is the one to do so.
func (s *Source) publishResponse(now time.Time) []Action {
	response := s.response
	if response.notModified && len(s.record.set) == 0 {
		response.err = ErrUnexpectedNotModified
	}
	if s.record.lease.owner != s.owner || s.record.lease.ticket != s.fetch.ticket {
		s.response, s.fetch = nil, fetchInFlight{}
		s.fetchResults[ResultDiscarded]++
		return nil
	}
	r := *s.record
	d := pendingSave{purpose: saveResponse, rec: &r, result: ResultFailed}
	if response.err != 0 && r.warned&warnedBit(response.err) == 0 {
		d.logLines = appendAction(d.logLines, Warn, s.logLine(response.describe()))
	}
	if response.discovery {
		r.discovered, r.discoveryFailed = millis(now), response.err != 0
		if response.err == 0 && response.uri != r.uri {
			r.uri, r.etag, r.lastModified = response.uri, "", "" // validators belong to a URL
		}
		if s.policy.mayServe(r.uri) {
			// On to the keys, under the same lease but with a time of its own.
			if response.err == 0 {
				d.result = ResultDiscovered
			}
			r.warned |= warnedBit(response.err)
			r.lease.ticket, r.lease.from = r.sequence+1, millis(now)
			d.fetchKeysNext = true
			return s.save(now, d, s.version)
		}
	}
	r.attempts++
	r.attempted = millis(now)
	r.early = r.lease.early
	r.lease = lease{from: r.lease.from}
	r.jitter = uint32(s.random() * (1 << 32))
	if response.err == 0 {
		s.applySuccess(now, &d, response)
	} else {
		r.failures = min(r.failures, 1<<31) + 1
		r.lastError, r.retryAfter = response.err, response.retryAfter.Milliseconds()
		r.warned |= warnedBit(response.err)
	}
	return s.save(now, d, s.version)
}

// renew writes a good answer into the draft.
func (s *Source) applySuccess(now time.Time, d *pendingSave, response *response) {
	r := d.rec
	r.failures, r.lastError, r.warned, r.retryAfter = 0, 0, 0, 0
	r.good, r.lifetime = millis(now), response.lifetime
	if response.notModified {
		d.result = ResultNotModified
		// What a 304 does not repeat stays as it was (RFC 9110 §15.4.5).
		if response.etag != "" {
			r.etag = response.etag
		}
		if response.lastModified != "" {
			r.lastModified = response.lastModified
		}
		return
	}
	d.result = ResultSame
	r.etag, r.lastModified = response.etag, response.lastModified
	if len(r.set) == 0 || !response.set.Equal(s.published) {
		d.result, d.set = ResultChanged, response.set
		r.generation++
		r.set = response.set.AppendJSON(nil)
		d.logLines = appendAction(d.logLines, Info, s.logLine(response.set.describe(r.generation)))
	}
	if skipped := hashSkipped(response.skipped); skipped != r.skipped {
		r.skipped = skipped
		if len(response.skipped) > 0 {
			d.logLines = appendAction(d.logLines, Warn, s.logLine("unusable keys skipped: "+listSkipped(response.skipped)))
		}
	}
}

// warning is the bit of a trouble in record.warned; none for no trouble.
func warnedBit(t Error) uint64 {
	if t == 0 {
		return 0
	}
	return 1 << t
}
