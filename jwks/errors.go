package jwks

// Error says why a document, an answer or a record could not be used. Compare it
// by identity. Its text is fixed and quotes nothing.
type Error uint8

// The errors. Each has one row in errorRows. Records hold their numbers, so the
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
	// ErrNoAnswer: there is no answer, and the caller does not know why.
	ErrNoAnswer
	// ErrRedirected: a 3xx answer. Redirects are not followed, because only the
	// configured URL is trusted.
	ErrRedirected
	// ErrProviderBusy: 429, or 503 with Retry-After (RFC 9110 §10.2.3).
	ErrProviderBusy
	// ErrProviderFailed: any other 5xx.
	ErrProviderFailed
	// ErrProviderRefused: 4xx, or any other status that is not 200.
	ErrProviderRefused
	// ErrUnexpectedNotModified: 304 to a request that was not conditional.
	ErrUnexpectedNotModified
	// ErrDiscoveryUnreadable: the discovery document is not strict JSON.
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
	// ErrUnknownCluster: the proxy has no cluster of the name that the rule gives.
	ErrUnknownCluster
	// ErrName: the provider's name could not be resolved.
	ErrName
	// ErrNoEndpoint: the cluster has no endpoint that is healthy. The proxy does not
	// say whether its name was not resolved, or it has none, or health checks fail.
	ErrNoEndpoint
	// ErrRefused: nothing listens at the provider's address.
	ErrRefused
	// ErrTLS: the TLS handshake failed.
	ErrTLS
	// ErrConnect is ErrRefused or ErrTLS: the proxy does not say which.
	ErrConnect
	// ErrTimeout: no connection, or no complete answer, within Policy.Timeout.
	ErrTimeout
	// ErrReset: the connection ended before the answer was complete.
	ErrReset
	// ErrOverflow: a circuit breaker of the cluster is open, so nothing was sent.
	ErrOverflow
	// ErrDiscoveryTooLong: the discovery document is longer than 64 KiB.
	ErrDiscoveryTooLong
	// ErrDiscoveryMember: "issuer" or "jwks_uri" is missing in the discovery document
	// or not a string (OpenID Connect Discovery 1.0 §3).
	ErrDiscoveryMember
	errorEnd
)

// errorRow is what is said of an error.
type errorRow struct {
	// text is one English clause without capital or full stop.
	text string
	// kind is the metric's label; 0 for errors that no fetch ends with.
	kind FailureKind
	// next is the operator's next step; CLUSTER stands for the cluster's name.
	next string
}

