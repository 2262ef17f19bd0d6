package verify_test

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"edgejwt/verify"
)

var tokenParam = []verify.TokenLocation{{In: verify.InQuery, Name: "access_token"}}

// paramCases say what is found in the parameter "access_token", here spelled T.
// Python is what urllib.parse.parse_qsl of Python 3.11 finds: recorded, so that
// one sees where servers part.
var paramCases = []struct {
	name, path string
	token      string
	want       verify.Reason
	python     []string
}{
	{"alone", "/?T=t", "t", verify.Accepted, []string{"t"}},
	{"among others", "/a/b?a=1&T=t&b", "t", verify.Accepted, []string{"t"}},
	{"twice the same", "/?T=t&T=t", "t", verify.Accepted, []string{"t", "t"}},
	{"twice, different", "/?T=t&T=u", "", verify.TokenAmbiguous, []string{"t", "u"}},
	{"separators", "/?&&T=t&", "t", verify.Accepted, []string{"t"}},
	{"no query", "/T=t", "", verify.TokenMissing, nil},
	{"no path", "?T=t", "t", verify.Accepted, []string{"t"}},
	{"an empty query", "/?", "", verify.TokenMissing, nil},
	{"no sign", "/?T", "", verify.TokenMissing, []string{""}},
	{"empty", "/?T=", "", verify.TokenMissing, []string{""}},
	{"empty, and full", "/?T=&T=t", "t", verify.Accepted, []string{"", "t"}},
	{"another case", "/?Access_Token=t", "", verify.TokenMissing, nil},
	{"longer names", "/?xT=t&T2=t&T.=t&T_=t", "", verify.TokenMissing, nil},
	{"the name as a value", "/?a=T&b=T=t", "", verify.TokenMissing, nil},
	{"an escaped sign", "/?T%3Du=1&T=t", "t", verify.Accepted, []string{"t"}},

	// Escapes.
	{"escaped name", "/?%61ccess_token=t", "t", verify.Accepted, []string{"t"}},
	{"escaped name in lower case digits", "/?access%5ftoken=t", "t", verify.Accepted, []string{"t"}},
	{"escaped name, all of it", "/?%61%63%63%65%73%73%5F%74%6F%6B%65%6E=t", "t", verify.Accepted, []string{"t"}},
	{"escaped name beside the name", "/?%61ccess_token=u&T=t", "", verify.TokenAmbiguous, []string{"u", "t"}},
	{"escaped name beside the name, the same", "/?%61ccess_token=t&T=t", "t", verify.Accepted, []string{"t", "t"}},
	{"escaped twice", "/?%2561ccess_token=u&T=t", "t", verify.Accepted, []string{"t"}},
	{"a space behind the name", "/?T+=u&T=t", "t", verify.Accepted, []string{"t"}},
	{"a zero byte before the name", "/?%00T=u&T=t", "t", verify.Accepted, []string{"t"}},
	{"a broken escape beside", "/?%zz&a=%zz&T=t", "t", verify.Accepted, []string{"t"}},
	{"escaped value", "/?T=%74", "t", verify.Accepted, []string{"t"}},
	{"the same once escaped", "/?T=%74&T=t", "t", verify.Accepted, []string{"t", "t"}},

	// Values that no server reads as another token; Parse refuses these.
	{"a broken escape", "/?T=t%", "t%", verify.Accepted, []string{"t%"}},
	{"half an escape", "/?T=t%2", "t%2", verify.Accepted, []string{"t%2"}},
	{"no digits", "/?T=t%zz", "t%zz", verify.Accepted, []string{"t%zz"}},
	{"escaped twice in the value", "/?T=%2574", "%74", verify.Accepted, []string{"%74"}},
	{"plus", "/?T=t+", "t ", verify.Accepted, []string{"t "}},
	{"signs", "/?T==t=", "=t=", verify.Accepted, []string{"=t="}},
	{"an escaped separator", "/?T=t%26T=u", "t&access_token=u", verify.Accepted, []string{"t&access_token=u"}},
	{"a byte beyond ASCII", "/?T=%ff", "\xff", verify.Accepted, []string{"\ufffd"}},
	{"a semicolon behind", "/?T=t;a=1", "t;a=1", verify.Accepted, []string{"t;a=1"}},
	{"a comma", "/?T=t%2Cu", "", verify.TokenAmbiguous, []string{"t,u"}},

	// What only some servers take for the parameter.
	{"behind a semicolon", "/?a=1;T=t", "", verify.TokenAmbiguous, nil},
	{"behind a semicolon, beside the name", "/?a=1;T=u&T=t", "", verify.TokenAmbiguous, []string{"t"}},
	{"behind a semicolon, escaped", "/?a=1;%61ccess_token=u&T=t", "", verify.TokenAmbiguous, []string{"t"}},
	{"behind a semicolon that leads", "/?;T=u&T=t", "", verify.TokenAmbiguous, []string{"t"}},
	{"behind a semicolon, empty", "/?a;T&T=t", "t", verify.Accepted, []string{"t"}},

	{"a space before the name (PHP)", "/?+T=u&T=t", "", verify.TokenAmbiguous, nil},
	{"a dot for the underscore (PHP)", "/?access.token=u&T=t", "", verify.TokenAmbiguous, nil},
	{"a space for the underscore, alone (PHP)", "/?access%20token=u", "", verify.TokenAmbiguous, nil},
	{"a bracket for the underscore (PHP)", "/?access%5Btoken=u&T=t", "", verify.TokenAmbiguous, nil},
	{"a list of that name (PHP)", "/?T[]=u&T=t", "", verify.TokenAmbiguous, nil},
	{"up to a zero byte (PHP)", "/?T%00x=u&T=t", "", verify.TokenAmbiguous, nil},
	{"in another case (ASP.NET)", "/?ACCESS_token=u&T=t", "", verify.TokenAmbiguous, nil},

	// Question marks and number signs.
	{"behind a second question mark", "/?a?T=u&T=t", "t", verify.Accepted, []string{"t"}},
	{"before a fragment", "/?T=t#x", "t", verify.Accepted, []string{"t"}},
	{"in the fragment", "/#T=t", "", verify.TokenAmbiguous, nil},
	{"in a fragment's query", "/#?a&T=t", "", verify.TokenAmbiguous, nil},
	{"in the fragment, beside the name", "/?T=t#&T=u", "", verify.TokenAmbiguous, []string{"t"}},
	{"in a second fragment", "/?T=t##T=u", "", verify.TokenAmbiguous, []string{"t"}},
	{"in the fragment, escaped", "/?T=t#&%61ccess_token=u", "", verify.TokenAmbiguous, []string{"t"}},
	{"not in the fragment", "/?T=t#T", "t", verify.Accepted, []string{"t"}},
}

