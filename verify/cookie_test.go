package verify_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"edgejwt/verify"
)

var sessionCookie = []verify.TokenLocation{{In: verify.InCookie, Name: "session"}}

// cookieCases say what is found in the cookie "session". Starlette and Simple are
// what Starlette 1.0's parser, which is Django's, and Python 3.11's http.cookies
// make of the same header: recorded, so that one sees where servers part.
var cookieCases = []struct {
	name, header      string
	token             string
	want              verify.Reason
	starlette, simple string
}{
	{"alone", "session=t", "t", verify.Accepted, "t", "t"},
	{"among others", "a=1; session=t; b=2", "t", verify.Accepted, "t", "t"},
	{"no space between", "a=1;session=t;b=2", "t", verify.Accepted, "t", "t"},
	{"twice the same", "session=t; session=t", "t", verify.Accepted, "t", "t"},
	{"twice, different", "session=t; session=u", "", verify.TokenAmbiguous, "u", "u"},
	{"white space", "\tsession\t= t ", "t", verify.Accepted, "t", "t"},
	{"semicolons", " ; ;session=t;", "t", verify.Accepted, "t", ""},
	{"no header value", "", "", verify.TokenMissing, "", ""},
	{"no sign", "session", "", verify.TokenMissing, "", ""},
	{"empty", "session=", "", verify.TokenMissing, "", ""},
	{"empty, and full", "session=; session=t", "t", verify.Accepted, "t", "t"},
	{"another case", "Session=t", "", verify.TokenMissing, "", ""},
	{"longer names", "xsession=t; session2=t; session.=t; -session=t", "", verify.TokenMissing, "", ""},
	{"the name as a value", "a=session; b=session=t", "", verify.TokenMissing, "", ""},
	{"a URL as a value", "a=/?session=u&session=v; session=t", "t", verify.Accepted, "t", "t"},
	{"JSON as a value", `a={"session":"u"}; session=t`, "t", verify.Accepted, "t", ""},
	{"another cookie without a name", "=session=u; session=t", "t", verify.Accepted, "t", "an error"},

	// Values that no server reads as another token; Parse refuses these.
	{"a sign in the value", "session=t=u", "t=u", verify.Accepted, "t=u", "t=u"},
	{"two signs", "session==t", "=t", verify.Accepted, "=t", "=t"},
	{"a space in the value", "session=t u", "t u", verify.Accepted, "t u", ""},
	{"an escape in the value", "session=t%2Eu", "t%2Eu", verify.Accepted, "t%2Eu", "t%2Eu"}, // t.u to Node, PHP
	{"another cookie in the value", "session=t session=u", "t session=u", verify.Accepted, "t session=u", "u"},

	// Quotes.
	{"quoted", `session="t"`, "t", verify.Accepted, "t", "t"},
	{"quoted, and not", `session=t; session="t"`, "t", verify.Accepted, "t", "t"},
	{"quoted twice", `session="t"; session="t"`, "t", verify.Accepted, "t", "t"},
	{"quoted, and not, different", `session=t; session="u"`, "", verify.TokenAmbiguous, "u", "u"},
	{"quoted, a space before", `session= "t"`, "t", verify.Accepted, "t", "t"}, // nothing to Go
	{"quotes within quotes", `session=""t""`, `""t""`, verify.Accepted, `"t"`, ""},
	{"a space in quotes", `session=" t"`, `" t"`, verify.Accepted, " t", " t"},
	{"a comma in quotes", `session="t,u"`, "", verify.TokenAmbiguous, "t,u", "t,u"},
	{"beyond ASCII in quotes", "session=\"t\u00e9\"", "\"t\u00e9\"", verify.Accepted, "t\u00c3\u00a9", ""},
	{"quotes around empty, and full", `session=""; session="t"`, "t", verify.Accepted, "t", "t"},
	{"empty quotes", `session=""`, "", verify.TokenMissing, "", ""},
	{"one quote", `session="`, `"`, verify.Accepted, `"`, ""},
	{"within a quoted value", `a="; session=t; b="`, "t", verify.Accepted, "t", ""},
	{"quotes that end in it", `a="; session=t"; session=t`, "", verify.TokenAmbiguous, "t", "t"},
	{"escaped quotes", `session="\164"`, `"\164"`, verify.Accepted, "t", "t"},

	// What only some servers take for the cookie.
	{"escaped name", "%73ession=t", "", verify.TokenAmbiguous, "", ""},
	{"escaped name beside the name", "%73ession=u; session=t", "", verify.TokenAmbiguous, "t", "t"},
	{"escaped twice", "%2573ession=u; session=t", "t", verify.Accepted, "t", "t"},
	{"behind a comma", "a=1,session=u; session=t", "", verify.TokenAmbiguous, "t", "t"},
	{"behind a comma, a proxy's joint", "a=1, session=t", "", verify.TokenAmbiguous, "", "t"},
	{"before a comma", "session=t, a=1", "", verify.TokenAmbiguous, "t, a=1", "t,"},
	{"behind a space", "a=1 session=u; session=t", "", verify.TokenAmbiguous, "t", "t"},
	{"behind a tab", "a=1\tsession=u; session=t", "", verify.TokenAmbiguous, "t", "t"},
	{"behind a space, with white space", "a=1 session =u; session=t", "", verify.TokenAmbiguous, "t", "t"},
	{"behind a quote", `a="x session=u"; session=t`, "", verify.TokenAmbiguous, "t", "t"},
	{"a quoted name", `"session"=u; session=t`, "", verify.TokenAmbiguous, "t", ""},
	{"behind a no-break space", "\xa0session=u; session=t", "", verify.TokenAmbiguous, "t", ""}, // u when it comes last
	{"before a no-break space", "session\xa0=u; session=t", "", verify.TokenAmbiguous, "t", ""},
	{"behind a no-break space in UTF-8", "\u00a0session=u; session=t", "", verify.TokenAmbiguous, "t", ""},
	{"behind a next line", "\x85session=u; session=t", "", verify.TokenAmbiguous, "t", ""},
	{"behind a form feed", "\fsession=u; session=t", "", verify.TokenAmbiguous, "t", "t"},
}

