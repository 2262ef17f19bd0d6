package dpop_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"edgejwt/internal/attacks"
	"edgejwt/verify"
	"edgejwt/verify/dpop"
	"edgejwt/verify/strictjson"
)

// now is the time at which the tests check.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var table = sync.OnceValue(func() []attacks.ProofCase { return attacks.Proofs(now, attacks.Options{}) })

// check is the whole way of a request through the package, as the plugin takes it, but for
// the signature of the access token.
func check(rule *dpop.Rule, method, path string, headers [][2]string, at time.Time) (dpop.Proof, error) {
	var scheme, token string
	for _, header := range headers {
		if header[0] == "authorization" {
			scheme, token, _ = strings.Cut(header[1], " ")
		}
	}
	parsed, err := verify.Parse(token)
	if err != nil {
		return dpop.Proof{}, err
	}
	binding := parsed.Binding()
	key, err := verify.WhenBound.Check(&binding, verify.Presentation{DPoP: strings.EqualFold(scheme, "DPoP")})
	if err != nil || key == nil {
		return dpop.Proof{}, err
	}
	proof, err := dpop.Find(headers)
	if err != nil {
		return dpop.Proof{}, err
	}
	return rule.Verify(proof, &dpop.Request{Method: method, Origin: attacks.ProofOrigin, Path: path, Token: token, Key: *key}, verify.GoEngine, at)
}

// received is what HTTP hands on of the header lines (RFC 9110 §5.1, §5.5), and joined is
// the same with repeated lines joined with a comma, as Envoy does.
func received(lines [][2]string) (out [][2]string) {
	for _, line := range lines {
		out = append(out, [2]string{strings.ToLower(line[0]), strings.Trim(line[1], " \t")})
	}
	return out
}

func joined(lines [][2]string) (out [][2]string) {
	for _, line := range received(lines) {
		if i := slices.IndexFunc(out, func(l [2]string) bool { return l[0] == line[0] }); i >= 0 {
			out[i][1] += "," + line[1]
		} else {
			out = append(out, line)
		}
	}
	return out
}

func TestProofs(t *testing.T) {
	rule := attacks.ProofRule()
	perGroup, accepted := map[string]int{}, 0
	for _, c := range table() {
		perGroup[c.Group]++
		if c.Want == nil {
			accepted++
		}
		t.Run(c.Group+"/"+c.Name, func(t *testing.T) {
			for _, lines := range [][][2]string{received(c.Headers), joined(c.Headers)} {
				proof, err := check(&rule, c.Method, c.Path, lines, now)
				if !errors.Is(err, c.Want) || c.Want == nil && err != nil {
					t.Errorf("got %v, want %v: %s", err, c.Want, c.Why)
				}
				if err != nil && proof != (dpop.Proof{}) {
					t.Errorf("an error and %+v", proof)
				}
				leaksNothing(t, err, lines)
			}
		})
	}
	t.Logf("%d cases, %d of them valid: %v", len(table()), accepted, perGroup)
	if len(table()) < 200 || accepted < 40 {
		t.Errorf("the table has %d cases, %d of them valid", len(table()), accepted)
	}
}

// leaksNothing fails when an error's text has a part of the request in it.
func leaksNothing(t *testing.T, err error, headers [][2]string) {
	t.Helper()
	if err == nil {
		return
	}
	for _, header := range headers {
		for _, part := range strings.FieldsFunc(header[1], func(r rune) bool { return strings.ContainsRune(" .,", r) }) {
			decoded, _ := base64.RawURLEncoding.DecodeString(part)
			for _, word := range append(strings.Split(string(decoded), `"`), part) {
				if len(word) > 8 && strings.Contains(err.Error(), word) {
					t.Errorf("the error %q quotes the request: %q", err, word)
				}
			}
		}
	}
}

// TestStandardsProofs verifies the proofs of RFC 9449: figure 2 is for the token endpoint,
// figure 13 for a protected resource.
func TestStandardsProofs(t *testing.T) {
	const (
		header  = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
		figure2 = header + ".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ" +
			".2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
		figure13 = header + ".eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9" +
			".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
		token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
		jkt   = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	)
	decoded, err := base64.RawURLEncoding.DecodeString(jkt)
	if err != nil {
		t.Fatal(err)
	}
	resource := dpop.Request{Method: "GET", Origin: "https://resource.example.org", Path: "/protectedresource", Token: token, Key: verify.Thumbprint(decoded)}
	endpoint := resource
	endpoint.Method, endpoint.Origin, endpoint.Path = "POST", "https://server.example.com", "/token"
	issued := time.Unix(1562262618, 0)
	rule := dpop.Rule{Algorithms: []string{"ES256"}, MaxAge: time.Minute, MaxAhead: 5 * time.Second}

	proof, err := rule.Verify(figure13, &resource, verify.GoEngine, issued)
	if err != nil || proof.Expires != 1562262678 || proof.OldNonce {
		t.Errorf("figure 13: %+v, %v", proof, err)
	}
	// Figure 2 is valid for its request but for the token's hash, which it need not have.
	if _, err := rule.Verify(figure2, &endpoint, verify.GoEngine, issued); !errors.Is(err, dpop.Invalid) || !strings.Contains(err.Error(), "ath") {
		t.Errorf("figure 2: %v", err)
	}
	jws, err := verify.ParseJWS(figure2, strictjson.Limits{Bytes: 1 << 10, Depth: 3, Values: 20})
	if err != nil {
		t.Fatal(err)
	}
	jwk, _ := jws.Header.Member("jwk")
	key, err := verify.ParseJWK("", jwk)
	if err != nil {
		t.Fatal(err)
	}
	if err := jws.VerifySignature(verify.GoEngine, key); err != nil {
		t.Errorf("figure 2: %v", err)
	}
	for name, change := range map[string]func(r *dpop.Request){
		"method": func(r *dpop.Request) { r.Method = "POST" },
		"origin": func(r *dpop.Request) { r.Origin = "https://server.example.com" },
		"path":   func(r *dpop.Request) { r.Path = "/token" },
		"token":  func(r *dpop.Request) { r.Token += "x" },
		"key":    func(r *dpop.Request) { r.Key[0] ^= 1 },
	} {
		changed := resource
		change(&changed)
		if _, err := rule.Verify(figure13, &changed, verify.GoEngine, issued); err == nil {
			t.Errorf("figure 13 is accepted for another %s", name)
		}
	}
	for _, late := range []time.Duration{time.Minute + time.Millisecond, -5*time.Second - time.Millisecond} {
		if _, err := rule.Verify(figure13, &resource, verify.GoEngine, issued.Add(late)); err == nil {
			t.Errorf("figure 13 is accepted %v late", late)
		}
	}
}

