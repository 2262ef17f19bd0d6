package plugin

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// Some calls go to the host directly; hostcall_wasm.go and hostcall_native.go say
// how. The SDK's SendHttpResponse leaves the response code details out, which is
// where an access log looks for the reason. Its metrics cannot be set, and
// panic when the host refuses them.

// statusOK is the host's yes; every other number is a no.
const statusOK = 0

// errReply is the host's refusal to send a reply.
var errReply = errors.New("proxy_send_local_response failed")

// sendReply sends a local reply with response code details (no spaces in them).
func sendReply(status uint32, details string, headers [][2]string, body []byte, grpcStatus int32) error {
	pairs := serializePairs(headers)
	if hostSendLocalResponse(status, stringData(details), int32(len(details)),
		bytesData(body), int32(len(body)), bytesData(pairs), int32(len(pairs)), grpcStatus) != statusOK {
		return errReply
	}
	return nil
}

// serializePairs writes pairs as the proxy-wasm ABI has them: their number, the
// lengths of each, then each with a zero byte behind it.
func serializePairs(pairs [][2]string) []byte {
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(pairs)))
	for _, pair := range pairs {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(pair[0])))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(pair[1])))
	}
	for _, pair := range pairs {
		out = append(append(out, pair[0]...), 0)
		out = append(append(out, pair[1]...), 0)
	}
	return out
}

func stringData(s string) *byte {
	if s == "" {
		return nil
	}
	return unsafe.StringData(s)
}

func bytesData(b []byte) *byte {
	if len(b) == 0 {
		return nil
	}
	return &b[0]
}
