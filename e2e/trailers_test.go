package e2e

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"edgejwt/e2e/harness"
)

// frame is an HTTP/2 frame (RFC 9113 §4.1).
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	return append(binary.BigEndian.AppendUint32(append(head, flags), stream), payload...)
}

// field is a header field, literal and without Huffman coding (RFC 7541 §6.2.2).
func field(name, value string) []byte {
	out := []byte{0}
	for _, s := range []string{name, value} {
		if n := len(s); n < 127 {
			out = append(out, byte(n))
		} else {
			out = append(out, 127)
			for n -= 127; n >= 128; n /= 128 {
				out = append(out, byte(n%128+128))
			}
			out = append(out, byte(n))
		}
		out = append(out, s...)
	}
	return out
}

// TestTrailersWithoutAField: an accepted request may end with trailers in which
// nothing stands, or nothing any more after Envoy has dropped names with
// underscores. That is no fault, and the answer is the API's.
func TestTrailersWithoutAField(t *testing.T) {
	const headers, data, endStream, endHeaders = 1, 0, 1, 4
	w := harness.Start(t, harness.Options{Underscores: "DROP_HEADER"})
	w.AwaitKeys()
	for name, trailers := range map[string][]byte{
		"empty":            {},
		"dropped by Envoy": field("x_jwt_sub", "administrator"),
		"honest":           field("x-checksum", "7"),
		"forged":           field("x-jwt-sub", "administrator"),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", w.Edge)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			request := bytes.Join([][]byte{field(":method", "POST"), field(":scheme", "http"), field(":path", "/orders"),
				field(":authority", "edge"), field("content-type", "application/json"), field("authorization", "Bearer "+w.Auth0.Token())}, nil)
			conn.Write(bytes.Join([][]byte{[]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0, nil),
				frame(headers, endHeaders, 1, request), frame(data, 0, 1, []byte(`{"item":"ink"}`)),
				frame(headers, endHeaders|endStream, 1, trailers)}, nil))
			// Read frames until the stream ends; its body tells who answered.
			var body []byte
			for {
				var head [9]byte
				if _, err := io.ReadFull(conn, head[:]); err != nil {
					t.Fatalf("no whole answer: %v; so far %q", err, body)
				}
				payload := make([]byte, int(binary.BigEndian.Uint32(head[:4])>>8))
				if _, err := io.ReadFull(conn, payload); err != nil {
					t.Fatal(err)
				}
				if head[3] == data {
					body = append(body, payload...)
				}
				if binary.BigEndian.Uint32(head[5:]) == 1 && head[4]&endStream != 0 {
					break
				}
			}
			if !bytes.Contains(body, []byte("ink")) {
				t.Errorf("answer %q, want the API's", body)
			}
		})
	}
	if n := w.Count("internal"); n != 0 {
		t.Errorf("%v requests counted as faults of our own", n)
	}
}
