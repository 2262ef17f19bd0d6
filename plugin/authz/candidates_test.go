package authz_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"

	"edgejwt/jwks"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// signers are the keys of these tests: K to P are RSA keys, E is on P-256.
var signers = sync.OnceValue(func() map[string]crypto.Signer {
	all := map[string]crypto.Signer{}
	for _, name := range strings.Split("KLMNOP", "") {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		all[name] = key
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	all["E"] = key
	return all
})

// published is a key as the set publishes it: "K kid=dup alg=RS256", each member but the
// key's name optional.
func published(t testing.TB, text string) map[string]any {
	t.Helper()
	name, members, _ := strings.Cut(text, " ")
	raw, err := json.Marshal(jose.JSONWebKey{Key: signers()[name].Public()})
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]any{}
	if err := json.Unmarshal(raw, &key); err != nil {
		t.Fatal(err)
	}
	for _, member := range strings.Fields(members) {
		member, value, _ := strings.Cut(member, "=")
		switch {
		case member == "key_ops":
			key[member] = strings.Split(value, ",")
		case value == "zero": // a zero byte in front of the number
			number, err := base64.RawURLEncoding.DecodeString(key[member].(string))
			if err != nil {
				t.Fatal(err)
			}
			key[member] = base64.RawURLEncoding.EncodeToString(append([]byte{0}, number...))
		default:
			key[member] = value
		}
	}
	return key
}