func TestExtractCookies(t *testing.T) {
	for _, c := range cookieCases {
		headers := [][2]string{{"x-session", "session=x"}, {"cookie", c.header}}
		found, err := verify.Extract(headers, sessionCookie)
		if got := verify.ReasonOf(err); got != c.want || found.Token != c.token {
			t.Errorf("%s: %q gives %q, %v; want %q, %v", c.name, c.header, found.Token, got, c.token, c.want)
		}
		if err == nil && !slices.Equal(found.Locations, []int{0}) {
			t.Errorf("%s: found at %v", c.name, found.Locations)
		}
		if err == nil && plainToken.MatchString(found.Token) && c.starlette != found.Token {
			t.Errorf("%s: Starlette reads %q, not %q", c.name, c.starlette, found.Token)
		}
		checkCookies(t, c.header)
	}
}

func TestExtractCookieHeaders(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers [][2]string
		token   string
		want    verify.Reason
	}{
		{"in the second", [][2]string{{"cookie", "a=1"}, {"cookie", "session=t"}}, "t", verify.Accepted},
		{"in both", [][2]string{{"cookie", "session=t"}, {"cookie", "session=t"}}, "t", verify.Accepted},
		{"in both, different", [][2]string{{"cookie", "session=t"}, {"cookie", "session=u"}}, "", verify.TokenAmbiguous},
		{"no such header", [][2]string{{"cookies", "session=t"}, {"set-cookie", "session=t"}, {"session", "t"}}, "", verify.TokenMissing},
		{"in the query", [][2]string{{":path", "/?session=t"}}, "", verify.TokenMissing},
	} {
		found, err := verify.Extract(c.headers, sessionCookie)
		if got := verify.ReasonOf(err); got != c.want || found.Token != c.token {
			t.Errorf("%s: %q, %v", c.name, found.Token, got)
		}
	}
}

