package harness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Request is one call to the edge.
type Request struct {
	Method  string   // default GET
	Path    string   // default /orders
	Headers []string // name, value, name, value …; a name may come twice
	Body    string
	To      string // host:port; default World.Edge
	HTTP2   bool   // with prior knowledge, as gRPC clients do
}

// Answer is what came back. A request that got no answer has Err.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	Reason string // the member "error" of a JSON body
	Err    error
	Took   time.Duration
}

// String is the answer for a failure message.
func (a Answer) String() string {
	if a.Err != nil {
		return a.Err.Error()
	}
	return fmt.Sprintf("%d %s %v", a.Status, a.Body, a.Header)
}

func newClient() *http.Client {
	t := &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true}
	return &http.Client{
		Transport:     t,
		Timeout:       60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func newClient2() *http.Client {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: &p, DisableCompression: true}, Timeout: 60 * time.Second}
}

// Get calls the edge; headers are name, value, name, value …
func (w *World) Get(path string, headers ...string) Answer {
	return w.Do(Request{Path: path, Headers: headers})
}

// Do makes one call. It may be called by several goroutines.
func (w *World) Do(r Request) (a Answer) {
	begin := time.Now()
	defer func() { a.Took = time.Since(begin) }()
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	if r.Path == "" {
		r.Path = "/orders"
	}
	if r.To == "" {
		r.To = w.Edge
	}
	var body io.Reader
	if r.Body != "" {
		body = strings.NewReader(r.Body)
	}
	q, err := http.NewRequest(r.Method, "http://"+r.To+r.Path, body)
	if err != nil {
		return Answer{Err: err}
	}
	for i := 0; i+1 < len(r.Headers); i += 2 {
		q.Header[r.Headers[i]] = append(q.Header[r.Headers[i]], r.Headers[i+1])
	}
	client := w.client
	if r.HTTP2 {
		client = newClient2()
		defer client.CloseIdleConnections()
	}
	resp, err := client.Do(q)
	if err != nil {
		return Answer{Err: err}
	}
	return read(resp)
}

func read(resp *http.Response) Answer {
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	a := Answer{Status: resp.StatusCode, Header: resp.Header, Body: string(raw), Err: err}
	var doc struct{ Error string }
	if json.Unmarshal(raw, &doc) == nil {
		a.Reason = doc.Error
	}
	return a
}

// Raw sends bytes as they are to a host:port and reads the one answer that is
// expected; for what no HTTP library would send.
func Raw(to, request string) Answer {
	begin := time.Now()
	c, err := net.DialTimeout("tcp", to, 5*time.Second)
	if err != nil {
		return Answer{Err: err}
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		return Answer{Err: err}
	}
	method, _, _ := strings.Cut(request, " ") // of HEAD an answer has no body
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		return Answer{Err: err}
	}
	a := read(resp)
	a.Took = time.Since(begin)
	return a
}

// RawGet is Raw with a GET whose header lines are given as they shall stand on
// the wire, without line ends.
func (w *World) RawGet(path string, lines ...string) Answer {
	return Raw(w.Edge, "GET "+path+" HTTP/1.1\r\nHost: edge\r\n"+strings.Join(append(lines, "Connection: close"), "\r\n")+"\r\n\r\n")
}

// Seen is one request as the API saw it, from the moment its headers arrived.
type Seen struct {
	At           float64 // seconds since 1970
	Method, Path string
	Handler      string            // the function that FastAPI ran; "" for none
	Params       map[string]string // what stood for its path's variables
	Query        string
	Headers      [][2]string // names in lower case, in the order of arrival
	BodyBytes    int         `json:"body_bytes"`
	BodyComplete bool        `json:"body_complete"`
}

// Header is the values under name (lower case), joined with a comma; "" when
// absent.
func (s *Seen) Header(name string) string {
	var values []string
	for _, h := range s.Headers {
		if h[0] == name {
			values = append(values, h[1])
		}
	}
	return strings.Join(values, ",")
}

// Seen is what reached the API since Start or ResetSeen.
func (w *World) Seen() []Seen {
	w.T.Helper()
	return w.seen(http.MethodGet)
}

// ResetSeen clears the API's record and returns what was in it.
func (w *World) ResetSeen() []Seen {
	w.T.Helper()
	return w.seen(http.MethodDelete)
}

func (w *World) seen(method string) (list []Seen) {
	w.T.Helper()
	a := w.Do(Request{Method: method, Path: "/_seen", To: w.API.Address})
	if a.Err == nil {
		a.Err = json.NewDecoder(bytes.NewReader([]byte(a.Body))).Decode(&list)
	}
	if a.Err != nil {
		w.T.Fatalf("the API's record: %v", a)
	}
	return list
}
