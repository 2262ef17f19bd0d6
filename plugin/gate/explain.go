package gate

import (
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// Step is a check on a request's way.
type Step uint8

// The steps, in the order in which a request meets them. A decision was taken in
// the step that Judgement.Step gives; those before it found no fault.
const (
	_ Step = iota
	// StepMetadata: whether the API's description is asked for.
	StepMetadata
	// StepPreflight: whether it is a CORS preflight that passes. Where routes may
	// deny, the next two are taken before that is decided.
	StepPreflight
	// StepPolicy: the policy of Envoy's route, if routes may carry one, and whether
	// the path can lead to no other.
	StepPolicy
	// StepRoute: which route applies, and whether it asks for a token or refuses all.
	StepRoute
	// StepExtract: the token's place.
	StepExtract
	// StepParse: the token's form, or whether it is opaque.
	StepParse
	// StepIssuer: the algorithm, the issuer's rule and its places.
	StepIssuer
	// StepClaims: what the rule demands of the claims.
	StepClaims
	// StepKey: the key that the token names.
	StepKey
	// StepSignature: the signature.
	StepSignature
	// StepNeed: what the route demands of a valid token.
	StepNeed
)

// Step is the check at which the judgement has arrived: once Decided, the one
// that decided it.
func (j *Judgement) Step() Step { return j.step }

// Match is the route that applies; Index is -1 where none of the table does. nil
// before StepRoute has found it, and for what is decided there or earlier without
// one. Not to be changed.
func (j *Judgement) Match() *route.Match {
	if !j.routed {
		return nil
	}
	return &j.match
}

// ByPolicy reports whether the route is a policy of Envoy's, not of the table.
func (j *Judgement) ByPolicy() bool { return j.byPolicy }

// Locations are the places at which the token stood; nil when there is none.
func (j *Judgement) Locations() []verify.Location {
	var all []verify.Location
	for _, index := range j.found.Locations {
		all = append(all, j.gate.locations[index])
	}
	return all
}

// Token is the token; nil when it is no JWS, and while the request waits. Nothing
// in it may be believed unless Valid.
func (j *Judgement) Token() *verify.Token { return j.token }

// Rule is the index in config.Config.Rules of the rule that the token's issuer
// has; -1 when there is none.
func (j *Judgement) Rule() int {
	if j.issuer == nil {
		return -1
	}
	return j.issuer.rule
}

// Valid reports whether the token satisfies its issuer's rule and its signature
// verifies, whatever the route says of it.
func (j *Judgement) Valid() bool { return j.valid }
