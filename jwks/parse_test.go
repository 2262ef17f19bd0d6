package jwks

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"edgejwt/verify"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// member makes a usable RSA key with some members replaced or added.
func member(changes ...string) string {
	return changed([]string{"kty", `"RSA"`, "kid", `"k"`, "n", `"` + b64(modulus(1)) + `"`, "e", `"AQAB"`}, changes)
}

func changed(original, changes []string) string {
	members := map[string]string{}
	var names []string
	for i := 0; i < len(original); i += 2 {
		members[original[i]] = original[i+1]
		names = append(names, original[i])
	}
	for i := 0; i < len(changes); i += 2 {
		if _, has := members[changes[i]]; !has {
			names = append(names, changes[i])
		}
		members[changes[i]] = changes[i+1]
	}
	var b strings.Builder
	for i, name := range names {
		if members[name] == "" { // replaced by nothing: left out
			continue
		}
		if i > 0 && b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", name, members[name])
	}
	return "{" + b.String() + "}"
}

func quoted(b []byte) string { return `"` + b64(b) + `"` }

// wide is an odd modulus of this many bits.
func wide(bits int) []byte {
	b := make([]byte, (bits+7)/8)
	b[0] = 1 << ((bits - 1) % 8)
	b[len(b)-1] |= 1
	return b
}

