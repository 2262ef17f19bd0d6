package config

import "edgejwt/jwks"

// parseSet reads an inline key set. Keys that cannot be used do not spoil the
// others; each gives a line, which quotes no key material.
func parseSet(document []byte) (set *jwks.Set, skipped []string, err error) {
	set, unusable, err := jwks.Parse(document)
	for _, key := range unusable {
		skipped = append(skipped, key.String())
	}
	return set, skipped, err
}
