package verify

import "strings"

// WithoutParam gives a path with its query, the value of :path, without the
// parameters of that name, however it is escaped; all else stays byte for byte
// as it was. The question mark goes with the last parameter.
func WithoutParam(path, name string) string {
	rest, fragment, hasFragment := strings.Cut(path, "#")
	rest, query, _ := strings.Cut(rest, "?")
	kept := without(query, '&', name, param)
	if kept == query {
		return path
	}
	if kept != "" {
		rest += "?" + kept
	}
	if hasFragment {
		rest += "#" + fragment
	}
	return rest
}

// addParams takes note of the tokens in the query of a path. The query is read
// as the URL standard reads application/x-www-form-urlencoded
// (https://url.spec.whatwg.org/#urlencoded-parsing).
func (f *Found) addParams(path, name string, at int) error {
	path, fragment, _ := strings.Cut(path, "#")
	_, query, _ := strings.Cut(path, "?")
	for more := true; more; {
		var pair string
		pair, query, more = strings.Cut(query, "&")
		if value, ok := param(pair, name); ok {
			if err := f.add(value, at); err != nil {
				return err
			}
		} else if hides(pair, name, splitsParams, true) {
			return refuse(TokenAmbiguous, "a parameter that only some servers take for the token's")
		}
	}
	if hides(fragment, name, splitsParams, true) {
		// A request has no fragment (RFC 9112 §3.2). Who sends one all the same finds
		// servers that leave it in the query.
		return refuse(TokenAmbiguous, "a parameter in the fragment")
	}
	return nil
}

// param gives the value of the pair; ok is false when it is another parameter.
func param(pair, name string) (value string, ok bool) {
	first, value, _ := strings.Cut(pair, "=")
	if !spells(first, name) {
		return "", false
	}
	if strings.IndexByte(value, '%') < 0 && strings.IndexByte(value, '+') < 0 {
		return value, true
	}
	decoded := make([]byte, 0, len(value))
	for value != "" {
		c, size := unescape(value)
		decoded, value = append(decoded, c), value[size:]
	}
	return string(decoded), true
}

// splitsParams reports whether some server starts a new parameter behind this
// byte. HTML 4.01 (appendix B.2.2) proposed the semicolon; Python did so until
// 3.9, Java's and Ruby's servers longer. The others are for the fragment.
func splitsParams(c byte) bool { return c == ';' || c == '&' || c == '#' }
