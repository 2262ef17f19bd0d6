package explain

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"edgejwt/plugin/config"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // the emulator prints every host call
	os.Exit(m.Run())
}

const (
	testIssuer   = "https://idp.example/"
	testAudience = "https://api.example.com"
	// secret is what a token says and nobody shows unasked.
	secret = "s3cr3t-subject"
)

var testKeys = sync.OnceValue(func() map[string]*rsa.PrivateKey {
	keys := map[string]*rsa.PrivateKey{}
	for _, kid := range []string{"k", "spare", "other"} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[kid] = key
	}
	return keys
})

// keySet publishes the keys k and spare with go-jose.
func keySet() string {
	var set jose.JSONWebKeySet
	for _, kid := range []string{"k", "spare"} {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: &testKeys()[kid].PublicKey, KeyID: kid, Algorithm: "RS256", Use: "sig"})
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// token is valid at the time given but for the claims given; nil removes one. by
// is the key's kid, and with the one that really signs.
func token(at time.Time, by, with string, changes map[string]any) string {
	claims := jwt.MapClaims{"iss": testIssuer, "aud": testAudience, "sub": secret, "iat": at.Unix(), "exp": at.Add(time.Hour).Unix()}
	maps.Copy(claims, changes)
	for name, value := range claims {
		if value == nil {
			delete(claims, name)
		}
	}
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	t.Header["kid"] = by
	text, err := t.SignedString(testKeys()[with])
	if err != nil {
		panic(err)
	}
	return text
}

// policy has one of everything.
const policy = `{
 "jwtRules": [{"issuer": "https://idp.example/", "audiences": ["https://api.example.com"], %s "forwardOriginalToken": false,
   "fromHeaders": [{"name": "authorization", "prefix": "Bearer "}, {"name": "x-token"}], "fromCookies": ["session"], "fromParams": ["access_token"],
   "outputPayloadToHeader": "x-payload", "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}, {"header": "x-list", "claim": ["deep", "list"]}],
   "outputClaimToFilterState": [{"key": "who", "claim": "sub"}]}],
 "routes": [
   {"name": "public", "path": {"prefix": "/public"}, "auth": "none"},
   {"name": "maybe", "path": {"prefix": "/maybe"}, "auth": "optional"},
   {"name": "opaque", "path": {"prefix": "/opaque"}, "allowOpaque": true},
   {"name": "write", "path": {"template": "/orders/{id}"}, "methods": ["POST"], "scopes": ["write:orders"]},
   {"name": "tried", "path": {"prefix": "/tried"}, "mode": "report", "permissions": ["try"]},
   {"name": "all", "path": {"template": "/all/{org}"}, "hosts": ["a.example"], "headers": [{"name": "x-v", "values": ["2"]}], "anyScope": ["a", "b"], "anyPermission": ["p"],
    "claims": [{"claim": ["deep", "n"], "values": [1, true, "x"]}, {"claim": "words", "values": ["w"], "spaceDelimited": true}], "claimMatches": [{"claim": "org", "variable": "org"}, {"claim": "tenant", "header": "x-tenant"}, {"claim": "host", "host": true}],
    "requiredClaims": ["email"], "issuers": ["https://idp.example/"], "audiences": ["https://api.example.com"], "subjects": ["s3cr3t-subject"], "clients": ["c"], "maxAge": "1h", "maxLifetime": "24h"},
   {"name": "pay", "path": {"exact": "/pay"}, "acr": ["urn:mfa", "urn:phr"], "maxAuthAge": "5m"},
   {"path": {"exact": "/unnamed"}, "scopes": ["x"]},
   {"name": "twin", "path": {"exact": "/twin"}, "scopes": ["a"]}, {"name": "other-twin", "path": {"exact": "/twin/"}, "scopes": ["b"]},
   {"name": "closed", "path": {"prefix": "/closed"}, "auth": "deny"}],
 "xfccTrustedElements": 1, "filterState": true, "clearRouteCache": true, "routeMetadata": %t, "realm": "shop",
 "resourceMetadata": {"resource": "https://api.example.com"}}`

