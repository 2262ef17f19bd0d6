package jwks

import (
	"bytes"
	"time"
)

// Source is what one worker (one VM of the plugin) knows about the keys of one
// issuer. The events Tick, Loaded, Saved and Answered return the actions to carry
// out. Find, Recheck, Current, NextTick, RetryAfter and Status answer requests
// and return no actions.
//
// A Source is not safe for concurrent use. It never reads a clock: each call gets
// the time, as the wall clock shows it.
type Source struct {
	policy Policy
	owner  uint64         // identifies this Source in leases
	key    []byte         // of the records' MACs
	random func() float64 // from [0,1)
	fixed  bool           // made by Fixed: returns no actions

	clock     time.Duration // monotonic, see freshness.go
	lastEvent time.Time     // wall time of the last call

	record     *record // as last read or written; nil before the first
	mac        mac     // of record
	version    uint32  // of record in shared data; 0: unknown
	hint       uint64  // as read before record
	published  *Set    // the record's set
	usableKeys *Set    // published without denied keys; nil when the record has no set
	epoch      uint64  // of usableKeys: starts at a random number, grows with each change
	wasUsable  bool    // usable() at the last event

	// The times of the events in record, by clock.
	loadedAt, confirmedAt, fetchBegunAt, attemptedAt, earlyFetchAt, leaseAt time.Duration

	saving     pendingSave  // the Save under way
	casRetries int          // lost compare-and-swaps since the last tick or answer
	fetch      pendingFetch // the fetch that this worker has the lease for
	response   *response    // its response, until it is written to the record

	awaited      []awaitedKey // what pending requests wait for
	negative     []awaitedKey // negative cache: what a fresh set did not have; at is the expiry
	negativeNext int          // index in negative that is overwritten next

	fetchResults [ResultEnd]uint64
	fetchErrors  [KindEnd]uint64

	inherited inherited // until the first record is read or written

	droppedRecord  bool // the record read last was rejected
	rejected       uint64
	rejectWarned   bool          // a worker has warned of it, as far as this one knows
	rejectWarnedAt time.Duration // by clock
}

// savePurpose says what a Save is for.
type savePurpose uint8

const (
	saveNothing  savePurpose = iota
	saveInitial              // creates or replaces the record
	saveLease                // takes the lease
	saveResponse             // writes the result of a fetch
)

// pendingSave is a record that is being written.
type pendingSave struct {
	purpose       savePurpose
	record        *record
	mac           mac
	set           *Set     // the record's set, if it is a new one
	logLines      []Action // to log when the record is written
	result        Result   // of saveResponse
	err           Error    // of saveResponse; 0: the answer is good
	fetchKeysNext bool     // saveResponse of a discovery document: the keys are fetched next
}

// inherited is what another Source knew: see Inherit.
type inherited struct {
	record *record
	set    *Set
	// sequence is the other Source's, if both use one record; otherwise 0.
	sequence uint64
}

// pendingFetch is a fetch without an answer so far.
type pendingFetch struct {
	ticket      uint64 // 0: no fetch
	discovery   bool   // of the discovery document
	conditional bool   // sent with validators, so 304 is a valid answer
	url         string // what is fetched
}

// maxCASRetries is how often one event repeats a compare-and-swap that another
// worker won. The next tick tries again.
const maxCASRetries = 8

// New makes a Source. owner identifies it among all Sources of the process: a
// random number of 64 bits, not 0. random returns numbers from [0,1); several
// Sources may share it. Zero durations of the policy mean the defaults.
func New(p Policy, owner uint64, random func() float64) *Source {
	p = p.withDefaults()
	return &Source{policy: p, owner: owner, epoch: owner, key: recordKey(p.RecordKey, p.SourceID()), random: random}
}

// Fixed makes a Source for keys that are part of the configuration. It returns no
// actions, and its keys have no maximum age. Keys in deny are never found.
func Fixed(set *Set, deny []string) *Source {
	left := set.Without(deny)
	return &Source{policy: Policy{Deny: deny}.withDefaults(), epoch: hash(left.AppendJSON(nil)), fixed: true, published: set, usableKeys: left}
}

