package jwks

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"edgejwt/verify"
)

// slack is what threads and rounding may cost anywhere.
const slack = 100 * time.Millisecond

// checks is what the invariants need to know of the history so far.
type checks struct {
	broken      string
	callouts    []*callout // all that were ever dispatched
	lastEarly   time.Duration
	troubles    []time.Duration // of any kind
	mishaps     []time.Duration // those that are not the provider's
	jumps       []time.Duration // of the wall clock
	forward     []jump          // those that went forward
	backward    bool            // one of them went back
	corrupted   time.Duration   // when the record was damaged or put back last
	damaged     bool            // it was damaged: what it said may be lost
	putBack     time.Duration   // when an older one was put in its place first
	written     [][]byte        // records with the answers of fetches
	hintLost    time.Duration
	good        []publication // successful ones
	last        publication   // of any kind
	released    time.Duration // when the provider first asked for patience no longer
	wrote       time.Duration // last write of the record
	warned      map[string]bool
	accepted    int
	refused     [600]int
	valid       [600]int // of these, tokens under a key that was published then
	fetches     int
	earlies     int
	generations int
}

// publication is what a worker wrote into the record after an answer.
type publication struct {
	at, snapshot time.Duration
	ok           bool
	hold         time.Duration
	keys         map[token]bool
}

type jump struct{ at, by time.Duration }

const never = time.Duration(-1 << 40)

func newChecks() checks {
	return checks{lastEarly: never, corrupted: never, released: never, putBack: never, hintLost: never, wrote: never, warned: map[string]bool{}}
}

func (c *checks) fail(w *world, format string, args ...any) {
	if c.broken == "" {
		c.broken = fmt.Sprintf("at %.4fs: %s", w.t.Seconds(), fmt.Sprintf(format, args...))
		w.note("BROKEN: %s", c.broken)
	}
}

// mishap notes that the process itself was hit.
func (c *checks) mishap(w *world) {
	c.mishaps = append(c.mishaps, w.t)
	c.troubles = append(c.troubles, w.t)
}

// excused reports whether something went wrong within from..now that can make a
// worker do without an answer.
func (w *world) excused(from time.Duration) bool {
	recent := func(t time.Duration) bool { return t >= from }
	return slices.ContainsFunc(w.check.troubles, recent) || slices.ContainsFunc(w.check.jumps, recent) || w.prov.troubled(from, w.t)
}

// lost is how much time a worker's own clock may have missed: each jump costs it
// the step in which it came, at most a tick.
func (w *world) lost(v *worker) time.Duration {
	return slack + time.Duration(len(w.check.jumps))*v.p.Tick
}

// jumped reports whether the wall clock was put forward or back since from.
func (w *world) jumped(from time.Duration) bool {
	return slices.ContainsFunc(w.check.jumps, func(t time.Duration) bool { return t >= from })
}

// checkFetch: never two in flight, early ones a cooldown apart, others on schedule.
func (w *world) checkFetch(v *worker) {
	c := &w.check
	c.fetches++
	for _, o := range c.callouts {
		// Each jump forward adds up to longestStep to the own clock; the margin
		// covers one of them during a request, not two.
		twice := len(c.forward) > 1 && c.forward[len(c.forward)-2].at >= o.began
		if o.end > w.t && w.t-c.corrupted > o.worker.p.Timeout+leaseMargin+slack && !twice {
			c.fail(w, "worker %d fetches while worker %d's fetch of %.4fs is in flight", v.id, o.worker.id, o.began.Seconds())
		}
	}
	damaged := w.t-c.corrupted < time.Minute   // what was in the record is forgotten with it
	strange := w.jumped(v.since) || c.backward // a worker that starts has only the wall clock to go by
	if n := len(c.callouts); v.m.record.lease.early && !(n > 0 && v.arrived == c.callouts[n-1] && v.arrived.discovery) {
		c.earlies++
		w.note("worker %d is about to refetch early", v.id)
		if gap := w.t - c.lastEarly; gap < v.p.Cooldown-slack && !damaged && !(strange && v.since > c.lastEarly) && !w.jumped(c.lastEarly-slack) {
			c.fail(w, "worker %d refetches early, %v after the last time (cooldown %v)", v.id, gap, v.p.Cooldown)
		}
		c.lastEarly = w.t
		return
	}
	if n := len(c.callouts); n > 0 && v.arrived == c.callouts[n-1] && v.arrived.discovery {
		return // the second half of one attempt
	}
	if damaged || c.last.at == 0 {
		return
	}
	gap := w.t - c.last.at
	restarted := v.since > c.last.at && w.jumped(0)
	if !c.last.ok {
		if gap < min(c.last.hold, maxRetryAfterWithoutKeys)+90*time.Millisecond && !restarted && !w.jumped(c.last.at-slack) {
			c.fail(w, "worker %d fetches %v after a failure, Retry-After %v", v.id, gap, c.last.hold)
		}
		return
	}
	floor := min(v.p.Refresh/2, v.p.MaxStale/2) * 3 / 4
	if gap < floor-slack && !restarted && !w.jumped(c.last.at-slack) {
		c.fail(w, "worker %d fetches %v after a good answer (period at least %v)", v.id, gap, floor)
	}
}

