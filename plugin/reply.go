package plugin

import (
	"strconv"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"

	"edgejwt/plugin/abi"
	"edgejwt/verify"
)

// refuse sends a reply, as verify's table of reasons defines it, or the resource metadata.
// All replies of this package are sent here. The stream's context must be in effect, and
// its callback must return Pause.
func (q *request) refuse(reason verify.Reason, detail error, retryAfter time.Duration) {
	q.state = refused
	q.count(q.setup.metrics.requests, reason, outcomeOf(reason))
	q.setup.metrics.flush()
	if detail != nil {
		proxywasm.LogDebug("refused: " + detail.Error())
	}
	headers := [][2]string{{"content-type", "application/json"}, {"cache-control", "no-store"}}
	body := reason.Body()
	switch {
	case reason == verify.ResourceMetadata:
		headers, body = metadataReply(q.setup.resource.Document)
	case q.decision.GRPC:
		// The host turns the reply into a gRPC status, with the body as its message.
		headers, body = nil, []byte(reason.Description())
	}
	if challenge := q.setup.challenge(reason, detail); challenge != "" {
		headers = append(headers, [2]string{"www-authenticate", challenge})
	}
	if retryAfter > 0 {
		headers = append(headers, [2]string{"retry-after", strconv.FormatInt(int64((retryAfter+time.Second-1)/time.Second), 10)})
	}
	status := reason.Status()
	if status == 0 {
		status = verify.Internal.Status() // cannot happen: the reason passes
	}
	if err := abi.SendReply(uint32(status), reason.String(), headers, body, int32(reason.GRPCStatus())); err != nil {
		proxywasm.LogError("the host did not send the refusal: " + err.Error())
	}
}

// challenge is the value of WWW-Authenticate, or empty. With resource metadata it has its
// URL (RFC 9728 §5.1).
func (s *setup) challenge(reason verify.Reason, detail error) string {
	challenge := reason.Challenge(s.realm)
	if verify.ReasonOf(detail) == reason {
		challenge = verify.ChallengeOf(detail, s.realm)
	}
	if challenge != "" && s.resource != nil {
		challenge += `, resource_metadata="` + s.resource.URL + `"`
	}
	return challenge
}

// metadataReply is the reply with the resource metadata (RFC 9728 §3.2). It is public, so
// web pages of any origin may read it.
func metadataReply(document []byte) (headers [][2]string, body []byte) {
	return [][2]string{
		{"content-type", "application/json"},
		{"cache-control", "max-age=3600"},
		{"access-control-allow-origin", "*"},
		{"access-control-allow-methods", "GET, HEAD, OPTIONS"},
		{"access-control-allow-headers", "*"},
	}, document
}
