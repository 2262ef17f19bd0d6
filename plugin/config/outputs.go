package config

import (
	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// outputs reads the headers that tell the API who calls. None may be named
// twice: what the API reads would be a matter of order.
func (o *object) outputs(rule *placedRule) {
	if o.has("outputPayloadToHeader") {
		rule.OutputPayloadToHeader = o.headerName("outputPayloadToHeader", outputHeader)
	}
	rule.outputs = o.children("outputClaimToHeaders")
	for _, output := range rule.outputs {
		header := output.headerName("header", outputHeader)
		if other := rule.writes(header); other != "" {
			output.wrong("header", header, "repeats "+other)
			header = ""
		}
		rule.OutputClaimToHeaders = append(rule.OutputClaimToHeaders,
			ClaimHeader{Header: header, Claim: output.way("claim"), Encoding: output.encoding()})
	}
	o.states(rule)
}

func (o *object) encoding() verify.Encoding { return verify.Encoding(max(o.choice("encoding"), 0)) }

// states reads what is told to Envoy's later filters, in which no name may stand
// twice either.
func (o *object) states(rule *placedRule) {
	objects := o.children("outputClaimToFilterState")
	for i, output := range objects {
		key, _ := output.required("key")
		output.label("key", key)
		if names(ownStates, key) {
			output.wrong("key", key, "is what the plugin itself says; choose another name")
		}
		refuseRepeat(objects, i, "key")
		rule.OutputClaimToFilterState = append(rule.OutputClaimToFilterState,
			ClaimState{Key: key, Claim: output.way("claim"), Encoding: output.encoding()})
	}
}

// ownStates are the names that filterState gives: see names.
const ownStates = "edgejwt.decision edgejwt.route edgejwt.issuer "

// label demands what may stand in metrics, logs and filter state as it is.
func (o *object) label(name, text string) {
	for i := 0; i < len(text); i++ {
		if !isAlphanumeric(text[i]) && text[i] != '_' && text[i] != '.' && text[i] != '-' {
			o.unfit(name, text, "may only have letters, digits, dots, hyphens and underscores")
			return
		}
	}
}

// writes says which field names an output header already; "" when none does.
func (rule *placedRule) writes(header string) string {
	if header == "" {
		return ""
	}
	if ascii.SameHeader(header, rule.OutputPayloadToHeader) {
		return rule.object.member("outputPayloadToHeader")
	}
	for i := range rule.OutputClaimToHeaders {
		if ascii.SameHeader(header, rule.OutputClaimToHeaders[i].Header) {
			return rule.outputs[i].member("header")
		}
	}
	return ""
}

// refuseLostTokens refuses an output header in which another rule looks for a
// token. What a client sends in an output header is removed before anything
// else, and the token would go with it.
func refuseLostTokens(rules []*placedRule) {
	for _, rule := range rules {
		refuseLostToken(rules, rule.object, "outputPayloadToHeader", rule.OutputPayloadToHeader)
		for i, output := range rule.OutputClaimToHeaders {
			refuseLostToken(rules, rule.outputs[i], "header", output.Header)
		}
	}
}

// refuseLostToken judges one output header, which is empty for none.
func refuseLostToken(rules []*placedRule, o *object, name, header string) {
	for _, rule := range rules {
		for i := range rule.Locations {
			if l := &rule.Locations[i]; header == "" || l.In != verify.InHeader || !ascii.SameHeader(l.Name, header) {
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
}
