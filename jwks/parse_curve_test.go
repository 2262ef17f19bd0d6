package jwks

import (
	"crypto/elliptic"
	"testing"
)

// p256 makes the key of RFC 7515, Appendix A.3, with some members replaced or
// added.
func p256(changes ...string) string {
	return changed([]string{"kty", `"EC"`, "kid", `"k"`, "crv", `"P-256"`, "x", `"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"`,
		"y", `"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`}, changes)
}

// ed25519 is the same for the key of RFC 8037, Appendix A.2.
func ed25519(changes ...string) string {
	return changed([]string{"kty", `"OKP"`, "kid", `"k"`, "crv", `"Ed25519"`, "x", `"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`}, changes)
}

// vector is the generator of a curve as a key.
func vector(name string) string {
	c := map[string]elliptic.Curve{"P-384": elliptic.P384(), "P-521": elliptic.P521()}[name].Params()
	size := (c.BitSize + 7) / 8
	return changed([]string{"kty", `"EC"`, "kid", `"k"`, "crv", `"` + name + `"`,
		"x", quoted(c.Gx.FillBytes(make([]byte, size))), "y", quoted(c.Gy.FillBytes(make([]byte, size)))}, nil)
}

// TestParseStandard reads sets as a build does that has RS256 alone.
func TestParseStandard(t *testing.T) {
	has := func(algorithm string) bool { return algorithm == "RS256" }
	const full = "only edgejwt-full.wasm has its algorithm"
	for _, c := range []struct{ name, key, why string }{
		{"RS256", member("alg", `"RS256"`), ""},
		{"RSA without alg", member(), ""},
		{"RS512", member("alg", `"RS512"`), full},
		{"PS256", member("alg", `"PS256"`), full},
		{"HS256", member("alg", `"HS256"`), "alg is not one for RSA keys"},
		{"P-256", p256(), full},
		{"P-384", vector("P-384"), full},
		{"P-521", vector("P-521"), full},
		{"Ed25519", ed25519("alg", `"EdDSA"`), full},
		{"not on the curve", p256("x", `"AQ"`), full},
		{"for another curve's algorithm", p256("alg", `"ES512"`), "alg is not the one for the curve"},
		{"X25519", ed25519("crv", `"X25519"`), "crv is not one that is supported for OKP keys"},
		{"oct", member("kty", `"oct"`), "kty is not RSA, EC or OKP"},
	} {
		set, skipped, err := ParseFor(document(c.key, jwk("other", 9)), has)
		if err != nil {
			t.Fatal(err)
		}
		if c.why == "" && set.Len() == 2 && len(skipped) == 0 {
			continue
		}
		if set.Len() != 1 || len(skipped) != 1 || skipped[0].Why != c.why {
			t.Errorf("%s: %d keys, skipped %v, want one for %q", c.name, set.Len(), skipped, c.why)
		}
	}
}

// TestMixedSet holds a set of all types to what holds for one of RSA keys.
func TestMixedSet(t *testing.T) {
	one, skipped, err := Parse(document(p256("kid", ""), ed25519("kid", `"e"`), vector("P-521"), jwk("a", 1), vector("P-384"), member("kid", "")))
	if err != nil || one.Len() != 5 || len(skipped) != 1 {
		t.Fatal(one.Len(), skipped, err)
	}
	two, _, _ := Parse(document(member("kid", ""), jwk("a", 1), vector("P-521"), ed25519("kid", `"e"`), p256("kid", "")))
	if !one.Equal(two) || string(one.AppendJSON(nil)) != string(two.AppendJSON(nil)) {
		t.Errorf("not equal in another order:\n%s\n%s", one.AppendJSON(nil), two.AppendJSON(nil))
	}
	kept := two.keep(one)
	for i := range kept.keys {
		if kept.keys[i] != one.keys[i] || kept.keys[i] == two.keys[i] {
			t.Errorf("key %d is not the earlier one", i)
		}
	}
	if other, _, _ := Parse(document(vector("P-384"))); other.keys[0] == one.keys[4] || other.keep(one).keys[0] == one.keys[4] {
		t.Error("another key under the same kid is kept")
	}
}
