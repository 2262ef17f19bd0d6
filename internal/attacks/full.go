package attacks

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"edgejwt/verify"
)

// The kids that FullKeySet publishes besides those of KeySet. Those without an
// algorithm in their names are bound to none.
const (
	KidPS256   = "ps256-key"
	KidP256    = "p-256-key"
	KidES384   = "es384-key"
	KidP521    = "p-521-key"
	KidEdDSA   = "eddsa-key"
	KidX25519  = "x25519-key"
	KidOff     = "off-curve-key"
	KidSmall   = "small-order-key"
	KidMislaid = "mislaid-key"
)

// FullAlgorithms are the algorithms of FullRule.
var FullAlgorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// FullRule is the verify.Rule that FullTable is written for: it names every
// algorithm.
func (o Options) FullRule() verify.Rule {
	rule := o.Rule()
	rule.Algorithms = FullAlgorithms
	return rule
}

// FullTable makes the requests for a filter with FullRule and FullKeySet: tokens of
// every algorithm, and what comes near to them, sorted by group and name. Names
// are not those of Table.
func FullTable(now time.Time, o Options) []Case {
	b := &builder{now: now.Truncate(time.Second), Options: o.filled()}
	for _, add := range []func(*builder){bindings, otherNames, saltLengths, pssPaddings, curveSignatures, edwardsSignatures} {
		add(b)
	}
	slices.SortFunc(b.cases, func(one, other Case) int {
		return strings.Compare(one.Group+"/"+one.Name, other.Group+"/"+other.Name)
	})
	return b.cases
}

// fullKey is one published key with what it may be used for.
type fullKey struct {
	kid        string
	bound      string // its "alg"
	private    crypto.Signer
	algorithms []string // that fit
}

var (
	rsaAlgorithms = FullAlgorithms[:6]

	fullKeys = sync.OnceValue(func() []fullKey {
		k := testKeySet()
		ed := must(x509.ParsePKCS8PrivateKey(keyBytes("ed25519"))).(ed25519.PrivateKey)
		return []fullKey{
			{KidCurrent, "RS256", k.current, []string{"RS256"}},
			{KidNext, "", k.next, rsaAlgorithms},
			{KidRS512, "RS512", k.rs512, []string{"RS512"}},
			{KidPS256, "PS256", rsaKey("ps256"), []string{"PS256"}},
			{KidEC, "ES256", k.ec, []string{"ES256"}},
			{KidP256, "", ecKey("ec2"), []string{"ES256"}},
			{KidES384, "ES384", ecKey("p384"), []string{"ES384"}},
			{KidP521, "", ecKey("p521"), []string{"ES512"}},
			{KidEdDSA, "EdDSA", ed, []string{"EdDSA"}},
		}
	})
)

func fullKeyOf(kid string) *fullKey {
	for i := range fullKeys() {
		if fullKeys()[i].kid == kid {
			return &fullKeys()[i]
		}
	}
	panic("attacks: no key " + kid)
}

// KeyFor gives a private key whose public part FullKeySet has for the algorithm.
func KeyFor(algorithm string) crypto.Signer {
	for _, k := range fullKeys() {
		if slices.Contains(k.algorithms, algorithm) {
			return k.private
		}
	}
	panic("attacks: no key for " + algorithm)
}

func ecKey(name string) *ecdsa.PrivateKey { return must(x509.ParseECPrivateKey(keyBytes(name))) }

// FullKeySet is the JWKS (RFC 7517) of an issuer with keys of all types. Besides
// those it has four that nobody may use: one for key agreement, one that is not
// on its curve, one of small order, and one whose curve is not its algorithm's.
func FullKeySet() []byte {
	var set struct{ Keys []json.RawMessage }
	for _, k := range fullKeys() {
		set.Keys = append(set.Keys, must(json.Marshal(jose.JSONWebKey{KeyID: k.kid, Algorithm: k.bound, Use: "sig", Key: k.private.Public()})))
	}
	public := must(json.Marshal(jose.JSONWebKey{KeyID: KidOff, Key: fullKeyOf(KidP256).private.Public()}))
	x := between(public, `"x":"`)
	zeros := encode(string(make([]byte, 32)))
	set.Keys = append(set.Keys,
		json.RawMessage(`{"kty":"OKP","kid":"`+KidX25519+`","crv":"X25519","x":"`+x+`"}`),
		json.RawMessage(`{"kty":"EC","kid":"`+KidOff+`","crv":"P-256","x":"`+x+`","y":"`+x+`"}`),
		json.RawMessage(`{"kty":"OKP","kid":"`+KidSmall+`","crv":"Ed25519","x":"`+zeros+`"}`),
		must(json.Marshal(jose.JSONWebKey{KeyID: KidMislaid, Algorithm: "ES512", Key: fullKeyOf(KidES384).private.Public()})))
	return must(json.Marshal(map[string]any{"keys": set.Keys}))
}