// Inherit gives a new Source what another Source of the same keys knows. Call it
// before the first event, and while no other thread uses from. The new Source uses
// this where shared data has no record or an older one. So a plugin that gets a new
// configuration in a running VM has its keys at once, without a fetch. After several
// calls, the set that was confirmed last counts.
func (s *Source) Inherit(now time.Time, from *Source) {
	if s.fixed || from.fixed || s.record != nil || from.record == nil {
		return
	}
	from.advance(now)
	r := *from.record
	r.lease = lease{from: r.lease.from} // held by the other Source's owner
	if from.usableKeys != nil {
		r.confirmed = max(millis(now)-from.age(now).Milliseconds(), 1)
	}
	l := inherited{record: &r, set: from.published}
	if bytes.Equal(s.key, from.key) {
		l.sequence = r.sequence
	} else {
		r.sequence = firstSequence(now)
	}
	l.sequence = max(l.sequence, s.inherited.sequence)
	if old := s.inherited.record; old != nil && !r.confirmedAfter(old) {
		l.record, l.set = old, s.inherited.set
	}
	s.inherited = l
}

// firstSequence is the first sequence number of a new record. It is above those of
// all earlier records, so a worker that knows a lost record accepts the new one.
func firstSequence(now time.Time) uint64 { return uint64(millis(now)) << 16 }

// knownRecord is this worker's own record, or the one that it inherited.
func (s *Source) knownRecord() (*record, *Set) {
	if s.record != nil {
		return s.record, nil
	}
	return s.inherited.record, s.inherited.set
}

