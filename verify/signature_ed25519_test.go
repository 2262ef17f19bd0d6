package verify_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"edgejwt/verify"
)

// TestEdDSALikeStandardLibrary compares with crypto/ed25519.
func TestEdDSALikeStandardLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 11))
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	compared, accepted, keys := 0, 0, 0
	for i := range 120 {
		seed := make([]byte, ed25519.SeedSize)
		for j := range seed {
			seed[j] = byte(random.Uint32())
		}
		private := ed25519.NewKeyFromSeed(seed)
		public := private.Public().(ed25519.PublicKey)
		if i%4 == 3 {
			public = seed // bytes that are a point half of the time
		}
		curve, err := verify.NewCurvePublicKey("Ed25519", public, nil)
		if err != nil {
			if i%4 != 3 {
				t.Fatal(err)
			}
			continue
		}
		keys++
		try := func(signature []byte) bool {
			want := len(signature) == ed25519.SignatureSize && ed25519.Verify(public, []byte(signedText), signature)
			got, err := verify.GoEngine("EdDSA", verify.Key{Curve: curve}, signedText, signature)
			if err != nil || got != want {
				t.Fatalf("key %x, signature %x: %v, %v; crypto/ed25519 says %v", public, signature, got, err, want)
			}
			compared++
			if got {
				accepted++
			}
			return got
		}
		good := ed25519.Sign(private, []byte(signedText))
		if !try(good) && i%4 != 3 {
			t.Fatal("a good signature is refused")
		}
		for range 8 {
			flipped := bytes.Clone(good)
			bit := random.IntN(512)
			flipped[bit/8] ^= 1 << (bit % 8)
			try(flipped)
		}
		reversed := bytes.Clone(good[32:])
		slices.Reverse(reversed)
		s := new(big.Int).SetBytes(reversed)
		for _, value := range []*big.Int{new(big.Int).Add(s, order), new(big.Int).Sub(order, s), order, new(big.Int), big.NewInt(1)} {
			b := value.FillBytes(make([]byte, 32))
			slices.Reverse(b)
			try(append(bytes.Clone(good[:32]), b...))
			try(append(append([]byte{1}, make([]byte, 31)...), b...))
		}
		try(good[:63])
		try(append(bytes.Clone(good), 0))
	}
	t.Logf("%d signatures compared with %d keys, %d of them valid", compared, keys, accepted)
}

// FuzzCurves compares with the standard library: any bytes as a signature.
func FuzzCurves(f *testing.F) {
	var keys []verify.Key
	var publics []*ecdsa.PublicKey
	for i := range curves {
		private := curves[i].private(f, big.NewInt(987654321))
		publics = append(publics, &private.PublicKey)
		keys = append(keys, curves[i].key(f, &private.PublicKey))
		r, s, err := ecdsa.Sign(nil, private, digest(curves[i].hash, []byte(signedText)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), curves[i].join(r, s))
		f.Add(byte(i), curves[i].join(s, r))
		f.Add(byte(i), curves[i].join(new(big.Int), s))
		f.Add(byte(i), curves[i].join(r, curves[i].Params().N))
	}
	private := ed25519.NewKeyFromSeed(make([]byte, 32))
	public := private.Public().(ed25519.PublicKey)
	curve, err := verify.NewCurvePublicKey("Ed25519", public, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(byte(3), ed25519.Sign(private, []byte(signedText)))
	f.Add(byte(3), make([]byte, 64))
	f.Fuzz(func(t *testing.T, which byte, signature []byte) {
		if which %= 4; which < 3 {
			curves[which].agree(t, keys[which], publics[which], signature)
			return
		}
		want := len(signature) == 64 && ed25519.Verify(public, []byte(signedText), signature)
		got, err := verify.GoEngine("EdDSA", verify.Key{Curve: curve}, signedText, signature)
		if err != nil || got != want {
			t.Fatalf("%x: %v, %v; crypto/ed25519 says %v", signature, got, err, want)
		}
	})
}