func TestParseKeys(t *testing.T) {
	even := modulus(1)
	even[255] &^= 1
	cases := []struct {
		name string
		key  string
		why  string // "" when the key is usable
	}{
		{"minimal", member(), ""},
		{"as Auth0 publishes it", member("use", `"sig"`, "alg", `"RS256"`, "x5t", `"abc"`, "x5c", `["MIIC"]`), ""},
		{"without kid", member("kid", ""), ""},
		{"empty kid", member("kid", `""`), ""},
		{"unknown members", member("exp", `1`, "x", `{"y":[]}`), ""},
		{"key_ops with verify", member("key_ops", `["encrypt","verify"]`), ""},
		{"leading zero in n", member("n", quoted(append([]byte{0}, modulus(1)...))), ""},
		{"leading zeros in e", member("e", quoted([]byte{0, 0, 1, 0, 1})), ""},
		{"exponent 3", member("e", `"Aw"`), ""},
		{"greatest exponent", member("e", quoted([]byte{0x7f, 0xff, 0xff, 0xff})), ""},
		{"2048 bits", member("n", quoted(wide(2048))), ""},
		{"8192 bits", member("n", quoted(wide(8192))), ""},
		{"longest kid", member("kid", `"`+strings.Repeat("k", 256)+`"`), ""},

		{"RS512", member("alg", `"RS512"`), ""},
		{"PS256", member("alg", `"PS256"`), ""},
		{"P-256", p256(), ""},
		{"P-256 for ES256", p256("alg", `"ES256"`, "use", `"sig"`, "x5c", `["MIIB"]`), ""},
		{"P-384", vector("P-384"), ""},
		{"P-521", vector("P-521"), ""},
		{"Ed25519", edKey(), ""},
		{"Ed25519 for EdDSA", edKey("alg", `"EdDSA"`), ""},

		{"not an object", `"RSA"`, "not an object"},
		{"an array", `[]`, "not an object"},
		{"kid a number", member("kid", `7`), "kid is not a string"},
		{"kid null", member("kid", `null`), "kid is not a string"},
		{"kid too long", member("kid", `"`+strings.Repeat("k", 257)+`"`), "kid is longer than 256 bytes"},
		{"kty missing", member("kty", ""), "kty is missing or not a string"},
		{"kty a number", member("kty", `1`), "kty is missing or not a string"},
		{"EC with an RSA key's members", member("kty", `"EC"`), "crv is not one that is supported for EC keys"},
		{"oct", member("kty", `"oct"`), "kty is not RSA, EC or OKP"},
		{"kty in lower case", member("kty", `"rsa"`), "kty is not RSA, EC or OKP"},
		{"for encryption", member("use", `"enc"`), `use is "enc"`},
		{"use null", member("use", `null`), `use is not "sig"`},
		{"key_ops without verify", member("key_ops", `["sign"]`), `key_ops lacks "verify"`},
		{"key_ops a string", member("key_ops", `"verify"`), `key_ops lacks "verify"`},
		{"key_ops an object", member("key_ops", `{"a":"verify"}`), `key_ops lacks "verify"`},
		{"ES256", member("alg", `"ES256"`), "alg is not one for RSA keys"},
		{"HS256", member("alg", `"HS256"`), "alg is not one for RSA keys"},
		{"alg empty", member("alg", `""`), "alg is empty"},
		{"alg null", member("alg", `null`), "alg is not a string"},
		{"private exponent", member("d", `"AQ"`), "carries private key material"},
		{"private null", member("d", `null`), "carries private key material"},
		{"prime", member("p", `"AQ"`), "carries private key material"},
		{"other primes", member("oth", `[]`), "carries private key material"},
		{"symmetric", member("kty", `"oct"`, "k", `"AQ"`), "carries private key material"},
		{"n missing", member("n", ""), "n is missing"},
		{"n empty", member("n", `""`), "n is not base64url"},
		{"n a number", member("n", `5`), "n is not base64url"},
		{"n padded", member("n", `"`+b64(modulus(1))+`=="`), "n is not base64url"},
		{"n plain base64", member("n", `"`+strings.Repeat("+", 344)+`"`), "n is not base64url"},
		{"n with a line break", member("n", `"`+b64(modulus(1))[:10]+`\n`+b64(modulus(1))[10:]+`"`), "n is not base64url"},
		{"n with a space", member("n", `" `+b64(modulus(1))+`"`), "n is not base64url"},
		{"n with stray bits", member("n", `"`+b64(modulus(1))[:340]+`AB"`), "n is not base64url"},
		{"n zero", member("n", `"AAAA"`), "modulus is under 2048 bits"},
		{"2047 bits", member("n", quoted(wide(2047))), "modulus is under 2048 bits"},
		{"1024 bits, padded", member("n", quoted(append(make([]byte, 128), wide(1024)...))), "modulus is under 2048 bits"},
		{"8193 bits", member("n", quoted(wide(8193))), "modulus is over 8192 bits"},
		{"even modulus", member("n", quoted(even)), "modulus is even"},
		{"P-256 for ES384", p256("alg", `"ES384"`), "alg is not the one for the curve"},
		{"P-256 for RS256", p256("alg", `"RS256"`), "alg is not the one for the curve"},
		{"P-256 for key agreement", p256("alg", `"ECDH-ES"`), "alg is not the one for the curve"},
		{"P-256 for EdDSA", p256("alg", `"EdDSA"`), "alg is not the one for the curve"},
		{"alg empty on a curve", p256("alg", `""`), "alg is empty"},
		{"crv missing", p256("crv", ""), "crv is not one that is supported for EC keys"},
		{"crv a number", p256("crv", `256`), "crv is not one that is supported for EC keys"},
		{"P-224", p256("crv", `"P-224"`), "crv is not one that is supported for EC keys"},
		{"secp256k1", p256("crv", `"secp256k1"`), "crv is not one that is supported for EC keys"},
		{"crv in lower case", p256("crv", `"p-256"`), "crv is not one that is supported for EC keys"},
		{"Ed25519 as EC", p256("crv", `"Ed25519"`), "crv is not one that is supported for EC keys"},
		{"P-256 as OKP", p256("kty", `"OKP"`), "crv is not one that is supported for OKP keys"},
		{"X25519", edKey("crv", `"X25519"`), "crv is not one that is supported for OKP keys"},
		{"Ed448", edKey("crv", `"Ed448"`), "crv is not one that is supported for OKP keys"},
		{"P-256 under another name", p256("crv", `"P-384"`), "x or y has not the curve's length"},
		{"x missing", p256("x", ""), "x is missing"},
		{"y missing", p256("y", ""), "y is missing"},
		{"y a number", p256("y", `5`), "y is not base64url"},
		{"y empty", p256("y", `""`), "y is not base64url"},
		{"x padded", p256("x", `"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU="`), "x is not base64url"},
		{"x with a leading zero", p256("x", `"AH_Nzidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF"`), "x or y has not the curve's length"},
		{"x short", p256("x", `"AQ"`), "x or y has not the curve's length"},
		{"not on the curve", p256("x", `"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`), "x and y are not a point of the curve"},
		{"EC private", p256("d", `"AQ"`), "carries private key material"},
		{"EC for encryption", p256("use", `"enc"`), `use is "enc"`},
		{"Ed25519 for ES256", edKey("alg", `"ES256"`), "alg is not the one for the curve"},
		{"Ed25519 short", edKey("x", `"AQ"`), "x or y has not the curve's length"},
		{"Ed25519 of small order", edKey("x", quoted(make([]byte, 32))), "x and y are not a point of the curve"},
		{"Ed25519 with y", edKey("y", `"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`), "x or y has not the curve's length"},
		{"Ed25519 private", edKey("d", `"AQ"`), "carries private key material"},
		{"e missing", member("e", ""), "e is missing"},
		{"exponent 0", member("e", `"AA"`), "exponent is even"},
		{"exponent 1", member("e", `"AQ"`), "exponent is 1"},
		{"exponent 2", member("e", `"Ag"`), "exponent is even"},
		{"exponent 2^31+1", member("e", quoted([]byte{0x80, 0, 0, 1})), "exponent is over 2^31-1"},
		{"exponent of 5 bytes", member("e", quoted([]byte{1, 0, 0, 0, 1})), "exponent is over 2^31-1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			other := jwk("other", 9)
			set, skipped, err := Parse(document(c.key, other))
			if err != nil {
				t.Fatal(err)
			}
			if c.why == "" {
				if set.Len() != 2 || len(skipped) != 0 {
					t.Fatalf("%d keys, skipped %v", set.Len(), skipped)
				}
				return
			}
			if set.Len() != 1 || len(skipped) != 1 || skipped[0].Why != c.why || skipped[0].Index != 0 {
				t.Fatalf("%d keys, skipped %v, want one for %q", set.Len(), skipped, c.why)
			}
			if _, _, err := Parse(document(c.key)); err != ErrNoUsableKey {
				t.Errorf("alone: %v", err)
			}
		})
	}
}

