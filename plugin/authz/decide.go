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

// The steps, in their order.
const (
	_ Step = iota
	// StepMetadata answers requests for the resource metadata (RFC 9728).
	StepMetadata
	// StepPreflight lets CORS preflights pass. If any route may deny, StepRoute does it.
	StepPreflight
	// StepPolicy reads the policy of Envoy's route, and refuses requests that another
	// route of Envoy's may be for.
	StepPolicy
	// StepRoute finds the route. Routes that deny, or that need no token, decide.
	StepRoute
	// StepExtract finds the token.
	StepExtract
	// StepParse parses the token. Opaque tokens pass where the route allows them.
	StepParse
	// StepIssuer checks the algorithm, and finds the issuer's rule.
	StepIssuer
	// StepClaims checks the claims by the issuer's rule.
	StepClaims
	// StepKey finds the keys for the token.
	StepKey
	// StepSignature checks the signature.
	StepSignature
	// StepBinding checks that the request proves what the token is bound to.
	StepBinding
	// StepRequirements checks the token by the requirements of the route.
	StepRequirements
)

// step is a check and its code. The code decides, or sets the request to pending, or does
// neither and leaves it to the next step.
type step struct {
	name  Step
	check func(d *Decision, r *request, now time.Time)
}

// plan returns the checks that a configuration needs, in their order. Cheap checks come
// first. No claim is trusted before StepSignature. A refusal reveals the requirements of a
// route only to clients with a valid token.
func (a *Authorizer) plan(cfg *config.Config) (steps []step) {
	for _, s := range [...]struct {
		needed bool
		step
	}{
		{a.metadataPath != "", step{StepMetadata, (*Decision).metadata}},
		{!cfg.DecidePreflights, step{StepPreflight, (*Decision).preflight}},
		{a.policies != nil, step{StepPolicy, (*Decision).policy}},
		{true, step{StepRoute, (*Decision).route}},
		{true, step{StepExtract, (*Decision).extract}},
		{true, step{StepParse, (*Decision).parse}},
		{true, step{StepIssuer, (*Decision).matchIssuer}},
		{true, step{StepClaims, (*Decision).claims}},
		{true, step{StepKey, (*Decision).findKeys}},
		{true, step{StepSignature, (*Decision).signature}},
		{true, step{StepBinding, (*Decision).binding}},
		{true, step{StepRequirements, (*Decision).requirements}},
	} {
		if s.needed {
			steps = append(steps, s.step)
		}
	}
	return steps
}

// Decide decides about a request, or leaves it waiting for keys. headers are all headers
// of the request with the pseudo headers, names in lower case. d keeps parts of them,
// unless the request waits. policy is the policy of Envoy's route, or nil; it is ignored
// without UsesPolicies, and not kept.
func (a *Authorizer) Decide(d *Decision, headers [][2]string, policy *string, now time.Time) {
	r := a.read(headers)
	r.policy = policy
	*d = Decision{GRPC: r.grpc, Forged: r.forged, authz: a}
	d.run(r, StepMetadata, now)
	if !d.Decided {
		d.detach()
	}
}

// run runs the steps, beginning with from, until one of them decides or has to wait.
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

// Decision is the state and the result of the decision about one request. After Decide the
// request is either decided or waits for keys. The zero value is not decided.
type Decision struct {
	// Reason is the decision. It is valid when Decided is true.
	Reason verify.Reason
	// Detail has details for the log, or is nil. It quotes nothing of the request.
	Detail error
	// RetryAfter is the Retry-After for KeysUnavailable, in whole seconds; 0 otherwise.
	RetryAfter time.Duration
	// Decided is false while the request waits for keys.
	Decided bool
	// Report is true when Reason refuses, but the request passes (mode: report).
	Report bool
	// GRPC is true when the request is gRPC.
	GRPC bool
	// Forged has the names, as sent, of headers that the client must not send. The caller
	// must remove them first, whatever the reason. A name may occur twice. The names are
	// parts of the headers given to Decide.
	Forged []string
	// Untried is how many keys of the issuer might have signed the token and were not
	// tried, when the signature failed under the others; 0 for most requests.
	Untried int
	// Notice is a fault of the configuration to log, or empty. Each fault comes once. It
	// quotes nothing of the request.
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
	proof  proof
	kid    string // of the token, while the request waits

	spelling    route.Spelling // that selected another route, or refused the request
	isPreflight bool           // it passes unless its route denies
	routed      bool           // match is set
	byPolicy    bool           // match is from a policy, not from the table
	reportOnly  bool           // refusals from here on are only reported
	pending     bool           // the request waits for keys
	verified    bool           // the signature verified before: see inCache
	valid       bool           // rule and signature are satisfied
}

