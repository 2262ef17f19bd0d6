package route_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
)

// server is how one kind of server comes from :path to the path that it looks
// its handlers up by. ok is false when it refuses the request itself.
type server struct {
	name string
	sees func(target string) (path string, ok bool)
	// raw servers compare paths with their escapes, as the patterns are written.
	raw bool
}

// servers are models of what is documented or was read in the sources; ServeMux
// is the real one. e2e asks a real Starlette.
var servers = []server{
	{name: "Starlette", sees: starlette},
	{name: "ServeMux", sees: serveMux},
	{name: "nginx", sees: nginx},
	{name: "Tomcat", sees: tomcat},
	{name: "IIS", sees: iis},
	{name: "Express", sees: express, raw: true},
	{name: "urlsplit", sees: urlsplit},
	{name: "decodes twice", sees: decodesTwice},
	{name: "resolves only", sees: resolvesOnly},
	{name: "merges only", sees: mergesOnly},
}

func cut(target string) string {
	target, _, _ = strings.Cut(target, "?")
	target, _, _ = strings.Cut(target, "#")
	return target
}

// starlette: uvicorn cuts and unquotes once, the router matches what comes out.
func starlette(target string) (string, bool) {
	seen := cut(target)
	for i := range len(seen) {
		if seen[i] >= 0x80 {
			return "", false // decode("ascii")
		}
	}
	return lenient(seen), strings.HasPrefix(seen, "/")
}

// lenient is Python's unquote: what is no escape stays.
func lenient(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+3 <= len(s) {
			if d, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(d)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return strings.ToValidUTF8(b.String(), "\uFFFD")
}

// serveMux follows the redirects of Go's router, as a client does.
func serveMux(target string) (seen string, ok bool) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { seen, ok = r.URL.Path, true })
	for range 5 {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") {
			return "", false
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, &http.Request{Method: "GET", Host: "h", URL: u, RequestURI: target})
		if ok || w.Code < 300 || w.Code > 399 {
			break
		}
		target = w.Header().Get("Location")
	}
	return seen, ok
}

// nginx decodes, merges slashes and resolves dot segments; it refuses NUL and
// what leads above the root.
func nginx(target string) (string, bool) {
	seen, err := url.PathUnescape(cut(target))
	if err != nil || !strings.HasPrefix(seen, "/") || strings.ContainsRune(seen, 0) {
		return "", false
	}
	return clean(seen)
}

func clean(seen string) (string, bool) {
	depth := 0
	for _, segment := range strings.Split(seen, "/") {
		switch segment {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return "", false
		}
	}
	cleaned := path.Clean(seen)
	if strings.HasSuffix(seen, "/") && cleaned != "/" {
		cleaned += "/"
	}
	return cleaned, true
}

// tomcat cuts the parameters out of each segment, then decodes, then resolves.
func tomcat(target string) (string, bool) {
	segments := strings.Split(cut(target), "/")
	for i := range segments {
		segments[i], _, _ = strings.Cut(segments[i], ";")
	}
	seen := strings.Join(segments, "/")
	lower := strings.ToLower(seen)
	if strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") || strings.Contains(lower, `\`) {
		return "", false
	}
	return nginx(seen)
}

// iis decodes, perhaps twice, takes backslashes for slashes, maps characters to
// similar ones, and ignores case and what trails a segment.
func iis(target string) (string, bool) {
	seen, ok := decodesTwice(target)
	if !ok {
		return "", false
	}
	seen = strings.Map(func(c rune) rune {
		if 0xFF01 <= c && c <= 0xFF5E {
			return c - 0xFEE0
		}
		return c
	}, seen)
	seen = strings.ReplaceAll(seen, `\`, "/")
	return clean(seen)
}

func decodesTwice(target string) (string, bool) {
	return lenient(lenient(cut(target))), strings.HasPrefix(target, "/")
}

// express matches the path as it was sent.
func express(target string) (string, bool) { return cut(target), strings.HasPrefix(target, "/") }

// urlsplit takes what follows two slashes for a host, as in a URL.
func urlsplit(target string) (string, bool) {
	seen := cut(target)
	if strings.HasPrefix(seen, "//") {
		_, seen, _ = strings.Cut(seen[2:], "/")
		seen = "/" + seen
	}
	return lenient(seen), strings.HasPrefix(target, "/")
}

// resolvesOnly is RFC 3986 §5.2.4 and nothing else.
func resolvesOnly(target string) (string, bool) {
	seen := lenient(cut(target))
	if !strings.HasPrefix(seen, "/") {
		return "", false
	}
	var out []string
	segments := strings.Split(seen[1:], "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case ".", "..":
			if segment == ".." && len(out) > 0 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, segment)
		}
	}
	return "/" + strings.Join(out, "/"), true
}

func mergesOnly(target string) (string, bool) {
	seen := lenient(cut(target))
	for strings.Contains(seen, "//") {
		seen = strings.ReplaceAll(seen, "//", "/")
	}
	return seen, strings.HasPrefix(target, "/")
}
