package plugin

import (
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/plugin/authz"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// request is one HTTP stream.
type request struct {
	root  *root
	setup *setup // of the configuration that decides about it
	id    uint32
	state state

	decision authz.Decision
	deadline time.Time // while it waits for keys
	source   *source   // of those keys
	due      bool      // they have changed since it was judged
}

type state uint8

const (
	undecided state = iota
	waiting
	passed
	refused
)

func (r *root) newStream(contextID uint32) types.HttpContext {
	q := &request{root: r, setup: r.setup, id: contextID}
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
	headers, err := readHeaders()
	if err != nil {
		q.refuse(verify.Internal, err, 0)
		return
	}
	a := q.setup.authz
	var policy *string
	if a.UsesPolicies() {
		if policy, err = routePolicy(); err != nil {
			q.refuse(verify.Internal, err, 0)
			return
		}
	}
	d, now := &q.decision, q.root.hostTime()
	if a.Decide(d, headers, policy, now); d.Notice != "" {
		logLines(proxywasm.LogError, "edgejwt: ", d.Notice)
	}
	// Before anything else, whatever was decided: only this filter may say who calls.
	for _, name := range d.Forged {
		if err := proxywasm.RemoveHttpRequestHeader(name); err != nil {
			q.refuse(verify.Internal, err, 0)
			return
		}
	}
	d.Forged = nil // a part of the headers, which need not outlive the callback
	if !d.Decided {
		q.park(now)
	}
	if d.Decided {
		reason := d.Reason
		q.carryOut()
		if reason == verify.KeysUnavailable {
			q.root.glance(q.id, now)
		}
	}
}

// routePolicy reads what Envoy's route says of itself; nil when it says nothing,
// or when there is no route. Envoy chooses the route before the first filter. It
// chooses again, of its own accord, after any change of headers, but goes on
// telling of the first: so no route with a policy may be chosen by a header that
// this filter writes or removes.
func routePolicy() (policy *string, err error) {
	value, err := proxywasm.GetProperty([]string{"xds", "route_metadata", "filter_metadata", "edgejwt", "policy"})
	switch err {
	case nil:
		text := string(value)
		return &text, nil
	case types.ErrorStatusNotFound:
		return nil, nil
	}
	return nil, err
}

// onTrailers removes from the trailers what means something to the edge as a
// header: some servers add them to the headers.
func (q *request) onTrailers() {
	trailers, err := proxywasm.GetHttpRequestTrailers()
	if err == types.ErrorStatusNotFound {
		return // trailers without a single field
	}
	if err == nil {
		for _, name := range q.setup.authz.ForgedTrailers(trailers) {
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

// carryOut does what was decided: the request goes on to the API with the headers
// that say who calls, or is answered here.
func (q *request) carryOut() {
	d := &q.decision
	if !d.Reason.Passes() {
		q.root.logSpelling(d)
	}
	c := d.Changes()
	q.setState(c.State)
	if !d.Allowed() {
		q.refuse(d.Reason, d.Detail, d.RetryAfter)
		return
	}
	if err := q.change(&c); err != nil {
		q.refuse(verify.Internal, err, 0)
		return
	}
	q.state = passed
	if d.Report {
		q.reported(d.Reason, d.Detail, d.Match())
	} else {
		q.count(q.setup.metrics.requests, d.Reason, wentOn)
	}
	// A stream may live for days; what it was decided by need not.
	q.decision = authz.Decision{}
}

// logSpelling says which spelling led to a refusal and what to set in Envoy: once
// for each spelling where the operator sees it, and at debug for every request.
func (r *root) logSpelling(d *authz.Decision) {
	spelling := d.Spelling()
	if spelling == 0 {
		return
	}
	words := "edgejwt: refused because of how the request was spelled: " + spelling.Advice()
	if spelling&^r.spellings != 0 {
		r.spellings |= spelling
		proxywasm.LogWarn(words + " (said once; every such request is logged at debug)")
		return
	}
	proxywasm.LogDebug(words)
}

// reported notes what would have been refused (mode: report). The log gets the
// operator's words only; details are for who looks for them.
func (q *request) reported(reason verify.Reason, detail error, match *route.Match) {
	m := &q.setup.metrics
	q.count(m.refused, reason, wasReported)
	m.flush()
	words := "edgejwt: would refuse: " + reason.String()
	if match != nil && match.Route.Name != "" {
		words += ", route " + match.Route.Name
	}
	proxywasm.LogInfo(words)
	if detail != nil {
		proxywasm.LogDebug("edgejwt: would refuse: " + detail.Error())
	}
}

// setState sets filter state. Where that fails, nothing is there: to whatever decides
// by it later, that is the bearer of nothing. So the request goes on.
func (q *request) setState(state [][2]string) {
	for _, s := range state {
		if err := proxywasm.SetProperty([]string{s[0]}, []byte(s[1])); err != nil {
			q.setup.metrics.keep(&q.setup.metrics.untold, 1)
		}
	}
}

// change carries out what becomes of the request's headers.
func (q *request) change(c *authz.Changes) error {
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
		q.setup.metrics.keep(&q.setup.metrics.dropped, int64(c.Dropped))
	}
	if c.ClearRoute {
		// Envoy up to 1.40 at least does so by itself after a change of headers, for
		// every module of today's ABI; older ones lack the function.
		_, _ = proxywasm.CallForeignFunction("clear_route_cache", nil)
	}
	return nil
}
