package attacks

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"edgejwt/verify"
	"edgejwt/verify/dpop"
)

// ProofCase is one request with a token that is bound to a key (RFC 9449). The token is
// valid in every case: it is the proof that is attacked.
type ProofCase struct {
	// Name is unique in its group.
	Name string
	// Group is the name of the family to which it belongs.
	Group string
	// Method and Path are the request's. Its scheme and authority are ProofOrigin.
	Method, Path string
	// Headers are the header lines to send, in order, names and values as written.
	Headers [][2]string
	// Want is the right decision: nil when the request must pass, otherwise a dpop.Kind
	// or verify.ErrBindingMissing.
	Want error
	// Why says in one sentence why Want is right.
	Why string
}

// ProofOrigin is the scheme and authority of the API as clients know it.
const ProofOrigin = "https://api.example.com"

// ProofMaxAge and ProofMaxAhead bound how old a proof is and how far ahead its time is.
const (
	ProofMaxAge   = time.Minute
	ProofMaxAhead = 5 * time.Second
)

// ProofRule is the dpop.Rule that Proofs is written for: all algorithms, no nonces.
func ProofRule() dpop.Rule {
	return dpop.Rule{Algorithms: dpop.Algorithms(), MaxAge: ProofMaxAge, MaxAhead: ProofMaxAhead}
}

// Proofs makes the table as of now, which is cut to the second. Options.Slack applies to
// the edges in time.
func Proofs(now time.Time, o Options) []ProofCase {
	b := &proofBuilder{builder: builder{now: now.Truncate(time.Second), Options: o.filled()}, key: ecKey("ec2")}
	b.token = b.boundTo(b.key)
	for _, add := range []func(*proofBuilder){
		validProofs, schemes, proofHeaders, proofKeys, proofSignatures, proofForms,
		proofMethods, proofTargets, proofTimes, proofHashes, proofIDs,
	} {
		add(b)
	}
	return b.cases
}

// proofBuilder collects the cases. Its key is the client's, and its token is bound to it.
type proofBuilder struct {
	builder
	key   crypto.Signer
	token string
	cases []ProofCase
}

const (
	proofMethod = "GET"
	proofPath   = "/orders/7"
)

// boundTo is a valid access token that is bound to the key (RFC 9449 §6.1).
func (b *proofBuilder) boundTo(key crypto.Signer) string {
	return ordinary(b.payload().with("cnf", `{"jkt":`+quote(encode(string(thumbprint(key))))+`}`))
}

func thumbprint(key crypto.Signer) []byte {
	return must((&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256))
}

// jwk is the public key as go-jose writes it.
func jwk(key crypto.Signer) string {
	return string(must(json.Marshal(jose.JSONWebKey{Key: key.Public()})))
}

// head and claims are those of the proof that most cases vary.
func (b *proofBuilder) head() object {
	return object{{`"typ"`, `"dpop+jwt"`}, {`"alg"`, `"ES256"`}, {`"jwk"`, jwk(b.key)}}
}

func (b *proofBuilder) claims() object {
	return object{
		{`"jti"`, `"e1j3V_bKic8-LAEB"`},
		{`"htm"`, quote(proofMethod)},
		{`"htu"`, quote(ProofOrigin + proofPath)},
		{`"iat"`, fmt.Sprint(b.now.Unix())},
		{`"ath"`, quote(tokenHash(b.token))},
	}
}

// tokenHash is "ath" (RFC 9449 §4.2).
func tokenHash(token string) string {
	hash := sha256.Sum256([]byte(token))
	return encode(string(hash[:]))
}

// sign signs with the client's key.
func (b *proofBuilder) sign() signer { return by("ES256", b.key) }

// proof puts a proof together.
func (b *proofBuilder) proof(head, claims object) string {
	return compact(head.text(), claims.text(), b.sign())
}

// add adds a case that sends the proof with the token in the ordinary way.
func (b *proofBuilder) add(name, proof string, want error, why string) *ProofCase {
	return b.send(name, want, why, [2]string{"Authorization", "DPoP " + b.token}, [2]string{"DPoP", proof})
}

// with adds a case that changes one claim.
func (b *proofBuilder) with(name, claim, value string, want error, why string) *ProofCase {
	return b.add(name, b.proof(b.head(), b.claims().with(claim, value)), want, why)
}

