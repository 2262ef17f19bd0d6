package config

import "crypto/sha256"

// recordKey gives Config.RecordKey: from secret or, without one, from the whole
// text, which other plugins of the proxy are not given either.
func (o *object) recordKey(document []byte) [sha256.Size]byte {
	if secret, ok := o.secret(); ok {
		return sha256.Sum256([]byte("edgejwt secret " + secret))
	}
	return sha256.Sum256(append([]byte("edgejwt configuration "), document...))
}

// secret reads the top level's field secret. Only what a generator of secrets may
// give is taken: no sentence, and no placeholder of a template.
func (o *object) secret() (string, bool) {
	secret, ok := o.text("secret")
	if !ok {
		return "", false
	}
	for _, c := range []byte(secret) {
		switch {
		case isAlphanumeric(c), c == '+', c == '/', c == '=', c == '-', c == '_':
		default:
			o.fault("secret", "", "may only have letters, digits and + / = - _ (make one by openssl rand -hex 32)")
			return "", false
		}
	}
	return secret, true
}