func TestParseDocuments(t *testing.T) {
	many := func(n int) string {
		keys := make([]string, n)
		for i := range keys {
			keys[i] = `{"kty":"EC"}`
		}
		keys[0] = jwk("a", 1)
		return string(document(keys...))
	}
	padded := func(n int) string {
		doc := string(document(jwk("a", 1)))
		return doc + strings.Repeat(" ", n-len(doc))
	}
	cases := []struct {
		name string
		doc  string
		want error
	}{
		{"100 keys", many(100), nil},
		{"101 keys", many(101), ErrTooManyKeys},
		{"512 KiB", padded(MaxDocumentBytes), nil},
		{"one byte more", padded(MaxDocumentBytes + 1), ErrDocumentTooLong},
		{"members besides keys", `{"a":1,"keys":[` + jwk("a", 1) + `],"z":null}`, nil},
		{"empty", ``, ErrDocumentNotJSON},
		{"HTML", `<!doctype html>`, ErrDocumentNotJSON},
		{"two documents", `{"keys":[]}{"keys":[]}`, ErrDocumentNotJSON},
		{"keys twice", `{"keys":[` + jwk("a", 1) + `],"keys":[]}`, ErrDocumentNotJSON},
		{"member of a key twice", `{"keys":[{"kty":"RSA","kid":"a","kid":"b"}]}`, ErrDocumentNotJSON},
		{"invalid UTF-8", "{\"keys\":[],\"a\":\"\xff\"}", ErrDocumentNotJSON},
		{"deep", `{"keys":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, ErrDocumentNotJSON},
		{"an array", `[]`, ErrNotKeySet},
		{"null", `null`, ErrNotKeySet},
		{"no keys", `{}`, ErrNotKeySet},
		{"keys an object", `{"keys":{}}`, ErrNotKeySet},
		{"keys null", `{"keys":null}`, ErrNotKeySet},
		{"keys in capitals", `{"KEYS":[` + jwk("a", 1) + `]}`, ErrNotKeySet},
		{"no key at all", `{"keys":[]}`, ErrNoUsableKey},
		{"a single key, not a set", jwk("a", 1), ErrNotKeySet},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			set, _, err := Parse([]byte(c.doc))
			if !errors.Is(err, c.want) || (set == nil) != (c.want != nil) {
				t.Errorf("Parse = %v, %v, want %v", set, err, c.want)
			}
		})
	}
}

// isRSA reports whether this is the RSA key with the modulus.
func isRSA(key *verify.Key, modulus []byte) bool {
	public, ok := key.Public.(*rsa.PublicKey)
	return ok && bytes.Equal(public.N.Bytes(), modulus)
}

func TestSet(t *testing.T) {
	one, _, _ := Parse(document(jwk("b", 2), jwk("a", 1)))
	two, _, _ := Parse(document(jwk("a", 1), jwk("b", 2)))
	other, _, _ := Parse(document(jwk("a", 1), jwk("b", 3)))
	if !one.Equal(two) || one.Equal(other) || one.Equal(nil) {
		t.Error("Equal does not compare keys as a set")
	}
	if got := string(one.AppendJSON(nil)); got != string(two.AppendJSON(nil)) || !strings.HasPrefix(got, `{"keys":[{"kty":"RSA","kid":"a","alg":"RS256","n":"`) {
		t.Errorf("AppendJSON = %.80s", got)
	}
	if !slices.Equal(one.KIDs(), []string{"a", "b"}) {
		t.Error(one.KIDs())
	}
	if keys, known := one.Find("a", "RS256"); len(keys) != 1 || keys[0].ID != "a" || !known {
		t.Error("a key is not found under its kid")
	}
	if keys, known := one.Find("a", "RS512"); len(keys) != 0 || !known {
		t.Error("a key is found for another algorithm")
	}
	if left := one.Without([]string{"a", ""}); left.Len() != 1 || one.Len() != 2 {
		t.Error("Without")
	}
	var none *Set
	if keys, known := none.Find("a", "RS256"); keys != nil || known || none.Len() != 0 || !none.Equal(&Set{}) || none.Without([]string{"a"}) != nil || string(none.AppendJSON(nil)) != `{"keys":[]}` {
		t.Error("a nil set is not an empty one")
	}
}

func TestErrors(t *testing.T) {
	for e := Error(1); e < errorEnd; e++ {
		if e.Error() == "unknown error" {
			t.Errorf("error %d has no row in the table", e)
		}
	}
	if errorEnd > 64 {
		t.Error("record.warned has not a bit for each error")
	}
}

func ExampleParse() {
	set, skipped, err := Parse([]byte(`{"keys":[
		{"kty":"RSA","kid":"2026-05","use":"sig","alg":"RS256","e":"AQAB","n":"` + b64(modulus(1)) + `"},
		{"kty":"oct","kid":"other"}]}`))
	fmt.Println(set.KIDs(), skipped, err)
	// Output: [2026-05] [key 1 (kid "other"): kty is not RSA, EC or OKP] <nil>
}

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

// TestParseForSeveral: what one of the algorithms can use is kept, under one kid too.
func TestParseForSeveral(t *testing.T) {
	set, skipped, err := Parse(document(edKey(), p256(), member()), "RS256", "ES256")
	if err != nil || set.Len() != 2 || len(set.byID("k")) != 2 || len(skipped) != 1 {
		t.Errorf("%+v, skipped %v, %v", set, skipped, err)
	}
	if _, _, err := Parse(document(edKey(), p256()), "RS256", "PS512"); err != ErrNoUsableKey {
		t.Errorf("without a key for the algorithms: %v", err)
	}
	all, _, _ := Parse(document(edKey("kid", `"e"`), p256("kid", `"p"`), member("kid", `"r"`)))
	left, _, _ := Parse(document(edKey("kid", `"e"`), p256("kid", `"p"`), member("kid", `"r"`)), "RS256", "ES256")
	if got := all.For([]string{"RS256", "ES256"}); got.Len() != 2 || !got.Equal(left) || all.Len() != 3 || (*Set)(nil).For(nil) != nil {
		t.Errorf("For gives %v", got.KIDs())
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
	if err != nil || one.Len() != 6 || len(skipped) != 0 {
		t.Fatal(one.Len(), skipped, err)
	}
	two, _, _ := Parse(document(member("kid", ""), jwk("a", 1), vector("P-384"), vector("P-521"), edKey("kid", `"e"`), p256("kid", "")))
	if !one.Equal(two) || string(one.AppendJSON(nil)) != string(two.AppendJSON(nil)) {
		t.Errorf("not equal in another order:\n%s\n%s", one.AppendJSON(nil), two.AppendJSON(nil))
	}
	kept := two.keep(one)
	for i := range kept.keys {
		if kept.keys[i] != one.keys[i] || kept.keys[i] == two.keys[i] {
			t.Errorf("key %d is not the earlier one", i)
		}
	}
	other, _, _ := Parse(document(p256()))
	if kept := other.keep(one); kept.keys[0] != other.keys[0] || slices.Contains(one.keys, other.keys[0]) {
		t.Error("another key under the same kid is kept")
	}
}
