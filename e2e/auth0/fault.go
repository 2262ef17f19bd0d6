package auth0

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"
)

// Kind says how the key endpoint misbehaves.
type Kind string

// The kinds of trouble. All but Status and Redirect need nothing
// more than Kind.
const (
	None      Kind = ""          // the usual answer (with Delay: a slow one)
	Status    Kind = "status"    // Fault.Status, with Fault.RetryAfter if set
	Reset     Kind = "reset"     // the connection is reset before an answer
	HTML      Kind = "html"      // 200 with a web page
	Empty     Kind = "empty"     // 200 without a body
	Truncated Kind = "truncated" // the connection ends in the middle of the body
	Garbage   Kind = "garbage"   // 200, application/json, random bytes
	NoKeys    Kind = "no-keys"   // 200 with {"keys":[]}
	Redirect  Kind = "redirect"  // 302 to Fault.Location
	Hang      Kind = "hang"      // never answers
	Gate      Kind = "gate"      // no answer until the fault is replaced, then the usual one
	Huge      Kind = "huge"      // 200 with 600 KiB of white space and a key set
)

// Fault is what an endpoint does instead of answering properly.
type Fault struct {
	Kind       Kind          `json:"kind"`
	Delay      time.Duration `json:"delay"`       // waited before anything else; on the control port a string, "2s"
	Status     int           `json:"status"`      // for Status; default 503
	RetryAfter string        `json:"retry_after"` // for Status: the header's value
	Location   string        `json:"location"`    // for Redirect; default another path of the tenant
	Times      int           `json:"times"`       // how many requests it lasts; 0 until it is replaced
}

type endpoint int

const (
	keysEndpoint endpoint = iota
	discoveryEndpoint
	endpoints
)

// SetFault makes the key endpoint misbehave from the next request on. Fault{}
// heals it.
func (s *Server) SetFault(f Fault) { s.setFault(keysEndpoint, f) }

// SetDiscoveryFault is SetFault for /.well-known/openid-configuration.
func (s *Server) SetDiscoveryFault(f Fault) { s.setFault(discoveryEndpoint, f) }

func (s *Server) setFault(e endpoint, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[e] = f
	if s.replaced != nil {
		close(s.replaced)
	}
	s.replaced = make(chan struct{})
}

// Fetch is one request to an endpoint.
type Fetch struct {
	At          time.Time `json:"at"`
	Fault       Kind      `json:"fault"` // what it met
	IfNoneMatch string    `json:"if_none_match,omitempty"`
	By          string    `json:"by,omitempty"` // the URL's query, by which askers can be told apart
	// Read is when the key set was read for a proper answer; zero when none was given.
	Read time.Time `json:"read,omitzero"`
	// Ended is when the request was over, however it ended; zero while it lasts.
	Ended time.Time `json:"ended,omitzero"`
}

// fetchLog remembers requests; all of them are counted, the last 10,000 kept.
type fetchLog struct {
	total, inFlight, maxInFlight int
	last                         []*Fetch
}

// Fetches counts the requests to the key endpoint since the start or ResetCounts.
func (s *Server) Fetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches[keysEndpoint].total
}

// MaxInFlight is how many requests to the key endpoint were under way at once,
// at most, since the start or ResetCounts.
func (s *Server) MaxInFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches[keysEndpoint].maxInFlight
}

// FetchLog is the last 10,000 requests to the key endpoint, oldest first.
func (s *Server) FetchLog() []Fetch {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Fetch, 0, len(s.fetches[keysEndpoint].last))
	for _, f := range s.fetches[keysEndpoint].last {
		list = append(list, *f)
	}
	return list
}

// DiscoveryFetches counts the requests to the discovery document.
func (s *Server) DiscoveryFetches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches[discoveryEndpoint].total
}

