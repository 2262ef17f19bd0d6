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
	// Dropped are the claims whose value cannot be a header or filter state.
	Dropped []DroppedClaim
	// ClearRoute is true when Envoy must choose its route again.
	ClearRoute bool
}

// DroppedClaim is a claim that was left out.
type DroppedClaim struct {
	// Output is the name of the header, or that of the filter state with "wasm." before
	// it.
	Output string
	// Cause is one of the errors of verify.HeaderValue.
	Cause error
}

// The names of the filter state that every decision has.
const (
	decisionState = "edgejwt.decision" // the reason, also of refusals that are only reported
	routeState    = "edgejwt.route"    // the route's name
	issuerState   = "edgejwt.issuer"   // as configured; only for valid tokens
)

// Changes returns the changes to the request. They are empty until the request is
// decided. Output headers are set only for requests with a valid token that pass. Filter
// state has the claims of every valid token, so that the access log says who was refused.
// The token is removed only from accepted requests. The slices must not be changed.
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
	if !d.valid {
		return c
	}
	var o *output
	if d.cached != nil {
		o = d.cached.output
	} else {
		o = d.issuer.outputs.prepare(d.token)
	}
	if c.State = join(c.State, o.state); !d.Allowed() {
		c.Dropped = o.dropped[o.droppedHeaders:]
		return c
	}
	accepted := d.Reason == verify.Accepted
	if accepted && !d.issuer.outputs.keepToken {
		d.removeToken(&c)
	}
	c.Set, c.Dropped = join(c.Set, o.set), o.dropped
	c.ClearRoute = accepted && d.authz.clearRouteCache && len(c.Remove)+len(c.Set) > 0
	return c
}

// outputs is a rule's configuration of output headers and filter state.
type outputs struct {
	keepToken     bool
	payloadHeader string // "" for none
	padPayload    bool
	claims        []config.ClaimHeader
	states        []config.ClaimState
}

func newOutputs(rule *config.Rule) outputs {
	return outputs{rule.ForwardOriginalToken, rule.OutputPayloadToHeader, rule.OutputPayloadPadding, rule.OutputClaimToHeaders, rule.OutputClaimToFilterState}
}

// output has the output headers and the filter state of one token.
type output struct {
	set, state     [][2]string
	dropped        []DroppedClaim // those of headers first
	droppedHeaders int
	bytes          int // of memory
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
		payload := t.Payload()
		if o.padPayload && len(payload)%4 > 0 {
			payload += "=="[len(payload)%4-2:]
			out.bytes += pairBytes + len(payload)
		}
		out.set = append(out.set, [2]string{o.payloadHeader, payload})
	}
	for i := range o.claims {
		if text, ok := out.claim(t, o.claims[i].Claim, o.claims[i].Encoding, o.claims[i].Header); ok {
			out.set = append(out.set, [2]string{o.claims[i].Header, text})
		}
	}
	out.droppedHeaders = len(out.dropped)
	for i := range o.states {
		if text, ok := out.claim(t, o.states[i].Claim, o.states[i].Encoding, "wasm."+o.states[i].Key); ok {
			out.state = append(out.state, [2]string{o.states[i].Key, text})
		}
	}
	return out
}

// pairBytes is the memory of a pair of strings without their texts.
const pairBytes = 32

// claim returns the header value of a claim. ok is false when the claim is missing or when
// it has no header value, which is added to dropped.
func (o *output) claim(t *verify.Token, name []string, encoding verify.Encoding, to string) (text string, ok bool) {
	claim := t.Lookup(name)
	if claim == nil {
		return "", false
	}
	text, err := verify.HeaderValue(claim, encoding)
	if err != nil {
		o.dropped = append(o.dropped, DroppedClaim{to, err})
	}
	o.bytes += pairBytes + len(text)
	return text, err == nil
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
			if !location.List {
				c.Remove = append(c.Remove, location.Name)
			}
		}
	}
	for _, header := range d.source.lists {
		c.Remove = append(c.Remove, header[0]) // however many lines there were
		if header[1] != "" {
			c.Set = append(c.Set, header)
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
