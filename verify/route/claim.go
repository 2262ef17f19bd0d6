package route

import (
	"slices"
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

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
