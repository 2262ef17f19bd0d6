package jwks

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"

	"edgejwt/verify"
)

// The keys of the tables: K to Q are RSA keys, E is on P-256 and D is an Ed25519 key.
const rsaNames = "KLMNOPQ"

func rsaJWK(name string, changes ...string) string {
	return member(append([]string{"kid", "", "n", quoted(modulus(1 + strings.Index(rsaNames, name)))}, changes...)...)
}

func kid(name string) string { return `"` + name + `"` }

// sortedNames gives the names of keys.
func sortedNames(keys []*verify.Key) string {
	var names []string
	for _, key := range keys {
		switch key.Public.(type) {
		case *ecdsa.PublicKey:
			names = append(names, "E")
		case ed25519.PublicKey:
			names = append(names, "D")
		default:
			for i, name := range strings.Split(rsaNames, "") {
				if isRSA(key, modulus(1+i)) {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestCandidates: which keys a token may be signed with (RFC 7517 §4.5, RFC 7515 §6).
func TestCandidates(t *testing.T) {
	dup := []string{"kid", kid("dup")}
	as := func(alg string, more ...string) []string { return append([]string{"alg", kid(alg)}, more...) }
	for _, c := range []struct {
		name      string
		rule      string // its algorithms
		keys      []string
		kid, alg  string // of the token
		want      string
		wantKnown bool
	}{
		{"one key for three algorithms", "RS256", []string{rsaJWK("K", as("RS512", dup...)...), rsaJWK("K", as("RS384", dup...)...), rsaJWK("K", as("RS256", dup...)...)}, "dup", "RS256", "K", true},
		{"one key for three algorithms, all allowed", "RS256 RS384 RS512", []string{rsaJWK("K", as("RS512", dup...)...), rsaJWK("K", as("RS384", dup...)...), rsaJWK("K", as("RS256", dup...)...)}, "dup", "RS384", "K", true},
		{"one key for PS256 and RS256", "RS256 PS256", []string{rsaJWK("K", as("PS256", dup...)...), rsaJWK("K", as("RS256", dup...)...)}, "dup", "RS256", "K", true},
		{"one key for PS256 and RS256, the other", "RS256 PS256", []string{rsaJWK("K", as("PS256", dup...)...), rsaJWK("K", as("RS256", dup...)...)}, "dup", "PS256", "K", true},
		{"EC before RSA", "RS256", []string{p256(dup...), rsaJWK("K", dup...)}, "dup", "RS256", "K", true},
		{"RSA before EC", "RS256 ES256", []string{rsaJWK("K", dup...), p256(dup...)}, "dup", "ES256", "E", true},
		{"EC and Ed25519", "ES256 EdDSA", []string{edKey(dup...), p256(dup...)}, "dup", "EdDSA", "D", true},
		{"two curves", "ES256 ES384", []string{vector("P-384"), p256("kid", kid("k"))}, "k", "ES256", "E", true},
		{"two keys", "RS256", []string{rsaJWK("L", dup...), rsaJWK("K", dup...)}, "dup", "RS256", "K L", true},
		{"one for encryption", "RS256", []string{rsaJWK("L", append([]string{"use", kid("enc")}, dup...)...), rsaJWK("K", append([]string{"use", kid("sig")}, dup...)...)}, "dup", "RS256", "K", true},
		{"one that only signs", "RS256", []string{rsaJWK("L", append([]string{"key_ops", `["sign"]`}, dup...)...), rsaJWK("K", append([]string{"key_ops", `["verify"]`}, dup...)...)}, "dup", "RS256", "K", true},
		{"one too short", "RS256", []string{member("kid", kid("dup"), "n", quoted(wide(1024))), rsaJWK("K", dup...)}, "dup", "RS256", "K", true},
		{"for another algorithm only", "RS256 RS512", []string{rsaJWK("K", as("RS512", dup...)...)}, "dup", "RS256", "", true},

		{"twice", "RS256", []string{rsaJWK("K", dup...), rsaJWK("K", dup...)}, "dup", "RS256", "K", true},
		{"bound and not bound", "RS256", []string{rsaJWK("K", as("RS256", dup...)...), rsaJWK("K", dup...)}, "dup", "RS256", "K", true},
		{"under two kids", "RS256", []string{rsaJWK("K", "kid", kid("a")), rsaJWK("K", "kid", kid("b"))}, "", "RS256", "K", true},
		{"with kid and without", "RS256", []string{rsaJWK("K", "kid", kid("a")), rsaJWK("K")}, "a", "RS256", "K", true},
		{"another n with the same e", "RS256", []string{rsaJWK("K", dup...), rsaJWK("L", dup...), rsaJWK("K", dup...)}, "dup", "RS256", "K L", true},
		{"another e with the same n", "RS256", []string{rsaJWK("K", dup...), rsaJWK("K", append([]string{"e", quoted([]byte{3})}, dup...)...)}, "dup", "RS256", "K K", true},

		{"no kids", "RS256", []string{rsaJWK("L"), rsaJWK("K")}, "", "RS256", "K L", true},
		{"kids, token without", "RS256", []string{rsaJWK("K", "kid", kid("a")), rsaJWK("L", "kid", kid("b"))}, "", "RS256", "K L", true},
		{"empty kids", "RS256", []string{rsaJWK("K", "kid", kid("")), rsaJWK("L")}, "", "RS256", "K L", true},
		{"no kids, token with", "RS256", []string{rsaJWK("K")}, "x", "RS256", "K", false},
		{"no kids, token with a long one", "RS256", []string{rsaJWK("K")}, strings.Repeat("x", MaxKID+1), "RS256", "K", false},
		{"another kid and none", "RS256", []string{rsaJWK("K", "kid", kid("a")), rsaJWK("L")}, "b", "RS256", "L", false},
		{"the kid and none", "RS256", []string{rsaJWK("L"), rsaJWK("K", "kid", kid("a"))}, "a", "RS256", "K L", true},
		{"the kid for another algorithm, and none", "RS256 RS512", []string{rsaJWK("L"), rsaJWK("K", as("RS512", "kid", kid("a"))...)}, "a", "RS256", "L", true},
		{"none fits, token without kid", "RS256 ES256", []string{rsaJWK("K"), rsaJWK("L", "kid", kid("a"))}, "", "ES256", "", true},
		{"none fits, none has the kid", "RS256 ES256", []string{rsaJWK("K")}, "x", "ES256", "", false},
		{"another kid", "RS256", []string{rsaJWK("K", "kid", kid("a"))}, "b", "RS256", "", false},
		{"six", "RS256", []string{rsaJWK("P"), rsaJWK("O"), rsaJWK("N"), rsaJWK("M"), rsaJWK("L"), rsaJWK("K", "kid", kid("a"))}, "a", "RS256", "K L M N O P", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, _, err := Parse(document(c.keys...), strings.Fields(c.rule)...)
			if err != nil {
				t.Fatal(err)
			}
			read, _, err := Parse(set.AppendJSON(nil), strings.Fields(c.rule)...)
			if err != nil || !read.Equal(set) {
				t.Fatalf("written and read again it is another set: %v", err)
			}
			keys, known := set.Find(c.kid, c.alg)
			if got := sortedNames(keys); got != c.want || known != c.wantKnown {
				t.Errorf("%s, known %v; want %s, %v", got, known, c.want, c.wantKnown)
			}
			for i := 1; i < len(keys); i++ {
				if c.kid != "" && keys[i].ID == c.kid && keys[i-1].ID == "" {
					t.Error("a key without kid comes before one with the token's")
				}
			}
		})
	}
}

// TestMergedKeys: a key is kept once for one kid, and a kid is listed once.
func TestMergedKeys(t *testing.T) {
	dup := []string{"kid", kid("dup")}
	set, skipped, err := Parse(document(rsaJWK("K", append(dup, "alg", kid("RS256"))...), rsaJWK("K", append(dup, "alg", kid("RS512"))...),
		rsaJWK("K", dup...), rsaJWK("K", dup...), rsaJWK("K", "kid", kid("other")), rsaJWK("K")))
	if err != nil || set.Len() != 3 || len(skipped) != 0 {
		t.Errorf("%d keys, skipped %v, %v", set.Len(), skipped, err)
	}
	if kids := set.KIDs(); !slices.Equal(kids, []string{"dup", "other"}) {
		t.Errorf("kids %q", kids)
	}
	several, _, _ := Parse(document(rsaJWK("K", dup...), rsaJWK("L", dup...)))
	if kids := several.KIDs(); !slices.Equal(kids, []string{"dup"}) {
		t.Errorf("kids %q", kids)
	}
}

// TestWithoutDeniedKeys: a key that is denied is not found under another kid or none.
func TestWithoutDeniedKeys(t *testing.T) {
	set, _, err := Parse(document(rsaJWK("K", "kid", kid("leaked")), rsaJWK("K", "kid", kid("alias"), "alg", kid("RS512")), rsaJWK("K"), rsaJWK("L", "kid", kid("leaked")),
		rsaJWK("M", "kid", kid("m")), rsaJWK("N")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ denied, want string }{{"leaked", "M N"}, {"m", "K L N"}, {"", "K L M N"}, {"unknown", "K L M N"}} {
		if keys, _ := set.Without([]string{c.denied}).Find("", "RS512"); sortedNames(keys) != c.want {
			t.Errorf("without %q: %s, want %s", c.denied, sortedNames(keys), c.want)
		}
	}
}