// Allowed reports whether the request passes. It is valid when Decided is true.
func (d *Decision) Allowed() bool { return d.Reason.Passes() || d.Report }

// Resume continues the decision about a request that waits: it checks the claims again,
// because time has passed, then key and signature. Call it when the keys of KeySource
// have changed. The request may have to wait again.
func (d *Decision) Resume(now time.Time) {
	if d.Decided {
		return
	}
	var err error
	if d.token, err = d.authz.rules.Parse(d.found.Token); err != nil {
		d.fail(err) // cannot happen: it was parsed before
		return
	}
	d.pending = false
	if d.run(nil, StepClaims, now); !d.Decided {
		d.token = nil
	}
}

// Timeout refuses a request that has waited for keys too long, with KeysUnavailable.
func (d *Decision) Timeout(now time.Time) {
	if d.Decided {
		return
	}
	d.RetryAfter = max(d.issuer.keys.RetryAfter(now), minRetryAfter)
	d.decide(verify.KeysUnavailable, nil)
}

// KeySource is the source whose keys the request waits for, or nil.
func (d *Decision) KeySource() *jwks.Source {
	if d.Decided || d.issuer == nil {
		return nil
	}
	return d.issuer.keys
}

// KeyID is the token's kid while the request waits for keys. It is empty when the token
// has none.
func (d *Decision) KeyID() string { return d.kid }

func (d *Decision) fail(err error) { d.decide(verify.ReasonOf(err), err) }

func (d *Decision) decide(reason verify.Reason, detail error) {
	d.Reason, d.Detail, d.Decided = reason, detail, true
	d.Report = d.reportOnly && !reason.Passes()
}

// detach releases the headers, of which all texts are parts, and the parsed token. A
// request that waits then keeps only copies of the texts that it needs.
func (d *Decision) detach() {
	d.token, d.cached, d.keys = nil, nil, nil
	for _, text := range [...]*string{&d.found.Token, &d.source.cookies, &d.source.path} {
		*text = strings.Clone(*text)
	}
	for i := range d.source.lists {
		d.source.lists[i][1] = strings.Clone(d.source.lists[i][1])
	}
	d.proof.detach()
	d.match.Detach()
}

// metadata decides requests for the resource metadata (RFC 9728 §3.1), and preflights for
// it, too: MCP clients in browsers send them, and the API does not know the path.
func (d *Decision) metadata(r *request, _ time.Time) {
	if r.method != "GET" && r.method != "HEAD" && r.method != "OPTIONS" {
		return
	}
	path, err := route.Canonical(r.path, route.Options{})
	if err == nil && path == d.authz.metadataPath {
		d.decide(verify.ResourceMetadata, nil)
	}
}

// IsPreflight reports whether the request is a CORS preflight, which passes without a
// token unless its route denies.
func (d *Decision) IsPreflight() bool { return d.isPreflight }

// preflight lets CORS preflights pass, unless some route denies. Then route decides.
func (d *Decision) preflight(r *request, _ time.Time) {
	d.isPreflight = r.method == "OPTIONS" && IsPreflight(r.all) && !r.hasTokenHeader()
	if d.isPreflight && !d.authz.denies {
		d.decide(verify.Preflight, nil)
	}
}