func parsePolicy(t testing.TB, metadata bool) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(policyText(metadata)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func policyText(metadata bool) string {
	return fmt.Sprintf(policy, `"jwks": `+keySet()+`,`, metadata)
}

// example is one request, and what must come of it.
type example struct {
	name    string
	request string
	headers []string
	token   func(at time.Time) string // nil for none
	reason  string
	step    string // the one that decided
	onward  bool
	say     []string // what must be told, or, behind a !, must not
}

func valid(changes map[string]any) func(time.Time) string {
	return func(at time.Time) string { return token(at, "k", "k", changes) }
}

func text(s string) func(time.Time) string { return func(time.Time) string { return s } }

var deep = map[string]any{"scope": "b", "permissions": []string{"p"}, "deep": map[string]any{"n": 1, "list": []string{"x", "y"}}, "org": "acme",
	"tenant": "t1", "host": "a.example", "email": "e", "azp": "c", "words": "v w"}

var preflight = []string{"origin: https://a.example", "access-control-request-method: PUT"}

var examples = []example{
	{"valid", "GET /x?a=b", nil, valid(nil), "accepted", "requirements", true, []string{"no route matches", "x-payload (payload)", "x-sub (claim sub)", "removed       authorization", "!is read as"}},
	{"forged", "GET /x", []string{"X_Sub: admin"}, valid(nil), "accepted", "requirements", true, []string{"removed what only the edge may set: x_sub"}},
	{"another method for some servers", "GET /x", []string{"X_HTTP_Method_Override: PUT", "X_Sub: admin"}, valid(nil), "accepted", "requirements", true,
		[]string{"removed what only the edge may set: x_sub\n", "removed what makes servers take another method, path or host (overrideHeaders): x_http_method_override"}},
	{"no token", "GET /x", nil, nil, "token_missing", "source", false, []string{"looked for in the cookie session", "looked for in the parameter access_token of the URL", "looked for in the header x-token\n"}},
	{"two tokens", "GET /x", []string{"x-token: a.b.c"}, valid(nil), "token_ambiguous", "source", false, nil},
	{"authorization twice", "GET /x", []string{"authorization: Bearer a.b.c"}, valid(nil), "token_ambiguous", "source", false, nil},
	{"in a cookie", "GET /x", []string{"cookie: a=b; session=TOKEN; c=d"}, nil, "accepted", "requirements", true, []string{"a token in the cookie session", "set           cookie (the request's, without the token)"}},
	{"in the URL", "GET /x?access_token=TOKEN&y=1", nil, nil, "accepted", "requirements", true, []string{"a token in the parameter access_token of the URL", "set           :path (the request's"}},
	{"malformed", "GET /x", nil, text("a.b.c"), "token_malformed", "header", false, nil},
	{"no JWT", "GET /x", nil, text("abcdef"), "token_opaque", "header", false, []string{"the token is not a JWT"}},
	{"encrypted", "GET /x", nil, text("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA"), "token_encrypted", "header", false, []string{"the five parts of a JWE"}},
	{"too long", "GET /x", nil, valid(map[string]any{"groups": strings.Repeat("g", 16<<10)}), "token_too_large", "header", false, []string{"the token has 2", "jwtRules[0].maxTokenBytes is 16384"}},
	{"too many values", "GET /x", nil, valid(map[string]any{"groups": make([]int, 2000)}), "token_too_large", "header", false, []string{"JSON text has too many values"}},
	{"a date out of range", "GET /x", nil, valid(map[string]any{"exp": json.RawMessage("1e400")}), "claim_out_of_range", "claims", false, []string{"exp is out of range"}},
	{"no kid", "GET /x", nil, func(at time.Time) string { return token(at, "", "other", nil) }, "kid_missing", "signature", false, nil},
	{"a claim left out", "GET /x", nil, valid(map[string]any{"deep": map[string]any{"list": []string{"a,b"}}}), "accepted", "requirements", true,
		[]string{"left out      x-list: the claim [deep, list] is a text that a list or an object could make, too; encoding: percent carries it"}},
	{"claims left out, though refused", "POST /orders/7", nil, valid(map[string]any{"sub": "Zoë"}), "scope_missing", "requirements", false,
		[]string{"left out      wasm.who: the claim sub has characters other than printable ASCII", "!left out      x-sub"}},
	{"algorithm", "GET /x", nil, func(at time.Time) string {
		s, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": testIssuer}).SignedString([]byte("k"))
		return s
	}, "algorithm_not_allowed", "issuer", false, []string{"jwtRules[0] is for https://idp.example/ with RS256"}},
	{"another issuer", "GET /x", nil, valid(map[string]any{"iss": "https://x.example/"}), "issuer_unknown", "issuer", false, nil},
	{"the issuer without its slash", "GET /x", nil, valid(map[string]any{"iss": "https://idp.example"}), "issuer_unknown", "issuer", false, []string{"it differs from a rule's issuer only by the slash at the end"}},
	{"expired", "GET /x", nil, valid(map[string]any{"exp": 1000}), "token_expired", "claims", false, []string{"exp is 1970-01-01T00:16:40Z"}},
	{"another audience", "GET /x", nil, valid(map[string]any{"aud": "x"}), "audience_mismatch", "claims", false, []string{"aud must name one of https://api.example.com"}},
	{"the audience with another scheme", "GET /x", nil, valid(map[string]any{"aud": "HTTP://api.example.com"}), "audience_mismatch", "claims", false, []string{"it differs from one of them only by the scheme"}},
	{"another key", "GET /x", nil, func(at time.Time) string { return token(at, "z", "k", nil) }, "key_unknown", "key", false, []string{`the key set has kid "k"`}},
	{"another signature", "GET /x", nil, func(at time.Time) string { return token(at, "k", "other", nil) }, "signature_invalid", "signature", false, nil},
	{"bound, as a bearer token", "GET /x", nil, valid(map[string]any{"cnf": map[string]any{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}), "binding_missing", "binding", false, []string{"the token is bound to a key (cnf.jkt)"}},
	{"bound to a certificate", "GET /x", []string{"x-forwarded-client-cert: Hash=" + someDigest}, valid(map[string]any{"cnf": map[string]any{"x5t#S256": x5tOf(someDigest)}}), "accepted", "requirements", true,
		[]string{"the token is bound to a client certificate (cnf.x5t#S256)", "the request proves what the token is bound to"}},
	{"bound to another certificate", "GET /x", []string{"x-forwarded-client-cert: Hash=" + strings.Repeat("00", 32)}, valid(map[string]any{"cnf": map[string]any{"x5t#S256": x5tOf(someDigest)}}), "binding_mismatch", "binding", false, nil},
	{"public", "GET /public/x", []string{"x-sub: admin"}, nil, "public", "route", true, []string{"public matches (prefix /public): auth none"}},
	{"other spelling", "GET /public//x", nil, nil, "public", "route", true, []string{`the path is read as "/public/x"`}},
	{"nobody passes", "GET /closed", nil, valid(nil), "route_denied", "route", false, []string{"closed matches (prefix /closed): auth deny, nobody passes", "!looked for"}},
	{"odd path", "GET /public/%2e%2e%2forders", nil, nil, "path_ambiguous", "route", false, nil},
	{"another spelling", "GET /%70ublic/../public/x", nil, nil, "path_ambiguous", "route", false, nil},
	{"two routes of which none asks for more", "GET /twin/", nil, nil, "request_ambiguous", "route", false, nil},
	{"anonymous", "GET /maybe", nil, nil, "anonymous", "source", true, []string{"maybe matches"}},
	{"bad, though optional", "GET /maybe", nil, text("a.b.c"), "token_malformed", "header", false, []string{"a token is optional"}},
	{"opaque", "GET /opaque", nil, text("abcdef"), "opaque", "header", true, nil},
	{"scope", "POST /orders/7", nil, valid(map[string]any{"scope": "read:orders"}), "scope_missing", "requirements", false,
		[]string{`{id} is "7"`, "scopes: write:orders — NOT MET", `error="insufficient_scope", scope="write:orders", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"`}},
	{"scope there", "POST /orders/7", nil, valid(map[string]any{"scope": "write:orders"}), "accepted", "requirements", true, []string{"scopes: write:orders — ok"}},
	{"another method", "GET /orders/7", nil, valid(nil), "accepted", "requirements", true, []string{"no route matches"}},
	{"reported", "GET /tried", nil, valid(nil), "permission_missing", "requirements", true, []string{"mode report", "though it would be refused: permission_missing"}},
	{"reported without a token", "GET /tried", nil, nil, "token_missing", "source", true, nil},
	{"everything", "GET https://a.example/all/acme", []string{"x-v: 2", "x-tenant: t1"}, valid(deep), "accepted", "requirements", true,
		[]string{`all matches (template /all/{org}, host a.example, header x-v "2")`, "claims: [deep, n] is or holds 1 or true or \"x\" — ok", "claims: words has the word \"w\" — ok", "claimMatches: org is or holds {org} — ok", "requiredClaims: email — ok", "maxAge: 1h — ok"}},
	{"nothing of it", "GET https://a.example/all/acme", []string{"x-v: 2"}, valid(nil), "scope_missing", "requirements", false,
		[]string{"anyScope: a b — NOT MET", "anyPermission: p — NOT MET", "subjects: s3cr3t-subject — ok", "clients: c — NOT MET", "requiredClaims: email — NOT MET", "claimMatches: tenant is or holds the header x-tenant — NOT MET", "claimMatches: host is or holds the host — NOT MET", "maxLifetime: 24h — ok"}},
	{"step-up", "GET /pay", nil, valid(map[string]any{"acr": "urn:pwd"}), "authentication_insufficient", "requirements", false,
		[]string{"acr: urn:mfa urn:phr — NOT MET", "maxAuthAge: 5m — NOT MET", `error="insufficient_user_authentication", acr_values="urn:mfa urn:phr", max_age="300"`}},
	{"unnamed", "GET /unnamed", nil, valid(nil), "scope_missing", "requirements", false, []string{"routes[7] matches (exact /unnamed)"}},
	{"gRPC", "POST /orders/7", []string{"content-type: application/grpc"}, nil, "token_missing", "source", false, []string{"grpc-status: 16"}},
	{"gRPC with a subtype", "POST /orders/7", []string{"content-type: application/grpc+proto"}, nil, "token_missing", "source", false, []string{"grpc-status: 16"}},
	{"gRPC-Web", "POST /orders/7", []string{"content-type: application/grpc-web"}, nil, "token_missing", "source", false, []string{"  401\n", "!grpc-status"}},
	{"preflight", "OPTIONS /x", preflight, nil, "preflight", "preflight", true, []string{"which carries no token, passes", "!matches"}},
	{"preflight where nobody passes", "OPTIONS /closed", preflight, nil, "route_denied", "route", false, []string{"passes unless its route denies", "auth deny, nobody passes"}},
	{"preflight that may be of it", "OPTIONS /x%2fclosed", preflight, nil, "path_ambiguous", "route", false, []string{"passes unless its route denies"}},
	{"OPTIONS that is none", "OPTIONS /x", preflight[:1], nil, "token_missing", "source", false, []string{"!CORS preflight"}},
	{"description", "GET /.well-known/oauth-protected-resource", nil, nil, "resource_metadata", "description", false, []string{"  200\n", `"resource":"https://api.example.com"`}},
}

// someDigest is that of some certificate.
var someDigest = strings.Repeat("5a", 32)

// x5tOf is a digest in hexadecimal as tokens have it (RFC 8705 §3.1).
func x5tOf(digest string) string {
	raw, err := hex.DecodeString(digest)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// make makes the example's request.
func (x *example) make(t testing.TB, c *config.Config, at time.Time) *Request {
	t.Helper()
	fill := strings.NewReplacer("TOKEN", token(at, "k", "k", nil))
	var headers []string
	for _, h := range x.headers {
		headers = append(headers, fill.Replace(h))
	}
	q, err := NewRequest(fill.Replace(x.request), headers)
	if err != nil {
		t.Fatal(err)
	}
	if x.token != nil {
		q.PutToken(x.token(at), c)
	}
	return q
}
