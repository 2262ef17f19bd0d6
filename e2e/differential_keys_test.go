package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"edgejwt/cmd/edgejwt/convert"
	"edgejwt/e2e/differential"
	"edgejwt/e2e/harness"
	"edgejwt/jwks"
)

// keyPage is the committed list of differences about keys.
const keyPage = "e2e/KEY_DIFFERENCES.md"

// keySets is how many key sets TestKeySets makes up. Its page is checked with the default.
var keySets = flag.Int("keysets", defaultKeySets, "of TestKeySets; its page is checked with the default alone")

const (
	defaultKeySets = 60
	keySetsAtOnce  = 60 // in one Envoy
	tokensPerSet   = 25
)

// keyCase is a token, the key set that it meets, and who lets it through.
type keyCase struct {
	keys                []differential.PublishedKey
	token               *differential.SignedToken
	ours, native, joses bool
	reason, nativeWhy   string // of edgejwt and jwt_authn
	document            []byte
}

// TestKeySets sends tokens that go-jose has signed to edgejwt and to jwt_authn, which have
// the same key set, in one Envoy, and asks go-jose. What edgejwt says is what its rule
// says, and each difference has a line in KEY_DIFFERENCES.md.
func TestKeySets(t *testing.T) {
	y := &keyDifferences{agreed: map[string]int{}, counts: map[string]int{}}
	for done := 0; done < *keySets; done += keySetsAtOnce {
		g, err := differential.NewKeySets(*seed + uint64(done))
		if err != nil {
			t.Fatal(err)
		}
		playKeySets(t, g, min(keySetsAtOnce, *keySets-done), y)
		if t.Failed() {
			break
		}
	}
	y.check(t, *seed == defaultSeed && *keySets == defaultKeySets)
}

func playKeySets(t *testing.T, g *differential.KeySets, count int, y *keyDifferences) {
	var twins []*twin
	var cases []*keyCase // of each twin: its key set
	for len(twins) < count {
		document, keys := g.KeySet()
		_, _, err := jwks.Parse(document)
		if usable := slices.ContainsFunc(keys, func(k differential.PublishedKey) bool { return len(faultsOf(&k)) == 0 }); usable != (err == nil) {
			t.Fatalf("has a usable key: %v, and Parse says %v:\n%s", usable, err, document)
		}
		if err != nil {
			y.unusable++ // a configuration with such a set is refused
			continue
		}
		twins = append(twins, keyTwin(document))
		cases = append(cases, &keyCase{keys: keys, document: document})
	}
	t.Run(fmt.Sprintf("%d sets", count), func(t *testing.T) {
		startTwins(t, "dist/edgejwt.wasm", twins)
		for i, w := range twins {
			for range tokensPerSet {
				token, err := g.Token(cases[i].keys)
				if err != nil {
					t.Fatal(err)
				}
				c := *cases[i]
				c.token = token
				native, err := w.listeners[0].send(token.Request())
				if err != nil {
					t.Fatalf("jwt_authn: %v: %v", token, err)
				}
				ours, err := w.listeners[1].send(token.Request())
				if err != nil {
					t.Fatalf("edgejwt: %v: %v", token, err)
				}
				c.native, c.nativeWhy, c.ours, c.reason, c.joses = native.passed, native.reason, ours.passed, ours.reason, joseVerifies(t, c.document, token)
				y.add(t, &c)
			}
		}
	})
}

// keyTwin has a key set on both sides, and any algorithm.
func keyTwin(document []byte) *twin {
	provider := typed{"issuer": differential.KeysIssuer, "audiences": []string{differential.KeysAudience}, "forward": true,
		"local_jwks": typed{"inline_string": string(document)}}
	native := typed{"name": "envoy.filters.http.jwt_authn", "typed_config": typed{
		"@type":     "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
		"providers": typed{"p": provider},
		"rules":     []any{typed{"match": typed{"prefix": "/"}, "requires": typed{"provider_name": "p"}}},
	}}
	configuration := mustJSON(typed{"jwtRules": []any{typed{"issuer": differential.KeysIssuer, "audiences": []string{differential.KeysAudience},
		"algorithms": differential.KeyAlgorithms, "jwks": json.RawMessage(document)}}})
	return &twin{native: &differential.Config{Filters: []any{native}}, converted: &convert.Result{JSON: configuration}}
}