// Tick is the event that starts all others. Call it when NextTick says. hint is the
// value of the hint's key, read before this call; haveHint is false if there is
// none. When nothing is due, Tick returns nil and does not allocate.
func (s *Source) Tick(now time.Time, hint uint64, haveHint bool) []Action {
	s.advance(now)
	if s.fixed {
		return nil
	}
	s.saving, s.casRetries = pendingSave{}, 0 // drops a Save that the host never answered
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

// Loaded follows Load. b is the stored record and version its version; version 0
// means that there is no record. b is not kept.
func (s *Source) Loaded(now time.Time, b []byte, version uint32) []Action {
	s.advance(now)
	if s.fixed {
		return nil
	}
	var actions []Action
	if version == 0 {
		return s.writeRecord(now, nil, VersionNone, nil)
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
			return s.writeRecord(now, r, version, nil)
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

// isOutdated reports whether a record is older than the one that this worker knows.
// Each write has a sequence number one higher than the record it replaces. Another
// plugin can store a record again that it read earlier, and with it a key that was
// withdrawn since.
func (s *Source) isOutdated(r *record, mac mac) bool {
	if s.record == nil {
		return r.sequence < s.inherited.sequence
	}
	return r.sequence < s.record.sequence || r.sequence == s.record.sequence && mac != s.mac
}

// lacksKnownKeys reports whether a valid record lacks keys that this worker knows.
func (s *Source) lacksKnownKeys(now time.Time, r *record) bool {
	if s.record != nil {
		return len(r.set) == 0 && s.usableKeys != nil && s.usable(now)
	}
	l := s.inherited.record
	return l != nil && len(l.set) > 0 && (len(r.set) == 0 || l.confirmedAfter(r))
}

// rejectRecord drops a record and replaces it with what this worker knows. Whoever
// replaces it warns: that is one worker of all that read it.
func (s *Source) rejectRecord(now time.Time, why Error, version uint32) []Action {
	s.rejected++
	s.droppedRecord = true
	var warning []Action
	if !s.rejectWarned || s.clock-s.rejectWarnedAt >= rejectWarningInterval {
		warning = appendAction(nil, Warn, s.logLine(why.Error()+"; it is dropped and replaced; next: look for another plugin that writes to shared data"))
	}
	return s.writeRecord(now, nil, version, warning)
}

// writeRecord creates the record, or replaces the one with this version. It holds
// what this worker knows: nothing at a cold start, the keys if a record was lost.
// found is a valid record without the keys that this worker knows; its other fields
// are kept. warning is logged with it, if there is one.
func (s *Source) writeRecord(now time.Time, found *record, version uint32, warning []Action) []Action {
	r := record{lifetime: noLifetime}
	known, set := s.knownRecord()
	switch {
	case found != nil:
		r = *found
		r.set, r.generation, r.skipped = known.set, max(r.generation, known.generation), known.skipped
		r.confirmed, r.lifetime, r.etag, r.lastModified = known.confirmed, known.lifetime, known.etag, known.lastModified
		r.sequence = max(r.sequence, known.sequence)
	case known != nil:
		r = *known
	default:
		r.sequence = firstSequence(now)
	}
	r.sequence = max(r.sequence, s.inherited.sequence)
	if len(warning) > 0 {
		r.rejectWarned = millis(now)
	}
	return s.save(now, pendingSave{purpose: saveInitial, record: &r, set: set, logLines: warning}, version)
}

// acquireLease starts a fetch: it writes to the record who fetches.
func (s *Source) acquireLease(now time.Time, discovery, early bool) []Action {
	r := *s.record
	r.lease = lease{owner: s.owner, ticket: r.sequence + 1, from: millis(now), lasts: (s.policy.Timeout + leaseMargin).Milliseconds(), early: early}
	if early {
		r.earlyFetches++
		r.lastEarlyFetch = millis(now)
	}
	s.fetch = pendingFetch{discovery: discovery}
	d := pendingSave{purpose: saveLease, record: &r}
	if s.record.lease.ticket != 0 && r.warned&warnedBit(ErrFetchLost) == 0 {
		r.warned |= warnedBit(ErrFetchLost)
		d.logLines = []Action{{Kind: Warn, Message: s.logLine(ErrFetchLost.Error())}}
	}
	return s.save(now, d, s.version)
}

// save writes the record. If the wall clock was set back, the record gets the time
// of confirmation that gives the set's true age.
func (s *Source) save(now time.Time, d pendingSave, version uint32) []Action {
	r := d.record
	r.sequence++
	r.written = millis(now)
	if s.record != nil && r.confirmed == s.record.confirmed && r.confirmed != 0 {
		if known := r.written - s.age(now).Milliseconds(); known < r.confirmed-1000 {
			r.confirmed = max(known, 1)
		}
	}
	var b []byte
	b, d.mac = r.encode(s.key)
	s.saving = d
	return []Action{{Kind: Save, Record: b, Version: version, Hint: r.sequence}}
}

// Saved follows Save. ok reports whether the compare-and-swap succeeded.
func (s *Source) Saved(now time.Time, ok bool) []Action {
	s.advance(now)
	d := s.saving
	s.saving = pendingSave{}
	if d.purpose == saveNothing || s.fixed {
		return nil
	}
	s.version = 0 // known again after the next Load
	if !ok {
		if s.casRetries++; s.casRetries <= maxCASRetries {
			return []Action{{Kind: Load}}
		}
		if d.purpose != saveInitial || len(d.logLines) == 0 {
			return nil
		}
		// Whoever damages the record is always faster. That is still to be said.
		s.rejectWarned, s.rejectWarnedAt = true, s.clock
		return d.logLines
	}
	// The record is applied before Changed, so requests find the new keys.
	actions := append(s.applyRecord(now, d.record, d.mac, d.set), d.logLines...)
	switch d.purpose {
	case saveInitial:
		// Read it at once: if a fetch is due, the lease must be written before another
		// plugin replaces the record again.
		if s.casRetries++; s.casRetries <= maxCASRetries {
			actions = appendAction(actions, Load, "")
		}
	case saveLease:
		actions = append(actions, s.startFetch())
	case saveResponse:
		s.fetchResults[d.result]++
		if d.err != 0 {
			s.fetchErrors[errorRows[d.err].kind]++
		}
		s.response, s.fetch = nil, pendingFetch{}
		if d.fetchKeysNext {
			actions = append(actions, s.startFetch())
		}
	}
	return actions
}

// applyRecord takes over a record that was read or written. set is its set, or nil
// if that is the set already known.
func (s *Source) applyRecord(now time.Time, r *record, mac mac, set *Set) []Action {
	old, first := s.record, s.record == nil
	if first {
		old = &record{}
	}
	// since converts a wall time of the record to this worker's clock. What is new
	// in the record happened after it was last read, even if the wall clock jumped.
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
		// The fetch may have begun before the record was last read.
		s.fetchBegunAt = s.clock - max(fromMillis(millis(now)-r.lease.from), 0)
	}
	if r.earlyFetches != old.earlyFetches { // compares the count: after the wall clock is set back, two times can be equal
		s.earlyFetchAt = since(r.lastEarlyFetch)
	}
	if r.rejectWarned != old.rejectWarned {
		s.rejectWarned, s.rejectWarnedAt = true, since(r.rejectWarned)
	}
	if r.lease.ticket != old.lease.ticket || r.lease.owner != old.lease.owner {
		s.leaseAt = s.clock // never earlier: the owner began to count before
	}
	if r.confirmed != old.confirmed || finished && r.failures == 0 { // confirmed again
		s.confirmedAt = s.clock - max(fromMillis(max(millis(now), r.written)-r.confirmed), 0)
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

// startFetch returns the fetch whose lease has just been written.
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
	s.fetch.url = url
	return Action{Kind: Fetch, Ticket: r.lease.ticket, URL: url, Cluster: s.policy.clusterOf(url), Headers: headers, Timeout: s.policy.Timeout}
}

// response is an answer of the provider that was read.
type response struct {
	err          Error  // 0: the answer is good
	detail       string // what is known besides err, for the log
	url          string // what was fetched
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

// Answered reports the answer to the Fetch with this ticket. It is discarded if this
// worker no longer has the lease, as far as it knows now or when it reads the record.
// a is not kept.
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

// readResponse reads an answer (RFC 9110 §15).
func (s *Source) readResponse(now time.Time, a Answer) *response {
	r := &response{url: s.fetch.url, discovery: s.fetch.discovery, lifetime: noLifetime}
	if a.Err != 0 {
		r.err, r.detail = a.Err, quoteText(a.Detail)
		return r
	}
	switch {
	case a.Status == 200:
	case a.Status == 304:
		r.notModified = s.fetch.conditional
		if !r.notModified {
			r.err = ErrUnexpectedNotModified
		}
	case a.Status >= 300 && a.Status < 400:
		r.err = ErrRedirected
	case a.Status == 429 || a.Status >= 500:
		r.err = ErrProviderFailed
		if a.Status == 429 || a.Status == 503 {
			r.retryAfter = parseRetryAfter(a.Headers, now)
		}
		if a.Status == 429 || r.retryAfter > 0 {
			r.err = ErrProviderBusy
		}
	default:
		r.err = ErrProviderRefused
	}
	if r.err != 0 {
		r.detail = describeStatus(a)
		return r
	}
	switch {
	case r.discovery:
		r.uri, r.err, r.detail = s.policy.readDiscovery(a.Headers, a.Body)
		return r
	case !r.notModified:
		set, skipped, err := Parse(a.Body, s.policy.Algorithms...)
		if err != nil {
			r.err, _ = err.(Error)
			r.detail = describeDocument(r.err, a, skipped)
			return r
		}
		r.set, r.skipped = set, skipped
	}
	r.lifetime = freshnessLifetime(a.Headers, now)
	r.etag, r.lastModified = validator(a.Headers, "etag"), validator(a.Headers, "last-modified")
	return r
}

// publishResponse writes the response to the record, if this worker still has the
// lease.
func (s *Source) publishResponse(now time.Time) []Action {
	response := s.response
	if response.notModified && len(s.record.set) == 0 {
		response.err = ErrUnexpectedNotModified
	}
	if s.record.lease.owner != s.owner || s.record.lease.ticket != s.fetch.ticket {
		s.response, s.fetch = nil, pendingFetch{}
		s.fetchResults[ResultDiscarded]++
		return nil
	}
	r := *s.record
	d := pendingSave{purpose: saveResponse, record: &r, result: ResultFailed, err: response.err}
	isWarned := response.err != 0 && !s.isStarting(response.err)
	if isWarned && r.warned&warnedBit(response.err) == 0 {
		d.logLines = appendAction(d.logLines, Warn, s.failureLine(response))
	}
	if response.discovery {
		r.discovered, r.discoveryFailed = millis(now), response.err != 0
		if response.err == 0 && response.uri != r.uri {
			r.uri, r.etag, r.lastModified = response.uri, "", "" // validators belong to a URL
		}
		if s.policy.mayServe(r.uri) {
			// The keys are fetched next, under the same lease, which starts anew.
			if response.err == 0 {
				d.result = ResultDiscovered
			}
			if isWarned {
				if isWarned {
					r.warned |= warnedBit(response.err)
				}
			}
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
		if isWarned {
			r.warned |= warnedBit(response.err)
		}
	}
	return s.save(now, d, s.version)
}

// isStarting reports whether the proxy may not have finished to start the cluster: a
// name that is being resolved looks like an unknown cluster, or like one without
// endpoints. That is no reason to warn yet.
func (s *Source) isStarting(err Error) bool {
	const startFailures = 4 // which take less than four seconds
	return (err == ErrUnknownCluster || err == ErrNoEndpoint) && len(s.record.set) == 0 && s.record.failures < startFailures
}

// applySuccess writes a successful response to the record that is being saved.
func (s *Source) applySuccess(now time.Time, d *pendingSave, response *response) {
	r := d.record
	r.failures, r.lastError, r.warned, r.retryAfter = 0, 0, 0, 0
	r.confirmed, r.lifetime = millis(now), response.lifetime
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
	unexpected := Unexpected(response.skipped)
	if skipped := hashSkipped(unexpected); skipped != r.skipped {
		r.skipped = skipped
		if len(unexpected) > 0 {
			d.logLines = appendAction(d.logLines, Warn, s.logLine("unusable keys skipped: "+listSkipped(unexpected, maxKIDsInLog)))
		}
	}
}

// warnedBit is an error's bit in record.warned; 0 for no error.
func warnedBit(e Error) uint64 {
	if e == 0 {
		return 0
	}
	return 1 << e
}
