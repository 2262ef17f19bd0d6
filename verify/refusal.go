package verify

import "errors"

// Refusal is a Reason with a detail for the log at debug level. The detail is
// always a fixed text of this package: it never quotes the token.
type Refusal struct {
	Reason Reason
	Detail string
	// Scope lists the scopes that the request needs, parted by spaces, for the
	// challenge (RFC 6750 §3). They are the operator's words, never the token's:
	// scope-tokens of RFC 6749 §3.3, so without quotes and backslashes.
	Scope string
}

// Error gives the reason's name and the detail.
func (r *Refusal) Error() string { return r.Reason.String() + ": " + r.Detail }

// Unwrap lets errors.Is find the Reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// ReasonOf tells why err refuses: Accepted for nil, the Reason that err wraps,
// and Internal for an error of any other kind, so that the unknown case refuses.
// No error passes: one that wraps a passing Reason is a fault of our own.
func ReasonOf(err error) Reason {
	if err == nil {
		return Accepted
	}
	var reason Reason
	if !errors.As(err, &reason) || reason.Passes() {
		return Internal
	}
	return reason
}

// ChallengeOf is the WWW-Authenticate value for err: that of its Reason, with
// the scopes that the Refusal lists. See Reason.Challenge about the realm.
func ChallengeOf(err error, realm string) string {
	challenge := ReasonOf(err).Challenge(realm)
	var refusal *Refusal
	if challenge != "" && errors.As(err, &refusal) && refusal.Scope != "" {
		challenge += `, scope="` + refusal.Scope + `"`
	}
	return challenge
}

// refuse makes a Refusal. Details must be constants: see Refusal.
func refuse(reason Reason, detail string) error {
	return &Refusal{Reason: reason, Detail: detail}
}