// joseVerifies asks go-jose whether the token verifies with the key set.
func joseVerifies(t *testing.T, document []byte, token *differential.SignedToken) bool {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(document, &set); err != nil {
		return false
	}
	_, err := joseToken(t, token).Verify(&set)
	return err == nil
}

func joseToken(t *testing.T, token *differential.SignedToken) *jose.JSONWebSignature {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(token.Text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(token.Algorithm)})
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// The faults of a key, and of a key for a token.
const (
	faultType    = "kty is another one"
	faultUse     = "use is not sig"
	faultOps     = "key_ops lacks verify"
	faultNoAlg   = "alg is empty"
	faultAlgType = "alg is for no such key"
	faultAlg     = "alg is not the token's"
	faultKID     = "kid is another one"
)

// faultsOf lists what keeps a key from verifying any token.
func faultsOf(k *differential.PublishedKey) (faults []string) {
	keyType := map[byte]string{'R': "RSA", 'E': "EC"}[k.SignerAlgorithms[0][0]]
	if k.SignerAlgorithms[0] == "EdDSA" {
		keyType = "OKP"
	}
	if k.KeyType != differential.Absent && k.KeyType != keyType {
		faults = append(faults, faultType)
	}
	if k.Use != differential.Absent && k.Use != "sig" {
		faults = append(faults, faultUse)
	}
	if k.Ops != differential.Absent && !slices.Contains(strings.Split(k.Ops, ","), "verify") {
		faults = append(faults, faultOps)
	}
	switch {
	case k.Alg == "":
		faults = append(faults, faultNoAlg)
	case k.Alg != differential.Absent && !slices.Contains(k.SignerAlgorithms, k.Alg):
		faults = append(faults, faultAlgType)
	}
	return faults
}

// faultsFor lists what keeps a key from verifying the token, its signature apart.
func faultsFor(k *differential.PublishedKey, token *differential.SignedToken) []string {
	faults := faultsOf(k)
	if k.Alg != "" && k.Alg != differential.Absent && slices.Contains(k.SignerAlgorithms, k.Alg) && k.Alg != token.Algorithm {
		faults = append(faults, faultAlg)
	}
	named := func(kid string) bool { return kid != "" && kid != differential.Absent }
	if named(token.KID) && named(k.KID) && k.KID != token.KID {
		faults = append(faults, faultKID)
	}
	return faults
}

// verifiers are the keys that are for the token: by the rule, one of them has to verify it.
func (c *keyCase) verifiers() (signers []int) {
	for i := range c.keys {
		if k := &c.keys[i]; slices.Contains(k.SignerAlgorithms, c.token.Algorithm) && len(faultsFor(k, c.token)) == 0 && !slices.Contains(signers, k.Signer) {
			signers = append(signers, k.Signer)
		}
	}
	return signers
}

// firstWithKID is the first key of the set with the token's kid; nil for none.
func (c *keyCase) firstWithKID() *differential.PublishedKey {
	i := slices.IndexFunc(c.keys, func(k differential.PublishedKey) bool {
		return c.token.KID != "" && c.token.KID != differential.Absent && k.KID == c.token.KID
	})
	if i < 0 {
		return nil
	}
	return &c.keys[i]
}

func (c *keyCase) String() string {
	var keys []string
	for i := range c.keys {
		keys = append(keys, c.keys[i].String())
	}
	return fmt.Sprintf("%v; keys: %s; edgejwt %v %s, jwt_authn %v %s, go-jose %v", c.token, strings.Join(keys, "; "), c.ours, c.reason, c.native, c.nativeWhy, c.joses)
}

