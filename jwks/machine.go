package jwks

import (
	"bytes"
	"time"
)

// Machine is what one worker knows of one key source. Events (Tick, Loaded,
// Saved, Answered) return the actions to carry out; Find, Suspect, Current,
// NextTick, RetryAfter and Status serve requests and cause none. It is not safe
// for concurrent use and never reads a clock: each call says what time it is.
type Machine struct {
	p      Policy
	owner  uint64
	key    []byte // authenticates records
	random func() float64
	fixed  bool // made by Fixed: never acts

	clock time.Duration // own clock, see timing.go
	last  time.Time     // of the last event

	rec     *record // as last read or written; nil before the first
	mac     mac     // of rec
	version uint32  // of rec in shared data; 0 when not known
	hint    uint64  // as read before rec
	all     *Set    // rec's set
	set     *Set    // all without denied keys; nil when rec has none
	epoch   uint64  // of set: starts at a random number, grows with each change
	wasOK   bool    // usable at the last event

	// When things in rec happened, on the own clock.
	loadedAt, goodAt, begunAt, attemptedAt, earlyAt, leaseAt time.Duration

	draft   draft    // the Save under way
	tries   int      // of compare-and-swap since the last tick or answer
	flight  flight   // the fetch that this worker has the lease for
	verdict *verdict // its answer, while it waits to be published

	wanted  []wish // what parked requests wait for
	lacking []wish // what a fresh set did not bring; at is when to forget
	next    int    // place in lacking that is overwritten next

	results [ResultEnd]uint64

	legacy legacy // until the first record is read or written

	blind      bool // the last record that was read was dropped
	rejected   uint64
	complained time.Duration // own clock: when that was last warned of
}

// intent says what a Save under way is for.
type intent uint8

const (
	nothing    intent = iota
	seeding           // to make or mend the record
	leasing           // to take the lease
	publishing        // to write down what an answer brought
)

// draft is a record that is being written.
type draft struct {
	why    intent
	rec    *record
	mac    mac
	set    *Set     // rec's set, if it is a new one
	news   []Action // what there is to log once it is written
	result Result   // of publishing
	onward bool     // publishing a discovered jwks_uri: the keys come next
}

// legacy is what another machine knew: see Inherit.
type legacy struct {
	rec *record
	set *Set
	// sequence is the one of a record that this machine would share with it; 0: none.
	sequence uint64
}

// flight is a fetch that is on its way.
type flight struct {
	ticket      uint64 // 0: none
	discovery   bool   // it asks for the discovery document
	conditional bool   // it names validators, so 304 has a meaning
}

// mostTries bounds how often one event repeats a lost compare-and-swap; the next
// tick goes on.
const mostTries = 8

// New makes a machine. owner tells this machine from all others of the process:
// random, of 64 bits, and not 0. random gives numbers from [0,1) and may be shared.
func New(p Policy, owner uint64, random func() float64) *Machine {
	p = p.withDefaults()
	return &Machine{p: p, owner: owner, epoch: owner, key: recordKey(p.RecordKey, p.Source()), random: random}
}

// Inherit gives a machine that is new what another one of the same source knows,
// which is not to be in use at the same time by another thread. The new one uses
// it where shared data has nothing, or something older: so a plugin that starts
// with a changed RecordKey in a VM where the one before it still runs has its keys
// at once, and the provider is not asked. Of several to inherit from, the one with
// the freshest keys counts.
func (m *Machine) Inherit(now time.Time, from *Machine) {
	if m.fixed || from.fixed || m.rec != nil || from.rec == nil {
		return
	}
	from.advance(now)
	r := *from.rec
	r.lease = lease{from: r.lease.from} // its owner would not know this machine's
	if from.set != nil {
		r.good = max(millis(now)-from.age(now).Milliseconds(), 1)
	}
	l := legacy{rec: &r, set: from.all}
	if bytes.Equal(m.key, from.key) {
		l.sequence = r.sequence
	} else {
		r.sequence = firstSequence(now)
	}
	l.sequence = max(l.sequence, m.legacy.sequence)
	if old := m.legacy.rec; old != nil && !r.knowsMore(old) {
		l.rec, l.set = old, m.legacy.set
	}
	m.legacy = l
}

// firstSequence is where the numbers of a new record start: above those of every
// record that was made before it, so that a worker which knows an old one that was
// lost takes the new one.
func firstSequence(now time.Time) uint64 { return uint64(millis(now)) << 16 }

// known is what this worker knows: its own record, or what it inherited.
func (m *Machine) known() (*record, *Set) {
	if m.rec != nil {
		return m.rec, nil
	}
	return m.legacy.rec, m.legacy.set
}

