package jwks

import (
	"bytes"
	"crypto/elliptic"
	"math/big"
	"testing"
)

// p256 makes the key of RFC 7515, Appendix A.3, with some members replaced or
// added.
func p256(changes ...string) string {
	return changed([]string{"kty", `"EC"`, "kid", `"k"`, "crv", `"P-256"`, "x", `"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"`,
		"y", `"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`}, changes)
}

// edKey is the same for the key of RFC 8037, Appendix A.2.
func edKey(changes ...string) string {
	return changed([]string{"kty", `"OKP"`, "kid", `"k"`, "crv", `"Ed25519"`, "x", `"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`}, changes)
}

// vector is the generator of a curve as a key.
func vector(name string) string {
	c := map[string]elliptic.Curve{"P-384": elliptic.P384(), "P-521": elliptic.P521()}[name].Params()
	size := (c.BitSize + 7) / 8
	return changed([]string{"kty", `"EC"`, "kid", `"k"`, "crv", `"` + name + `"`,
		"x", quoted(c.Gx.FillBytes(make([]byte, size))), "y", quoted(c.Gy.FillBytes(make([]byte, size)))}, nil)
}

// TestParseForAlgorithms reads sets for a rule that names RS256 alone: keys that
// cannot have signed its tokens are skipped like any other.
func TestParseForAlgorithms(t *testing.T) {
	const other = "is for an algorithm that the rule does not name"
	for _, c := range []struct{ name, key, why string }{
		{"RS256", member("alg", `"RS256"`), ""},
		{"RSA without alg", member(), ""},
		{"RS512", member("alg", `"RS512"`), other},
		{"PS256", member("alg", `"PS256"`), other},
		{"HS256", member("alg", `"HS256"`), "alg is not one for RSA keys"},
		{"P-256", p256(), other},
		{"P-384", vector("P-384"), other},
		{"P-521", vector("P-521"), other},
		{"Ed25519", edKey("alg", `"EdDSA"`), other},
		{"not on the curve", p256("x", `"AQ"`), "x or y has not the curve's length"},
		{"for another curve's algorithm", p256("alg", `"ES512"`), "alg is not the one for the curve"},
		{"X25519", edKey("crv", `"X25519"`), "crv is not one that is supported for OKP keys"},
		{"oct", member("kty", `"oct"`), "kty is not RSA, EC or OKP"},
	} {
		set, skipped, err := Parse(document(c.key, jwk("other", 9)), "RS256")
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

// TestParseForSeveral: what one of the algorithms can use is kept, and a key that is
// skipped does not take the kid of one that is not.
func TestParseForSeveral(t *testing.T) {
	set, skipped, err := Parse(document(edKey(), p256(), member()), "RS256", "ES256")
	if err != nil || set.Len() != 1 || set.keys[0].ID != "k" || !set.keys[0].Fits("ES256") || len(skipped) != 2 {
		t.Errorf("%+v, skipped %v, %v", set, skipped, err)
	}
	if _, _, err := Parse(document(edKey(), p256()), "RS256", "PS512"); err != ErrNoUsableKey {
		t.Errorf("without a key for the algorithms: %v", err)
	}
}

// TestSourceOfAlgorithms: rules whose keys are not the same share no record.
func TestSourceOfAlgorithms(t *testing.T) {
	for _, p := range []Policy{urlPolicy, {Issuer: "https://issuer.example/"}} {
		source := func(algorithms ...string) string { p.Algorithms = algorithms; return p.SourceID() }
		if source("RS256", "ES256") != source("ES256", "RS256") || source("RS256") == source("RS256", "ES256") || source("RS256") == source("RS512") {
			t.Errorf("%q, %q, %q", source("RS256"), source("RS256", "ES256"), source("RS512"))
		}
	}
}

// TestPoints reads coordinates that are a point and such as are none.
func TestPoints(t *testing.T) {
	const length, off = "x or y has not the curve's length", "x and y are not a point of the curve"
	generator := func(c elliptic.Curve) (x, y []byte) {
		size := (c.Params().BitSize + 7) / 8
		return c.Params().Gx.FillBytes(make([]byte, size)), c.Params().Gy.FillBytes(make([]byte, size))
	}
	x, y := generator(elliptic.P256())
	long, longer := generator(elliptic.P521())
	p521 := elliptic.P521().Params()
	above := new(big.Int).Add(p521.Gx, p521.P).FillBytes(make([]byte, 66))
	changed := bytes.Clone(y)
	changed[31] ^= 1
	zeros := make([]byte, 32)
	for _, c := range []struct {
		name, curve string
		x, y        []byte
		want        string
	}{
		{"P-256", "P-256", x, y, ""},
		{"P-521", "P-521", long, longer, ""},
		{"another curve's point", "P-384", x, y, length},
		{"another curve's point, filled up", "P-384", append(make([]byte, 16), x...), append(make([]byte, 16), y...), off},
		{"leading zero", "P-256", append([]byte{0}, x...), y, length},
		{"x cut", "P-256", x[1:], y, length},
		{"y cut", "P-256", x, y[1:], length},
		{"y changed", "P-256", x, changed, off},
		{"exchanged", "P-256", y, x, off},
		{"zeros", "P-256", zeros, zeros, off},
		{"x above the prime", "P-521", above, longer, off},
	} {
		set, skipped, err := Parse(document(p256("crv", `"`+c.curve+`"`, "x", quoted(c.x), "y", quoted(c.y)), jwk("other", 9)))
		if err != nil {
			t.Fatal(err)
		}
		why := ""
		if len(skipped) == 1 {
			why = skipped[0].Why
		}
		if why != c.want || set.Len()+len(skipped) != 2 {
			t.Errorf("%s: skipped %v, want %q", c.name, skipped, c.want)
		}
	}
}

// TestMixedSet holds a set of all types to what holds for one of RSA keys.
func TestMixedSet(t *testing.T) {
	one, skipped, err := Parse(document(p256("kid", ""), edKey("kid", `"e"`), vector("P-521"), jwk("a", 1), vector("P-384"), member("kid", "")))
	if err != nil || one.Len() != 5 || len(skipped) != 1 {
		t.Fatal(one.Len(), skipped, err)
	}
	two, _, _ := Parse(document(member("kid", ""), jwk("a", 1), vector("P-521"), edKey("kid", `"e"`), p256("kid", "")))
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
