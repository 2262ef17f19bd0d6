package plugin

import (
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/verify"
)

// maxParked bounds how many requests of one worker may wait for keys at once. A
// parked request holds its headers and at most its first body frames.
const maxParked = 1024

// maxSettled bounds how many of them are let go in one callback. Envoy carries
// out what a callback has asked for when it is over, and each answer enters the VM
// again from within the one before: some hundreds fill the stack, and the VM dies.
const maxSettled = 32

// parked are the requests that wait for keys, in the order in which they came,
// which is the order of their deadlines too.
type parked struct {
	requests []*request
	more     bool // some of them are due, but for maxSettled
}

// park holds the request until its key set is there, keys.wait has passed, or
// the client leaves. When too many wait already, it is given up at once.
func (q *request) park(now time.Time) {
	r := q.root
	if len(r.parked.requests) >= maxParked {
		q.decision.Timeout(now)
		return
	}
	q.state = waiting
	q.deadline = now.Add(r.wait)
	r.parked.requests = append(r.parked.requests, q)
	r.metrics.parked.add(1)
	r.metrics.waiting.add(1)
	r.hurry(q.id)
}

// remove forgets a request, if it waits.
func (p *parked) remove(q *request) {
	for i, other := range p.requests {
		if other == q {
			p.requests = append(p.requests[:i], p.requests[i+1:]...)
			q.root.metrics.waiting.add(-1)
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
		q.due = q.due || r.changed(q.decision.KeySource())
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
	// be said to another. Other failures of the host may pass.
	switch err := proxywasm.SetEffectiveContext(q.id); err {
	case nil:
	case types.ErrorStatusBadArgument:
		q.state = refused
		return false
	default:
		return true
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
		q.root.metrics.timeouts.add(1)
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
