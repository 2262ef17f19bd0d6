package config

import (
	"slices"

	"edgejwt/verify/route"
)

// MaxPolicyBytes is the greatest length of a policy in the metadata of one of
// Envoy's routes.
const MaxPolicyBytes = 16 << 10

// Policy is what an Envoy route says in its filter metadata.
type Policy struct {
	// Route has no conditions: Envoy has chosen it.
	Route route.Route
	// Spellings are those that, the operator says, no other Envoy route matches.
	Spellings route.Spelling
}

// wantSpelling is for list.
func wantSpelling(text string) string {
	if !slices.Contains(spellings, text) {
		return "is not known; write " + either(spellings)
	}
	return ""
}

// ParsePolicy reads what an Envoy route says in its filter metadata, under the key
// edgejwt as a string named policy: the JSON of one route without conditions, which
// takes the place of Config.Routes (see Config.RouteMetadata).
//
// The error is an *Error as Parse has it, its paths starting from the policy; then
// the Policy is empty. Of the text nothing is kept.
func ParsePolicy(text string) (Policy, error) {
	r := new(reader)
	if root := r.open(text, &wholePolicy); root != nil {
		var policy Policy
		root.demand(&policy.Route, nil)
		for _, name := range root.list("spellings", wantSpelling) {
			switch name {
			case "trailingSlash":
				policy.Spellings |= route.TrailingSlash
			case "head":
				policy.Spellings |= route.HeadAsGet
			case "port":
				policy.Spellings |= route.HostPort
			}
		}
		_, faults := route.NewTable([]route.Route{policy.Route}, route.Options{})
		for _, f := range faults {
			root.routeFault(f)
		}
		if len(r.faults) == 0 {
			return policy, nil
		}
	}
	return Policy{}, r.refusal()
}
