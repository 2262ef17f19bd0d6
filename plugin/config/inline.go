package config

import (
	"slices"

	"edgejwt/jwks"
)

// parseSet reads an inline key set as a module with the features would. Keys that cannot be used do not spoil the
// others; each gives a line, which quotes no key material.
func parseSet(document []byte, features *Features) (set *jwks.Set, skipped []string, err error) {
	set, unusable, err := jwks.ParseFor(document, func(alg string) bool { return slices.Contains(features.Algorithms, alg) })
	for _, key := range unusable {
		skipped = append(skipped, key.String())
	}
	return set, skipped, err
}
