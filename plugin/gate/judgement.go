package gate

import (
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/verify"
	"edgejwt/verify/route"
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
	// Report is true when Reason refuses, but the request goes on all the same
	// (mode: report).
	Report bool
	// Notice is for the log, once; empty for most requests. It says what is wrong
	// with the configuration and quotes nothing of the request.
	Notice string

	gate    *Gate
	step    Step
	match   route.Match
	found   verify.Found
	token   *verify.Token
	rule    *verify.Rule
	issuer  *issuer
	seen    *seen // nil unless the token is remembered
	carrier carrier

	routed   bool           // match is of use
	byPolicy bool           // match is of a policy, not of the table
	lenient  bool           // what is refused from here on is only reported
	valid    bool           // rule and signature hold
	spelling route.Spelling // of the request, where it made the route another
	// suspected: the signature failed once already, and newer key material was
	// asked for.
	suspected bool
}

// Judge takes a request as far as it can be taken: to its decision, or to where
// it waits for keys. Headers are the request's, names in lower case, with the
// pseudo headers, without those that are Forged, whose names are forged, as Forged
// gives them; j keeps parts of the headers unless it waits. policy is what Envoy's
// route says, nil where it says nothing; it is looked at only if AsksPolicy, and
// not kept.
func (g *Gate) Judge(j *Judgement, headers [][2]string, forged []string, policy *string, now time.Time) {
	*j = Judgement{gate: g, step: StepMetadata}
	if g.describes(headers) {
		j.decide(verify.ResourceMetadata, nil)
		return
	}
	j.step = StepPreflight
	preflight := !g.judgesPreflights && IsPreflight(headers)
	if preflight && !g.denies {
		j.decide(verify.Preflight, nil)
		return
	}
	if !j.findRoute(headers, forged, policy) {
		return
	}
	switch auth := j.match.Route.Auth; {
	case auth == route.Deny && !preflight, preflight && j.preflightDenied(headers):
		j.decide(verify.RouteDenied, nil)
		return
	case preflight:
		// Its route was looked for to learn whether anybody passes, and is nobody
		// else's matter: the same is told where no route denies.
		j.step, j.routed, j.byPolicy, j.lenient, j.spelling = StepPreflight, false, false, false, 0
		j.decide(verify.Preflight, nil)
		return
	case auth == route.None:
		j.decide(verify.Public, nil)
		return
	}
	j.step = StepExtract
	var err error
	if j.found, err = verify.Extract(headers, g.locations); err != nil {
		if j.match.Route.Auth == route.Optional && verify.ReasonOf(err) == verify.TokenMissing {
			j.decide(verify.Anonymous, nil)
			return
		}
		j.fail(err)
		return
	}
	j.step = StepParse
	if s := g.tokens.get(j.found.Token); s != nil {
		j.seen, j.token, j.rule, j.issuer = s, s.token, s.rule, s.issuer
	} else if !j.read() {
		return
	}
	if !j.issuer.takesFrom(j.found.Locations) {
		j.decide(verify.IssuerUnknown, nil)
		return
	}
	j.carrier = j.carrierOf(headers)
	if j.again(now); !j.Decided {
		j.detach()
	}
}

// read parses the token and finds its issuer's rule. Where there is none, the
// request is decided.
func (j *Judgement) read() bool {
	if j.match.Route.AllowOpaque && verify.IsOpaque(j.found.Token) {
		j.decide(verify.Opaque, nil)
		return false
	}
	j.found.Token = j.gate.tokens.own(j.found.Token)
	var err error
	if j.token, err = verify.Parse(j.found.Token); err != nil {
		j.fail(err)
		return false
	}
	j.step = StepIssuer
	rule, index, err := j.gate.rules.Match(j.token)
	if err != nil {
		j.fail(err)
		return false
	}
	j.rule, j.issuer = rule, &j.gate.issuers[index]
	return true
}

// detach lets go of the headers, of which all texts are parts, and of the parsed
// token: together they are forty times what is kept.
func (j *Judgement) detach() {
	j.token, j.seen = nil, nil
	for _, text := range [...]*string{&j.found.Token, &j.carrier.cookies, &j.carrier.path} {
		*text = strings.Clone(*text)
	}
	j.match.Detach()
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
		j.fail(err) // cannot be: it has been read before
		return
	}
	if j.again(now); !j.Decided {
		j.token = nil
	}
}

func (j *Judgement) again(now time.Time) {
	j.step = StepClaims
	if err := j.rule.Check(j.token, now); err != nil {
		j.fail(err)
		return
	}
	j.step = StepKey
	if !j.verified(now) && !j.check(now) {
		return
	}
	// Last, though cheap: what a route demands is told to bearers of valid tokens.
	j.step, j.valid = StepNeed, true
	if err := j.match.Check(j.token, now, j.rule.ClockSkew); err != nil {
		j.fail(err)
		return
	}
	j.decide(verify.Accepted, nil)
}

// check looks for the key and checks the signature with it. Where that fails the
// request is decided, or waits.
func (j *Judgement) check(now time.Time) bool {
	kid, hasKID := j.token.KeyID()
	key, outcome := j.issuer.keys.Find(now, kid, hasKID)
	switch outcome {
	case jwks.Found:
	case jwks.Absent:
		j.decide(verify.KeyUnknown, nil)
		return false
	case jwks.Wait:
		return false
	default:
		j.GiveUp(now)
		return false
	}
	j.step = StepSignature
	err := j.verify(key, now)
	if verify.ReasonOf(err) == verify.SignatureInvalid && !j.suspected && j.issuer.keys.Suspect(now, key.ID) == jwks.Wait {
		// The provider may have put new material under the same kid.
		j.suspected = true
		return false
	}
	if err != nil {
		j.fail(err)
		return false
	}
	return true
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

// GoesOn reports whether the request goes on to the API; it counts once Decided.
func (j *Judgement) GoesOn() bool { return j.Reason.Passes() || j.Report }

// Spelling is how the request was spelled, where that made the route that applies a
// stricter one, or ambiguous; 0 for most requests.
func (j *Judgement) Spelling() route.Spelling { return j.spelling }

func (j *Judgement) fail(err error) { j.decide(verify.ReasonOf(err), err) }

func (j *Judgement) decide(reason verify.Reason, detail error) {
	j.Reason, j.Detail, j.Decided = reason, detail, true
	j.Report = j.lenient && !reason.Passes()
}
