package config

import "edgejwt/verify/route"

// MaxPolicyBytes is the greatest length of a policy in the metadata of one of
// Envoy's routes.
const MaxPolicyBytes = 16 << 10

// ParsePolicy reads what an Envoy route says in its filter metadata, under the key
// edgejwt as a string named policy: the JSON of one route without conditions, which
// takes the place of Config.Routes (see Config.RouteMetadata).
//
// The error is an *Error as Parse has it, its paths starting from the policy; then
// the Route is empty. Of the text nothing is kept.
func ParsePolicy(text string) (route.Route, error) {
	r := new(reader)
	if root := r.open(text, &wholePolicy); root != nil {
		var policy route.Route
		root.demand(&policy, nil)
		_, faults := route.NewTable([]route.Route{policy}, route.Options{})
		for _, f := range faults {
			root.routeFault(f)
		}
		if len(r.faults) == 0 {
			return policy, nil
		}
	}
	return route.Route{}, r.refusal()
}
