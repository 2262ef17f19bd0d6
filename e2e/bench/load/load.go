// Package load sends requests to one address on the loopback interface and
// counts and times the answers. It is the benchmark's generator, made so that it
// costs less than the proxy under test: requests are ready-made bytes, each
// connection has one goroutine, and answers are read by fasthttp's parser.
// Clients that build each request anew cost as much as Envoy does, and then
// measure themselves.
//
// Closed is a closed loop: every connection sends its next request when the
// last one is answered, which shows what a proxy can bear. Open is an open
// loop: requests are due at a fixed rate whether or not earlier ones are
// answered, and latency counts from the moment at which a request was due, so that
// a stall is seen by every request that it would have held up (no coordinated
// omission).
//
// Every answer's status is compared with the one that its request expects: what
// was measured is known to be what was meant.
package load

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"
)

// Request is one request as it stands on the wire (HTTP/1.1, without a body),
// and the status that shall answer it.
type Request struct {
	Bytes  []byte
	Status int
}

// Source hands out requests; it is called by several goroutines at once. It
// answers false when it has no more, which ends the run.
type Source func() (Request, bool)

// Repeat always answers with the same request.
func Repeat(r Request) Source { return func() (Request, bool) { return r, true } }

// Once answers with each request one time, in order.
func Once(requests []Request) Source {
	var next atomic.Int64
	return func() (Request, bool) {
		i := int(next.Add(1)) - 1
		if i >= len(requests) {
			return Request{}, false
		}
		return requests[i], true
	}
}

// Every mixes: each nth request comes from rare, the others from common.
func Every(n int, rare, common Source) Source {
	var count atomic.Int64
	return func() (Request, bool) {
		if count.Add(1)%int64(n) == 0 {
			return rare()
		}
		return common()
	}
}

// Result is what a run showed.
type Result struct {
	Requests int           // answered as expected
	Wrong    int           // answered otherwise, or not at all
	Fault    error         // the first wrong one
	Elapsed  time.Duration // from the first request sent to the last answer
	// Latency is in nanoseconds, of expected answers: from sending (Closed) or
	// from the moment due (Open).
	Latency *hdrhistogram.Histogram
	// Lag is, for Open, how late requests were sent, in nanoseconds: what the
	// generator and waiting for a free connection add.
	Lag *hdrhistogram.Histogram
}

// Rate is the expected answers per second.
func (r *Result) Rate() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// newHistogram covers 1 µs to a minute with an error of at most 0.1 %.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1000, int64(time.Minute), 3) }

// conn is one connection. It is used by one goroutine at a time.
type conn struct {
	address string
	net     net.Conn
	reader  *bufio.Reader
	answer  fasthttp.Response
}

// patience bounds how long one answer may take.
const patience = 20 * time.Second

func dial(address string) (*conn, error) {
	c := &conn{address: address}
	return c, c.redial()
}

func (c *conn) redial() (err error) {
	if c.net != nil {
		c.net.Close()
	}
	if c.net, err = net.DialTimeout("tcp", c.address, 5*time.Second); err != nil {
		return err
	}
	c.net.SetDeadline(time.Now().Add(patience))
	c.reader = bufio.NewReaderSize(c.net, 8<<10)
	return nil
}

// read reads one answer and says what is wrong with it.
func (c *conn) read(want int) error {
	if err := c.answer.Read(c.reader); err != nil {
		return err
	}
	if got := c.answer.StatusCode(); got != want {
		return fmt.Errorf("answered with %d instead of %d: %.200s", got, want, c.answer.Body())
	}
	return nil
}

// tally is what one goroutine counts.
type tally struct {
	requests, wrong int
	fault           error
	latency         *hdrhistogram.Histogram
}

func (t *tally) wrongly(err error) {
	t.wrong++
	if t.fault == nil {
		t.fault = err
	}
}

func (r *Result) add(t *tally) {
	r.Requests += t.requests
	r.Wrong += t.wrong
	if r.Fault == nil {
		r.Fault = t.fault
	}
	r.Latency.Merge(t.latency)
}

// Closed keeps each of the connections busy for a time, or until the source
// ends. The error tells that it could not connect.
func Closed(address string, connections int, during time.Duration, source Source) (*Result, error) {
	conns := make([]*conn, connections)
	for i := range conns {
		c, err := dial(address)
		if err != nil {
			return nil, err
		}
		defer func() { c.net.Close() }()
		conns[i] = c
	}
	result := &Result{Latency: newHistogram()}
	tallies := make([]tally, connections)
	var ended atomic.Bool
	begin := time.Now()
	end := begin.Add(during)
	var all sync.WaitGroup
	for i, c := range conns {
		t := &tallies[i]
		t.latency = newHistogram()
		c.net.SetDeadline(end.Add(patience))
		all.Go(func() {
			for at := time.Now(); at.Before(end) && !ended.Load(); {
				r, more := source()
				if !more {
					ended.Store(true)
					return
				}
				if _, err := c.net.Write(r.Bytes); err != nil {
					t.wrongly(err)
					return
				}
				if err := c.read(r.Status); err != nil {
					t.wrongly(err)
					return
				}
				done := time.Now()
				t.requests++
				t.latency.RecordValue(int64(done.Sub(at)))
				at = done
			}
		})
	}
	all.Wait()
	result.Elapsed = time.Since(begin)
	for i := range tallies {
		result.add(&tallies[i])
	}
	return result, nil
}
