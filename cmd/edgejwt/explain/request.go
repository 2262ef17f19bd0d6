package explain

import (
	"errors"
	"net/url"
	"strings"

	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

// Request is a request as the client sends it.
type Request struct {
	method, path, host string
	fields             [][2]string // names in lower case, in their order
}

// NewRequest makes a request of "GET /orders/7", or "GET https://host/orders/7",
// and headers, each as "name: value". The header host is the request's host.
func NewRequest(line string, headers []string) (*Request, error) {
	method, target, ok := strings.Cut(strings.TrimSpace(line), " ")
	target = strings.TrimSpace(target)
	if !ok || method == "" || target == "" {
		return nil, errors.New("a request is a method and a path (example: GET /orders/7)")
	}
	q := &Request{method: method, path: target, host: "localhost"}
	for _, scheme := range []string{"https://", "http://"} {
		if rest, ok := strings.CutPrefix(target, scheme); ok {
			end := strings.IndexAny(rest, "/?#")
			if end < 0 {
				end = len(rest)
			}
			q.host, q.path = rest[:end], rest[end:]
			if q.path == "" || q.path[0] != '/' {
				q.path = "/" + q.path
			}
		}
	}
	for _, header := range headers {
		name, value, ok := strings.Cut(header, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" {
			return nil, errors.New("a header is a name, a colon and a value (example: x-api-version: 2)")
		}
		q.add(name, strings.Trim(value, " \t"))
	}
	return q, nil
}

// add adds a header as Envoy hands it over: a repeated Authorization comes as one
// value, joined with a comma.
func (q *Request) add(name, value string) {
	switch name {
	case "host", ":authority":
		q.host = value
		return
	case "authorization":
		for i := range q.fields {
			if q.fields[i][0] == name {
				q.fields[i][1] += "," + value
				return
			}
		}
	}
	q.fields = append(q.fields, [2]string{name, value})
}

// PutToken puts a token where the configuration looks for it first: the rule of
// the token's issuer, or else the first one.
func (q *Request) PutToken(token string, c *config.Config) {
	place := c.Rules[0].Locations[0]
	if parsed, err := parse(token); err == nil {
		iss, _ := parsed.Claim("iss")
		for i := range c.Rules {
			if iss != nil && iss.Kind == strictjson.String && iss.Text == c.Rules[i].Issuer {
				place = c.Rules[i].Locations[0]
			}
		}
	}
	switch place.In {
	case verify.InCookie:
		for i := range q.fields {
			if q.fields[i][0] == "cookie" {
				q.fields[i][1] += "; " + place.Name + "=" + token
				return
			}
		}
		q.add("cookie", place.Name+"="+token)
	case verify.InQuery:
		separator := "?"
		if strings.Contains(q.path, "?") {
			separator = "&"
		}
		q.path += separator + url.QueryEscape(place.Name) + "=" + url.QueryEscape(token)
	default:
		q.add(place.Name, place.Prefix+token)
	}
}

// parse reads a token, however long a rule lets it be.
func parse(token string) (*verify.Token, error) {
	return verify.NewRules([]verify.Rule{{MaxTokenBytes: verify.MaxTokenBytes}}).Parse(token)
}

// headers are the request's as the gate wants them.
func (q *Request) headers() [][2]string {
	return append([][2]string{{":method", q.method}, {":scheme", "https"}, {":authority", q.host}, {":path", q.path}}, q.fields...)
}

// String is method, host and path. The query is left out: a token may stand there.
func (q *Request) String() string {
	path, _, cut := strings.Cut(q.path, "?")
	if cut {
		path += "?…"
	}
	return q.method + " " + q.host + path
}
