package jwks

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"edgejwt/verify/ascii"
)

// The reasons for which SplitURL and SplitHTTP refuse an address. Each is a clause that completes
// a sentence, and none quotes the address, which may hold a secret.
var (
	errNotHTTPS    = errors.New("is not an https URL")
	errNotHTTP     = errors.New("is neither an https nor an http URL")
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
	if !strings.HasPrefix(url, "https://") {
		return "", "", errNotHTTPS
	}
	_, authority, path, err = SplitHTTP(url)
	return authority, path, err
}

// SplitHTTP is SplitURL for URLs whose scheme is https or http.
func SplitHTTP(url string) (scheme, authority, path string, err error) {
	refuse := func(err error) (string, string, string, error) { return "", "", "", err }
	scheme, rest, _ := strings.Cut(url, "://")
	if scheme != "https" && scheme != "http" || len(rest) == len(url) {
		return refuse(errNotHTTP)
	}
	for i := range len(rest) {
		switch c := rest[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>^`{|}", c) >= 0:
			return refuse(errURLByte)
		case c == '#':
			return refuse(errURLFragment)
		case c == '%':
			if _, ok := ascii.Unescape(rest[i:]); !ok {
				return refuse(errURLEscape)
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
		return refuse(errURLUser)
	}
	authority = strings.ToLower(authority)
	host, port := SplitAuthority(authority)
	if !IsHost(host) {
		return refuse(errURLHost)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
		return refuse(errURLPort)
	}
	return scheme, authority, path, nil
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

// parsedURL is a URL whose scheme and host are in lower case, and whose authority has
// no port where that is the scheme's default.
type parsedURL struct{ scheme, authority, path string }

// parseURL reads an http or https URL. Its scheme may be in capitals.
func parseURL(url string) (u parsedURL, ok bool) {
	const longest = 2048
	scheme, rest, _ := strings.Cut(url, "://")
	if len(url) > longest {
		return u, false
	}
	var err error
	u.scheme, u.authority, u.path, err = SplitHTTP(ascii.Lower(scheme) + "://" + rest)
	u.authority = strings.TrimSuffix(u.authority, map[string]string{"https": ":443", "http": ":80"}[u.scheme])
	return u, err == nil
}

func (u parsedURL) String() string { return u.scheme + "://" + u.authority + u.path }

// ShortURL is a URL for messages. It lacks user information, query and fragment, which
// may hold a secret. Of a long one, scheme, host and end remain. The result may still
// have bytes that need quoting.
func ShortURL(url string) string {
	const longest, end = 100, 40
	short := url
	if i := strings.IndexAny(short, "?#"); i >= 0 {
		short = short[:i+1] + "…"
	}
	scheme, rest, isURL := strings.Cut(short, "://")
	if !isURL {
		scheme, rest = "", short
	} else {
		scheme += "://"
	}
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	// An @ without a colon before it, as in "me@example.com", follows no password.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 && (isURL || strings.IndexByte(rest[:at], ':') >= 0) {
		authority, path = "…"+rest[at:], ""
		if i := strings.IndexByte(authority, '/'); i >= 0 {
			authority, path = authority[:i], authority[i:]
		}
	}
	if isURL && len(scheme)+len(authority)+len(path) > longest && len(authority) < longest && len(path) > end {
		cut := len(path) - end
		for cut < len(path) && !utf8.RuneStart(path[cut]) {
			cut++
		}
		path = "/…" + path[cut:]
	}
	return scheme + authority + path
}
