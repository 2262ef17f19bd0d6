package config

import (
	"strings"

	"edgejwt/verify/ascii"
)

// SplitURL splits an absolute https URL (RFC 3986 §3, RFC 9110 §4.2.2) into what
// an HTTP request needs: the authority in lower case, host or host:port, and
// path with query, at least "/".
//
// It refuses what a key set's address never needs and what parsers read
// differently: another scheme, user information, a fragment, white space,
// control and non-ASCII bytes, backslashes, a port that is not 1 to 65535, a
// host that is neither a name nor an IP address. The error is a clause such as
// "is not an https URL"; it never quotes the URL, which may hold a secret.
func SplitURL(url string) (authority, path string, err error) {
	rest, ok := strings.CutPrefix(url, "https://")
	if !ok {
		return "", "", errNotHTTPS
	}
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>^`{|}", c) >= 0:
			return "", "", errURLByte
		case c == '#':
			return "", "", errURLFragment
		case c == '%' && (i+2 >= len(rest) || !isHex(rest[i+1]) || !isHex(rest[i+2])):
			return "", "", errURLEscape
		}
	}
	authority, path = rest, "/"
	if i := indexEither(rest, '/', '?'); i < len(rest) {
		authority, path = rest[:i], rest[i:]
		if path[0] == '?' {
			path = "/" + path
		}
	}
	if strings.IndexByte(authority, '@') >= 0 {
		return "", "", errURLUser
	}
	authority = ascii.Lower(authority)
	host, port := splitAuthority(authority)
	if !isHost(host) {
		return "", "", errURLHost
	}
	if port != "443" && !isPort(port) {
		return "", "", errURLPort
	}
	return authority, path, nil
}

// urlError is why SplitURL refuses an address.
type urlError string

func (e urlError) Error() string { return string(e) }

const (
	errNotHTTPS    urlError = "is not an https URL"
	errURLByte     urlError = "has a byte that no URL may have"
	errURLFragment urlError = "has a fragment (#)"
	errURLEscape   urlError = "has a % that is not followed by two hex digits"
	errURLUser     urlError = "has user information (@)"
	errURLHost     urlError = "has no valid host"
	errURLPort     urlError = "has a port that is not a number from 1 to 65535"
)

// splitAuthority gives host and port; 443 when none is written.
func splitAuthority(authority string) (host, port string) {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.HasSuffix(authority, "]") {
		return authority, "443"
	}
	return authority[:i], authority[i+1:]
}

func isPort(s string) bool {
	n := 0
	for _, c := range []byte(s) {
		if !isDigit(c) || n > 65535 {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n >= 1 && n <= 65535 && s[0] != '0'
}

// isHost accepts names of letters, digits, hyphens and underscores (RFC 1123
// §2.1, and what runs inside of clusters), IPv4 addresses, and IPv6 addresses in
// brackets. It says whether bytes may stand there, not whether a host exists.
func isHost(host string) bool {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		colons := 0
		for _, c := range []byte(inner) {
			if c == ':' {
				colons++
			} else if !isHex(c) && c != '.' {
				return false
			}
		}
		return ok && colons >= 2
	}
	if len(host) > 253 {
		return false
	}
	for more := true; more; {
		var label string
		label, host, more = ascii.Cut(host, '.')
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !isAlphanumeric(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

// istioCluster is the name that Istio gives to the cluster of an external host.
func istioCluster(authority string) string {
	host, port := splitAuthority(authority)
	if host[0] == '[' { // SplitURL has seen to the other bracket
		host = host[1 : len(host)-1]
	}
	return "outbound|" + port + "||" + host
}

// indexEither is where a or b stands first; the length when neither does.
func indexEither(s string, a, b byte) int {
	i := 0
	for i < len(s) && s[i] != a && s[i] != b {
		i++
	}
	return i
}

// schemeEnd is where what follows "://" begins; 0 when it does not stand in s.
func schemeEnd(s string) int {
	for i := 0; i+3 <= len(s); i++ {
		if s[i:i+3] == "://" {
			return i + 3
		}
	}
	return 0
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