func longhand(path string) string { return strings.ReplaceAll(path, "T", "access_token") }

func TestExtractParams(t *testing.T) {
	for _, c := range paramCases {
		path := longhand(c.path)
		found, err := verify.Extract([][2]string{{":path", path}}, tokenParam)
		if got := verify.ReasonOf(err); got != c.want || found.Token != c.token {
			t.Errorf("%s: %q gives %q, %v; want %q, %v", c.name, path, found.Token, got, c.token, c.want)
		}
		if err == nil && !slices.Equal(found.Locations, []int{0}) {
			t.Errorf("%s: found at %v", c.name, found.Locations)
		}
		for _, value := range c.python {
			if err == nil && plainToken.MatchString(found.Token) && value != found.Token && value != "" {
				t.Errorf("%s: Python reads %q, not %q", c.name, value, found.Token)
			}
		}
		checkParams(t, path)
	}
}

func TestWithoutParam(t *testing.T) {
	for _, c := range []struct{ name, path, want string }{
		{"alone", "/a?T=t", "/a"},
		{"first", "/a?T=t&a=1&b=2", "/a?a=1&b=2"},
		{"in the middle", "/a?a=1&T=t&b=2", "/a?a=1&b=2"},
		{"last", "/a?a=1&T=t", "/a?a=1"},
		{"everywhere", "/?T=t&a=1&T=u&T&b=2&T=", "/?a=1&b=2"},
		{"all spellings", "/?%61ccess_token=t&access%5Ftoken=t&T=t&a", "/?a"},
		{"nothing but separators left", "/?&T=t&&", "/"},
		{"before a fragment", "/?T=t#T=t", "/#T=t"},
		{"others before a fragment", "/?a&T=t#", "/?a#"},
		{"none", "/?a=1&&b#?T=t", "/?a=1&&b#?T=t"},
		{"no query", "/T=t", "/T=t"},
		{"separators, and none", "/?&", "/?&"},
		{"a question mark alone", "/?", "/?"},
		{"nothing", "", ""},
		{"others byte for byte", "/%7e/?a=%7e+%zz;&T=t&b=\xff?&&c", "/%7e/?a=%7e+%zz;&b=\xff?&&c"},
		{"spaces stay", "/? a&T=t& b", "/? a& b"},
		{"other names", "/?access_toke=1&T2=2&Access_Token=3&+T=4", "/?access_toke=1&T2=2&Access_Token=3&+T=4"},
		{"values that name it", "/?a=T&b=T=t&T=t", "/?a=T&b=T=t"},
	} {
		path := longhand(c.path)
		if got := verify.WithoutParam(path, "access_token"); got != longhand(c.want) {
			t.Errorf("%s: WithoutParam(%q) = %q; want %q", c.name, path, got, longhand(c.want))
		}
		checkParams(t, path)
	}
}

