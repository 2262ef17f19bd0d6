package route

import (
	"slices"
	"strings"

	"edgejwt/verify/ascii"
)

// Fault is an error in the configuration of a route. The message for it is "routes[2]." +
// Field, Found and Want.
type Fault struct {
	// Route is the route's index.
	Route int
	// Field is the name of the field in the configuration: "path", "methods", "headers".
	// For an element of a list it is the list, and Found is the element.
	Field string
	// Found is the wrong text, or empty.
	Found string
	// Want completes the sentence: "is not a method".
	Want string
}

// checker checks and compiles one route.
type checker struct {
	route   *Route
	rule    *rule
	index   int
	options Options
	faults  []Fault
	listed  []string // the scopes and permissions in rule.challengeScopes
	// hasRequirements is true when the route requires something of a token.
	hasRequirements bool
}

func (c *checker) fault(field, found, want string) {
	c.faults = append(c.faults, Fault{c.index, field, found, want})
}

func (c *checker) check(o Options) {
	r := c.route
	c.rule.route = r
	c.rule.report = r.Mode == Report || r.Mode == Inherit && o.Report
	var want string
	if c.rule.path, want = r.Path.compile(o); want != "" {
		c.fault("path", r.Path.Text, want)
	}
	c.list("methods", r.Methods, methodName)
	c.list("hosts", r.Hosts, hostName)
	for i := range r.Headers {
		c.text("headers", r.Headers[i].Name, header)
		c.list("headers", r.Headers[i].Values, any)
	}
	if r.Auth > Deny || r.Mode > Report {
		c.fault("auth", "", "is of no known value")
	}
	c.requirements(&r.Requirements)
	if r.Auth == None && c.hasRequirements {
		c.fault("auth", "", `is "none", but the route has requirements for a token; write "required" to enforce them`)
	}
	if r.Auth == Deny && c.hasRequirements {
		c.fault("auth", "", `is "deny", but the route has requirements for a token; write "required" to enforce them`)
	} else if r.Auth == Deny && r.AllowOpaque {
		c.fault("auth", "", `is "deny", but allowOpaque lets tokens pass; write one of them`)
	}
}

func (c *checker) requirements(n *Requirements) {
	c.list("scopes", n.Scopes, scope)
	c.list("anyScope", n.AnyScope, scope)
	c.list("permissions", n.Permissions, scope)
	c.list("anyPermission", n.AnyPermission, scope)
	c.list("issuers", n.Issuers, name)
	c.list("audiences", n.Audiences, name)
	c.list("subjects", n.Subjects, name)
	c.list("clients", n.Clients, name)
	c.list("tokenTypes", n.TokenTypes, name)
	c.list("acr", n.ACR, acrValue)
	c.rule.acrValues = strings.Join(n.ACR, " ")
	for i := range n.Claims {
		claim := &n.Claims[i]
		c.claimName("claims", claim.Name)
		if len(claim.Values) == 0 {
			c.fault("claims", "", "has no values")
		}
		for j := range claim.Values {
			if v := &claim.Values[j]; !equal(v, v) { // null, a list, an object, or a number that decimalOf refuses
				c.fault("claims", v.Raw, "is neither a string nor a number nor a boolean")
			}
		}
	}
	for i := range n.RequiredClaims {
		c.claimName("requiredClaims", n.RequiredClaims[i])
	}
	for i := range n.ClaimMatches {
		c.binding("claimMatches", &n.ClaimMatches[i])
	}
	if n.MaxAge < 0 || n.MaxLifetime < 0 || n.MaxAuthAge < 0 {
		c.fault("maxAge", "", "or maxAuthAge or maxLifetime is negative")
	}
	c.hasRequirements = c.hasRequirements || n.MaxAge != 0 || n.MaxLifetime != 0 || n.MaxAuthAge != 0
}

func (c *checker) binding(field string, b *Binding) {
	c.claimName(field, b.Claim)
	sources := 0
	if b.Variable != "" {
		sources++
		if !slices.Contains(c.rule.path.names, b.Variable) {
			c.fault(field, b.Variable, "is not a variable of the route's template")
		}
	}
	if b.Header != "" {
		sources++
		c.text(field, b.Header, header)
	}
	if b.Host {
		sources++
	}
	if sources != 1 {
		c.fault(field, "", "needs exactly one of variable, header and host")
	}
}

// claimName checks the names that lead to a claim.
func (c *checker) claimName(field string, names []string) {
	c.hasRequirements = true
	if len(names) == 0 {
		c.fault(field, "", "names no claim")
	}
}

// kindOfText says which syntax a text in the configuration must have.
type kindOfText uint8

const (
	any kindOfText = iota
	name
	methodName
	header
	hostName
	scope // or permission
	acrValue
)

// wants is Fault.Want for each kind of text.
var wants = [...]string{
	name:       "is empty",
	methodName: "is not a method (example: GET)",
	header:     "is not a header's name in lower case",
	hostName:   "is not a host (examples: api.example.com, api.example.com:8443, *.example.com)",
	acrValue:   "is not a value for acr_values (RFC 9470 §3: printable ASCII without space, quote and backslash)",
	scope:      "is not a scope (RFC 6749 §3.3: printable ASCII without space, quote and backslash)",
}

// list checks each text of a list. The list may be nil, but not empty.
func (c *checker) list(field string, texts []string, kind kindOfText) {
	if texts != nil && len(texts) == 0 {
		c.fault(field, "", "is an empty list, which nothing satisfies")
	}
	for _, text := range texts {
		c.text(field, text, kind)
	}
}

func (c *checker) text(field, text string, kind kindOfText) {
	sound := text != ""
	switch kind {
	case any:
		return
	case name:
		c.hasRequirements = true
	case methodName:
		sound = isToken(text)
		if upper := strings.ToUpper(text); sound && upper != text {
			c.fault(field, text, "is not a method, because the case of methods matters; did you mean "+upper+"?")
			return
		}
	case header:
		sound = isToken(text) && ascii.Lower(text) == text
	case hostName:
		sound = c.addHost(text)
	case scope:
		c.hasRequirements = true
		sound = c.addChallengeScope(text)
	case acrValue:
		c.hasRequirements = true
		sound = isChallengeWord(text)
	}
	if !sound {
		c.fault(field, text, wants[kind])
	}
}

func (c *checker) addHost(text string) bool {
	name, wild := strings.CutPrefix(text, "*.")
	h, ok := hostOf(name, false)
	if wild {
		h.name = "*." + h.name
	}
	c.rule.hosts = append(c.rule.hosts, hostCondition{h.name, h.port})
	if ok && h.port != "" && c.options.IgnoreHostPort {
		c.fault("hosts", text, "names a port, and with hostPort: ignored no request has one")
	}
	// A name with a colon and no port would match every port.
	return ok && !strings.HasSuffix(text, ":")
}

// addChallengeScope adds a scope or permission to those that the challenge lists. With Auth0 a
// client requests the permissions of an API as scopes.
func (c *checker) addChallengeScope(text string) bool {
	if !isChallengeWord(text) {
		return false
	}
	if !slices.Contains(c.listed, text) {
		if c.listed = append(c.listed, text); len(c.listed) > 1 {
			c.rule.challengeScopes += " "
		}
		c.rule.challengeScopes += text
	}
	return true
}

// isChallengeWord reports whether a text can be one of several words, separated by spaces, in
// a quoted value of a challenge.
func isChallengeWord(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\' {
			return false
		}
	}
	return text != ""
}

// isToken is RFC 9110 §5.6.2.
func isToken(s string) bool { return s != "" && onlyOf(s, "!#$%&'*+-.^_`|~") }
