package verify_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"edgejwt/internal/attacks"
	"edgejwt/jwks"
	"edgejwt/verify"
)

// now is the time at which every test of this package decides.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// table is made once: it holds hundreds of signatures.
var table = sync.OnceValue(func() []attacks.Case { return attacks.Table(now, attacks.Options{}) })

// published is attacks.KeySet, parsed.
var published = sync.OnceValue(func() *jwks.Set {
	set, _, err := jwks.Parse(attacks.KeySet(), verify.RS256)
	if err != nil {
		panic(err)
	}
	return set
})

// publishedKey is the key of published with this kid.
func publishedKey(t testing.TB, kid string) *verify.Key {
	t.Helper()
	keys, _ := published().Find(kid, verify.RS256)
	if len(keys) != 1 {
		t.Fatalf("%d keys with kid %s", len(keys), kid)
	}
	return keys[0]
}

// decide calls the steps of this package in the order in which the plugin does.
func decide(headers [][2]string, rules *verify.Rules, keys *jwks.Set, at time.Time) (*verify.Token, error) {
	found, err := verify.Extract(headers, []verify.TokenLocation{verify.Authorization})
	if err != nil {
		return nil, err
	}
	token, err := rules.Parse(found.Token)
	if err != nil {
		return nil, err
	}
	rule, _, err := rules.Match(token)
	if err != nil {
		return nil, err
	}
	if err := rule.Check(token, at); err != nil {
		return nil, err
	}
	kid, _ := token.KeyID()
	candidates, known := keys.Find(kid, token.Algorithm())
	switch {
	case !known:
		return nil, verify.KeyUnknown
	case len(candidates) == 0:
		return nil, verify.AlgorithmNotAllowed
	}
	for _, key := range candidates[:min(len(candidates), jwks.MaxCandidates)] {
		if err = token.VerifySignature(verify.GoEngine, key); err == nil {
			return token, nil
		}
	}
	if kid == "" && len(candidates) > 1 {
		return nil, verify.KeyIDMissing
	}
	return nil, err
}

func rules() *verify.Rules { return verify.NewRules([]verify.Rule{attacks.Options{}.Rule()}) }

// received is what HTTP hands on of the header lines: names in lower case,
// values without white space around them (RFC 9110 §5.1, §5.5).
func received(lines [][2]string) [][2]string {
	out := make([][2]string, len(lines))
	for i, line := range lines {
		out[i] = [2]string{strings.ToLower(line[0]), strings.Trim(line[1], " \t")}
	}
	return out
}

// proxied is the same as Envoy hands it on: see attacks.Case.
func proxied(lines [][2]string) [][2]string {
	var out [][2]string
next:
	for _, line := range lines {
		line[1] = strings.ReplaceAll(line[1], "\r", "")
		for i := range out {
			if out[i][0] != line[0] {
				continue
			}
			if out[i][1] != "" && line[1] != "" {
				out[i][1] += ","
			}
			out[i][1] += line[1]
			continue next
		}
		out = append(out, line)
	}
	return out
}

func TestAttacks(t *testing.T) {
	attackTable(t, table(), rules(), published(), 140, 15)
}

// TestAttacksOfAllAlgorithms is the same for all the algorithms that there are.
func TestAttacksOfAllAlgorithms(t *testing.T) {
	keys, skipped, err := jwks.Parse(attacks.FullKeySet())
	if err != nil || keys.Len() != 9 || len(skipped) != 4 {
		t.Fatalf("%d keys, skipped %v, %v", keys.Len(), skipped, err)
	}
	rules := verify.NewRules([]verify.Rule{attacks.Options{}.FullRule()})
	attackTable(t, attacks.FullTable(now, attacks.Options{}), rules, keys, 400, 40)
}

func attackTable(t *testing.T, table []attacks.Case, rules *verify.Rules, keys *jwks.Set, least, leastValid int) {
	perGroup := map[string]int{}
	accepted := 0
	for _, c := range table {
		perGroup[c.Group]++
		if c.Want == verify.Accepted {
			accepted++
		}
		t.Run(c.Group+"/"+c.Name, func(t *testing.T) {
			lines := received(c.Headers)
			_, err := decide(lines, rules, keys, now)
			if got := verify.ReasonOf(err); got != c.Want {
				t.Errorf("got %v (%v), want %v: %s", got, err, c.Want, c.Why)
			}
			leaksNothing(t, err, lines)
			_, err = decide(proxied(lines), rules, keys, now)
			if got := verify.ReasonOf(err); got != c.Proxied {
				t.Errorf("behind Envoy: got %v (%v), want %v: %s", got, err, c.Proxied, c.Why)
			}
			leaksNothing(t, err, lines)
		})
	}
	t.Logf("%d cases, %d of them valid: %v", len(table), accepted, perGroup)
	if len(table) < least || accepted < leastValid {
		t.Errorf("the table has %d cases, %d of them valid", len(table), accepted)
	}
}

// leaksNothing fails when a refusal's text has a part of a header's value in it.
func leaksNothing(t *testing.T, err error, headers [][2]string) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error() + " " + string(verify.ReasonOf(err).Body()) + verify.ReasonOf(err).Challenge("api")
	for _, header := range headers {
		for _, word := range strings.FieldsFunc(header[1], func(r rune) bool { return strings.ContainsRune(" .,", r) }) {
			if len(word) > 8 && strings.Contains(text, word) {
				t.Errorf("the refusal %q quotes the request", text)
			}
		}
	}
}
