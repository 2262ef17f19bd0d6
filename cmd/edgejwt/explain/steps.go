package explain

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"edgejwt/jwks"
	"edgejwt/plugin/authz"
	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// tellers have the words for each of the gate's steps, in their order.
var tellers = []struct {
	step authz.Step
	name string
	// tell gives the words; "" leaves the step out. ok is false when the step
	// refused, or waits for keys.
	tell func(x *explainer, ok bool) (text string, details []string)
}{
	{authz.StepMetadata, "description", (*explainer).metadata},
	{authz.StepPreflight, "preflight", (*explainer).preflight},
	{authz.StepPolicy, "policy", (*explainer).policy},
	{authz.StepRoute, "route", (*explainer).route},
	{authz.StepExtract, "source", (*explainer).extract},
	{authz.StepParse, "header", (*explainer).parse},
	{authz.StepIssuer, "issuer", (*explainer).issuer},
	{authz.StepClaims, "claims", (*explainer).claims},
	{authz.StepKey, "key", (*explainer).key},
	{authz.StepSignature, "signature", (*explainer).signature},
	{authz.StepBinding, "binding", (*explainer).binding},
	{authz.StepRequirements, "requirements", (*explainer).need},
}

// steps tells every step up to the one that decided.
func (x *explainer) steps() (all []Step) {
	identity, overrides := x.removed()
	if len(identity) > 0 {
		all = append(all, Step{"headers", true, "removed what only the edge may set: " + strings.Join(identity, ", "), nil})
	}
	if len(overrides) > 0 {
		all = append(all, Step{"headers", true, "removed what makes servers take another method, path or host (overrideHeaders): " + strings.Join(overrides, ", "), nil})
	}
	for _, t := range tellers {
		last := t.step == x.j.Step()
		ok := !last || x.j.Decided && (x.j.Reason.Passes() || x.j.Reason == verify.ResourceMetadata)
		if text, details := t.tell(x, ok); text != "" {
			all = append(all, Step{t.name, ok, text, details})
		}
		if last {
			break
		}
	}
	return all
}

// removed parts what was removed from the request by the reason.
func (x *explainer) removed() (identity, overrides []string) {
	for _, name := range x.forged {
		if slices.Contains(x.o.Config.Overrides, ascii.FoldHeader(name)) {
			overrides = append(overrides, name)
		} else {
			identity = append(identity, name)
		}
	}
	return identity, overrides
}

// why is what the gate says of a refusal. It quotes nothing of the request.
func (x *explainer) why() string {
	var refusal *verify.Refusal
	if errors.As(x.j.Detail, &refusal) {
		return refusal.Detail
	}
	if x.j.Detail != nil {
		return x.j.Detail.Error()
	}
	return x.j.Reason.Description()
}

// decidedAt reports whether the request was decided at this step.
func (x *explainer) decidedAt(step authz.Step) bool { return x.j.Decided && x.j.Step() == step }

func (x *explainer) metadata(bool) (string, []string) {
	if x.decidedAt(authz.StepMetadata) {
		return "the API's description (resourceMetadata) is asked for, and answered by the edge", nil
	}
	return "", nil
}

func (x *explainer) preflight(bool) (string, []string) {
	switch {
	case x.decidedAt(authz.StepPreflight):
		return "a CORS preflight, which carries no token, passes", nil
	case !authz.IsPreflight(x.headers) || x.decidedAt(authz.StepMetadata):
		return "", nil
	case !x.o.Config.DecidePreflights && !x.j.IsPreflight():
		return "", nil
	case x.o.Config.DecidePreflights:
		return "a CORS preflight, judged like any other request (corsPreflight: judge)", nil
	}
	return "a CORS preflight, which passes unless its route denies", nil
}

func (x *explainer) policy(ok bool) (string, []string) {
	switch {
	case x.decidedAt(authz.StepPolicy) && x.j.Notice != "":
		return x.why(), strings.Split(x.j.Notice, "\n")
	case !ok && x.j.Reason == verify.IdentityForged:
		return x.j.Reason.Description(), []string{"Envoy chose its route, and with it the policy, by what was removed, and chooses anew without it (routeMetadata)"}
	case !ok:
		return x.why(), nil
	case !x.o.Config.RouteMetadata || x.o.Policy == nil:
		return "", nil
	}
	return "the metadata of Envoy's route holds a policy, which takes the place of routes", nil
}

