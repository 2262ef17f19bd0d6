package load

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func request(path string, status int) Request {
	return Request{[]byte("GET " + path + " HTTP/1.1\r\nhost: x\r\n\r\n"), status}
}

// serve answers /wrong with 500 and the rest with 200.
func serve(t *testing.T, before func(r *http.Request)) (address string, seen *atomic.Int64) {
	seen = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		if before != nil {
			before(r)
		}
		if r.URL.Path == "/wrong" {
			w.WriteHeader(500)
		}
		w.Write([]byte("ok"))
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), seen
}

func TestClosed(t *testing.T) {
	address, seen := serve(t, nil)
	r, err := Closed(address, 4, 100*time.Millisecond, Repeat(request("/", 200)))
	if err != nil || r.Wrong != 0 || int64(r.Requests) != seen.Load() || r.Requests < 10 || r.Latency.TotalCount() != seen.Load() {
		t.Errorf("%v, %+v, the server saw %d", err, r, seen.Load())
	}
}

func TestOnce(t *testing.T) {
	address, seen := serve(t, nil)
	requests := make([]Request, 50)
	for i := range requests {
		requests[i] = request("/", 200)
	}
	r, err := Closed(address, 4, time.Minute, Once(requests))
	if err != nil || r.Requests != 50 || seen.Load() != 50 {
		t.Errorf("%v, %+v, the server saw %d", err, r, seen.Load())
	}
}

func TestEvery(t *testing.T) {
	source := Every(10, Repeat(request("/rare", 200)), Repeat(request("/", 200)))
	rare := 0
	for range 100 {
		if r, _ := source(); strings.Contains(string(r.Bytes), "rare") {
			rare++
		}
	}
	if rare != 10 {
		t.Errorf("%d of 100 were rare", rare)
	}
}

// TestWrong: what is not answered as expected is counted and told.
func TestWrong(t *testing.T) {
	address, _ := serve(t, nil)
	for _, c := range []struct {
		name string
		run  func(Source) (*Result, error)
	}{
		{"closed", func(s Source) (*Result, error) { return Closed(address, 2, 100*time.Millisecond, s) }},
		{"open", func(s Source) (*Result, error) { return Open(address, 2, 100, 100*time.Millisecond, s) }},
	} {
		r, err := c.run(Repeat(request("/wrong", 200)))
		if err != nil || r.Requests != 0 || r.Wrong == 0 || r.Fault == nil || !strings.Contains(r.Fault.Error(), "500 instead of 200") {
			t.Errorf("%s: %v, %+v", c.name, err, r)
		}
		if r, err = c.run(Repeat(request("/wrong", 500))); err != nil || r.Wrong != 0 || r.Requests == 0 {
			t.Errorf("%s, expected: %v, %+v", c.name, err, r)
		}
	}
}

func TestOpenRate(t *testing.T) {
	address, _ := serve(t, nil)
	r, err := Open(address, 16, 500, 400*time.Millisecond, Repeat(request("/", 200)))
	if err != nil || r.Wrong != 0 || r.Requests != 200 {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestStall: one stall of the server is seen by every request that was due
// meanwhile, not by those alone that were under way.
func TestStall(t *testing.T) {
	var stall atomic.Int64 // when it ends, in Unix nanoseconds
	address, _ := serve(t, func(*http.Request) {
		if end := stall.Load(); end != 0 {
			time.Sleep(time.Until(time.Unix(0, end)))
		}
	})
	time.AfterFunc(200*time.Millisecond, func() { stall.Store(time.Now().Add(200 * time.Millisecond).UnixNano()) })
	r, err := Open(address, 4, 500, 600*time.Millisecond, Repeat(request("/", 200)))
	if err != nil || r.Wrong != 0 {
		t.Fatalf("%v, %+v", err, r)
	}
	// A third of the requests were due in the stall; half of those waited 100 ms
	// and more. A generator that waits for answers would have seen four.
	late := 0
	for _, bar := range r.Latency.Distribution() {
		if bar.From >= int64(90*time.Millisecond) {
			late += int(bar.Count)
		}
	}
	if late < 30 {
		t.Errorf("%d of %d requests were late", late, r.Requests)
	}
}
