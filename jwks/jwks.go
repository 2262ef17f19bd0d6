// Package jwks reads JSON Web Key Sets (JWKS, RFC 7517) and decides when the keys
// of one issuer are fetched, how long they are used, and what a request gets while
// they cannot be had.
//
// Parse reads a document into a Set of usable keys. A Source keeps the set of one
// issuer up to date. A Source does nothing by itself: the caller reports events (a
// tick, the record read from shared data, the provider's answer), and each event
// returns the actions to carry out. Time, random numbers and bytes are arguments,
// so the tests run a Source against a simulated host.
//
// Most callers need New (or Fixed for keys in the configuration), Source.Find for
// each token, and the four events Tick, Loaded, Saved and Answered.
//
// Left to others: HTTP and TLS (the host), the signature (package verify), which
// requests wait and for how long (package plugin). README.md draws the states.
package jwks

import "time"

// ActionKind says what the caller has to do.
type ActionKind uint8

// The kinds. The actions that an action's event returns are carried out before
// the actions that follow it.
const (
	_ ActionKind = iota
	// Load: read the record and its version from shared data, and call Loaded.
	Load
	// Save: write Record by compare-and-swap if the stored version is Version, which
	// is never 0 (VersionNone: there is no record). If that succeeds, write Hint under
	// the hint's key, then call Saved(true); otherwise call Saved(false).
	Save
	// Fetch: send GET URL over Cluster, with Headers (If-None-Match, If-Modified-Since)
	// and the caller's own headers. Call Answered with Ticket when the answer is there, when
	// Timeout is over, or when the request cannot be sent.
	Fetch
	// Changed: decide each pending request of this source again.
	Changed
	// Info and Warn: log Message. It holds no secret; foreign text in it is quoted.
	Info
	Warn
)

// VersionNone is the version to pass to the host when there must be no record yet.
// Hosts count versions from 1. They refuse a version that differs from the stored
// record's, and take any version where there is no record, so creation is atomic.
const VersionNone = 1 << 31

// Action is one thing to do. Only the fields that its kind names are set. The
// action and its bytes belong to the caller.
type Action struct {
	Kind    ActionKind
	Record  []byte
	Version uint32
	Hint    uint64
	Ticket  uint64
	URL     string
	Cluster string
	Headers [][2]string
	Timeout time.Duration
	Message string
}

// appendAction appends an action that has no fields but Message.
func appendAction(actions []Action, kind ActionKind, message string) []Action {
	return append(actions, Action{Kind: kind, Message: message})
}

// Answer is the outcome of a Fetch.
type Answer struct {
	// Err is why there is no answer, as far as the caller knows: one of the errors from
	// ErrNoAnswer and ErrUnknownCluster to ErrOverflow. 0: there is one. Of the other
	// fields only Detail counts then.
	Err Error
	// Detail is what the caller knows besides Err, for the log; empty for nothing. It
	// is quoted and cut there.
	Detail string
	// Status is the HTTP status.
	Status int
	// Headers are names, in any case, and values. Headers and Body are not kept.
	Headers [][2]string
	Body    []byte
}

// Result is the outcome of a fetch as metrics count it.
type Result uint8

// The results.
const (
	// ResultChanged: a usable set that differs from the one before.
	ResultChanged Result = iota
	// ResultSame: the same set again.
	ResultSame
	// ResultNotModified: 304 (RFC 9110 §15.4.5).
	ResultNotModified
	// ResultFailed: no usable set.
	ResultFailed
	// ResultDiscovered: a usable discovery document.
	ResultDiscovered
	// ResultDiscarded: an answer that came after the lease was lost.
	ResultDiscarded
	// ResultEnd is the number of results.
	ResultEnd
)

// String is the value of the metric's label.
func (r Result) String() string {
	names := [ResultEnd]string{"changed", "same", "not_modified", "failed", "discovered", "discarded"}
	if r >= ResultEnd {
		return "unknown"
	}
	return names[r]
}
