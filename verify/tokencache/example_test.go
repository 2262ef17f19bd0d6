package tokencache_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"edgejwt/verify/tokencache"
)

func Example() {
	type verdict struct{ subject string }
	cache := tokencache.New[*verdict](10_000, 16<<20, rand.Uint64())
	header := "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"

	// The header lies in a buffer of the host's, so the token gets its own copy.
	token := strings.Clone(strings.TrimPrefix(header, "Bearer "))
	cache.Put(token, &verdict{"ann"}, 64)

	if v, ok := cache.Get(header[len("Bearer "):]); ok {
		fmt.Println("seen before:", v.subject)
	}
	// Output: seen before: ann
}
