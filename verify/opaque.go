package verify

// IsOpaque reports whether a token cannot be a JWS in compact form, so that only
// its issuer, or the API, can tell what it is worth: a b64token (RFC 6750 §2.1)
// without a dot, which refers to something that the issuer holds, or the five
// parts of a JWE (RFC 7516 §7.1). Everything else is for Parse to judge; so is a
// token over MaxTokenBytes.
func IsOpaque(token string) bool {
	if token == "" || len(token) > MaxTokenBytes || token[0] == '.' || token[0] == '=' {
		return false
	}
	dots := 0
	other := false  // a character that base64url has not
	padded := false // an equals sign, behind which nothing else may come
	for i := range len(token) {
		switch c := token[i]; {
		case c == '=':
			padded, other = true, true
		case padded:
			return false
		case c == '.':
			dots++
		case c == '~' || c == '+' || c == '/':
			other = true
		case !isAlphanumeric(c) && c != '-' && c != '_':
			return false
		}
	}
	return dots == 0 || dots == 4 && !other
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
