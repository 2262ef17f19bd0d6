package plugin

import (
	"strconv"
	"strings"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/jwks"
)

// fetch dispatches the callout. It is reached from a tick or from an answer,
// never from a stream: see OnTick.
func (s *keySource) fetch(action jwks.Action) {
	scheme, authority, path, _ := jwks.SplitHTTP(action.URL)
	headers := append([][2]string{
		{":method", "GET"},
		{":scheme", scheme},
		{":authority", authority},
		{":path", path},
		{"accept", "application/json"},
		{"user-agent", "edgejwt"},
	}, action.Headers...)
	_, err := proxywasm.DispatchHttpCall(action.Cluster, headers, nil, nil, uint32(action.Timeout/time.Millisecond),
		func(numHeaders, bodySize, _ int) { s.answered(action.Ticket, numHeaders, bodySize) })
	if err != nil {
		answer := jwks.Answer{Err: dispatchError(err), Detail: err.Error()}
		s.carryOut(s.machine.Answered(s.plugin.clock(), action.Ticket, answer))
	}
}

// answered takes the answer of a callout to the machine, and then decides the
// requests that waited for it.
func (s *keySource) answered(ticket uint64, numHeaders, bodySize int) {
	defer s.plugin.recoverPanic("callout answer", nil)
	s.take(ticket, numHeaders, bodySize)
	s.plugin.afterKeyEvents()
}

func (s *keySource) take(ticket uint64, numHeaders, bodySize int) {
	defer s.plugin.recoverPanic("callout answer", nil)
	answer := readAnswer(numHeaders, bodySize)
	s.metrics.next = time.Time{} // the fetch is to be counted
	s.carryOut(s.machine.Answered(s.plugin.clock(), ticket, answer))
}

// dispatchError says why the host did not take a callout. Envoy knows no cluster of
// that name, or sends nothing because the cluster has no healthy endpoint.
func dispatchError(err error) jwks.Error {
	switch err {
	case types.ErrorStatusBadArgument:
		return jwks.ErrUnknownCluster
	case types.ErrorInternalFailure:
		return jwks.ErrNoEndpoint
	}
	return jwks.ErrNoAnswer
}

// readAnswer reads what the host has of the answer. When a callout failed, the host
// has no headers, or a reply of its own.
func readAnswer(numHeaders, bodySize int) jwks.Answer {
	if numHeaders == 0 {
		return jwks.Answer{Err: jwks.ErrReset}
	}
	headers, err := proxywasm.GetHttpCallResponseHeaders()
	if err != nil {
		return jwks.Answer{Err: jwks.ErrNoAnswer, Detail: err.Error()}
	}
	status, fromProvider := 0, false
	for _, header := range headers {
		switch header[0] {
		case ":status":
			if n, err := strconv.ParseUint(header[1], 10, 10); err == nil && n <= 999 {
				status = int(n)
			}
		case "x-envoy-upstream-service-time": // Envoy sets it on what an upstream answered
			fromProvider = true
		}
	}
	if status < 100 { // or none at all
		return jwks.Answer{Err: jwks.ErrNoAnswer, Detail: "the answer has no status"}
	}
	answer := jwks.Answer{Status: status, Headers: headers}
	if bodySize > 0 {
		// One byte over the bound, so that the parser sees that it is too long.
		answer.Body, err = proxywasm.GetHttpCallResponseBody(0, min(bodySize, jwks.MaxDocumentBytes+1))
		if err != nil && err != types.ErrorStatusNotFound {
			return jwks.Answer{Err: jwks.ErrNoAnswer, Detail: err.Error()}
		}
	}
	if !fromProvider {
		if err := replyError(status, string(answer.Body)); err != 0 {
			return jwks.Answer{Err: err, Detail: "status " + strconv.Itoa(status) + ", " + string(answer.Body)}
		}
	}
	return answer
}

// hostReplies are parts of the texts that Envoy replies to a callout with when the
// provider gave no answer. The first that is found counts.
var hostReplies = [...]struct {
	status int
	text   string
	err    jwks.Error
}{
	{503, "dns_resolution_failure", jwks.ErrName},
	{503, "no healthy upstream", jwks.ErrNoEndpoint},
	{503, "TLS", jwks.ErrTLS}, // "transport failure reason: TLS_error:…", where Envoy tells it
	{503, "Connection refused", jwks.ErrRefused},
	{503, "connect error: 111", jwks.ErrRefused}, // ECONNREFUSED
	{503, "reset reason: connection timeout", jwks.ErrTimeout},
	{503, "reset reason: remote connection failure", jwks.ErrConnect},
	{503, "reset reason: local connection failure", jwks.ErrConnect},
	{503, "reset reason: overflow", jwks.ErrOverflow},
	{503, "reset before headers", jwks.ErrReset},
	{504, "upstream request timeout", jwks.ErrTimeout},
}

// replyError reads a reply that the host made; 0 if it is none that is known.
func replyError(status int, body string) jwks.Error {
	for _, reply := range hostReplies {
		if status == reply.status && strings.Contains(body, reply.text) {
			return reply.err
		}
	}
	return 0
}
