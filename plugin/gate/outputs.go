package gate

import (
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// outputs is what the API is told of a valid token under one rule.
type outputs struct {
	keepToken     bool
	payloadHeader string // "" for none
	claims        []config.ClaimHeader
}

func newOutputs(rule *config.Rule) outputs {
	return outputs{rule.ForwardOriginalToken, rule.OutputPayloadToHeader, rule.OutputClaimToHeaders}
}

// Changes is what becomes of a request's headers before the API sees it.
type Changes struct {
	// Remove names headers, in lower case.
	Remove []string
	// Set are headers that replace whatever stood under their names.
	Set [][2]string
	// Dropped counts claims that no header can carry.
	Dropped int
}

// Changes gives what the API is told of an accepted request; nothing for any
// other.
func (j *Judgement) Changes() (c Changes) {
	if !j.Decided || j.Reason != verify.Accepted {
		return c
	}
	out := &j.issuer.outputs
	if !out.keepToken {
		// The same token may stand in several places; none of them may be left.
		for _, location := range j.found.Locations {
			c.Remove = append(c.Remove, j.gate.locations[location].Name)
		}
	}
	if out.payloadHeader != "" {
		c.Set = append(c.Set, [2]string{out.payloadHeader, j.token.Payload()})
	}
	for i := range out.claims {
		claim := j.token.Lookup(out.claims[i].Claim)
		if claim == nil {
			continue
		}
		value, ok := verify.HeaderValue(claim, out.claims[i].Encoding)
		if !ok {
			c.Dropped++
			continue
		}
		c.Set = append(c.Set, [2]string{out.claims[i].Header, value})
	}
	return c
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
// request. A name may stand in the answer twice.
func (g *Gate) Forged(headers [][2]string) []string {
	if !g.Outputs() {
		return nil
	}
	var names []string
	for i := range headers {
		name := config.FoldHeader(headers[i][0])
		for _, only := range g.identity {
			if name == only {
				names = append(names, headers[i][0])
				break
			}
		}
	}
	return names
}
