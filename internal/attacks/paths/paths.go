// Package paths lists paths that servers read in different ways, for the tests of
// whatever decides by a path: those of package route, and those that send them
// through a real Envoy.
package paths

import (
	"strings"

	"edgejwt/verify"
)

// Trick is a path and its canonical form.
type Trick struct {
	Name string
	// Path is a value of :path, with its query; any bytes.
	Path string
	// Canonical is what route.Canonical makes of it, or Refused.
	Canonical string
}

// Refused stands for the canonical form of a path that has none.
const Refused = ""

// All are the tricks, each under a name of its own. Not to be changed.
var All = []Trick{
	{"plain", "/admin", "/admin"},
	{"root", "/", "/"},
	{"query", "/admin?x=/public", "/admin"},
	{"query of question marks", "/admin??x?", "/admin"},
	{"empty query", "/admin?", "/admin"},
	{"tricks in the query", "/admin?a=%2f..%2f;#%zz", "/admin"},
	{"trailing slash", "/admin/", "/admin"},
	{"trailing slashes", "/admin//", "/admin"},
	{"other case", "/ADMIN", "/ADMIN"},
	{"sub-delimiters", "/a!$&'()*+,=:@b", "/a!$&'()*+,=:@b"},
	{"verb", "/orders/7:cancel", "/orders/7:cancel"},
	{"matrix of dots", "/v1.2/a..b/...", "/v1.2/a..b/..."},
	{"encoded space within", "/a%20b", "/a%20b"},

	{"encoded letter", "/%61dmin", "/admin"},
	{"all encoded", "/%61%64%6d%69%6E", "/admin"},
	{"encoded tilde", "/%7euser", "/~user"},
	{"encoded at sign", "/users/%40me", "/users/@me"},
	{"encoded colon and plus", "/a%3Ab%2Bc", "/a:b+c"},
	{"lower case escape", "/caf%c3%a9", "/caf%C3%A9"},
	{"raw bracket", "/a[1]|{}^`\"<>", "/a%5B1%5D%7C%7B%7D%5E%60%22%3C%3E"},
	{"encoded bracket", "/a%5b1%5d", "/a%5B1%5D"},
	{"four bytes of UTF-8", "/%F0%9F%98%80", "/%F0%9F%98%80"},

	{"dot segment", "/./admin", "/admin"},
	{"dot segment at the end", "/admin/.", "/admin"},
	{"up and down", "/public/../admin", "/admin"},
	{"up at the end", "/admin/x/..", "/admin"},
	{"up to the root", "/public/..", "/"},
	{"encoded dots", "/public/%2e%2e/admin", "/admin"},
	{"half encoded dots", "/public/.%2E/admin", "/admin"},
	{"encoded dot", "/%2e/admin", "/admin"},
	{"above the root", "/../admin", Refused},
	{"encoded above the root", "/%2e%2e/admin", Refused},
	{"up over an empty segment", "/admin//../x", Refused},
	{"up twice over an empty segment", "/a/b//../../admin", Refused},

	{"slash in front", "//admin", "/admin"},
	{"slashes in front", "///admin", "/admin"},
	{"slashes within", "/public//x", "/public/x"},
	{"a host in front", "//public/admin", "/public/admin"},

	{"parameter", "/admin;x=1", Refused},
	{"empty parameter", "/admin;", Refused},
	{"parameter in the middle", "/public;a/admin", Refused},
	{"dots with a parameter", "/public/..;/admin", Refused},
	{"encoded semicolon", "/admin%3Bx", Refused},
	{"backslash", `/public\..\admin`, Refused},
	{"backslash in front", `\admin`, Refused},
	{"encoded backslash", "/public/..%5cadmin", Refused},
	{"encoded slash", "/public%2f..%2fadmin", Refused},
	{"encoded slash, upper case", "/orders%2F7", Refused},
	{"twice encoded slash", "/public%252f..%252fadmin", Refused},
	{"twice encoded letter", "/%2561dmin", Refused},
	{"encoded percent sign", "/100%25", Refused},
	{"encoded question mark", "/admin%3Fx", Refused},
	{"encoded number sign", "/admin%23x", Refused},
	{"fragment", "/admin#x", Refused},
	{"fragment with a path", "/public#/../admin", Refused},
	{"fragment with a query", "/public#?/admin", Refused},

	{"encoded NUL", "/admin%00", Refused},
	{"encoded NUL and suffix", "/admin%00.png", Refused},
	{"raw NUL", "/admin\x00", Refused},
	{"encoded line break", "/admin%0d%0aX-A:%20b", Refused},
	{"encoded tab", "/admin%09", Refused},
	{"raw tab", "/admin\t", Refused},
	{"encoded DEL", "/admin%7f", Refused},
	{"raw space", "/admin x", Refused},
	{"trailing encoded space", "/admin%20", Refused},
	{"leading encoded space", "/%20admin", Refused},
	{"segment of a space", "/public/%20/x", Refused},

	{"raw UTF-8", "/café", Refused},
	{"raw Latin-1", "/caf\xe9", Refused},
	{"encoded Latin-1", "/caf%E9", Refused},
	{"cut UTF-8", "/caf%C3", Refused},
	{"UTF-8 cut by a letter", "/caf%C3a%A9", Refused},
	{"overlong slash", "/public%c0%afadmin", Refused},
	{"overlong dot", "/public/%c0%ae%c0%ae/admin", Refused},
	{"overlong in three bytes", "/%e0%80%afadmin", Refused},
	{"surrogate", "/%ed%a0%80", Refused},
	{"beyond Unicode", "/%f4%90%80%80", Refused},
	{"fullwidth slash", "/public%EF%BC%8Fadmin", Refused},
	{"fullwidth letter", "/%EF%BD%81dmin", Refused},
	{"two dot leader", "/public/%E2%80%A5/admin", Refused},
	{"division slash", "/public%E2%88%95admin", Refused},
	{"Greek question mark", "/admin%CD%BEx", Refused},
	{"yen sign", "/public%C2%A5admin", Refused},
	{"no-break space", "/admin%C2%A0", Refused},
	{"zero width space", "/ad%E2%80%8Bmin", Refused},
	{"byte order mark", "/%EF%BB%BFadmin", Refused},
	{"next line", "/admin%C2%85", Refused},
	{"line separator", "/admin%E2%80%A8", Refused},
	{"replacement character", "/%EF%BF%BD", Refused},

	{"bare percent sign", "/100%", Refused},
	{"cut escape", "/admin%6", Refused},
	{"no hex", "/%zzadmin", Refused},
	{"half hex", "/%6zadmin", Refused},
	{"Microsoft's escape", "/%u0061dmin", Refused},
	{"sign in the escape", "/%+1admin", Refused},

	{"absolute form", "http://api.example.com/admin", Refused},
	{"authority form", "api.example.com:443", Refused},
	{"no slash in front", "admin", Refused},
	{"asterisk", "*", Refused},
	{"empty", "", Refused},
	{"only a query", "?/admin", Refused},
	{"at the limit", "/" + strings.Repeat("a", verify.MaxPathBytes-1), "/" + strings.Repeat("a", verify.MaxPathBytes-1)},
	{"at the limit with a query", "/" + strings.Repeat("a", verify.MaxPathBytes-1) + "?aaa", "/" + strings.Repeat("a", verify.MaxPathBytes-1)},
	{"odd and long", "/" + strings.Repeat("/", verify.MaxOddPathBytes), Refused},
	{"odd at its limit", "/" + strings.Repeat("/", verify.MaxOddPathBytes-1), "/"},
	{"encoded and long", "/" + strings.Repeat("a", verify.MaxOddPathBytes) + "%61", Refused},
	{"needful escapes and long", "/" + strings.Repeat("a", verify.MaxOddPathBytes) + "%20b", "/" + strings.Repeat("a", verify.MaxOddPathBytes) + "%20b"},
	{"over the limit", "/" + strings.Repeat("a", verify.MaxPathBytes), Refused},
}