// send adds a case that sends these headers.
func (b *proofBuilder) send(name string, want error, why string, headers ...[2]string) *ProofCase {
	for _, c := range b.cases {
		if c.Name == name && c.Group == b.group {
			panic(fmt.Sprintf("attacks: two proofs are named %q in group %s", name, b.group))
		}
	}
	b.cases = append(b.cases, ProofCase{Name: name, Group: b.group, Method: proofMethod, Path: proofPath, Headers: headers, Want: want, Why: why})
	return &b.cases[len(b.cases)-1]
}

// ofLength is a valid proof of exactly n bytes.
func (b *proofBuilder) ofLength(n int) string {
	for _, head := range []object{b.head(), b.head().with("x", `""`), b.head().with("x", `"1"`)} {
		for pad := n / 2; pad < n; pad++ {
			claims := b.claims().with("x", quote(strings.Repeat("x", pad)))
			if len(encode(head.text()))+len(encode(claims.text()))+len(encode(string(make([]byte, 64))))+2 == n {
				return b.proof(head, claims)
			}
		}
	}
	panic("attacks: no proof of that length")
}

// byJose is a proof that go-jose makes, for a token that is bound to the key.
func (b *proofBuilder) byJose(algorithm string, key crypto.Signer, token string) string {
	options := (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt")
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: key}, options))
	signed := must(signer.Sign(must(json.Marshal(map[string]any{
		"jti": "jose-" + algorithm, "htm": proofMethod, "htu": ProofOrigin + proofPath, "iat": b.now.Unix(), "ath": tokenHash(token),
	}))))
	return must(signed.CompactSerialize())
}

func validProofs(b *proofBuilder) {
	b.group = "valid"
	for algorithm, key := range map[string]crypto.Signer{
		"ES256": b.key, "ES384": ecKey("p384"), "EdDSA": fullKeyOf(KidEdDSA).private, "RS256": rsaKey("next"), "PS256": rsaKey("ps256"),
	} {
		token := b.boundTo(key)
		b.send(algorithm+" by go-jose", nil, "an ordinary proof (RFC 9449 §4.2)",
			[2]string{"Authorization", "DPoP " + token}, [2]string{"DPoP", b.byJose(algorithm, key, token)})
	}
	b.add("the proof that most cases vary", b.proof(b.head(), b.claims()), nil, "it has all that RFC 9449 §4.2 asks for")
	b.add("further claims and parameters", b.proof(b.head().with("kid", `"k"`).with("iss", `"x"`), b.claims().with("nonce", `"unasked"`).with("sub", `"x"`)), nil,
		"the JWT may have more, and what is not understood is ignored (RFC 9449 §4.2, RFC 7515 §4)")
	b.send("scheme in another case", nil, "the scheme is compared without case (RFC 9110 §11.1)",
		[2]string{"Authorization", "dpop " + b.token}, [2]string{"dpop", b.proof(b.head(), b.claims())})
	b.add("as WebCrypto exports the key", b.proof(b.head().with("jwk", strings.TrimSuffix(jwk(b.key), "}")+`,"ext":true,"key_ops":["verify"]}`), b.claims()), nil,
		"the members of RFC 7638 identify the key, and the others do not matter")
	b.add("members in another order", b.proof(object{{`"jwk"`, jwk(b.key)}, {`"alg"`, `"ES256"`}, {`"typ"`, `"dpop+jwt"`}}, b.claims()), nil, "the order of members means nothing (RFC 8259 §4)")
}

// schemes adds requests that present the token in another way.
func schemes(b *proofBuilder) {
	b.group = "scheme"
	proof := [2]string{"DPoP", b.proof(b.head(), b.claims())}
	bearer := [2]string{"Authorization", "Bearer " + b.token}
	b.send("as Bearer", verify.ErrBindingMissing, "a bound token must not be accepted as a bearer token (RFC 9449 §7.2)", bearer)
	b.send("as Bearer with the proof", verify.ErrBindingMissing, "the scheme must be DPoP (RFC 9449 §7.1)", bearer, proof)
	unbound := ordinary(b.payload())
	b.send("a token that is not bound", verify.ErrBindingMissing, "the proof's key must be the one to which the token is bound (RFC 9449 §4.3, check 12)",
		[2]string{"Authorization", "DPoP " + unbound}, [2]string{"DPoP", b.byJose("ES256", b.key, unbound)})
}