// Fixed makes a machine for keys that are written into the configuration: it
// never acts, and what it does not find is absent.
func Fixed(set *Set, deny []string) *Machine {
	left := set.Without(deny)
	return &Machine{p: Policy{Deny: deny}.withDefaults(), epoch: hash(left.AppendJSON(nil)), fixed: true, all: set, set: left}
}

// Tick is the event that drives all others: call it when NextTick says. hint is
// what the hint key holds, read before this call. When nothing is due it returns
// nil and does not allocate.
func (m *Machine) Tick(now time.Time, hint uint64, haveHint bool) []Action {
	m.advance(now)
	if m.fixed {
		return nil
	}
	m.draft, m.tries = draft{}, 0 // an event that the host swallowed is given up
	m.prune()
	var actions []Action
	if ok := m.usable(now); ok != m.wasOK {
		m.wasOK = ok
		actions = act(actions, Changed, "")
	}
	stale := m.rec == nil || !haveHint || hint != m.hint || m.clock-m.loadedAt >= recheck
	fetch, _ := m.due(now)
	if !stale && !fetch && m.verdict == nil {
		return actions
	}
	m.hint = hint
	return act(actions, Load, "")
}

// Loaded answers Load: the record as it is stored, and its version. Version 0
// means that there is none. b is not kept.
func (m *Machine) Loaded(now time.Time, b []byte, version uint32) []Action {
	m.advance(now)
	if m.fixed {
		return nil
	}
	var actions []Action
	if version == 0 {
		return m.seed(now, nil, VersionNone)
	}
	if version != m.version || m.rec == nil {
		r, mac, ok := decodeRecord(b, m.key)
		var set *Set
		if ok && len(r.set) > 0 && (m.rec == nil || !bytes.Equal(r.set, m.rec.set)) {
			var err error
			set, _, err = Parse(r.set, m.p.Algorithms...)
			ok = err == nil
		}
		if !ok {
			return m.reject(now, RecordUnreadable, version)
		}
		if m.outdated(r, mac) {
			return m.reject(now, RecordOutdated, version)
		}
		m.blind = false
		if m.restores(now, r) {
			return m.seed(now, r, version)
		}
		actions = m.adopt(now, r, mac, set)
		m.version = version
	}
	m.loadedAt = m.clock
	if m.verdict != nil {
		return append(actions, m.publish(now)...)
	}
	if fetch, early := m.due(now); fetch {
		actions = append(actions, m.lease(now, m.needsDiscovery(now), early)...)
	}
	return actions
}

// outdated reports whether a record is from before the one that this worker
// knows: every write has a sequence of its own, one higher than what it replaces.
// Whoever can write shared data can put back a record that he has read there, and
// with it a key that was withdrawn since.
func (m *Machine) outdated(r *record, mac mac) bool {
	if m.rec == nil {
		return r.sequence < m.legacy.sequence
	}
	return r.sequence < m.rec.sequence || r.sequence == m.rec.sequence && mac != m.mac
}

// restores reports whether a sound record lacks keys that this worker knows.
func (m *Machine) restores(now time.Time, r *record) bool {
	if m.rec != nil {
		return len(r.set) == 0 && m.set != nil && m.usable(now)
	}
	l := m.legacy.rec
	return l != nil && len(l.set) > 0 && (len(r.set) == 0 || l.knowsMore(r))
}

// reject drops a record, and replaces it by what this worker knows.
func (m *Machine) reject(now time.Time, why Trouble, version uint32) []Action {
	var actions []Action
	if m.rejected == 0 || m.clock-m.complained >= complain {
		m.complained = m.clock
		actions = act(actions, Warn, m.about(why.Error()+"; it is replaced"))
	}
	m.rejected++
	m.blind = true
	return append(actions, m.seed(now, nil, version)...)
}

// seed writes a record where there is none, or none that can be used (version
// names what is replaced). It holds what this worker knows: nothing at a cold
// start, the keys if a record was lost. found is a record that is sound but has
// lost its set to a worker that overwrote it.
func (m *Machine) seed(now time.Time, found *record, version uint32) []Action {
	r := record{lifetime: untold}
	known, set := m.known()
	switch {
	case found != nil:
		r = *found
		r.set, r.generation, r.skipped = known.set, max(r.generation, known.generation), known.skipped
		r.good, r.lifetime, r.etag, r.modified = known.good, known.lifetime, known.etag, known.modified
		r.sequence = max(r.sequence, known.sequence)
	case known != nil:
		r = *known
	default:
		r.sequence = firstSequence(now)
	}
	r.sequence = max(r.sequence, m.legacy.sequence)
	return m.save(now, draft{why: seeding, rec: &r, set: set}, version)
}

