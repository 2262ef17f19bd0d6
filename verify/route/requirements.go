package route

import (
	"slices"
	"strings"
	"time"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/strictjson"
)

// refuse makes a Refusal. The detail must be a constant.
func refuse(reason verify.Reason, detail string) error {
	return &verify.Refusal{Reason: reason, Detail: detail}
}

// checkType checks TokenTypes.
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

// mediaType normalises a media type (RFC 7515 §4.1.9): in lower case, and without
// "application/" if there is no other slash.
func mediaType(typ string) string {
	typ = ascii.Lower(typ)
	if short, ok := strings.CutPrefix(typ, "application/"); ok && short != "" && !strings.Contains(short, "/") {
		return short
	}
	return typ
}

// isAccessToken reports whether the token has the claims that RFC 9068 §2.2 requires.
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
	_, expErr := t.Date("exp")
	_, iatErr := t.Date("iat")
	return expErr == nil && iatErr == nil
}

// checkTimes checks MaxAge and MaxLifetime.
func (n *Requirements) checkTimes(t *verify.Token, now time.Time, skew time.Duration) error {
	if n.MaxAge > 0 {
		// A token may be newer than the login behind it. So "iat" counts only if
		// "auth_time" is missing, as in tokens of machine clients.
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

// checkAuthentication checks ACR and MaxAuthAge. It comes after all requirements that a user
// cannot meet by authenticating again.
func (n *Requirements) checkAuthentication(t *verify.Token, acrValues string, now time.Time, skew time.Duration) error {
	stepUp := func(detail string) error {
		return &verify.Refusal{Reason: verify.AuthenticationInsufficient, Detail: detail, ACRValues: acrValues, MaxAuthAge: n.MaxAuthAge}
	}
	if len(n.ACR) > 0 && !holdsOne(t, "acr", n.ACR, whole) {
		return stepUp("acr is not one that the route takes")
	}
	if n.MaxAuthAge > 0 {
		if _, ok := t.Claim("auth_time"); !ok {
			return stepUp("the token does not say when the user authenticated")
		}
		since, err := t.Date("auth_time")
		if err != nil {
			return err
		}
		at := float64(now.Unix()) + float64(now.Nanosecond())/1e9
		switch {
		case since > at+skew.Seconds():
			return refuse(verify.ClaimInvalid, "auth_time lies ahead")
		case at-since > n.MaxAuthAge.Seconds()+skew.Seconds():
			return stepUp("the user authenticated too long ago for the route")
		}
	}
	return nil
}

// isClient reports whether the token was issued to one of the clients: by "azp" (OpenID
// Connect Core §2) and "client_id" (RFC 9068 §2.2).
func isClient(t *verify.Token, clients []string) bool {
	_, hasParty := t.Claim("azp")
	_, hasClient := t.Claim("client_id")
	return (hasParty || hasClient) &&
		(!hasParty || holdsOne(t, "azp", clients, whole)) &&
		(!hasClient || holdsOne(t, "client_id", clients, whole))
}

// satisfies reports whether a token has every text of all, and one of any unless any is
// empty.
func satisfies(t *verify.Token, all, any []string, has func(t *verify.Token, oneOf []string) bool) bool {
	for i := range all {
		if !has(t, all[i:i+1]) {
			return false
		}
	}
	return len(any) == 0 || has(t, any)
}

// holds reports whether the claim is one of the values or a list that contains one.
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

// hasWord reports whether the value is one of the words of a text. Spaces separate words.
func hasWord(text string, want *strictjson.Value) bool {
	return want.Kind == strictjson.String && want.Text != "" && slices.Contains(strings.Split(text, " "), want.Text)
}

// equal compares strings, numbers and booleans. It is false for values of other kinds.
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

// spells reports whether the claim is this text, a number that is spelled like it, or a
// list that contains one of these.
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

// form says in which form a claim may contain a text.
type form uint8

const (
	whole form = 1 << iota // as a string
	word                   // as a word of a string, separated by single spaces (RFC 6749 §3.3)
	list                   // as an element of a list, all of whose elements are strings
)

// holdsOne reports whether a claim contains one of the texts in one of the forms.
func holdsOne(t *verify.Token, name string, texts []string, forms form) bool {
	claim, ok := t.Claim(name)
	switch {
	case !ok:
	case claim.Kind == strictjson.String && forms&word != 0:
		for rest, more := claim.Text, true; more; {
			var first string
			first, rest, more = strings.Cut(rest, " ")
			if slices.Contains(texts, first) {
				return true
			}
		}
	case claim.Kind == strictjson.String && forms&whole != 0:
		return slices.Contains(texts, claim.Text)
	case claim.Kind == strictjson.Array && forms&list != 0:
		found := false
		for i := range claim.Children {
			if claim.Children[i].Kind != strictjson.String {
				return false
			}
			found = found || slices.Contains(texts, claim.Children[i].Text)
		}
		return found
	}
	return false
}

// hasScope reports whether the token has one of the scopes, in "scope" or in "scp" (Okta,
// Entra ID).
func hasScope(t *verify.Token, oneOf []string) bool {
	return holdsOne(t, "scope", oneOf, word|list) || holdsOne(t, "scp", oneOf, word|list)
}

// hasPermission reports whether the token has one of the permissions (Auth0).
func hasPermission(t *verify.Token, oneOf []string) bool {
	return holdsOne(t, "permissions", oneOf, list)
}

// sameNumber compares two JSON numbers (RFC 8259 §6) exactly. As float64,
// 9007199254740993 equals 9007199254740992, which may be the account of another user.
func sameNumber(a, b string) bool {
	x, ok := decimalOf(a)
	y, okToo := decimalOf(b)
	return ok && okToo && x == y
}

// decimal is 0.digits × 10^exponent. The digits neither start nor end with a zero. Zero
// has no digits and is not negative.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// decimalOf parses a JSON number. ok is false when its exponent is more than 2^20.
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

// checkClaims checks Subjects, Clients and the claims. boundTexts has one text for each
// of ClaimMatches.
func (n *Requirements) checkClaims(t *verify.Token, boundTexts []string) error {
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
		text := boundTexts[i]
		if text == "" || !spells(t.Lookup(n.ClaimMatches[i].Claim), text) {
			return refuse(verify.ClaimMismatch, "a claim is not what the request says")
		}
	}
	return nil
}

// demand is what a rule requires of one request.
type demand struct {
	route      *Route
	report     bool
	boundTexts []string // one for each of Requirements.ClaimMatches
}

// asksNoMoreThan reports whether every request that satisfies b also satisfies d. It is a
// partial order: each of two demands may require something that the other does not. It
// does not notice requirements that exclude each other, and is false then.
func (d demand) asksNoMoreThan(b demand) bool {
	if b.report && !d.report {
		return false // b lets every request pass
	}
	switch {
	case d.route.Auth == None || b.route.Auth == Deny:
		return true
	case d.route.Auth == Deny || b.route.Auth == None:
		return false
	case d.route.Auth == Required && b.route.Auth == Optional:
		return false // b lets requests without a token pass
	case b.route.AllowOpaque && !d.route.AllowOpaque:
		return false
	}
	return d.route.Requirements.asksNoMoreThan(&b.route.Requirements) && d.bindsNoMoreThan(b)
}

// asksNoMoreThan compares all requirements but ClaimMatches.
func (n *Requirements) asksNoMoreThan(b *Requirements) bool {
	return includes(b.Scopes, n.Scopes) && oneOfAtMost(n.AnyScope, b.AnyScope, b.Scopes) &&
		includes(b.Permissions, n.Permissions) && oneOfAtMost(n.AnyPermission, b.AnyPermission, b.Permissions) &&
		oneOfAtMost(n.Issuers, b.Issuers, nil) && oneOfAtMost(n.Audiences, b.Audiences, nil) &&
		oneOfAtMost(n.Subjects, b.Subjects, nil) && oneOfAtMost(n.Clients, b.Clients, nil) &&
		oneOfAtMost(n.TokenTypes, b.TokenTypes, nil) && oneOfAtMost(n.ACR, b.ACR, nil) &&
		(n.MaxAuthAge == 0 || b.MaxAuthAge != 0 && b.MaxAuthAge <= n.MaxAuthAge) &&
		(n.MaxAge == 0 || b.MaxAge != 0 && b.MaxAge <= n.MaxAge) &&
		(n.MaxLifetime == 0 || b.MaxLifetime != 0 && b.MaxLifetime <= n.MaxLifetime) &&
		n.claimsAtMost(b)
}

// claimsAtMost compares Claims and RequiredClaims. A claim that must have one of some
// values is required, too.
func (n *Requirements) claimsAtMost(b *Requirements) bool {
	for _, name := range n.RequiredClaims {
		if !slices.ContainsFunc(b.RequiredClaims, func(other []string) bool { return slices.Equal(name, other) }) &&
			!slices.ContainsFunc(b.Claims, func(other Claim) bool { return slices.Equal(name, other.Name) }) {
			return false
		}
	}
	for i := range n.Claims {
		c := &n.Claims[i]
		if !slices.ContainsFunc(b.Claims, func(other Claim) bool {
			return slices.Equal(c.Name, other.Name) && c.SpaceDelimited == other.SpaceDelimited && !slices.ContainsFunc(other.Values, func(value strictjson.Value) bool {
				return !slices.ContainsFunc(c.Values, func(mine strictjson.Value) bool { return equal(&mine, &value) })
			})
		}) {
			return false
		}
	}
	return true
}

// bindsNoMoreThan reports whether b binds every claim that d binds, to the same
// text of this request.
func (d demand) bindsNoMoreThan(b demand) bool {
	for i := range d.route.Requirements.ClaimMatches {
		found := false
		for j := range b.route.Requirements.ClaimMatches {
			found = found || d.boundTexts[i] == b.boundTexts[j] &&
				slices.Equal(d.route.Requirements.ClaimMatches[i].Claim, b.route.Requirements.ClaimMatches[j].Claim)
		}
		if !found {
			return false
		}
	}
	return true
}

// includes reports whether every text of some is in all.
func includes(all, some []string) bool {
	for _, text := range some {
		if !slices.Contains(all, text) {
			return false
		}
	}
	return true
}

// oneOfAtMost reports whether a requirement of one of any is no stricter than one of
// theirs and all of every. An empty list requires nothing.
func oneOfAtMost(any, theirs, every []string) bool {
	if len(any) == 0 || len(theirs) > 0 && includes(any, theirs) {
		return true
	}
	return slices.ContainsFunc(every, func(text string) bool { return slices.Contains(any, text) })
}
