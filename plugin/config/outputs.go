package config

import (
	"slices"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// outputs reads the output headers and the filter state. It refuses a name that is used
// twice, because the order would decide its value.
func (o *object) outputs(rule *parsedRule) {
	if o.has("outputPayloadToHeader") {
		rule.OutputPayloadToHeader = o.headerName("outputPayloadToHeader", outputHeader)
	}
	rule.OutputPayloadPadding = o.switched("outputPayloadPadding")
	if rule.OutputPayloadPadding && o.lacks("outputPayloadToHeader") {
		o.fault("outputPayloadPadding", "true", "stands without outputPayloadToHeader")
	}
	rule.outputs = o.children("outputClaimToHeaders")
	for _, output := range rule.outputs {
		header := output.headerName("header", outputHeader)
		if other := rule.writes(header); other != "" {
			output.wrong("header", header, "repeats "+other)
			header = ""
		}
		rule.OutputClaimToHeaders = append(rule.OutputClaimToHeaders,
			ClaimHeader{Header: header, Claim: output.claimPath("claim"), Encoding: output.encoding()})
	}
	states := o.children("outputClaimToFilterState")
	for i, output := range states {
		key, _ := output.required("key")
		output.label("key", key)
		if slices.Contains(ownStates, key) {
			output.wrong("key", key, "is what the plugin itself says; choose another name")
		}
		refuseRepeat(states, i, "key")
		rule.OutputClaimToFilterState = append(rule.OutputClaimToFilterState,
			ClaimState{Key: key, Claim: output.claimPath("claim"), Encoding: output.encoding()})
	}
}

// ownStates are the names of the filter state that the field filterState sets.
var ownStates = []string{"edgejwt.decision", "edgejwt.route", "edgejwt.issuer"}

func (o *object) encoding() verify.Encoding { return verify.Encoding(max(o.choice("encoding"), 0)) }

// writes returns the path of the field that names an output header; "" when none does.
func (rule *parsedRule) writes(header string) string {
	if header == "" {
		return ""
	}
	if ascii.SameHeader(header, rule.OutputPayloadToHeader) {
		return rule.object.pathTo("outputPayloadToHeader")
	}
	for i := range rule.OutputClaimToHeaders {
		if ascii.SameHeader(header, rule.OutputClaimToHeaders[i].Header) {
			return rule.outputs[i].pathTo("header")
		}
	}
	return ""
}

// refuseLostTokens refuses an output header that is also a token location of a rule. Output
// headers of a client are removed first, and the token with them.
func refuseLostTokens(rules []*parsedRule) {
	for _, rule := range rules {
		refuseLostToken(rules, rule.object, "outputPayloadToHeader", rule.OutputPayloadToHeader)
		for i, output := range rule.OutputClaimToHeaders {
			refuseLostToken(rules, rule.outputs[i], "header", output.Header)
		}
	}
}

// refuseLostToken checks one output header, which is empty for none.
func refuseLostToken(rules []*parsedRule, o *object, name, header string) {
	if header == "" {
		return
	}
	for _, rule := range rules {
		i := slices.IndexFunc(rule.Locations, func(l verify.TokenLocation) bool {
			return l.In == verify.InHeader && ascii.SameHeader(l.Name, header)
		})
		if i < 0 {
			continue
		}
		path := rule.Path + ".fromHeaders"
		if rule.object.has("fromHeaders") {
			path = at(path, i)
		}
		o.wrong(name, header, "is where a token may stand ("+path+")")
		return
	}
}