// checkSave looks at each record as it is written.
func (w *world) checkSave(v *worker, a Action) {
	c := &w.check
	d := v.m.saving
	c.wrote = w.t
	if d.purpose != saveResponse {
		return
	}
	before := v.m.record
	if d.fetchKeysNext {
		return
	}
	c.written = append(c.written, a.Record)
	newest := c.callouts[len(c.callouts)-1]
	if newest != v.arrived {
		if w.t-c.corrupted > 10*time.Second {
			c.fail(w, "worker %d publishes the answer to a fetch that is not the last one", v.id)
		}
	}
	p := publication{at: w.t, snapshot: v.arrived.snapshot, ok: d.record.failures == 0, hold: fromMillis(d.record.retryAfter), keys: map[token]bool{}}
	if d.record.generation != before.generation {
		c.generations++
	}
	if c.last.hold > 0 && p.hold == 0 {
		c.released = w.t
	}
	c.last = p
	if !p.ok {
		c.troubles = append(c.troubles, w.t)
		if !bytes.Equal(before.set, d.record.set) || d.record.confirmed > before.confirmed {
			c.fail(w, "a failed fetch changed the set or its age")
		}
		return
	}
	if p.snapshot < 0 {
		c.fail(w, "an answer without keys counts as good")
		return
	}
	clear(c.warned)
	for _, k := range w.prov.keys {
		if k.has(p.snapshot) {
			p.keys[token{k.kid, k.n}] = true
		}
	}
	c.good = append(c.good, p)
	c.last = p
}

// checkLog: one warning per distinct trouble until there is a good answer again.
func (w *world) checkLog(a Action) {
	if a.Kind != Warn {
		return
	}
	if w.check.warned[a.Message] && w.check.corrupted < 0 {
		w.check.fail(w, "warned twice: %s", a.Message)
	}
	w.check.warned[a.Message] = true
}

// checkBounds: what is kept is bounded.
func (w *world) checkBounds(v *worker) {
	if len(v.m.awaited) > maxAwaited || len(v.m.negative) > maxNegative {
		w.check.fail(w, "worker %d keeps %d awaited and %d unknown kids", v.id, len(v.m.awaited), len(v.m.negative))
	}
}

// newest gives the last good publication that all workers have had the time to see.
func (w *world) newest(v *worker) (publication, bool) {
	lag := v.p.Tick + slack
	if w.check.putBack >= 0 {
		// One worker has to see it and write again what it knows. If that has the number of
		// the newest record, and so its hint, the others see it when they read the record next.
		lag += max(v.p.Tick, recordPollInterval) + slack
	}
	if w.check.hintLost > 0 {
		lag += recordPollInterval
	}
	if v.since > w.t-lag {
		return publication{}, false
	}
	for i := len(w.check.good) - 1; i >= 0; i-- {
		if w.check.good[i].at < w.t-lag {
			return w.check.good[i], true
		}
	}
	return publication{}, false
}

// accepted: never a denied key, never a withdrawn one past its bounds.
func (w *world) accepted(v *worker, r *request) {
	c := &w.check
	c.accepted++
	if slices.Contains(v.p.Deny, r.kid) {
		c.fail(w, "worker %d accepts denied %s", v.id, r.kid)
	}
	if r.key == nil {
		c.fail(w, "worker %d accepts a forged token", v.id)
		return
	}
	confirmed := never
	for _, p := range c.good {
		if p.keys[r.token] {
			confirmed = p.at
		}
	}
	reborn := c.backward && v.since > c.jumps[0] // it cannot know how long the wall clock was wrong
	if age := w.t - confirmed; age > v.p.MaxStale+w.lost(v) && !reborn {
		c.fail(w, "worker %d accepts %s, confirmed %v ago (maxStale %v)", v.id, r.kid, age, v.p.MaxStale)
	}
	if p, ok := w.newest(v); ok && !p.keys[r.token] && p.at > confirmed && !c.damaged && !w.misled(v) {
		c.fail(w, "worker %d accepts %s, withdrawn in the set published %v ago", v.id, r.kid, w.t-p.at)
	}
}

// misled reports whether an older record was put back, and the worker cannot know
// better: it started since, or another died who did.
func (w *world) misled(v *worker) bool {
	c := &w.check
	from := c.putBack - v.p.Tick - slack
	return c.putBack >= 0 && (v.since > from || slices.ContainsFunc(c.mishaps, func(t time.Duration) bool { return t > from }))
}

