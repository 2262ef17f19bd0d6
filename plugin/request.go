package plugin

import (
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/jwks"
	"edgejwt/verify"
)

// request is one HTTP stream.
type request struct {
	root   *root
	id     uint32
	state  state
	isGRPC bool

	// Set while the request waits for keys.
	found    verify.Found
	token    *verify.Token
	rule     *verify.Rule
	issuer   *issuer
	deadline time.Time
	// suspected: the signature failed once already and newer key material was asked for.
	suspected bool
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
	headers, err := proxywasm.GetHttpRequestHeaders()
	if err != nil {
		q.decide(verify.Internal, err)
		return
	}
	// Before anything else, whatever comes of the request: only this filter may
	// say who the caller is.
	if err := q.root.identity.strip(headers); err != nil {
		q.decide(verify.Internal, err)
		return
	}
	q.isGRPC = isGRPC(value(headers, "content-type"))
	if isPreflight(headers) {
		q.decide(verify.Preflight, nil)
	} else {
		q.judge(headers)
	}
}

// onTrailers removes what a client forges in the trailers: some servers add them
// to the headers.
func (q *request) onTrailers() {
	if !q.root.identity.any() {
		return
	}
	trailers, err := proxywasm.GetHttpRequestTrailers()
	if err == nil {
		err = q.root.identity.stripTrailers(trailers)
	}
	if err != nil && q.state == passed {
		q.decide(verify.Internal, err)
	}
}

// isPreflight follows the Fetch standard, §3.2.2: a preflight carries no
// credentials, so asking for a token would refuse every browser.
func isPreflight(headers [][2]string) bool {
	return value(headers, ":method") == "OPTIONS" &&
		value(headers, "origin") != "" &&
		value(headers, "access-control-request-method") != ""
}

// value gives the first value of a header, whose name is in lower case.
func value(headers [][2]string, name string) string {
	for _, header := range headers {
		if header[0] == name {
			return header[1]
		}
	}
	return ""
}

// judge takes the request as far as it can be taken: to its decision, or to
// where it waits for keys.
func (q *request) judge(headers [][2]string) {
	r := q.root
	now := r.clock()
	var err error
	if q.found, err = verify.Extract(headers, r.locations); err != nil {
		q.decide(verify.ReasonOf(err), err)
		return
	}
	if q.token, err = verify.Parse(q.found.Token); err != nil {
		q.decide(verify.ReasonOf(err), err)
		return
	}
	rule, index, err := r.rules.Match(q.token)
	if err != nil {
		q.decide(verify.ReasonOf(err), err)
		return
	}
	q.rule, q.issuer = rule, &r.issuers[index]
	if !q.issuer.takesFrom(q.found.Locations) {
		q.decide(verify.IssuerUnknown, nil)
		return
	}
	q.judgeToken(now)
}

// takesFrom reports whether the issuer's tokens may stand where this one stood.
func (i *issuer) takesFrom(locations []int) bool {
	for _, found := range locations {
		for _, allowed := range i.locations {
			if found == allowed {
				return true
			}
		}
	}
	return false
}

// judgeToken checks claims and signature, or parks the request until the key set
// is there. Parked requests come here again, with a later time.
func (q *request) judgeToken(now time.Time) {
	if err := q.rule.Check(q.token, now); err != nil {
		q.decide(verify.ReasonOf(err), err)
		return
	}
	kid, hasKID := q.token.KeyID()
	keys := q.issuer.keys.machine
	key, outcome := keys.Find(now, kid, hasKID)
	switch outcome {
	case jwks.Found:
	case jwks.Absent:
		q.decide(verify.KeyUnknown, nil)
		return
	case jwks.Wait:
		q.park(now)
		return
	default:
		q.decide(verify.KeysUnavailable, nil)
		return
	}
	err := q.token.VerifySignature(q.root.engine, key)
	if verify.ReasonOf(err) == verify.SignatureInvalid && !q.suspected &&
		keys.Suspect(now, kid) == jwks.Wait {
		// The provider may have put new material under the same kid.
		q.suspected = true
		q.park(now)
		return
	}
	q.decide(verify.ReasonOf(err), err)
}

// decide ends the judgement: the request goes on to the API or is answered here.
func (q *request) decide(reason verify.Reason, detail error) {
	if !reason.Passes() {
		q.state = refused
		var retryAfter time.Duration
		if reason == verify.KeysUnavailable {
			retryAfter = time.Second
			if q.issuer != nil {
				retryAfter = max(retryAfter, q.issuer.keys.machine.RetryAfter(q.root.clock()))
			}
		}
		q.refuse(reason, detail, retryAfter)
		return
	}
	if reason == verify.Accepted {
		if err := q.forward(); err != nil {
			q.decide(verify.Internal, err)
			return
		}
	}
	q.state = passed
	q.root.metrics.decided(reason)
}