// proofHeaders adds requests with more or fewer headers than one.
func proofHeaders(b *proofBuilder) {
	b.group = "header"
	scheme, good := [2]string{"Authorization", "DPoP " + b.token}, b.proof(b.head(), b.claims())
	one := "there is not more than one DPoP header (RFC 9449 §4.3, check 1)"
	b.send("none", dpop.Missing, "a proof comes with every request (RFC 9449 §7.1)", scheme)
	b.send("empty", dpop.Invalid, "a proof comes with every request (RFC 9449 §7.1)", scheme, [2]string{"DPoP", ""})
	b.send("twice the same", dpop.Invalid, one, scheme, [2]string{"DPoP", good}, [2]string{"DPoP", good})
	b.send("twice, in two cases", dpop.Invalid, one, scheme, [2]string{"DPoP", good}, [2]string{"dpop", good})
	b.send("a bad one behind", dpop.Invalid, one, scheme, [2]string{"DPoP", good}, [2]string{"DPoP", "x"})
	b.send("joined with a comma", dpop.Invalid, one, scheme, [2]string{"DPoP", good + "," + good})
	b.send("joined with a comma and a space", dpop.Invalid, one, scheme, [2]string{"DPoP", good + ", " + good})
	b.send("in another header", dpop.Missing, "the header's name is DPoP (RFC 9449 §4.1)", scheme, [2]string{"X-DPoP", good})
	b.send("with the scheme in front", dpop.Invalid, "the header's value is the JWT alone (RFC 9449 §4.1)", scheme, [2]string{"DPoP", "DPoP " + good})
}

// proofKeys adds keys that are not the one to which the token is bound, or no public ones.
func proofKeys(b *proofBuilder) {
	b.group = "key"
	other := ecKey("ec")
	b.add("another key, signed with it", b.byJose("ES256", other, b.token), dpop.OtherKey, "the key is the one to which the token is bound (RFC 9449 §4.3, check 12)")
	b.add("another key, signed with the client's", b.proof(b.head().with("jwk", jwk(other)), b.claims()), dpop.OtherKey, "the key is the one to which the token is bound (RFC 9449 §4.3, check 12)")
	b.add("the client's key, signed with another", compact(b.head().text(), b.claims().text(), by("ES256", other)), dpop.Invalid,
		"the signature verifies with jwk (RFC 9449 §4.3, check 6)")

	public := "jwk is a public key (RFC 9449 §4.3, check 7)"
	inside := strings.TrimSuffix(jwk(b.key), "}")
	private := string(must(json.Marshal(jose.JSONWebKey{Key: b.key})))
	b.add("the private key", b.proof(b.head().with("jwk", private), b.claims()), dpop.Invalid, public)
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		b.add("a private member "+name, b.proof(b.head().with("jwk", inside+`,"`+name+`":"AA"}`), b.claims()), dpop.Invalid, public)
	}
	b.add("a private member null", b.proof(b.head().with("jwk", inside+`,"d":null}`), b.claims()), dpop.Invalid, public)
	b.add("a symmetric key", compact(b.head().with("alg", `"HS256"`).with("jwk", `{"kty":"oct","k":"AAAA"}`).text(), b.claims().text(), hs256([]byte{0, 0, 0})), dpop.Invalid,
		"the algorithm is asymmetric (RFC 9449 §4.3, check 5)")

	needed := "jwk is required (RFC 9449 §4.2)"
	b.add("no jwk", b.proof(b.head().without("jwk"), b.claims()), dpop.Invalid, needed)
	for name, value := range map[string]string{"null": "null", "a string": quote(jwk(b.key)), "a list": "[" + jwk(b.key) + "]", "empty": "{}"} {
		b.add("jwk "+name, b.proof(b.head().with("jwk", value), b.claims()), dpop.Invalid, needed)
	}
	for name, text := range map[string]string{"jku": `"https://attacker.example/k"`, "x5u": `"https://attacker.example/c"`, "kid": `"` + KidCurrent + `"`} {
		b.add("no jwk but "+name, b.proof(b.head().without("jwk").with(name, text), b.claims()), dpop.Invalid, needed)
	}
	b.add("jwk twice", b.proof(b.head().and(`"jwk"`, jwk(other)), b.claims()), dpop.Invalid, "a member occurs once (RFC 7515 §4)")
	b.add("jwk twice, once escaped", b.proof(b.head().and(`"j\u0077k"`, jwk(other)), b.claims()), dpop.Invalid, "a member occurs once (RFC 7515 §4)")
	b.add("for encryption", b.proof(b.head().with("jwk", inside+`,"use":"enc"}`), b.claims()), dpop.Invalid, "a key for encryption verifies nothing (RFC 7517 §4.2)")
	b.add("alg of the key is another", b.proof(b.head().with("jwk", inside+`,"alg":"ES384"}`), b.claims()), dpop.Invalid, "the key is for another algorithm (RFC 7517 §4.4)")
	x := between([]byte(jwk(b.key)), `"x":"`)
	b.add("off the curve", b.proof(b.head().with("jwk", `{"kty":"EC","crv":"P-256","x":"`+x+`","y":"`+x+`"}`), b.claims()), dpop.Invalid, "a point that is not on the curve is no key")
	b.add("of another curve", b.proof(b.head().with("jwk", jwk(ecKey("p384"))), b.claims()), dpop.Invalid, "ES256 is for P-256 (RFC 7518 §3.4)")
	b.add("secp256k1", b.proof(b.head().with("jwk", strings.Replace(jwk(b.key), "P-256", "secp256k1", 1)), b.claims()), dpop.Invalid, "the curve is not one of the algorithm's")
	b.add("of small order", compact(b.head().with("alg", `"EdDSA"`).with("jwk", `{"kty":"OKP","crv":"Ed25519","x":"`+encode(string(make([]byte, 32)))+`"}`).text(), b.claims().text(), fixed(make([]byte, 64))),
		dpop.Invalid, "anybody can sign for a key of small order")
	short := &rsa.PublicKey{N: new(big.Int).Rsh(rsaKey("attacker").N, 1025), E: 65537}
	short.N.SetBit(short.N, 0, 1)
	b.add("RSA of 1023 bits", compact(b.head().with("alg", `"RS256"`).with("jwk", string(must(json.Marshal(jose.JSONWebKey{Key: short})))).text(), b.claims().text(), fixed(make([]byte, 128))),
		dpop.Invalid, "an RSA key has 2048 bits or more (RFC 7518 §3.3)")
}