func TestWithoutCookie(t *testing.T) {
	for _, c := range []struct{ name, header, want string }{
		{"alone", "session=t", ""},
		{"first", "session=t; a=1; b=2", "a=1; b=2"},
		{"in the middle", "a=1; session=t; b=2", "a=1; b=2"},
		{"last", "a=1; session=t", "a=1"},
		{"everywhere", "session=t; a=1;session=u;session; b=2 ;session =", "a=1;session; b=2 "},
		{"no spaces", "a=1;session=t;b=2", "a=1;b=2"},
		{"odd spaces", "  a = 1 ;  session = t  ;\tb=2  ", "  a = 1 ;\tb=2  "},
		{"nothing but separators left", " ;session=t; ;", ""},
		{"none", " a=1 ;; b=2; ", " a=1 ;; b=2; "},
		{"separators, and none", "; ;", "; ;"},
		{"nothing", "", ""},
		{"another case and longer names", "Session=t; xsession=t; session2=t", "Session=t; xsession=t; session2=t"},
		{"values that name it", "a=session; b=session=t; session=t; c==", "a=session; b=session=t; c=="},
		{"quotes and bytes", "a=\"x;y\"; session=t; b=\xff\t,", "a=\"x;y\"; b=\xff\t,"},
		{"escapes", "a=%20; session=t; b=%zz", "a=%20; b=%zz"},
	} {
		if got := verify.WithoutCookie(c.header, "session"); got != c.want {
			t.Errorf("%s: WithoutCookie(%q) = %q; want %q", c.name, c.header, got, c.want)
		}
		checkCookies(t, c.header)
	}
}

// plainToken are tokens as they are issued: letters that no server reads in
// another way.
var plainToken = regexp.MustCompile(`^[A-Za-z0-9_.~-]+$`)

var (
	looseSigns  = regexp.MustCompile(`\s*=\s*`)
	looseSplits = regexp.MustCompile(`[;,"\x00-\x20]|[^\x00-\x7e]`)
)

// looseCookies gives all values that any server might read for the cookie.
func looseCookies(header string) (values []string) {
	header = looseSigns.ReplaceAllString(header, "=")
	for _, pair := range looseSplits.Split(header, -1) {
		if name, value, _ := strings.Cut(pair, "="); looselyUnescaped(name) == "session" && value != "" {
			values = append(values, value)
		}
	}
	return values
}

// checkCookies demands that no server finds another token than Extract, or one
// where it finds none, and that the token can be taken out with nothing else
// changed.
func checkCookies(t *testing.T, header string) {
	t.Helper()
	found, err := verify.Extract([][2]string{{"cookie", header}}, sessionCookie)
	usual := (&http.Request{Header: http.Header{"Cookie": {header}}}).CookiesNamed("session")
	if verify.ReasonOf(err) != verify.TokenAmbiguous && (err != nil || plainToken.MatchString(found.Token)) {
		for _, c := range usual {
			// It keeps white space in front of the value, which is no part of any token.
			if value := strings.TrimSpace(c.Value); value != found.Token && value != "" {
				t.Errorf("%q: net/http finds %q, Extract %q", header, c.Value, found.Token)
			}
		}
		for _, value := range looseCookies(header) {
			if value != found.Token {
				t.Errorf("%q: some server finds %q, Extract %q", header, value, found.Token)
			}
		}
		// It leaves cookies out that have a tab, or white space before a quote; others trim
		// them.
		if err == nil && len(usual) == 0 && !strings.ContainsAny(header, "\t\r\n") && !strings.Contains(header, ` "`) {
			t.Errorf("%q: net/http finds nothing, Extract %q", header, found.Token)
		}
	}

	after := verify.WithoutCookie(header, "session")
	if again := verify.WithoutCookie(after, "session"); again != after {
		t.Errorf("%q: removed once %q, twice %q", header, after, again)
	}
	_, errAfter := verify.Extract([][2]string{{"cookie", after}}, sessionCookie)
	if errAfter == nil || err == nil && verify.ReasonOf(errAfter) != verify.TokenMissing {
		t.Errorf("%q: in %q is still a token: %v", header, after, errAfter)
	}
	if before, after := otherCookies(header), otherCookies(after); !slices.Equal(before, after) {
		t.Errorf("%q: other cookies were %q, and are %q", header, before, after)
	}
}

// otherCookies gives the pairs that are not the token's, in order.
func otherCookies(header string) (pairs []string) {
	for _, pair := range strings.Split(header, ";") {
		name, _, found := strings.Cut(pair, "=")
		if pair = strings.Trim(pair, " \t\r\n"); pair != "" && (!found || strings.Trim(name, " \t\r\n") != "session") {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}
