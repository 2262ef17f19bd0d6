package attacks

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"embed"
	"encoding/json"
	"encoding/pem"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// The kids of the published keys. KidCurrent has letters of both cases, for
// look-alikes.
const (
	KidCurrent    = "Current-Key-1"
	KidNext       = "next-key-2"
	KidEncryption = "encryption-key"
	KidRS512      = "rs512-key"
	KidEC         = "ec-key"
	KidExponent3  = "exponent-3-key"
)

//go:embed testkeys
var testKeys embed.FS

// keys are the private keys. Attacker is published nowhere.
type keys struct {
	current, next, encryption, rs512, exponent3, attacker *rsa.PrivateKey
	ec                                                    *ecdsa.PrivateKey
}

var testKeySet = sync.OnceValue(func() *keys {
	return &keys{
		current:    rsaKey("current"),
		next:       rsaKey("next"),
		encryption: rsaKey("encryption"),
		rs512:      rsaKey("rs512"),
		exponent3:  rsaKey("exponent3"),
		attacker:   rsaKey("attacker"),
		ec:         must(x509.ParseECPrivateKey(keyBytes("ec"))),
	}
})

func rsaKey(name string) *rsa.PrivateKey { return must(x509.ParsePKCS1PrivateKey(keyBytes(name))) }

func keyBytes(name string) []byte {
	block, _ := pem.Decode(must(testKeys.ReadFile("testkeys/" + name + ".pem")))
	return block.Bytes
}

// KeySet is the issuer's published JWKS (RFC 7517): the current key as Auth0
// describes it, the next one without "alg", one for encryption, one for RS512
// only, one of another type, and one with exponent 3.
func KeySet() []byte {
	k := testKeySet()
	return must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{KeyID: KidCurrent, Algorithm: "RS256", Use: "sig", Key: k.current.Public()},
		{KeyID: KidNext, Use: "sig", Key: k.next.Public()},
		{KeyID: KidEncryption, Algorithm: "RSA-OAEP", Use: "enc", Key: k.encryption.Public()},
		{KeyID: KidRS512, Algorithm: "RS512", Use: "sig", Key: k.rs512.Public()},
		{KeyID: KidEC, Algorithm: "ES256", Use: "sig", Key: k.ec.Public()},
		{KeyID: KidExponent3, Algorithm: "RS256", Use: "sig", Key: k.exponent3.Public()},
	}}))
}

// must gives up on what can fail only when this package is wrong.
func must[T any](value T, err error) T {
	if err != nil {
		panic("attacks: " + err.Error())
	}
	return value
}