// between gives what stands after a text and before the next quotation mark.
func between(text []byte, before string) string {
	_, after, _ := bytes.Cut(text, []byte(before))
	value, _, _ := bytes.Cut(after, []byte{'"'})
	return string(value)
}

// under is the header of a token of this algorithm and kid.
func under(algorithm, kid string) string {
	return header().with("alg", quote(algorithm)).with("kid", quote(kid)).text()
}

// by signs as golang-jwt does.
func by(algorithm string, key crypto.Signer) signer {
	return func(signed string) []byte { return must(jwt.GetSigningMethod(algorithm).Sign(signed, key)) }
}

// byJose is a token that go-jose makes.
func (b *builder) byJose(algorithm string, k *fullKey) string {
	key := jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: jose.JSONWebKey{Key: k.private, KeyID: k.kid}}
	signed := must(must(jose.NewSigner(key, (&jose.SignerOptions{}).WithType("at+jwt"))).Sign([]byte(b.payload().text())))
	return must(signed.CompactSerialize())
}

// able reports whether a key of this type can make such a signature at all,
// whatever it was published for.
func able(algorithm string, key crypto.Signer) bool {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return algorithm[1] == 'S' && algorithm[0] != 'E'
	case *ecdsa.PrivateKey:
		method, ok := jwt.GetSigningMethod(algorithm).(*jwt.SigningMethodECDSA)
		return ok && method.CurveBits == key.Curve.Params().BitSize
	}
	return algorithm == "EdDSA"
}

// bindings adds every algorithm under every key: it is the key that says which
// algorithm is right (RFC 8725 §3.1).
func bindings(b *builder) {
	b.group = "binding"
	p := b.payload().text()
	for i := range fullKeys() {
		k := &fullKeys()[i]
		for _, algorithm := range FullAlgorithms {
			name := algorithm + " under " + k.kid
			if slices.Contains(k.algorithms, algorithm) {
				b.token(name+" by golang-jwt", compact(under(algorithm, k.kid), p, by(algorithm, k.private)), verify.Accepted, "what the key is for")
				b.token(name+" by go-jose", b.byJose(algorithm, k), verify.Accepted, "what the key is for")
				b.token(name+" without kid", compact(header().with("alg", quote(algorithm)).without("kid").text(), p, by(algorithm, k.private)), verify.Accepted,
					"kid is optional: any key that is for the algorithm may have signed (RFC 7515 §4.1.4)")
				continue
			}
			sign := fixed(make([]byte, 64))
			if able(algorithm, k.private) {
				sign = by(algorithm, k.private) // sound, but not what the key was published for
			}
			b.token(name, compact(under(algorithm, k.kid), p, sign), verify.AlgorithmNotAllowed, "the key is for another algorithm (RFC 8725 §3.1)")
			for _, other := range fullKeys() {
				if slices.Contains(other.algorithms, algorithm) {
					b.token(name+" signed with "+other.kid, compact(under(algorithm, k.kid), p, by(algorithm, other.private)), verify.AlgorithmNotAllowed,
						"the kid names a key of another algorithm, and no other is tried")
				}
			}
		}
	}
	for kid, why := range map[string]string{
		KidX25519:  "a key for key agreement verifies nothing (RFC 8037 §3.2)",
		KidOff:     "a point that is not on the curve is no key",
		KidSmall:   "anybody can sign for a key of small order",
		KidMislaid: "a key whose curve is not its algorithm's is none (RFC 7518 §3.4)",
	} {
		for _, algorithm := range FullAlgorithms[6:] {
			b.token(algorithm+" under "+kid, compact(under(algorithm, kid), p, fixed(make([]byte, 64))), verify.KeyUnknown, why)
		}
	}
}

// otherNames adds names of algorithms that are not among the rule's, with the
// signature that such a verifier would take.
func otherNames(b *builder) {
	b.group = "name"
	p := b.payload().text()
	for _, k := range fullKeys()[4:] {
		pkix := must(x509.MarshalPKIXPublicKey(k.private.Public()))
		for form, secret := range map[string][]byte{
			"DER": pkix,
			"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}),
			"JWK": must(json.Marshal(jose.JSONWebKey{KeyID: k.kid, Algorithm: k.bound, Use: "sig", Key: k.private.Public()})),
		} {
			b.token("HS256 keyed with "+form+" of "+k.kid, compact(under("HS256", k.kid), p, hs256(secret)), verify.AlgorithmNotAllowed,
				"an HMAC keyed with what everybody knows proves nothing (RFC 8725 §2.1)")
		}
		for _, name := range []string{"none", "ES256K", "Ed25519", "Ed448", "eddsa", "es256", "ESB256", "ES256 ", "PS-256", "RS1"} {
			b.token("alg "+asciiName(name)+" under "+k.kid, compact(under(name, k.kid), p, by(k.algorithms[0], k.private)), verify.AlgorithmNotAllowed,
				"names of algorithms are compared byte for byte, and this one is not among the rule's")
		}
	}
}
