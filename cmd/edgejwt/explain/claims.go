package explain

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"edgejwt/verify"
	"edgejwt/verify/strictjson"
)

func (x *explainer) claims(ok bool) (string, []string) {
	rule := x.rule()
	details := x.times()
	switch {
	case rule.AnyAudience:
		details = append(details, "aud is not looked at (anyAudience)")
	case x.o.Claims:
		details = append(details, "aud is "+x.said("aud")+", and must name one of "+strings.Join(rule.Audiences, ", "))
	default:
		details = append(details, "aud must name one of "+strings.Join(rule.Audiences, ", "))
	}
	if x.o.Claims {
		for i := range x.payload().Children {
			if claim := &x.payload().Children[i]; !names("exp nbf iat aud iss", claim.Name) {
				details = append(details, claim.Name+" is "+shown(claim))
			}
		}
	}
	if !ok {
		return x.why(), details
	}
	return "times and audience are good", details
}

// times tells the token's times, relative to that of the request.
func (x *explainer) times() (lines []string) {
	t := x.token()
	for _, name := range []string{"iat", "nbf", "exp"} {
		seconds, err := t.Date(name)
		if err != nil {
			continue
		}
		at := time.Unix(int64(seconds), 0).UTC()
		distance := at.Sub(x.o.At).Round(time.Second)
		when := "in " + written(distance)
		if distance < 0 {
			when = written(-distance) + " ago"
		}
		lines = append(lines, name+" is "+at.Format(time.RFC3339)+", "+when)
	}
	return append(lines, "clocks may differ by "+written(x.rule().ClockSkew))
}

// written is a duration for people, not negative: in Go's spelling without the units that
// are zero, and from two days on in days, rounded down.
func written(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return strconv.FormatInt(int64(d/day), 10) + " days"
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// payload is what the token says: its form has been judged by then.
func (x *explainer) payload() *strictjson.Value {
	text, _ := verify.DecodeBase64URL(x.token().Payload())
	value, _ := strictjson.Parse(string(text), strictjson.Limits{Bytes: verify.MaxTokenBytes, Depth: 32, Values: verify.MaxTokenBytes})
	return &value
}

// said is a claim as the token spells it.
func (x *explainer) said(name string) string {
	claim, ok := x.token().Claim(name)
	if !ok {
		return "missing"
	}
	return shown(claim)
}

// shown is a claim as the token spells it, cut, and with nothing in it that a
// terminal could take for more than text.
func shown(claim *strictjson.Value) string {
	var b strings.Builder
	for i, c := range claim.Raw {
		if i > 200 {
			b.WriteString("…")
			break
		}
		if unicode.IsPrint(c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, "\\u%04x", c)
		}
	}
	return b.String()
}

func names(list, name string) bool {
	for _, word := range strings.Fields(list) {
		if word == name {
			return true
		}
	}
	return false
}