var looseEscape = regexp.MustCompile(`\+|%[0-9A-Fa-f]{2}`)

// looselyUnescaped decodes the escapes that are any, and leaves the others.
func looselyUnescaped(text string) string {
	return looseEscape.ReplaceAllStringFunc(text, func(escape string) string {
		decoded, _ := url.QueryUnescape(escape)
		return decoded
	})
}

// looseParams gives all values that any server might read for the parameter.
func looseParams(path string) (values []string) {
	start := strings.IndexAny(path, "?#")
	for _, pair := range strings.FieldsFunc(path[start+1:], func(c rune) bool { return strings.ContainsRune("&;#", c) }) {
		if name, value, _ := strings.Cut(pair, "="); start >= 0 && looselyUnescaped(name) == "access_token" && value != "" {
			values = append(values, looselyUnescaped(value))
		}
	}
	return values
}

// checkParams demands that no server finds another token than Extract, or one
// where it finds none, and that the token can be taken out with nothing else
// changed.
func checkParams(t *testing.T, path string) {
	t.Helper()
	found, err := verify.Extract([][2]string{{":path", path}}, tokenParam)
	if verify.ReasonOf(err) != verify.TokenAmbiguous && (err != nil || plainToken.MatchString(found.Token)) {
		target, _, _ := strings.Cut(path, "#")
		_, query, _ := strings.Cut(target, "?")
		usual, _ := url.ParseQuery(query) // leaves out what it cannot read
		for _, value := range usual["access_token"] {
			if value != found.Token && value != "" {
				t.Errorf("%q: net/url finds %q, Extract %q", path, value, found.Token)
			}
		}
		for _, value := range looseParams(path) {
			if value != found.Token {
				t.Errorf("%q: some server finds %q, Extract %q", path, value, found.Token)
			}
		}
		if err == nil && usual.Get("access_token") == "" && !slices.Contains(usual["access_token"], found.Token) {
			t.Errorf("%q: net/url finds nothing, Extract %q", path, found.Token)
		}
	}

	after := verify.WithoutParam(path, "access_token")
	if again := verify.WithoutParam(after, "access_token"); again != after {
		t.Errorf("%q: removed once %q, twice %q", path, after, again)
	}
	_, errAfter := verify.Extract([][2]string{{":path", after}}, tokenParam)
	if errAfter == nil || err == nil && verify.ReasonOf(errAfter) != verify.TokenMissing {
		t.Errorf("%q: in %q is still a token: %v", path, after, errAfter)
	}
	if before, after := otherParams(path), otherParams(after); !slices.Equal(before, after) {
		t.Errorf("%q: all else was %q, and is %q", path, before, after)
	}
}

// otherParams gives the path, the pairs that are not the token's, in order, and
// the fragment.
func otherParams(path string) []string {
	path, fragment, _ := strings.Cut(path, "#")
	path, query, _ := strings.Cut(path, "?")
	parts := []string{path}
	for _, pair := range strings.Split(query, "&") {
		if name, _, _ := strings.Cut(pair, "="); pair != "" && looselyUnescaped(name) != "access_token" {
			parts = append(parts, pair)
		}
	}
	return append(parts, fragment)
}
