package harness

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Raw2 sends one request over HTTP/2 with prior knowledge, its fields as they are
// and in their order, pseudo fields included; for what no HTTP library would
// send. A body, if there is one, follows. An answer that is no HTTP status (a
// reset stream, a closed connection) is an error.
func Raw2(to string, fields [][2]string, body string) Answer {
	c, err := net.DialTimeout("tcp", to, 5*time.Second)
	if err != nil {
		return Answer{Err: err}
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range fields {
		encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	var out bytes.Buffer
	out.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&out, c)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.WriteSettings()
	// One frame holds 16 KiB (RFC 9113 §4.2).
	first, rest := split(block.Bytes())
	framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: first, EndStream: body == "", EndHeaders: len(rest) == 0})
	for len(rest) > 0 {
		first, rest = split(rest)
		framer.WriteContinuation(1, len(rest) == 0, first)
	}
	if body != "" {
		framer.WriteData(1, true, []byte(body))
	}
	if _, err := c.Write(out.Bytes()); err != nil {
		return Answer{Err: err}
	}
	return readStream(framer)
}

func split(b []byte) (first, rest []byte) { return b[:min(len(b), 16<<10)], b[min(len(b), 16<<10):] }

// readStream reads frames until stream 1 has ended. Trailers join the header.
func readStream(framer *http2.Framer) (a Answer) {
	a.Header = http.Header{}
	for {
		f, err := framer.ReadFrame()
		if err != nil {
			return Answer{Err: fmt.Errorf("no whole answer: %w", err)}
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			for _, field := range f.Fields {
				if field.Name == ":status" {
					a.Status, _ = strconv.Atoi(field.Value)
				} else {
					a.Header.Add(field.Name, field.Value)
				}
			}
		case *http2.DataFrame:
			a.Body += string(f.Data())
		case *http2.RSTStreamFrame:
			if a.Status != 0 && f.ErrCode == http2.ErrCodeNo {
				return finished(a)
			}
			return Answer{Err: fmt.Errorf("the stream was reset: %v", f.ErrCode)}
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				return Answer{Err: fmt.Errorf("the connection was closed: %v", f.ErrCode)}
			}
		}
		if h := f.Header(); h.StreamID == 1 && h.Flags.Has(http2.FlagDataEndStream) && (h.Type == http2.FrameData || h.Type == http2.FrameHeaders) {
			return finished(a)
		}
	}
}

func finished(a Answer) Answer {
	return read(&http.Response{StatusCode: a.Status, Header: a.Header, Body: io.NopCloser(strings.NewReader(a.Body))})
}
