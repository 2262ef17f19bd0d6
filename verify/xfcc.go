package verify

import (
	"strings"

	"edgejwt/verify/ascii"
)

// MaxForwardedCertificateBytes bounds the header x-forwarded-client-cert. One element may
// hold a certificate chain.
const MaxForwardedCertificateBytes = 32 << 10

// ForwardedCertificate returns the client certificate's digest from the header
// x-forwarded-client-cert (XFCC), which a proxy in front adds when it ends TLS. Each such
// proxy appends one element. trusted is the number of proxies in front whose elements are
// trusted, at least 1: the digest is the "Hash" of the trusted-th element from the end.
// Elements before that one may be the client's own. They count for nothing but the form
// of the header.
//
// The form is strict: a quoted value begins directly after the equals sign and ends
// directly before a semicolon, a comma or the header's end. Otherwise a client could open
// a quoted value in its own element, and the next proxy's element would end up in it.
//
// ok is false when the header has another form or more than MaxForwardedCertificateBytes,
// when it has fewer elements than trusted, and when that element has no Hash, two of
// them, or one that is not a digest.
func ForwardedCertificate(header string, trusted int) (digest Thumbprint, ok bool) {
	if len(header) > MaxForwardedCertificateBytes || trusted < 1 {
		return Thumbprint{}, false
	}
	// hashes has one entry for each element: its Hash, "" without one.
	hashes := []string{""}
	for rest := header; ; {
		name, value, after, ok := cutPair(rest)
		if !ok {
			return Thumbprint{}, false
		}
		if last := &hashes[len(hashes)-1]; ascii.EqualFold(name, "hash") {
			if *last != "" || value == "" {
				return Thumbprint{}, false
			}
			*last = value
		}
		if after == "" {
			break
		}
		if after[0] == ',' {
			hashes = append(hashes, "")
		}
		rest = after[1:]
	}
	if len(hashes) < trusted {
		return Thumbprint{}, false
	}
	return ParseCertificateDigest(hashes[len(hashes)-trusted])
}

// cutPair reads a name, an equals sign and a value. after begins with the separator
// behind them, or is empty. A quoted value is returned with its quotes.
func cutPair(text string) (name, value, after string, ok bool) {
	equals := strings.IndexAny(text, `=;,"`)
	if equals < 0 || text[equals] != '=' {
		return "", "", "", false
	}
	name, value = strings.Trim(text[:equals], ascii.Space), text[equals+1:]
	end := 0
	if strings.HasPrefix(value, `"`) {
		for end = 1; end < len(value) && value[end] != '"'; end++ {
			if value[end] == '\\' {
				end++
			}
		}
		end++ // behind the quote
		if end > len(value) || end < len(value) && value[end] != ';' && value[end] != ',' {
			return "", "", "", false
		}
		return name, value[:end], value[end:], true
	}
	if end = strings.IndexAny(value, `;,"`); end < 0 {
		end = len(value)
	} else if value[end] == '"' {
		return "", "", "", false
	}
	return name, value[:end], value[end:], true
}
