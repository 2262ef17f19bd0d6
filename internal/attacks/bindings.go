package attacks

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"edgejwt/verify"
)

// Bindings makes a table of tokens with the claim "cnf" (RFC 7800 §3.1) that are sent as
// plain bearer tokens, for a filter that checks bindings (senderConstraint: whenBound). All
// of them are valid apart from that.
func Bindings(now time.Time, o Options) []Case {
	b := &builder{now: now.Truncate(time.Second), Options: o.filled(), group: "binding"}
	jkt := `"jkt":` + quote(encode(string(thumbprint(ecKey("ec2")))))
	digest := sha256.Sum256([]byte("a certificate"))
	x5t := `"x5t#S256":` + quote(encode(string(digest[:])))
	add := func(name, cnf string, want verify.Reason, why string) {
		b.token(name, ordinary(b.payload().with("cnf", cnf)), want, why)
	}
	const (
		downgrade = "a bound token must not be accepted as a bearer token (RFC 9449 §7.2)"
		noProof   = "the certificate must be that of the connection (RFC 8705 §3)"
		unknown   = "what cannot be checked must not pass for checked (RFC 7800 §3.1 lets applications be strict)"
		malformed = "a value of the wrong form binds to nothing that a client could prove"
	)
	b.token("not bound", ordinary(b.payload()), verify.Accepted, "a token without cnf is a bearer token (RFC 6750)")
	b.token("cnf nested in another claim", ordinary(b.payload().with("act", `{"cnf":{`+jkt+`}}`)), verify.Accepted, "only the claim of the token itself binds it (RFC 7800 §3)")
	add("to a key", `{`+jkt+`}`, verify.BindingMissing, downgrade)
	add("to a certificate", `{`+x5t+`}`, verify.BindingMissing, noProof)
	add("to both", `{`+jkt+`,`+x5t+`}`, verify.BindingMissing, downgrade)
	for _, member := range []struct{ name, text string }{
		{"jwk", `{"kty":"EC","crv":"P-256","x":"usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8","y":"3BttVivg+lSreASjpkttcsz-1rb7btKLv8EX4"}`},
		{"jwe", `"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhDQkMtSFMyNTYifQ.a.b.c.d"`}, {"kid", `"dfd1aa97-6d8d-4575-a0fe-34b96de2bfad"`},
		{"jku", `"https://keys.example/"`}, {"x5t", `"dfd1aa97"`}, {"x5t#S512", quote(encode(string(digest[:])))}, {"JKT", quote(encode(string(digest[:])))},
		{"", `""`}, {"osc", `{}`},
	} {
		text := quote(member.name) + ":" + member.text
		add("by "+quote(member.name), `{`+text+`}`, verify.BindingMissing, unknown)
		add("to a key and by "+quote(member.name), `{`+jkt+`,`+text+`}`, verify.BindingMissing, unknown)
	}
	for _, kind := range kindsOfValue {
		add("cnf is "+kind.name, kind.text, verify.BindingMissing, malformed)
		add("jkt is "+kind.name, `{"jkt":`+kind.text+`}`, verify.BindingMissing, malformed)
		add("x5t#S256 is "+kind.name, `{"x5t#S256":`+kind.text+`}`, verify.BindingMissing, malformed)
	}
	for _, form := range []struct{ name, text string }{
		{"in hexadecimal", hex.EncodeToString(digest[:])}, {"with padding", encode(string(digest[:])) + "="}, {"with a line feed", encode(string(digest[:])) + `\n`},
		{"one byte short", encode(string(digest[:31]))}, {"one byte long", encode(string(digest[:]) + "x")}, {"of SHA-1", encode(string(digest[:20]))},
	} {
		add("x5t#S256 "+form.name, `{"x5t#S256":"`+form.text+`"}`, verify.BindingMissing, malformed)
		add("jkt "+form.name, `{"jkt":"`+form.text+`"}`, verify.BindingMissing, malformed)
	}
	b.token("cnf twice", ordinary(b.payload().with("cnf", `{`+jkt+`}`).and(`"cnf"`, `{}`)), verify.TokenMalformed, "readers take different ones of two members (RFC 8259 §4)")
	b.token("jkt twice", ordinary(b.payload().with("cnf", `{`+jkt+`,`+jkt+`}`)), verify.TokenMalformed, "readers take different ones of two members (RFC 8259 §4)")
	return b.cases
}
