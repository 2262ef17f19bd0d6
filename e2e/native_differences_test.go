package e2e

import (
	"strings"
	"testing"

	"edgejwt/e2e/harness"
	"edgejwt/verify/hostile"
)

// nativeSettings gives jwt_authn the same issuer, audience, keys and skew.
func nativeSettings() string {
	return `providers:
  hostile:
    issuer: ` + hostile.Issuer + `
    audiences: [` + hostile.Audience + `]
    local_jwks: {inline_string: '` + string(hostile.KeySet()) + `'}
    clock_skew_seconds: 60
    forward: true
rules:
- match: {prefix: /}
  requires: {provider_name: hostile}
`
}

type comparedCase struct {
	hostile.Case
	ours, theirs           bool // accepted
	ourAnswer, theirAnswer harness.Answer
}

func compareWithNative(t *testing.T, cases []comparedCase) {
	for _, c := range cases {
		if c.ours != c.theirs {
			t.Logf("DIFF %s/%s ours=%v theirs=%v | %s | %s %d", c.Group, c.Name, c.ours, c.theirs, c.ourAnswer.Reason, strings.TrimSpace(c.theirAnswer.Body), c.theirAnswer.Status)
		}
		if c.Raw {
			t.Logf("RAW %s/%s %d %q | %d %q", c.Group, c.Name, c.ourAnswer.Status, c.ourAnswer.Body, c.theirAnswer.Status, c.theirAnswer.Body)
		}
	}
}
