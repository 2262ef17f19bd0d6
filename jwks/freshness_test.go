package jwks

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func TestLifetime(t *testing.T) {
	cases := []struct {
		name    string
		headers [][2]string
		want    int64
	}{
		{"nothing", nil, noLifetime},
		{"max-age", [][2]string{{"Cache-Control", "public, max-age=300"}}, 300},
		{"quoted", [][2]string{{"cache-control", `max-age="300"`}}, 300},
		{"capitals and blanks", [][2]string{{"CACHE-CONTROL", " Max-Age = 300 "}}, 300},
		{"as Auth0 sends it", [][2]string{{"cache-control", "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400"}}, 15},
		{"no-store", [][2]string{{"cache-control", "max-age=300, no-store"}}, 0},
		{"no-cache with fields", [][2]string{{"cache-control", `no-cache="x"`}}, 0},
		{"two fields, the shorter one", [][2]string{{"cache-control", "max-age=300"}, {"Cache-Control", "max-age=200"}}, 200},
		{"age", [][2]string{{"cache-control", "max-age=300"}, {"age", "100"}}, 200},
		{"older than fresh", [][2]string{{"cache-control", "max-age=300"}, {"age", "900"}}, 0},
		{"nonsense", [][2]string{{"cache-control", "max-age=soon"}}, 0},
		{"negative", [][2]string{{"cache-control", "max-age=-1"}}, 0},
		{"a very great number", [][2]string{{"cache-control", "max-age=99999999999999999999999"}}, maxSeconds},
		{"expires", [][2]string{{"expires", "Mon, 04 May 2026 12:05:00 GMT"}}, 300},
		{"expires by the provider's clock", [][2]string{{"expires", "Mon, 04 May 2026 09:05:00 GMT"}, {"date", "Mon, 04 May 2026 09:00:00 GMT"}}, 300},
		{"expired", [][2]string{{"expires", "Mon, 04 May 2026 11:00:00 GMT"}}, 0},
		{"expires 0", [][2]string{{"expires", "0"}}, 0},
		{"max-age before expires", [][2]string{{"expires", "0"}, {"cache-control", "max-age=60"}}, 60},
		{"other directives", [][2]string{{"cache-control", "public, immutable"}}, noLifetime},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := freshnessLifetime(c.headers, noon); got != c.want {
				t.Errorf("lifetime = %d, want %d", got, c.want)
			}
		})
	}
}

func TestRetryAfterHeader(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-7": 0, "7.5": 0, "soon": 0, "86400": maxRetryAfter, "99999999999999999999": maxRetryAfter,
		"Mon, 04 May 2026 12:01:00 GMT": time.Minute, "Monday, 04-May-26 12:01:00 GMT": 0, "Mon May  4 12:01:00 2026": 0,
		"Mon, 04 May 2026 11:00:00 GMT": 0, "Mon, 04 May 2036 11:00:00 GMT": maxRetryAfter,
	} {
		if got := parseRetryAfter([][2]string{{"Retry-After", value}}, noon); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestParseURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://issuer.example/jwks": "issuer.example", "HTTPS://Issuer.Example:443/": "issuer.example", "https://issuer.example:8443?x": "issuer.example:8443",
		"https://[::1]:8443/":       "[::1]:8443",
		"http://issuer.example:80/": "issuer.example", "http://issuer.example:443/": "issuer.example:443", "ftp://issuer.example/": "", "https://": "", "https:///x": "", "https://user@issuer.example/": "", "https://issuer.example\\@evil.example/": "",
		"https://issuer.example/#x": "", "https://issuer.example/ x": "", "https://issuer.example/\r\nx": "", "https://issüer.example/": "", "https://issuer%2eexample/": "",
		"https://issuer.example:": "", "//issuer.example/": "", "": "",
	} {
		if got, ok := parseURL(url); ok != (want != "") || ok && got.authority != want {
			t.Errorf("%q: %q, %v, want %q", url, got.authority, ok, want)
		}
	}
}

