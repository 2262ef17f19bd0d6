// Package verify verifies access tokens: JSON Web Tokens (RFC 7519) in JWS compact
// serialization (RFC 7515). It follows the best current practices of RFC 8725.
//
// A caller takes these steps, in this order:
//
//  1. Extract finds the token in the request's headers.
//  2. Rules.Parse reads it.
//  3. Rules.Match finds the rule of its issuer.
//  4. Rule.Check checks its claims.
//  5. The caller looks up the key (package jwks).
//  6. Token.VerifySignature checks the signature. It costs much more than all steps before
//     it together.
//  7. SenderConstraint.Check checks that the request proves what the token is bound to.
//
// Before the signature has been verified, the caller must not trust, forward or log
// anything that the token contains.
//
// Every refusal is an error that wraps a Reason. The table in reason.go defines the
// response to each Reason.
//
// This package does not fetch keys (package jwks), does not read requests from the
// proxy (package plugin) and does not read the clock: the time is an argument.
package verify

import (
	"slices"
	"time"
)

// Rule says which tokens of one issuer are accepted.
type Rule struct {
	// Issuer is compared with "iss" byte for byte (RFC 7519 §4.1.1).
	Issuer string
	// Audiences are the accepted values of "aud"; one match is enough.
	Audiences []string
	// AnyAudience turns the audience check off. RFC 8725 §3.9 names the risks.
	AnyAudience bool
	// Algorithms are the accepted values of "alg".
	Algorithms []string
	// ClockSkew is the greatest accepted difference between the issuer's clock and
	// ours. It must not be negative.
	ClockSkew time.Duration
	// MaxTokenBytes bounds the compact token, from MinTokenBytes to MaxTokenBytes; 0
	// stands for DefaultTokenBytes.
	MaxTokenBytes int
}

// maxTokenBytes is MaxTokenBytes, or its default.
func (r *Rule) maxTokenBytes() int {
	if r.MaxTokenBytes == 0 {
		return DefaultTokenBytes
	}
	return r.MaxTokenBytes
}

// Rules are the accepted issuers. They are not changed after NewRules and may
// be shared by goroutines.
type Rules struct {
	rules         []Rule
	algorithms    []string
	maxTokenBytes int // the greatest of the rules
}

// NewRules makes Rules of a slice, which the caller must not change afterwards. The
// issuers must differ; package config checks that.
func NewRules(rules []Rule) *Rules {
	all := &Rules{rules: rules}
	for i := range rules {
		all.maxTokenBytes = max(all.maxTokenBytes, rules[i].maxTokenBytes())
		for _, alg := range rules[i].Algorithms {
			if !slices.Contains(all.algorithms, alg) {
				all.algorithms = append(all.algorithms, alg)
			}
		}
	}
	return all
}

// MaxTokenBytes is the greatest length of a token of any of the rules.
func (rs *Rules) MaxTokenBytes() int { return rs.maxTokenBytes }

// Parse is the function Parse with the bound MaxTokenBytes: which rule is the token's is
// known only once it is parsed. Match has the bound of that rule.
func (rs *Rules) Parse(compact string) (*Token, error) { return parse(compact, rs.maxTokenBytes) }

// Match returns the rule of the token's issuer and its index in the slice given to
// NewRules. On an error the index is -1.
// Reasons: AlgorithmNotAllowed, ClaimInvalid, IssuerUnknown, TokenTooLarge.
func (rs *Rules) Match(t *Token) (*Rule, int, error) {
	if !slices.Contains(rs.algorithms, t.algorithm) {
		return nil, -1, refuse(AlgorithmNotAllowed, "no rule allows this algorithm")
	}
	if t.issuer.state == wrongType {
		return nil, -1, refuse(ClaimInvalid, "iss is not a string")
	}
	for i := range rs.rules {
		rule := &rs.rules[i]
		if t.issuer.state == absent || rule.Issuer != t.issuer.text {
			continue
		}
		switch {
		case t.length > rule.maxTokenBytes():
			return nil, -1, refuse(TokenTooLarge, "the token is too long for the issuer's rule")
		case !slices.Contains(rule.Algorithms, t.algorithm):
			return nil, -1, refuse(AlgorithmNotAllowed, "the issuer's rule does not allow this algorithm")
		}
		return rule, i, nil
	}
	detail := "no rule for this issuer"
	for i := range rs.rules {
		if difference := Difference(t.issuer.text, rs.rules[i].Issuer); difference != "" && t.issuer.state == present {
			detail += "; it differs from a rule's issuer " + difference
			break
		}
	}
	return nil, -1, refuse(IssuerUnknown, detail)
}

