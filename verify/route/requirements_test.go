package route_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"
	"unsafe"

	"edgejwt/verify"
	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

// now is when the tests take place.
var now = time.Unix(1_700_000_000, 0)

// token is one whose signature is taken as verified.
func token(t testing.TB, header, payload string) *verify.Token {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	read, err := verify.Parse(encode([]byte(header)) + "." + encode([]byte(payload)) + ".")
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// values reads a list of JSON as the configuration would.
func values(t testing.TB, text string) []strictjson.Value {
	t.Helper()
	list, err := strictjson.Parse(text, strictjson.Limits{Bytes: 1000, Depth: 5, Values: 100})
	if err != nil {
		t.Fatal(err)
	}
	return list.Children
}

const (
	jwt   = `{"alg":"RS256","typ":"JWT"}`
	at    = `{"alg":"RS256","typ":"at+jwt"}`
	full  = `{"iss":"i","exp":1700000600,"aud":"a","sub":"s","client_id":"c","iat":1700000000,"jti":"j"}`
	nsURL = "https://example.com/roles"
)

func TestCheck(t *testing.T) {
	s := func(texts ...string) []string { return texts }
	claim := func(list string, name ...string) route.Requirements {
		return route.Requirements{Claims: []route.Claim{{Name: name, Values: values(t, list)}}}
	}
	words := func(list string, name ...string) route.Requirements {
		n := claim(list, name...)
		n.Claims[0].SpaceDelimited = true
		return n
	}
	bind := func(b route.Binding, name ...string) route.Requirements {
		b.Claim = name
		return route.Requirements{ClaimMatches: []route.Binding{b}}
	}
	variable, tenant, host := route.Binding{Variable: "org"}, route.Binding{Header: "x-tenant"}, route.Binding{Host: true}

	for _, c := range []struct {
		name            string
		requirements    route.Requirements
		header, payload string
		want            verify.Reason
	}{
		{"nothing needed", route.Requirements{}, jwt, `{}`, verify.Accepted},

		{"scope", route.Requirements{Scopes: s("b")}, jwt, `{"scope":"a b c"}`, verify.Accepted},
		{"scope, part of a word", route.Requirements{Scopes: s("b")}, jwt, `{"scope":"ab bc"}`, verify.ScopeMissing},
		{"scope, case", route.Requirements{Scopes: s("b")}, jwt, `{"scope":"B"}`, verify.ScopeMissing},
		{"scope, tab", route.Requirements{Scopes: s("b")}, jwt, `{"scope":"a\tb"}`, verify.ScopeMissing},
		{"scope, comma", route.Requirements{Scopes: s("b")}, jwt, `{"scope":"a,b"}`, verify.ScopeMissing},
		{"scope, none", route.Requirements{Scopes: s("b")}, jwt, `{}`, verify.ScopeMissing},
		{"scope, empty", route.Requirements{Scopes: s("b")}, jwt, `{"scope":""}`, verify.ScopeMissing},
		{"scope, first and last", route.Requirements{Scopes: s("a", "c")}, jwt, `{"scope":"a b c"}`, verify.Accepted},
		{"scope, two spaces", route.Requirements{Scopes: s("b")}, jwt, `{"scope":"a  b"}`, verify.Accepted},
		{"scopes, one lacking", route.Requirements{Scopes: s("a", "d")}, jwt, `{"scope":"a b c"}`, verify.ScopeMissing},
		{"scope as a list", route.Requirements{Scopes: s("b")}, jwt, `{"scope":["a","b"]}`, verify.Accepted},
		{"scope as a list, words in one", route.Requirements{Scopes: s("b")}, jwt, `{"scope":["a b"]}`, verify.ScopeMissing},
		{"scope as a list of other things, too", route.Requirements{Scopes: s("b")}, jwt, `{"scope":["b",1]}`, verify.ScopeMissing},
		{"scope as a number", route.Requirements{Scopes: s("1")}, jwt, `{"scope":1}`, verify.ScopeMissing},
		{"scope as an object", route.Requirements{Scopes: s("b")}, jwt, `{"scope":{"b":"b"}}`, verify.ScopeMissing},
		{"scp of Entra ID", route.Requirements{Scopes: s("b")}, jwt, `{"scp":"a b"}`, verify.Accepted},
		{"scp of Okta", route.Requirements{Scopes: s("b")}, jwt, `{"scp":["a","b"]}`, verify.Accepted},
		{"scope and scp together", route.Requirements{Scopes: s("a", "b")}, jwt, `{"scope":"a","scp":["b"]}`, verify.Accepted},
		{"any scope", route.Requirements{AnyScope: s("x", "b")}, jwt, `{"scope":"a b"}`, verify.Accepted},
		{"any scope, none", route.Requirements{AnyScope: s("x", "y")}, jwt, `{"scope":"a b"}`, verify.ScopeMissing},
		{"scopes and any scope", route.Requirements{Scopes: s("a"), AnyScope: s("x", "y")}, jwt, `{"scope":"a b"}`, verify.ScopeMissing},

		{"permission", route.Requirements{Permissions: s("b")}, jwt, `{"permissions":["a","b"]}`, verify.Accepted},
		{"permission lacking", route.Requirements{Permissions: s("b", "c")}, jwt, `{"permissions":["a","b"]}`, verify.PermissionMissing},
		{"permissions as a string", route.Requirements{Permissions: s("b")}, jwt, `{"permissions":"b"}`, verify.PermissionMissing},
		{"scope is no permission", route.Requirements{Permissions: s("b")}, jwt, `{"scope":"b"}`, verify.PermissionMissing},
		{"permission is no scope", route.Requirements{Scopes: s("b")}, jwt, `{"permissions":["b"]}`, verify.ScopeMissing},
		{"any permission", route.Requirements{AnyPermission: s("x", "b")}, jwt, `{"permissions":["b"]}`, verify.Accepted},
		{"any permission, none", route.Requirements{AnyPermission: s("x")}, jwt, `{"permissions":[]}`, verify.PermissionMissing},

		{"claim", claim(`["x","y"]`, "c"), jwt, `{"c":"y"}`, verify.Accepted},
		{"claim, other", claim(`["x","y"]`, "c"), jwt, `{"c":"z"}`, verify.ClaimMismatch},
		{"claim, missing", claim(`["x"]`, "c"), jwt, `{}`, verify.ClaimMismatch},
		{"claim, part", claim(`["x"]`, "c"), jwt, `{"c":"x y"}`, verify.ClaimMismatch},
		{"claim, null", claim(`["null",0,false]`, "c"), jwt, `{"c":null}`, verify.ClaimMismatch},
		{"claim, list", claim(`["x"]`, "c"), jwt, `{"c":["w","x"]}`, verify.Accepted},
		{"claim, list in a list", claim(`["x"]`, "c"), jwt, `{"c":[["x"]]}`, verify.ClaimMismatch},
		{"claim, object", claim(`["x"]`, "c"), jwt, `{"c":{"x":"x"}}`, verify.ClaimMismatch},
		{"claim, empty list", claim(`["x"]`, "c"), jwt, `{"c":[]}`, verify.ClaimMismatch},
		{"claim, URL for a name", claim(`["admin"]`, nsURL), jwt, `{"https://example.com/roles":["admin"]}`, verify.Accepted},
		{"claim, nested", claim(`["admin"]`, "realm_access", "roles"), jwt, `{"realm_access":{"roles":["admin"]}}`, verify.Accepted},
		{"claim, dots are no steps", claim(`["admin"]`, "a.b"), jwt, `{"a":{"b":"admin"}}`, verify.ClaimMismatch},
		{"claim, nested in no object", claim(`["admin"]`, "a", "b"), jwt, `{"a":"admin"}`, verify.ClaimMismatch},
		{"claim, nested in a list", claim(`["admin"]`, "a", "b"), jwt, `{"a":[{"b":"admin"}]}`, verify.ClaimMismatch},
		{"claim, number", claim(`[7]`, "c"), jwt, `{"c":7}`, verify.Accepted},
		{"claim, number in a list", claim(`[7]`, "c"), jwt, `{"c":[6,7.0]}`, verify.Accepted},
		{"claim, number for a string", claim(`["7"]`, "c"), jwt, `{"c":7}`, verify.ClaimMismatch},
		{"claim, string for a number", claim(`[7]`, "c"), jwt, `{"c":"7"}`, verify.ClaimMismatch},
		{"claim, great number", claim(`[9007199254740993]`, "c"), jwt, `{"c":9007199254740992}`, verify.ClaimMismatch},
		{"claim, bool", claim(`[true]`, "c"), jwt, `{"c":true}`, verify.Accepted},
		{"claim, other bool", claim(`[true]`, "c"), jwt, `{"c":false}`, verify.ClaimMismatch},
		{"claim, string for a bool", claim(`[true]`, "c"), jwt, `{"c":"true"}`, verify.ClaimMismatch},

		{"word", words(`["x"]`, "c"), jwt, `{"c":"w x"}`, verify.Accepted},
		{"word, alone", words(`["x"]`, "c"), jwt, `{"c":"x"}`, verify.Accepted},
		{"word, two spaces", words(`["x"]`, "c"), jwt, `{"c":" w  x "}`, verify.Accepted},
		{"word, part of one", words(`["x"]`, "c"), jwt, `{"c":"wx xy"}`, verify.ClaimMismatch},
		{"word, case", words(`["x"]`, "c"), jwt, `{"c":"X"}`, verify.ClaimMismatch},
		{"word, tab", words(`["x"]`, "c"), jwt, `{"c":"w\tx"}`, verify.ClaimMismatch},
		{"word, value with a space", words(`["w x"]`, "c"), jwt, `{"c":"w x"}`, verify.ClaimMismatch},
		{"word, value with a space in a list", words(`["w x"]`, "c"), jwt, `{"c":["w x"]}`, verify.Accepted},
		{"word, empty", words(`[""]`, "c"), jwt, `{"c":"w  x "}`, verify.ClaimMismatch},
		{"word, list", words(`["x"]`, "c"), jwt, `{"c":["w","x"]}`, verify.Accepted},
		{"word, words in a list", words(`["x"]`, "c"), jwt, `{"c":["w x"]}`, verify.ClaimMismatch},
		{"word, number for a string", words(`["7"]`, "c"), jwt, `{"c":7}`, verify.ClaimMismatch},
		{"word, number", words(`[7]`, "c"), jwt, `{"c":"7"}`, verify.ClaimMismatch},
		{"word, other claim", words(`["admin"]`, "scope"), jwt, `{"scope":"read","scp":"admin"}`, verify.ClaimMismatch},
		{"word, nested", words(`["x"]`, "a", "b"), jwt, `{"a":{"b":"w x"}}`, verify.Accepted},

		{"variable", bind(variable, "org_id"), jwt, `{"org_id":"acme"}`, verify.Accepted},
		{"variable, other", bind(variable, "org_id"), jwt, `{"org_id":"evil"}`, verify.ClaimMismatch},
		{"variable, case", bind(variable, "org_id"), jwt, `{"org_id":"Acme"}`, verify.ClaimMismatch},
		{"variable, no claim", bind(variable, "org_id"), jwt, `{}`, verify.ClaimMismatch},
		{"variable, one of a list", bind(variable, "orgs"), jwt, `{"orgs":["x","acme"]}`, verify.Accepted},
		{"variable, list in a list", bind(variable, "orgs"), jwt, `{"orgs":[["acme"]]}`, verify.ClaimMismatch},
		{"variable, nested claim", bind(variable, "org", "id"), jwt, `{"org":{"id":"acme"}}`, verify.Accepted},
		{"header", bind(tenant, "t"), jwt, `{"t":"42"}`, verify.Accepted},
		{"header, number", bind(tenant, "t"), jwt, `{"t":42}`, verify.Accepted},
		{"header, number spelled in another way", bind(tenant, "t"), jwt, `{"t":42.0}`, verify.ClaimMismatch},
		{"header, sent twice in different ways", bind(route.Binding{Header: "x-two"}, "t"), jwt, `{"t":"42"}`, verify.ClaimMismatch},
		{"header, sent twice in different ways, the other", bind(route.Binding{Header: "x-two"}, "t"), jwt, `{"t":"43"}`, verify.ClaimMismatch},
		{"header, and with an underscore, the other", bind(route.Binding{Header: "x-under"}, "t"), jwt, `{"t":"43"}`, verify.ClaimMismatch},
		{"header, sent twice alike", bind(route.Binding{Header: "x-same"}, "t"), jwt, `{"t":"42"}`, verify.Accepted},
		{"header, and with an underscore", bind(route.Binding{Header: "x-under"}, "t"), jwt, `{"t":"42"}`, verify.ClaimMismatch},
		{"header, and with a dot, the other", bind(route.Binding{Header: "x-dot"}, "t"), jwt, `{"t":"43"}`, verify.ClaimMismatch},
		{"header, and with a dot", bind(route.Binding{Header: "x-dot"}, "t"), jwt, `{"t":"42"}`, verify.ClaimMismatch},
		{"header, and with a tilde, alike", bind(route.Binding{Header: "x-alike"}, "t"), jwt, `{"t":"42"}`, verify.Accepted},
		{"header, with a tilde alone", bind(route.Binding{Header: "x-other"}, "t"), jwt, `{"t":"42"}`, verify.ClaimMismatch},
		{"header, empty", bind(route.Binding{Header: "x-empty"}, "t"), jwt, `{"t":""}`, verify.ClaimMismatch},
		{"header, absent", bind(route.Binding{Header: "x-absent"}, "t"), jwt, `{"t":""}`, verify.ClaimMismatch},
		{"host", bind(host, "h"), jwt, `{"h":"acme.example.com"}`, verify.Accepted},
		{"host, other", bind(host, "h"), jwt, `{"h":"example.com"}`, verify.ClaimMismatch},

		{"required", route.Requirements{RequiredClaims: [][]string{{"a"}, {"b", "c"}}}, jwt, `{"a":"","b":{"c":0}}`, verify.Accepted},
		{"required, missing", route.Requirements{RequiredClaims: [][]string{{"a"}, {"b", "c"}}}, jwt, `{"a":"","b":{}}`, verify.ClaimMismatch},
		{"required, null", route.Requirements{RequiredClaims: [][]string{{"a"}}}, jwt, `{"a":null}`, verify.ClaimMismatch},

		{"issuer", route.Requirements{Issuers: s("i", "j")}, jwt, full, verify.Accepted},
		{"issuer, other", route.Requirements{Issuers: s("j")}, jwt, full, verify.IssuerUnknown},
		{"audience", route.Requirements{Audiences: s("a")}, jwt, `{"aud":["x","a"]}`, verify.Accepted},
		{"audience, one", route.Requirements{Audiences: s("a")}, jwt, full, verify.Accepted},
		{"audience, other", route.Requirements{Audiences: s("b")}, jwt, full, verify.AudienceMismatch},
		{"audience, none", route.Requirements{Audiences: s("b")}, jwt, `{}`, verify.AudienceMismatch},
		{"subject", route.Requirements{Subjects: s("s")}, jwt, full, verify.Accepted},
		{"subject, other", route.Requirements{Subjects: s("t")}, jwt, full, verify.ClaimMismatch},
		{"subject, list", route.Requirements{Subjects: s("s")}, jwt, `{"sub":["s"]}`, verify.ClaimMismatch},
		{"client_id", route.Requirements{Clients: s("c")}, jwt, full, verify.Accepted},
		{"azp", route.Requirements{Clients: s("c")}, jwt, `{"azp":"c"}`, verify.Accepted},
		{"client, other", route.Requirements{Clients: s("c")}, jwt, `{"azp":"d"}`, verify.ClaimMismatch},
		{"client, none", route.Requirements{Clients: s("c")}, jwt, `{}`, verify.ClaimMismatch},
		{"clients that differ", route.Requirements{Clients: s("c")}, jwt, `{"azp":"c","client_id":"d"}`, verify.ClaimMismatch},
		{"clients that are both listed", route.Requirements{Clients: s("c", "d")}, jwt, `{"azp":"c","client_id":"d"}`, verify.Accepted},
		{"client, number", route.Requirements{Clients: s("7")}, jwt, `{"azp":7}`, verify.ClaimMismatch},

		{"type", route.Requirements{TokenTypes: s("at+jwt")}, at, full, verify.Accepted},
		{"type, long and in capitals", route.Requirements{TokenTypes: s("at+jwt")}, `{"alg":"RS256","typ":"application/AT+JWT"}`, full, verify.Accepted},
		{"type, long in the configuration", route.Requirements{TokenTypes: s("Application/at+jwt")}, at, full, verify.Accepted},
		{"type, other", route.Requirements{TokenTypes: s("at+jwt")}, jwt, full, verify.ClaimInvalid},
		{"type, none", route.Requirements{TokenTypes: s("at+jwt")}, `{"alg":"RS256"}`, full, verify.ClaimInvalid},
		{"type, more slashes", route.Requirements{TokenTypes: s("at+jwt")}, `{"alg":"RS256","typ":"application/at+jwt/x"}`, full, verify.ClaimInvalid},
		{"type, one of two, which demands less", route.Requirements{TokenTypes: s("at+jwt", "JWT")}, jwt, `{}`, verify.Accepted},
		{"at+jwt without iss", route.Requirements{TokenTypes: s("at+jwt")}, at, `{"exp":1700000600,"aud":"a","sub":"s","client_id":"c","iat":1700000000,"jti":"j"}`, verify.ClaimInvalid},
		{"at+jwt without exp", route.Requirements{TokenTypes: s("at+jwt")}, at, `{"iss":"i","aud":"a","sub":"s","client_id":"c","iat":1700000000,"jti":"j"}`, verify.ClaimInvalid},
		{"at+jwt without aud", route.Requirements{TokenTypes: s("at+jwt")}, at, `{"iss":"i","exp":1700000600,"sub":"s","client_id":"c","iat":1700000000,"jti":"j"}`, verify.ClaimInvalid},
		{"at+jwt with an empty aud", route.Requirements{TokenTypes: s("at+jwt")}, at, `{"iss":"i","exp":1700000600,"aud":[],"sub":"s","client_id":"c","iat":1700000000,"jti":"j"}`, verify.ClaimInvalid},
		{"at+jwt without sub", route.Requirements{TokenTypes: s("at+jwt")}, at, `{"iss":"i","exp":1700000600,"aud":"a","client_id":"c","iat":1700000000,"jti":"j"}`, verify.ClaimInvalid},
		{"at+jwt without client_id", route.Requirements{TokenTypes: s("at+jwt")}, at, `{"iss":"i","exp":1700000600,"aud":"a","sub":"s","iat":1700000000,"jti":"j"}`, verify.ClaimInvalid},
		{"at+jwt without iat", route.Requirements{TokenTypes: s("at+jwt")}, at, `{"iss":"i","exp":1700000600,"aud":"a","sub":"s","client_id":"c","jti":"j"}`, verify.ClaimInvalid},
		{"at+jwt without jti", route.Requirements{TokenTypes: s("at+jwt")}, at, `{"iss":"i","exp":1700000600,"aud":"a","sub":"s","client_id":"c","iat":1700000000}`, verify.ClaimInvalid},

		{"at+jwt with an empty jti", route.Requirements{TokenTypes: s("at+jwt")}, at, `{"iss":"i","exp":1700000600,"aud":"a","sub":"s","client_id":"c","iat":1700000000,"jti":""}`, verify.ClaimInvalid},

		{"acr", route.Requirements{ACR: s("gold", "silver")}, jwt, `{"acr":"silver"}`, verify.Accepted},
		{"acr, other", route.Requirements{ACR: s("gold")}, jwt, `{"acr":"silver"}`, verify.AuthenticationInsufficient},
		{"acr, missing", route.Requirements{ACR: s("gold")}, jwt, `{}`, verify.AuthenticationInsufficient},
		{"acr, in another case", route.Requirements{ACR: s("gold")}, jwt, `{"acr":"Gold"}`, verify.AuthenticationInsufficient},
		{"acr, two words", route.Requirements{ACR: s("gold")}, jwt, `{"acr":"gold silver"}`, verify.AuthenticationInsufficient},
		{"acr, a list", route.Requirements{ACR: s("gold")}, jwt, `{"acr":["gold"]}`, verify.AuthenticationInsufficient},
		{"acr, a number", route.Requirements{ACR: s("1")}, jwt, `{"acr":1}`, verify.AuthenticationInsufficient},
		{"acr of another claim", route.Requirements{ACR: s("gold")}, jwt, `{"amr":["gold"],"scope":"gold"}`, verify.AuthenticationInsufficient},
		{"authentication, at the edge", route.Requirements{MaxAuthAge: time.Hour}, jwt, `{"auth_time":1699996340}`, verify.Accepted}, // 3600 + 60 of skew
		{"authentication, too long ago", route.Requirements{MaxAuthAge: time.Hour}, jwt, `{"auth_time":1699996339,"iat":1700000000}`, verify.AuthenticationInsufficient},
		{"authentication, a fraction too long ago", route.Requirements{MaxAuthAge: time.Hour}, jwt, `{"auth_time":1699996339.5}`, verify.AuthenticationInsufficient},
		{"authentication, not said", route.Requirements{MaxAuthAge: time.Hour}, jwt, `{"iat":1700000000}`, verify.AuthenticationInsufficient},
		{"authentication, no date", route.Requirements{MaxAuthAge: time.Hour}, jwt, `{"auth_time":"1700000000"}`, verify.ClaimInvalid},
		{"authentication, null", route.Requirements{MaxAuthAge: time.Hour}, jwt, `{"auth_time":null}`, verify.ClaimInvalid},
		{"authentication, within the skew ahead", route.Requirements{MaxAuthAge: time.Hour}, jwt, `{"auth_time":1700000060}`, verify.Accepted},
		{"authentication, ahead", route.Requirements{MaxAuthAge: time.Hour}, jwt, `{"auth_time":1700000061}`, verify.ClaimInvalid},
		{"acr lacks, and a scope too", route.Requirements{ACR: s("gold"), Scopes: s("z")}, jwt, `{}`, verify.ScopeMissing},
		{"acr lacks, and a claim too", route.Requirements{ACR: s("gold"), Subjects: s("z")}, jwt, `{}`, verify.ClaimMismatch},
		{"acr is there, the scope is not", route.Requirements{ACR: s("gold"), Scopes: s("z")}, jwt, `{"acr":"gold"}`, verify.ScopeMissing},
		{"age by auth_time", route.Requirements{MaxAge: time.Hour}, jwt, `{"auth_time":1699996340,"iat":1}`, verify.Accepted}, // 3600 + 60 of skew
		{"age by auth_time, too old", route.Requirements{MaxAge: time.Hour}, jwt, `{"auth_time":1699996339,"iat":1700000000}`, verify.TokenExpired},
		{"age by iat", route.Requirements{MaxAge: time.Hour}, jwt, `{"iat":1699996340}`, verify.Accepted},
		{"age by iat, too old", route.Requirements{MaxAge: time.Hour}, jwt, `{"iat":1699996339.5}`, verify.TokenExpired},
		{"age, no date", route.Requirements{MaxAge: time.Hour}, jwt, `{}`, verify.ClaimInvalid},
		{"age, auth_time is no date", route.Requirements{MaxAge: time.Hour}, jwt, `{"auth_time":"x","iat":1700000000}`, verify.ClaimInvalid},
		{"age, auth_time is null", route.Requirements{MaxAge: time.Hour}, jwt, `{"auth_time":null,"iat":1700000000}`, verify.ClaimInvalid},
		{"age, auth_time within the skew ahead", route.Requirements{MaxAge: time.Hour}, jwt, `{"auth_time":1700000060}`, verify.Accepted},
		{"age, auth_time ahead", route.Requirements{MaxAge: time.Hour}, jwt, `{"auth_time":1700000061}`, verify.ClaimInvalid},
		{"lifetime", route.Requirements{MaxLifetime: time.Hour}, jwt, `{"iat":1,"exp":3601}`, verify.Accepted},
		{"lifetime, too long", route.Requirements{MaxLifetime: time.Hour}, jwt, `{"iat":1,"exp":3602}`, verify.ClaimMismatch},
		{"lifetime, no iat", route.Requirements{MaxLifetime: time.Hour}, jwt, `{"exp":3602}`, verify.ClaimInvalid},

		{"401 before 403", route.Requirements{Issuers: s("j"), Scopes: s("x"), Subjects: s("t")}, jwt, full, verify.IssuerUnknown},
		{"scope before claims", route.Requirements{Scopes: s("x"), Subjects: s("t")}, jwt, full, verify.ScopeMissing},
	} {
		q := route.Request{Method: "GET", Host: "Acme.example.com:443", Path: "/orgs/acme/x", Headers: [][2]string{
			{"x-tenant", "42"}, {"x-two", "42"}, {"x-two", "43"}, {"x-same", "42"}, {"x-same", "42"},
			{"x-under", "42"}, {"x_under", "43"}, {"x-empty", ""},
			{"x-dot", "42"}, {"x.dot", "43"}, {"x-alike", "42"}, {"x~alike", "42"}, {"x~other", "42"}}}
		table := newTable(t, []route.Route{{Path: template("/orgs/{org}/x"), Requirements: c.requirements}}, route.Options{})
		var m route.Match
		if err := table.Find(&q, &m); err != nil || m.Index != 0 {
			t.Fatal(err, m.Index)
		}
		if err := m.Check(token(t, c.header, c.payload), now, time.Minute); verify.ReasonOf(err) != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		m.Detach()
		if err := m.Check(token(t, c.header, c.payload), now, time.Minute); verify.ReasonOf(err) != c.want {
			t.Errorf("%s, detached: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestStepUpChallenge: RFC 9470 §3. A challenge has all that the new token must have.
func TestStepUpChallenge(t *testing.T) {
	const challenge = `Bearer realm="api", error="insufficient_user_authentication"`
	for _, c := range []struct {
		name         string
		requirements route.Requirements
		payload      string
		want         string
	}{
		{"class", route.Requirements{ACR: []string{"urn:gold", "urn:silver"}}, `{"acr":"x"}`, challenge + `, acr_values="urn:gold urn:silver"`},
		{"age", route.Requirements{MaxAuthAge: 5 * time.Minute}, `{"auth_time":1}`, challenge + `, max_age="300"`},
		{"both, the class lacks", route.Requirements{ACR: []string{"a"}, MaxAuthAge: time.Second}, `{"auth_time":1700000000}`, challenge + `, acr_values="a", max_age="1"`},
		{"both, the age lacks", route.Requirements{ACR: []string{"a"}, MaxAuthAge: time.Second}, `{"acr":"a"}`, challenge + `, acr_values="a", max_age="1"`},
	} {
		table := newTable(t, []route.Route{{Requirements: c.requirements}}, route.Options{})
		var m route.Match
		if err := table.Find(&route.Request{}, &m); err != nil {
			t.Fatal(err)
		}
		err := m.Check(token(t, jwt, c.payload), now, 0)
		if got := verify.ChallengeOf(err, "api"); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestChallengeNamesWhatIsNeeded: RFC 6750 §3.1.
func TestChallengeNamesWhatIsNeeded(t *testing.T) {
	const challenge = `Bearer realm="api", error="insufficient_scope"`
	for _, c := range []struct {
		name         string
		requirements route.Requirements
		want         string
	}{
		{"scopes", route.Requirements{Scopes: []string{"read:orders", "write:orders"}}, challenge + `, scope="read:orders write:orders"`},
		{"all kinds", route.Requirements{Scopes: []string{"a"}, AnyScope: []string{"b", "a"}, Permissions: []string{"c"}, AnyPermission: []string{"d"}}, challenge + `, scope="a b c d"`},
		{"permissions", route.Requirements{Permissions: []string{"c"}}, challenge + `, scope="c"`},
		{"claims", route.Requirements{Subjects: []string{"x"}}, challenge},
	} {
		table := newTable(t, []route.Route{{Requirements: c.requirements}}, route.Options{})
		var m route.Match
		if err := table.Find(&route.Request{}, &m); err != nil {
			t.Fatal(err)
		}
		err := m.Check(token(t, jwt, `{"scope":"other"}`), now, 0)
		if got := verify.ChallengeOf(err, "api"); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNumbersAreComparedExactly goes through claims, as numbers come.
func TestNumbersAreComparedExactly(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"1", "1.0", true}, {"1", "1e0", true}, {"10", "1E+1", true}, {"0.1", "1e-1", true}, {"100", "1.00e2", true},
		{"0", "-0", true}, {"0", "0.000e99", true}, {"0", "0e999999999999", true}, {"0.0012", "12e-4", true},
		{"1", "-1", false}, {"1", "10", false}, {"1", "0.1", false}, {"12", "120", false}, {"1", "1.0000000000000000001", false},
		{"9007199254740993", "9007199254740992", false}, {"1e400", "1e401", false}, {"1e400", "10e399", true},
		{"1e2000000", "1e2000000", false}, // beyond what anyone means, so nothing matches
	} {
		for range 2 {
			list := values(t, "["+c.b+"]")
			table, faults := route.NewTable([]route.Route{{Requirements: route.Requirements{Claims: []route.Claim{{Name: []string{"n"}, Values: list}}}}}, route.Options{})
			same := false
			if faults == nil {
				var m route.Match
				if err := table.Find(&route.Request{}, &m); err != nil {
					t.Fatal(err)
				}
				same = m.Check(token(t, jwt, `{"n":`+c.a+`}`), now, 0) == nil
			}
			if same != c.same {
				t.Errorf("%s and %s: %v, want %v", c.a, c.b, same, c.same)
			}
			c.a, c.b = c.b, c.a
		}
	}
}

// TestDetachedMatchHoldsNothingOfTheRequest: the host's buffer, of which all texts
// of a request are parts, is overwritten.
func TestDetachedMatchHoldsNothingOfTheRequest(t *testing.T) {
	buffer := []byte("GET/orgs/acmeexample.com42")
	text := func(from, to int) string { return unsafe.String(&buffer[from], to-from) }
	q := route.Request{Method: text(0, 3), Path: text(3, 13), Host: text(13, 24), Headers: [][2]string{{"x-tenant", text(24, 26)}}}
	table := newTable(t, []route.Route{{Path: template("/orgs/{org}"), Requirements: route.Requirements{ClaimMatches: []route.Binding{
		{Claim: []string{"org"}, Variable: "org"}, {Claim: []string{"tenant"}, Header: "x-tenant"}, {Claim: []string{"host"}, Host: true}}}}}, route.Options{})
	var m route.Match
	if err := table.Find(&q, &m); err != nil {
		t.Fatal(err)
	}
	m.Detach()
	clear(buffer)
	if _, ok := m.Variable("org"); ok || m.Path != "" {
		t.Error("path or variables are still there")
	}
	if err := m.Check(token(t, jwt, `{"org":"acme","tenant":42,"host":"example.com"}`), now, 0); err != nil {
		t.Error(err)
	}
	if err := m.Check(token(t, jwt, `{"org":"other","tenant":42,"host":"example.com"}`), now, 0); verify.ReasonOf(err) != verify.ClaimMismatch {
		t.Error(err)
	}
}

func TestNoMatchIsSatisfiedByAnyValidToken(t *testing.T) {
	var m route.Match
	if err := newTable(t, nil, route.Options{}).Find(&route.Request{}, &m); err != nil {
		t.Fatal(err)
	}
	if err := m.Check(token(t, jwt, `{}`), now, 0); err != nil || !errors.Is(err, nil) {
		t.Error(err)
	}
}

// TestDenyIsSatisfiedByNoToken, nor by none.
func TestDenyIsSatisfiedByNoToken(t *testing.T) {
	var m route.Match
	table := newTable(t, []route.Route{{Path: prefix("/closed"), Auth: route.Deny}}, route.Options{})
	for path, want := range map[string]verify.Reason{"/closed/x": verify.RouteDenied, "/closed": verify.RouteDenied, "/closedness": verify.Accepted} {
		if err := table.Find(&route.Request{Method: "GET", Path: path}, &m); err != nil {
			t.Fatal(err)
		}
		for _, presented := range []*verify.Token{token(t, jwt, `{"scope":"a"}`), nil} {
			err := m.Check(presented, now, 0)
			if got := verify.ReasonOf(err); err != nil && got != want || (err == nil) != (want == verify.Accepted) {
				t.Errorf("%s: %v, want %v", path, err, want)
			}
		}
	}
}