// proofSignatures adds signatures and algorithms that are not the key's.
func proofSignatures(b *proofBuilder) {
	b.group = "signature"
	good := b.proof(b.head(), b.claims())
	cut := strings.LastIndexByte(good, '.')
	verifies := "the signature verifies with jwk (RFC 9449 §4.3, check 6)"
	b.add("empty", good[:cut+1], dpop.Invalid, verifies)
	b.add("of zeros", good[:cut+1]+encode(string(make([]byte, 64))), dpop.Invalid, verifies)
	b.add("without its last byte", good[:len(good)-2], dpop.Invalid, verifies)
	b.add("of another payload", compactWith(b.head(), b.claims().with("jti", `"other"`), good[cut+1:]), dpop.Invalid, verifies)
	asymmetric := "the algorithm is asymmetric and one that the server takes (RFC 9449 §4.3, check 5)"
	for _, algorithm := range []string{"none", "None", "NONE", "HS256", "HS384", "HS512", "es256", "ES256K", "RS1", "RS384", "PS512", "ES512", "dir"} {
		b.add("alg "+algorithm, compact(b.head().with("alg", quote(algorithm)).text(), b.claims().text(), hs256([]byte(jwk(b.key)))), dpop.Invalid, asymmetric)
	}
	b.add("alg none without a signature", encode(b.head().with("alg", `"none"`).text())+"."+encode(b.claims().text())+".", dpop.Invalid, asymmetric)
	b.add("alg ES384 with a key for ES256", compact(b.head().with("alg", `"ES384"`).text(), b.claims().text(), b.sign()), dpop.Invalid, "the key says which algorithm is right (RFC 8725 §3.1)")
	b.add("alg RS256 with a key for ES256", compact(b.head().with("alg", `"RS256"`).text(), b.claims().text(), by("RS256", rsaKey("attacker"))), dpop.Invalid, "the key says which algorithm is right (RFC 8725 §3.1)")
	b.add("no alg", b.proof(b.head().without("alg"), b.claims()), dpop.Invalid, "alg is required (RFC 9449 §4.2)")
}

// compactWith is a proof with a signature that was made before.
func compactWith(head, claims object, signature string) string {
	return encode(head.text()) + "." + encode(claims.text()) + "." + signature
}

