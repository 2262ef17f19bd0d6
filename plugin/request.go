package plugin

import (
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/plugin/gate"
	"edgejwt/verify"
)

// request is one HTTP stream.
type request struct {
	root   *root
	id     uint32
	state  state
	isGRPC bool

	judgement gate.Judgement
	deadline  time.Time // while it waits for keys
}

type state uint8

const (
	undecided state = iota
	waiting
	passed
	refused
)

func (r *root) newStream(contextID uint32) types.HttpContext {
	q := &request{root: r, id: contextID}
	return &httpContext{on: q.on}
}

// on takes what the host tells of the stream. What is not decided does not move.
func (q *request) on(e event) (action types.Action) {
	action = types.ActionPause
	defer q.root.contain(e, q)
	switch e {
	case requestHeaders:
		q.onHeaders()
	case requestTrailers:
		q.onTrailers()
	case streamDone:
		// A client that went away waits for nothing.
		q.root.parked.remove(q)
	}
	// Also for the body: hosts that go on with it while the headers are held back
	// are held back here.
	if q.state == passed {
		action = types.ActionContinue
	}
	return action
}

func (q *request) onHeaders() {
	g := q.root.gate
	headers, err := proxywasm.GetHttpRequestHeaders()
	if err != nil {
		q.refuse(verify.Internal, err, 0)
		return
	}
	// Before anything else, whatever comes of the request: only this filter may
	// say who the caller is.
	for _, name := range g.Forged(headers) {
		if err := proxywasm.RemoveHttpRequestHeader(name); err != nil {
			q.refuse(verify.Internal, err, 0)
			return
		}
	}
	q.isGRPC = isGRPC(gate.Value(headers, "content-type"))
	now := q.root.clock()
	g.Judge(&q.judgement, headers, now)
	if !q.judgement.Decided {
		q.park(now)
	}
	if q.judgement.Decided {
		q.carryOut()
	}
}

// onTrailers removes what a client forges in the trailers: some servers add them
// to the headers.
func (q *request) onTrailers() {
	g := q.root.gate
	if !g.Outputs() {
		return
	}
	trailers, err := proxywasm.GetHttpRequestTrailers()
	if err == types.ErrorStatusNotFound {
		return // trailers without a single field
	}
	if err == nil {
		for _, name := range g.Forged(trailers) {
			if err == nil {
				err = proxywasm.RemoveHttpRequestTrailer(name)
			}
		}
	}
	if err != nil && q.state != refused {
		q.root.parked.remove(q)
		q.refuse(verify.Internal, err, 0)
	}
}

// carryOut does what the judgement says: the request goes on to the API with the
// headers that tell who calls, or is answered here.
func (q *request) carryOut() {
	j := &q.judgement
	if !j.Reason.Passes() {
		q.refuse(j.Reason, j.Detail, j.RetryAfter)
		return
	}
	if err := q.change(j.Changes()); err != nil {
		q.refuse(verify.Internal, err, 0)
		return
	}
	q.state = passed
	q.root.metrics.decided(j.Reason)
}

// change carries out what becomes of the request's headers.
func (q *request) change(c gate.Changes) error {
	for _, name := range c.Remove {
		if err := proxywasm.RemoveHttpRequestHeader(name); err != nil {
			return err
		}
	}
	for _, header := range c.Set {
		if err := proxywasm.ReplaceHttpRequestHeader(header[0], header[1]); err != nil {
			return err
		}
	}
	if c.Dropped > 0 {
		q.root.metrics.dropped.add(int64(c.Dropped))
	}
	return nil
}
