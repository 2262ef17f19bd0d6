package route

import (
	"slices"
	"strings"
	"time"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/strictjson"
)

// Check judges whether the token satisfies the route, at the given time and with
// the skew that its issuer's rule grants. The token's signature must have been
// verified and its times checked.
// Where a route asks for no token and there is none, there is nothing to check.
// A route that denies refuses all, also nil: RouteDenied.
//
// What another token might mend comes first. Reasons: ClaimInvalid,
// IssuerUnknown, AudienceMismatch, TokenExpired (too old for this route);
// ScopeMissing and PermissionMissing, with the scopes that the route needs in
// the verify.Refusal; ClaimMismatch.
func (m *Match) Check(t *verify.Token, now time.Time, skew time.Duration) error {
	if m.Route.Auth == Deny {
		return refuse(verify.RouteDenied, "the route refuses every request")
	}
	if m.rule == nil {
		return nil
	}
	n := &m.Route.Requirements
	if err := n.checkType(t); err != nil {
		return err
	}
	if len(n.Issuers) > 0 && !holdsOne(t, "iss", n.Issuers, whole) {
		return refuse(verify.IssuerUnknown, "the route does not take this issuer")
	}
	if len(n.Audiences) > 0 && !holdsOne(t, "aud", n.Audiences, whole|list) {
		return refuse(verify.AudienceMismatch, "aud names none of the route's audiences")
	}
	if err := n.checkTimes(t, now, skew); err != nil {
		return err
	}
	if !satisfies(t, n.Scopes, n.AnyScope, hasScope) {
		return &verify.Refusal{Reason: verify.ScopeMissing, Detail: "the token lacks a scope", Scope: m.rule.needed}
	}
	if !satisfies(t, n.Permissions, n.AnyPermission, hasPermission) {
		return &verify.Refusal{Reason: verify.PermissionMissing, Detail: "the token lacks a permission", Scope: m.rule.needed}
	}
	return m.checkClaims(t)
}

// refuse makes a Refusal. Details are constants.
func refuse(reason verify.Reason, detail string) error {
	return &verify.Refusal{Reason: reason, Detail: detail}
}

func (n *Requirements) checkType(t *verify.Token) error {
	if len(n.TokenTypes) == 0 {
		return nil
	}
	is := mediaType(t.Type())
	for _, want := range n.TokenTypes {
		if is == "" || mediaType(want) != is {
			continue
		}
		if is == "at+jwt" && !isAccessToken(t) {
			return refuse(verify.ClaimInvalid, "the token lacks a claim that RFC 9068 demands")
		}
		return nil
	}
	return refuse(verify.ClaimInvalid, "typ is not one that the route takes")
}

// mediaType is RFC 7515 §4.1.9: without case, and "application/" may be left out
// where no other slash stands.
func mediaType(typ string) string {
	const prefix = "application/"
	typ = ascii.Lower(typ)
	if len(typ) > len(prefix) && typ[:len(prefix)] == prefix {
		for i := len(prefix); i < len(typ); i++ {
			if typ[i] == '/' {
				return typ
			}
		}
		return typ[len(prefix):]
	}
	return typ
}

// isAccessToken reports whether the claims are there that RFC 9068 §2.2 demands.
func isAccessToken(t *verify.Token) bool {
	for _, name := range []string{"iss", "sub", "client_id", "jti"} {
		if claim, ok := t.Claim(name); !ok || claim.Kind != strictjson.String || claim.Text == "" {
			return false
		}
	}
	audience, ok := t.Claim("aud")
	if !ok || audience.Kind != strictjson.String && len(audience.Children) == 0 {
		return false
	}
	_, noExpiry := t.Date("exp")
	_, noIssue := t.Date("iat")
	return noExpiry == nil && noIssue == nil
}