func publishedSet(t testing.TB, keys ...string) []byte {
	t.Helper()
	set := map[string][]any{"keys": {}}
	for _, key := range keys {
		set["keys"] = append(set["keys"], published(t, key))
	}
	document, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// signed is a token as go-jose signs it: "K kid=dup alg=RS512"; alg is RS256 or ES256
// where the text does not say it, and there is no kid.
func signed(t testing.TB, text string) string {
	t.Helper()
	name, members, _ := strings.Cut(text, " ")
	algorithm := jose.RS256
	if name == "E" {
		algorithm = jose.ES256
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	for _, member := range strings.Fields(members) {
		member, value, _ := strings.Cut(member, "=")
		if member == "alg" {
			algorithm = jose.SignatureAlgorithm(value)
		} else {
			options = options.WithHeader(jose.HeaderKey(member), value)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: signers()[name]}, options)
	if err != nil {
		t.Fatal(err)
	}
	text, err = josejwt.Signed(signer).Claims(map[string]any{"iss": edgeIssuer, "aud": edgeAudience, "sub": "client", "exp": now.Add(100 * time.Hour).Unix(), "text": text}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// newCandidates makes an Authorizer for the algorithms, with a set of keys or a source of
// them, that counts its signature checks.
func newCandidates(t testing.TB, algorithms string, set []byte, deny []string, source *jwks.Source) *counting {
	t.Helper()
	where := `"jwksUri": "https://idp.example/keys"`
	if source == nil {
		where = `"jwks": ` + string(set)
	}
	names, _ := json.Marshal(strings.Fields(algorithms))
	cfg, err := config.Parse([]byte(fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q], %s, "algorithms": %s}]}`, edgeIssuer, edgeAudience, where, names)))
	if err != nil {
		t.Fatal(err)
	}
	c := &counting{cached: true}
	engine := func(algorithm string, key *verify.Key, signed string, signature []byte) (bool, error) {
		c.checks++
		return verify.GoEngine(algorithm, key, signed, signature)
	}
	c.Authorizer = authz.New(cfg, engine, func(rule *config.Rule) *jwks.Source {
		if source != nil {
			return source
		}
		return jwks.Fixed(rule.InlineSet, deny)
	})
	return c
}

// TestWhichKey: key sets of real providers, and which tokens their keys verify. A case
// lists the tokens with the reason that each gets.
func TestWhichKey(t *testing.T) {
	const ok, unknown, invalid, unnamed, algorithm = verify.Accepted, verify.KeyUnknown, verify.SignatureInvalid, verify.KeyIDMissing, verify.AlgorithmNotAllowed
	type tokens map[string]verify.Reason
	for _, c := range []struct {
		name       string
		algorithms string
		set        []string
		tokens     tokens
	}{
		{"a key for three algorithms", "RS256", []string{"K kid=dup alg=RS512", "K kid=dup alg=RS384", "K kid=dup alg=RS256"},
			tokens{"K kid=dup": ok, "K kid=dup alg=RS512": algorithm, "K": ok, "L kid=dup": invalid}},
		{"a key for three algorithms, all allowed", "RS256 RS384 RS512", []string{"K kid=dup alg=RS512", "K kid=dup alg=RS384", "K kid=dup alg=RS256"},
			tokens{"K kid=dup": ok, "K kid=dup alg=RS384": ok, "K kid=dup alg=RS512": ok, "L kid=dup alg=RS512": invalid}},
		{"PS256 beside RS256", "RS256", []string{"K kid=dup alg=PS256", "K kid=dup alg=RS256"}, tokens{"K kid=dup": ok, "K kid=dup alg=PS256": algorithm}},
		{"PS256 beside RS256, both allowed", "RS256 PS256", []string{"K kid=dup alg=PS256", "K kid=dup alg=RS256"}, tokens{"K kid=dup": ok, "K kid=dup alg=PS256": ok}},
		{"EC before RSA", "RS256", []string{"E kid=dup", "K kid=dup"}, tokens{"K kid=dup": ok, "E kid=dup": algorithm, "L kid=dup": invalid}},
		{"RSA before EC", "RS256", []string{"K kid=dup", "E kid=dup"}, tokens{"K kid=dup": ok, "E kid=dup": algorithm}},
		{"EC before RSA, both allowed", "RS256 ES256", []string{"E kid=dup", "K kid=dup"}, tokens{"K kid=dup": ok, "E kid=dup": ok, "E": ok, "L kid=dup": invalid}},
		{"RSA before EC, both allowed", "RS256 ES256", []string{"K kid=dup", "E kid=dup"}, tokens{"K kid=dup": ok, "E kid=dup": ok}},
		{"two keys", "RS256", []string{"L kid=dup alg=RS256", "K kid=dup alg=RS256"}, tokens{"K kid=dup": ok, "L kid=dup": ok, "M kid=dup": invalid}},
		{"two keys, in the other order", "RS256", []string{"K kid=dup alg=RS256", "L kid=dup alg=RS256"}, tokens{"K kid=dup": ok, "L kid=dup": ok, "M kid=dup": invalid}},
		{"one for encryption", "RS256", []string{"L kid=dup use=enc", "K kid=dup use=sig"}, tokens{"K kid=dup": ok, "L kid=dup": invalid, "L": invalid}},
		{"one that only signs", "RS256", []string{"L kid=dup key_ops=sign", "K kid=dup key_ops=verify"}, tokens{"K kid=dup": ok, "L kid=dup": invalid}},
		{"a key twice", "RS256", []string{"K kid=dup", "K kid=dup"}, tokens{"K kid=dup": ok}},
		{"no kids", "RS256", []string{"K", "L"}, tokens{"K": ok, "L": ok, "M": unnamed, "K kid=x": ok, "M kid=x": unknown}},
		{"empty kids", "RS256", []string{"K kid=", "L kid="}, tokens{"K": ok, "L kid=": ok, "M kid=": unnamed, "K kid=x": ok}},
		{"kids, tokens without", "RS256", []string{"K kid=a", "L kid=b"}, tokens{"L": ok, "K": ok, "M": unnamed, "L kid=a": invalid, "L kid=c": unknown}},
		{"a key without kid, tokens with", "RS256", []string{"K"}, tokens{"K kid=x": ok, "L kid=x": unknown, "L": invalid}},
		{"an empty kid", "RS256", []string{"K kid=a"}, tokens{"K kid=": ok, "L kid=": invalid, "K kid=A": unknown}},
		{"one with a kid, one without", "RS256", []string{"K kid=a", "L"}, tokens{"L kid=b": ok, "L kid=a": ok, "K kid=a": ok, "K kid=b": unknown, "L": ok, "K": ok}},
		{"a zero before n", "RS256", []string{"K kid=a n=zero"}, tokens{"K kid=a": ok, "L kid=a": invalid}},
		{"zeros before n and e", "RS256", []string{"K kid=a n=zero e=zero", "L kid=a"}, tokens{"K kid=a": ok, "L kid=a": ok}},
		{"the zero makes no other key", "RS256", []string{"K kid=a n=zero", "K kid=a", "L kid=a", "M kid=a", "N kid=a"}, tokens{"K kid=a": ok, "L kid=a": ok, "M kid=a": ok, "N kid=a": ok}},
		{"another kid for another algorithm", "RS256 RS512", []string{"K kid=a alg=RS512", "L"}, tokens{"K kid=a": invalid, "K kid=a alg=RS512": ok, "L kid=a": ok, "L kid=b alg=RS512": ok}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := publishedSet(t, c.set...)
			inline := newCandidates(t, c.algorithms, set, nil, nil)
			for text, want := range c.tokens {
				get := request("GET /", bearer(signed(t, text)))
				for _, when := range []string{"new", "again"} {
					if d := decide(inline.Authorizer, get, now); d.Reason != want {
						t.Errorf("%s, %s: %v (%v), want %v", text, when, d.Reason, d.Detail, want)
					}
				}
				// The same keys, fetched. What fails may wait once for other keys.
				source := jwks.New(jwks.Policy{URL: "https://idp.example/keys", Issuer: edgeIssuer, Algorithms: strings.Fields(c.algorithms)}, 1, func() float64 { return 0.5 })
				fetched := newCandidates(t, c.algorithms, nil, nil, source)
				d := decide(fetched.Authorizer, get, now)
				at := now
				for range 2 {
					if !d.Decided {
						at = serve(t, source, at, set)
						d.Resume(at)
					}
				}
				if d.Reason != want {
					t.Errorf("%s, fetched: %v (%v), want %v", text, d.Reason, d.Detail, want)
				}
			}
		})
	}
}

// TestFifthKey: four keys are tried for a token, and a fifth is told of.
func TestFifthKey(t *testing.T) {
	keys := []string{"K kid=dup", "L kid=dup", "M kid=dup", "N kid=dup", "O kid=dup"}
	g := newCandidates(t, "RS256", publishedSet(t, keys...), nil, nil)
	accepted, checks := 0, 0
	for _, key := range keys {
		get := request("GET /", bearer(signed(t, key)))
		d := decide(g.Authorizer, get, now)
		switch {
		case d.Reason == verify.Accepted && d.Untried == 0:
			accepted++
		case d.Reason != verify.SignatureInvalid || d.Untried != 1 || g.checks != checks+jwks.MaxCandidates:
			t.Errorf("%s: %v (%v), %d keys not tried after %d checks", key, d.Reason, d.Detail, d.Untried, g.checks-checks)
		}
		checks = g.checks
	}
	if accepted != jwks.MaxCandidates {
		t.Errorf("tokens of %d keys are accepted", accepted)
	}
	// Keys with the token's kid are tried before those without one.
	g = newCandidates(t, "RS256", publishedSet(t, "K", "L", "M", "N", "O kid=own"), nil, nil)
	if d := decide(g.Authorizer, request("GET /", bearer(signed(t, "O kid=own"))), now); d.Reason != verify.Accepted || g.checks != 1 {
		t.Errorf("%v after %d checks", d.Reason, g.checks)
	}
	// All keys that are tried are one key: none is left out for it.
	g = newCandidates(t, "RS256", publishedSet(t, "K kid=a", "K kid=b", "K kid=c", "K kid=d", "K", "L"), nil, nil)
	if d := decide(g.Authorizer, request("GET /", bearer(signed(t, "L"))), now); d.Reason != verify.Accepted || g.checks > 2 {
		t.Errorf("%v after %d checks", d.Reason, g.checks)
	}
}

// TestBadSignatureUnderSeveralKeys: each key is tried once for a token that has been seen.
func TestBadSignatureUnderSeveralKeys(t *testing.T) {
	g := newCandidates(t, "RS256", publishedSet(t, "K", "L", "M", "N"), nil, nil)
	bad := request("GET /", bearer(signed(t, "O")))
	for i, want := range [][authz.CacheResultEnd]int64{{authz.Miss: 1, authz.Bad: 0}, {authz.Bad: 1}, {authz.Bad: 1}} {
		if d := decide(g.Authorizer, bad, now); d.Reason != verify.KeyIDMissing || g.checks != 4 {
			t.Errorf("%v after %d checks", d.Reason, g.checks)
		}
		if got := g.Lookups(); got != want {
			t.Errorf("request %d: lookups %v, want %v", i, got, want)
		}
	}
	if decide(g.Authorizer, bad, now.Add(time.Minute)); g.checks != 8 {
		t.Errorf("%d checks a minute later", g.checks)
	}
}

// TestKeyThatVerifiedIsWithdrawn: of two keys under one kid, or without one, the one that
// leaves takes its tokens with it, and the other keeps its own.
func TestKeyThatVerifiedIsWithdrawn(t *testing.T) {
	for kid, without := range map[string]verify.Reason{"": verify.KeyIDMissing, " kid=dup": verify.SignatureInvalid} {
		source := jwks.New(jwks.Policy{URL: "https://idp.example/keys", Issuer: edgeIssuer}, 1, func() float64 { return 0.5 })
		g := newCandidates(t, "RS256", nil, nil, source)
		ofK, ofL := request("GET /", bearer(signed(t, "K"+kid))), request("GET /", bearer(signed(t, "L"+kid)))
		at := serve(t, source, now, publishedSet(t, "K"+kid, "L"+kid))
		for range 2 {
			for _, get := range [][][2]string{ofK, ofL} {
				if d := decide(g.Authorizer, get, at); d.Reason != verify.Accepted {
					t.Fatalf("%v (%v)", d.Reason, d.Detail)
				}
			}
		}
		before := g.checks
		at = serve(t, source, at.Add(15*time.Minute), publishedSet(t, "L"+kid, "M"+kid))
		if d := decide(g.Authorizer, ofL, at); d.Reason != verify.Accepted || g.checks != before {
			t.Errorf("the key that stays: %v after %d checks", d.Reason, g.checks-before)
		}
		d := decide(g.Authorizer, ofK, at)
		if !d.Decided {
			at = serve(t, source, at, publishedSet(t, "L"+kid, "M"+kid))
			d.Resume(at)
		}
		if d.Reason != without {
			t.Errorf("the key that left: %v, want %v", d.Reason, without)
		}
	}
}

// TestRotationWithoutKids: a provider without kids takes a new key, unannounced. Its
// tokens wait for one fetch, and more bad ones do not cause another.
func TestRotationWithoutKids(t *testing.T) {
	for _, kid := range []string{"", " kid=new"} { // of tokens: the keys have none
		source := jwks.New(jwks.Policy{URL: "https://idp.example/keys", Issuer: edgeIssuer}, 1, func() float64 { return 0.5 })
		g := newCandidates(t, "RS256", nil, nil, source)
		at := serve(t, source, now, publishedSet(t, "K"))
		own := decide(g.Authorizer, request("GET /", bearer(signed(t, "L"+kid))), at)
		bad := decide(g.Authorizer, request("GET /", bearer(signed(t, "M"+kid))), at)
		if own.Decided || bad.Decided {
			t.Fatalf("kid %q: %v and %v, want them to wait", kid, own.Reason, bad.Reason)
		}
		at = serve(t, source, at, publishedSet(t, "L"))
		own.Resume(at)
		bad.Resume(at)
		refusal := verify.SignatureInvalid
		if kid != "" {
			refusal = verify.KeyUnknown
		}
		if own.Reason != verify.Accepted || bad.Reason != refusal {
			t.Errorf("kid %q: %v and %v, want accepted and %v", kid, own.Reason, bad.Reason, refusal)
		}
		for range 3 {
			if d := decide(g.Authorizer, request("GET /", bearer(signed(t, "N"+kid))), at); !d.Decided || d.Reason != refusal {
				t.Errorf("kid %q, within the cooldown: %v, decided %v; want %v", kid, d.Reason, d.Decided, refusal)
			}
			at = at.Add(time.Second)
		}
	}
}

// TestDeniedKeyWithoutItsKid: a key in keys.deny verifies no token, whatever kid that has.
func TestDeniedKeyWithoutItsKid(t *testing.T) {
	g := newCandidates(t, "RS256", publishedSet(t, "K kid=leaked", "K kid=alias", "K", "L"), []string{"leaked", "other"}, nil)
	for text, want := range map[string]verify.Reason{"K kid=leaked": verify.KeyUnknown, "L kid=leaked": verify.KeyUnknown, "L kid=other": verify.KeyUnknown,
		"K": verify.SignatureInvalid, "K kid=": verify.SignatureInvalid, "K kid=alias": verify.KeyUnknown, "L": verify.Accepted, "L kid=x": verify.Accepted} {
		if d := decide(g.Authorizer, request("GET /", bearer(signed(t, text))), now); d.Reason != want {
			t.Errorf("%s: %v (%v), want %v", text, d.Reason, d.Detail, want)
		}
	}
}

// TestEngineWithoutAnswerForOneKey: the other keys are tried all the same, and what none
// of them verifies is not said to be invalid.
func TestEngineWithoutAnswerForOneKey(t *testing.T) {
	cfg, err := config.Parse([]byte(fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q], "jwks": %s}]}`, edgeIssuer, edgeAudience, publishedSet(t, "K", "L", "M"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range strings.Split("KLM", "") {
		number := signers()[broken].Public().(*rsa.PublicKey).N
		g := authz.New(cfg, func(algorithm string, key *verify.Key, signed string, signature []byte) (bool, error) {
			if key.Public.(*rsa.PublicKey).N.Cmp(number) == 0 {
				return false, errors.New("no answer")
			}
			return verify.GoEngine(algorithm, key, signed, signature)
		}, fixedKeys)
		for _, name := range strings.Split("KLMO", "") {
			want := verify.Accepted
			if name == broken || name == "O" {
				want = verify.Internal
			}
			for range 2 {
				if d := decide(g, request("GET /", bearer(signed(t, name))), now); d.Reason != want {
					t.Errorf("%s broken, token of %s: %v, want %v", broken, name, d.Reason, want)
				}
			}
		}
	}
}
