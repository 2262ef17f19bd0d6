package authz

import (
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// Step is one of the checks of a request.
type Step uint8

// The steps, in the order in which a request meets them.
const (
	_ Step = iota
	// StepMetadata: whether the API's metadata is asked for (RFC 9728).
	StepMetadata
	// StepPreflight: whether it is a CORS preflight that passes. Where a route may
	// deny, the next two come before that is decided.
	StepPreflight
	// StepPolicy: the policy of Envoy's route, if routes may carry one, and whether
	// the request can lead to no other.
	StepPolicy
	// StepRoute: which route applies, and whether it asks for a token or denies.
	StepRoute
	// StepExtract: where the token stands.
	StepExtract
	// StepParse: the token's form, or whether it is opaque.
	StepParse
	// StepIssuer: the algorithm, the issuer's rule and its token locations.
	StepIssuer
	// StepClaims: what the rule asks of the claims.
	StepClaims
	// StepKey: the keys that the token may be signed with.
	StepKey
	// StepSignature: the signature.
	StepSignature
	// StepRequirements: what the route asks of a valid token.
	StepRequirements
)

// step is a check and its code, which decides, leaves the request pending, or does
// neither.
type step struct {
	name  Step
	check func(d *Decision, r *request, now time.Time)
}

// plan gives the checks that a configuration needs, in their order. Cheap ones come
// first. Nothing that the token says is believed before StepSignature, and what a
// route requires is told to bearers of valid tokens only.
func (a *Authorizer) plan(cfg *config.Config) (steps []step) {
	for _, s := range [...]struct {
		needed bool
		step
	}{
		{a.metadataPath != "", step{StepMetadata, (*Decision).metadata}},
		{!cfg.JudgePreflights, step{StepPreflight, (*Decision).preflight}},
		{a.policies != nil, step{StepPolicy, (*Decision).policy}},
		{true, step{StepRoute, (*Decision).route}},
		{true, step{StepExtract, (*Decision).extract}},
		{true, step{StepParse, (*Decision).parse}},
		{true, step{StepIssuer, (*Decision).matchIssuer}},
		{true, step{StepClaims, (*Decision).claims}},
		{true, step{StepKey, (*Decision).findKeys}},
		{true, step{StepSignature, (*Decision).signature}},
		{true, step{StepRequirements, (*Decision).requirements}},
	} {
		if s.needed {
			steps = append(steps, s.step)
		}
	}
	return steps
}

// Decide takes a request as far as it can be taken: to its decision, or to where it
// waits for keys. Headers are the request's, names in lower case, with the pseudo
// headers; d keeps parts of them unless it waits. policy is what Envoy's route
// carries, nil where it carries none; it is looked at only with UsesPolicies, and
// not kept.
func (a *Authorizer) Decide(d *Decision, headers [][2]string, policy *string, now time.Time) {
	r := a.read(headers)
	r.policy = policy
	*d = Decision{GRPC: r.grpc, Forged: r.forged, authz: a}
	d.run(r, StepMetadata, now)
	if !d.Decided {
		d.detach()
	}
}

// run takes the steps from one on until one of them decides or has to wait.
func (d *Decision) run(r *request, from Step, now time.Time) {
	for _, s := range d.authz.steps {
		if s.name < from || d.verified && (s.name == StepKey || s.name == StepSignature) {
			continue
		}
		d.step = s.name
		if s.check(d, r, now); d.Decided || d.pending {
			return
		}
	}
	d.decide(verify.Accepted, nil)
}

// Decision is one request on its way to its decision. Its zero value is not decided.
// After Decide it is either decided or waits for keys.
type Decision struct {
	// Reason is the decision; it counts once Decided.
	Reason verify.Reason
	// Detail says more for the log; nil for decisions that need none. It quotes
	// nothing of the request.
	Detail error
	// RetryAfter is when to try again after KeysUnavailable; whole seconds.
	RetryAfter time.Duration
	// Decided is false while the request waits for keys.
	Decided bool
	// Report is true when Reason refuses, but the request is let through all the
	// same (mode: report).
	Report bool
	// GRPC is true when the request is gRPC.
	GRPC bool
	// Forged names, as sent, the headers that the client may not send. They are to be
	// removed before anything else, whatever the reason; a name may stand among them
	// twice. They are parts of the headers given to Decide.
	Forged []string
	// Notice is for the log, once; empty for most requests. It says what is wrong
	// with the configuration and quotes nothing of the request.
	Notice string

	authz  *Authorizer
	step   Step
	match  route.Match
	found  verify.Found
	token  *verify.Token
	rule   *verify.Rule
	issuer *issuer
	cached *cachedToken // nil unless the token is in the cache
	keys   []*verify.Key
	source tokenSource
	kid    string // that of the token, while it waits

	spelling    route.Spelling // of the request, where that made the route another
	isPreflight bool           // and passes, unless nobody does
	routed      bool           // match is of use
	byPolicy    bool           // match is of a policy, not of the table
	lenient     bool           // what is refused from here on is only reported
	pending     bool           // it waits for keys
	verified    bool           // the cache knows that the signature verifies
	valid       bool           // rule and signature hold
	rechecked   bool           // the signature failed once, and newer key material was asked for
}

// Allowed reports whether the request is let through; it counts once Decided.
func (d *Decision) Allowed() bool { return d.Reason.Passes() || d.Report }

// Resume decides a request that waits, at a later time: claims first, because time
// has passed, then key and signature. Call it when the keys of KeySource have
// changed.
func (d *Decision) Resume(now time.Time) {
	if d.Decided {
		return
	}
	var err error
	if d.token, err = verify.Parse(d.found.Token); err != nil {
		d.fail(err) // cannot be: it has been parsed before
		return
	}
	d.pending = false
	if d.run(nil, StepClaims, now); !d.Decided {
		d.token = nil
	}
}

// Timeout decides a request that has waited for keys for too long.
func (d *Decision) Timeout(now time.Time) {
	if d.Decided {
		return
	}
	d.RetryAfter = max(d.issuer.keys.RetryAfter(now), minRetryAfter)
	d.decide(verify.KeysUnavailable, nil)
}

// KeySource is the source whose keys the request waits for; nil when it waits for
// none.
func (d *Decision) KeySource() *jwks.Source {
	if d.Decided || d.issuer == nil {
		return nil
	}
	return d.issuer.keys
}

// KeyID is the kid of the token while the request waits for keys; empty when the
// token names none.
func (d *Decision) KeyID() string { return d.kid }

func (d *Decision) fail(err error) { d.decide(verify.ReasonOf(err), err) }

func (d *Decision) decide(reason verify.Reason, detail error) {
	d.Reason, d.Detail, d.Decided = reason, detail, true
	d.Report = d.lenient && !reason.Passes()
}

// detach lets go of the headers, of which all texts are parts, and of the parsed
// token: together they are forty times what is kept.
func (d *Decision) detach() {
	d.token, d.cached, d.keys = nil, nil, nil
	for _, text := range [...]*string{&d.found.Token, &d.source.cookies, &d.source.path} {
		*text = strings.Clone(*text)
	}
	d.match.Detach()
}

// metadata answers a request for the API's metadata (RFC 9728 §3.1). Preflights for
// it are answered too: the API knows nothing of the path, and browsers that are
// clients of MCP send one.
func (d *Decision) metadata(r *request, _ time.Time) {
	if r.method != "GET" && r.method != "HEAD" && r.method != "OPTIONS" {
		return
	}
	path, err := route.Canonical(r.path, route.Options{})
	if err == nil && path == d.authz.metadataPath {
		d.decide(verify.ResourceMetadata, nil)
	}
}

// IsPreflight reports whether the request was taken for a CORS preflight, which passes
// without a token unless its route denies.
func (d *Decision) IsPreflight() bool { return d.isPreflight }

// preflight lets CORS preflights pass, unless their route may deny.
func (d *Decision) preflight(r *request, _ time.Time) {
	d.isPreflight = r.method == "OPTIONS" && IsPreflight(r.all) && !r.hasTokenHeader()
	if d.isPreflight && !d.authz.denies {
		d.decide(verify.Preflight, nil)
	}
}

// errForged and errOverride refuse what Envoy may have chosen its route by.
var (
	errForged   = &verify.Refusal{Reason: verify.IdentityForged, Detail: "a header that only the edge may set, and by which Envoy may have chosen its route"}
	errOverride = &verify.Refusal{Reason: verify.IdentityForged, Detail: "a header that overrideHeaders removes, and by which Envoy may have chosen its route"}
)

// policy looks at what Envoy's route carries, and refuses requests that another of
// Envoy's routes might be for: it cannot be asked for its policy.
func (d *Decision) policy(r *request, _ time.Time) {
	if len(r.forged) > 0 {
		// Envoy chose by these headers, and chooses anew without them.
		err := errForged
		if !among(d.authz.headers.identity, r.forged[0]) {
			err = errOverride
		}
		d.fail(err)
		return
	}
	var accepted route.Spelling
	if r.policy != nil {
		p := d.authz.policies.of(*r.policy)
		d.Notice, p.notice = p.notice, ""
		if p.table == nil {
			// Whatever mode it meant, it may have been to enforce.
			d.decide(verify.Internal, errPolicy)
			return
		}
		r.routes, d.byPolicy, accepted = p.table, true, p.spellings
	}
	if odd := route.Spellings(r.target(), d.authz.options) &^ accepted; odd != 0 {
		d.spelling = odd
		d.fail(&verify.Refusal{Reason: odd.Reason(), Detail: odd.Advice()})
	}
}

// route finds the route, which may need no token.
func (d *Decision) route(r *request, _ time.Time) {
	err := r.routes.Find(r.target(), &d.match)
	if d.spelling = d.match.Spelling; err != nil {
		// What cannot be read in one way may lead to a route that enforces.
		d.lenient = d.authz.reportsUnread
		d.fail(err)
		return
	}
	d.routed, d.lenient = true, d.match.Report
	switch auth := d.match.Route.Auth; {
	case d.isPreflight && !d.preflightDenied(r):
		// The route was looked for to learn whether anybody passes, and is not the
		// preflight's own.
		d.step, d.routed, d.byPolicy, d.lenient, d.spelling = StepPreflight, false, false, false, 0
		d.decide(verify.Preflight, nil)
	case auth == route.Deny:
		d.decide(verify.RouteDenied, nil)
	case auth == route.None:
		d.decide(verify.Public, nil)
	}
}

// preflightDenied reports whether nobody passes a preflight. It asks on behalf of
// the request that would follow: where no route names OPTIONS, the route of that
// request is asked.
func (d *Decision) preflightDenied(r *request) bool {
	if d.match.Route.Auth != route.Deny || d.match.Index >= 0 || d.byPolicy {
		return d.match.Route.Auth == route.Deny
	}
	target := r.target()
	target.Method = r.requestMethod
	var m route.Match
	return r.routes.Find(target, &m) != nil || m.Route.Auth == route.Deny
}

// extract finds the token.
func (d *Decision) extract(r *request, _ time.Time) {
	var err error
	if d.found, err = verify.Extract(r.credentials, d.authz.locations); err == nil {
		return
	}
	if d.match.Route.Auth == route.Optional && verify.ReasonOf(err) == verify.TokenMissing {
		d.decide(verify.Anonymous, nil)
		return
	}
	d.fail(err)
}

// parse reads the token, unless it is in the cache.
func (d *Decision) parse(*request, time.Time) {
	if c := d.authz.tokens.get(d.found.Token); c != nil {
		d.cached, d.token, d.rule, d.issuer = c, c.token, c.rule, c.issuer
		return
	}
	if d.match.Route.AllowOpaque && verify.IsOpaque(d.found.Token) {
		d.decide(verify.Opaque, nil)
		return
	}
	d.found.Token = d.authz.tokens.own(d.found.Token)
	var err error
	if d.token, err = verify.Parse(d.found.Token); err != nil {
		d.fail(err)
	}
}

// matchIssuer finds the issuer's rule.
func (d *Decision) matchIssuer(r *request, _ time.Time) {
	if d.cached == nil {
		rule, index, err := d.authz.rules.Match(d.token)
		if err != nil {
			d.fail(err)
			return
		}
		d.rule, d.issuer = rule, &d.authz.issuers[index]
	}
	if !d.issuer.takesFrom(d.found.Locations) {
		d.decide(verify.IssuerUnknown, nil)
		return
	}
	if !d.issuer.outputs.keepToken {
		d.source = r.tokenSource(d)
	}
}

// claims judges the claims by the issuer's rule.
func (d *Decision) claims(_ *request, now time.Time) {
	if err := d.rule.Check(d.token, now); err != nil {
		d.fail(err)
		return
	}
	d.verified = d.inCache(now)
}

// errKeyMisfit refuses a token whose key is there, but for other algorithms (RFC
// 8725 §3.1).
var errKeyMisfit = &verify.Refusal{Reason: verify.AlgorithmNotAllowed, Detail: "the key is for another algorithm"}

// findKeys finds the keys that the token may be signed with.
func (d *Decision) findKeys(_ *request, now time.Time) {
	kid, hasKID := d.token.KeyID()
	var outcome jwks.Outcome
	switch d.keys, outcome = d.issuer.keys.Find(now, kid, hasKID, d.token.Algorithm()); outcome {
	case jwks.Found:
	case jwks.AlgorithmMismatch:
		d.step = StepSignature
		d.fail(errKeyMisfit)
	case jwks.NotFound:
		d.decide(verify.KeyUnknown, nil)
	case jwks.Wait:
		d.pending, d.kid = true, strings.Clone(kid)
	default:
		d.Timeout(now)
	}
}

// signature checks the signature with each key, until one verifies it.
func (d *Decision) signature(_ *request, now time.Time) {
	var err error
	for _, key := range d.keys {
		if err = d.verify(key, now); verify.ReasonOf(err) != verify.SignatureInvalid {
			break
		}
	}
	if verify.ReasonOf(err) == verify.SignatureInvalid && !d.rechecked {
		for _, key := range d.keys {
			// The provider may have put new material under the same kid.
			d.rechecked = d.issuer.keys.RecheckKey(now, key) == jwks.Wait || d.rechecked
		}
		if d.rechecked {
			kid, _ := d.token.KeyID()
			d.pending, d.kid = true, strings.Clone(kid)
			return
		}
	}
	if err != nil {
		d.fail(err)
	}
}

// requirements judges the token by what the route asks of it.
func (d *Decision) requirements(_ *request, now time.Time) {
	d.valid = true
	if err := d.match.Check(d.token, now, d.rule.ClockSkew); err != nil {
		d.fail(err)
	}
}

// Step is the check at which the decision has arrived: once Decided, the one that
// decided it. Those before it found no fault.
func (d *Decision) Step() Step { return d.step }

// Match is the route that applies; Index is -1 where none of the table does. It is
// nil before StepRoute has found it, and for what is decided without one. Not to be
// changed.
func (d *Decision) Match() *route.Match {
	if !d.routed {
		return nil
	}
	return &d.match
}

// ByPolicy reports whether the route is a policy of Envoy's, not of the table.
func (d *Decision) ByPolicy() bool { return d.byPolicy }

// Spelling is how the request was spelled, where that made the route that applies a
// stricter one, or ambiguous; 0 for most requests.
func (d *Decision) Spelling() route.Spelling { return d.spelling }

// Locations are where the token stood; nil when there is none.
func (d *Decision) Locations() (all []verify.TokenLocation) {
	for _, index := range d.found.Locations {
		all = append(all, d.authz.locations[index])
	}
	return all
}

// Token is the token; nil when it is no JWS, and while the request waits. Nothing
// in it may be believed unless Valid.
func (d *Decision) Token() *verify.Token { return d.token }

// Rule is the index in config.Config.Rules of the rule that the token's issuer has;
// -1 when there is none.
func (d *Decision) Rule() int {
	if d.issuer == nil {
		return -1
	}
	return d.issuer.rule
}

// Valid reports whether the token satisfies its issuer's rule and its signature
// verifies, whatever the route asks of it.
func (d *Decision) Valid() bool { return d.valid }