func (x *explainer) route(ok bool) (string, []string) {
	m := x.j.Match()
	if m == nil {
		return x.why(), nil
	}
	var details []string
	if sent, _, _ := strings.Cut(x.q.path, "?"); m.Path != "" && m.Path != sent {
		details = append(details, "the path is read as "+strconv.Quote(m.Path))
	}
	if m.Route.Mode == route.Report || m.Route.Mode == route.Inherit && x.o.Config.Report {
		details = append(details, "mode report: what is refused goes on all the same")
	}
	if spelling := m.Spelling.Advice(); spelling != "" {
		details = append(details, "the strictest reading of the request applies: "+spelling)
	}
	switch {
	case m.Index < 0 && m.Route.Auth == route.Deny:
		return "no route matches, and then nobody passes (unmatched: deny)", details
	case m.Index < 0:
		return "no route matches: a valid token is needed, and nothing more", details
	}
	for _, name := range variables(m.Route) {
		if value, ok := m.Variable(name); ok {
			details = append(details, "{"+name+"} is "+strconv.Quote(value))
		}
	}
	text := x.routeName() + " matches"
	if conditions := conditions(m.Route); conditions != "" {
		text += " (" + conditions + ")"
	}
	switch {
	case x.decidedAt(authz.StepRoute) && !ok:
		text += ": auth deny, nobody passes, and the token is not looked at"
	case x.decidedAt(authz.StepRoute):
		text += ": auth none, the token is not looked at"
	case m.Route.Auth == route.Optional:
		text += ": a token is optional, and a bad one refused"
	}
	return text, details
}

// routeName is how findings and metrics call the route; empty when none matches.
func (x *explainer) routeName() string {
	m := x.j.Match()
	switch {
	case m.Index < 0:
		return ""
	case m.Route.Name != "":
		return m.Route.Name
	case x.j.ByPolicy():
		return "the policy of Envoy's route"
	}
	return "routes[" + strconv.Itoa(m.Index) + "]"
}

func (x *explainer) extract(ok bool) (string, []string) {
	if x.decidedAt(authz.StepExtract) {
		if ok {
			return "there is no token, and the route takes requests without one", nil
		}
		var places []string
		for i := range x.o.Config.Rules {
			for _, l := range x.o.Config.Rules[i].Locations {
				places = append(places, "looked for in "+place(l))
			}
		}
		return x.why(), distinct(places)
	}
	var places []string
	for _, l := range x.j.Locations() {
		places = append(places, place(l))
	}
	return "a token in " + strings.Join(places, " and "), nil
}

// place says where a token may stand.
func place(l verify.TokenLocation) string {
	switch l.In {
	case verify.InCookie:
		return "the cookie " + l.Name
	case verify.InQuery:
		return "the parameter " + l.Name + " of the URL"
	}
	text := "the header " + l.Name
	if l.List {
		text = "an element of the list " + l.Name
	}
	if l.Prefix == "" {
		return text
	}
	return text + " after " + strconv.Quote(l.Prefix)
}

func distinct(texts []string) (all []string) {
	seen := map[string]bool{}
	for _, text := range texts {
		if !seen[text] {
			seen[text] = true
			all = append(all, text)
		}
	}
	return all
}

// token is the token as far as it was read. While a request waits the gate holds
// its text only.
func (x *explainer) token() *verify.Token {
	if t := x.j.Token(); t != nil {
		return t
	}
	found, err := verify.Extract(x.headers, x.j.Locations())
	if err != nil {
		return nil
	}
	t, _ := parse(found.Token)
	return t
}

func (x *explainer) parse(ok bool) (string, []string) {
	if x.decidedAt(authz.StepParse) {
		if ok {
			return "an opaque token, which the route lets pass; only the API can judge it", nil
		}
		return x.why(), x.lengths()
	}
	t := x.token()
	text := "alg " + strconv.Quote(t.Algorithm())
	if kid, has := t.KeyID(); has {
		text += ", kid " + strconv.Quote(kid)
	} else {
		text += ", no kid"
	}
	if typ := t.Type(); typ != "" {
		text += ", typ " + strconv.Quote(typ)
	}
	return text, nil
}

