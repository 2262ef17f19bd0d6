package jwks

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
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
	parked  []*request
	cache   map[token]cached
}

// cached is a verdict as the adapter's token cache keeps it.
type cached struct{ epoch uint64 }

func (w *world) boot(v *worker) {
	v.life++
	v.up, v.since, v.busy, v.tickAt = true, w.t, false, 0
	v.stack, v.inbox, v.parked, v.arrived = nil, nil, nil, nil
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

// kill ends a VM, and with it its callouts and its parked requests.
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
		w.note("worker %d saves (%v): %v early %t at %d", v.id, v.m.saving.purpose, ok, v.m.saving.rec.lease.early, v.m.saving.rec.lastEarlyFetch-simEpoch.UnixMilli())
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
		w.wake(v)
	case Info, Warn:
		w.note("worker %d: %s", v.id, a.Message)
		w.checkLog(a)
	}
}