// proofForms adds what is not a JWS of the type.
func proofForms(b *proofBuilder) {
	b.group = "form"
	good := b.proof(b.head(), b.claims())
	part := strings.Split(good, ".")
	wellFormed := "the header's value is one well-formed JWT (RFC 9449 §4.3, check 2)"
	for name, proof := range map[string]string{
		"one word": "abc", "two parts": part[0] + "." + part[1], "four parts": good + ".AAAA", "dots": "..", "padded": good + "=",
		"no payload": part[0] + ".." + part[2], "no header": "." + part[1] + "." + part[2],
		"header in the clear": b.head().text() + "." + part[1] + "." + part[2], "a space inside": part[0] + "." + part[1] + ". " + part[2],
		"payload a list": compact(b.head().text(), "["+b.claims().text()+"]", b.sign()), "payload no JSON": compact(b.head().text(), "x", b.sign()),
		"payload not UTF-8": compact(b.head().text(), strings.Replace(b.claims().text(), "e1j3", "\xff", 1), b.sign()),
		"payload nested":    b.proof(b.head(), b.claims().with("x", strings.Repeat("[", 20)+strings.Repeat("]", 20))),
		"a claim twice":     b.proof(b.head(), b.claims().and(`"htu"`, quote("https://attacker.example/"))),
		"crit":              b.proof(b.head().with("crit", `["exp"]`).with("exp", "1"), b.claims()),
		"b64":               b.proof(b.head().with("b64", "false"), b.claims()),
		"over-long":         b.proof(b.head(), b.claims().with("x", quote(strings.Repeat("x", dpop.MaxProofBytes)))),
	} {
		b.add(name, proof, dpop.Invalid, wellFormed)
	}
	b.add("as long as may be", b.ofLength(dpop.MaxProofBytes), nil, "the bound itself is inside")
	b.add("a byte longer", b.ofLength(dpop.MaxProofBytes+1), dpop.Invalid, "what is read before the signature is bounded")
	typ := "typ is dpop+jwt (RFC 9449 §4.3, check 4)"
	b.add("no typ", b.proof(b.head().without("typ"), b.claims()), dpop.Invalid, typ)
	for _, value := range []string{"JWT", "jwt", "at+jwt", "DPOP+JWT", "dpop+jwt ", "application/dpop+jwt", "dpop", "dpop+jws", ""} {
		b.add("typ "+quote(value), b.proof(b.head().with("typ", quote(value)), b.claims()), dpop.Invalid, typ)
	}
	b.add("typ a list", b.proof(b.head().with("typ", `["dpop+jwt"]`), b.claims()), dpop.Invalid, typ)
	b.add("the access token", b.token, dpop.Invalid, typ)
}

// proofMethods adds proofs for another method.
func proofMethods(b *proofBuilder) {
	b.group = "htm"
	matches := "htm is the request's method (RFC 9449 §4.3, check 8)"
	for _, method := range []string{"POST", "get", "Get", "HEAD", "GET ", " GET", "", "*", "GET,POST"} {
		b.with("htm "+quote(method), "htm", quote(method), dpop.Invalid, matches)
	}
	b.with("htm a list", "htm", `["GET"]`, dpop.Invalid, matches)
	b.with("htm null", "htm", `null`, dpop.Invalid, matches)
	b.add("no htm", b.proof(b.head(), b.claims().without("htm")), dpop.Invalid, "htm is required (RFC 9449 §4.2)")
	b.with("a proof for GET with HEAD", "jti", `"1"`, dpop.Invalid, matches).Method = "HEAD"
	b.with("a proof for GET with POST", "jti", `"1"`, dpop.Invalid, matches).Method = "POST"
	b.with("htm POST with POST", "htm", `"POST"`, nil, matches).Method = "POST"
	b.with("htm HEAD with HEAD", "htm", `"HEAD"`, nil, matches).Method = "HEAD"
	b.with("htm of an extension", "htm", `"PROPFIND"`, nil, matches).Method = "PROPFIND"
}

