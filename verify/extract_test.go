package verify_test

import (
	"slices"
	"strings"
	"testing"

	"edgejwt/verify"
)

// TestExtractElsewhere is about other locations than authorization, which the
// attack table has.
func TestExtractElsewhere(t *testing.T) {
	plain := verify.TokenLocation{Name: "x-token"}
	prefixed := verify.TokenLocation{Name: "x-token", Prefix: "jwt="}
	schemed := verify.TokenLocation{Name: "x-auth", Prefix: "Token "}
	auth := verify.Authorization
	type headers = [][2]string
	for _, c := range []struct {
		name      string
		locations []verify.TokenLocation
		headers   headers
		token     string
		at        []int
		want      verify.Reason
	}{
		{"no prefix", []verify.TokenLocation{plain}, headers{{"x-token", "t"}}, "t", []int{0}, verify.Accepted},
		{"no prefix, empty", []verify.TokenLocation{plain}, headers{{"x-token", ""}}, "", nil, verify.TokenMissing},
		{"prefix", []verify.TokenLocation{prefixed}, headers{{"x-token", "JWT=t"}}, "t", []int{0}, verify.Accepted},
		{"prefix missing", []verify.TokenLocation{prefixed}, headers{{"x-token", "t"}}, "", nil, verify.TokenMissing},
		{"prefix alone", []verify.TokenLocation{prefixed}, headers{{"x-token", "jwt="}}, "", nil, verify.TokenMissing},
		{"a prefix that is no scheme keeps spaces", []verify.TokenLocation{prefixed}, headers{{"x-token", "jwt= t"}}, " t", []int{0}, verify.Accepted},
		{"scheme with spaces", []verify.TokenLocation{schemed}, headers{{"x-auth", "token   t"}}, "t", []int{0}, verify.Accepted},
		{"another header", []verify.TokenLocation{plain}, headers{{"x-token-2", "t"}, {"xxtoken", "t"}, {"x_token", ""}}, "", nil, verify.TokenMissing},
		{"a header that CGI takes for it", []verify.TokenLocation{plain}, headers{{"x_token", "t"}}, "", nil, verify.TokenAmbiguous},
		{"a header that CGI takes for it, beside it", []verify.TokenLocation{plain}, headers{{"x-token", "t"}, {"x.token", "u"}}, "", nil, verify.TokenAmbiguous},
		{"one header twice, one without the prefix", []verify.TokenLocation{prefixed}, headers{{"x-token", "JWT=t"}, {"x-token", "u"}}, "", nil, verify.TokenAmbiguous},
		{"one header twice, the same", []verify.TokenLocation{prefixed}, headers{{"x-token", "JWT=t"}, {"x-token", "JWT=t"}}, "t", []int{0}, verify.Accepted},
		{"a tab for the space", []verify.TokenLocation{auth}, headers{{"authorization", "Bearer\tt"}}, "", nil, verify.TokenAmbiguous},
		{"a no-break space of Latin-1 for the space", []verify.TokenLocation{schemed}, headers{{"x-auth", "token\xa0t"}}, "", nil, verify.TokenAmbiguous},
		{"another scheme that begins alike", []verify.TokenLocation{auth}, headers{{"authorization", "BearerX\tt"}}, "", nil, verify.TokenMissing},
		{"no locations", nil, headers{{"authorization", "Bearer t"}}, "", nil, verify.TokenMissing},
		{"authorization is not looked at unless it is a location", []verify.TokenLocation{plain},
			headers{{"authorization", "Bearer x"}, {"authorization", "Bearer y"}, {"x-token", "t"}}, "t", []int{0}, verify.Accepted},
		{"two places, one has it", []verify.TokenLocation{auth, plain}, headers{{"x-token", "t"}}, "t", []int{1}, verify.Accepted},
		{"two places, one has another scheme", []verify.TokenLocation{auth, plain}, headers{{"authorization", "Basic x"}, {"x-token", "t"}}, "t", []int{1}, verify.Accepted},
		{"two places, the same token", []verify.TokenLocation{auth, plain}, headers{{"x-token", "t"}, {"authorization", "Bearer t"}}, "t", []int{0, 1}, verify.Accepted},
		{"two places, two tokens", []verify.TokenLocation{auth, plain}, headers{{"x-token", "t"}, {"authorization", "Bearer u"}}, "", nil, verify.TokenAmbiguous},
		{"one header twice, two tokens", []verify.TokenLocation{plain}, headers{{"x-token", "t"}, {"x-token", "u"}}, "", nil, verify.TokenAmbiguous},
		{"one header joined", []verify.TokenLocation{plain}, headers{{"x-token", "t,u"}}, "", nil, verify.TokenAmbiguous},
		{"one header joined with nothing", []verify.TokenLocation{plain}, headers{{"x-token", "t,"}}, "", nil, verify.TokenAmbiguous},
		{"two prefixes in one header", []verify.TokenLocation{prefixed, plain}, headers{{"x-token", "jwt=t"}}, "", nil, verify.TokenAmbiguous},
	} {
		found, err := verify.Extract(c.headers, c.locations)
		if got := verify.ReasonOf(err); got != c.want || found.Token != c.token || !slices.Equal(found.Locations, c.at) {
			t.Errorf("%s: %q at %v, %v; want %q at %v, %v", c.name, found.Token, found.Locations, got, c.token, c.at, c.want)
		}
	}
}

