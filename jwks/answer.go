package jwks

import "time"

// verdict is what an answer means, whatever the record says by now.
type verdict struct {
	trouble     Trouble // 0: the answer is good
	status      int     // HTTP status, for the log
	discovery   bool
	uri         string // discovered jwks_uri
	notModified bool
	set         *Set
	skipped     []Skipped
	lifetime    int64
	hold        time.Duration
	etag        string
	modified    string
}

// Answered says what came of the Fetch with this ticket. An answer to a fetch
// that this worker no longer has the lease for is dropped, now or when the
// record shows it.
func (m *Machine) Answered(now time.Time, ticket uint64, a Answer) []Action {
	m.advance(now)
	if m.fixed {
		return nil
	}
	if ticket == 0 || ticket != m.flight.ticket || m.verdict != nil {
		m.results[ResultDiscarded]++
		return nil
	}
	m.verdict = m.judge(now, a)
	m.tries = 0
	return []Action{{Kind: Load}}
}

// judge reads an answer.
func (m *Machine) judge(now time.Time, a Answer) *verdict {
	v := &verdict{status: a.Status, discovery: m.flight.discovery, lifetime: untold}
	if a.Err {
		v.trouble, v.status = NoAnswer, 0
		return v
	}
	switch {
	case a.Status == 200:
	case a.Status == 304:
		if v.notModified = m.flight.conditional; !v.notModified {
			v.trouble = NothingToRenew
			return v
		}
	case a.Status >= 300 && a.Status < 400:
		v.trouble = Redirected
		return v
	case a.Status == 429 || a.Status >= 500:
		v.trouble = ProviderFailed
		if a.Status == 429 || a.Status == 503 {
			v.hold = retryAfter(a.Headers, now)
		}
		if a.Status == 429 || v.hold > 0 {
			v.trouble = ProviderBusy
		}
		return v
	default:
		v.trouble = RefusedByProvider
		return v
	}
	switch {
	case v.discovery:
		v.uri, v.trouble = m.p.readDiscovery(a.Body)
		return v
	case !v.notModified:
		set, skipped, err := Parse(a.Body, m.p.Algorithms...)
		if err != nil {
			v.trouble, _ = err.(Trouble)
			return v
		}
		v.set, v.skipped = set, skipped
	}
	v.lifetime = lifetime(a.Headers, now)
	v.etag, v.modified = validator(a.Headers, "etag"), validator(a.Headers, "last-modified")
	return v
}

// publish writes the verdict into the record, if the record still says that
// this worker is the one to do so.
func (m *Machine) publish(now time.Time) []Action {
	v := m.verdict
	if v.notModified && len(m.rec.set) == 0 {
		v.trouble = NothingToRenew
	}
	if m.rec.lease.owner != m.owner || m.rec.lease.ticket != m.flight.ticket {
		m.verdict, m.flight = nil, flight{}
		m.results[ResultDiscarded]++
		return nil
	}
	r := *m.rec
	d := draft{why: publishing, rec: &r, result: ResultFailed}
	if v.trouble != 0 && r.warned&warning(v.trouble) == 0 {
		d.news = act(d.news, Warn, m.about(v.explain()))
	}
	if v.discovery {
		r.discovered, r.misled = millis(now), v.trouble != 0
		if v.trouble == 0 && v.uri != r.uri {
			r.uri, r.etag, r.modified = v.uri, "", "" // validators belong to a URL
		}
		if m.p.mayServe(r.uri) {
			// On to the keys, under the same lease but with a time of its own.
			if v.trouble == 0 {
				d.result = ResultDiscovered
			}
			r.warned |= warning(v.trouble)
			r.lease.ticket, r.lease.from = r.sequence+1, millis(now)
			d.onward = true
			return m.save(now, d, m.version)
		}
	}
	r.attempts++
	r.attempted = millis(now)
	r.early = r.lease.early
	r.lease = lease{from: r.lease.from}
	r.spread = uint32(m.random() * (1 << 32))
	if v.trouble == 0 {
		m.renew(now, &d, v)
	} else {
		r.failures = min(r.failures, 1<<31) + 1
		r.trouble, r.hold = v.trouble, v.hold.Milliseconds()
		r.warned |= warning(v.trouble)
	}
	return m.save(now, d, m.version)
}

// renew writes a good answer into the draft.
func (m *Machine) renew(now time.Time, d *draft, v *verdict) {
	r := d.rec
	r.failures, r.trouble, r.warned, r.hold = 0, 0, 0, 0
	r.good, r.lifetime = millis(now), v.lifetime
	if v.notModified {
		d.result = ResultNotModified
		// What a 304 does not repeat stays as it was (RFC 9110 §15.4.5).
		if v.etag != "" {
			r.etag = v.etag
		}
		if v.modified != "" {
			r.modified = v.modified
		}
		return
	}
	d.result = ResultSame
	r.etag, r.modified = v.etag, v.modified
	if len(r.set) == 0 || !v.set.Equal(m.all) {
		d.result, d.set = ResultChanged, v.set
		r.generation++
		r.set = v.set.AppendJSON(nil)
		d.news = act(d.news, Info, m.about(v.set.introduce(r.generation)))
	}
	if skipped := hashSkipped(v.skipped); skipped != r.skipped {
		r.skipped = skipped
		if len(v.skipped) > 0 {
			d.news = act(d.news, Warn, m.about("unusable keys skipped: "+list(v.skipped)))
		}
	}
}

// warning is the bit of a trouble in record.warned; none for no trouble.
func warning(t Trouble) uint64 {
	if t == 0 {
		return 0
	}
	return 1 << t
}
