package jwks

// Trouble says why a document, an answer or a record could not be used. It is
// an error, compared by identity; its text is fixed and quotes nothing.
type Trouble uint8

// The troubles. Each has one row in the table below; a test fails when one is
// missing. They are written into records, so their numbers stay as they are.
const (
	_ Trouble = iota
	// DocumentTooLong: a key set over MaxDocumentBytes bytes.
	DocumentTooLong
	// DocumentNotJSON: not one JSON value that all parsers read alike.
	DocumentNotJSON
	// DocumentNotASet: JSON, but without the array "keys" (RFC 7517 §5).
	DocumentNotASet
	// TooManyKeys: a key set with more than MaxKeys keys.
	TooManyKeys
	// NoUsableKey: a key set in which no key can verify signatures.
	NoUsableKey
	// NoAnswer: the provider could not be reached or did not answer in time.
	NoAnswer
	// Redirected: a 3xx answer. Redirects are not followed, because the trust
	// lies in the URL that was configured.
	Redirected
	// ProviderBusy: 429, or 503 with Retry-After (RFC 9110 §10.2.3).
	ProviderBusy
	// ProviderFailed: any other 5xx. The host, too, says 503 or 504 when it could
	// not reach the provider.
	ProviderFailed
	// RefusedByProvider: 4xx, or any other status that is not 200.
	RefusedByProvider
	// NothingToRenew: 304 although nothing was asked conditionally.
	NothingToRenew
	// DiscoveryUnreadable: the discovery document is too long or not JSON, or
	// a member that is needed is missing or not a string.
	DiscoveryUnreadable
	// DiscoveryIssuer: the discovery document speaks for another issuer
	// (OpenID Connect Discovery 1.0 §4.3).
	DiscoveryIssuer
	// DiscoveryHost: the discovered jwks_uri is not https, or lies on a host
	// that is neither the issuer's nor named in the configuration.
	DiscoveryHost
	// RecordUnreadable: the record in shared data is damaged, or was not written by
	// one who knows Policy.RecordKey.
	RecordUnreadable
	// FetchLost: the worker that fetched did not come back in time.
	FetchLost
	// RecordOutdated: the record in shared data is genuine, but older than one that
	// was seen before.
	RecordOutdated
	troubleEnd
)

var troubles = [troubleEnd]string{
	DocumentTooLong:     "the key set is over 512 KiB",
	DocumentNotJSON:     "the key set is not strict JSON",
	DocumentNotASet:     `the document is not a key set (no array "keys")`,
	TooManyKeys:         "the key set has more than 100 keys",
	NoUsableKey:         "the key set has no usable key",
	NoAnswer:            "the provider did not answer",
	Redirected:          "the provider answered with a redirect, which is not followed",
	ProviderBusy:        "the provider asks for patience",
	ProviderFailed:      "the provider failed or could not be reached",
	RefusedByProvider:   "the provider refused",
	NothingToRenew:      "the provider answered 304 to an unconditional request",
	DiscoveryUnreadable: "the discovery document cannot be read",
	DiscoveryIssuer:     "the discovery document names another issuer",
	DiscoveryHost:       "the discovered jwks_uri is not https on the issuer's host or a named one",
	RecordUnreadable:    "the record in shared data is damaged or forged",
	FetchLost:           "a worker started a fetch and did not finish it",
	RecordOutdated:      "the record in shared data is older than one that was there before",
}

// Error is one English clause without capital or full stop.
func (t Trouble) Error() string {
	if t >= troubleEnd || troubles[t] == "" {
		return "unknown trouble"
	}
	return troubles[t]
}
