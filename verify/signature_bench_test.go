package verify_test

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"edgejwt/internal/attacks"
	"edgejwt/verify"
)

// BenchmarkSignature times one check by each algorithm. As Wasm, which is what
// counts:
//
//	go build -o wazero github.com/tetratelabs/wazero/cmd/wazero
//	GOOS=wasip1 GOARCH=wasm go test -exec "$PWD/wazero run" -run '^$' -bench Signature ./verify
func BenchmarkSignature(b *testing.B) {
	for _, algorithm := range verify.Algorithms() {
		b.Run(algorithm, func(b *testing.B) {
			private := attacks.KeyFor(algorithm)
			key, err := verify.NewKey("", "", private.Public())
			if err != nil {
				b.Fatal(err)
			}
			signature, err := jwt.GetSigningMethod(algorithm).Sign(signedText, private)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := verify.GoEngine(algorithm, key, signedText, signature); !ok || err != nil {
					b.Fatal("a good signature is refused")
				}
			}
		})
	}
}
