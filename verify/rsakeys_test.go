package verify_test

import (
	"crypto/rsa"
	"math/big"
	"math/rand/v2"
	"sync"

	"edgejwt/verify"
)

// manyPrimes is an RSA key of any size and exponent whose modulus has a prime
// factor for each 256 bits or so (RFC 8017 §3.1): as good as another to those who
// verify, and quick to make and to sign with.
type manyPrimes struct {
	n      *big.Int
	e      int
	primes []*big.Int
	crt    [][2]*big.Int // for each prime, d modulo p-1 and the factor of the Chinese remainder theorem
}

func newManyPrimes(random *rand.Rand, size, e int) *manyPrimes {
	one, exponent := big.NewInt(1), big.NewInt(int64(e))
	k := &manyPrimes{n: big.NewInt(1), e: e}
	count := (size + 255) / 256
	for left := count; left > 0; left-- {
		// The part that is left, shared out evenly; the last prime makes up the size.
		bits := (size - k.n.BitLen()) / left
		least, limit := new(big.Int).Lsh(one, uint(bits-1)), new(big.Int).Lsh(one, uint(bits))
		if left == 1 {
			least.Div(least.Lsh(one, uint(size-1)), k.n).Add(least, one)
			limit.Div(limit.Lsh(one, uint(size)), k.n)
		}
		p := prime(random, least, limit, exponent)
		k.primes = append(k.primes, p)
		k.n.Mul(k.n, p)
	}
	for _, p := range k.primes {
		order := new(big.Int).Sub(p, one)
		rest := new(big.Int).Div(k.n, p)
		inverse := new(big.Int).ModInverse(rest, p)
		k.crt = append(k.crt, [2]*big.Int{new(big.Int).ModInverse(exponent, order), inverse.Mul(inverse, rest)})
	}
	return k
}

// prime is a prime from least on and below limit that leaves an inverse to the
// exponent.
func prime(random *rand.Rand, least, limit, exponent *big.Int) *big.Int {
	one := big.NewInt(1)
	for {
		p := below(random, new(big.Int).Sub(limit, least))
		p.SetBit(p.Add(p, least), 0, 1)
		order := new(big.Int).Sub(p, one)
		if p.Cmp(limit) < 0 && new(big.Int).GCD(nil, nil, order, exponent).Cmp(one) == 0 && p.ProbablyPrime(0) {
			return p
		}
	}
}

// below is a random number from 0 to limit-1.
func below(random *rand.Rand, limit *big.Int) *big.Int {
	b := make([]byte, len(limit.Bytes())+8)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	n := new(big.Int).SetBytes(b)
	return n.Mod(n, limit)
}

func (k *manyPrimes) size() int { return (k.n.BitLen() + 7) / 8 }

// sign is message^d mod n, without any padding (RFC 8017 §5.2.1).
func (k *manyPrimes) sign(message []byte) []byte {
	sum, m := new(big.Int), new(big.Int).SetBytes(message)
	for i, p := range k.primes {
		part := new(big.Int).Exp(m, k.crt[i][0], p)
		sum.Add(sum, part.Mul(part, k.crt[i][1]))
	}
	return sum.Mod(sum, k.n).FillBytes(make([]byte, k.size()))
}

func (k *manyPrimes) key() *verify.Key {
	key, err := verify.NewKey("", "", &rsa.PublicKey{N: k.n, E: k.e})
	if err != nil {
		panic(err)
	}
	return key
}

// rsaKeys are of every size and exponent that could matter: the bounds, even and
// odd lengths, limbs that are full and limbs with one bit, the least and the
// greatest exponent, one that is all ones in binary.
var rsaKeys = sync.OnceValue(func() []*manyPrimes {
	random := rand.New(rand.NewPCG(2, 3))
	var keys []*manyPrimes
	for _, size := range []int{2048, 2049, 2050, 2055, 2056, 2111, 2112, 2113, 3071, 3072, 4095, 4096, 4097, 8191, 8192} {
		keys = append(keys, newManyPrimes(random, size, 65537))
	}
	for _, size := range []int{2048, 2049, 3072, 8192} {
		keys = append(keys, newManyPrimes(random, size, 3), newManyPrimes(random, size, 1<<31-1))
	}
	return append(keys, newManyPrimes(random, 2048, 17), newManyPrimes(random, 4096, 1<<30+3))
})
