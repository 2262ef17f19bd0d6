package authz_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"edgejwt/jwks"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// counting is an Authorizer whose signature checks are counted.
type counting struct {
	*authz.Authorizer
	checks int
	missed int64
	cached bool // whether there is a cache
}

func newCounting(t testing.TB, rule, top string, machine *jwks.Source) *counting {
	t.Helper()
	c := new(counting)
	engine := func(algorithm string, key *verify.Key, signed string, signature []byte) (bool, error) {
		c.checks++
		return verify.GoEngine(algorithm, key, signed, signature)
	}
	cfg := parseEdge(t, rule, top)
	c.cached = cfg.TokenCache.Entries > 0
	c.Authorizer = authz.New(cfg, engine, func(rule *config.Rule) *jwks.Source {
		if machine != nil {
			return machine
		}
		return fixedKeys(rule)
	})
	return c
}

// decideOnce decides about a request whose texts are in a buffer, which is overwritten
// afterwards.
func decideOnce(g *authz.Authorizer, request [][2]string, at time.Time) *authz.Decision {
	buffer, headers := buffered(request)
	j := decide(g, headers, at)
	for i := range buffer {
		buffer[i] = '*'
	}
	return j
}

// wants asserts the decision about a request, and the number of signatures that have
// been checked so far.
func (c *counting) wants(t *testing.T, what string, request [][2]string, at time.Time, want verify.Reason, checks int) *authz.Decision {
	t.Helper()
	j := decideOnce(c.Authorizer, request, at)
	if !j.Decided || j.Reason != want || c.checks != checks {
		t.Errorf("%s: %v (%v) after %d checks, want %v after %d", what, j.Reason, j.Detail, c.checks, want, checks)
	}
	if c.missed += c.Lookups()[authz.Miss]; c.missed != int64(checks) && c.cached {
		t.Errorf("%s: %d lookups have failed after %d checks", what, c.missed, checks)
	}
	return j
}

// TestCachedToken: a token's signature is checked once, everything else each time.
func TestCachedToken(t *testing.T) {
	const routes = `"routes": [{"name": "write", "path": {"prefix": "/write"}, "scopes": ["write"]}, {"path": {"prefix": "/young"}, "maxAge": "10m"},
		{"path": {"prefix": "/opaque"}, "allowOpaque": true}, {"path": {"prefix": "/public"}, "auth": "none"}]`
	g := newCounting(t, `"clockSkew": "1s", "fromHeaders": [{"name": "authorization", "prefix": "Bearer "}, {"name": "x-token"}]`, routes, nil)
	a, b := token(map[string]any{"nbf": now.Unix()}), scoped("read write")
	g.wants(t, "first", request("GET /", bearer(a)), now, verify.Accepted, 1)
	g.wants(t, "again", request("GET /", bearer(a)), now, verify.Accepted, 1)
	g.wants(t, "elsewhere", request("GET /", "x-token: "+a), now, verify.Accepted, 1)
	g.wants(t, "twice, the same", request("GET /", bearer(a), "x-token: "+a), now, verify.Accepted, 1)
	g.wants(t, "another", request("GET /", bearer(b)), now, verify.Accepted, 2)
	g.wants(t, "twice, another", request("GET /", bearer(a), "x-token: "+b), now, verify.TokenAmbiguous, 2)
	g.wants(t, "joined", request("GET /", "authorization: Bearer "+a+",Bearer "+a), now, verify.TokenAmbiguous, 2)
	g.wants(t, "nothing needed", request("GET /public", bearer(a)), now, verify.Public, 2)
	g.wants(t, "no opaque one", request("GET /opaque", bearer(a)), now, verify.Accepted, 2)
	g.wants(t, "scope missing", request("GET /write", bearer(a)), now, verify.ScopeMissing, 2)
	g.wants(t, "scope there", request("GET /write", bearer(b)), now, verify.Accepted, 2)
	g.wants(t, "too old for the route", request("GET /young", bearer(a)), now.Add(20*time.Minute), verify.TokenExpired, 2)
	g.wants(t, "before its time", request("GET /", bearer(a)), now.Add(-2*time.Second), verify.TokenNotYetValid, 2)
	g.wants(t, "at its end", request("GET /", bearer(a)), now.Add(time.Hour), verify.Accepted, 2)
	g.wants(t, "after its end", request("GET /", bearer(a)), now.Add(time.Hour+time.Second), verify.TokenExpired, 2)
	// What differs in a single place is another token.
	for _, other := range []string{spoilt(a), a[:len(a)-1], a + "A", "e" + a, strings.Replace(a, ".", "..", 1), strings.ToUpper(a[:8]) + a[8:]} {
		if j := decide(g.Authorizer, request("GET /", bearer(other)), now); j.Reason.Passes() {
			t.Errorf("%q passes like the token in the cache", other)
		}
	}
}