// Check checks the claims of a token at the given time. The token must have matched
// the rule. Check does not check the signature. Reasons: ClaimInvalid, ClaimOutOfRange,
// TokenExpired, TokenNotYetValid, AudienceMismatch.
func (r *Rule) Check(t *Token, now time.Time) error {
	if err := r.checkTimes(t, now); err != nil {
		return err
	}
	if err := r.checkAudience(t); err != nil {
		return err
	}
	// RFC 7519 §4.1.2 and §4.1.7. A number would reach the API as a header, where it
	// looks like the name of another user.
	if t.subject == wrongType {
		return refuse(ClaimInvalid, "sub is not a string")
	}
	if t.tokenID == wrongType {
		return refuse(ClaimInvalid, "jti is not a string")
	}
	return nil
}

// checkTimes follows RFC 7519 §4.1.4 to §4.1.6: a token is valid before exp (not at
// it) and from nbf on. RFC 7519 leaves iat to the application. An iat in the future
// by more than the skew indicates a broken issuer or a forgery.
func (r *Rule) checkTimes(t *Token, now time.Time) error {
	// A NumericDate may have a fraction. A float64 is precise enough for it.
	at := float64(now.Unix()) + float64(now.Nanosecond())/1e9
	skew := r.ClockSkew.Seconds()
	switch {
	case t.expiry.state == absent:
		return refuse(ClaimInvalid, "exp is missing")
	case t.expiry.state == wrongType:
		return refuse(ClaimInvalid, "exp is not a NumericDate")
	case t.expiry.state == outOfRange:
		return refuse(ClaimOutOfRange, "exp is out of range")
	case at >= t.expiry.seconds+skew:
		return refuse(TokenExpired, "exp has passed")
	case t.notBefore.state == wrongType:
		return refuse(ClaimInvalid, "nbf is not a NumericDate")
	case t.notBefore.state == outOfRange:
		return refuse(ClaimOutOfRange, "nbf is out of range")
	case t.notBefore.state == present && at < t.notBefore.seconds-skew:
		return refuse(TokenNotYetValid, "nbf has not come")
	case t.issuedAt.state == wrongType:
		return refuse(ClaimInvalid, "iat is not a NumericDate")
	case t.issuedAt.state == outOfRange:
		return refuse(ClaimOutOfRange, "iat is out of range")
	case t.issuedAt.state == present && at < t.issuedAt.seconds-skew:
		return refuse(TokenNotYetValid, "iat has not come")
	}
	return nil
}

func (r *Rule) checkAudience(t *Token) error {
	if t.audienceState == wrongType {
		return refuse(ClaimInvalid, "aud is neither a string nor a list of strings")
	}
	if r.AnyAudience {
		return nil
	}
	for _, audience := range t.audience {
		if slices.Contains(r.Audiences, audience) {
			return nil
		}
	}
	detail := "aud names none of the rule's audiences"
	for _, audience := range t.audience {
		for _, accepted := range r.Audiences {
			if difference := Difference(audience, accepted); difference != "" {
				return refuse(AudienceMismatch, detail+"; it differs from one of them "+difference)
			}
		}
	}
	return refuse(AudienceMismatch, detail)
}
