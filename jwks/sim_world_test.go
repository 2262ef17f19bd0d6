package jwks

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// world is one simulated process: workers on shared data, a provider, clients
// and whatever goes wrong. Everything that happens is drawn from one seed.
//
// Each host operation (read or write the record, write the hint) is an event of
// its own that takes a random time, so workers interleave as threads do.
type world struct {
	rng     *rand.Rand
	t       time.Duration // true time since the start
	offset  time.Duration // wall clock minus true time
	queue   events
	order   int
	steps   int
	end     time.Duration // of the history
	quiet   time.Duration // from here on nothing goes wrong any more
	data    shared
	workers []*worker
	prov    *provider
	check   checks
	verbose func(string, ...any)
}

type event struct {
	at    time.Duration
	order int
	do    func()
}

type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].order < q[j].order
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

func (w *world) after(d time.Duration, do func()) {
	w.order++
	heap.Push(&w.queue, event{w.t + d, w.order, do})
}

var simEpoch = time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)

// wall is what a worker's clock shows.
func (w *world) wall() time.Time { return simEpoch.Add(w.t + w.offset) }

// between draws a duration.
func (w *world) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(w.rng.Int64N(int64(high-low)))
}

func (w *world) chance(p float64) bool { return w.rng.Float64() < p }

func (w *world) note(format string, args ...any) {
	if w.verbose != nil {
		w.verbose("%10.4fs (wall %+v) %s", w.t.Seconds(), w.offset, fmt.Sprintf(format, args...))
	}
}

// run plays the history and gives what it broke, or "".
func (w *world) run() string {
	for len(w.queue) > 0 && w.check.broken == "" {
		e := heap.Pop(&w.queue).(event)
		if e.at > w.end {
			break
		}
		w.t = e.at
		w.steps++
		e.do()
	}
	if w.check.broken == "" {
		w.t = w.end
		w.checkEnd()
	}
	return w.check.broken
}

// worker is one VM: a thread that does one thing after another.
type worker struct {
	id      int
	life    int // counts restarts: what was meant for an earlier life is dropped
	m       *Source
	heir    bool // its next life begins in the same VM, with other records
	p       Policy
	up      bool
	since   time.Duration // when this life began
	stack   []Action
	busy    bool
	inbox   []func()
	tickAt  time.Duration // when the timer fires; 0: not set
	arrived *callout      // whose answer it took last
	pending []*request
	cache   map[token]cached
}

// cached is a decision as the adapter's token cache keeps it.
type cached struct{ epoch uint64 }

func (w *world) boot(v *worker) {
	v.life++
	v.up, v.since, v.busy, v.tickAt = true, w.t, false, 0
	v.stack, v.inbox, v.pending, v.arrived = nil, nil, nil, nil
	if v.cache == nil {
		v.cache = map[token]cached{}
	}
	before := v.m
	if v.m = New(v.p, w.rng.Uint64()|1, w.rng.Float64); v.heir {
		v.m.Inherit(w.wall(), before)
	}
	v.heir = false
	w.wind(v)
}

// kill ends a VM, and with it its callouts and its pending requests.
func (w *world) kill(v *worker) {
	w.note("worker %d dies", v.id)
	if a := v.top(); v.busy && a != nil && a.Kind == hintAction {
		w.check.hintLost = w.t
	}
	v.up, v.busy = false, false
	v.life++
	w.check.mishap(w)
	for _, c := range w.check.callouts {
		if c.worker == v && c.end > w.t {
			c.end = w.t
		}
	}
}

func (v *worker) top() *Action {
	if len(v.stack) == 0 {
		return nil
	}
	return &v.stack[0]
}

// hintAction is the second half of a Save: the hint is written after the record.
const hintAction ActionKind = 200

// opTime is how long the thread takes for one host operation.
func (w *world) opTime() time.Duration {
	switch {
	case w.chance(0.01):
		return w.between(0, 8*time.Millisecond) // descheduled
	case w.chance(0.1):
		return w.between(0, 500*time.Microsecond)
	}
	return w.between(0, 20*time.Microsecond)
}

// wind sets the tick timer, as the adapter does after each event.
func (w *world) wind(v *worker) {
	at := w.t + v.m.NextTick(w.wall())
	if v.tickAt != 0 && v.tickAt <= at {
		return
	}
	v.tickAt = at
	life := v.life
	w.after(at-w.t, func() {
		if v.life == life && v.tickAt == at {
			v.tickAt = 0
			w.enter(v, func() { w.tick(v) })
		}
	})
}

// enter runs something on the worker's thread, now or when it is free.
func (w *world) enter(v *worker, do func()) {
	if !v.up {
		return
	}
	if v.busy {
		v.inbox = append(v.inbox, do)
		return
	}
	do()
	w.work(v)
}

