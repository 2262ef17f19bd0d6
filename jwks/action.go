package jwks

import "time"

// ActionKind says what the adapter has to do.
type ActionKind uint8

// The kinds. What an action's event returns is carried out before the actions
// that follow it.
const (
	_ ActionKind = iota
	// Load: read the record and its version, and call Loaded.
	Load
	// Save: write Record if the version is still Version, which is never 0
	// (VersionNone: if there is no record). When that worked, write Hint to the hint
	// key, then call Saved(true); else Saved(false).
	Save
	// Fetch: GET URL with Headers (validators) and those that the adapter wants, and call Answered with Ticket when the answer
	// is there, the Timeout is over or the request cannot be sent.
	Fetch
	// Changed: judge every parked request of this source again.
	Changed
	// Info and Warn: log Message. It holds no secret, and foreign text only quoted.
	Info
	Warn
)

// VersionNone is the version to name when there must be no record yet. Hosts
// count versions up from 1, take a version that is not the record's as a mismatch,
// and any at all where there is no record: that makes creation atomic.
const VersionNone = 1 << 31

// Action is one thing to do. Only the fields that its kind names are set. It
// belongs to the caller.
type Action struct {
	Kind    ActionKind
	Record  []byte
	Version uint32
	Hint    uint64
	Ticket  uint64
	URL     string
	Headers [][2]string
	Timeout time.Duration
	Message string
}

// act adds an action that has no fields but Message.
//
//go:noinline // an Action is large, and this stands in many places
func appendAction(actions []Action, kind ActionKind, message string) []Action {
	return append(actions, Action{Kind: kind, Message: message})
}

// Answer is what came of a Fetch.
type Answer struct {
	// Err: no answer; the other fields do not count.
	Err bool
	// Status is the HTTP status. The host's own 503 and 504 for a provider that
	// it cannot reach count as answers too.
	Status int
	// Headers are names, in any case, and values. They and Body are not kept.
	Headers [][2]string
	Body    []byte
}

// Result says what a finished fetch brought. String is its metric label.
type Result uint8

// The results.
const (
	// ResultChanged: a usable set that differs from the one before.
	ResultChanged Result = iota
	// ResultSame: the same set again.
	ResultSame
	// ResultNotModified: 304.
	ResultNotModified
	// ResultFailed: anything that brought no usable set.
	ResultFailed
	// ResultDiscovered: a usable discovery document.
	ResultDiscovered
	// ResultDiscarded: an answer that came after the lease was lost.
	ResultDiscarded
	// ResultEnd is the number of results.
	ResultEnd
)

// String is the metric label.
func (r Result) String() string {
	names := [ResultEnd]string{"changed", "same", "not_modified", "failed", "discovered", "discarded"}
	if r >= ResultEnd {
		return "unknown"
	}
	return names[r]
}
