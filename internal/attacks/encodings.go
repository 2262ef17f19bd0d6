package attacks

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"edgejwt/verify"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// encodings adds other spellings of base64url and texts that are not strict
// JSON. Each is signed in the spelling in which it is sent, so that the
// signature is good and the spelling alone decides.
func encodings(b *builder) {
	b.group = "encoding"
	k := testKeySet()
	sign := rs256(k.current)
	// With these every part holds - and _ and ends in one byte of three, which
	// leaves four spare bits and room for two = as padding.
	h := encode(header().with("x", `"???>>>~~"`).text() + " ")
	p := encode(b.payload().with("x", `"???>>>~~~"`).text() + " ")
	for len(h)%4 != 2 || !strings.ContainsAny(h, "-_") {
		h = respaced(h)
	}
	for len(p)%4 != 2 || !strings.ContainsAny(p, "-_") {
		p = respaced(p)
	}
	one := "base64url has one spelling here: no padding, no white space, no spare bits (RFC 7515 §2)"
	malformed := func(name, token, why string) { b.token(name, token, verify.TokenMalformed, why) }
	b.token("base64url with - and _", seal(h+"."+p, sign), verify.Accepted, "the token that the next ones spell otherwise")

	good := strings.Split(seal(h+"."+p, func(s string) []byte { return dashed(sign, s) }), ".")
	for i, part := range []string{"header", "payload", "signature"} {
		variant := func(name string, change func(string) string, raw bool) {
			parts := []string{h, p, good[2]}
			parts[i] = change(parts[i])
			if i < 2 {
				parts[2] = encode(string(sign(parts[0] + "." + parts[1])))
			}
			malformed(part+" "+name, strings.Join(parts, "."), one)
			if raw {
				b.raw()
			}
		}
		variant("with padding", func(s string) string { return s + "==" }, false)
		variant("with half its padding", func(s string) string { return s + "=" }, false)
		variant("with too much padding", func(s string) string { return s + "===" }, false)
		variant("with spare bits", spareBits, false)
		variant("with a character too many", func(s string) string { return s + "AAA" }, false)
		variant("with a space inside", func(s string) string { return s[:8] + " " + s[8:] }, false)
		variant("with a tab inside", func(s string) string { return s[:8] + "\t" + s[8:] }, false)
		variant("with a line break inside", func(s string) string { return s[:8] + "\n" + s[8:] }, true)
		variant("with a carriage return inside", func(s string) string { return s[:8] + "\r" + s[8:] }, true)
		if b.proxied(verify.SignatureInvalid); i == 2 {
			b.proxied(verify.Accepted) // without it, the token is as it was signed
		}
		variant("with a NUL inside", func(s string) string { return s[:8] + "\x00" + s[8:] }, true)
		variant("with a byte beyond ASCII inside", func(s string) string { return s[:8] + "\xe9" + s[8:] }, false)
		variant("percent-encoded", func(s string) string { return "%65" + s[1:] }, false)
		variant("in the standard alphabet", strings.NewReplacer("-", "+", "_", "/").Replace, false)
		variant("in hexadecimal", func(string) string { return "7b7d7" }, false)
	}

	texts(b, malformed)
}

