package differential

import (
	"fmt"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// token is what a request carries.
type token struct {
	kind   string
	text   string // as it is; else claims are signed
	claims jwt.MapClaims
	kid    string
	key    int
	method jwt.SigningMethod
	broken bool // one bit of the signature is wrong
	inURL  bool
	signed string
}

// token makes up a token for a provider.
func (g *Generator) token(p provider) *token {
	now := time.Now()
	t := &token{
		kind: "a valid token", key: p.issuer, kid: fmt.Sprintf("key%d", p.issuer), method: jwt.SigningMethodRS256,
		claims: jwt.MapClaims{"iss": issuer(p.issuer), "aud": "api", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()},
		inURL:  g.chance(10),
	}
	if len(p.audiences) > 0 {
		t.claims["aud"] = pick(g, p.audiences...)
	}
	g.claims(t.claims)
	if g.chance(45) {
		return t
	}
	kind := func(name string) *token { t.kind = name; return t }
	switch g.r.IntN(19) {
	case 0, 1, 2, 16, 17, 18:
		return &token{kind: "no token"}
	case 3:
		t.claims["exp"] = now.Add(-time.Hour).Unix()
		return kind("an expired token")
	case 4:
		t.claims["nbf"] = now.Add(time.Hour).Unix()
		return kind("a token of tomorrow")
	case 5:
		t.claims["aud"] = pick(g, "web", "mobile", "none")
		return kind("a token for another audience")
	case 6:
		t.claims["aud"] = []string{pick(g, "web", "mobile"), pick(g, "api", "web", "none")}
		return kind("a token for two audiences")
	case 7:
		t.claims["iss"] = "https://elsewhere.example/"
		return kind("a token of an unknown issuer")
	case 8:
		other := g.r.IntN(issuers)
		t.claims["iss"], t.key, t.kid = issuer(other), other, fmt.Sprintf("key%d", other)
		return kind("a token of one of the issuers")
	case 9:
		t.claims["iss"] = issuer((p.issuer + 1) % issuers)
		return kind("a token in another issuer's name")
	case 10:
		t.kid = "unknown"
		return kind("a token with an unknown kid")
	case 11:
		t.broken = true
		return kind("a token with a wrong signature")
	case 12:
		t.key = issuers
		return kind("a token signed with a strange key")
	case 13:
		return &token{kind: "no JWT", text: pick(g, "abc", "a.b.c", "e30.e30.", "...", "eyJhbGciOiJSUzI1NiJ9.e30.AAAA")}
	case 14:
		return &token{kind: "an unsigned token", text: "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lzc3VlcjAuZXhhbXBsZS8iLCJhdWQiOiJhcGkifQ."}
	}
	delete(t.claims, "aud")
	return kind("a token without audience")
}

// claims makes up what RBAC looks at.
func (g *Generator) claims(c jwt.MapClaims) {
	put := func(name string, values ...any) {
		if v := pick(g, values...); v != nil {
			c[name] = v
		}
	}
	put("sub", "alice", "bob")
	put("role", "admin", "admin", "user", "admins", nil)
	put("groups", []any{"red"}, []any{"red", "blue"}, []any{"green"}, []any{}, nil)
	put("scope", "read", "read write", "write", "other", nil)
	put("vip", true, false, "true", nil)
	put("level", 3, 4, "3", nil)
	if g.chance(40) {
		put("role", []any{"admin"}, []any{"user", "admin"}, 7, nil)
		put("groups", "red", "red blue", nil)
		put("scope", []any{"read"}, nil)
	}
}

// sign gives the token's text, always the same.
func (g *Generator) sign(t *token) string {
	if t.claims == nil {
		return t.text
	}
	if t.signed != "" {
		return t.signed
	}
	unsigned := jwt.NewWithClaims(t.method, t.claims)
	unsigned.Header["kid"] = t.kid
	text, err := unsigned.SignedString(g.keys[t.key])
	if err != nil {
		panic(err) // our own key
	}
	if t.broken {
		b := []byte(text)
		at := len(b) - 20
		b[at] = map[bool]byte{true: 'B', false: 'A'}[b[at] == 'A']
		text = string(b)
	}
	t.signed = text
	return text
}

// reshaped are tokens with single claims in another shape.
func (t *token) reshaped() (list []*token) {
	if t.claims == nil {
		return nil
	}
	// Any of them may be what a policy looks at, and more than one.
	names := []string{"role", "groups", "scope", "vip", "level", "sub"}
	for mask := 1; mask < 1<<(len(names)+1); mask++ { // the last bit: of a list the last element
		c := *t
		c.signed, c.claims = "", maps.Clone(t.claims)
		changed := true
		for i, name := range names {
			if mask>>i&1 == 0 {
				continue
			}
			switch value := c.claims[name].(type) {
			case nil:
				changed = false
			case []any:
				if changed = changed && len(value) > 0; changed {
					c.claims[name] = value[(len(value)-1)*(mask>>len(names))]
				}
			default:
				c.claims[name] = []any{value}
			}
		}
		if changed {
			list = append(list, &c)
		}
	}
	return list
}
