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
	// Fetch: send GET URL with Headers (If-None-Match, If-Modified-Since) and the
	// caller's own headers. Call Answered with Ticket when the answer is there, when
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
	// Err: there is no answer. The other fields are ignored then.
	Err bool
	// Status is the HTTP status. A 503 or 504 that the host makes for a provider it
	// cannot reach is an answer too.
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

// Error says why a document, an answer or a record could not be used. Compare it
// by identity. Its text is fixed and quotes nothing.
type Error uint8

// The errors. Each has one row in errorTexts. Records hold their numbers, so the
// numbers must not change.
const (
	_ Error = iota
	// ErrDocumentTooLong: the key set is longer than MaxDocumentBytes.
	ErrDocumentTooLong
	// ErrDocumentNotJSON: the key set is not strict JSON (see package strictjson).
	ErrDocumentNotJSON
	// ErrNotKeySet: the document has no array "keys" (RFC 7517 §5).
	ErrNotKeySet
	// ErrTooManyKeys: the key set has more than MaxKeys keys.
	ErrTooManyKeys
	// ErrNoUsableKey: no key of the set can verify signatures here.
	ErrNoUsableKey
	// ErrNoAnswer: the provider could not be reached or did not answer in time.
	ErrNoAnswer
	// ErrRedirected: a 3xx answer. Redirects are not followed, because only the
	// configured URL is trusted.
	ErrRedirected
	// ErrProviderBusy: 429, or 503 with Retry-After (RFC 9110 §10.2.3).
	ErrProviderBusy
	// ErrProviderFailed: any other 5xx. The host also answers 503 or 504 when it
	// cannot reach the provider.
	ErrProviderFailed
	// ErrProviderRefused: 4xx, or any other status that is not 200.
	ErrProviderRefused
	// ErrUnexpectedNotModified: 304 to a request that was not conditional.
	ErrUnexpectedNotModified
	// ErrDiscoveryUnreadable: the discovery document is too long or not JSON, or
	// a required member is missing or not a string.
	ErrDiscoveryUnreadable
	// ErrDiscoveryIssuer: the discovery document names another issuer
	// (OpenID Connect Discovery 1.0 §4.3).
	ErrDiscoveryIssuer
	// ErrDiscoveryHost: the discovered jwks_uri is not https, or its host is neither
	// the issuer's nor in Policy.ExtraHosts.
	ErrDiscoveryHost
	// ErrRecordUnreadable: the record in shared data is damaged, or its MAC was not
	// made with this source's key (see Policy.RecordKey).
	ErrRecordUnreadable
	// ErrFetchLost: the worker that held the lease did not finish its fetch in time.
	ErrFetchLost
	// ErrRecordOutdated: the record in shared data is genuine, but older than one
	// that this worker has read.
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
func (e Error) Error() string {
	if e >= errorEnd || errorTexts[e] == "" {
		return "unknown error"
	}
	return errorTexts[e]
}
