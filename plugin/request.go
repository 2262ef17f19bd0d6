package plugin

import (
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/plugin/abi"
	"edgejwt/plugin/authz"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// request is one HTTP stream. To the SDK it is the context of that stream.
type request struct {
	types.DefaultHttpContext
	plugin *pluginContext
	setup  *setup // of the configuration that decides about it
	id     uint32
	state  state

	decision authz.Decision
	deadline time.Time  // while it waits for keys
	source   *keySource // of those keys
	due      bool       // they have changed since it was decided
}

type state uint8

const (
	undecided state = iota
	waiting
	passed
	refused
)

// NewHttpContext implements types.PluginContext.
func (ctx *pluginContext) NewHttpContext(contextID uint32) types.HttpContext {
	return &request{plugin: ctx, setup: ctx.setup, id: contextID}
}

// OnRequestHeaders implements abi.Plugin. Most requests are decided at once, so the
// next one can be decided in the same memory.
func (ctx *pluginContext) OnRequestHeaders(stream uint32) types.Action {
	q := ctx.spare
	if q == nil {
		q = new(request)
	}
	*q = request{plugin: ctx, setup: ctx.setup, id: stream}
	action := q.OnHttpRequestHeaders(0, false)
	ctx.spare = q
	if q.state == waiting {
		ctx.spare = nil
	}
	return action
}

// OnRequestTrailers implements abi.Plugin.
func (ctx *pluginContext) OnRequestTrailers(stream uint32) types.Action {
	if ctx.authz == nil {
		return types.ActionContinue // its configuration was refused: it decides nothing
	}
	q := request{plugin: ctx, setup: ctx.setup, id: stream, state: passed}
	return q.OnHttpRequestTrailers(0)
}

// action is the answer to the host: what is not decided does not move.
func (q *request) action() types.Action {
	if q.state == passed {
		return types.ActionContinue
	}
	return types.ActionPause
}

// OnHttpRequestHeaders implements types.HttpContext.
func (q *request) OnHttpRequestHeaders(int, bool) (action types.Action) {
	action = types.ActionPause
	defer q.plugin.recoverPanic("request headers", q)
	q.decide()
	return q.action()
}

// OnHttpRequestBody implements types.HttpContext. Hosts that go on with the body
// while the headers are held back are held back here.
func (q *request) OnHttpRequestBody(int, bool) types.Action { return q.action() }

// OnHttpRequestTrailers implements types.HttpContext.
func (q *request) OnHttpRequestTrailers(int) (action types.Action) {
	action = types.ActionPause
	defer q.plugin.recoverPanic("request trailers", q)
	q.removeTrailers()
	return q.action()
}

// OnHttpStreamDone implements types.HttpContext. A client that went away waits for
// nothing.
func (q *request) OnHttpStreamDone() {
	defer q.plugin.recoverPanic("stream done", nil)
	q.plugin.pending.remove(q)
}

// decide takes the request from its headers to a decision, or to a wait for keys.
func (q *request) decide() {
	headers, err := abi.RequestHeaders()
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
	d, now := &q.decision, q.plugin.requestClock()
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
		q.awaitKeys(now)
	}
	if d.Decided {
		reason := d.Reason
		q.carryOut()
		if reason == verify.KeysUnavailable {
			q.plugin.lookForKeysSoon(q.id, now)
		}
	}
}

// routePolicy reads the policy in the metadata of Envoy's route; nil when there is
// none, or no route. Envoy chooses the route before the first filter. It chooses
// again after any change of headers, but this property stays that of the first: so no
// route with a policy may be chosen by a header that this filter writes or removes.
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

// removeTrailers removes from the trailers what means something to the edge as a
// header: some servers add them to the headers.
func (q *request) removeTrailers() {
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
		q.plugin.pending.remove(q)
		q.refuse(verify.Internal, err, 0)
	}
}

// carryOut does what was decided: the request goes on to the API with the headers
// that say who calls, or is answered here.
func (q *request) carryOut() {
	d := &q.decision
	if !d.Reason.Passes() {
		q.plugin.logSpelling(d)
	}
	c := d.Changes()
	q.setFilterState(c.State)
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
		q.logReport(d.Reason, d.Detail, d.Match())
	} else {
		q.count(q.setup.metrics.requests, d.Reason, outcomePassed)
	}
	// A stream may live for days; what it was decided by need not.
	q.decision = authz.Decision{}
}

// logSpelling logs which spelling led to a refusal and what to set in Envoy: once
// for each spelling where the operator sees it, and at debug for every request.
func (ctx *pluginContext) logSpelling(d *authz.Decision) {
	spelling := d.Spelling()
	if spelling == 0 {
		return
	}
	text := "edgejwt: refused because of how the request was spelled: " + spelling.Advice()
	if spelling&^ctx.spellings != 0 {
		ctx.spellings |= spelling
		proxywasm.LogWarn(text + " (said once; every such request is logged at debug)")
		return
	}
	proxywasm.LogDebug(text)
}

// logReport notes what would have been refused (mode: report). At info the log has
// the operator's own names only; details are at debug.
func (q *request) logReport(reason verify.Reason, detail error, match *route.Match) {
	m := &q.setup.metrics
	q.count(m.refused, reason, outcomeReported)
	m.flush()
	text := "edgejwt: would refuse: " + reason.String()
	if match != nil && match.Route.Name != "" {
		text += ", route " + match.Route.Name
	}
	proxywasm.LogInfo(text)
	if detail != nil {
		proxywasm.LogDebug("edgejwt: would refuse: " + detail.Error())
	}
}

// setFilterState sets filter state. Where that fails, nothing is there, and whatever
// reads it later finds no identity. So the request goes on.
func (q *request) setFilterState(state [][2]string) {
	for _, s := range state {
		if err := proxywasm.SetProperty([]string{s[0]}, []byte(s[1])); err != nil {
			q.setup.metrics.count(&q.setup.metrics.stateFailures, 1)
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
		q.setup.metrics.count(&q.setup.metrics.dropped, int64(c.Dropped))
	}
	if c.ClearRoute {
		// Envoy up to 1.40 at least does so by itself after a change of headers, for
		// every module of today's ABI; older ones lack the function.
		_, _ = proxywasm.CallForeignFunction("clear_route_cache", nil)
	}
	return nil
}