// ResetCounts sets the counts of both endpoints to zero.
func (s *Server) ResetCounts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.fetches {
		s.fetches[i] = fetchLog{inFlight: s.fetches[i].inFlight, maxInFlight: s.fetches[i].inFlight}
	}
}

// meet counts a request and lets it meet the endpoint's fault. answered tells
// that nothing is left to say; done must be called in any case. fetch belongs to
// s.mu.
func (s *Server) meet(e endpoint, w http.ResponseWriter, r *http.Request) (fetch *Fetch, done func(), answered bool) {
	s.mu.Lock()
	f := s.faults[e]
	if f.Times > 0 {
		if s.faults[e].Times--; s.faults[e].Times == 0 {
			s.faults[e] = Fault{}
		}
	}
	log := &s.fetches[e]
	log.total++
	log.inFlight++
	log.maxInFlight = max(log.maxInFlight, log.inFlight)
	if len(log.last) == 10_000 {
		log.last = log.last[1:]
	}
	fetch = &Fetch{At: time.Now(), Fault: f.Kind, IfNoneMatch: r.Header.Get("If-None-Match"), By: r.URL.RawQuery}
	log.last = append(log.last, fetch)
	stopped, replaced := s.stopped, s.replaced
	s.mu.Unlock()

	done = func() {
		s.mu.Lock()
		s.fetches[e].inFlight--
		fetch.Ended = time.Now()
		s.mu.Unlock()
	}
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return fetch, done, true
		case <-stopped:
			return fetch, done, true
		}
	}
	if f.Kind == Gate {
		select {
		case <-replaced:
			return fetch, done, false
		case <-r.Context().Done():
			return fetch, done, true
		case <-stopped:
			return fetch, done, true
		}
	}
	return fetch, done, f.answer(s, w, r, stopped)
}

func (f *Fault) answer(s *Server, w http.ResponseWriter, r *http.Request, stopped <-chan struct{}) (answered bool) {
	h := w.Header()
	switch f.Kind {
	case None:
		return false
	case Status:
		status := f.Status
		if status == 0 {
			status = http.StatusServiceUnavailable
		}
		if f.RetryAfter != "" {
			h.Set("Retry-After", f.RetryAfter)
		}
		h.Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"statusCode":%d,"error":%q,"message":"%[2]s"}`, status, http.StatusText(status))
	case Reset:
		cut(w, true, nil)
	case Truncated:
		doc := s.KeySet()
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(doc))
		cut(w, false, append([]byte(head), doc[:len(doc)/2]...))
	case HTML:
		h.Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to this network.</body></html>")
	case Empty:
		h.Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusOK)
	case NoKeys:
		h.Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprint(w, `{"keys":[]}`)
	case Garbage:
		h.Set("Content-Type", "application/json; charset=utf-8")
		w.Write([]byte("\x00\xff\x1f\x8b{\"keys\":[{\"kty\":\xc3\x28\"RSA\"\x00]]"))
	case Huge:
		h.Set("Content-Type", "application/json; charset=utf-8")
		w.Write(slices.Concat(slices.Repeat([]byte(" "), 600<<10), s.KeySet()))
	case Redirect:
		to := f.Location
		if to == "" {
			to = s.Issuer() + "moved/jwks.json"
		}
		h.Set("Location", to)
		w.WriteHeader(http.StatusFound)
	case Hang:
		select {
		case <-r.Context().Done():
		case <-stopped:
		}
	default:
		http.Error(w, "unknown fault "+string(f.Kind), http.StatusInternalServerError)
	}
	return true
}

// cut writes raw bytes, perhaps none, and ends the connection; with reset the
// client gets a TCP RST.
func cut(w http.ResponseWriter, reset bool, raw []byte) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	c.Write(raw)
	if reset {
		if t, ok := c.(interface{ NetConn() net.Conn }); ok {
			if tcp, ok := t.NetConn().(*net.TCPConn); ok {
				tcp.SetLinger(0)
				tcp.Close()
				return
			}
		}
	}
	c.Close()
}