// TestExtractFromList is about headers that are lists, such as those by which browsers'
// WebSockets bring a token.
func TestExtractFromList(t *testing.T) {
	const name = "sec-websocket-protocol"
	plain := verify.TokenLocation{Name: name, List: true}
	prefixed := verify.TokenLocation{Name: name, Prefix: "bearer.", List: true}
	schemed := verify.TokenLocation{Name: name, Prefix: "Bearer ", List: true}
	type headers = [][2]string
	one := func(value string) headers { return headers{{name, value}} }
	for _, c := range []struct {
		name      string
		locations []verify.TokenLocation
		headers   headers
		token     string
		want      verify.Reason
		rest      string // the header without the token
	}{
		{"behind a protocol", []verify.TokenLocation{plain}, one("graphql-ws, a.b.c"), "a.b.c", verify.Accepted, "graphql-ws"},
		{"before a protocol", []verify.TokenLocation{plain}, one("a.b.c,graphql-ws"), "a.b.c", verify.Accepted, "graphql-ws"},
		{"between protocols", []verify.TokenLocation{plain}, one("soap , a.b.c\t, ,wamp"), "a.b.c", verify.Accepted, "soap, wamp"},
		{"alone", []verify.TokenLocation{plain}, one("a.b.c"), "a.b.c", verify.Accepted, ""},
		{"twice the same", []verify.TokenLocation{plain}, one("a.b.c, graphql-ws, a.b.c"), "a.b.c", verify.Accepted, "graphql-ws"},
		{"two that may be one", []verify.TokenLocation{plain}, one("wamp.2.json, a.b.c"), "", verify.TokenAmbiguous, ""},
		{"two that may be one, of two parts", []verify.TokenLocation{plain}, one("x.y, a.b.c"), "", verify.TokenAmbiguous, ""},
		{"protocols alone", []verify.TokenLocation{plain}, one("graphql-ws, soap"), "", verify.TokenMissing, ""},
		{"one protocol alone", []verify.TokenLocation{plain}, one("graphql-ws"), "", verify.TokenMissing, ""},
		{"nothing", []verify.TokenLocation{plain}, one(""), "", verify.TokenMissing, ""},
		{"commas", []verify.TokenLocation{plain}, one(",, ,"), "", verify.TokenMissing, ""},

		{"the prefix", []verify.TokenLocation{prefixed}, one("graphql-ws, bearer.a.b.c"), "a.b.c", verify.Accepted, "graphql-ws"},
		{"the prefix in another case", []verify.TokenLocation{prefixed}, one("graphql-ws, Bearer.a.b.c"), "a.b.c", verify.Accepted, "graphql-ws"},
		{"the prefix, and dots in a protocol", []verify.TokenLocation{prefixed}, one("wamp.2.json, bearer.a.b.c, v4.channel.k8s.io"), "a.b.c", verify.Accepted, "wamp.2.json, v4.channel.k8s.io"},
		{"the prefix twice", []verify.TokenLocation{prefixed}, one("bearer.a.b.c, bearer.x.y.z"), "", verify.TokenAmbiguous, ""},
		{"the prefix twice, the same", []verify.TokenLocation{prefixed}, one("bearer.a.b.c, soap, BEARER.a.b.c"), "a.b.c", verify.Accepted, "soap"},
		{"the prefix alone", []verify.TokenLocation{prefixed}, one("soap, bearer."), "", verify.TokenMissing, ""},
		{"the prefix alone, and with a token", []verify.TokenLocation{prefixed}, one("bearer., bearer.a.b.c"), "a.b.c", verify.Accepted, "bearer."},
		{"no prefix", []verify.TokenLocation{prefixed}, one("graphql-ws, a.b.c"), "", verify.TokenMissing, ""},
		{"a token that is no JWT", []verify.TokenLocation{prefixed}, one("graphql-ws, bearer.opaque"), "opaque", verify.Accepted, "graphql-ws"},

		{"a scheme", []verify.TokenLocation{schemed}, one("soap, bearer  a.b.c"), "a.b.c", verify.Accepted, "soap"},
		{"a scheme with a tab", []verify.TokenLocation{schemed}, one("soap, bearer\ta.b.c"), "", verify.TokenAmbiguous, ""},

		{"quotes", []verify.TokenLocation{prefixed}, one(`soap;x=", bearer.a.b.c, "`), "", verify.TokenAmbiguous, ""},
		{"two lines", []verify.TokenLocation{prefixed}, headers{{name, "soap, bearer.a.b.c"}, {name, "wamp"}}, "a.b.c", verify.Accepted, "soap, wamp"},
		{"two lines, two tokens", []verify.TokenLocation{prefixed}, headers{{name, "bearer.a.b.c"}, {name, "bearer.x.y.z"}}, "", verify.TokenAmbiguous, ""},
		{"another spelling of the name", []verify.TokenLocation{prefixed}, headers{{name, "bearer.a.b.c"}, {"sec_websocket_protocol", "x"}}, "", verify.TokenAmbiguous, ""},
		{"another token elsewhere", []verify.TokenLocation{verify.Authorization, prefixed}, headers{{name, "bearer.a.b.c"}, {"authorization", "Bearer x.y.z"}}, "", verify.TokenAmbiguous, ""},
		{"the same token elsewhere", []verify.TokenLocation{prefixed, verify.Authorization}, headers{{name, "soap, bearer.a.b.c"}, {"authorization", "Bearer a.b.c"}}, "a.b.c", verify.Accepted, "soap"},
	} {
		found, err := verify.Extract(c.headers, c.locations)
		if got := verify.ReasonOf(err); got != c.want || found.Token != c.token {
			t.Errorf("%s: %q, %v; want %q, %v", c.name, found.Token, got, c.token, c.want)
		}
		if err != nil {
			continue
		}
		location := &c.locations[slices.IndexFunc(c.locations, func(l verify.TokenLocation) bool { return l.List })]
		var lines []string
		for _, header := range c.headers {
			if header[0] == name {
				lines = append(lines, header[1])
			}
		}
		all := strings.Join(lines, ", ")
		if got := location.WithoutToken(all, found.Token); got != c.rest {
			t.Errorf("%s: %q is left, want %q", c.name, got, c.rest)
		}
		if got := location.WithoutToken(all, "another"); got != all {
			t.Errorf("%s: another token's removal leaves %q", c.name, got)
		}
	}
}

