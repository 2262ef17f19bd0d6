package differential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	random "math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// What the tokens of KeySets claim.
const (
	KeysIssuer   = "https://issuer.example/"
	KeysAudience = "api"
)

// KeyAlgorithms are those of the tokens that KeySets makes up.
var KeyAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"}

// KeySets makes up key sets, and tokens to try on them, from a seed. The keys are fresh;
// all else is the same for the same seed. Not for concurrent use.
type KeySets struct {
	r       *random.Rand
	signers []signer
}

// signer is a private key, with the algorithms that it can sign with.
type signer struct {
	key        crypto.Signer
	algorithms []string
}

// NewKeySets makes a generator with five RSA keys, three on curves and an Ed25519 key.
func NewKeySets(seed uint64) (*KeySets, error) {
	g := &KeySets{r: random.New(random.NewPCG(seed, seed))}
	for range 5 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		g.signers = append(g.signers, signer{key, KeyAlgorithms[:4]})
	}
	for i, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P256(), elliptic.P384()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			return nil, err
		}
		g.signers = append(g.signers, signer{key, KeyAlgorithms[4+i/2 : 5+i/2]})
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	g.signers = append(g.signers, signer{key, KeyAlgorithms[6:]})
	return g, err
}

// PublishedKey is a key of a set. Its JSON is what it says, members that are "absent"
// left out.
type PublishedKey struct {
	Signer           int // which private key it belongs to
	KID, Alg, Use    string
	Ops              string // key_ops, separated by commas
	KeyType          string // "kty", if that is not the key's
	Zero             bool   // n and e have a zero byte in front
	JSON             json.RawMessage
	SignerAlgorithms []string // that the private key can sign with
}

// String names the members that differ from a plain key.
func (k *PublishedKey) String() string {
	text := fmt.Sprintf("%d (%s)", k.Signer, k.SignerAlgorithms[0])
	for _, m := range [][2]string{{"kid", k.KID}, {"alg", k.Alg}, {"use", k.Use}, {"key_ops", k.Ops}, {"kty", k.KeyType}} {
		if m[1] != Absent {
			text += fmt.Sprintf(" %s=%q", m[0], m[1])
		}
	}
	if k.Zero {
		text += " with zeros"
	}
	return text
}

// Absent is the value of a member that is left out.
const Absent = "absent"

// SignedToken is a token that go-jose signed.
type SignedToken struct {
	Signer    int
	Algorithm string
	KID       string // may be Absent
	Text      string
}

func (g *KeySets) pick(values ...string) string { return values[g.r.IntN(len(values))] }

// KeySet makes up a key set of one to five keys.
func (g *KeySets) KeySet() (document []byte, keys []PublishedKey) {
	several := g.r.IntN(5) == 0 // RSA keys without much to tell them apart
	count := 1 + g.r.IntN(5)
	if several {
		count = 5
	}
	for range count {
		k := PublishedKey{Signer: g.r.IntN(len(g.signers))}
		if several {
			k.Signer = g.r.IntN(5)
		}
		by := g.signers[k.Signer]
		k.SignerAlgorithms = by.algorithms
		k.KID = g.pick(Absent, Absent, "", "a", "a", "a", "b", "b")
		k.Alg = g.pick(Absent, Absent, Absent, by.algorithms[0], by.algorithms[0], by.algorithms[g.r.IntN(len(by.algorithms))], g.pick(KeyAlgorithms...), "RSA-OAEP", "")
		k.Use = g.pick(Absent, Absent, Absent, "sig", "sig", "sig", "enc", "")
		k.Ops = g.pick(Absent, Absent, Absent, Absent, Absent, "verify", "sign,verify", "sign", "")
		k.KeyType = g.pick(append(slices.Repeat([]string{Absent}, 30), "RSA", "EC", "OKP", "oct", "rsa", "")...)
		if several {
			k.KID, k.Alg, k.Use, k.Ops, k.KeyType = g.pick(Absent, "a"), g.pick(Absent, "RS256"), Absent, Absent, Absent
		}
		k.Zero = by.algorithms[0] == "RS256" && g.r.IntN(4) == 0
		k.JSON = g.publish(&k)
		keys = append(keys, k)
	}
	texts := make([]json.RawMessage, len(keys))
	for i := range keys {
		texts[i] = keys[i].JSON
	}
	document, err := json.Marshal(map[string]any{"keys": texts})
	if err != nil {
		panic(err) // texts of json.Marshal
	}
	return document, keys
}

// publish is the key's JSON, which go-jose writes but for the members of k.
func (g *KeySets) publish(k *PublishedKey) json.RawMessage {
	text, err := json.Marshal(jose.JSONWebKey{Key: g.signers[k.Signer].key.Public()})
	if err != nil {
		panic(err) // our own key
	}
	members := map[string]any{}
	if err := json.Unmarshal(text, &members); err != nil {
		panic(err)
	}
	for name, value := range map[string]string{"kid": k.KID, "alg": k.Alg, "use": k.Use, "kty": k.KeyType} {
		if value != Absent {
			members[name] = value
		}
	}
	if k.Ops != Absent {
		members["key_ops"] = strings.FieldsFunc(k.Ops, func(c rune) bool { return c == ',' })
	}
	if k.Zero {
		for _, name := range []string{"n", "e"} {
			number, err := base64.RawURLEncoding.DecodeString(members[name].(string))
			if err != nil {
				panic(err)
			}
			members[name] = base64.RawURLEncoding.EncodeToString(append([]byte{0}, number...))
		}
	}
	if text, err = json.Marshal(members); err != nil {
		panic(err)
	}
	return text
}

// Token makes up a token, most often of one of the keys.
func (g *KeySets) Token(keys []PublishedKey) (*SignedToken, error) {
	t := &SignedToken{Signer: g.r.IntN(len(g.signers))}
	if g.r.IntN(6) > 0 {
		t.Signer = keys[g.r.IntN(len(keys))].Signer
	}
	by := g.signers[t.Signer]
	t.Algorithm = by.algorithms[0]
	if g.r.IntN(3) == 0 {
		t.Algorithm = g.pick(by.algorithms...)
	}
	t.KID = g.pick(Absent, Absent, "", "a", "a", "a", "b", "b", "c")
	options := (&jose.SignerOptions{}).WithType("JWT")
	if t.KID != Absent {
		options = options.WithHeader("kid", t.KID)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(t.Algorithm), Key: by.key}, options)
	if err != nil {
		return nil, err
	}
	t.Text, err = jwt.Signed(s).Claims(map[string]any{"iss": KeysIssuer, "aud": KeysAudience, "sub": "alice", "exp": time.Now().Add(time.Hour).Unix()}).Serialize()
	return t, err
}

// Request sends the token.
func (t *SignedToken) Request() *Request {
	return &Request{Method: "GET", Path: "/", Host: "edge", Headers: [][2]string{{"authorization", "Bearer " + t.Text}}}
}

// String says what the token is, without its text.
func (t *SignedToken) String() string {
	return fmt.Sprintf("token of key %d, alg %s, kid %q", t.Signer, t.Algorithm, t.KID)
}