// tick reads the hint and, one operation later, ticks.
func (w *world) tick(v *worker) {
	hint, has := w.data.hint, w.data.hasHint
	w.push(v, v.m.Tick(w.wall(), hint, has))
}

func (w *world) push(v *worker, actions []Action) {
	v.stack = append(append([]Action(nil), actions...), v.stack...)
}

// work carries out the next action after a while, or goes idle.
func (w *world) work(v *worker) {
	w.checkBounds(v)
	if len(v.stack) == 0 {
		if len(v.inbox) > 0 {
			do := v.inbox[0]
			v.inbox = v.inbox[1:]
			do()
			w.work(v)
			return
		}
		w.wind(v)
		return
	}
	v.busy = true
	life := v.life
	w.after(w.opTime(), func() {
		if v.life != life {
			return
		}
		v.busy = false
		a := v.stack[0]
		v.stack = v.stack[1:]
		w.carryOut(v, a)
		w.work(v)
	})
}

func (w *world) carryOut(v *worker, a Action) {
	switch a.Kind {
	case Load:
		w.push(v, v.m.Loaded(w.wall(), w.data.record, w.data.version))
	case Save:
		ok := w.data.set(a.Record, a.Version)
		w.note("worker %d saves (%v): %v early %t at %d", v.id, v.m.saving.purpose, ok, v.m.saving.record.lease.early, v.m.saving.record.lastEarlyFetch-simEpoch.UnixMilli())
		if ok {
			w.checkSave(v, a)
			w.push(v, []Action{{Kind: hintAction, Hint: a.Hint}})
			return
		}
		w.push(v, v.m.Saved(w.wall(), false))
	case hintAction:
		w.data.hint, w.data.hasHint = a.Hint, true
		w.push(v, v.m.Saved(w.wall(), true))
	case Fetch:
		w.fetch(v, a)
	case Changed:
		w.resume(v)
	case Info, Warn:
		w.note("worker %d: %s", v.id, a.Message)
		w.checkLog(a)
	}
}

// provider publishes keys on a schedule and fails on another.
type provider struct {
	keys    []*provKey
	periods []period
	faults  []fault
	headers [][2]string
	etags   bool
	bodies  map[string][]byte
	honest  int  // 8: no client invents kids or forges; 10: two of ten do
	unnamed bool // the keys have no kid, and tokens none or any
}

// provKey is a key's life: published from..to, current (signing) within.
type provKey struct {
	kid      string
	n        int // names the modulus
	from, to time.Duration
}

// period is when a key signs.
type period struct {
	from time.Duration
	key  *provKey
}

type faultKind int

const (
	faultSlow faultKind = iota
	fault500
	faultBusy // 503 with Retry-After
	faultHTML
	faultEmpty
	faultTruncated
	faultRedirect
	faultReset
	faultHang
	faultLost // the host never says what came of the callout
	faultLate // it says so long after the timeout
	faultKinds
)

type fault struct {
	from, to time.Duration
	kind     faultKind
}

const forever = time.Duration(1 << 62)

// newProvider draws a schedule that is quiet from w.quiet on.
func newProvider(w *world) *provider {
	p := &provider{bodies: map[string][]byte{}, honest: 8 + 2*w.rng.IntN(2)}
	n := 0
	make := func(kid string, from time.Duration) *provKey {
		n++
		k := &provKey{kid: kid, n: n, from: from, to: forever}
		p.keys = append(p.keys, k)
		return k
	}
	announced, sameKID := w.chance(0.5), w.chance(0.1)
	p.unnamed = !sameKID && w.chance(0.1)
	every := w.between(4*time.Second, 40*time.Second)
	kid := func() string {
		switch {
		case sameKID:
			return "key"
		case p.unnamed:
			return ""
		}
		return fmt.Sprintf("key-%d", n+1)
	}
	current := make(kid(), 0)
	p.periods = append(p.periods, period{0, current})
	for at := w.between(time.Second, every); at < w.quiet; at += w.between(every/2, every*3/2) {
		from := at
		if announced {
			from = max(at-w.between(0, every/2), 0)
		}
		next := make(kid(), from)
		current.to = at
		if w.chance(0.5) { // overlap
			most := every
			if sameKID || p.unnamed {
				most = every / 2 // not more keys at once than are tried
			}
			current.to = min(at+w.between(0, most), w.quiet)
		}
		current = next
		p.periods = append(p.periods, period{at, current})
	}
	if w.chance(0.7) {
		for at := w.between(0, w.quiet/2); at < w.quiet; at += w.between(time.Second, 20*time.Second) {
			f := fault{at, min(at+w.between(50*time.Millisecond, 12*time.Second), w.quiet), faultKind(w.rng.IntN(int(faultKinds)))}
			p.faults = append(p.faults, f)
			at = f.to
		}
	}
	if w.chance(0.3) { // nobody there when the process starts
		p.faults = append(p.faults, fault{0, w.between(0, min(20*time.Second, w.quiet)), faultKind(w.rng.IntN(int(faultKinds)))})
	}
	p.etags = w.chance(0.5)
	switch w.rng.IntN(4) {
	case 0:
		p.headers = [][2]string{{"Cache-Control", fmt.Sprintf("public, max-age=%d", w.rng.IntN(60))}}
	case 1:
		p.headers = [][2]string{{"cache-control", "no-store"}}
	}
	return p
}

