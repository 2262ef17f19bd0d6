// Package jwks holds the keys of one issuer: it reads key sets (RFC 7517), and
// it decides when to fetch them, what to keep and what to say while there are
// none.
//
// The package does nothing by itself. Machine is a state machine: events go in
// (a tick, a record read from shared data, an answer from the provider), and
// the actions to carry out come back. Time, random numbers and bytes are
// arguments. The plugin's adapter carries actions to the host; the tests carry
// them to a model of the host, with thousands of rotations, outages, dead
// workers and clock jumps.
//
// Who knows what:
//
//   - Set and Parse: which keys of a document are usable.
//   - Record: what all workers of a process know together, as bytes that are
//     changed by compare-and-swap only.
//   - Machine: what one worker knows, and whose turn it is to fetch.
//
// README.md draws the states. Left to others: HTTP and TLS (the host), the
// check of signatures (verify), which requests wait (the adapter).
package jwks

import (
	"time"
)

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

// Trouble says why a document, an answer or a record could not be used. It is
// an error, compared by identity; its text is fixed and quotes nothing.
type Error uint8

// The troubles. Each has one row in the table below; a test fails when one is
// missing. They are written into records, so their numbers stay as they are.
const (
	_ Error = iota
	// DocumentTooLong: a key set over MaxDocumentBytes bytes.
	ErrDocumentTooLong
	// DocumentNotJSON: not one JSON value that all parsers read alike.
	ErrDocumentNotJSON
	// DocumentNotASet: JSON, but without the array "keys" (RFC 7517 §5).
	ErrNotKeySet
	// TooManyKeys: a key set with more than MaxKeys keys.
	ErrTooManyKeys
	// NoUsableKey: a key set in which no key can verify signatures.
	ErrNoUsableKey
	// NoAnswer: the provider could not be reached or did not answer in time.
	ErrNoAnswer
	// Redirected: a 3xx answer. Redirects are not followed, because the trust
	// lies in the URL that was configured.
	ErrRedirected
	// ProviderBusy: 429, or 503 with Retry-After (RFC 9110 §10.2.3).
	ErrProviderBusy
	// ProviderFailed: any other 5xx. The host, too, says 503 or 504 when it could
	// not reach the provider.
	ErrProviderFailed
	// RefusedByProvider: 4xx, or any other status that is not 200.
	ErrProviderRefused
	// NothingToRenew: 304 although nothing was asked conditionally.
	ErrUnexpectedNotModified
	// DiscoveryUnreadable: the discovery document is too long or not JSON, or
	// a member that is needed is missing or not a string.
	ErrDiscoveryUnreadable
	// DiscoveryIssuer: the discovery document speaks for another issuer
	// (OpenID Connect Discovery 1.0 §4.3).
	ErrDiscoveryIssuer
	// DiscoveryHost: the discovered jwks_uri is not https, or lies on a host
	// that is neither the issuer's nor named in the configuration.
	ErrDiscoveryHost
	// RecordUnreadable: the record in shared data is damaged, or was not written by
	// one who knows Policy.RecordKey.
	ErrRecordUnreadable
	// FetchLost: the worker that fetched did not come back in time.
	ErrFetchLost
	// RecordOutdated: the record in shared data is genuine, but older than one that
	// was seen before.
	ErrRecordOutdated
	errorEnd
)

var errorTexts = [errorEnd]string{
	ErrDocumentTooLong:       "the key set is over 512 KiB",
	ErrDocumentNotJSON:       "the key set is not strict JSON",
	ErrNotKeySet:             `the document is not a key set (no array "keys")`,
	ErrTooManyKeys:           "the key set has more than 100 keys",
	ErrNoUsableKey:           "the key set has no usable key",
	ErrNoAnswer:              "the provider did not answer",
	ErrRedirected:            "the provider answered with a redirect, which is not followed",
	ErrProviderBusy:          "the provider asks for patience",
	ErrProviderFailed:        "the provider failed or could not be reached",
	ErrProviderRefused:       "the provider refused",
	ErrUnexpectedNotModified: "the provider answered 304 to an unconditional request",
	ErrDiscoveryUnreadable:   "the discovery document cannot be read",
	ErrDiscoveryIssuer:       "the discovery document names another issuer",
	ErrDiscoveryHost:         "the discovered jwks_uri is not https on the issuer's host or a named one",
	ErrRecordUnreadable:      "the record in shared data is damaged or forged",
	ErrFetchLost:             "a worker started a fetch and did not finish it",
	ErrRecordOutdated:        "the record in shared data is older than one that was there before",
}

// Error is one English clause without capital or full stop.
func (t Error) Error() string {
	if t >= errorEnd || errorTexts[t] == "" {
		return "unknown trouble"
	}
	return errorTexts[t]
}
