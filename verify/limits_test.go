package verify_test

import (
	"slices"
	"strings"
	"testing"

	"edgejwt/verify"
)

// TestListBounds is about queries and cookies on both sides of what is searched.
func TestListBounds(t *testing.T) {
	params := []verify.TokenLocation{verify.Authorization, {In: verify.InQuery, Name: "a"}, {In: verify.InQuery, Name: "b"}}
	cookies := []verify.TokenLocation{verify.Authorization, {In: verify.InCookie, Name: "a"}, {In: verify.InCookie, Name: "b"}}
	lists := []verify.TokenLocation{verify.Authorization, {Name: "x", List: true}}
	long := strings.Repeat("t", verify.DefaultTokenBytes)
	// pad fills a list up to n bytes with what has no sign.
	pad := func(list string, n int) string { return list + strings.Repeat("x", n-len(list)) }
	pairs := func(n int, separator string) string { return strings.Repeat("x=1"+separator, n) }
	signs := func(n int) string { return strings.Repeat("x=", n) }
	bearer := [2]string{"authorization", "Bearer t"}
	type headers = [][2]string
	for _, c := range []struct {
		name      string
		locations []verify.TokenLocation
		headers   headers
		token     string
		want      verify.Reason
	}{
		{"the longest query", params, headers{{":path", "/?" + pad("a=t&", verify.MaxListBytes)}}, "t", verify.Accepted},
		{"a byte more", params, headers{{":path", "/?" + pad("a=t&", verify.MaxListBytes+1)}}, "", verify.TokenAmbiguous},
		{"a byte more, and no token", params, headers{{":path", "/?" + pad("", verify.MaxListBytes+1)}}, "", verify.TokenAmbiguous},
		{"a byte more, beside a header", params, headers{bearer, {":path", "/?" + pad("", verify.MaxListBytes+1)}}, "", verify.TokenAmbiguous},
		{"a byte more, but no token may stand there", params[:1], headers{bearer, {":path", "/?" + pad("", verify.MaxListBytes+1)}}, "t", verify.Accepted},
		{"a long path is no query", params, headers{{":path", pad("/", verify.MaxListBytes+1) + "?a=t"}}, "t", verify.Accepted},
		{"query and fragment together", params, headers{{":path", "/?a=t&" + pad("", verify.MaxListBytes-8) + "#" + pad("", 4)}}, "t", verify.Accepted},
		{"query and fragment, a byte more", params, headers{{":path", "/?a=t&" + pad("", verify.MaxListBytes-8) + "#" + pad("", 5)}}, "", verify.TokenAmbiguous},
		{"the longest token, all of it escaped once more", params, headers{{":path", "/?b=" + long + "&" + pad("", verify.MaxListBytes-len(long)-3)}}, long, verify.Accepted},
		{"the most parameters", params, headers{{":path", "/?" + pairs(verify.MaxListSigns-1, "&") + "b=t"}}, "t", verify.Accepted},
		{"a parameter more", params, headers{{":path", "/?" + pairs(verify.MaxListSigns, "&") + "b=t"}}, "", verify.TokenAmbiguous},
		{"a sign more, in a value", params, headers{{":path", "/?b=t&" + signs(verify.MaxListSigns)}}, "", verify.TokenAmbiguous},
		{"a sign more, in the fragment", params, headers{{":path", "/?" + pairs(verify.MaxListSigns, "&") + "#x=1"}}, "", verify.TokenAmbiguous},
		{"signs that follow each other", params, headers{{":path", "/?b=t&x" + strings.Repeat("=", 2*verify.MaxListSigns)}}, "t", verify.Accepted},
		{"parameters without a sign", params, headers{{":path", "/?b=t&" + strings.Repeat("x&", 2*verify.MaxListSigns)}}, "t", verify.Accepted},

		{"the longest cookies", cookies, headers{{"cookie", pad("a=t;", verify.MaxListBytes)}}, "t", verify.Accepted},
		{"cookies, a byte more", cookies, headers{{"cookie", pad("a=t;", verify.MaxListBytes+1)}}, "", verify.TokenAmbiguous},
		{"cookies, a byte more in another line", cookies, headers{{"cookie", pad("a=t;", verify.MaxListBytes)}, {"cookie", "x"}}, "", verify.TokenAmbiguous},
		{"cookies, a byte more, beside a header", cookies, headers{bearer, {"cookie", pad("", verify.MaxListBytes+1)}}, "", verify.TokenAmbiguous},
		{"cookies, a byte more, but no token may stand there", cookies[:1], headers{bearer, {"cookie", pad("", verify.MaxListBytes+1)}}, "t", verify.Accepted},
		{"the longest token in a cookie", cookies, headers{{"cookie", "x=1; b=" + long}}, long, verify.Accepted},
		{"the most cookies", cookies, headers{{"cookie", pairs(verify.MaxListSigns-1, "; ") + "b=t"}}, "t", verify.Accepted},
		{"a cookie more", cookies, headers{{"cookie", pairs(verify.MaxListSigns, "; ") + "b=t"}}, "", verify.TokenAmbiguous},
		{"a cookie more, in another line", cookies, headers{{"cookie", pairs(verify.MaxListSigns, "; ")}, {"cookie", "b=t"}}, "", verify.TokenAmbiguous},
		{"the longest list", lists, headers{{"x", pad("x,a.b,", verify.MaxListBytes)}}, "a.b", verify.Accepted},
		{"a list, a byte more", lists, headers{{"x", pad("x,a.b,", verify.MaxListBytes+1)}}, "", verify.TokenAmbiguous},
		{"a list, a byte more in another line", lists, headers{{"x", pad("x,a.b,", verify.MaxListBytes)}, {"x", "x"}}, "", verify.TokenAmbiguous},
		{"a list, a byte more, beside a header", lists, headers{bearer, {"x", pad("", verify.MaxListBytes+1)}}, "", verify.TokenAmbiguous},
		{"a header that is no list", []verify.TokenLocation{{Name: "x"}}, headers{{"x", pad("", verify.MaxListBytes+1)}}, pad("", verify.MaxListBytes+1), verify.Accepted},
		{"the most elements", lists, headers{{"x", strings.Repeat("x,", verify.MaxListSigns) + "a.b"}}, "a.b", verify.Accepted},
		{"an element more", lists, headers{{"x", strings.Repeat("x,", verify.MaxListSigns+1) + "a.b"}}, "", verify.TokenAmbiguous},
		{"an element more, in another line", lists, headers{{"x", strings.Repeat(",", verify.MaxListSigns)}, {"x", ",a.b"}}, "", verify.TokenAmbiguous},
		{"as many of each kind", slices.Concat(params, cookies), headers{{":path", "/?" + pairs(verify.MaxListSigns-1, "&") + "b=t"},
			{"cookie", pairs(verify.MaxListSigns-1, ";") + "b=t"}}, "t", verify.Accepted},
	} {
		found, err := verify.Extract(c.headers, c.locations)
		if got := verify.ReasonOf(err); got != c.want || found.Token != c.token {
			t.Errorf("%s: %.20q, %v; want %.20q, %v", c.name, found.Token, got, c.token, c.want)
		}
	}
}
