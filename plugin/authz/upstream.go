package authz

import (
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// Changes is what becomes of a request before the API sees it, in this order.
type Changes struct {
	// Remove names headers, in lower case.
	Remove []string
	// Set are headers that replace whatever stood under their names.
	Set [][2]string
	// State is the filter state for Envoy's later filters and its access log, by its
	// name without "wasm.". No value is empty. It is also set for requests that are
	// refused.
	State [][2]string
	// Dropped counts claims that no header or filter state can carry.
	Dropped int
	// ClearRoute asks for Envoy's route to be chosen again.
	ClearRoute bool
}

// The names of the filter state that every decision has.
const (
	decisionState = "edgejwt.decision" // the reason, also of what is only reported
	routeState    = "edgejwt.route"    // the route's name
	issuerState   = "edgejwt.issuer"   // as configured; of valid tokens only
)

// Changes gives what a decision means for the request. Only bearers of valid tokens
// have an identity that the API is told, and only accepted ones lose their token.
// The slices are not to be changed.
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
		o = d.issuer.outputs.of(d.token)
	}
	c.Set, c.State, c.Dropped = join(c.Set, o.set), join(c.State, o.state), o.dropped
	c.ClearRoute = accepted && d.authz.clearRouteCache && len(c.Remove)+len(c.Set) > 0
	return c
}

// outputs says what the API is told of a valid token under one rule.
type outputs struct {
	keepToken     bool
	payloadHeader string // "" for none
	claims        []config.ClaimHeader
	states        []config.ClaimState
}

func newOutputs(rule *config.Rule) outputs {
	return outputs{rule.ForwardOriginalToken, rule.OutputPayloadToHeader, rule.OutputClaimToHeaders, rule.OutputClaimToFilterState}
}

// output is what the API is told of one token.
type output struct {
	set, state [][2]string
	dropped    int
	bytes      int // that it takes
}

// none is the output of rules that tell the API nothing.
var none = new(output)

// of prepares the output of a token. It holds on to the token's texts.
func (o *outputs) of(t *verify.Token) *output {
	if o.payloadHeader == "" && len(o.claims)+len(o.states) == 0 {
		return none
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

// pairBytes is what a pair of strings takes besides its texts.
const pairBytes = 32

// claim gives a claim's text; ok is false when it is not there, or cannot be
// carried, which is counted.
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

// join appends b to a. Where there is nothing to append it to, b itself will do.
func join(a, b [][2]string) [][2]string {
	if len(a) == 0 {
		return b[:len(b):len(b)]
	}
	return append(a, b...)
}

// addState adds filter state. An empty value is left out: it says no more than none.
func (c *Changes) addState(key, value string) {
	if value != "" {
		c.State = append(c.State, [2]string{key, value})
	}
}

// removeToken takes the token out of every place where it stood: the same one may
// stand in several.
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
		c.Remove = append(c.Remove, "cookie") // however many lines there were
		if cookies != "" {
			c.Set = append(c.Set, [2]string{"cookie", cookies})
		}
	}
	if path != d.source.path {
		c.Set = append(c.Set, [2]string{":path", path})
	}
}