func (n *Requirements) checkTimes(t *verify.Token, now time.Time, skew time.Duration) error {
	if n.MaxAge > 0 {
		// A token may be newer than the login that it rests on, so "iat" serves
		// only where "auth_time" is missing: machine clients have no login.
		name := "auth_time"
		if _, ok := t.Claim(name); !ok {
			name = "iat"
		}
		since, err := t.Date(name)
		if err != nil {
			return err
		}
		at := float64(now.Unix()) + float64(now.Nanosecond())/1e9
		if since > at+skew.Seconds() {
			return refuse(verify.ClaimInvalid, "auth_time lies ahead")
		}
		if at-since > n.MaxAge.Seconds()+skew.Seconds() {
			return refuse(verify.TokenExpired, "the token is too old for the route")
		}
	}
	if n.MaxLifetime > 0 {
		issued, err := t.Date("iat")
		if err != nil {
			return err
		}
		expiry, err := t.Date("exp")
		if err != nil {
			return err
		}
		if expiry-issued > n.MaxLifetime.Seconds() {
			return refuse(verify.ClaimMismatch, "the token lives longer than the route takes")
		}
	}
	return nil
}

func (m *Match) checkClaims(t *verify.Token) error {
	n := &m.Route.Requirements
	if len(n.Subjects) > 0 && !holdsOne(t, "sub", n.Subjects, whole) {
		return refuse(verify.ClaimMismatch, "the route does not take this subject")
	}
	if len(n.Clients) > 0 && !isClient(t, n.Clients) {
		return refuse(verify.ClaimMismatch, "the route does not take this client")
	}
	for _, name := range n.RequiredClaims {
		if claim := t.Lookup(name); claim == nil || claim.Kind == strictjson.Null {
			return refuse(verify.ClaimMismatch, "a claim is missing that the route needs")
		}
	}
	for i := range n.Claims {
		if !n.Claims[i].holds(t) {
			return refuse(verify.ClaimMismatch, "a claim has none of the route's values")
		}
	}
	for i := range n.ClaimMatches {
		text := m.boundTexts[i]
		if text == "" || !spells(t.Lookup(n.ClaimMatches[i].Claim), text) {
			return refuse(verify.ClaimMismatch, "a claim is not what the request says")
		}
	}
	return nil
}

// says is what the request says in the binding's place; empty when it says
// nothing, or cannot be read in one way only.
func (m *Match) boundText(b *Binding, q *Request) (text string) {
	ok := false
	switch {
	case b.Variable != "":
		text, _ = m.Variable(b.Variable)
		return text
	case b.Host:
		h, _ := hostOf(q.Host, true)
		return h.name
	}
	named := false
	for i := range q.Headers {
		name, value := q.Headers[i][0], q.Headers[i][1]
		if !ascii.SameHeader(name, b.Header) {
			continue
		}
		if ok && value != text {
			return "" // which one the API takes is anyone's guess
		}
		text, ok, named = value, true, named || name == b.Header
	}
	if !named {
		return "" // most servers know no other spelling
	}
	return text
}

// isClient reports whether the token was issued to one of the clients. "azp" is
// OpenID Connect Core's (§2), "client_id" that of RFC 9068 §2.2.
func isClient(t *verify.Token, clients []string) bool {
	_, hasParty := t.Claim("azp")
	_, hasClient := t.Claim("client_id")
	return (hasParty || hasClient) &&
		(!hasParty || holdsOne(t, "azp", clients, whole)) &&
		(!hasClient || holdsOne(t, "client_id", clients, whole))
}

// satisfies reports whether a token has every one of all and one of any, if there
// are such.
func satisfies(t *verify.Token, all, any []string, has func(t *verify.Token, oneOf []string) bool) bool {
	for i := range all {
		if !has(t, all[i:i+1]) {
			return false
		}
	}
	return len(any) == 0 || has(t, any)
}

// holds reports whether the claim is, or is a list that holds, one of the values.
func (c *Claim) holds(t *verify.Token) bool {
	claim := t.Lookup(c.Name)
	if claim == nil {
		return false
	}
	words := c.SpaceDelimited && claim.Kind == strictjson.String
	for i := range c.Values {
		want := &c.Values[i]
		if words && hasWord(claim.Text, want) || !words && equal(claim, want) {
			return true
		}
		if claim.Kind == strictjson.Array {
			for j := range claim.Children {
				if equal(&claim.Children[j], want) {
					return true
				}
			}
		}
	}
	return false
}