// TestExtractPlaces is about tokens in several parts of a request.
func TestExtractPlaces(t *testing.T) {
	everywhere := []verify.TokenLocation{verify.Authorization, {In: verify.InCookie, Name: "session"}, {In: verify.InQuery, Name: "access_token"}}
	type headers = [][2]string
	for _, c := range []struct {
		name      string
		headers   headers
		locations []verify.TokenLocation
		token     string
		at        []int
		want      verify.Reason
	}{
		{"header alone", headers{{":path", "/"}, {"authorization", "Bearer t"}}, everywhere, "t", []int{0}, verify.Accepted},
		{"cookie alone", headers{{":path", "/"}, {"cookie", "session=t"}}, everywhere, "t", []int{1}, verify.Accepted},
		{"parameter alone", headers{{":path", "/?access_token=t"}}, everywhere, "t", []int{2}, verify.Accepted},
		{"the same everywhere", headers{{":path", "/?access_token=t"}, {"authorization", "Bearer t"}, {"cookie", "session=t"}}, everywhere,
			"t", []int{0, 1, 2}, verify.Accepted},
		{"the same twice in one place", headers{{":path", "/?access_token=t&access_token=t"}, {"cookie", "session=t"}}, everywhere,
			"t", []int{1, 2}, verify.Accepted},
		{"header and cookie differ", headers{{"authorization", "Bearer t"}, {"cookie", "session=u"}}, everywhere, "", nil, verify.TokenAmbiguous},
		{"header and parameter differ", headers{{":path", "/?access_token=u"}, {"authorization", "Bearer t"}}, everywhere, "", nil, verify.TokenAmbiguous},
		{"cookie and parameter differ", headers{{":path", "/?access_token=u"}, {"cookie", "session=t"}}, everywhere, "", nil, verify.TokenAmbiguous},
		{"only two are asked for", headers{{":path", "/?access_token=u"}, {"authorization", "Bearer t"}, {"cookie", "session=t"}}, everywhere[:2],
			"t", []int{0, 1}, verify.Accepted},
		{"a doubtful cookie beside the header", headers{{"authorization", "Bearer t"}, {"cookie", "%73ession=t"}}, everywhere, "", nil, verify.TokenAmbiguous},
		{"a doubtful parameter beside the header", headers{{":path", "/?a;access_token=t"}, {"authorization", "Bearer t"}}, everywhere, "", nil, verify.TokenAmbiguous},
		{"doubtful, but not asked for", headers{{":path", "/?a;access_token=t"}, {"authorization", "Bearer t"}, {"cookie", "%73ession=t"}}, everywhere[:1],
			"t", []int{0}, verify.Accepted},
		{"another scheme beside the cookie", headers{{"authorization", "Basic t"}, {"cookie", "session=u"}}, everywhere, "u", []int{1}, verify.Accepted},
		{"authorization twice beside the cookie", headers{{"authorization", "Bearer t"}, {"authorization", "Bearer t"}, {"cookie", "session=t"}}, everywhere,
			"", nil, verify.TokenAmbiguous},
		{"nothing", headers{{":path", "/?a"}, {"authorization", "Basic t"}, {"cookie", "a=1"}}, everywhere, "", nil, verify.TokenMissing},
		{"two cookies by two names", headers{{"cookie", "a=t; b=t"}}, []verify.TokenLocation{{In: verify.InCookie, Name: "b"}, {In: verify.InCookie, Name: "a"}},
			"t", []int{0, 1}, verify.Accepted},
		{"two parameters by two names", headers{{":path", "/?a=t&b=t&a=t"}}, []verify.TokenLocation{{In: verify.InQuery, Name: "b"}, {In: verify.InQuery, Name: "a"}},
			"t", []int{0, 1}, verify.Accepted},
		{"two parameters of which one resembles the other", headers{{":path", "/?a_t=t"}}, []verify.TokenLocation{{In: verify.InQuery, Name: "A_T"}, {In: verify.InQuery, Name: "a_t"}},
			"", nil, verify.TokenAmbiguous},
		{"another parameter's name in a value", headers{{":path", "/?a=t;b=t"}}, []verify.TokenLocation{{In: verify.InQuery, Name: "a"}, {In: verify.InQuery, Name: "b"}},
			"", nil, verify.TokenAmbiguous},
		{"the same name twice", headers{{"cookie", "a=t"}}, []verify.TokenLocation{{In: verify.InCookie, Name: "a"}, {In: verify.InCookie, Name: "a"}},
			"t", []int{0, 1}, verify.Accepted},
		{"a cookie's name is not unescaped", headers{{"cookie", "a+b=t; a%41=u"}}, []verify.TokenLocation{{In: verify.InCookie, Name: "a+b"}}, "t", []int{0}, verify.Accepted},
		{"a cookie by its name as it is, where only some servers split", headers{{"cookie", "x,a+b=u; a+b=t"}}, []verify.TokenLocation{{In: verify.InCookie, Name: "a+b"}},
			"", nil, verify.TokenAmbiguous},
		{"two cookies by two names, different", headers{{"cookie", "a=t; b=u"}}, []verify.TokenLocation{{In: verify.InCookie, Name: "b"}, {In: verify.InCookie, Name: "a"}},
			"", nil, verify.TokenAmbiguous},
	} {
		found, err := verify.Extract(c.headers, c.locations)
		if got := verify.ReasonOf(err); got != c.want || found.Token != c.token || !slices.Equal(found.Locations, c.at) {
			t.Errorf("%s: %q at %v, %v; want %q at %v, %v", c.name, found.Token, found.Locations, got, c.token, c.at, c.want)
		}
	}
}

