package authz

import (
	"slices"
	"strings"

	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// headers has the names of the headers that matter to a decision. They are compared
// with ascii.SameHeader.
type headers struct {
	identity  []string // the output headers: they say to the API who calls
	overrides []string // make servers use another method, path or host
	tokens    []string // may contain a token
	// trailers are the names, besides identity and overrides, that are removed from
	// trailers: headers of conditions, and headers that may contain a token here or to
	// the API.
	trailers []string

	cookies, query bool // whether they may contain a token

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
				h.addTrailer(location.Name)
				if !containsHeader(h.tokens, location.Name) {
					h.tokens = append(h.tokens, location.Name)
				}
			case verify.InCookie:
				h.cookies = true
			case verify.InQuery:
				h.query = true
			}
		}
	}
	if cfg.XFCCTrustedElements > 0 {
		h.addTrailer("x-forwarded-client-cert")
	}
	for i := range cfg.Routes {
		h.addConditions(&cfg.Routes[i])
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

// addConditions adds the headers that a route or a policy compares.
func (h *headers) addConditions(r *route.Route) {
	for i := range r.Headers {
		h.addTrailer(r.Headers[i].Name)
	}
	for i := range r.Requirements.ClaimMatches {
		if name := r.Requirements.ClaimMatches[i].Header; name != "" {
			h.addTrailer(name)
		}
	}
}

func (h *headers) addTrailer(name string) {
	if !containsHeader(h.trailers, name) {
		h.trailers = append(h.trailers, name)
	}
}

func (h *headers) isForged(name string) bool { return h.roles(name)&forged != 0 }

func containsHeader(list []string, name string) bool {
	for _, member := range list {
		if ascii.SameHeader(member, name) {
			return true
		}
	}
	return false
}

// request has the parts of a request that the checks need.
type request struct {
	method, path, host string
	requestMethod      string // access-control-request-method
	grpc               bool
	credentials        [][2]string // the headers that may contain a token, and all with a similar name
	forged             []string    // names, as sent, of headers that a client must not send
	all                [][2]string
	headers            [][2]string // all without the forged ones
	forwarded          string      // x-forwarded-client-cert, several lines joined
	dropsHeaders       bool        // connection names headers that matter to the decision or the API
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
		case "x-forwarded-client-cert":
			if a.trustedXFCC > 0 { // several lines are one list (RFC 9110 §5.3)
				if r.forwarded != "" {
					text = r.forwarded + "," + text
				}
				r.forwarded = text
			}
		case "content-type":
			r.grpc = r.grpc || IsGRPC(text)
		case "connection":
			r.dropsHeaders = r.dropsHeaders || h.dropped(text)
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

// proof is what the request presents besides its token.
func (r *request) proof() proof { return proof{forwarded: r.forwarded} }

// maxConnectionOptions is the greatest number of options of a connection header that are read.
const maxConnectionOptions = 32

// dropped reports whether a connection header names a header that is compared here, may
// contain a token, or says to the API who calls: the next proxy removes it (RFC 9110
// §7.6.1). Envoy forwards the header with an upgrade only.
func (h *headers) dropped(connection string) bool {
	options := 0
	for option := range strings.SplitSeq(connection, ",") {
		option = strings.Trim(option, ascii.Space)
		if options++; options > maxConnectionOptions || h.roles(option) != 0 || containsHeader(h.trailers, option) {
			return true
		}
	}
	return false
}

// hasTokenHeader reports whether there is a header that may contain a token. The query of
// :path does not count: browsers keep it in their preflights.
func (r *request) hasTokenHeader() bool {
	return slices.ContainsFunc(r.credentials, func(header [2]string) bool { return header[0] != ":path" })
}

// setFirst keeps the first value of a repeated header.
func setFirst(to *string, text string) {
	if *to == "" {
		*to = text
	}
}

// target returns the parts of the request that select a route.
func (r *request) target() *route.Request {
	return &route.Request{Method: r.method, Host: r.host, Path: r.path, Headers: r.headers}
}

// tokenSource has the texts that contain a token which is to be removed: all cookies,
// and :path. They are empty where the token is not in them. lists are names and values of
// the headers that are lists, without the token.
type tokenSource struct {
	cookies, path string
	lists         [][2]string
}

func (r *request) tokenSource(d *Decision) (s tokenSource) {
	for _, location := range d.found.Locations {
		switch d.authz.locations[location].In {
		case verify.InCookie:
			s.cookies = ""
			for i := range r.credentials {
				// Several lines are joined (RFC 9113 §8.2.3).
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
		default:
			if d.authz.locations[location].List {
				s.removeElement(r, &d.authz.locations[location], d.found.Token)
			}
		}
	}
	return s
}

// removeElement removes the token from a header that is a list. Several lines are one
// list (RFC 9110 §5.3).
func (s *tokenSource) removeElement(r *request, location *verify.TokenLocation, token string) {
	for i := range s.lists {
		if s.lists[i][0] == location.Name { // it was found after another prefix, too
			s.lists[i][1] = location.WithoutToken(s.lists[i][1], token)
			return
		}
	}
	var lines []string
	for i := range r.credentials {
		if r.credentials[i][0] == location.Name {
			lines = append(lines, r.credentials[i][1])
		}
	}
	s.lists = append(s.lists, [2]string{location.Name, location.WithoutToken(strings.Join(lines, ", "), token)})
}

// ForgedTrailers returns the names, as sent, of the trailers that must be removed. Some
// servers add trailers to the headers. So a trailer is removed if a header of its name
// would be part of a condition, may contain a token, or must not come from a client. The
// result may have a name twice.
func (a *Authorizer) ForgedTrailers(trailers [][2]string) (names []string) {
	for i := range trailers {
		if name := trailers[i][0]; a.headers.isForged(name) || containsHeader(a.headers.trailers, name) {
			names = append(names, name)
		}
	}
	return names
}