// The other side of a difference.
const (
	native = "jwt_authn"
	joses  = "go-jose"
)

// keyDifference is a kind of difference between edgejwt and another verifier.
type keyDifference struct {
	with, what string
	stricter   bool // edgejwt refuses what the other accepts
	why        string
	is         func(c *keyCase) bool
}

// ignores says that the other side ignores these faults: the token verifies with a key that
// has no others. With first, it is the first key with the token's kid.
func ignores(first bool, faults ...string) func(c *keyCase) bool {
	return func(c *keyCase) bool {
		return slices.ContainsFunc(c.keys, func(k differential.PublishedKey) bool {
			found := faultsFor(&k, c.token)
			beyond := func(fault string) bool { return !slices.Contains(faults, fault) }
			return k.Signer == c.token.Signer && len(found) > 0 && !slices.ContainsFunc(found, beyond) &&
				(!first || string(k.JSON) == string(c.firstWithKID().JSON))
		})
	}
}

// keyDifferenceKinds explain every difference; the first that fits counts.
var keyDifferenceKinds = []keyDifference{
	{native, "`use` is not `sig`", true, "a key for encryption verifies nothing (RFC 7517 §4.2); jwt_authn does not look at `use`", ignores(false, faultUse)},
	{native, "`key_ops` lacks `verify`", true, "what the issuer publishes for other operations verifies nothing (RFC 7517 §4.3); jwt_authn does not look at `key_ops`", ignores(false, faultOps)},
	{native, "`alg` is empty", true, "no algorithm has this name (RFC 7517 §4.4); jwt_authn takes it for a key without `alg`", ignores(false, faultNoAlg)},
	{native, "several of these", true, "as above", ignores(false, faultUse, faultOps, faultNoAlg)},
	{native, "five keys may have signed the token", true, "edgejwt tries four, so that a bad signature has a bounded cost, and counts the others (`edgejwt_keys_untried`)",
		func(c *keyCase) bool { return len(c.verifiers()) > jwks.MaxCandidates }},
	{native, "an Ed25519 key without `alg` comes before the token's", false, "each key is tried with the token's algorithm alone; jwt_authn tries the Ed25519 key, and gives up because the signature has another length",
		func(c *keyCase) bool {
			ed := func(k differential.PublishedKey) bool {
				return k.SignerAlgorithms[0] == "EdDSA" && !slices.ContainsFunc(faultsFor(&k, c.token), func(fault string) bool { return fault == faultKID || fault == faultType || fault == faultAlgType })
			}
			own := func(k differential.PublishedKey) bool {
				return k.Signer == c.token.Signer && len(faultsFor(&k, c.token)) == 0
			}
			first := slices.IndexFunc(c.keys, ed)
			return first >= 0 && first < slices.IndexFunc(c.keys, own)
		}},

	{joses, "the token has no `kid`, or an empty one", false, "`kid` is optional (RFC 7515 §4.1.4), and some issuers write none; go-jose verifies such a token with no set",
		func(c *keyCase) bool { return c.token.KID == differential.Absent || c.token.KID == "" }},
	{joses, "no key has the token's `kid`, and one without `kid` verifies it", false, "a key without `kid` may be any token's (RFC 7517 §4.5); go-jose looks for the `kid` alone",
		func(c *keyCase) bool { return c.firstWithKID() == nil }},
	{joses, "the first key with the `kid` is another one", false, "several keys may have one `kid` (RFC 7517 §4.5); go-jose tries the first",
		func(c *keyCase) bool { return c.firstWithKID().Signer != c.token.Signer }},
	{joses, "the set has a key that go-jose cannot read", false, "such a key is left out, and the others are used (RFC 7517 §5); to go-jose the whole set is unreadable",
		func(c *keyCase) bool { return json.Unmarshal(c.document, new(jose.JSONWebKeySet)) != nil }},
	{joses, "`alg` is another one", true, "a key is used with the algorithm that it is published for (RFC 8725 §3.1); go-jose does not look at `alg`", ignores(true, faultAlg, faultAlgType, faultNoAlg)},
	{joses, "`use` is not `sig`, or `key_ops` lacks `verify`", true, "as with jwt_authn", ignores(true, faultUse, faultOps)},
	{joses, "both of these", true, "as above", ignores(true, faultUse, faultOps, faultAlg, faultAlgType, faultNoAlg)},
}

