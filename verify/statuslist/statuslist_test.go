package statuslist

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"edgejwt/verify"
)

const (
	issuer = "https://example.com"
	uri    = "https://example.com/statuslists/1"
)

// now lies between the iat and the exp of the draft's example (§5.1).
var now = time.Unix(1_700_000_000, 0)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signed makes a status list token with go-jose.
func signed(t testing.TB, key crypto.Signer, typ string, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "12"}}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// claims are those of the draft's example, with changes; nil removes a claim.
func claims(changes map[string]any) map[string]any {
	all := map[string]any{
		"exp": 2291720170, "iat": 1686920170, "sub": uri, "ttl": 43200,
		"status_list": map[string]any{"bits": 1, "lst": "eNrbuRgAAhcBXQ"},
	}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

func ruleFor(t testing.TB, key crypto.Signer) *Rule {
	t.Helper()
	public, err := verify.NewKey("12", "", key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return &Rule{Issuer: issuer, Algorithms: []string{"ES256"}, ClockSkew: time.Minute, Engine: verify.GoEngine,
		Keys: func(kid string, hasKID bool, algorithm string) []*verify.Key {
			if kid != "12" || !hasKID || algorithm != "ES256" {
				return nil
			}
			return []*verify.Key{public}
		}}
}

func deflated(t testing.TB, b []byte) string {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(out.Bytes())
}

// TestStandardsLists has the lists of the draft's §4.1 and appendix C.
func TestStandardsLists(t *testing.T) {
	key := newKey(t)
	fromHex := func(text string) string {
		b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	at := func(statuses ...Status) func(uint64) Status { return func(i uint64) Status { return statuses[i] } }
	sparse := func(statuses map[uint64]Status) func(uint64) Status {
		return func(i uint64) Status { return statuses[i] }
	}
	for _, c := range []struct {
		name string
		bits int
		lst  string
		n    int
		want func(uint64) Status
	}{
		{"§4.1, 1 bit", 1, "eNrbuRgAAhcBXQ", 16, at(1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1)},
		{"§4.1, 2 bits", 2, "eNo76fITAAPfAgc", 12, at(1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3)},
		{"appendix C, 1 bit", 1, fromHex(`
			78daeddc010dc0200c0041a88249400ad2903e0f4b
			ba00bd93f002beb7a2a2010000a91e09000000000000000000000000000000807296
			04000000000000000000000000000000000000000000000000000000000000000000
			000000000000005c6f4800000000000000fc2c240000000000000000000000be1b12
			000000000000000000ecaa4b000000000000000000000000000000009b0b09000000
			00000000000038de9400000000000000002a30cc010000000080642f0bd8011b`), 1 << 20, sparse(map[uint64]Status{
			0: 1, 1993: 1, 25460: 1, 159495: 1, 495669: 1, 554353: 1, 645645: 1, 723232: 1, 854545: 1, 934534: 1, 1000345: 1})},
		{"appendix C, 2 bits", 2, fromHex(`
			78daeddb310d00211000412ea1a04004fe5520ed
			357c28c81d3312b6df68bc65480000000000406e2101000000000000000000000000
			0000000000000000000000000000000000000040795b020000000000000000000000
			00000000000000000000000000000000000000000000000000000000000000000000
			00000000000000000000000000000000000000000000000000000000000000000000
			0080f4ba0400000000000000000000000000406d764a000000000000000000000000
			000000000000000000e0922101000000000000000000000000000000000000fc1312
			00000000000000000000000000000000000000000000000000000000000000c0912e
			01000000000000000000000000000000000000c07d4b020000000000000000000000
			00000000a8614a0000000000000000000000406a1fcd60010c`), 1 << 20, sparse(map[uint64]Status{
			0: 1, 1993: 2, 25460: 1, 159495: 3, 495669: 1, 554353: 1, 645645: 2, 723232: 1, 854545: 1, 934534: 2, 1000345: 3})},
		{"4 bits", 4, deflated(t, []byte{0x21, 0xf0}), 4, at(1, 2, 0, 15)},
		{"8 bits", 8, deflated(t, []byte{0, 1, 2, 255}), 4, at(0, 1, 2, 255)},
	} {
		compact := signed(t, key, "statuslist+jwt", claims(map[string]any{"status_list": map[string]any{"bits": c.bits, "lst": c.lst}}))
		l, err := ruleFor(t, key).Open(compact, uri, now)
		if err != nil || l.Len() != c.n || l.TTL() != 12*time.Hour {
			t.Errorf("%s: %v, %d statuses", c.name, err, l.Len())
			continue
		}
		again, err := Decode(l.Encode())
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(c.n) {
			got, ok := l.Status(i)
			decoded, _ := again.Status(i)
			if !ok || got != c.want(i) || decoded != got {
				t.Errorf("%s, index %d: %d, %v; decoded %d; want %d", c.name, i, got, ok, decoded, c.want(i))
			}
		}
		for _, i := range []uint64{uint64(c.n), uint64(c.n) + 1, 1 << 53, math.MaxUint64, math.MaxUint64/2 + 1, math.MaxUint64 / uint64(c.bits)} {
			if got, ok := l.Status(i); ok {
				t.Errorf("%s, index %d: %d", c.name, i, got)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	key, other := newKey(t), newKey(t)
	const typ = "statuslist+jwt"
	changed := func(name string, value any) string { return signed(t, key, typ, claims(map[string]any{name: value})) }
	lst := func(bits, lst any) string {
		return changed("status_list", map[string]any{"bits": bits, "lst": lst})
	}
	good := signed(t, key, typ, claims(nil))
	compressed, err := base64.RawURLEncoding.DecodeString("eNrbuRgAAhcBXQ")
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	withChecksum := bytes.Clone(compressed)
	withChecksum[len(withChecksum)-1] ^= 1
	rule := ruleFor(t, key)
	noKeys, otherAlgorithm, broken := *rule, *rule, *rule
	noKeys.Keys = func(string, bool, string) []*verify.Key { return nil }
	otherAlgorithm.Algorithms = []string{"RS256"}
	broken.Engine = func(string, *verify.Key, string, []byte) (bool, error) { return true, errors.New("no answer") }

	for _, c := range []struct {
		name    string
		rule    *Rule
		compact string
		want    error
	}{
		{"as it should be", rule, good, nil},
		{"with its issuer", rule, changed("iss", issuer), nil},
		{"without exp and ttl", rule, signed(t, key, typ, claims(map[string]any{"exp": nil, "ttl": nil})), nil},
		{"exp in the skew", rule, changed("exp", now.Unix()-59), nil},
		{"iat in the skew", rule, changed("iat", now.Unix()+60), nil},
		{"an empty list", rule, lst(1, deflated(t, nil)), nil},
		{"as long as may be", rule, lst(1, deflated(t, make([]byte, MaxListBytes))), nil},

		{"empty", rule, "", ErrMalformed},
		{"two parts", rule, good[:strings.LastIndexByte(good, '.')], ErrMalformed},
		{"typ JWT", rule, signed(t, key, "JWT", claims(nil)), ErrMalformed},
		{"typ at+jwt", rule, signed(t, key, "at+jwt", claims(nil)), ErrMalformed},
		{"typ as a media type", rule, signed(t, key, "application/statuslist+jwt", claims(nil)), ErrMalformed},
		{"typ of the CWT format", rule, signed(t, key, "statuslist+cwt", claims(nil)), ErrMalformed},
		{"another algorithm", &otherAlgorithm, good, ErrAlgorithm},
		{"no key", &noKeys, good, ErrKey},
		{"another key", rule, signed(t, other, typ, claims(nil)), ErrSignature},
		{"no signature", rule, good[:strings.LastIndexByte(good, '.')+1], ErrSignature},
		{"an engine that fails", &broken, good, ErrUnchecked},
		{"another issuer", rule, changed("iss", "https://example.com/"), ErrIssuer},
		{"issuer a list", rule, changed("iss", []string{issuer}), ErrIssuer},
		{"no sub", rule, changed("sub", nil), ErrSubject},
		{"sub of another list", rule, changed("sub", "https://example.com/statuslists/2"), ErrSubject},
		{"sub a list", rule, changed("sub", []string{uri}), ErrSubject},
		{"no iat", rule, changed("iat", nil), ErrTime},
		{"iat a string", rule, changed("iat", "1686920170"), ErrTime},
		{"iat past the skew", rule, changed("iat", now.Unix()+61), ErrNotYet},
		{"nbf past the skew", rule, changed("nbf", now.Unix()+61), ErrNotYet},
		{"nbf a string", rule, changed("nbf", "1"), ErrTime},
		{"exp at the skew's edge", rule, changed("exp", now.Unix()-60), ErrExpired},
		{"exp a string", rule, changed("exp", "2291720170"), ErrTime},
		{"ttl zero", rule, changed("ttl", 0), ErrTime},
		{"ttl negative", rule, changed("ttl", -1), ErrTime},
		{"ttl a string", rule, changed("ttl", "43200"), ErrTime},
		{"no status_list", rule, changed("status_list", nil), ErrList},
		{"status_list a string", rule, changed("status_list", "eNrbuRgAAhcBXQ"), ErrList},
		{"no bits", rule, changed("status_list", map[string]any{"lst": "eNrbuRgAAhcBXQ"}), ErrList},
		{"bits 0", rule, lst(0, "eNrbuRgAAhcBXQ"), ErrList},
		{"bits 3", rule, lst(3, "eNrbuRgAAhcBXQ"), ErrList},
		{"bits 16", rule, lst(16, "eNrbuRgAAhcBXQ"), ErrList},
		{"bits 257", rule, lst(257, "eNrbuRgAAhcBXQ"), ErrList},
		{"bits 1.5", rule, lst(1.5, "eNrbuRgAAhcBXQ"), ErrList},
		{"bits a string", rule, lst("1", "eNrbuRgAAhcBXQ"), ErrList},
		{"no lst", rule, changed("status_list", map[string]any{"bits": 1}), ErrList},
		{"lst a list", rule, lst(1, []int{1}), ErrList},
		{"lst empty", rule, lst(1, ""), ErrList},
		{"lst padded", rule, lst(1, "eNrbuRgAAhcBXQ=="), ErrList},
		{"lst in base64", rule, lst(1, "++++"), ErrList},
		{"lst not compressed", rule, lst(1, encode([]byte{0xb9, 0xa3})), ErrList},
		{"lst raw DEFLATE", rule, lst(1, encode(compressed[2:len(compressed)-4])), ErrList},
		{"lst gzip", rule, lst(1, encode([]byte("\x1f\x8b\x08"))), ErrList},
		{"lst cut", rule, lst(1, encode(compressed[:len(compressed)-1])), ErrList},
		{"lst with a wrong checksum", rule, lst(1, encode(withChecksum)), ErrList},
		{"lst with bytes behind", rule, lst(1, encode(append(bytes.Clone(compressed), 0))), ErrList},
		{"lst with a dictionary", rule, lst(1, encode([]byte{0x78, 0xf9, 0, 0, 0, 1, 0})), ErrList},
		{"a byte longer than may be", rule, lst(1, deflated(t, make([]byte, MaxListBytes+1))), ErrTooLong},
		{"a bomb", rule, lst(1, deflated(t, make([]byte, 100*MaxListBytes))), ErrTooLong},
		{"a long token", rule, good + strings.Repeat("A", MaxTokenBytes), ErrTooLong},
	} {
		l, err := c.rule.Open(c.compact, uri, now)
		if err != c.want || (err == nil) == (l == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	l, err := rule.Open(changed("exp", now.Unix()), uri, now)
	if err != nil {
		t.Fatal(err)
	}
	if l.Expired(now.Add(time.Minute-time.Millisecond)) || !l.Expired(now.Add(time.Minute)) {
		t.Error("a list expires at exp and the skew")
	}
	forever, err := rule.Open(signed(t, key, typ, claims(map[string]any{"exp": nil, "ttl": nil})), uri, now)
	if err != nil || forever.Expired(time.Unix(1<<40, 0)) || forever.TTL() != 0 {
		t.Errorf("without exp and ttl: %v", err)
	}
	if huge, err := rule.Open(changed("ttl", 1<<53), uri, now); err != nil || huge.TTL() <= 0 {
		t.Errorf("a great ttl: %v", err)
	}
}

// TestBombIsNotInflated: of a list that is too long, no more is inflated than shows that.
func TestBombIsNotInflated(t *testing.T) {
	key := newKey(t)
	bomb := signed(t, key, "statuslist+jwt", claims(map[string]any{"status_list": map[string]any{"bits": 1, "lst": deflated(t, make([]byte, 100*MaxListBytes))}}))
	rule := ruleFor(t, key)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := rule.Open(bomb, uri, now)
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; err != ErrTooLong || allocated > 16*MaxListBytes {
		t.Errorf("%v after %d bytes", err, allocated)
	}
}

func TestReferenceOf(t *testing.T) {
	good := Reference{uri, 7}
	for _, c := range []struct {
		name, claims string
		want         Reference
		has          bool
		err          error
	}{
		{"none", `{}`, Reference{}, false, nil},
		{"one", `{"status":{"status_list":{"idx":7,"uri":"` + uri + `"}}}`, good, true, nil},
		{"beside another mechanism", `{"status":{"other":1,"status_list":{"uri":"` + uri + `","idx":7,"more":1}}}`, good, true, nil},
		{"index 0", `{"status":{"status_list":{"idx":0,"uri":"u"}}}`, Reference{"u", 0}, true, nil},
		{"the greatest index", `{"status":{"status_list":{"idx":9007199254740991,"uri":"u"}}}`, Reference{"u", 1<<53 - 1}, true, nil},
		{"a greater one", `{"status":{"status_list":{"idx":9007199254740992,"uri":"u"}}}`, Reference{}, true, ErrReference},
		{"status null", `{"status":null}`, Reference{}, true, ErrReference},
		{"status a number", `{"status":0}`, Reference{}, true, ErrReference},
		{"status empty", `{"status":{}}`, Reference{}, true, ErrReference},
		{"another mechanism", `{"status":{"other":{"idx":7,"uri":"u"}}}`, Reference{}, true, ErrReference},
		{"status_list null", `{"status":{"status_list":null}}`, Reference{}, true, ErrReference},
		{"no index", `{"status":{"status_list":{"uri":"u"}}}`, Reference{}, true, ErrReference},
		{"index negative", `{"status":{"status_list":{"idx":-1,"uri":"u"}}}`, Reference{}, true, ErrReference},
		{"index a fraction", `{"status":{"status_list":{"idx":1.5,"uri":"u"}}}`, Reference{}, true, ErrReference},
		{"index with an exponent", `{"status":{"status_list":{"idx":1e1,"uri":"u"}}}`, Reference{}, true, ErrReference},
		{"index a string", `{"status":{"status_list":{"idx":"7","uri":"u"}}}`, Reference{}, true, ErrReference},
		{"no address", `{"status":{"status_list":{"idx":7}}}`, Reference{}, true, ErrReference},
		{"address empty", `{"status":{"status_list":{"idx":7,"uri":""}}}`, Reference{}, true, ErrReference},
		{"address a list", `{"status":{"status_list":{"idx":7,"uri":["u"]}}}`, Reference{}, true, ErrReference},
	} {
		encode := base64.RawURLEncoding.EncodeToString
		token, err := verify.Parse(encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(c.claims)) + ".c2ln")
		if err != nil {
			t.Fatal(err)
		}
		if got, has, err := ReferenceOf(token); got != c.want || has != c.has || err != c.err {
			t.Errorf("%s: %+v, %v, %v", c.name, got, has, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := (&List{bits: 2, expires: 5, ttl: 3, statuses: []byte{1, 2}}).Encode()
	if l, err := Decode(good); err != nil || l.Len() != 8 || l.Size() != 2 {
		t.Fatalf("%v, %v", l, err)
	}
	change := func(at int, value ...byte) []byte { b := bytes.Clone(good); copy(b[at:], value); return b }
	notANumber := binary.BigEndian.AppendUint64(nil, math.Float64bits(math.NaN()))
	for name, b := range map[string][]byte{
		"nothing": nil, "the head cut": good[:headBytes-1], "another version": change(3, 2), "bits 3": change(4, 3), "bits 0": change(4, 0),
		"exp not a number": change(5, notANumber...), "ttl not a number": change(13, notANumber...), "ttl negative": change(13, 0xc0),
		"too long": append(bytes.Clone(good), make([]byte, MaxListBytes)...),
	} {
		if l, err := Decode(b); l != nil || err != ErrCorrupt {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
}

// FuzzInflate demands that a list is what compress/zlib reads, whatever stands in "lst", and
// that no index leads beyond it.
func FuzzInflate(f *testing.F) {
	for _, lst := range []string{"eNrbuRgAAhcBXQ", "eNo76fITAAPfAgc", "", "eNo", deflated(f, make([]byte, 5000))} {
		f.Add(lst, uint8(1), uint64(3))
	}
	key := newKey(f)
	rule := ruleFor(f, key)
	rule.Engine = func(string, *verify.Key, string, []byte) (bool, error) { return true, nil }
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"statuslist+jwt","kid":"12"}`))
	f.Fuzz(func(t *testing.T, lst string, bits uint8, index uint64) {
		payload, err := json.Marshal(claims(map[string]any{"status_list": map[string]any{"bits": bits, "lst": lst}}))
		if err != nil {
			t.Fatal(err)
		}
		l, err := rule.Open(header+"."+base64.RawURLEncoding.EncodeToString(payload)+".c2ln", uri, now)
		if err != nil {
			return
		}
		compressed, err := base64.RawURLEncoding.DecodeString(lst)
		if err != nil {
			t.Fatal(err)
		}
		reader, err := zlib.NewReader(bytes.NewReader(compressed))
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(reader)
		if err != nil || !bytes.Equal(l.statuses, want) {
			t.Fatalf("%x, by zlib %x, %v", l.statuses, want, err)
		}
		status, ok := l.Status(index)
		if ok != (index < uint64(len(want))*8/uint64(bits)) || uint(status)>>bits != 0 {
			t.Fatalf("%d bits, index %d of %d: %d, %v", bits, index, l.Len(), status, ok)
		}
		if again, err := Decode(l.Encode()); err != nil || again.Len() != l.Len() {
			t.Fatal(err)
		}
	})
}

// FuzzOpen demands that no text is accepted that the issuer has not signed.
func FuzzOpen(f *testing.F) {
	key := newKey(f)
	rule := ruleFor(f, key)
	good := signed(f, key, "statuslist+jwt", claims(nil))
	f.Add(good)
	f.Add(good + "A")
	f.Add("..")
	f.Fuzz(func(t *testing.T, compact string) {
		l, err := rule.Open(compact, uri, now)
		if (l == nil) == (err == nil) {
			t.Fatalf("%v, %v", l, err)
		}
		if err != nil {
			return
		}
		jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jws.Verify(key.Public()); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzDecode demands that what is accepted encodes to itself.
func FuzzDecode(f *testing.F) {
	f.Add((&List{bits: 2, expires: 5, ttl: 3, statuses: []byte{1, 2}}).Encode())
	f.Fuzz(func(t *testing.T, encoded []byte) {
		if l, err := Decode(encoded); err == nil && !bytes.Equal(l.Encode(), encoded) {
			t.Fatalf("%x encodes to %x", encoded, l.Encode())
		}
	})
}

func Example() {
	// The list of the draft's §4.1: its first token is revoked, its second is not.
	l, err := Decode([]byte("ejs\x01\x01\x7f\xf0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xb9\xa3"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for index := range uint64(2) {
		status, ok := l.Status(index)
		fmt.Println(status == Valid, ok)
	}
	_, ok := l.Status(16)
	fmt.Println(ok)
	// Output:
	// false true
	// true true
	// false
}
