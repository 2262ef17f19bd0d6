package plugin

import (
	"strings"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"

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

// forward tells the API who calls. It is called for valid tokens only.
func (q *request) forward() error {
	out := &q.issuer.outputs
	if !out.keepToken {
		// The same token may stand in several places; none of them may be left.
		for _, location := range q.found.Locations {
			if err := proxywasm.RemoveHttpRequestHeader(q.root.locations[location].Header); err != nil {
				return err
			}
		}
	}
	if out.payloadHeader != "" {
		if err := proxywasm.ReplaceHttpRequestHeader(out.payloadHeader, q.token.Payload()); err != nil {
			return err
		}
	}
	for _, claim := range out.claims {
		member, ok := q.token.Claim(claim.Claim)
		if !ok {
			continue
		}
		value, ok := verify.HeaderValue(member)
		if !ok {
			q.root.metrics.dropped.add(1)
			continue
		}
		if err := proxywasm.ReplaceHttpRequestHeader(claim.Header, value); err != nil {
			return err
		}
	}
	return nil
}

// identityHeaders are the names of all headers in which this plugin tells the
// API something. A client that sends one of them lies.
type identityHeaders struct{ names map[string]bool }

func (h *identityHeaders) add(rule *config.Rule) {
	if h.names == nil {
		h.names = map[string]bool{}
	}
	if rule.OutputPayloadToHeader != "" {
		h.names[canonical(rule.OutputPayloadToHeader)] = true
	}
	for _, claim := range rule.OutputClaimToHeaders {
		h.names[canonical(claim.Header)] = true
	}
}

// canonical is how servers of the CGI family (WSGI, PHP, Rack) read a header's
// name: x_jwt_sub and x-jwt-sub are one variable there, so they are one here.
func canonical(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), "_", "-")
}

func (h *identityHeaders) any() bool { return len(h.names) > 0 }

// forged gives the names, as sent, of the headers that only this plugin may set.
func (h *identityHeaders) forged(headers [][2]string) []string {
	var names []string
	if h.any() {
		for _, header := range headers {
			if h.names[canonical(header[0])] {
				names = append(names, header[0])
			}
		}
	}
	return names
}

func (h *identityHeaders) strip(headers [][2]string) error {
	for _, name := range h.forged(headers) {
		if err := proxywasm.RemoveHttpRequestHeader(name); err != nil {
			return err
		}
	}
	return nil
}

func (h *identityHeaders) stripTrailers(trailers [][2]string) error {
	for _, name := range h.forged(trailers) {
		if err := proxywasm.RemoveHttpRequestTrailer(name); err != nil {
			return err
		}
	}
	return nil
}