// current is the key that signs at t.
func (p *provider) current(t time.Duration) *provKey {
	k := p.periods[0].key
	for _, e := range p.periods {
		if e.from <= t {
			k = e.key
		}
	}
	return k
}

// has reports whether the key is published at t.
func (k *provKey) has(t time.Duration) bool { return k.from <= t && t < k.to }

// published is the set at t, as a name and as a document.
func (p *provider) published(t time.Duration) (name string, body []byte) {
	var keys []string
	for _, k := range p.keys {
		if k.has(t) {
			name += fmt.Sprintf("%s=%d ", k.kid, k.n)
			keys = append(keys, simJWK(k.kid, k.n))
		}
	}
	if p.bodies[name] == nil {
		p.bodies[name] = document(keys...)
	}
	return name, p.bodies[name]
}

// fault is what goes wrong at t; ok is false when nothing does.
func (p *provider) fault(t time.Duration) (f fault, ok bool) {
	for _, f := range p.faults {
		if f.from <= t && t < f.to {
			return f, true
		}
	}
	return fault{}, false
}

// troubled reports whether something went wrong within from..to.
func (p *provider) troubled(from, to time.Duration) bool {
	for _, f := range p.faults {
		if f.from <= to && f.to >= from {
			return true
		}
	}
	return false
}

// callout is a request on its way.
type callout struct {
	worker    *worker
	ticket    uint64
	began     time.Duration
	end       time.Duration // when it is over for the host, whatever the worker hears
	discovery bool
	snapshot  time.Duration // when the provider read its keys; -1: never
}

// fetch dispatches a callout and lets its answer come.
func (w *world) fetch(v *worker, a Action) {
	w.checkFetch(v)
	latency := w.between(2*time.Millisecond, 40*time.Millisecond)
	f, faulty := w.prov.fault(w.t)
	c := &callout{worker: v, ticket: a.Ticket, began: w.t, snapshot: -1, discovery: v.m.fetch.discovery}
	answer := Answer{}
	deliver := true
	switch {
	case !faulty:
	case f.kind == faultSlow:
		latency = w.between(0, 2*a.Timeout)
	case f.kind == faultHang:
		latency = 2 * a.Timeout
	case f.kind == faultLost:
		deliver = false
		latency = 2 * a.Timeout
	}
	if latency > a.Timeout {
		latency = a.Timeout
		answer.Status = 504
	} else {
		answer, c.snapshot = w.answer(a, f, faulty, w.t+latency/2)
	}
	c.end = w.t + latency
	w.check.callouts = append(w.check.callouts, c)
	w.note("worker %d fetches, ticket %d: status %d after %v", v.id, a.Ticket, answer.Status, latency)
	if faulty && f.kind == faultLate {
		latency = a.Timeout + w.between(0, 4*time.Second) // the host was asleep
		c.end = w.t + a.Timeout
	}
	if !deliver {
		return
	}
	life := v.life
	w.after(latency, func() {
		if v.life == life {
			w.enter(v, func() {
				if v.m.fetch.ticket == a.Ticket {
					v.arrived = c
				}
				w.push(v, v.m.Answered(w.wall(), a.Ticket, answer))
			})
		}
	})
}

// answer is what the provider says; at is when it reads its keys.
func (w *world) answer(a Action, f fault, faulty bool, at time.Duration) (Answer, time.Duration) {
	if strings.HasSuffix(a.URL, "/openid-configuration") && (!faulty || f.kind == faultSlow || f.kind == faultLate) {
		return Answer{Status: 200, Body: []byte(`{"issuer":"https://issuer.example/","jwks_uri":"https://issuer.example/jwks.json"}`)}, -1
	}
	name, body := w.prov.published(at)
	ok := Answer{Status: 200, Headers: w.prov.headers, Body: body}
	if !faulty || f.kind == faultSlow || f.kind == faultLate {
		if w.prov.etags {
			etag := fmt.Sprintf("%q", name)
			for _, h := range a.Headers {
				if h == [2]string{"if-none-match", etag} {
					return Answer{Status: 304}, at
				}
			}
			ok.Headers = append([][2]string{{"ETag", etag}}, ok.Headers...)
		}
		return ok, at
	}
	switch f.kind {
	case fault500:
		return Answer{Status: 500}, -1
	case faultBusy:
		return Answer{Status: 503, Headers: [][2]string{{"Retry-After", fmt.Sprint(w.rng.IntN(4))}}}, -1
	case faultHTML:
		return Answer{Status: 200, Body: []byte("<html>sorry</html>")}, -1
	case faultEmpty:
		return Answer{Status: 200, Body: []byte(`{"keys":[]}`)}, -1
	case faultTruncated:
		return Answer{Status: 200, Body: body[:len(body)/2]}, -1
	case faultRedirect:
		return Answer{Status: 302, Headers: [][2]string{{"Location", "https://evil.example/"}}, Body: body}, -1
	}
	return Answer{Err: ErrNoAnswer}, -1
}