// proofTargets adds spellings of the request's URI, and other URIs.
func proofTargets(b *proofBuilder) {
	b.group = "htu"
	const matches = "htu is the target URI (RFC 9449 §4.3, check 9)"
	const normal = "equivalent by RFC 3986 §6.2.2 and §6.2.3 (RFC 9449 §4.3)"
	same := func(htu, why string) { b.with("same: "+htu, "htu", quote(htu), nil, why) }
	other := func(htu, why string) { b.with("other: "+htu, "htu", quote(htu), dpop.Invalid, why) }

	same("HTTPS://api.example.com/orders/7", normal)
	same("https://API.Example.COM/orders/7", normal)
	same("https://api.example.com:443/orders/7", normal)
	same("https://api.example.com:/orders/7", normal)
	same("https://api.example.com/%6frders/7", normal)
	same("https://api.example.com/%6Frders/%37", normal)
	same("https://api.example.com/./orders/7", normal)
	same("https://api.example.com/x/../orders/7", normal)
	same("https://api.example.com/x/%2E%2e/orders/7", normal)
	same("https://api.example.com/../orders/7", normal)
	same("https://api.example.com/orders/7?", "query and fragment are ignored (RFC 9449 §4.3, check 9)")
	same("https://api.example.com/orders/7?a=b", "query and fragment are ignored (RFC 9449 §4.3, check 9)")
	same("https://api.example.com/orders/7#x", "query and fragment are ignored (RFC 9449 §4.3, check 9)")
	same("https://api.example.com/orders/7?a#x?y", "query and fragment are ignored (RFC 9449 §4.3, check 9)")

	other("https://api.example.com/orders/8", matches)
	other("https://api.example.com/orders", matches)
	other("https://api.example.com/orders/7/", "a slash at the end makes another path")
	other("https://api.example.com//orders/7", "an empty segment makes another path")
	other("https://api.example.com/orders//7", "an empty segment makes another path")
	other("https://api.example.com/Orders/7", "paths are case-sensitive (RFC 3986 §6.2.2.1)")
	other("https://api.example.com/orders%2F7", "an encoded slash is data (RFC 3986 §2.2)")
	other("https://api.example.com/orders/%2537", "%25 is a percent sign and decoded once")
	other("https://api.example.com/orders/7%20", matches)
	other("https://api.example.com/orders/7%00", matches)
	other("https://api.example.com/orders/7;x", matches)
	other("https://api.example.com/x/..//orders/7", "dot segments are removed one by one (RFC 3986 §5.2.4)")
	other("https://api.example.com/orders/7/..", matches)
	other("https://api.example.com/orders/%2", "a percent sign begins an escape (RFC 3986 §2.1)")
	other("https://api.example.com/orders/%zz", "a percent sign begins an escape (RFC 3986 §2.1)")
	other("http://api.example.com/orders/7", "another scheme")
	other("https://api.example.com:8443/orders/7", "another port")
	other("https://api.example.com:80/orders/7", "another port")
	other("https://api.example.com:0443/orders/7", "a port is not normalized but for the default (RFC 3986 §6.2.3)")
	other("https://api.example.com:443x/orders/7", "a port is digits (RFC 3986 §3.2.3)")
	other("http://api.example.com:443/orders/7", "another scheme")
	other("https://attacker.example/orders/7", "another host: the proof was made for the attacker's server")
	other("https://api.example.com./orders/7", "RFC 3986 does not remove the dot")
	other("https://xapi.example.com/orders/7", "another host")
	other("https://api.example.com.attacker.example/orders/7", "another host")
	other("https://api.example.com@attacker.example/orders/7", "another host")
	other("https://attacker.example@api.example.com/orders/7", "an http URI has no user information (RFC 9110 §4.2.4)")
	other("https://user:secret@api.example.com/orders/7", "an http URI has no user information (RFC 9110 §4.2.4)")
	other("https://%61pi.example.com/orders/7", "parsers read an encoded host differently")
	other("https://api.example.com%2forders/7", "parsers read an encoded host differently")
	other(`https://api.example.com\orders/7`, "browsers read a backslash as a slash, others do not")
	other(`https://attacker.example\@api.example.com/orders/7`, "browsers read a backslash as a slash, others do not")
	other("https:/api.example.com/orders/7", "there is no authority")
	other("https:///orders/7", "an http URI has a host (RFC 9110 §4.2.1)")
	other("https://?x/orders/7", "an http URI has a host (RFC 9110 §4.2.1)")
	other("//api.example.com/orders/7", "htu is an absolute URI")
	other("/orders/7", "htu is an absolute URI")
	other("api.example.com/orders/7", "htu is an absolute URI")
	other("wss://api.example.com/orders/7", "another scheme")
	other("javascript:https://api.example.com/orders/7", "another scheme")
	other("https://[::1]/orders/7", "another host")
	other("https://[api.example.com]/orders/7", "brackets are for IP addresses (RFC 3986 §3.2.2)")
	other("https://api.example.com]/orders/7", "brackets are for IP addresses (RFC 3986 §3.2.2)")
	other(" https://api.example.com/orders/7", "a URI has no white space")
	other("https://api.example.com/orders/7 ", "a URI has no white space")
	other("https://api.example.com/orders/7\n", "a URI has no white space")
	other("https://api.example.com\t/orders/7", "a URI has no white space")
	other("https://api.example.com/orders/７", "a URI is ASCII (RFC 3986 §2)")
	other("https://api.ex\u00e4mple.com/orders/7", "a URI is ASCII (RFC 3986 §2)")
	other("https://\u24d0pi.example.com/orders/7", "a URI is ASCII (RFC 3986 §2)")
	other("", matches)
	b.with("htu a list", "htu", `["`+ProofOrigin+proofPath+`"]`, dpop.Invalid, matches)
	b.with("htu null", "htu", "null", dpop.Invalid, matches)
	b.add("no htu", b.proof(b.head(), b.claims().without("htu")), dpop.Invalid, "htu is required (RFC 9449 §4.2)")

	for _, c := range []struct {
		path, htu string
		want      error
		why       string
	}{
		{"/orders/7?page=2", "/orders/7", nil, "query and fragment are ignored (RFC 9449 §4.3, check 9)"},
		{"/orders/7?page=2", "/orders/7?page=3", nil, "query and fragment are ignored (RFC 9449 §4.3, check 9)"},
		{"/orders/7?x=/../8", "/orders/7", nil, "query and fragment are ignored (RFC 9449 §4.3, check 9)"},
		{"/", "", nil, "an empty path is / (RFC 3986 §6.2.3)"},
		{"/", "?x", nil, "an empty path is / (RFC 3986 §6.2.3)"},
		{"/?x", "/", nil, "query and fragment are ignored (RFC 9449 §4.3, check 9)"},
		{"/%6frders/7", "/orders/7", nil, normal},
		{"/a%2fb", "/a%2Fb", nil, normal},
		{"/a%2fb", "/a/b", dpop.Invalid, "an encoded slash is data (RFC 3986 §2.2)"},
		{"/a%3Fb", "/a?b", dpop.Invalid, "an encoded question mark is data (RFC 3986 §2.2)"},
		{"/a%23b", "/a#b", dpop.Invalid, "an encoded number sign is data (RFC 3986 §2.2)"},
		{"/orders/8", "/orders/7", dpop.Invalid, matches},
		{"/orders/7/", "/orders/7", dpop.Invalid, "a slash at the end makes another path"},
		{"/b;v=1,2/c:d@e!$&'()*+=~-._", "/b;v=1,2/c:d@e!$&'()*+=~-._", nil, "the characters of a path (RFC 3986 §3.3)"},
		{"/a%20b", "/a%20b", nil, "the same bytes"},
		{"/a%7cb", "/a|b", nil, "a client's library and its socket may encode differently what RFC 3986 does not allow"},
		{"/caf%C3%A9", "/caf%c3%a9", nil, normal},
	} {
		b.with("path "+c.path+" with htu "+c.htu, "htu", quote(ProofOrigin+c.htu), c.want, c.why).Path = c.path
	}
}