// hasWord reports whether the value is one of the words of a text, which spaces
// part.
func hasWord(text string, want *strictjson.Value) bool {
	return want.Kind == strictjson.String && want.Text != "" && slices.Contains(strings.Split(text, " "), want.Text)
}

// equal compares strings, numbers and booleans; nothing equals what is of
// another kind.
func equal(a, b *strictjson.Value) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case strictjson.String:
		return a.Text == b.Text
	case strictjson.Number:
		return sameNumber(a.Raw, b.Raw)
	case strictjson.True, strictjson.False:
		return true
	}
	return false
}

// spells reports whether the claim is, or is a list that holds, this text, or a
// number that is spelled so.
func spells(claim *strictjson.Value, text string) bool {
	if claim == nil {
		return false
	}
	switch claim.Kind {
	case strictjson.String:
		return claim.Text == text
	case strictjson.Number:
		return claim.Raw == text
	case strictjson.Array:
		for i := range claim.Children {
			if claim.Children[i].Kind != strictjson.Array && spells(&claim.Children[i], text) {
				return true
			}
		}
	}
	return false
}

// form is how a claim may hold a text.
type form uint8

const (
	whole form = 1 << iota // as a string
	word                   // as a string of words, parted by single spaces (RFC 6749 §3.3)
	list                   // as a list of strings, and only of strings
)

// holdsOne reports whether a claim holds one of the texts in one of the forms.
func holdsOne(t *verify.Token, name string, texts []string, forms form) bool {
	claim, ok := t.Claim(name)
	switch {
	case !ok:
	case claim.Kind == strictjson.String && forms&word != 0:
		for rest, more := claim.Text, true; more; {
			var first string
			first, rest, more = strings.Cut(rest, " ")
			if contains(texts, first) {
				return true
			}
		}
	case claim.Kind == strictjson.String && forms&whole != 0:
		return contains(texts, claim.Text)
	case claim.Kind == strictjson.Array && forms&list != 0:
		found := false
		for i := range claim.Children {
			if claim.Children[i].Kind != strictjson.String {
				return false
			}
			found = found || contains(texts, claim.Children[i].Text)
		}
		return found
	}
	return false
}

// hasScope looks into "scope" and into "scp", as Okta and Entra ID name it.
func hasScope(t *verify.Token, oneOf []string) bool {
	return holdsOne(t, "scope", oneOf, word|list) || holdsOne(t, "scp", oneOf, word|list)
}

// hasPermission looks into Auth0's claim.
func hasPermission(t *verify.Token, oneOf []string) bool {
	return holdsOne(t, "permissions", oneOf, list)
}

// sameNumber compares two numbers of JSON (RFC 8259 §6) exactly: a float64 takes
// 9007199254740993 for 9007199254740992, another's account number.
func sameNumber(a, b string) bool {
	x, ok := decimalOf(a)
	y, okToo := decimalOf(b)
	return ok && okToo && x == y
}

// decimal is 0.digits × 10^exponent; digits neither start nor end with a zero,
// and are empty for zero, which has no sign.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// decimalOf reads a number of JSON; ok is false when its exponent is beyond all
// that anyone means.
func decimalOf(raw string) (d decimal, ok bool) {
	at := 0
	if at < len(raw) && raw[at] == '-' {
		d.negative = true
		at++
	}
	digits := make([]byte, 0, len(raw))
	point := false
	for ; at < len(raw); at++ {
		c := raw[at]
		if c == '.' {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		if len(digits) > 0 || c != '0' {
			digits = append(digits, c)
			if !point {
				d.exponent++
			}
		} else if point {
			d.exponent--
		}
	}
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	if len(digits) == 0 {
		return decimal{}, true
	}
	d.digits = string(digits)
	if at < len(raw) { // e or E
		at++
		sign := 1
		if at < len(raw) && (raw[at] == '+' || raw[at] == '-') {
			if raw[at] == '-' {
				sign = -1
			}
			at++
		}
		exponent := 0
		for ; at < len(raw); at++ {
			if exponent = exponent*10 + int(raw[at]-'0'); exponent > 1<<20 {
				return decimal{}, false
			}
		}
		d.exponent += sign * exponent
	}
	return d, true
}