// lengths says how long the token is and may be, if it was refused for its size.
func (x *explainer) lengths() (lines []string) {
	if x.j.Reason != verify.TokenTooLarge {
		return nil
	}
	if found, err := verify.Extract(x.headers, x.j.Locations()); err == nil {
		lines = append(lines, "the token has "+strconv.Itoa(len(found.Token))+" bytes")
	}
	for i := range x.o.Config.Rules {
		rule := &x.o.Config.Rules[i]
		lines = append(lines, rule.Path+".maxTokenBytes is "+strconv.Itoa(rule.MaxTokenBytes))
	}
	return lines
}

func (x *explainer) issuer(ok bool) (string, []string) {
	if !ok {
		var details []string
		if x.o.Claims {
			details = append(details, "iss is "+x.said("iss"))
		}
		for i := range x.o.Config.Rules {
			rule := &x.o.Config.Rules[i]
			details = append(details, rule.Path+" is for "+rule.Issuer+" with "+strings.Join(rule.Algorithms, ", "))
		}
		text := x.why()
		if x.j.Reason == verify.TokenTooLarge {
			details = append(details, x.lengths()...)
		} else if x.rule() != nil {
			text = "the issuer's rule does not look for tokens where this one stood"
		}
		return text, details
	}
	return x.rule().Path + " is the rule for " + x.rule().Issuer, nil
}

func (x *explainer) key(ok bool) (string, []string) {
	machine := x.o.Keys.machine(x.rule())
	if machine == nil {
		return "no keys of " + x.rule().Issuer + " are at hand: whether the signature is good cannot be told", nil
	}
	status := machine.Status(x.o.At)
	details := []string{"the key set has " + kids(status.KIDs, status.Unnamed)}
	if !ok {
		return x.why(), details
	}
	kid, _ := x.token().KeyID()
	keys, _ := machine.Find(x.o.At, kid, x.token().Algorithm())
	if len(keys) > jwks.MaxCandidates {
		details = append(details, strconv.Itoa(len(keys))+" keys may have signed the token, of which "+strconv.Itoa(jwks.MaxCandidates)+" are tried")
	}
	switch {
	case kid == "":
		return "the token names no key: those of the set that are for " + x.token().Algorithm() + " are tried", details
	case len(keys) > 0 && keys[0].ID != kid:
		return "no key has the token's kid: those without a kid are tried", details
	case len(keys) > 1:
		return "the key set has several keys that the token may mean", details
	}
	return "the key set has the key that the token names", details
}

// kids lists the names of keys, and counts those without one.
func kids(all []string, unnamed int) string {
	const most = 10
	var quoted []string
	for _, kid := range all[:min(len(all), most)] {
		quoted = append(quoted, strconv.Quote(kid))
	}
	text := "kid " + strings.Join(quoted, ", ")
	switch more := len(all) - most; {
	case len(all) == 0:
		text = "no key with a kid"
	case more > 0:
		text += " and " + strconv.Itoa(more) + " more"
	}
	if unnamed > 0 {
		text += "; keys without kid: " + strconv.Itoa(unnamed)
	}
	return text
}

func (x *explainer) signature(ok bool) (string, []string) {
	if !ok {
		return x.why(), nil
	}
	return "the signature verifies", nil
}

// binding tells what the token is bound to, if it is.
func (x *explainer) binding(ok bool) (string, []string) {
	b := x.token().Binding()
	constraint := x.rule().SenderConstraint
	var details []string
	if b.Bound() && x.rule().SenderConstraint != verify.Ignore {
		details = []string{"the token is bound to " + b.To()}
	}
	switch {
	case !ok && !b.Bound():
		return x.why(), []string{"the token is bound to nothing, and " + x.rule().Path + " says senderConstraint: required"}
	case !ok:
		return x.why(), details
	case !b.Bound():
		return "", nil
	case constraint == verify.Ignore:
		return "the token is bound to " + b.To() + ", which is not checked (senderConstraint: ignore)", nil
	}
	return "the request proves what the token is bound to", details
}
