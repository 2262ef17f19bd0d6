package jwks

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
