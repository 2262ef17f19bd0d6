package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Request is one to try, as it stands on the wire.
type Request struct {
	Method, Path string
	// Host is as it stands on the wire.
	Host    string
	Headers [][2]string
	// Carries says what kind of token it carries, for messages.
	Carries string

	generator *Generator
	token     *token
	place     int
	scheme    string
	second    *token
	unread    bool // see Unread
}

var paths = []string{
	"/a", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/ab", "/ab/c", "/A", "/A/b", "/p", "/p/x", "/p/x/", "/pub", "/pub/", "/pub/x",
	"/health", "/health/", "/healthy", "/v1/x", "/v2/x/", "/v3/x", "/", "/zz", "/zz/x", "/a?x=1", "/a/b?q=1", "/pub/x?a=b/c",
}

// odd are paths that servers read in different ways.
var odd = []string{
	"//a", "/a//b", "/./a", "/a/./b", "/a/../pub/x", "/pub/../a", "/pub/%2e%2e/a", "/%61", "/%61/b", "/a%2fb", "/pub%2f..%2fa", "/a;x=1", "/pub/;/../a",
	`/a\b`, `/pub/..\a`, "/a/b%20c", "/a/%C3%A9", "/a/.", "/pub/..", "/a%00", "/health%2f", "/health;", "/a/%zz", "/pub//", "//pub/x",
}

// hosts are names that rules have and others, in several spellings.
var hosts = []string{
	"www.example.com", "www.example.com", "www.example.com", "www.example.com:1", "www.example.com:80", "www.example.com:8443", "www.example.com.", "www.example.com:",
	"WWW.example.com", "Www.Example.Com:80", "www.example.com.:80", "api.example.com", "API.example.com:1", "edge", "edge", "edge:80",
}

// Request makes up a request.
func (g *Generator) Request(c *Config) *Request {
	q := &Request{generator: g, Method: pick(g, "GET", "GET", "GET", "POST", "POST", "HEAD", "HEAD", "DELETE", "OPTIONS", "OPTIONS"), scheme: "Bearer "}
	q.Path, q.Host = pick(g, paths...), pick(g, hosts...)
	if g.chance(20) {
		q.Path = pick(g, odd...)
	}
	if g.chance(20) {
		q.Headers = append(q.Headers, [2]string{"x-h", pick(g, "v", "w", "v1")})
	}
	if q.Method == "OPTIONS" && g.chance(60) {
		q.Headers = append(q.Headers, [2]string{"origin", "https://page.example"}, [2]string{"access-control-request-method", "POST"})
	}
	p := pick(g, c.providers...)
	q.place = p.place
	q.token = g.token(p)
	q.Carries = q.token.kind
	if g.chance(4) {
		q.place = g.r.IntN(len(places))
	}
	if g.chance(3) {
		q.scheme = pick(g, "bearer ", "BEARER ")
	}
	if g.chance(3) {
		q.second = g.token(p)
		q.Carries += " and " + q.second.kind
	}
	return q
}

// Made is a request with a valid token of the first issuer that has the claims, or,
// without claims, with none.
func (g *Generator) Made(method, host, path string, claims map[string]any) *Request {
	q := &Request{generator: g, Method: method, Host: host, Path: path, Carries: "no token", scheme: "Bearer ", token: &token{}}
	if claims != nil {
		now := time.Now()
		q.Carries = fmt.Sprint(claims)
		q.token = &token{kid: "key0", method: jwt.SigningMethodRS256, claims: jwt.MapClaims{"iss": issuer(0), "aud": "api", "sub": "alice", "exp": now.Add(time.Hour).Unix()}}
		maps.Copy(q.token.claims, claims)
	}
	return q
}

// Issuer and KeySet are the first issuer's, the keys as JSON.
func (g *Generator) Issuer() string { return issuer(0) }

// KeySet is described at Issuer.
func (g *Generator) KeySet() string { return g.keySet(0) }

// Wire is the request as bytes.
func (q *Request) Wire() string {
	path, headers := q.Path, q.Headers
	put := func(t *token, place int) {
		text := q.generator.sign(t)
		if text == "" {
			return
		}
		switch place {
		case 1:
			headers = append(headers, [2]string{"x-token", "JWT " + text})
		case 2:
			headers = append(headers, [2]string{"cookie", "a=b; session=" + text})
		case 3, 0:
			if t.inURL {
				join := "?"
				if strings.Contains(path, "?") {
					join = "&"
				}
				path += join + map[int]string{0: "access_token", 3: "t"}[place] + "=" + text
				return
			}
			headers = append(headers, [2]string{"authorization", q.scheme + text})
		}
	}
	for _, t := range []*token{q.token, q.second} {
		if t != nil && !(q.unread && q.isUnnamed(t)) {
			put(t, q.place)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nhost: %s\r\n", q.Method, path, q.Host)
	for _, h := range headers {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	if q.Method == "POST" {
		b.WriteString("content-length: 0\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// Slashed are the requests with another number of slashes at the path's end: none
// and one.
func (q *Request) Slashed() (list []*Request) {
	path, query, hasQuery := strings.Cut(q.Path, "?")
	if strings.HasSuffix(path, "/.") { // which is a slash
		path = strings.TrimSuffix(path, ".")
	}
	bare := strings.TrimRight(path, "/")
	for _, path := range []string{bare, bare + "/"} {
		if hasQuery {
			path += "?" + query
		}
		if path != q.Path && path != "" && path[0] == '/' {
			s := *q
			s.Path = path
			list = append(list, &s)
		}
	}
	return list
}

// Respelled are the requests to the same host in another spelling: without port,
// without the dot at its end, in lower case.
func (q *Request) Respelled() (list []*Request) {
	name, port, _ := strings.Cut(q.Host, ":")
	for _, name := range []string{name, strings.TrimSuffix(name, ".")} {
		for _, host := range []string{name, name + ":" + port, strings.ToLower(name), strings.ToLower(name) + ":" + port} {
			if host != q.Host {
				s := *q
				s.Host = host
				list = append(list, &s)
			}
		}
	}
	return list
}

// AsGet is a request with HEAD as one with GET.
func (q *Request) AsGet() []*Request {
	if q.Method != "HEAD" {
		return nil
	}
	s := *q
	s.Method = "GET"
	return []*Request{&s}
}

// Unread is the request without the tokens that stand in the parameter
// access_token, where nobody had named a place.
func (q *Request) Unread() *Request {
	s := *q
	s.unread = true
	return &s
}

// isUnnamed is for a token in the parameter access_token.
func (q *Request) isUnnamed(t *token) bool { return q.place == 0 && t.inURL }

// Plain is the request without what makes a CORS preflight of it.
func (q *Request) Plain() *Request {
	s := *q
	s.Headers = slices.DeleteFunc(slices.Clone(q.Headers), func(h [2]string) bool {
		return h[0] == "origin" || h[0] == "access-control-request-method"
	})
	return &s
}

// Schemed is the request with the scheme as jwt_authn wants it.
func (q *Request) Schemed() *Request {
	s := *q
	s.scheme = "Bearer "
	return &s
}

// Reshaped are the requests whose token has single claims in another shape: a
// value that was alone in a list, or the other way round.
func (q *Request) Reshaped() (list []*Request) {
	for _, shaped := range q.token.reshaped() {
		s := *q
		s.token = shaped
		list = append(list, &s)
	}
	return list
}

// String is for messages, without the token.
func (q *Request) String() string {
	return fmt.Sprintf("%s %s to %s %v carrying %s", q.Method, q.Path, q.Host, q.Headers, q.Carries)
}
