package plugin

import (
	"strconv"
	"strings"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"

	"edgejwt/verify"
)

// refuse answers the request itself. It is the only place where a refusal is
// sent; what is sent comes from verify's table of reasons. The stream's context
// must be in effect, and its callback must return Pause afterwards.
func (q *request) refuse(reason verify.Reason, detail error, retryAfter time.Duration) {
	q.state = refused
	q.root.metrics.decided(reason)
	if detail != nil {
		proxywasm.LogDebug("edgejwt: refused: " + detail.Error())
	}
	headers := [][2]string{{"content-type", "application/json"}, {"cache-control", "no-store"}}
	body := reason.Body()
	if q.isGRPC {
		// The host turns the reply into a gRPC status, with the body as its message.
		headers, body = nil, []byte(reason.Description())
	}
	if challenge := reason.Challenge(q.root.realm); challenge != "" {
		headers = append(headers, [2]string{"www-authenticate", challenge})
	}
	if retryAfter > 0 {
		headers = append(headers, [2]string{"retry-after", strconv.FormatInt(int64((retryAfter+time.Second-1)/time.Second), 10)})
	}
	status := reason.Status()
	if status == 0 {
		status = verify.Internal.Status() // a reason that passes cannot refuse
	}
	if err := sendReply(uint32(status), reason.String(), headers, body, int32(reason.GRPCStatus())); err != nil {
		proxywasm.LogError("edgejwt: the host did not send the refusal: " + err.Error())
	}
}

// isGRPC reports whether a content type is gRPC's ("application/grpc",
// optionally with a suffix).
func isGRPC(contentType string) bool {
	rest, ok := strings.CutPrefix(contentType, "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}