// TestExtractManyLocations is about more places than there are indexes ready, and
// about finding in one request what must not change another's.
func TestExtractManyLocations(t *testing.T) {
	var locations []verify.TokenLocation
	var headers [][2]string
	var all []int
	for i := range 12 {
		name := "x-" + strings.Repeat("i", i)
		locations = append(locations, verify.TokenLocation{Name: name})
		headers = append(headers, [2]string{name, "t"})
		all = append(all, i)
	}
	gap := [][2]string{headers[0], headers[2]}
	if found, err := verify.Extract(gap, locations); err != nil || !slices.Equal(found.Locations, []int{0, 2}) {
		t.Fatalf("found at %v, %v", found.Locations, err)
	}
	if found, err := verify.Extract(headers[1:2], locations); err != nil || !slices.Equal(found.Locations, []int{1}) {
		t.Fatalf("after another request: found at %v, %v", found.Locations, err)
	}
	for range 2 {
		for i := range headers {
			found, err := verify.Extract(headers[i:], locations)
			if err != nil || !slices.Equal(found.Locations, all[i:]) {
				t.Fatalf("from %d on: found at %v, %v", i, found.Locations, err)
			}
			found, err = verify.Extract(headers[i:i+1], locations)
			if err != nil || !slices.Equal(found.Locations, all[i:i+1]) {
				t.Fatalf("%d alone: found at %v, %v", i, found.Locations, err)
			}
		}
	}
}

// TestExtractAllocates nothing, for a token in any one place.
func TestExtractAllocates(t *testing.T) {
	everywhere := []verify.TokenLocation{verify.Authorization, {In: verify.InCookie, Name: "session"}, {In: verify.InQuery, Name: "access_token"},
		{Name: "sec-websocket-protocol", List: true}}
	for _, headers := range [][][2]string{
		{{":method", "GET"}, {":path", "/a?b=c"}, {"authorization", "Bearer a.b.c"}, {"cookie", "a=1; b=2"}},
		{{":method", "GET"}, {":path", "/a?b=c"}, {"cookie", "a=1; session=a.b.c"}},
		{{":method", "GET"}, {":path", "/a?b=c&access_token=a.b.c"}},
		{{":method", "GET"}, {":path", "/a?b=c"}, {"sec-websocket-protocol", "graphql-ws, a.b.c, soap"}},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := verify.Extract(headers, everywhere); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%v: %v allocations", headers, n)
		}
	}
}