func TestPolicy(t *testing.T) {
	for name, c := range map[string]struct {
		p    Policy
		want error
	}{
		"url":            {Policy{URL: "https://a.example/k"}, nil},
		"discovery":      {Policy{Issuer: "https://a.example/"}, nil},
		"nothing":        {Policy{}, ErrNoSource},
		"http":           {Policy{URL: "http://a.example/k"}, ErrSourceURL},
		"http, allowed":  {Policy{URL: "http://a.example/k", AllowHTTP: true}, nil},
		"ftp, allowed":   {Policy{URL: "ftp://a.example/k", AllowHTTP: true}, ErrSourceURL},
		"issuer no URL":  {Policy{Issuer: "a.example"}, ErrSourceURL},
		"negative":       {Policy{URL: "https://a.example/k", Wait: -1}, ErrNegative},
		"issuer and url": {Policy{URL: "https://a.example/k", Issuer: "x"}, nil},
	} {
		if err := c.p.Check(); err != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	a, b := Policy{Issuer: "https://a.example/"}, Policy{Issuer: "https://a.example/", ExtraHosts: []string{"b.example"}}
	if a.SourceID() == b.SourceID() {
		t.Error("policies that trust different hosts share a source")
	}
	for name, other := range map[string]Policy{
		"by http":                {Issuer: a.Issuer, AllowHTTP: true},
		"by another cluster":     {Issuer: a.Issuer, Cluster: "c"},
		"by a discovery cluster": {Issuer: a.Issuer, DiscoveryCluster: "c"},
	} {
		if a.SourceID() == other.SourceID() {
			t.Errorf("a policy that fetches %s shares a source", name)
		}
	}
}

func TestDiscovery(t *testing.T) {
	p := Policy{Issuer: "https://issuer.example/tenant/", ExtraHosts: []string{"Keys.Example:8443"}}
	if got := p.firstURL(); got != "https://issuer.example/tenant/.well-known/openid-configuration" {
		t.Error(got)
	}
	for doc, want := range map[string]Error{
		`{"issuer":"https://issuer.example/tenant/","jwks_uri":"https://issuer.example/k"}`:              0,
		`{"issuer":"https://issuer.example/tenant/","jwks_uri":"https://ISSUER.example:443/k"}`:          0,
		`{"issuer":"https://issuer.example/tenant/","jwks_uri":"https://keys.example:8443/k"}`:           0,
		`{"issuer":"https://issuer.example/tenant/","jwks_uri":"https://keys.example/k"}`:                ErrDiscoveryHost,
		`{"issuer":"https://issuer.example/tenant/","jwks_uri":"http://issuer.example/k"}`:               ErrDiscoveryHost,
		`{"issuer":"https://issuer.example/tenant/","jwks_uri":"https://issuer.example.evil.example/k"}`: ErrDiscoveryHost,
		`{"issuer":"https://issuer.example/tenant/","jwks_uri":"https://issuer.example@evil.example/k"}`: ErrDiscoveryHost,
		`{"issuer":"https://issuer.example/tenant","jwks_uri":"https://issuer.example/k"}`:               ErrDiscoveryIssuer,
		`{"issuer":"https://issuer.example/tenant/","issuer":"x","jwks_uri":"https://issuer.example/k"}`: ErrDiscoveryUnreadable,
		`{"issuer":"https://issuer.example/tenant/"}`:                                                    ErrDiscoveryMember,
		`{"issuer":["https://issuer.example/tenant/"],"jwks_uri":"https://issuer.example/k"}`:            ErrDiscoveryMember,
		`[]`: ErrDiscoveryMember, ``: ErrDiscoveryUnreadable,
		`{"issuer":"` + strings.Repeat("x", 64<<10) + `"}`: ErrDiscoveryTooLong,
	} {
		if _, got, _ := p.readDiscovery(nil, []byte(doc)); got != want {
			t.Errorf("%.200s: %v, want %v", doc, got, want)
		}
	}
	// http is taken where it is allowed, and from the same hosts.
	p.AllowHTTP = true
	for uri, want := range map[string]Error{"http://issuer.example/k": 0, "http://keys.example:8443/k": 0, "http://keys.example/k": ErrDiscoveryHost, "ftp://issuer.example/k": ErrDiscoveryHost} {
		got, err, _ := p.readDiscovery(nil, []byte(`{"issuer":"https://issuer.example/tenant/","jwks_uri":"`+uri+`"}`))
		if err != want || err == 0 && got != uri {
			t.Errorf("%s: %q, %v, want %v", uri, got, err, want)
		}
	}
}

// TestDiscoveryLife: the document leads to the keys, is asked for again a day
// later, and its failure loses nothing.
func TestDiscoveryLife(t *testing.T) {
	const issuer = "https://issuer.example/"
	found := Answer{Status: 200, Body: []byte(`{"issuer":"` + issuer + `","jwks_uri":"https://issuer.example/k"}`)}
	b := newBench(t, Policy{Issuer: issuer, Refresh: time.Hour}, 2)
	b.pass(100 * time.Millisecond)
	b.answer(b.one(), Answer{Status: 404})
	f := b.await(2 * time.Second)
	if f.action.URL != issuer+".well-known/openid-configuration" {
		t.Fatal(f.action.URL)
	}
	b.answer(f, found)
	if f = b.one(); f.action.URL != "https://issuer.example/k" {
		t.Fatal(f.action.URL)
	}
	b.answer(f, good(jwk("a", 1)))
	discoveries := 0
	for end := b.now.Add(30 * time.Hour); b.now.Before(end); b.pass(time.Second) {
		for len(b.fetches) > 0 {
			f := b.one()
			if f.action.URL == "https://issuer.example/k" {
				b.answer(f, good(jwk("a", 1)))
				continue
			}
			discoveries++
			b.answer(f, Answer{Status: 500})
		}
		b.find(0, "a", Found)
	}
	if discoveries < 2 || discoveries > 7 { // after a day, then every hour
		t.Errorf("%d discoveries failed in 30 h", discoveries)
	}
	if s := b.workers[0].Status(b.now); s.Failures != 0 {
		t.Errorf("status = %+v", s)
	}
}

func TestSplitURL(t *testing.T) {
	for _, c := range []struct{ url, authority, path string }{
		{"https://i.example", "i.example", "/"},
		{"https://I.Example:443/", "i.example:443", "/"},
		{"https://i.example?a=/b", "i.example", "/?a=/b"},
		{"https://i.example/a?b=https://x@y", "i.example", "/a?b=https://x@y"},
		{"https://[::1]", "[::1]", "/"},
	} {
		authority, path, err := SplitURL(c.url)
		if authority != c.authority || path != c.path || err != nil {
			t.Errorf("SplitURL(%q) = %q, %q, %v; want %q, %q", c.url, authority, path, err, c.authority, c.path)
		}
	}
}
