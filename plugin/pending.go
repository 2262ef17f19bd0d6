package plugin

import (
	"slices"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/verify"
)

// maxPending bounds how many requests of one worker may wait for keys at once. The
// host holds the headers of each and at most its first body frames.
const maxPending = 1024

// maxPendingPerKID bounds how many of them may wait for a key of the same kid, once
// the provider's keys are known: no flood with one kid takes the slots of the
// requests with another. Before that all wait for the same, and a kid says nothing.
const maxPendingPerKID = maxPending / 2

// betweenSweeps is the least time between two sweeps. A worker cannot fill the
// slots again in less.
const betweenSweeps = 25 * time.Millisecond

// maxResumed bounds how many of them are decided in one callback. Envoy carries
// out what a callback has asked for when it is over, and each answer enters the VM
// again from within the one before: some hundreds fill the stack, and the VM dies.
const maxResumed = 32

// pendingRequests are the requests that wait for keys, in the order in which they
// came, which is the order of their deadlines too.
type pendingRequests struct {
	requests   []*request
	unfinished bool // some of them are due, but for maxResumed
	swept      time.Time
	failing    bool // the log says that the host fails to select streams
}

// awaitKeys holds the request until its key set is there, keys.wait has passed, or
// the client leaves. When too many wait already, it is given up at once.
func (q *request) awaitKeys(now time.Time) {
	ctx := q.plugin
	for _, s := range q.setup.sources {
		if s.machine == q.decision.KeySource() {
			q.source = s
		}
	}
	if !ctx.pending.hasSlot(q, now) {
		if ctx.pending.sweep(q, now); !ctx.pending.hasSlot(q, now) {
			q.decision.Timeout(now)
			return
		}
	}
	q.state = waiting
	q.deadline = now.Add(q.setup.wait)
	ctx.pending.requests = append(ctx.pending.requests, q)
	q.setup.metrics.pending.add(1)
	q.setup.metrics.pendingNow.add(1)
	ctx.tickNow(q.id)
}

// hasSlot reports whether the request may wait.
func (p *pendingRequests) hasSlot(q *request, now time.Time) bool {
	n := len(p.requests)
	if n < maxPendingPerKID || n >= maxPending {
		return n < maxPending
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
	return same < maxPendingPerKID
}

// sweep forgets the requests whose client has left, which the host only says when it
// is asked. It is called while a stream is in effect, and leaves it so.
func (p *pendingRequests) sweep(current *request, now time.Time) {
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
	current.setup.metrics.pendingNow.add(int64(len(p.requests) - before))
	_ = proxywasm.SetEffectiveContext(current.id)
}

// remove forgets a request, if it waits.
func (p *pendingRequests) remove(q *request) {
	if i := slices.Index(p.requests, q); i >= 0 {
		p.requests = slices.Delete(p.requests, i, i+1)
		q.setup.metrics.pendingNow.add(-1)
	}
}

// next is the earliest deadline.
func (p *pendingRequests) next() (deadline time.Time, ok bool) {
	if len(p.requests) == 0 {
		return time.Time{}, false
	}
	return p.requests[0].deadline, true
}

// resume decides again those requests whose key set has changed, and answers those
// whose time is over. It is called between streams, with the plugin's own context in
// effect, and leaves it so.
func (p *pendingRequests) resume(ctx *pluginContext, now time.Time) {
	p.unfinished = false
	if len(p.requests) == 0 {
		return
	}
	all := p.requests
	p.requests = nil // a request that is refused removes itself, and must not change what is walked
	still := all[:0]
	resumed := 0
	for _, q := range all {
		q.due = q.due || q.source != nil && q.source.changed
		switch {
		case !q.due && now.Before(q.deadline):
			still = append(still, q)
		case resumed == maxResumed:
			still, p.unfinished = append(still, q), true
		case q.resume(now):
			still = append(still, q)
		default:
			resumed++
		}
	}
	n := len(all)
	clear(all[len(still):])
	p.requests = still
	ctx.metrics.pendingNow.add(int64(len(still) - n))
	// Callouts that follow belong to the plugin.
	_ = proxywasm.SetEffectiveContext(ctx.id)
}

// resume decides the request again and reports whether it goes on waiting.
func (q *request) resume(now time.Time) (waits bool) {
	defer q.plugin.recoverPanic("pending request", q)
	if q.state != waiting {
		return false
	}
	// The stream may have ended, and the host does not say so; then whatever was said
	// now would be said to another. Other failures of the host may pass, until the
	// deadline.
	switch err := proxywasm.SetEffectiveContext(q.id); {
	case err == nil:
	case err != types.ErrorStatusBadArgument && now.Before(q.deadline):
		return true
	default:
		q.state = refused
		if p := &q.plugin.pending; err != types.ErrorStatusBadArgument && !p.failing {
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