var errorRows = [errorEnd]errorRow{
	ErrDocumentTooLong:       {"the key set is over 512 KiB", KindTooLarge, "let the provider publish fewer keys, or name another jwksUri"},
	ErrDocumentNotJSON:       {"the key set is not strict JSON", KindNotJSON, "check with curl that the address is that of a key set"},
	ErrNotKeySet:             {`the document is not a key set (no array "keys")`, KindNotKeySet, "check with curl that the address is that of a key set"},
	ErrTooManyKeys:           {"the key set has more than 100 keys", KindTooLarge, "let the provider publish fewer keys, or name another jwksUri"},
	ErrNoUsableKey:           {"the key set has no usable key", KindNoUsableKey, "compare the keys with the rule's algorithms"},
	ErrNoAnswer:              {"the provider did not answer", KindNoAnswer, "look at the statistics cluster.CLUSTER.upstream_*"},
	ErrRedirected:            {"the provider answered with a redirect, which is not followed", KindStatus, "name the address to which it leads"},
	ErrProviderBusy:          {"the provider asks for patience", KindStatus, "it is asked again later"},
	ErrProviderFailed:        {"the provider failed", KindStatus, "look at the provider; it is asked again"},
	ErrProviderRefused:       {"the provider answered, but not with status 200", KindStatus, "check the address and the host that the cluster reaches"},
	ErrUnexpectedNotModified: {"the provider answered 304 to an unconditional request", KindStatus, "look for a cache in front of the provider"},
	ErrDiscoveryUnreadable:   {"the discovery document is not strict JSON", KindNotJSON, "check with curl that the issuer publishes one, or name jwksUri"},
	ErrDiscoveryIssuer:       {"the discovery document names another issuer", KindWrongIssuer, "write the issuer as the provider does, byte for byte"},
	ErrDiscoveryHost:         {"the discovered jwks_uri is not on a host that may serve the keys", KindWrongHost, "if the keys may come from there, write in the rule what they need"},
	ErrRecordUnreadable:      {text: "the record in shared data is damaged or forged"},
	ErrFetchLost:             {text: "a worker started a fetch and did not finish it"},
	ErrRecordOutdated:        {text: "the record in shared data is older than one that was there before"},
	ErrUnknownCluster:        {"the proxy knows no cluster of this name, so nothing was sent", KindUnknownCluster, "define the cluster CLUSTER, or correct its name in the rule"},
	ErrName:                  {"the provider's name could not be resolved", KindDNS, "check the name and the resolver"},
	ErrNoEndpoint: {"the cluster has no healthy endpoint: its name was not resolved, it has no endpoint, or health checks fail", KindDNSOrEndpoint,
		"look at the statistics cluster.CLUSTER.update_failure and cluster.CLUSTER.membership_*"},
	ErrRefused: {"the provider refused the connection", KindRefused, "check that it listens at this address and port"},
	ErrTLS:     {"TLS failed", KindTLS, "look at the statistics cluster.CLUSTER.ssl.*; check the certificate, its name and the authority that is trusted"},
	ErrConnect: {"the connection was refused or is not possible, or TLS failed", KindRefusedOrTLS,
		"look at the statistics cluster.CLUSTER.ssl.* (TLS: certificate not trusted or for another name, or no TLS at that port) and cluster.CLUSTER.upstream_cx_connect_fail"},
	ErrTimeout:          {"the provider did not answer in time", KindTimeout, "look at the statistics cluster.CLUSTER.upstream_rq_timeout and cluster.CLUSTER.upstream_cx_connect_timeout"},
	ErrReset:            {"the connection ended before the answer was complete", KindReset, "look at the statistics cluster.CLUSTER.upstream_cx_destroy_*; a port that speaks TLS needs a cluster with TLS"},
	ErrOverflow:         {"a circuit breaker of the cluster is open, so nothing was sent", KindOverflow, "look at the statistics cluster.CLUSTER.upstream_*_overflow"},
	ErrDiscoveryTooLong: {"the discovery document is over 64 KiB", KindTooLarge, "name jwksUri"},
	ErrDiscoveryMember:  {"the discovery document lacks a member", KindNotDiscovery, "check with curl that the issuer publishes one, or name jwksUri"},
}

// Error is one English clause without capital or full stop.
func (e Error) Error() string {
	if e >= errorEnd || errorRows[e].text == "" {
		return "unknown trouble"
	}
	return errorRows[e].text
}

// FailureKind is the kind of error that a fetch ended with, as metrics count it. It
// says where to look.
type FailureKind uint8

// The kinds. String is the metric's label.
const (
	_ FailureKind = iota
	// KindUnknownCluster to KindNoAnswer: no answer. Where the proxy does not tell two
	// causes apart, the kind is named after both.
	KindUnknownCluster
	KindDNS
	KindDNSOrEndpoint
	KindRefused
	KindTLS
	KindRefusedOrTLS
	KindTimeout
	KindReset
	KindOverflow
	KindNoAnswer
	// KindStatus: an answer with another status than 200.
	KindStatus
	// KindTooLarge to KindNotDiscovery: the document cannot be read.
	KindTooLarge
	KindNotJSON
	KindNotKeySet
	KindNotDiscovery
	// KindNoUsableKey: a key set without a key that can be used here.
	KindNoUsableKey
	// KindWrongIssuer, KindWrongHost: a discovery document that is not for this issuer, or
	// whose jwks_uri is not on a host that may serve the keys.
	KindWrongIssuer
	KindWrongHost
	// KindEnd is one more than the greatest kind.
	KindEnd
)

var failureKinds = [KindEnd]string{
	KindUnknownCluster: "unknown_cluster",
	KindDNS:            "dns",
	KindDNSOrEndpoint:  "dns_or_endpoint",
	KindRefused:        "refused",
	KindTLS:            "tls",
	KindRefusedOrTLS:   "refused_or_tls",
	KindTimeout:        "timeout",
	KindReset:          "reset",
	KindOverflow:       "overflow",
	KindNoAnswer:       "no_answer",
	KindStatus:         "status",
	KindTooLarge:       "too_large",
	KindNotJSON:        "not_json",
	KindNotKeySet:      "not_key_set",
	KindNotDiscovery:   "not_discovery",
	KindNoUsableKey:    "no_usable_key",
	KindWrongIssuer:    "wrong_issuer",
	KindWrongHost:      "wrong_host",
}

// String is the value of the metric's label.
func (k FailureKind) String() string {
	if k >= KindEnd || failureKinds[k] == "" {
		return "unknown"
	}
	return failureKinds[k]
}