// proofTimes adds both sides of the window's edges.
func proofTimes(b *proofBuilder) {
	b.group = "iat"
	recent := "iat is within an acceptable window (RFC 9449 §4.3, check 11)"
	at := func(name string, d time.Duration, want error) {
		t := b.now.Add(d)
		value := fmt.Sprint(t.Unix())
		if t.Nanosecond() != 0 {
			value = fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/1e6)
		}
		b.with(name, "iat", value, want, recent)
	}
	second, milli := time.Second, time.Millisecond
	at("a second ago", -second, nil)
	at("at the oldest", -ProofMaxAge+b.Slack, nil)
	at("a millisecond too old", -ProofMaxAge-milli-b.Slack, dpop.Invalid)
	at("a second too old", -ProofMaxAge-second-b.Slack, dpop.Invalid)
	at("an hour ago", -time.Hour, dpop.Invalid)
	at("at the farthest ahead", ProofMaxAhead-min(b.Slack, ProofMaxAhead), nil)
	at("a millisecond too far ahead", ProofMaxAhead+milli+b.Slack, dpop.Invalid)
	at("a second too far ahead", ProofMaxAhead+second+b.Slack, dpop.Invalid)
	at("in an hour", time.Hour, dpop.Invalid)
	b.with("iat in milliseconds", "iat", fmt.Sprint(b.now.UnixMilli()), dpop.Invalid, recent)
	for name, value := range map[string]string{"a string": quote(fmt.Sprint(b.now.Unix())), "null": "null", "zero": "0", "negative": "-1", "infinite": "1e999", "a list": "[]", "true": "true"} {
		b.with("iat "+name, "iat", value, dpop.Invalid, recent)
	}
	b.add("no iat", b.proof(b.head(), b.claims().without("iat")), dpop.Invalid, "iat is required (RFC 9449 §4.2)")
}

