package dpop

import (
	"net/url"
	"strings"
	"testing"
)

// TestNormalizeURI has the examples of RFC 3986 §6.2.2 and §6.2.3, and those of §5.2.4.
// The attack table compares URIs with requests.
func TestNormalizeURI(t *testing.T) {
	for _, c := range []struct{ uri, want string }{
		{"HTTP://www.EXAMPLE.com/", "http://www.example.com/"},
		{"http://example.com", "http://example.com/"},
		{"http://example.com:/", "http://example.com/"},
		{"http://example.com:80/", "http://example.com/"},
		{"https://example.com:80/", "https://example.com:80/"},
		{"https://example.com:443", "https://example.com/"},
		{"https://example.com/%7Esmith/home.html", "https://example.com/~smith/home.html"},
		{"https://example.com/a%c2%b1b", "https://example.com/a%C2%B1b"},
		{"https://a/a/b/c/./../../g", "https://a/a/g"},
		{"https://a/mid/content=5/../6", "https://a/mid/6"},
		{"https://a/..", "https://a/"},
		{"https://a/.", "https://a/"},
		{"https://a/b/.", "https://a/b/"},
		{"https://a/b/..", "https://a/"},
		{"https://a/b/c/..", "https://a/b/"},
		{"https://a/b/../..", "https://a/"},
		{"https://a//b", "https://a//b"},
		{"https://a//..", "https://a/"},
		{"https://a/b//../c", "https://a/b/c"},
		{"https://a/...", "https://a/..."},
		{"https://a/b/..c", "https://a/b/..c"},
		{"https://[2001:DB8::1]:443/x", "https://[2001:db8::1]/x"},
		{"https://[::ffff:192.0.2.1]:8443", "https://[::ffff:192.0.2.1]:8443/"},
		{"https://192.0.2.1/", "https://192.0.2.1/"},
		{"https://a_b.example/", "https://a_b.example/"},
		{`https://a/"<>[]^` + "`{|}", "https://a/%22%3C%3E%5B%5D%5E%60%7B%7C%7D"},
		{`https://a/b\c`, "https://a/b%5Cc"},
		{"https://[::1", ""},
		{"https://[]/", ""},
		{"https://[0]/", ""},
		{"https://[a:1]/", ""},
		{"https://[::g]/", ""},
		{"https://[::1]x/", ""},
		{"https://[::1]80/", ""},
		{"https://::1/", ""},
		{"https://a:b:1/", ""},
		{"https://a:-1/", ""},
		{"https://:443/", ""},
		{"https://a\x00/", ""},
		{"https://a/\x7f", ""},
		{"https:a/", ""},
		{"ftp://a/", ""},
	} {
		got, ok := normalizeURI(c.uri)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v; want %q", c.uri, got, ok, c.want)
		}
	}
	for _, path := range []string{"", "*", "orders", "https://api.example.com/", "?x"} {
		if got, ok := targetURI("https://api.example.com", path); ok {
			t.Errorf("path %q: %q", path, got)
		}
	}
}

// FuzzNormalizeURI demands that normal forms stay as they are, that net/url reads the same
// host, and the same path but for its spelling, and that it removes dot segments alike.
func FuzzNormalizeURI(f *testing.F) {
	for _, uri := range []string{"https://api.example.com/orders/7", "HTTP://A:80/%7e/../b?c#d", "https://a//../b/./", "https://[::1]:1/", `https://a\b`, "https://a/%2e%2E/%2f", "http://a@b/", "https://a/|"} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		normal, ok := normalizeURI(uri)
		if !ok {
			if normal != "" {
				t.Fatalf("%q: %q and not ok", uri, normal)
			}
			return
		}
		if again, ok := normalizeURI(normal); !ok || again != normal {
			t.Fatalf("%q: %q, then %q, %v", uri, normal, again, ok)
		}
		got, err := url.Parse(normal)
		if err != nil && strings.Contains(normal, "://[") {
			return // net/url refuses brackets around what is no address
		}
		if err != nil {
			t.Fatalf("%q: %q: %v", uri, normal, err)
		}
		want, err := url.Parse(uri)
		if err != nil {
			return // net/url checks fragments too
		}
		port := want.Port()
		if want.Scheme == "https" && port == "443" || want.Scheme == "http" && port == "80" {
			port = ""
		}
		if got.Scheme != want.Scheme || !strings.EqualFold(got.Hostname(), want.Hostname()) || got.Port() != port || got.User != nil || got.RawQuery != "" || got.Fragment != "" {
			t.Fatalf("%q: %q", uri, normal)
		}
		if strings.ContainsAny(want.Path, "\"<>[]\\^`{|}") {
			return // net/url encodes all sub-delimiters of a path that has one such byte in the clear
		}
		escaped, ok := normalizeEscapes(want.EscapedPath())
		if !ok {
			t.Fatalf("%q: net/url encodes the path as %q", uri, want.EscapedPath())
		}
		if resolved := removeDotSegmentsByTheBook(escaped); resolved != got.EscapedPath() {
			t.Fatalf("%q: %q, by RFC 3986 %q", uri, got.EscapedPath(), resolved)
		}
	})
}

// removeDotSegmentsByTheBook is the algorithm of RFC 3986 §5.2.4 with its two buffers, step
// by step. url.URL.ResolveReference differs from it: it makes "/" of "/..//", not "//".
func removeDotSegmentsByTheBook(path string) string {
	in, out := path, ""
	for in != "" {
		switch {
		case strings.HasPrefix(in, "../"): // A
			in = in[3:]
		case strings.HasPrefix(in, "./"):
			in = in[2:]
		case strings.HasPrefix(in, "/./"): // B
			in = in[2:]
		case in == "/.":
			in = "/"
		case strings.HasPrefix(in, "/../"), in == "/..": // C
			if in = in[3:]; in == "" {
				in = "/"
			}
			out = out[:max(strings.LastIndexByte(out, '/'), 0)]
		case in == ".", in == "..": // D
			in = ""
		default: // E
			end := strings.IndexByte(in[1:], '/') + 1
			if end == 0 {
				end = len(in)
			}
			out, in = out+in[:end], in[end:]
		}
	}
	if out == "" {
		return "/" // §6.2.3
	}
	return out
}
