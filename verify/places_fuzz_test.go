package verify_test

import (
	"math/rand"
	"slices"
	"strings"
	"testing"

	"edgejwt/verify"
)

// FuzzCookie, FuzzQuery: see checkCookies, checkParams.
func FuzzCookie(f *testing.F) {
	for _, c := range cookieCases {
		f.Add(c.header)
	}
	f.Fuzz(checkCookies)
}

func FuzzQuery(f *testing.F) {
	for _, c := range paramCases {
		f.Add(longhand(c.path))
	}
	f.Fuzz(checkParams)
}

// FuzzList demands that a token in a list is one of its elements, that no other element
// may be one, and that nothing else is taken out with it.
func FuzzList(f *testing.F) {
	for _, seed := range []string{"graphql-ws, a.b.c", "bearer.a.b.c", "bearer.a, Bearer.b", ",a.b, ,", `"a, b.c"`, "bearer.", "wamp.2.json, bearer.a.b.c"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, list string, hasPrefix bool) {
		location := verify.TokenLocation{Name: "x", List: true}
		isToken := func(element string) string {
			if strings.Contains(element, ".") {
				return element
			}
			return ""
		}
		if hasPrefix {
			location.Prefix = "bearer."
			isToken = func(element string) string {
				if len(element) > 7 && strings.EqualFold(element[:7], "bearer.") {
					return element[7:]
				}
				return ""
			}
		}
		found, err := verify.Extract([][2]string{{"x", list}}, []verify.TokenLocation{location})
		tokens, others := []string{}, []string{}
		for _, element := range strings.Split(list, ",") {
			if element = strings.Trim(element, " \t\r\n"); isToken(element) != "" {
				tokens = append(tokens, isToken(element))
			} else if element != "" {
				others = append(others, element)
			}
		}
		same := slices.Compact(slices.Clone(tokens))
		switch {
		case strings.Contains(list, `"`) || len(same) > 1 || len(list) > verify.MaxListBytes || strings.Count(list, ",") > verify.MaxListSigns:
			if verify.ReasonOf(err) != verify.TokenAmbiguous {
				t.Fatalf("%q: %q, %v", list, found.Token, err)
			}
			return
		case len(same) == 0:
			if verify.ReasonOf(err) != verify.TokenMissing {
				t.Fatalf("%q: %q, %v", list, found.Token, err)
			}
			return
		}
		if err != nil || found.Token != same[0] {
			t.Fatalf("%q: %q, %v; want %q", list, found.Token, err, same[0])
		}
		if got := location.WithoutToken(list, found.Token); got != strings.Join(others, ", ") {
			t.Fatalf("%q: %q is left", list, got)
		}
	})
}

// TestCookiesAndQueriesAtRandom checks what fuzzing takes long to build: lists
// made of nothing but the parts that matter.
func TestCookiesAndQueriesAtRandom(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for _, c := range []struct {
		check func(t *testing.T, list string)
		start string
		parts []string
	}{
		{checkCookies, "", strings.Split("session session session = = = t t u a ; ; ; %73ession sess %69on % + & ? # \" \\ , . \xa0 \x85 \u00a0 \t", " ")},
		{checkCookies, "", []string{"session", "session=", "=", "t", "t", " ", " ", ";", "; ", ", ", `"`, "a=1", "Session", "\r\n"}},
		{checkParams, "/?", strings.Split("T T T = = = t t u a & & & ; %61ccess_token %2561 %3D %26 %74 access %5ftoken %zz % + ? # / ,", " ")},
		{checkParams, "", strings.Split("/ ? ? T T=t T=t =u & # a ; %61ccess_token", " ")},
	} {
		for range 20_000 {
			list := c.start
			for range 1 + random.Intn(14) {
				list += longhand(c.parts[random.Intn(len(c.parts))])
			}
			if c.check(t, list); t.Failed() {
				return
			}
		}
	}
}

// FuzzExtractPlaces demands that a request with several places has the one token
// that those have which have any: found at all of these, and ambiguous when they
// differ.
func FuzzExtractPlaces(f *testing.F) {
	for i, c := range cookieCases {
		f.Add("Bearer t", c.header, longhand(paramCases[i%len(paramCases)].path))
	}
	for _, c := range paramCases {
		f.Add("", "", longhand(c.path))
		f.Add("Basic t, Bearer u", "a=1", longhand(c.path))
	}
	everywhere := []verify.TokenLocation{verify.Authorization, sessionCookie[0], tokenParam[0]}
	f.Fuzz(func(t *testing.T, authorization, cookie, path string) {
		headers := [][2]string{{"cookie", cookie}, {"authorization", authorization}, {":path", path}}
		token, want := "", verify.TokenMissing
		var at []int
		for i := range everywhere {
			found, err := verify.Extract(headers, everywhere[i:i+1])
			switch reason := verify.ReasonOf(err); {
			case reason == verify.TokenMissing:
			case reason != verify.Accepted, want == verify.TokenAmbiguous, token != "" && token != found.Token:
				token, at, want = "", nil, verify.TokenAmbiguous
			default:
				token, at, want = found.Token, append(at, i), verify.Accepted
			}
		}
		found, err := verify.Extract(headers, everywhere)
		if got := verify.ReasonOf(err); got != want || found.Token != token || !slices.Equal(found.Locations, at) {
			t.Fatalf("Extract(%q) = %q at %v, %v; want %q at %v, %v", headers, found.Token, found.Locations, got, token, at, want)
		}
	})
}
