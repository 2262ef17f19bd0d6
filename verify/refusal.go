package verify

// Refusal is a Reason with a detail for the log at debug level. The detail is
// always a fixed text of this package: it never quotes the token.
type Refusal struct {
	Reason Reason
	Detail string
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
	for {
		if reason, ok := err.(Reason); ok && !reason.Passes() {
			return reason
		}
		wrapping, ok := err.(interface{ Unwrap() error })
		if !ok {
			return Internal
		}
		err = wrapping.Unwrap() // errors.As would be 50 KB of module
	}
}

// refuse makes a Refusal. Details must be constants: see Refusal.
func refuse(reason Reason, detail string) error {
	return &Refusal{Reason: reason, Detail: detail}
}
