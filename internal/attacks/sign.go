package attacks

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"strconv"
	"strings"
)

// member is one member of a JSON object, both halves as JSON text, so that
// whatever an attacker can write can be written here.
type member struct{ name, value string }

// object is a JSON object in the making, in order, without any checks.
type object []member

func (o object) text() string {
	parts := make([]string, len(o))
	for i, m := range o {
		parts[i] = m.name + ":" + m.value
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// with sets the plainly named member, or adds it.
func (o object) with(name, value string) object {
	name = strconv.Quote(name)
	out := append(object(nil), o...)
	for i := range out {
		if out[i].name == name {
			out[i].value = value
			return out
		}
	}
	return append(out, member{name, value})
}

// and adds a member even when there is one of that name.
func (o object) and(quotedName, value string) object {
	return append(append(object(nil), o...), member{quotedName, value})
}

// without takes the plainly named member out.
func (o object) without(name string) object {
	var out object
	for _, m := range o {
		if m.name != strconv.Quote(name) {
			out = append(out, m)
		}
	}
	return out
}

// header is the JOSE header of an ordinary access token under the current key.
func header() object {
	return object{{`"alg"`, `"RS256"`}, {`"typ"`, `"JWT"`}, {`"kid"`, `"` + KidCurrent + `"`}}
}

// payload is the claims of an ordinary access token, an hour old and good for a day.
func (b *builder) payload() object {
	now := b.now.Unix()
	return object{
		{`"iss"`, strconv.Quote(b.Issuer)},
		{`"sub"`, `"abc123@clients"`},
		{`"aud"`, strconv.Quote(b.Audience)},
		{`"iat"`, strconv.FormatInt(now-3600, 10)},
		{`"nbf"`, strconv.FormatInt(now-3600, 10)},
		{`"exp"`, strconv.FormatInt(now+86400, 10)},
		{`"jti"`, `"0001"`},
	}
}

// signer makes the signature of a signing input.
type signer func(signed string) []byte

// rs signs with RSASSA-PKCS1-v1_5.
func rs(key *rsa.PrivateKey, hash crypto.Hash) signer {
	return func(signed string) []byte {
		h := hash.New()
		h.Write([]byte(signed))
		return must(rsa.SignPKCS1v15(nil, key, hash, h.Sum(nil)))
	}
}

// rs256 signs with the algorithm that the table expects.
func rs256(key *rsa.PrivateKey) signer { return rs(key, crypto.SHA256) }

// hs256 signs with HMAC under a secret that the attacker knows.
func hs256(secret []byte) signer {
	return func(signed string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		return mac.Sum(nil)
	}
}

// fixed is a signature that does not depend on what is signed.
func fixed(signature []byte) signer { return func(string) []byte { return signature } }

// compact puts a token together from three texts.
func compact(header, payload string, sign signer) string {
	return seal(encode(header)+"."+encode(payload), sign)
}

// seal signs what is in its final spelling already.
func seal(signed string, sign signer) string {
	return signed + "." + encode(string(sign(signed)))
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// ordinary is a valid token with these claims.
func ordinary(claims object) string {
	return compact(header().text(), claims.text(), rs256(testKeySet().current))
}

// withHeader is a token that is valid but for its header.
func (b *builder) withHeader(h object) string {
	return compact(h.text(), b.payload().text(), rs256(testKeySet().current))
}

// power applies the private key to an encoded message of the modulus's length:
// RSA without any padding of its own, for forging any padding.
func power(key *rsa.PrivateKey, message []byte) []byte {
	s := new(big.Int).Exp(new(big.Int).SetBytes(message), key.D, key.N)
	return s.FillBytes(make([]byte, key.Size()))
}
