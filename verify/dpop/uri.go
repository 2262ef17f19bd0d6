package dpop

import (
	"strings"

	"edgejwt/verify/ascii"
)

// targetURI is the request's target URI without its query (RFC 9110 §7.1), normalized. ok
// is false for a request that has none, such as OPTIONS *.
func targetURI(origin, path string) (uri string, ok bool) {
	if !strings.HasPrefix(path, "/") {
		return "", false
	}
	return normalizeURI(origin + path)
}

// normalizeURI gives the one spelling of an http or https URI, without query and
// fragment, that all equivalent spellings have by the syntax-based and scheme-based
// normalization of RFC 3986 §6.2.2 and §6.2.3, which RFC 9449 §4.3 asks for.
//
// ok is false for other texts, and for URIs whose authority parsers read differently: one
// with user information, an encoded host, or a byte that no host name and no IP address
// has. Bytes of the path that RFC 3986 does not allow but browsers send, such as "|", are
// encoded.
func normalizeURI(uri string) (normal string, ok bool) {
	for i := range len(uri) {
		if uri[i] <= ' ' || uri[i] >= 0x7f {
			return "", false
		}
	}
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return "", false
	}
	var defaultPort string
	switch scheme = ascii.Lower(scheme); scheme {
	case "https":
		defaultPort = "443"
	case "http":
		defaultPort = "80"
	default:
		return "", false
	}
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	host, port, ok := splitAuthority(ascii.Lower(authority))
	if !ok {
		return "", false
	}
	if port != "" && port != defaultPort {
		host += ":" + port
	}
	if path, ok = normalizeEscapes(path); !ok {
		return "", false
	}
	return scheme + "://" + host + removeDotSegments(path), true
}

// splitAuthority splits host and port (RFC 3986 §3.2). An IPv6 address keeps its brackets.
// It says whether bytes may stand there, not whether a host exists.
func splitAuthority(authority string) (host, port string, ok bool) {
	name, allowed := authority, isUnreserved
	if address, after, isAddress := strings.Cut(strings.TrimPrefix(authority, "["), "]"); strings.HasPrefix(authority, "[") {
		if !isAddress || strings.Count(address, ":") < 2 || after != "" && after[0] != ':' {
			return "", "", false
		}
		name, allowed = address, func(c byte) bool { return isHexDigit(c) || c == ':' || c == '.' }
		host, port = "["+address+"]", strings.TrimPrefix(after, ":")
	} else {
		name, port, _ = strings.Cut(authority, ":")
		host = name
	}
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return "", "", false
		}
	}
	for i := range len(name) {
		if !allowed(name[i]) {
			return "", "", false
		}
	}
	return host, port, name != ""
}

// normalizeEscapes decodes what need not be encoded in a path, and gives the rest upper
// case digits (RFC 3986 §6.2.2.1, §6.2.2.2). ok is false for a % without two digits.
func normalizeEscapes(path string) (normal string, ok bool) {
	const upperHex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch escaped, ok := ascii.Unescape(path[i:]); {
		case c == '%' && !ok:
			return "", false
		case c == '%' && isUnreserved(escaped):
			b.WriteByte(escaped)
			i += 2
		case c == '%':
			b.WriteByte('%')
			b.WriteByte(upperHex[escaped>>4])
			b.WriteByte(upperHex[escaped&15])
			i += 2
		case isUnreserved(c) || strings.IndexByte("/!$&'()*+,;=:@", c) >= 0: // pchar (RFC 3986 §3.3)
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	return b.String(), true
}

// removeDotSegments follows RFC 3986 §5.2.4 for a path that is empty or begins with a
// slash. An empty path becomes "/" (§6.2.3).
func removeDotSegments(path string) string {
	if path == "" {
		return "/"
	}
	var kept []string
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case ".":
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		default:
			kept = append(kept, segment)
			continue
		}
		if last {
			kept = append(kept, "") // a slash remains in place of a dot segment at the end
		}
	}
	return "/" + strings.Join(kept, "/")
}

// isUnreserved reports whether RFC 3986 §2.3 has the byte among the unreserved characters.
func isUnreserved(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '-' || c == '.' || c == '_' || c == '~'
}

func isHexDigit(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }
