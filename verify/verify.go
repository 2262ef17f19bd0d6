// Package verify judges access tokens: JSON Web Tokens (RFC 7519) in JWS
// compact serialization (RFC 7515), under the best current practices of
// RFC 8725.
//
// A caller finds the token among the request's headers (Extract), reads it
// (Parse), asks which issuer's rule it comes under (Rules.Match), lets that rule
// judge its claims (Rule.Check), looks its key up, and checks the signature
// last, because that is a thousand times dearer than all the rest
// (Token.VerifySignature). Until then nothing that the token says may be
// believed, forwarded, or written to a log.
//
// Every refusal is an error that wraps a Reason. The table in reason.go is the
// one place that says what a client is told for each.
//
// Left to others: where keys come from (package jwks), where the request comes
// from (package plugin), the time, which is always an argument.
package verify

import (
	"slices"
	"time"

	"edgejwt/verify/ascii"
)

// Rule says which tokens of one issuer are accepted.
type Rule struct {
	// Issuer is compared with "iss" byte for byte (RFC 7519 §4.1.1).
	Issuer string
	// Audiences are the accepted values of "aud"; one match is enough.
	Audiences []string
	// AnyAudience gives up the audience check. RFC 8725 §3.9 says what that costs.
	AnyAudience bool
	// Algorithms are the accepted values of "alg".
	Algorithms []string
	// ClockSkew is how far the issuer's clock may differ from ours.
	ClockSkew time.Duration
}

// Rules are the accepted issuers. They are not changed after NewRules and may
// be shared by goroutines.
type Rules struct {
	rules      []Rule
	algorithms []string
}

// NewRules takes the rules over. No two may have one issuer; the configuration
// has made sure of that.
func NewRules(rules []Rule) *Rules {
	all := &Rules{rules: rules}
	for i := range rules {
		for _, alg := range rules[i].Algorithms {
			if !slices.Contains(all.algorithms, alg) {
				all.algorithms = append(all.algorithms, alg)
			}
		}
	}
	return all
}

// Match finds the rule of the token's issuer and gives it with its index.
// Reasons: AlgorithmNotAllowed, ClaimInvalid, IssuerUnknown.
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
		if !slices.Contains(rule.Algorithms, t.algorithm) {
			return nil, -1, refuse(AlgorithmNotAllowed, "the issuer's rule does not allow this algorithm")
		}
		return rule, i, nil
	}
	return nil, -1, refuse(IssuerUnknown, "no rule for this issuer")
}

// Check judges the claims at the given time: the cheap part, which comes before
// any key is looked for. The token must have matched the rule. It does not check
// the signature. Reasons: ClaimInvalid, TokenExpired, TokenNotYetValid,
// AudienceMismatch.
func (r *Rule) Check(t *Token, now time.Time) error {
	if err := r.checkTimes(t, now); err != nil {
		return err
	}
	if err := r.checkAudience(t); err != nil {
		return err
	}
	// RFC 7519 §4.1.2 and §4.1.7. A number where a name is meant would reach
	// the API as a header, and there be taken for another's name.
	if t.subject == wrongType {
		return refuse(ClaimInvalid, "sub is not a string")
	}
	if t.tokenID == wrongType {
		return refuse(ClaimInvalid, "jti is not a string")
	}
	return nil
}

// checkTimes follows RFC 7519 §4.1.4 to §4.1.6: a token is good before exp (not
// at it) and from nbf on. RFC 7519 leaves iat to the application; one that lies
// ahead by more than the skew shows a broken issuer or a forgery.
func (r *Rule) checkTimes(t *Token, now time.Time) error {
	// Float seconds hold a present date to a quarter of a microsecond, and a
	// NumericDate may have a fraction.
	at := float64(now.Unix()) + float64(now.Nanosecond())/1e9
	skew := r.ClockSkew.Seconds()
	switch {
	case t.expiry.state == absent:
		return refuse(ClaimInvalid, "exp is missing")
	case t.expiry.state == wrongType:
		return refuse(ClaimInvalid, "exp is not a NumericDate")
	case at >= t.expiry.seconds+skew:
		return refuse(TokenExpired, "exp has passed")
	case t.notBefore.state == wrongType:
		return refuse(ClaimInvalid, "nbf is not a NumericDate")
	case t.notBefore.state == present && at < t.notBefore.seconds-skew:
		return refuse(TokenNotYetValid, "nbf has not come")
	case t.issuedAt.state == wrongType:
		return refuse(ClaimInvalid, "iat is not a NumericDate")
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
	return refuse(AudienceMismatch, "aud names none of the rule's audiences")
}

// hasPrefixFold is strings.HasPrefix without regard to ASCII case.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && ascii.EqualFold(s[:len(prefix)], prefix)
}
