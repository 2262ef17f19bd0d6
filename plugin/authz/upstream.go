package authz

import (
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// Changes has the changes to a request that is decided. The caller makes them in the
// order of the fields.
type Changes struct {
	// Remove has the names of headers to remove, in lower case.
	Remove []string
	// Set has headers to set. They replace all headers of their names.
	Set [][2]string
	// State is the filter state for Envoy's later filters and its access log: names
	// without "wasm.", and values that are not empty. It is also for refused requests.
	State [][2]string
	// Dropped is the number of claims whose value cannot be a header or filter state.
	Dropped int
	// ClearRoute is true when Envoy must choose its route again.
	ClearRoute bool
}

// The names of the filter state that every decision has.
const (
	decisionState = "edgejwt.decision" // the reason, also of refusals that are only reported
	routeState    = "edgejwt.route"    // the route's name
	issuerState   = "edgejwt.issuer"   // as configured; only for valid tokens
)

// Changes returns the changes to the request. They are empty until the request is
// decided. Output headers are set only for requests with a valid token that pass; the
// token is removed only from accepted requests. The slices must not be changed.
func (d *Decision) Changes() (c Changes) {
	if !d.Decided {
		return c
	}
	if d.authz.filterState {
		c.addState(decisionState, d.Reason.String())
		if d.routed {
			c.addState(routeState, d.match.Route.Name)
		}
		if d.valid {
			c.addState(issuerState, d.issuer.name)
		}
	}
	if !d.valid || !d.Allowed() {
		return c
	}
	accepted := d.Reason == verify.Accepted
	if accepted && !d.issuer.outputs.keepToken {
		d.removeToken(&c)
	}
	var o *output
	if d.cached != nil {
		o = d.cached.output
	} else {
		o = d.issuer.outputs.prepare(d.token)
	}
	c.Set, c.State, c.Dropped = join(c.Set, o.set), join(c.State, o.state), o.dropped
	c.ClearRoute = accepted && d.authz.clearRouteCache && len(c.Remove)+len(c.Set) > 0
	return c
}

// outputs is a rule's configuration of output headers and filter state.
type outputs struct {
	keepToken     bool
	payloadHeader string // "" for none
	claims        []config.ClaimHeader
	states        []config.ClaimState
}

func newOutputs(rule *config.Rule) outputs {
	return outputs{rule.ForwardOriginalToken, rule.OutputPayloadToHeader, rule.OutputClaimToHeaders, rule.OutputClaimToFilterState}
}

// output has the output headers and the filter state of one token.
type output struct {
	set, state [][2]string
	dropped    int
	bytes      int // of memory
}

// noOutput is the output of rules without output headers and filter state.
var noOutput = new(output)

// prepare makes the output of a token. It keeps texts of the token.
func (o *outputs) prepare(t *verify.Token) *output {
	if o.payloadHeader == "" && len(o.claims)+len(o.states) == 0 {
		return noOutput
	}
	out := new(output)
	if o.payloadHeader != "" {
		out.set = append(out.set, [2]string{o.payloadHeader, t.Payload()})
	}
	for i := range o.claims {
		if text, ok := out.claim(t, o.claims[i].Claim, o.claims[i].Encoding); ok {
			out.set = append(out.set, [2]string{o.claims[i].Header, text})
		}
	}
	for i := range o.states {
		if text, ok := out.claim(t, o.states[i].Claim, o.states[i].Encoding); ok && text != "" {
			out.state = append(out.state, [2]string{o.states[i].Key, text})
		}
	}
	return out
}

// pairBytes is the memory of a pair of strings without their texts.
const pairBytes = 32

// claim returns the header value of a claim. ok is false when the claim is missing or when
// it has no header value, which dropped counts.
func (o *output) claim(t *verify.Token, name []string, encoding verify.Encoding) (text string, ok bool) {
	claim := t.Lookup(name)
	if claim == nil {
		return "", false
	}
	if text, ok = verify.HeaderValue(claim, encoding); !ok {
		o.dropped++
	}
	o.bytes += pairBytes + len(text)
	return text, ok
}

// join returns a followed by b. It may return b itself.
func join(a, b [][2]string) [][2]string {
	if len(a) == 0 {
		return b[:len(b):len(b)]
	}
	return append(a, b...)
}

// addState adds filter state, unless the value is empty.
func (c *Changes) addState(key, value string) {
	if value != "" {
		c.State = append(c.State, [2]string{key, value})
	}
}

// removeToken removes the token from every location that contains it.
func (d *Decision) removeToken(c *Changes) {
	cookies, path := d.source.cookies, d.source.path
	for _, index := range d.found.Locations {
		switch location := &d.authz.locations[index]; location.In {
		case verify.InCookie:
			cookies = verify.WithoutCookie(cookies, location.Name)
		case verify.InQuery:
			path = verify.WithoutParam(path, location.Name)
		default:
			c.Remove = append(c.Remove, location.Name)
		}
	}
	if d.source.cookies != "" {
		c.Remove = append(c.Remove, "cookie") // all lines
		if cookies != "" {
			c.Set = append(c.Set, [2]string{"cookie", cookies})
		}
	}
	if path != d.source.path {
		c.Set = append(c.Set, [2]string{":path", path})
	}
}