// TestCachedTokenInALocationOfAnotherIssuer: a token in the cache is refused in a location
// that only another rule has.
func TestCachedTokenInALocationOfAnotherIssuer(t *testing.T) {
	cfg, err := config.Parse([]byte(`{"jwtRules": [
		{"issuer": "` + edgeIssuer + `", "audiences": ["` + edgeAudience + `"], "jwks": ` + string(edgeKeys()) + `},
		{"issuer": "https://other.example/", "audiences": ["a"], "jwks": ` + string(edgeKeys()) + `, "fromHeaders": [{"name": "x-other"}],
			"outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	g := authz.New(cfg, verify.GoEngine, fixedKeys)
	a := token(nil)
	for range 2 {
		if j := decide(g, request("GET /", bearer(a)), now); j.Reason != verify.Accepted {
			t.Errorf("in its location: %v", j.Reason)
		}
		if j := decide(g, request("GET /", "x-other: "+a), now); j.Reason != verify.IssuerUnknown {
			t.Errorf("in the location of another issuer: %v, want issuer_unknown", j.Reason)
		}
		others := token(map[string]any{"iss": "https://other.example/", "aud": "a"})
		if c := decide(g, request("GET /", "x-other: "+others), now).Changes(); len(c.Set) != 1 {
			t.Errorf("the other issuer's token sets %q", c.Set)
		}
		if c := decide(g, request("GET /", bearer(a)), now).Changes(); len(c.Set) != 0 {
			t.Errorf("a token sets %q, an output of the other issuer", c.Set)
		}
	}
}

// keysOf publishes keys under kids.
func keysOf(t testing.TB, keys map[string]*rsa.PrivateKey) []byte {
	t.Helper()
	var set jose.JSONWebKeySet
	for kid, key := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: &key.PublicKey, KeyID: kid, Algorithm: "RS256", Use: "sig"})
	}
	document, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// TestCachedTokenAndChangedKeys: tokens of a key that leaves the key set are not accepted
// from the cache.
func TestCachedTokenAndChangedKeys(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a := token(map[string]any{"exp": now.Add(100 * time.Hour).Unix()})
	get := request("GET /", bearer(a))
	for _, c := range []struct {
		name string
		next []byte
		want verify.Reason
		more int // checks, the first time
	}{
		{"the same set", edgeKeys(), verify.Accepted, 0},
		{"one key more", keysOf(t, map[string]*rsa.PrivateKey{"k": edgeKey(), "new": other}), verify.Accepted, 0},
		{"the key is gone", keysOf(t, map[string]*rsa.PrivateKey{"new": other}), verify.KeyUnknown, 0},
		{"another key under its kid", keysOf(t, map[string]*rsa.PrivateKey{"k": other}), verify.SignatureInvalid, 1},
		{"its key without an algorithm", bytes.Replace(edgeKeys(), []byte(`"alg":"RS256",`), nil, 1), verify.Accepted, 1},
		{"its key for another algorithm", bytes.Replace(edgeKeys(), []byte("RS256"), []byte("RS384"), 1), verify.AlgorithmNotAllowed, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			machine := jwks.New(jwks.Policy{URL: "https://idp.example/keys", Issuer: edgeIssuer}, 1, func() float64 { return 0.5 })
			g := newCounting(t, "", "", machine)
			at := serve(t, machine, now, edgeKeys())
			g.wants(t, "before", get, at, verify.Accepted, 1)
			at = serve(t, machine, at.Add(15*time.Minute), c.next)
			for range 2 {
				j := decideOnce(g.Authorizer, get, at)
				if !j.Decided { // an early refetch might bring what is missing
					at = serve(t, machine, at, c.next)
					j.Resume(at)
				}
				if j.Reason != c.want || g.checks != 1+c.more {
					t.Errorf("%v (%v) after %d checks, want %v after %d", j.Reason, j.Detail, g.checks, c.want, 1+c.more)
				}
			}
			// And back again.
			at = serve(t, machine, at.Add(15*time.Minute), edgeKeys())
			if j := decide(g.Authorizer, get, at); j.Reason != verify.Accepted {
				t.Errorf("after the key came back: %v (%v)", j.Reason, j.Detail)
			}
		})
	}
}

// TestCachedTokenWithoutKeys: when the keys are too old, a token in the cache is not
// accepted.
func TestCachedTokenWithoutKeys(t *testing.T) {
	g, machine := newWaiting(t, "", "")
	a := request("GET /", bearer(token(map[string]any{"exp": now.Add(100 * time.Hour).Unix()})))
	at := serve(t, machine, now, edgeKeys())
	if j := decide(g, a, at); j.Reason != verify.Accepted {
		t.Fatal(j.Reason)
	}
	for range 30 { // the provider does not answer
		at = at.Add(time.Hour)
		machine.Tick(at, 0, false)
	}
	j := decide(g, a, at)
	if j.Decided && j.Reason != verify.KeysUnavailable || j.Reason == verify.Accepted {
		t.Errorf("%v by keys that are a day too old", j.Reason)
	}
}

// TestRejectedToken: a bad signature is checked once in half a minute, and again when its
// key changes.
func TestRejectedToken(t *testing.T) {
	g := newCounting(t, "", "", nil)
	a := token(nil)
	bad := request("GET /", bearer(spoilt(a)))
	g.wants(t, "first", bad, now, verify.SignatureInvalid, 1)
	g.wants(t, "again", bad, now.Add(29*time.Second), verify.SignatureInvalid, 1)
	g.wants(t, "the good one", request("GET /", bearer(a)), now, verify.Accepted, 2)
	g.wants(t, "later", bad, now.Add(31*time.Second), verify.SignatureInvalid, 3)
	g.wants(t, "expired meanwhile", bad, now.Add(2*time.Hour), verify.TokenExpired, 3)

	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	machine := jwks.New(jwks.Policy{URL: "https://idp.example/keys", Issuer: edgeIssuer}, 1, func() float64 { return 0.5 })
	at := serve(t, machine, now, keysOf(t, map[string]*rsa.PrivateKey{"k": other}))
	g = newCounting(t, "", "", machine)
	j := decide(g.Authorizer, request("GET /", bearer(a)), at)
	if j.Decided || g.checks != 1 {
		t.Fatalf("%v after %d checks, want it to wait for new material under the kid", j.Reason, g.checks)
	}
	if j.Resume(serve(t, machine, at, edgeKeys())); j.Reason != verify.Accepted || g.checks != 2 {
		t.Errorf("%v after %d checks, want the token accepted by its new key", j.Reason, g.checks)
	}
}

// TestTokenCacheOfARule: an issuer with a tokenCache of its own has it for itself. Tokens of
// others push none of its tokens out, and its tokens none of theirs; with entries: 0 none
// is cached.
func TestTokenCacheOfARule(t *testing.T) {
	rules := ""
	for i, more := range []string{"", `, "tokenCache": {"entries": 2}`, `, "tokenCache": {"entries": 0}`, ""} {
		rules += fmt.Sprintf(`%s{"issuer": "https://i%d.example/", "audiences": ["a"], "jwks": %s%s}`, map[bool]string{true: ", "}[i > 0], i, edgeKeys(), more)
	}
	for _, top := range []string{`{"entries": 3}`, `{"entries": 0}`} {
		cfg, err := config.Parse([]byte(`{"jwtRules": [` + rules + `], "tokenCache": ` + top + `}`))
		if err != nil {
			t.Fatal(err)
		}
		checks := 0
		g := authz.New(cfg, func(algorithm string, key *verify.Key, signed string, signature []byte) (bool, error) {
			checks++
			return verify.GoEngine(algorithm, key, signed, signature)
		}, fixedKeys)
		tokens := map[[2]int]string{}
		// send sends a token of an issuer, and reports whether its signature was checked.
		send := func(issuer, n int) bool {
			name := [2]int{issuer, n}
			if tokens[name] == "" {
				tokens[name] = token(map[string]any{"iss": fmt.Sprintf("https://i%d.example/", issuer), "aud": "a", "jti": fmt.Sprint(n)})
			}
			before := checks
			if j := decideOnce(g, request("GET /", bearer(tokens[name])), now); j.Reason != verify.Accepted || j.Rule() != issuer {
				t.Fatalf("issuer %d: %v, rule %d", issuer, j.Reason, j.Rule())
			}
			return checks > before
		}
		send(1, 0)
		send(1, 1)
		for n := range 50 { // of other issuers
			send(0, n)
			send(2, n)
			send(3, n)
		}
		if send(1, 0) || send(1, 1) {
			t.Errorf("tokenCache %s: tokens of other issuers push those of an issuer with its own cache out", top)
		}
		send(0, 100)
		send(3, 100)
		for n := range 50 {
			send(1, n)
		}
		if shared := top == `{"entries": 3}`; send(0, 100) == shared || send(3, 100) == shared {
			t.Errorf("tokenCache %s: tokens of the issuers that share it: checked again %v", top, shared)
		}
		if !send(1, 0) {
			t.Errorf("tokenCache %s: 2 entries, and a token is there after 49 others", top)
		}
		send(2, 0)
		if !send(2, 0) {
			t.Errorf("tokenCache %s: entries: 0, and a token is cached", top)
		}
	}
}

// TestNoTokenCache: without a cache each signature is checked each time.
func TestNoTokenCache(t *testing.T) {
	g := newCounting(t, "", `"tokenCache": {"entries": 0}`, nil)
	a := token(nil)
	for n := range 3 {
		g.wants(t, "good", request("GET /", bearer(a)), now, verify.Accepted, 2*n+1)
		g.wants(t, "bad", request("GET /", bearer(spoilt(a))), now, verify.SignatureInvalid, 2*n+2)
	}
}

// TestCachedTokenHasTheSameOutput: the output of a token in the cache is that of a new
// one, also after the buffer with the token was overwritten.
func TestCachedTokenHasTheSameOutput(t *testing.T) {
	const rule = `"forwardOriginalToken": false, "outputPayloadToHeader": "x-payload", "outputClaimToFilterState": [{"key": "who", "claim": "sub"}],
		"outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}, {"header": "x-roles", "claim": "roles"}, {"header": "x-bad", "claim": "bad"}]`
	const top = `"filterState": true, "clearRouteCache": true, "routes": [{"name": "strict", "path": {"exact": "/strict"}, "scopes": ["s"], "mode": "report"}]`
	a := token(map[string]any{"sub": "a", "roles": []string{"x", "y"}, "bad": "\u0000"})
	b := token(map[string]any{"sub": "b"})
	g, cold := newCounting(t, rule, top, nil), newEdge(t, rule, top+`, "tokenCache": {"entries": 0}`)
	for range 3 {
		for _, path := range []string{"/", "/strict"} {
			for _, text := range []string{a, b} {
				buffer, headers := buffered(request("GET "+path, bearer(text)))
				var j authz.Decision
				g.Decide(&j, headers, nil, now)
				got, want := j.Changes(), decide(cold, request("GET "+path, bearer(text)), now).Changes()
				if !slices.Equal(got.Set, want.Set) || !slices.Equal(got.Remove, want.Remove) || !slices.Equal(got.State, want.State) ||
					!slices.Equal(got.Dropped, want.Dropped) || got.ClearRoute != want.ClearRoute || len(want.Set) < 2 {
					t.Fatalf("%s:\n%+v, want\n%+v", path, got, want)
				}
				set := append(got.Set, [2]string{"x-other", "1"}) // is the caller's
				state := append(got.State, [2]string{"other", "1"})
				_, _ = append(j.Changes().Set, [2]string{"x-other", "2"}), append(j.Changes().State, [2]string{"other", "2"})
				if set[len(set)-1][1] != "1" || state[len(state)-1][1] != "1" {
					t.Fatal("two callers share a slice")
				}
				for i := range buffer {
					buffer[i] = '*'
				}
			}
		}
	}
	if g.checks != 2 {
		t.Errorf("%d signatures of 2 tokens were checked", g.checks)
	}
}

// TestNoAllocation: a decision about a token in the cache allocates nothing.
func TestNoAllocation(t *testing.T) {
	for name, rule := range map[string]string{"plain": "", "headers": `"outputPayloadToHeader": "x-p", "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}]`} {
		g := newEdge(t, rule, "")
		headers := request("GET /orders?a=b", bearer(token(nil)), "user-agent: test", "x-request-id: 1", "accept: */*")
		var j authz.Decision
		if n := testing.AllocsPerRun(100, func() {
			g.Decide(&j, headers, nil, now)
			if c := j.Changes(); j.Reason != verify.Accepted || (len(c.Set) > 0) != (rule != "") {
				t.Fatalf("%v, %q", j.Reason, c.Set)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzFolded compares ascii.SameHeader, as isForged uses it, with ascii.FoldHeader.
func FuzzFolded(f *testing.F) {
	for _, name := range []string{"x-sub", "X_Sub", "x.sub", "xsub", "x-su", "", "x-süb", ":path", "Z-ID", "z_id", "y-sub", "X-SUB", "0-9", "0.9", "x-sub-"} {
		f.Add(name)
	}
	g := newEdge(f, `"outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}, {"header": "z-id", "claim": "sub"}, {"header": "0-9", "claim": "sub"}]`, "")
	f.Fuzz(func(t *testing.T, name string) {
		forged := forged(g, [][2]string{{name, "v"}})
		folded := ascii.FoldHeader(name)
		want := name != "" && name[0] != ':' && (folded == "x-sub" || folded == "z-id" || folded == "0-9")
		if (forged != nil) != want {
			t.Errorf("%q folds to %q, forged %q", name, folded, forged)
		}
	})
}
