package plugin

import (
	"strconv"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/jwks"
	"edgejwt/plugin/abi"
	"edgejwt/plugin/authz"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// request is one HTTP stream. It is the SDK's context of the stream.
type request struct {
	types.DefaultHttpContext
	plugin *pluginContext
	setup  *setup // that decides about it
	id     uint32
	state  state

	decision authz.Decision
	deadline time.Time  // while the request waits for keys
	source   *keySource // of these keys
	due      bool       // the keys have changed, and it must be decided again
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

// OnRequestHeaders implements abi.Plugin. It uses the memory of the last request again,
// unless that request waits.
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
		return types.ActionContinue // without a configuration it decides nothing
	}
	q := request{plugin: ctx, setup: ctx.setup, id: stream, state: passed}
	return q.OnHttpRequestTrailers(0)
}

// action is the result of a callback: only a request that passed goes on.
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

// OnHttpRequestBody implements types.HttpContext. It stops the body for hosts that go on
// with the body while the headers are stopped.
func (q *request) OnHttpRequestBody(int, bool) types.Action { return q.action() }

// OnHttpRequestTrailers implements types.HttpContext.
func (q *request) OnHttpRequestTrailers(int) (action types.Action) {
	action = types.ActionPause
	defer q.plugin.recoverPanic("request trailers", q)
	q.removeTrailers()
	return q.action()
}

// OnHttpStreamDone implements types.HttpContext.
func (q *request) OnHttpStreamDone() {
	defer q.plugin.recoverPanic("stream done", nil)
	q.plugin.pending.remove(q)
}

// decide decides about the request, or makes it wait for keys.
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
		logLines(proxywasm.LogError, "", d.Notice)
	}
	// First, and whatever the decision: only this filter may set these headers.
	for _, name := range d.Forged {
		if err := proxywasm.RemoveHttpRequestHeader(name); err != nil {
			q.refuse(verify.Internal, err, 0)
			return
		}
	}
	d.Forged = nil // it refers to the headers, which are valid only in this callback
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

// routePolicy reads the policy in the metadata of Envoy's route. It is nil when there is
// no policy or no route. Envoy chooses the route before the first filter. It chooses again
// after a change of headers, but the property stays that of the first route. So Envoy must
// not choose a route with a policy by a header that this filter sets or removes.
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

// removeTrailers removes forged trailers: see authz.Authorizer.ForgedTrailers.
func (q *request) removeTrailers() {
	trailers, err := proxywasm.GetHttpRequestTrailers()
	if err == types.ErrorStatusNotFound {
		return // there are no fields
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

// carryOut carries out the decision: it changes the headers and lets the request pass, or
// refuses it.
func (q *request) carryOut() {
	d := &q.decision
	if !d.Reason.Passes() {
		q.plugin.logSpelling(d)
		q.countUntried(d)
	}
	c := d.Changes()
	q.setFilterState(c.State)
	q.setup.metrics.countDropped(c.Dropped)
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
	// A stream may last for days. Its decision is no longer needed.
	q.decision = authz.Decision{}
}

// logSpelling logs which spelling led to a refusal, and what to change in Envoy: once for
// each spelling as a warning, then at debug.
func (ctx *pluginContext) logSpelling(d *authz.Decision) {
	spelling := d.Spelling()
	if spelling == 0 {
		return
	}
	text := "refused because of how the request was spelled: " + spelling.Advice()
	if spelling&^ctx.spellings != 0 {
		ctx.spellings |= spelling
		proxywasm.LogWarn(text + " (logged once; further requests are logged at debug)")
		return
	}
	proxywasm.LogDebug(text)
}

// countUntried counts a request whose token one of the keys that were not tried may have
// signed, and warns of the first for each issuer.
func (q *request) countUntried(d *authz.Decision) {
	if d.Untried == 0 {
		return
	}
	m := &q.setup.metrics
	c, issuer := &m.untried[d.Rule()], m.rules[d.Rule()].Issuer
	if !c.logged {
		c.logged = true
		c.metric = define(abi.Counter, label("edgejwt_keys_untried", "issuer", addressLabel(issuer))+";;")
		proxywasm.LogWarn("keys of " + strconv.QuoteToASCII(issuer) + ": the signature of a token fails under " + strconv.Itoa(jwks.MaxCandidates) +
			" keys, and " + strconv.Itoa(d.Untried) + " more that may have signed it are not tried; the provider should give each key a kid of its own, and name it in its tokens (logged once; edgejwt_keys_untried counts)")
	}
	m.count(&c.counter, 1)
}

// logReport counts and logs a refusal that is only reported (mode: report). At info the
// log has only names from the configuration; details are at debug.
func (q *request) logReport(reason verify.Reason, detail error, match *route.Match) {
	m := &q.setup.metrics
	q.count(m.reported, reason, outcomeReported)
	m.flush()
	text := "would refuse: " + reason.String()
	if match != nil && match.Route.Name != "" {
		text += ", route " + match.Route.Name
	}
	proxywasm.LogInfo(text)
	if detail != nil {
		proxywasm.LogDebug("would refuse: " + detail.Error())
	}
}

// setFilterState sets filter state. If that fails, later filters find no identity, so the
// request may go on.
func (q *request) setFilterState(state [][2]string) {
	for _, s := range state {
		if err := proxywasm.SetProperty([]string{s[0]}, []byte(s[1])); err != nil {
			q.setup.metrics.count(&q.setup.metrics.stateFailures, 1)
		}
	}
}

// change makes the changes to the request's headers.
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
	if c.ClearRoute {
		// An error is ignored: Envoy clears the cache after a change of headers anyway
		// (seen in 1.40), and older versions lack the function.
		_, _ = proxywasm.CallForeignFunction("clear_route_cache", nil)
	}
	return nil
}
