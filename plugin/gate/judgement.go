package gate

import (
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/verify"
)

// Judgement is one request on its way to its decision. Its zero value is not
// decided. After Judge it is either decided or waits for keys.
type Judgement struct {
	// Reason is the decision; it counts once Decided.
	Reason verify.Reason
	// Detail says more for the log; nil for decisions that need none. It quotes
	// nothing of the request.
	Detail error
	// RetryAfter is when to try again after KeysUnavailable; whole seconds.
	RetryAfter time.Duration
	// Decided is false while the request waits for keys.
	Decided bool

	gate   *Gate
	found  verify.Found
	token  *verify.Token
	rule   *verify.Rule
	issuer *issuer
	// suspected: the signature failed once already, and newer key material was
	// asked for.
	suspected bool
}

// Judge takes a request as far as it can be taken: to its decision, or to where
// it waits for keys. Headers are the request's, names in lower case, with the
// pseudo headers, after those that are Forged have been left out.
func (g *Gate) Judge(j *Judgement, headers [][2]string, now time.Time) {
	*j = Judgement{gate: g}
	if isPreflight(headers) {
		j.decide(verify.Preflight, nil)
		return
	}
	var err error
	if j.found, err = verify.Extract(headers, g.locations); err != nil {
		j.fail(err)
		return
	}
	if j.token, err = verify.Parse(j.found.Token); err != nil {
		j.fail(err)
		return
	}
	rule, index, err := g.rules.Match(j.token)
	if err != nil {
		j.fail(err)
		return
	}
	j.rule, j.issuer = rule, &g.issuers[index]
	if !j.issuer.takesFrom(j.found.Locations) {
		j.decide(verify.IssuerUnknown, nil)
		return
	}
	j.again(now)
	if !j.Decided {
		// While it waits it keeps the token's text and nothing else: a parsed token,
		// and the headers of which the text is a part, are forty times as much.
		j.token, j.found.Token = nil, strings.Clone(j.found.Token)
	}
}

// Again judges a request that waits, at a later time: claims first, because
// time goes on while one waits, then key and signature. Call it when the keys
// that Awaits names have changed.
func (j *Judgement) Again(now time.Time) {
	if j.Decided {
		return
	}
	var err error
	if j.token, err = verify.Parse(j.found.Token); err != nil {
		j.fail(err)
		return
	}
	if j.again(now); !j.Decided {
		j.token = nil
	}
}

func (j *Judgement) again(now time.Time) {
	if err := j.rule.Check(j.token, now); err != nil {
		j.fail(err)
		return
	}
	kid, hasKID := j.token.KeyID()
	key, outcome := j.issuer.keys.Find(now, kid, hasKID)
	switch outcome {
	case jwks.Found:
	case jwks.Absent:
		j.decide(verify.KeyUnknown, nil)
		return
	case jwks.Wait:
		return
	default:
		j.GiveUp(now)
		return
	}
	err := j.token.VerifySignature(j.gate.engine, key)
	if verify.ReasonOf(err) == verify.SignatureInvalid && !j.suspected && j.issuer.keys.Suspect(now, key.ID) == jwks.Wait {
		// The provider may have put new material under the same kid.
		j.suspected = true
		return
	}
	if err != nil {
		j.fail(err)
		return
	}
	j.decide(verify.Accepted, nil)
}

// GiveUp decides a request that cannot be judged for want of keys.
func (j *Judgement) GiveUp(now time.Time) {
	if j.Decided {
		return
	}
	j.RetryAfter = max(j.issuer.keys.RetryAfter(now), leastRetryAfter)
	j.decide(verify.KeysUnavailable, nil)
}

// Awaits is the machine whose keys the request waits for; nil when it waits for
// none.
func (j *Judgement) Awaits() *jwks.Machine {
	if j.Decided || j.issuer == nil {
		return nil
	}
	return j.issuer.keys
}

func (j *Judgement) fail(err error) { j.decide(verify.ReasonOf(err), err) }

func (j *Judgement) decide(reason verify.Reason, detail error) {
	j.Reason, j.Detail, j.Decided = reason, detail, true
}
