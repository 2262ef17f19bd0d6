package gate

import (
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// outputs is what is told of a valid token under one rule.
type outputs struct {
	keepToken     bool
	payloadHeader string // "" for none
	claims        []config.ClaimHeader
	states        []config.ClaimState
}

func newOutputs(rule *config.Rule) outputs {
	return outputs{rule.ForwardOriginalToken, rule.OutputPayloadToHeader, rule.OutputClaimToHeaders, rule.OutputClaimToFilterState}
}

// Changes is what becomes of a request before the API sees it, in this order.
type Changes struct {
	// Remove names headers, in lower case.
	Remove []string
	// Set are headers that replace whatever stood under their names.
	Set [][2]string
	// State is what Envoy's later filters and its access log are told: filter
	// state by its name without "wasm.". No value is empty. It is also told of
	// requests that are refused.
	State [][2]string
	// Dropped counts claims that could not be told.
	Dropped int
	// ClearRoute asks for Envoy's route to be chosen again.
	ClearRoute bool
}

// The names of the filter state that tells of every decision.
const (
	decisionState = "edgejwt.decision" // the reason, also of what is only reported
	routeState    = "edgejwt.route"    // the route's name
	issuerState   = "edgejwt.issuer"   // as configured; of valid tokens only
)

// Changes gives what a decision means for the request. Only bearers of valid
// tokens have an identity to be told of, and only accepted ones lose their token.
func (j *Judgement) Changes() (c Changes) {
	if !j.Decided {
		return c
	}
	if j.gate.filterState {
		c.tell(decisionState, j.Reason.String())
		if j.routed {
			c.tell(routeState, j.match.Route.Name)
		}
		if j.valid {
			c.tell(issuerState, j.issuer.name)
		}
	}
	if !j.valid || !j.GoesOn() {
		return c
	}
	if j.Reason == verify.Accepted && !j.issuer.outputs.keepToken {
		j.strip(&c)
	}
	t := j.told()
	c.Set, c.State, c.Dropped = join(c.Set, t.set), join(c.State, t.state), t.dropped
	c.ClearRoute = j.gate.clearRouteCache && j.Reason == verify.Accepted && len(c.Remove)+len(c.Set) > 0
	if j.gate.quick.able && j.Reason == verify.Accepted && j.seen != nil && j.seen.told != nil && j.seen.changes == nil {
		j.seen.changes = new(Changes)
		*j.seen.changes = c
	}
	return c
}

// told is what is told of a valid token under its issuer's rule, made ready.
type told struct {
	set, state [][2]string
	dropped    int
	payload    int // bytes of set that are the payload
}

// told makes it, once for each token that is remembered.
func (j *Judgement) told() *told {
	if j.seen != nil && j.seen.told != nil {
		return j.seen.told
	}
	var c Changes
	out := &j.issuer.outputs
	if out.payloadHeader != "" {
		c.set(out.payloadHeader, j.token.Payload())
	}
	for i := range out.claims {
		o := &out.claims[i]
		if value, ok := j.claim(o.Claim, o.Encoding, &c); ok {
			c.set(o.Header, value)
		}
	}
	for i := range out.states {
		o := &out.states[i]
		if value, ok := j.claim(o.Claim, o.Encoding, &c); ok {
			c.tell(o.Key, value)
		}
	}
	t := &told{set: c.Set, state: c.State, dropped: c.Dropped}
	if out.payloadHeader != "" {
		t.payload = len(j.token.Payload())
	}
	if j.seen != nil && t.bytes() <= mostTold {
		j.seen.told = t
	}
	return t
}

// mostTold is how much of what is told may be remembered with a token, in bytes;
// the payload, which is a part of the token, apart. The cache counts the token
// before anybody has asked what is told of it.
const mostTold = 1 << 10

func (t *told) bytes() (n int) {
	for _, list := range [...][][2]string{t.set, t.state} {
		for i := range list {
			n += len(list[i][1])
		}
	}
	return n - t.payload
}

// join appends b to a. Where there is nothing to append it to, b itself will do.
func join(a, b [][2]string) [][2]string {
	if len(a) == 0 {
		return b[:len(b):len(b)]
	}
	return append(a, b...)
}

func (c *Changes) set(header, value string) { c.Set = append(c.Set, [2]string{header, value}) }

// tell adds filter state. What is empty is left out: it says no more than what is
// not there.
func (c *Changes) tell(key, value string) {
	if value != "" {
		c.State = append(c.State, [2]string{key, value})
	}
}

// claim gives a claim as a value; ok is false when it is not there, or cannot be
// told, which is counted.
func (j *Judgement) claim(name []string, encoding verify.Encoding, c *Changes) (value string, ok bool) {
	claim := j.token.Lookup(name)
	if claim == nil {
		return "", false
	}
	if value, ok = verify.HeaderValue(claim, encoding); !ok {
		c.Dropped++
	}
	return value, ok
}

// carrier is what a token stands in that is more than the token, where it is to
// be taken out.
type carrier struct{ cookies, path string }

func (j *Judgement) carrierOf(headers [][2]string) (c carrier) {
	if j.issuer.outputs.keepToken {
		return c
	}
	for _, location := range j.found.Locations {
		switch j.gate.locations[location].In {
		case verify.InCookie:
			c.cookies = cookiesOf(headers)
		case verify.InQuery:
			c.path = Value(headers, ":path")
		}
	}
	return c
}

// cookiesOf gives all cookies as one line (RFC 9113 §8.2.3 joins them so).
func cookiesOf(headers [][2]string) (all string) {
	for i := range headers {
		if headers[i][0] != "cookie" {
			continue
		}
		if all != "" {
			all += "; "
		}
		all += headers[i][1]
	}
	return all
}

// strip takes the token out of every place where it stood: the same one may stand
// in several.
func (j *Judgement) strip(c *Changes) {
	cookies, path := j.carrier.cookies, j.carrier.path
	for _, index := range j.found.Locations {
		switch location := &j.gate.locations[index]; location.In {
		case verify.InCookie:
			cookies = verify.WithoutCookie(cookies, location.Name)
		case verify.InQuery:
			path = verify.WithoutParam(path, location.Name)
		default:
			c.Remove = append(c.Remove, location.Name)
		}
	}
	if j.carrier.cookies != "" {
		c.Remove = append(c.Remove, "cookie") // however many lines there were
		if cookies != "" {
			c.set("cookie", cookies)
		}
	}
	if path != j.carrier.path {
		c.set(":path", path)
	}
}

func (g *Gate) addIdentity(rule *config.Rule) {
	if rule.OutputPayloadToHeader != "" {
		g.identity = append(g.identity, config.FoldHeader(rule.OutputPayloadToHeader))
	}
	for i := range rule.OutputClaimToHeaders {
		g.identity = append(g.identity, config.FoldHeader(rule.OutputClaimToHeaders[i].Header))
	}
}

// Outputs reports whether the gate ever tells the API anything. When not, no
// header or trailer can be forged.
func (g *Gate) Outputs() bool { return len(g.identity) > 0 }

// Forged gives the names, as sent, of the headers or trailers that only the edge
// may set: they are to be removed before anything else, whatever becomes of the
// request. A name may stand among them twice. rest is what is left.
func (g *Gate) Forged(headers [][2]string) (names []string, rest [][2]string) {
	if !g.Outputs() {
		return nil, headers
	}
	for i := range headers {
		if g.isIdentity(headers[i][0]) {
			names = append(names, headers[i][0])
		}
	}
	if names == nil {
		return nil, headers
	}
	for i := range headers {
		if !g.isIdentity(headers[i][0]) {
			rest = append(rest, headers[i])
		}
	}
	return names, rest
}

func (g *Gate) isIdentity(name string) bool {
	if name == "" || name[0] == ':' {
		return false // a pseudo header, which folding would give another's name
	}
	for _, only := range g.identity {
		if len(name) == len(only) && foldsTo(name, only) {
			return true
		}
	}
	return false
}

// foldsTo reports whether config.FoldHeader makes folded of a name as long as it.
func foldsTo(name, folded string) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c < '0' || '9' < c && c < 'a' || 'z' < c:
			c = '-'
		}
		if c != folded[i] {
			return false
		}
	}
	return true
}
