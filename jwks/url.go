package jwks

import (
	"errors"
	"strconv"
	"strings"

	"edgejwt/verify/ascii"
)

// The reasons for which SplitURL refuses an address. Each is a clause that completes
// a sentence, and none quotes the address, which may hold a secret.
var (
	errNotHTTPS    = errors.New("is not an https URL")
	errURLByte     = errors.New("has a byte that no URL may have")
	errURLFragment = errors.New("has a fragment (#)")
	errURLEscape   = errors.New("has a % that is not followed by two hex digits")
	errURLUser     = errors.New("has user information (@)")
	errURLHost     = errors.New("has no valid host")
	errURLPort     = errors.New("has a port that is not a number from 1 to 65535")
)

// SplitURL splits an absolute https URL (RFC 3986 §3, RFC 9110 §4.2.2) into what
// an HTTP request needs: the authority in lower case, host or host:port, and
// path with query, at least "/".
//
// It refuses what the address of a key set never needs or what parsers read
// differently. net/url accepts most of it: another scheme, user information, a
// fragment, white space, control and non-ASCII bytes, backslashes, a port that is
// not 1 to 65535, a host that is neither a name nor an IP address. The error is a
// clause such as "is not an https URL"; it never quotes the URL.
func SplitURL(url string) (authority, path string, err error) {
	rest, ok := strings.CutPrefix(url, "https://")
	if !ok {
		return "", "", errNotHTTPS
	}
	for i := range len(rest) {
		switch c := rest[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>^`{|}", c) >= 0:
			return "", "", errURLByte
		case c == '#':
			return "", "", errURLFragment
		case c == '%':
			if _, ok := ascii.Unescape(rest[i:]); !ok {
				return "", "", errURLEscape
			}
		}
	}
	authority, path = rest, "/"
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, path = rest[:i], rest[i:]
		if path[0] == '?' {
			path = "/" + path
		}
	}
	if strings.Contains(authority, "@") {
		return "", "", errURLUser
	}
	authority = strings.ToLower(authority)
	host, port := SplitAuthority(authority)
	if !IsHost(host) {
		return "", "", errURLHost
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
		return "", "", errURLPort
	}
	return authority, path, nil
}

// SplitAuthority splits host or host:port (RFC 3986 §3.2). Without a port it returns
// "443". It checks neither part.
func SplitAuthority(authority string) (host, port string) {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.HasSuffix(authority, "]") {
		return authority, "443"
	}
	return authority[:i], authority[i+1:]
}

// IsHost reports whether host is a name of letters, digits, hyphens and underscores
// (RFC 1123 §2.1; underscores occur in names inside of clusters), an IPv4 address, or an
// IPv6 address in brackets. It checks only the syntax.
func IsHost(host string) bool {
	const hex, letters = "0123456789abcdefABCDEF", "0123456789-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && strings.Count(inner, ":") >= 2 && strings.Trim(inner, hex+":.") == ""
	}
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.Trim(label, letters) != "" {
			return false
		}
	}
	return true
}

// hostOf returns the host of an https URL for a comparison with another: in lower case,
// with the port unless that is 443. The scheme may be in capitals. ok is false when the
// URL is not valid.
func hostOf(url string) (host string, ok bool) {
	const scheme, longest = "https://", 2048
	if len(url) > longest || len(url) < len(scheme) || !ascii.EqualFold(url[:len(scheme)], scheme) {
		return "", false
	}
	authority, _, err := SplitURL(scheme + url[len(scheme):])
	return strings.TrimSuffix(authority, ":443"), err == nil
}

// normalURL returns the URL for a request: with scheme and host in lower case, and
// without the port 443. hostOf must have accepted the URL.
func normalURL(url string) string {
	const scheme = "https://"
	authority, path, _ := SplitURL(scheme + url[len(scheme):])
	return scheme + strings.TrimSuffix(authority, ":443") + path
}
