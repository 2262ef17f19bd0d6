// Package explain says how the edge decides about one request, step by step: by
// the plugin's own gate, with the configuration, the token, the keys and the time
// that it is given.
//
// Explain is the call; what it gives is for people (Write) and scripts (its JSON).
// A table of requests with what is expected of each is a test of an operator's
// own policy: see Cases.
//
// What a token says is not shown unless it is asked for (Options.Claims), times
// and the JOSE header apart; the token itself never is. Not judged here is what
// Envoy does before the plugin: it may have normalised the path, and it joins
// repeated Authorization headers, as this package does.
//
// The files: request.go makes the request, keys.go and fetch.go get key sets,
// steps.go, claims.go and needs.go tell the steps, outcome.go what the client and the API
// are told, cases.go and mint.go are the table of cases; coverage.go and openapi.go list
// what operations need.
package explain

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// Options are what a decision depends on besides the request.
type Options struct {
	// Config is the configuration; ParseWith of package config gives it.
	Config *config.Config
	// Keys gives the rules' keys; decisions that need keys which it has not are
	// not made.
	Keys *KeySource
	// Policy is what Envoy's route says in its metadata; nil for nothing.
	Policy *string
	// ClientCertificate is the DER of the client's certificate; nil for none.
	ClientCertificate []byte
	// At is the time of the request.
	At time.Time
	// Claims shows what the token says.
	Claims bool
}

// PeerCertificateDigest implements authz.Host.
func (o *Options) PeerCertificateDigest() (string, error) {
	if o.ClientCertificate == nil {
		return "", nil
	}
	digest := sha256.Sum256(o.ClientCertificate)
	return hex.EncodeToString(digest[:]), nil
}

// Explanation is one decision.
type Explanation struct {
	// Request is method and target, the query left out.
	Request string `json:"request"`
	// Decided is false when the keys are not at hand that the decision needs.
	Decided bool `json:"decided"`
	// Reason is the decision, as in metrics and log; "" when not Decided.
	Reason string `json:"reason,omitempty"`
	// GoesOn is true when the request goes on to the API.
	GoesOn bool `json:"goesOn"`
	// Reported is true when it goes on although Reason refuses (mode: report).
	Reported bool `json:"reported,omitempty"`
	// Route is the name of the route that applies, or routes[i]; "" for none.
	Route string `json:"route,omitempty"`
	// Steps are the checks, in their order, up to the one that decided.
	Steps []Step `json:"steps"`
	// Upstream is what the API is told; nil when the request does not go on.
	Upstream *Upstream `json:"upstream,omitempty"`
	// State is what Envoy's later filters and its access log are told.
	State []Value `json:"filterState,omitempty"`
	// Dropped are claims that no header, or no filter state, can carry.
	Dropped []Dropped `json:"claimsDropped,omitempty"`
	// Answer is what the client is told by the edge; nil when the request goes on.
	Answer *Answer `json:"answer,omitempty"`
	// Notice is what is wrong with the policy of Envoy's route.
	Notice string `json:"notice,omitempty"`
}

// Step is one check.
type Step struct {
	Name string `json:"step"`
	// OK is true when the request went on to the next check or was let pass.
	OK bool `json:"ok"`
	// Text says what was found.
	Text string `json:"text"`
	// Details are lines below it.
	Details []string `json:"details,omitempty"`
}

// Explain judges the request.
func Explain(q *Request, o *Options) *Explanation {
	keys := func(rule *config.Rule) *jwks.Source {
		if machine := o.Keys.machine(rule); machine != nil {
			return machine
		}
		return noKeys(rule)
	}
	a := authz.New(o.Config, verify.GoEngine, keys)
	a.SetHost(o)
	var j authz.Decision
	headers := q.headers()
	a.Decide(&j, headers, o.Policy, o.At)
	if w := o.Keys.workerOf(j.KeySource()); w != nil {
		j.Resume(w.wait()) // for a key that an early fetch may bring
		j.Timeout(w.now)
	}
	isForged := func(header [2]string) bool { return slices.Contains(j.Forged, header[0]) }

	x := &explainer{o: o, q: q, j: &j, forged: j.Forged, headers: slices.DeleteFunc(slices.Clone(headers), isForged)}
	e := &Explanation{Request: q.String(), Decided: j.Decided, Notice: j.Notice, Steps: x.steps()}
	if match := j.Match(); match != nil {
		e.Route = x.routeName()
	}
	if !j.Decided {
		return e
	}
	e.Reason, e.GoesOn, e.Reported = j.Reason.String(), j.Allowed(), j.Report
	changes := j.Changes()
	e.State, e.Dropped = x.state(&changes), x.dropped(&changes)
	if e.GoesOn {
		e.Upstream = x.upstream(&changes)
	} else {
		e.Answer = x.answer()
	}
	return e
}

// explainer is one decision that is being told.
type explainer struct {
	o       *Options
	q       *Request
	j       *authz.Decision
	forged  []string
	headers [][2]string
}

// noKeys is a machine that has not fetched yet: what needs keys is not decided.
func noKeys(rule *config.Rule) *jwks.Source {
	return jwks.New(rule.Policy(), 1, func() float64 { return 0 })
}