// refused: never a valid token without a reason that the promises name.
func (w *world) refused(v *worker, r *request, status int) {
	c := &w.check
	c.refused[status]++
	if r.key == nil || !r.key.has(w.t) || slices.Contains(v.p.Deny, r.kid) {
		if status == 503 && r.key == nil && slices.Contains(v.p.Deny, r.kid) {
			c.fail(w, "denied %s gets Retry-After", r.kid)
		}
		return
	}
	c.valid[status]++
	w.note("worker %d refuses valid %s=%d with %d (asked %.4fs, cooldown left %v, failures %d, leased %t)", v.id, r.kid, r.n, status,
		r.at.Seconds(), v.m.cooldownLeft(), v.m.record.failures, v.m.leased())
	if p, ok := w.newest(v); ok && p.keys[r.token] && c.corrupted < 0 {
		held := v.p.MaxStale - slack
		trueAge := w.t - p.at
		wallAge := trueAge // as old as any clock that workers kept can have made it
		for _, j := range c.forward {
			if j.at > p.at {
				wallAge += j.by
			}
		}
		// The newest of all publications may have dropped a key of this name since.
		if newest := c.good[len(c.good)-1]; newest.keys[r.token] && trueAge < held && wallAge < held && !w.jumped(r.at-slack) {
			c.fail(w, "worker %d refuses %s with %d, published %v ago", v.id, r.kid, status, trueAge)
		}
	}
	// A fresh set that lacks the key, and no early refetch to be had yet.
	asked := w.t
	if status == 503 {
		asked = r.at
	}
	cooling := asked-c.lastEarly < v.p.Cooldown+w.lost(v)
	// Nobody else's cooldown counts, but a worker that started after the wall
	// clock was put back counts from its start.
	if c.backward && v.since > w.t-v.p.Cooldown-slack {
		cooling = true
	}
	if cooling {
		return
	}
	back := v.p.Timeout + leaseMargin + v.p.Cooldown + 2*v.p.Wait + c.last.hold + 4*time.Second
	if c.last.hold > 0 || c.released > w.t-v.p.Tick-slack { // or the worker does not know yet
		back += v.p.Refresh // which bounds the delay after a busy answer
	}
	switch {
	case status == 401 && c.last.hold > 0 && c.last.at > w.t-back:
	case status == 401 && c.released > w.t-v.p.Tick-slack:
	case status == 401 && w.t-c.corrupted < back:
	case status == 401:
		c.fail(w, "worker %d refuses %s with 401, and no early refetch was made for it", v.id, r.kid)
	case w.t < back || v.since > w.t-back || w.excused(w.t-back) || len(v.pending) >= maxPending || w.t-c.corrupted < back:
	default:
		c.fail(w, "worker %d answers 503 for %s without any trouble", v.id, r.kid)
	}
}

// expectRecovery is called when the provider is back. If the process has no keys
// at all and nothing else is wrong, it must have them within two seconds, without
// a request that asks for them.
func (w *world) expectRecovery() {
	c := &w.check
	const most = 2 * time.Second
	begun := w.t
	calm := func(from time.Duration) bool {
		return !w.prov.troubled(begun+1, begun+most) && !w.jumped(from) &&
			!slices.ContainsFunc(c.mishaps, func(t time.Duration) bool { return t >= from })
	}
	if c.last.at == 0 || c.last.ok || c.last.hold > 0 || !calm(w.t-longest) {
		return
	}
	for _, v := range w.workers {
		// From the 25th failure in a row on, the pauses grow: see retryDelay.
		if v.up && (v.since > w.t-time.Second || v.m.usable(w.wall()) || v.m.leased() || v.m.record.failures > 22) {
			return
		}
	}
	w.after(most+slack, func() {
		for _, v := range w.workers {
			if v.up && v.since < begun && !v.m.usable(w.wall()) && calm(begun-longest) {
				c.fail(w, "worker %d has no keys, %v after the provider is back", v.id, most)
			}
		}
	})
}

// longest is how long a mishap may have its effect: a lease and its margin.
const longest = 10 * time.Second

// checkEnd: after a quiet time, every worker has what the provider publishes.
func (w *world) checkEnd() {
	name, _ := w.prov.published(w.t)
	for _, v := range w.workers {
		if !v.up {
			continue
		}
		got := ""
		for _, k := range w.prov.keys {
			is := func(key *verify.Key) bool { return isRSA(key, moduli(k.n)) }
			if k.has(w.t) && slices.ContainsFunc(v.m.published.byID(k.kid), is) {
				got += fmt.Sprintf("%s=%d ", k.kid, k.n)
			}
		}
		if got != name || !v.m.usable(w.wall()) {
			w.check.fail(w, "worker %d has %q in the end, the provider %q (usable %t, failures %d)", v.id, got, name, v.m.usable(w.wall()), v.m.record.failures)
		}
	}
}
