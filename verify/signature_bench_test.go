package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"strconv"
	"testing"

	"edgejwt/verify"
)

// BenchmarkSignature times one check by each algorithm, beside the standard
// library's. As Wasm, which is what counts:
//
//	go build -o wazero github.com/tetratelabs/wazero/cmd/wazero
//	GOOS=wasip1 GOARCH=wasm go test -tags full -exec "$PWD/wazero run" -run '^$' -bench Signature ./verify
func BenchmarkSignature(b *testing.B) {
	run := func(name string, check func() bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if !check() {
					b.Fatal("a good signature is refused")
				}
			}
		})
	}
	engine := func(name, algorithm string, key verify.Key, signature []byte) {
		run(name, func() bool {
			ok, err := verify.GoEngine(algorithm, key, signedText, signature)
			return ok && err == nil
		})
	}

	for _, k := range rsaKeys() {
		if k.e != 65537 || k.n.BitLen() != 2048 && k.n.BitLen() != 4096 {
			continue
		}
		size := " " + strconv.Itoa(k.n.BitLen())
		signature := k.sign(encodeOld(crypto.SHA256, k.size()))
		engine("RS256"+size+"/edgejwt", verify.RS256, k.key(), signature)
		run("RS256"+size+"/edgejwt, key prepared each time", func() bool {
			ok, err := verify.GoEngine(verify.RS256, k.key(), signedText, signature)
			return ok && err == nil
		})
		run("RS256"+size+"/crypto rsa", func() bool {
			digest := sha256.Sum256([]byte(signedText))
			return rsa.VerifyPKCS1v15(&rsa.PublicKey{N: new(big.Int).SetBytes(k.n.Bytes()), E: k.e}, crypto.SHA256, digest[:], signature) == nil
		})
		engine("PS256"+size+"/edgejwt", "PS256", k.key(), k.sign(encodePSS(crypto.SHA256, make([]byte, 32), k.n.BitLen()-1, -1)))
	}
	for i := range curves {
		c := &curves[i]
		private := c.private(b, big.NewInt(987654321))
		digest := digest(c.hash, []byte(signedText))
		r, s, err := ecdsa.Sign(nil, private, digest)
		if err != nil {
			b.Fatal(err)
		}
		engine(c.algorithm+"/edgejwt", c.algorithm, c.key(b, &private.PublicKey), c.join(r, s))
		run(c.algorithm+"/crypto ecdsa", func() bool { return ecdsa.Verify(&private.PublicKey, digest, r, s) })
	}
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	public := private.Public().(ed25519.PublicKey)
	signature := ed25519.Sign(private, []byte(signedText))
	curve, err := verify.NewCurvePublicKey("Ed25519", public, nil)
	if err != nil {
		b.Fatal(err)
	}
	engine("EdDSA/edgejwt", "EdDSA", verify.Key{Curve: curve}, signature)
	run("EdDSA/crypto ed25519", func() bool { return ed25519.Verify(public, []byte(signedText), signature) })
}
