package gate

import (
	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// headers are the names that have a meaning to the gate. Those of requests are held
// against them by ascii.SameHeader.
type headers struct {
	identity  []string // tell the API who calls
	overrides []string // by which servers take another method, path or host
	// trailers are, besides the above, those that are judged, may hold a token, or
	// have one to the API.
	trailers []string
}

func newHeaders(cfg *config.Config) headers {
	h := headers{overrides: cfg.Overrides, trailers: []string{"authorization", "cookie", "host"}}
	for i := range cfg.Rules {
		rule := &cfg.Rules[i]
		if rule.OutputPayloadToHeader != "" {
			h.identity = append(h.identity, rule.OutputPayloadToHeader)
		}
		for j := range rule.OutputClaimToHeaders {
			h.identity = append(h.identity, rule.OutputClaimToHeaders[j].Header)
		}
		for _, location := range rule.Locations {
			if location.In == verify.InHeader {
				h.judge(location.Name)
			}
		}
	}
	for i := range cfg.Routes {
		h.judgeAll(&cfg.Routes[i])
	}
	return h
}

// judgeAll adds the headers that a route or a policy judges requests by.
func (h *headers) judgeAll(r *route.Route) {
	for i := range r.Headers {
		h.judge(r.Headers[i].Name)
	}
	for i := range r.Need.ClaimMatches {
		if name := r.Need.ClaimMatches[i].Header; name != "" {
			h.judge(name)
		}
	}
}

func (h *headers) judge(name string) {
	if !among(h.trailers, name) {
		h.trailers = append(h.trailers, name)
	}
}

func (h *headers) isRemoved(name string) bool {
	return among(h.identity, name) || among(h.overrides, name)
}

func among(list []string, name string) bool {
	for _, member := range list {
		if ascii.SameHeader(member, name) {
			return true
		}
	}
	return false
}

// Forged gives the names, as sent, of the headers that only the edge may set, and of
// those that overrideHeaders removes: they are to be removed before anything else,
// whatever becomes of the request. A name may stand among them twice. rest is what
// is left.
func (g *Gate) Forged(headers [][2]string) (names []string, rest [][2]string) {
	for i := range headers {
		if g.headers.isRemoved(headers[i][0]) {
			names = append(names, headers[i][0])
		}
	}
	if names == nil {
		return nil, headers
	}
	for i := range headers {
		if !g.headers.isRemoved(headers[i][0]) {
			rest = append(rest, headers[i])
		}
	}
	return names, rest
}

// ForgedTrailers gives the names, as sent, of the trailers that are to be removed.
// Some servers add trailers to the headers, so it is every name by which a request
// was judged, in which a token may stand, or that Forged removes. A name may stand
// among them twice.
func (g *Gate) ForgedTrailers(trailers [][2]string) (names []string) {
	for i := range trailers {
		if name := trailers[i][0]; g.headers.isRemoved(name) || among(g.headers.trailers, name) {
			names = append(names, name)
		}
	}
	return names
}
