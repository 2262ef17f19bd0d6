package authz

import (
	"slices"

	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// headers are the names that have a meaning. Those of requests are held against
// them by ascii.SameHeader.
type headers struct {
	identity  []string // tell the API who calls
	overrides []string // by which servers take another method, path or host
	tokens    []string // a token may stand in them
	// trailers are, besides identity and overrides, those that are judged, may hold a
	// token, or have one to the API.
	trailers []string

	cookies, query bool // whether a token may stand there

	byLength [][]namedRole // identity, overrides and tokens by the length of the name
}

// role is what read does with a header.
type role uint8

const (
	forged      role = 1 << iota // removes it
	tokenHeader                  // looks for a token in it
)

type namedRole struct {
	name string
	role role
}

func newHeaders(cfg *config.Config) headers {
	h := headers{overrides: cfg.Overrides, trailers: append([]string{"authorization", "cookie", "host"}, methodOverrides...)}
	for i := range cfg.Rules {
		rule := &cfg.Rules[i]
		if rule.OutputPayloadToHeader != "" {
			h.identity = append(h.identity, rule.OutputPayloadToHeader)
		}
		for j := range rule.OutputClaimToHeaders {
			h.identity = append(h.identity, rule.OutputClaimToHeaders[j].Header)
		}
		for _, location := range rule.Locations {
			switch location.In {
			case verify.InHeader:
				h.judge(location.Name)
				if !among(h.tokens, location.Name) {
					h.tokens = append(h.tokens, location.Name)
				}
			case verify.InCookie:
				h.cookies = true
			case verify.InQuery:
				h.query = true
			}
		}
	}
	for i := range cfg.Routes {
		h.judgeAll(&cfg.Routes[i])
	}
	h.add(forged, h.identity)
	h.add(forged, h.overrides)
	h.add(tokenHeader, h.tokens)
	return h
}

// add adds names to byLength.
func (h *headers) add(role role, names []string) {
	for _, name := range names {
		for len(h.byLength) <= len(name) {
			h.byLength = append(h.byLength, nil)
		}
		h.byLength[len(name)] = append(h.byLength[len(name)], namedRole{name, role})
	}
}

// roles gives what read does with a header of the request.
func (h *headers) roles(name string) (roles role) {
	if len(name) >= len(h.byLength) {
		return 0
	}
	for _, known := range h.byLength[len(name)] {
		if ascii.SameHeader(known.name, name) {
			roles |= known.role
		}
	}
	return roles
}

// judgeAll adds the headers that a route or a policy judges requests by.
func (h *headers) judgeAll(r *route.Route) {
	for i := range r.Headers {
		h.judge(r.Headers[i].Name)
	}
	for i := range r.Requirements.ClaimMatches {
		if name := r.Requirements.ClaimMatches[i].Header; name != "" {
			h.judge(name)
		}
	}
}

func (h *headers) judge(name string) {
	if !among(h.trailers, name) {
		h.trailers = append(h.trailers, name)
	}
}

func (h *headers) isForged(name string) bool { return h.roles(name)&forged != 0 }

func among(list []string, name string) bool {
	for _, member := range list {
		if ascii.SameHeader(member, name) {
			return true
		}
	}
	return false
}

// request is what the checks need of a request's headers.
type request struct {
	method, path, host string
	requestMethod      string // of a CORS preflight
	grpc               bool
	credentials        [][2]string // where a token may stand, and what may be taken for it
	forged             []string    // names, as sent, of headers that a client may not send
	all                [][2]string
	headers            [][2]string // all but those that are forged
	policy             *string
	routes             *route.Table
}

// read collects in one pass what the checks need. The result is overwritten by the
// next call.
func (a *Authorizer) read(headers [][2]string) *request {
	h, r := &a.headers, &a.request
	*r = request{credentials: r.credentials[:0], all: headers, headers: headers, routes: a.routes}
	for i := range headers {
		name, text := headers[i][0], headers[i][1]
		roles := h.roles(name)
		switch name {
		case ":method":
			setFirst(&r.method, text)
		case ":path":
			if setFirst(&r.path, text); h.query {
				roles |= tokenHeader
			}
		case ":authority":
			setFirst(&r.host, text)
		case "access-control-request-method":
			setFirst(&r.requestMethod, text)
		case "content-type":
			r.grpc = r.grpc || IsGRPC(text)
		case "cookie":
			if h.cookies {
				roles |= tokenHeader
			}
		}
		switch {
		case roles&forged != 0:
			r.forged = append(r.forged, name)
		case roles&tokenHeader != 0:
			r.credentials = append(r.credentials, headers[i])
		}
	}
	if r.forged != nil {
		r.headers = nil
		for i := range headers {
			if !h.isForged(headers[i][0]) {
				r.headers = append(r.headers, headers[i])
			}
		}
	}
	return r
}

// hasTokenHeader reports whether there is a header in which a token may stand. The
// query of :path is none: browsers keep it in their preflights.
func (r *request) hasTokenHeader() bool {
	return slices.ContainsFunc(r.credentials, func(header [2]string) bool { return header[0] != ":path" })
}

// setFirst keeps the first value of a header that stands there twice.
func setFirst(to *string, text string) {
	if *to == "" {
		*to = text
	}
}

// target is what routes are chosen by.
func (r *request) target() *route.Request {
	return &route.Request{Method: r.method, Host: r.host, Path: r.path, Headers: r.headers}
}

// tokenSource is what a token stands in that is more than the token, where it is to
// be removed.
type tokenSource struct{ cookies, path string }

func (r *request) tokenSource(d *Decision) (s tokenSource) {
	for _, location := range d.found.Locations {
		switch d.authz.locations[location].In {
		case verify.InCookie:
			s.cookies = ""
			for i := range r.credentials {
				// All cookies are one line (RFC 9113 §8.2.3).
				if r.credentials[i][0] != "cookie" {
					continue
				}
				if s.cookies != "" {
					s.cookies += "; "
				}
				s.cookies += r.credentials[i][1]
			}
		case verify.InQuery:
			s.path = r.path
		}
	}
	return s
}

// ForgedTrailers gives the names, as sent, of the trailers that are to be removed.
// Some servers add trailers to the headers, so it is every name by which a request
// is judged, in which a token may stand, or that a client may not send. A name may
// stand among them twice.
func (a *Authorizer) ForgedTrailers(trailers [][2]string) (names []string) {
	for i := range trailers {
		if name := trailers[i][0]; a.headers.isForged(name) || among(a.headers.trailers, name) {
			names = append(names, name)
		}
	}
	return names
}