// token is what matters of one: under which kid it was signed, and with what.
type token struct {
	kid string
	n   int // the modulus; 0: forged
}

// request is one on its way through a worker.
type request struct {
	token
	key     *provKey // that signed it; nil: forged or invented
	named   string   // the kid in its header
	at      time.Duration
	until   time.Duration // when waiting ends
	pending bool
}

// maxPending bounds the pending requests of one worker.
const maxPending = 50

// client sends one request, and the next one later.
func (w *world) client(mean time.Duration) {
	w.after(time.Duration(w.rng.ExpFloat64()*float64(mean)), func() {
		w.request()
		w.client(mean)
	})
}

func (w *world) request() {
	v := w.workers[w.rng.IntN(len(w.workers))]
	r := &request{}
	switch n := w.rng.IntN(w.prov.honest); {
	case n < 6: // an honest client with a token that was signed just now
		r.key = w.prov.current(w.t)
	case n < 8: // one with an older token, maybe of a withdrawn key
		r.key = w.prov.keys[w.rng.IntN(len(w.prov.keys))]
		if r.key.from > w.t {
			r.key = w.prov.keys[0]
		}
	case n == 8:
		r.kid = fmt.Sprintf("invented-%d", w.rng.IntN(20))
	default: // forged under a kid that exists
		r.kid = w.prov.current(w.t).kid
	}
	if r.key != nil {
		r.kid, r.n = r.key.kid, r.key.n
	}
	if r.named = r.kid; w.prov.unnamed && w.chance(0.5) {
		r.named = fmt.Sprintf("any-%d", w.rng.IntN(3))
	}
	w.enter(v, func() {
		r.at, r.until = w.t, w.t+v.p.Wait
		w.decide(v, r)
	})
}

// decide does what the adapter does with a request: the cache, then the key, then
// the signature.
func (w *world) decide(v *worker, r *request) {
	now := w.wall()
	if c, ok := v.cache[r.token]; ok && r.n != 0 {
		if epoch, usable := v.m.Current(now); usable && epoch == c.epoch {
			w.accepted(v, r)
			return
		}
	}
	keys, outcome := v.m.Find(now, r.named, "RS256")
	if outcome == Found {
		for _, key := range keys[:min(len(keys), MaxCandidates)] {
			if r.n != 0 && isRSA(key, moduli(r.n)) {
				epoch, _ := v.m.Current(now)
				v.cache[r.token] = cached{epoch}
				w.accepted(v, r)
				return
			}
		}
		outcome = v.m.Recheck(now, r.named, keys)
	}
	switch {
	case outcome == NotFound || outcome == Found:
		w.refused(v, r, 401)
	case outcome == Wait && w.t < r.until && (r.pending || len(v.pending) < maxPending):
		w.hold(v, r)
	default:
		w.refused(v, r, 503)
	}
}

func (w *world) hold(v *worker, r *request) {
	v.pending = append(v.pending, r)
	w.wind(v)
	if r.pending {
		return
	}
	r.pending = true
	life := v.life
	w.after(r.until-w.t, func() {
		if v.life != life {
			return
		}
		w.enter(v, func() {
			for i, q := range v.pending {
				if q == r {
					v.pending = append(v.pending[:i:i], v.pending[i+1:]...)
					w.refused(v, r, 503)
					return
				}
			}
		})
	})
}

// resume decides every pending request again.
func (w *world) resume(v *worker) {
	pending := v.pending
	v.pending = nil
	for _, r := range pending {
		w.decide(v, r)
	}
}

var modulusOf, jwkOf sync.Map // made once, for all histories

// moduli gives the modulus that n names.
func moduli(n int) []byte {
	v, ok := modulusOf.Load(n)
	if !ok {
		v, _ = modulusOf.LoadOrStore(n, modulus(n))
	}
	return v.([]byte)
}

func simJWK(kid string, n int) string {
	name := token{kid, n}
	v, ok := jwkOf.Load(name)
	if !ok {
		v, _ = jwkOf.LoadOrStore(name, jwk(kid, n))
	}
	return v.(string)
}