// proofHashes adds proofs for another token.
func proofHashes(b *proofBuilder) {
	b.group = "ath"
	matches := "ath is the hash of the access token (RFC 9449 §4.3, check 12)"
	hash := tokenHash(b.token)
	b.with("of another token", "ath", quote(tokenHash(ordinary(b.payload()))), dpop.Invalid, matches)
	b.with("of the payload", "ath", quote(tokenHash(strings.Split(b.token, ".")[1])), dpop.Invalid, matches)
	b.with("with the scheme", "ath", quote(tokenHash("DPoP "+b.token)), dpop.Invalid, matches)
	b.with("padded", "ath", quote(hash+"="), dpop.Invalid, matches)
	b.with("in hexadecimal", "ath", quote(fmt.Sprintf("%x", sha256.Sum256([]byte(b.token)))), dpop.Invalid, matches)
	b.with("cut", "ath", quote(hash[:42]), dpop.Invalid, matches)
	b.with("the token itself", "ath", quote(b.token), dpop.Invalid, matches)
	b.with("empty", "ath", `""`, dpop.Invalid, matches)
	b.with("ath null", "ath", `null`, dpop.Invalid, matches)
	b.with("ath a list", "ath", `["`+hash+`"]`, dpop.Invalid, matches)
	b.add("no ath", b.proof(b.head(), b.claims().without("ath")), dpop.Invalid, "ath is required with an access token (RFC 9449 §4.2): this proof is for the token endpoint")
	second := ordinary(b.payload().with("jti", `"0002"`).with("cnf", `{"jkt":`+quote(encode(string(thumbprint(b.key))))+`}`))
	b.send("the client's second token with the first one's proof", dpop.Invalid, matches,
		[2]string{"Authorization", "DPoP " + second}, [2]string{"DPoP", b.proof(b.head(), b.claims())})
}

// proofIDs adds values of jti.
func proofIDs(b *proofBuilder) {
	b.group = "jti"
	required := "jti identifies the proof (RFC 9449 §4.2)"
	b.add("no jti", b.proof(b.head(), b.claims().without("jti")), dpop.Invalid, required)
	for name, value := range map[string]string{"empty": `""`, "null": "null", "a number": "7", "a list": `["x"]`, "an object": "{}"} {
		b.with("jti "+name, "jti", value, dpop.Invalid, required)
	}
	b.with("as long as may be", "jti", quote(strings.Repeat("x", dpop.MaxIDBytes)), nil, "the bound itself is inside")
	b.with("a byte longer", "jti", quote(strings.Repeat("x", dpop.MaxIDBytes+1)), dpop.Invalid, "replay memory is bounded, and so is what identifies a proof (RFC 9449 §11.1)")
	b.with("beyond ASCII", "jti", `"\u0000\ud83d\ude00"`, nil, "jti is any string (RFC 7519 §4.1.7)")
}

// ProofWithNonce gives the header lines of a request whose proof is valid and has this
// "nonce", in JSON; "" leaves the claim out. The request is a GET of /orders/7.
func ProofWithNonce(now time.Time, o Options, nonce string) [][2]string {
	b := &proofBuilder{builder: builder{now: now.Truncate(time.Second), Options: o.filled()}, key: ecKey("ec2")}
	b.token = b.boundTo(b.key)
	claims := b.claims()
	if nonce != "" {
		claims = claims.with("nonce", nonce)
	}
	return [][2]string{{"Authorization", "DPoP " + b.token}, {"DPoP", b.proof(b.head(), claims)}}
}
