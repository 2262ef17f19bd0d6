package plugin

import (
	"slices"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/verify"
)

// maxParked bounds how many requests of one worker may wait for keys at once. A
// parked request holds its headers and at most its first body frames.
const maxParked = 1024

// maxParkedByKID bounds how many of them may wait for a key of the same kid, once
// the provider's keys are known: no flood with one kid takes the slots of the
// requests with another. Before that all wait for the same, and a kid says nothing.
const maxParkedByKID = maxParked / 2

// betweenSweeps is the least time between two sweeps. A worker cannot fill the
// slots again in less.
const betweenSweeps = 25 * time.Millisecond

// maxSettled bounds how many of them are let go in one callback. Envoy carries
// out what a callback has asked for when it is over, and each answer enters the VM
// again from within the one before: some hundreds fill the stack, and the VM dies.
const maxSettled = 32

// parked are the requests that wait for keys, in the order in which they came,
// which is the order of their deadlines too.
type parked struct {
	requests []*request
	more     bool // some of them are due, but for maxSettled
	swept    time.Time
	failing  bool // the log says that the host fails to select streams
}

// park holds the request until its key set is there, keys.wait has passed, or
// the client leaves. When too many wait already, it is given up at once.
func (q *request) park(now time.Time) {
	r := q.root
	for _, s := range q.setup.sources {
		if s.machine == q.decision.KeySource() {
			q.source = s
		}
	}
	if !r.parked.takes(q, now) {
		if r.parked.sweep(q, now); !r.parked.takes(q, now) {
			q.decision.Timeout(now)
			return
		}
	}
	q.state = waiting
	q.deadline = now.Add(q.setup.wait)
	r.parked.requests = append(r.parked.requests, q)
	r.metrics.parked.add(1)
	r.metrics.waiting.add(1)
	r.hurry(q.id)
}

// takes reports whether there is a slot for the request.
func (p *parked) takes(q *request, now time.Time) bool {
	n := len(p.requests)
	if n < maxParkedByKID || n >= maxParked {
		return n < maxParked
	}
	if _, known := q.decision.KeySource().Current(now); !known {
		return true
	}
	same := 0
	for _, other := range p.requests {
		if other.source == q.source && other.decision.KeyID() == q.decision.KeyID() {
			same++
		}
	}
	return same < maxParkedByKID
}

// sweep forgets the requests whose client has left, of which the host does not
// tell. It is called while a stream is in effect, and leaves it so.
func (p *parked) sweep(current *request, now time.Time) {
	if since := now.Sub(p.swept); since >= 0 && since < betweenSweeps {
		return
	}
	p.swept = now
	before := len(p.requests)
	p.requests = slices.DeleteFunc(p.requests, func(q *request) bool {
		if proxywasm.SetEffectiveContext(q.id) != types.ErrorStatusBadArgument {
			return false
		}
		q.state = refused
		return true
	})
	current.setup.metrics.waiting.add(int64(len(p.requests) - before))
	_ = proxywasm.SetEffectiveContext(current.id)
}

// remove forgets a request, if it waits.
func (p *parked) remove(q *request) {
	for i, other := range p.requests {
		if other == q {
			p.requests = append(p.requests[:i], p.requests[i+1:]...)
			q.setup.metrics.waiting.add(-1)
			return
		}
	}
}

// next is the earliest deadline.
func (p *parked) next() (deadline time.Time, ok bool) {
	if len(p.requests) == 0 {
		return time.Time{}, false
	}
	return p.requests[0].deadline, true
}

// settle judges again those waiting requests whose key set has changed, and
// answers those whose time is over. It is called between streams, with the plugin's own context in effect,
// and leaves it so.
func (p *parked) settle(r *root, now time.Time) {
	if len(p.requests) == 0 {
		p.more = false
		return
	}
	still := p.requests[:0]
	all := p.requests
	p.requests, p.more = nil, false // settling parks nobody, and must not walk what it rebuilds
	settled := 0
	for _, q := range all {
		q.due = q.due || q.source != nil && q.source.changed
		switch {
		case !q.due && now.Before(q.deadline):
			still = append(still, q)
		case settled == maxSettled:
			still, p.more = append(still, q), true
		case q.settle(now):
			still = append(still, q)
		default:
			settled++
		}
	}
	for i := len(still); i < len(all); i++ {
		all[i] = nil
	}
	p.requests = still
	r.metrics.waiting.add(int64(len(still) - len(all)))
	// Callouts that follow belong to the plugin.
	_ = proxywasm.SetEffectiveContext(r.id)
}

// settle judges the request again and reports whether it goes on waiting.
func (q *request) settle(now time.Time) (waits bool) {
	defer q.root.contain(parkedRequest, q)
	if q.state != waiting {
		return false
	}
	// The stream may have ended without a word; then whatever was said now would
	// be said to another. Other failures of the host may pass, until the deadline.
	switch err := proxywasm.SetEffectiveContext(q.id); {
	case err == nil:
	case err != types.ErrorStatusBadArgument && now.Before(q.deadline):
		return true
	default:
		q.state = refused
		if p := &q.root.parked; err != types.ErrorStatusBadArgument && !p.failing {
			p.failing = true
			proxywasm.LogError("edgejwt: the host fails to select a stream that waits for keys (" + err.Error() + "); requests past keys.wait are dropped unanswered")
		}
		return false
	}
	d := &q.decision
	if q.due {
		q.due = false
		d.Resume(now)
	}
	if !d.Decided {
		if now.Before(q.deadline) {
			return true
		}
		q.setup.metrics.timeouts.add(1)
		d.Timeout(now)
	}
	q.carryOut()
	if q.state == passed {
		if err := proxywasm.ResumeHttpRequest(); err != nil {
			q.refuse(verify.Internal, err, 0)
		}
	}
	return false
}
