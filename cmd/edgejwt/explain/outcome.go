package explain

import (
	"strconv"
	"strings"
	"time"

	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// Answer is what the client is told by the edge.
type Answer struct {
	Status  int     `json:"status"`
	Headers []Value `json:"headers,omitempty"`
	Body    string  `json:"body,omitempty"`
	// GRPC is the gRPC status of a request that is gRPC, whose HTTP status is 200.
	GRPC int `json:"grpcStatus,omitempty"`
}

// Upstream is what the API is told besides what the client sent.
type Upstream struct {
	// Removed are headers that do not reach it.
	Removed []string `json:"removed,omitempty"`
	// Set are headers that replace whatever stood under their names.
	Set []Value `json:"set,omitempty"`
	// ClearRoute is true when Envoy chooses its route again.
	ClearRoute bool `json:"clearRouteCache,omitempty"`
}

// Dropped is a claim that was left out.
type Dropped struct {
	// Output is the name of the header or the filter state.
	Output string `json:"output"`
	// Claim is the claim's name, or the names that lead to it.
	Claim string `json:"claim"`
	// Cause is a clause about the claim that says why.
	Cause string `json:"cause"`
}

// Value is a header, or an entry of filter state.
type Value struct {
	Name string `json:"name"`
	// Value is empty when it comes of the token and claims are not shown.
	Value string `json:"value,omitempty"`
	// From says where it comes from; empty when that goes without saying.
	From string `json:"from,omitempty"`

	text string // the value, shown or not
}

// answer is what the plugin sends (reply.go there; a test holds the two together).
func (x *explainer) answer() *Answer {
	reason := x.j.Reason
	c := x.o.Config
	if reason == verify.ResourceMetadata {
		return &Answer{Status: reason.Status(), Body: string(c.ResourceMetadata.Document), Headers: []Value{
			plain("content-type", "application/json"),
			plain("cache-control", "max-age=3600"),
			plain("access-control-allow-origin", "*"),
			plain("access-control-allow-methods", "GET, HEAD, OPTIONS"),
			plain("access-control-allow-headers", "*"),
		}}
	}
	a := &Answer{Status: reason.Status(), Body: string(reason.Body()), Headers: []Value{
		plain("content-type", "application/json"), plain("cache-control", "no-store")}}
	if x.j.GRPC {
		a = &Answer{Status: 200, GRPC: reason.GRPCStatus(), Headers: []Value{plain("grpc-message", reason.Description())}}
	}
	challenge := reason.Challenge(c.Realm)
	if verify.ReasonOf(x.j.Detail) == reason {
		challenge = verify.ChallengeOf(x.j.Detail, c.Realm)
	}
	if challenge != "" && c.ResourceMetadata != nil {
		challenge += `, resource_metadata="` + c.ResourceMetadata.URL + `"`
	}
	if challenge != "" {
		a.Headers = append(a.Headers, plain("www-authenticate", challenge))
	}
	if after := x.j.RetryAfter; after > 0 {
		a.Headers = append(a.Headers, plain("retry-after", strconv.Itoa(int((after+time.Second-1)/time.Second))))
	}
	return a
}

func plain(name, value string) Value { return Value{Name: name, Value: value, text: value} }

// upstream tells what becomes of the headers.
func (x *explainer) upstream(c *authz.Changes) *Upstream {
	u := &Upstream{Removed: append(append([]string(nil), x.forged...), c.Remove...), ClearRoute: c.ClearRoute}
	for _, header := range c.Set {
		u.Set = append(u.Set, x.value(header, x.source(header[0])))
	}
	return u
}

func (x *explainer) state(c *authz.Changes) (all []Value) {
	for _, entry := range c.State {
		v := Value{Name: "wasm." + entry[0], Value: entry[1], text: entry[1]}
		if rule := x.rule(); rule != nil {
			for i := range rule.OutputClaimToFilterState {
				if output := &rule.OutputClaimToFilterState[i]; output.Key == entry[0] {
					v = x.value([2]string{v.Name, entry[1]}, "claim "+way(output.Claim))
				}
			}
		}
		all = append(all, v)
	}
	return all
}

// dropped says which claims were left out, and why.
func (x *explainer) dropped(c *authz.Changes) (all []Dropped) {
	for _, d := range c.Dropped {
		entry := Dropped{Output: d.Output, Cause: d.Cause.Error()}
		for i := range x.rule().OutputClaimToHeaders {
			if output := &x.rule().OutputClaimToHeaders[i]; output.Header == d.Output {
				entry.Claim = way(output.Claim)
			}
		}
		for i := range x.rule().OutputClaimToFilterState {
			if output := &x.rule().OutputClaimToFilterState[i]; "wasm."+output.Key == d.Output {
				entry.Claim = way(output.Claim)
			}
		}
		if d.Cause == verify.ErrNotPrintable || d.Cause == verify.ErrTwoMeanings {
			entry.Cause += "; encoding: percent carries it"
		}
		all = append(all, entry)
	}
	return all
}

// value hides what comes of the token, unless claims are shown.
func (x *explainer) value(pair [2]string, from string) Value {
	v := Value{Name: pair[0], From: from, text: pair[1]}
	if x.o.Claims {
		v.Value = pair[1]
	}
	return v
}

// source says what a header that is set comes from.
func (x *explainer) source(header string) string {
	rule := x.rule()
	switch {
	case rule == nil:
		return ""
	case header == rule.OutputPayloadToHeader:
		return "payload"
	case header == "cookie" || header == ":path":
		return "the request's, without the token"
	}
	for i := range rule.OutputClaimToHeaders {
		if rule.OutputClaimToHeaders[i].Header == header {
			return "claim " + way(rule.OutputClaimToHeaders[i].Claim)
		}
	}
	return ""
}

// rule is the token's issuer's; nil when there is none.
func (x *explainer) rule() *config.Rule {
	if i := x.j.Rule(); i >= 0 {
		return &x.o.Config.Rules[i]
	}
	return nil
}

// way writes the names that lead to a claim.
func way(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return "[" + strings.Join(names, ", ") + "]"
}