// errForged and errOverride refuse requests whose headers Envoy may have used to choose
// its route, although they are removed.
var (
	errForged   = &verify.Refusal{Reason: verify.IdentityForged, Detail: "a header that only the edge may set, and that Envoy may have used to choose its route"}
	errOverride = &verify.Refusal{Reason: verify.IdentityForged, Detail: "a header that overrideHeaders removes, and that Envoy may have used to choose its route"}
)

// policy reads the policy of Envoy's route. It refuses requests that may be for another
// of Envoy's routes, because the policy of that route is not known.
func (d *Decision) policy(r *request, _ time.Time) {
	if len(r.forged) > 0 {
		// Envoy may choose another route when these headers are removed.
		err := errForged
		if !containsHeader(d.authz.headers.identity, r.forged[0]) {
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
			// Never only reported: the mode of a policy with a fault is not known.
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

// route finds the route. It decides when the route denies or needs no token.
func (d *Decision) route(r *request, _ time.Time) {
	err := r.routes.Find(r.target(), &d.match)
	if d.spelling = d.match.Spelling; err != nil {
		// An ambiguous request may be for a route that enforces.
		d.reportOnly = d.authz.reportsUnreadable
		d.fail(err)
		return
	}
	d.routed, d.reportOnly = true, d.match.Report
	switch auth := d.match.Route.Auth; {
	case d.isPreflight && !d.preflightDenied(r):
		// The route was needed only to know whether it denies. It does not count as the
		// route of the preflight.
		d.step, d.routed, d.byPolicy, d.reportOnly, d.spelling = StepPreflight, false, false, false, 0
		d.decide(verify.Preflight, nil)
	case auth == route.Deny:
		d.decide(verify.RouteDenied, nil)
	case auth == route.None:
		d.decide(verify.Public, nil)
	}
}

// preflightDenied reports whether the route of a preflight denies. If no route matches
// OPTIONS, it is the route of the request that the preflight announces.
func (d *Decision) preflightDenied(r *request) bool {
	if d.match.Route.Auth != route.Deny || d.match.Index >= 0 || d.byPolicy {
		return d.match.Route.Auth == route.Deny
	}
	target := r.target()
	target.Method = r.requestMethod
	var m route.Match
	return r.routes.Find(target, &m) != nil || m.Route.Auth == route.Deny
}

// errDropped refuses a request that would reach the API without headers that matter.
var errDropped = &verify.Refusal{Reason: verify.RequestAmbiguous, Detail: "connection names a header that the edge compares or sets, and the next proxy removes such headers (RFC 9110 §7.6.1)"}

// extract finds the token.
func (d *Decision) extract(r *request, _ time.Time) {
	if r.dropsHeaders {
		d.fail(errDropped)
		return
	}
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
	rules := d.authz.rules
	if d.match.Route.AllowOpaque && len(d.found.Token) <= rules.MaxTokenBytes() && verify.IsOpaque(d.found.Token) {
		d.decide(verify.Opaque, nil)
		return
	}
	d.found.Token = d.authz.tokens.clone(d.found.Token)
	var err error
	if d.token, err = rules.Parse(d.found.Token); err != nil {
		d.fail(err)
	}
}

// matchIssuer finds the issuer's rule. The token must be in a location of that rule.
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
	d.proof = r.proof()
	if !d.issuer.outputs.keepToken {
		d.source = r.tokenSource(d)
	}
}

// claims checks the claims by the issuer's rule.
func (d *Decision) claims(_ *request, now time.Time) {
	if err := d.rule.Check(d.token, now); err != nil {
		d.fail(err)
		return
	}
	d.verified = d.inCache(now)
}

// errOtherAlgorithm refuses a token whose key is for another algorithm (RFC 8725 §3.1).
var errOtherAlgorithm = &verify.Refusal{Reason: verify.AlgorithmNotAllowed, Detail: "the key is for another algorithm"}

// findKeys finds the keys for the token, or waits for them.
func (d *Decision) findKeys(_ *request, now time.Time) {
	kid, _ := d.token.KeyID()
	var outcome jwks.Outcome
	d.keys, outcome = d.issuer.keys.Find(now, kid, d.token.Algorithm())
	if outcome == jwks.AlgorithmMismatch {
		d.step = StepSignature
		d.fail(errOtherAlgorithm)
		return
	}
	d.withoutKey(outcome, kid, now)
}

// withoutKey decides or waits when the key set has no key for the token.
func (d *Decision) withoutKey(outcome jwks.Outcome, kid string, now time.Time) {
	switch outcome {
	case jwks.Found:
	case jwks.NotFound:
		d.step = StepKey
		d.decide(verify.KeyUnknown, nil)
	case jwks.Wait:
		d.pending, d.kid = true, strings.Clone(kid)
	default:
		d.Timeout(now)
	}
}

// errNoKeyID refuses a token that names none of the keys that it may mean.
var errNoKeyID = &verify.Refusal{Reason: verify.KeyIDMissing, Detail: "the token has no kid, several keys may have signed it, and none of those that were tried verifies it"}

// errUntried refuses a token that one of the keys that were not tried may have signed.
var errUntried = &verify.Refusal{Reason: verify.SignatureInvalid, Detail: "the signature does not verify under the keys that were tried, and the key set has more keys for such a token"}

// signature checks the signature with the keys until one verifies it. If none does, it may
// wait for newer keys.
func (d *Decision) signature(_ *request, now time.Time) {
	err := d.verify(now)
	if err == nil {
		return
	}
	if verify.ReasonOf(err) == verify.SignatureInvalid {
		kid, _ := d.token.KeyID()
		outcome := d.issuer.keys.Recheck(now, kid, d.candidates())
		if outcome != jwks.Found {
			d.withoutKey(outcome, kid, now)
			return
		}
		d.Untried = len(d.keys) - len(d.candidates())
		switch {
		case kid == "" && len(d.keys) > 1:
			err = errNoKeyID
		case d.Untried > 0:
			err = errUntried
		}
	}
	d.fail(err)
}

// candidates are the keys that are tried.
func (d *Decision) candidates() []*verify.Key { return d.keys[:min(len(d.keys), jwks.MaxCandidates)] }

// requirements checks the token by the requirements of the route.
func (d *Decision) requirements(_ *request, now time.Time) {
	d.valid = true
	if err := d.match.Check(d.token, now, d.rule.ClockSkew); err != nil {
		d.fail(err)
	}
}

// Step is the check that decided, or the one that waits for keys. The checks before it
// passed.
func (d *Decision) Step() Step { return d.step }

// Match is the route that applies. Its Index is -1 when no route of the table matches. It
// is nil for requests that are decided before StepRoute or without a route. It must not
// be changed.
func (d *Decision) Match() *route.Match {
	if !d.routed {
		return nil
	}
	return &d.match
}

// ByPolicy reports whether the route is the policy of an Envoy route.
func (d *Decision) ByPolicy() bool { return d.byPolicy }

// Spelling says which spelling of the request selected a stricter route or made the
// request ambiguous. It is 0 for most requests.
func (d *Decision) Spelling() route.Spelling { return d.spelling }

// Locations are the locations that contain the token; nil without a token.
func (d *Decision) Locations() (all []verify.TokenLocation) {
	for _, index := range d.found.Locations {
		all = append(all, d.authz.locations[index])
	}
	return all
}

// Token is the parsed token. It is nil without a JWS, and while the request waits. It must
// not be trusted unless Valid.
func (d *Decision) Token() *verify.Token { return d.token }

// Rule is the index in config.Config.Rules of the rule of the token's issuer, or -1.
func (d *Decision) Rule() int {
	if d.issuer == nil {
		return -1
	}
	return d.issuer.rule
}

// Valid reports whether the token satisfies its issuer's rule, its signature verifies, and
// the request proves what the token is bound to. It may still lack what the route requires.
func (d *Decision) Valid() bool { return d.valid }
