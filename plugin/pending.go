package plugin

import (
	"slices"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/verify"
)

// maxPending is the greatest number of requests of one worker that wait for keys. The host
// keeps the headers of each, and at most its first body frames.
const maxPending = 1024

// maxPendingPerKID is the greatest number of them that wait for a key with the same kid. So
// many requests with one kid cannot take all slots from requests with others. It applies
// only while there are usable keys: without keys all requests wait for the same fetch.
const maxPendingPerKID = maxPending / 2

// betweenSweeps is the least time between two sweeps.
const betweenSweeps = 25 * time.Millisecond

// maxResumed is the greatest number of them that are decided in one callback. Envoy sends
// the replies after the callback, each from within the one before, and each enters the
// VM. Some hundreds of these nested calls overflow the stack and end the VM.
const maxResumed = 32

// pendingRequests are the requests that wait for keys, in the order of their arrival.
type pendingRequests struct {
	requests   []*request
	unfinished bool      // more of them are due than maxResumed
	swept      time.Time // the last sweep
	failing    bool      // a failure of the host to select a stream is in the log
}

// awaitKeys makes the request wait until its key set has changed, keys.wait has passed, or
// the client has left. If too many requests wait, it refuses the request.
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
	q.state, q.deadline = waiting, now
	if q.source != nil {
		q.deadline = now.Add(q.source.keys.Wait)
	}
	ctx.pending.requests = append(ctx.pending.requests, q)
	q.setup.metrics.pending.add(1)
	q.setup.metrics.pendingNow.add(1)
	ctx.tickNow(q.id)
}

// hasSlot reports whether the request may wait: see maxPending and maxPendingPerKID.
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

// sweep removes the requests whose client has left: the host fails to select their
// streams. It is called while the stream of current is in effect, and restores that.
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

// remove removes a request, if it waits.
func (p *pendingRequests) remove(q *request) {
	if i := slices.Index(p.requests, q); i >= 0 {
		p.requests = slices.Delete(p.requests, i, i+1)
		q.setup.metrics.pendingNow.add(-1)
	}
}

// next is the earliest deadline.
func (p *pendingRequests) next() (deadline time.Time, ok bool) {
	for i, q := range p.requests {
		if i == 0 || q.deadline.Before(deadline) {
			deadline = q.deadline
		}
	}
	return deadline, len(p.requests) > 0
}

// resume decides the requests whose key set has changed, and refuses those whose deadline
// has passed. It is called while the plugin's own context is in effect, and restores that.
func (p *pendingRequests) resume(ctx *pluginContext, now time.Time) {
	p.unfinished = false
	if len(p.requests) == 0 {
		return
	}
	all := p.requests
	p.requests = nil // a request that is refused calls remove, which must not change all
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
	// Later callouts belong to the plugin.
	_ = proxywasm.SetEffectiveContext(ctx.id)
}

// resume decides the request and reports whether it still waits.
func (q *request) resume(now time.Time) (waits bool) {
	defer q.plugin.recoverPanic("pending request", q)
	if q.state != waiting {
		return false
	}
	// BadArgument: the stream has ended. A reply would go to the stream in effect, which
	// is another. After other failures the request waits until its deadline.
	switch err := proxywasm.SetEffectiveContext(q.id); {
	case err == nil:
	case err != types.ErrorStatusBadArgument && now.Before(q.deadline):
		return true
	default:
		q.state = refused
		if p := &q.plugin.pending; err != types.ErrorStatusBadArgument && !p.failing {
			p.failing = true
			proxywasm.LogError("the host fails to select a stream that waits for keys (" + err.Error() + "); requests past keys.wait are dropped unanswered")
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