// lease starts a fetch by writing down who does it.
func (m *Machine) lease(now time.Time, discovery, early bool) []Action {
	r := *m.rec
	r.lease = lease{owner: m.owner, ticket: r.sequence + 1, from: millis(now), lasts: (m.p.Timeout + leaseMargin).Milliseconds(), early: early}
	if early {
		r.earlies++
		r.earlyAt = millis(now)
	}
	m.flight = flight{discovery: discovery}
	d := draft{why: leasing, rec: &r}
	if m.rec.lease.ticket != 0 && r.warned&warning(FetchLost) == 0 {
		r.warned |= warning(FetchLost)
		d.news = []Action{{Kind: Warn, Message: m.about(FetchLost.Error())}}
	}
	return m.save(now, d, m.version)
}

// save writes the record. The set's age goes along as this worker knows it: when
// the wall clock was put back, the record learns the true age that way.
func (m *Machine) save(now time.Time, d draft, version uint32) []Action {
	r := d.rec
	r.sequence++
	r.written = millis(now)
	if m.rec != nil && r.good == m.rec.good && r.good != 0 {
		if known := r.written - m.age(now).Milliseconds(); known < r.good-1000 {
			r.good = max(known, 1)
		}
	}
	var b []byte
	b, d.mac = r.encode(m.key)
	m.draft = d
	return []Action{{Kind: Save, Record: b, Version: version, Hint: r.sequence}}
}

// Saved answers Save.
func (m *Machine) Saved(now time.Time, ok bool) []Action {
	m.advance(now)
	d := m.draft
	m.draft = draft{}
	if d.why == nothing || m.fixed {
		return nil
	}
	m.version = 0 // known again after the next Load
	if !ok {
		if m.tries++; m.tries > mostTries {
			return nil
		}
		return []Action{{Kind: Load}}
	}
	// First the record, then the news: whoever is woken finds the new keys.
	actions := append(m.adopt(now, d.rec, d.mac, d.set), d.news...)
	switch d.why {
	case seeding:
		// At once, before somebody can spoil the record again.
		if m.tries++; m.tries <= mostTries {
			actions = act(actions, Load, "")
		}
	case leasing:
		actions = append(actions, m.takeOff())
	case publishing:
		m.results[d.result]++
		m.verdict, m.flight = nil, flight{}
		if d.onward {
			actions = append(actions, m.takeOff())
		}
	}
	return actions
}

// adopt takes over a record that was read or written. set is its set, or nil
// when that is the one already known.
func (m *Machine) adopt(now time.Time, r *record, mac mac, set *Set) []Action {
	old, first := m.rec, m.rec == nil
	if first {
		old = &record{}
	}
	// How long ago things happened. What is new in this record cannot be older
	// than the last look at it, whatever the wall clock did since.
	since := func(ms int64) time.Duration {
		ago := max(fromMillis(millis(now)-ms), 0)
		if !first {
			ago = min(ago, m.clock-m.loadedAt)
		}
		return m.clock - ago
	}
	finished := first || r.attempts != old.attempts
	if finished {
		m.attemptedAt = since(r.attempted)
		// It may well have begun before the last look.
		m.begunAt = m.clock - max(fromMillis(millis(now)-r.lease.from), 0)
	}
	if r.earlies != old.earlies { // not by its time: a clock that was put back can show one time twice
		m.earlyAt = since(r.earlyAt)
	}
	if r.lease.ticket != old.lease.ticket || r.lease.owner != old.lease.owner {
		m.leaseAt = m.clock // never earlier: its owner began to count before us
	}
	if r.good != old.good || finished && r.failures == 0 { // the same
		m.goodAt = m.clock - max(fromMillis(max(millis(now), r.written)-r.good), 0)
	}
	m.rec, m.mac, m.loadedAt, m.legacy = r, mac, m.clock, legacy{}
	switch {
	case len(r.set) == 0:
		m.all, m.set = nil, nil
		m.epoch++
	case set != nil && !set.Equal(m.all):
		m.all = set.keep(m.all)
		m.set = m.all.Without(m.p.Deny)
		m.epoch++
	}
	ok := m.usable(now)
	changed := finished && !first || set != nil || ok != m.wasOK
	m.wasOK = ok
	if !changed {
		return nil
	}
	m.settle()
	return []Action{{Kind: Changed}}
}

// takeOff is the fetch whose lease has just been written.
func (m *Machine) takeOff() Action {
	r := m.rec
	m.flight.ticket = r.lease.ticket
	var headers [][2]string
	url := m.p.firstURL()
	if !m.flight.discovery {
		url = m.keysURL()
		if len(r.set) > 0 && r.etag != "" {
			headers = append(headers, [2]string{"if-none-match", r.etag})
		}
		if len(r.set) > 0 && r.modified != "" {
			headers = append(headers, [2]string{"if-modified-since", r.modified})
		}
		m.flight.conditional = len(headers) > 0
	}
	return Action{Kind: Fetch, Ticket: r.lease.ticket, URL: url, Headers: headers, Timeout: m.p.Timeout}
}
