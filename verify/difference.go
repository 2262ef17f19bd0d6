package verify

import (
	"strings"

	"edgejwt/verify/ascii"
)

// Difference says by what two issuers or audiences differ that people take for the same:
// a clause such as "only by the slash at the end" (also "by the scheme" and "by upper
// and lower case", and any of them together). It is empty if they are equal, or differ
// by more. It quotes nothing. Its time is linear in the shorter text.
//
// It is for messages. Issuers and audiences are compared byte for byte (RFC 7519 §2,
// StringOrURI).
func Difference(a, b string) string {
	if a == b {
		return ""
	}
	var by []string
	aScheme, a := cutScheme(a)
	bScheme, b := cutScheme(b)
	folded := aScheme != bScheme && ascii.EqualFold(aScheme, bScheme)
	if aScheme != bScheme && !folded {
		by = append(by, "by the scheme")
	}
	aBare, bBare := strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/")
	if (a == aBare) != (b == bBare) {
		by = append(by, "by the slash at the end")
	}
	if aBare != bBare {
		if !ascii.EqualFold(aBare, bBare) {
			return ""
		}
		folded = true
	}
	if folded {
		by = append(by, "by upper and lower case")
	}
	return "only " + strings.Join(by, " and ")
}

// cutScheme parts http or https, in any case, from what follows "://".
func cutScheme(s string) (scheme, rest string) {
	for _, scheme := range [...]string{"https", "http"} {
		if n := len(scheme); len(s) >= n+3 && s[n:n+3] == "://" && ascii.EqualFold(s[:n], scheme) {
			return s[:n], s[n+3:]
		}
	}
	return "", s
}