// keyDifferences counts the kinds of differences.
type keyDifferences struct {
	requests, accepted, unusable, several int
	agreed                                map[string]int // by the other side
	counts                                map[string]int // by the other side and keyDifference.what
}

func (y *keyDifferences) add(t *testing.T, c *keyCase) {
	t.Helper()
	y.requests++
	if c.ours {
		y.accepted++
	}
	// The rule.
	verifiers := c.verifiers()
	want := slices.Contains(verifiers, c.token.Signer)
	if len(verifiers) > 1 {
		y.several++
	}
	if want != c.ours && !(want && len(verifiers) > jwks.MaxCandidates && (c.reason == "signature_invalid" || c.reason == "kid_missing")) {
		t.Errorf("the rule says %v: %v", want, c)
	}
	for side, theirs := range map[string]bool{native: c.native, joses: c.joses} {
		if theirs == c.ours {
			y.agreed[side]++
			continue
		}
		kind := slices.IndexFunc(keyDifferenceKinds, func(d keyDifference) bool { return d.with == side && d.stricter == theirs && d.is(c) })
		if kind < 0 {
			t.Errorf("not explained, %s: %v", side, c)
			continue
		}
		y.counts[side+keyDifferenceKinds[kind].what]++
	}
}

// check holds the counts against the page.
func (y *keyDifferences) check(t *testing.T, page bool) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `# Which key a token means: edgejwt, jwt_authn and go-jose

%d made-up key sets of one to five keys, with and without `+"`kid`, `alg`, `use` and `key_ops`"+`, of several types, some with a wrong `+"`kty`"+` or with
zeros before a number. %d tokens, which go-jose signed with a key of the set or another one, go through edgejwt and Envoy's jwt_authn in one Envoy, with the
same key set; go-jose verifies them with it too. edgejwt accepts %d, and every answer is the one that its [rule](../docs/tokens.md#the-key-of-a-token) gives; for %d tokens more than one
key may be meant. %d more sets have no usable key: edgejwt refuses a configuration with such a set.
The page is written and checked by `+"`go test ./e2e -run TestKeySets`"+` (with `+"`-update`"+`, anew); `+"`make fuzz`"+` plays more of them.
`, *keySets, y.requests, y.accepted, y.several, y.unusable)
	for _, side := range []string{native, joses} {
		fmt.Fprintf(&b, "\n## %s\n\nOn %d tokens it says the same.\n\n| difference | edgejwt | why | tokens |\n|---|---|---|---|\n", side, y.agreed[side])
		for _, d := range keyDifferenceKinds {
			if d.with != side {
				continue
			}
			if page && y.counts[side+d.what] == 0 {
				t.Errorf("%s, %s: this is never seen any more", side, d.what)
			}
			answer := "accepts"
			if d.stricter {
				answer = "refuses"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %d |\n", d.what, answer, d.why, y.counts[side+d.what])
		}
	}
	t.Logf("seed %d: %d tokens, %d accepted, for %d several keys; %d sets without a usable key; agreed %v, differences %v",
		*seed, y.requests, y.accepted, y.several, y.unusable, y.agreed, y.counts)
	if !page || t.Failed() {
		return
	}
	path := filepath.Join(harness.Root(), keyPage)
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	committed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range missing(b.String(), string(committed)) {
		t.Errorf("not in %s: %s", keyPage, line)
	}
}
