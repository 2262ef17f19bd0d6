package jwks

import "time"

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