// TestAlgorithmsOfTheRule: only the algorithms that a rule names are accepted.
func TestAlgorithmsOfTheRule(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range table() {
		algorithm, ok := strings.CutSuffix(c.Name, " by go-jose")
		if !ok {
			continue
		}
		seen[algorithm] = true
		for _, allowed := range dpop.Algorithms() {
			rule := attacks.ProofRule()
			rule.Algorithms = []string{allowed}
			_, err := check(&rule, c.Method, c.Path, received(c.Headers), now)
			if (err == nil) != (allowed == algorithm) || err != nil && !errors.Is(err, dpop.Invalid) {
				t.Errorf("a proof with %s, where %s is allowed: %v", algorithm, allowed, err)
			}
		}
	}
	if len(seen) != len(dpop.Algorithms()) || !seen[dpop.Algorithms()[0]] {
		t.Errorf("proofs with %v", seen)
	}
}

// TestEngineFails: a signature that cannot be checked is not called invalid.
func TestEngineFails(t *testing.T) {
	broken := func(string, *verify.Key, string, []byte) (bool, error) { return true, errors.New("no answer") }
	refused, accepting := 0, func(string, *verify.Key, string, []byte) (bool, error) { return true, nil }
	rule := attacks.ProofRule()
	for _, c := range table() {
		lines := received(c.Headers)
		proof, err := dpop.Find(lines)
		if err != nil || !strings.HasPrefix(lines[0][1], "DPoP ") {
			continue
		}
		token, err := verify.Parse(lines[0][1][len("DPoP "):])
		if err != nil {
			t.Fatal(err)
		}
		binding := token.Binding()
		key, err := verify.WhenBound.Check(&binding, verify.Presentation{DPoP: true})
		if err != nil {
			continue
		}
		request := &dpop.Request{Method: c.Method, Origin: attacks.ProofOrigin, Path: c.Path, Token: lines[0][1][len("DPoP "):], Key: *key}
		_, err = rule.Verify(proof, request, broken, now)
		if c.Want == nil && !errors.Is(err, dpop.Unchecked) || err == nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		// Everything but the signature is decided before the engine is asked.
		if _, err = rule.Verify(proof, request, accepting, now); err != nil {
			refused++
		} else if c.Want != nil && c.Group != "signature" && c.Name != "the client's key, signed with another" {
			t.Errorf("%s: only its signature refuses it", c.Name)
		}
	}
	if refused < 100 {
		t.Errorf("%d proofs are refused before the signature", refused)
	}
}

// TestNoncesOfTheRule: a proof without one of the server's nonces is answered with a
// demand for one (RFC 9449 §9), and is not called invalid.
func TestNoncesOfTheRule(t *testing.T) {
	nonces := dpop.NewNonces([]byte("a secret of the tests"), time.Minute)
	rule := attacks.ProofRule()
	rule.Nonces = nonces
	foreign := dpop.NewNonces([]byte("another secret of the tests"), time.Minute)
	for _, c := range []struct {
		name, claim string // the claim's JSON, "" without it
		want        error
		old         bool
	}{
		{"no nonce", "", dpop.NonceNeeded, false},
		{"the current one", quote(nonces.Current(now)), nil, false},
		{"the last period's", quote(nonces.Current(now.Add(-time.Minute))), nil, true},
		{"the next period's", quote(nonces.Current(now.Add(time.Minute))), nil, false},
		{"two periods old", quote(nonces.Current(now.Add(-2 * time.Minute))), dpop.NonceNeeded, false},
		{"another server's", quote(foreign.Current(now)), dpop.NonceNeeded, false},
		{"invented", quote("eyJ7S_zG.eyJH0-Z.HX4w-7v"), dpop.NonceNeeded, false},
		{"null", "null", dpop.NonceNeeded, false},
		{"a list", "[" + quote(nonces.Current(now)) + "]", dpop.NonceNeeded, false},
	} {
		headers := attacks.ProofWithNonce(now, attacks.Options{}, c.claim)
		proof, err := check(&rule, "GET", "/orders/7", received(headers), now)
		if !errors.Is(err, c.want) || c.want == nil && err != nil || proof.OldNonce != c.old {
			t.Errorf("%s: %+v, %v; want %v", c.name, proof, err, c.want)
		}
	}
}

func quote(s string) string { return `"` + s + `"` }