// texts adds what decodes, but to something else than a strict JSON object.
func texts(b *builder, malformed func(name, token, why string)) {
	k := testKeySet()
	h, p := header().text(), b.payload().text()
	sign := rs256(k.current)
	for _, c := range []struct {
		name   string
		change func(string) string
		why    string
	}{
		{"behind a byte order mark", func(s string) string { return "\ufeff" + s }, "JSON has no byte order mark (RFC 8259 §8.1)"},
		{"in UTF-16 with a mark", func(s string) string { return "\xff\xfe" + utf16le(s) }, "JSON is UTF-8 (RFC 8259 §8.1)"},
		{"in UTF-16 without a mark", utf16le, "JSON is UTF-8 (RFC 8259 §8.1)"},
		{"with invalid UTF-8", func(s string) string { return s[:len(s)-1] + `,"x":"` + "\xff" + `"}` }, "JSON is UTF-8 (RFC 8259 §8.1)"},
		{"with overlong UTF-8", func(s string) string { return s[:len(s)-1] + `,"x":"` + "\xc0\xaf" + `"}` }, "an overlong form is not UTF-8 (RFC 3629 §3)"},
		{"with a surrogate in UTF-8", func(s string) string { return s[:len(s)-1] + `,"x":"` + "\xed\xa0\x80" + `"}` }, "a surrogate is not UTF-8 (RFC 3629 §3)"},
		{"with half a surrogate pair", func(s string) string { return s[:len(s)-1] + `,"x":"\ud83d"}` }, "half a pair is no character (RFC 7493 §2.1)"},
		{"with half a surrogate pair in a name", func(s string) string { return s[:len(s)-1] + `,"\udc00":1}` }, "half a pair is no character (RFC 7493 §2.1)"},
		{"with a value after it", func(s string) string { return s + `{}` }, "a part is one JSON value"},
		{"with NUL after it", func(s string) string { return s + "\x00" }, "a text does not end at NUL"},
		{"with text after it", func(s string) string { return s + `x` }, "a part is one JSON value"},
		{"with a comment", func(s string) string { return `/* */` + s }, "JSON has no comments (RFC 8259 §2)"},
		{"with a line comment after it", func(s string) string { return s + "//x" }, "JSON has no comments (RFC 8259 §2)"},
		{"with a trailing comma", func(s string) string { return s[:len(s)-1] + `,}` }, "not JSON (RFC 8259 §4)"},
		{"in single quotes", func(s string) string { return strings.ReplaceAll(s, `"`, `'`) }, "not JSON (RFC 8259 §7)"},
		{"without its last brace", func(s string) string { return s[:len(s)-1] }, "not JSON (RFC 8259 §4)"},
		{"with a raw line break in a string", func(s string) string { return s[:len(s)-1] + ",\"x\":\"\n\"}" }, "not JSON (RFC 8259 §7)"},
		{"with an unknown escape", func(s string) string { return s[:len(s)-1] + `,"x":"\x41"}` }, "not JSON (RFC 8259 §7)"},
		{"in a list", func(s string) string { return `[` + s + `]` }, "a part is a JSON object (RFC 7519 §7.2)"},
		{"in a string", jsonString, "a part is a JSON object (RFC 7519 §7.2)"},
		{"replaced by null", func(string) string { return `null` }, "a part is a JSON object (RFC 7519 §7.2)"},
		{"replaced by a number", func(string) string { return `1` }, "a part is a JSON object (RFC 7519 §7.2)"},
		{"replaced by white space", func(string) string { return ` ` }, "a part is a JSON object (RFC 7519 §7.2)"},
		{"empty", func(string) string { return `` }, "a part is a JSON object (RFC 7519 §7.2)"},
		{"compressed", compressed, "a JWS has no compression (RFC 7516 §4.1.3 is for JWE)"},
		{"encoded twice", encode, "a part is encoded once"},
	} {
		malformed("header "+c.name, compact(c.change(h), p, sign), c.why)
		malformed("payload "+c.name, compact(h, c.change(p), sign), c.why)
	}
	for _, c := range []struct {
		name   string
		change func(string) string
		why    string
	}{
		{"nested over the bound", func(s string) string {
			return s[:len(s)-1] + `,"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`
		}, "depth is bounded, so that no text is expensive to read"},
		{"nested 4000 deep", func(s string) string {
			return s[:len(s)-1] + `,"x":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + `}`
		}, "a reader with recursion runs out of stack"},
		{"nested and never closed", func(s string) string { return s[:len(s)-1] + `,"x":` + strings.Repeat(`{"a":`, 1200) },
			"a reader with recursion runs out of stack"},
		{"with too many values", func(s string) string { return s[:len(s)-1] + `,"x":[` + strings.Repeat("0,", 4100) + `0]}` },
			"the number of values is bounded, so that no text is expensive to read"},
	} {
		b.token("header "+c.name, compact(c.change(h), p, sign), verify.TokenTooLarge, c.why)
		b.token("payload "+c.name, compact(h, c.change(p), sign), verify.TokenTooLarge, c.why)
	}
	malformed("payload a token of its own", compact(header().with("cty", `"JWT"`).text(), ordinary(b.payload()), sign),
		"a nested token is not unwrapped (RFC 7519 §5.2)")
}

// respaced adds a space of JSON to an encoded part.
func respaced(part string) string {
	return encode(string(must(base64.RawURLEncoding.DecodeString(part))) + " ")
}

// dashed signs; a signature of 342 characters without - and _ does not occur.
func dashed(sign signer, signed string) []byte {
	s := sign(signed)
	if !strings.ContainsAny(encode(string(s)), "-_") {
		panic("attacks: the rarest signature of all")
	}
	return s
}

// spareBits sets the last of the bits that belong to no byte.
func spareBits(part string) string {
	last := len(part) - 1
	return part[:last] + string(alphabet[strings.IndexByte(alphabet, part[last])|1])
}

func utf16le(s string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

func compressed(s string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	must(w.Write([]byte(s)))
	must(0, w.Close())
	return out.String()
}
