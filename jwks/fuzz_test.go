package jwks

import (
	"bytes"
	"crypto/rsa"
	"math/rand/v2"
	"testing"
	"time"

	"edgejwt/verify"
)

// FuzzParse: what is accepted is usable, and reads back to itself.
func FuzzParse(f *testing.F) {
	seeds := [][]byte{document(jwk("a", 1), jwk("b", 2)), document(member("kid", "")), document(member("use", `"enc"`), jwk("é\\\"", 3)),
		[]byte(`{"keys":[]}`), []byte(`{"keys":[{"kty":"EC"}]}`), []byte(`<html>`), []byte(`{"keys":[{"kty":"RSA","n":"AA","e":"AQ"}]}`),
		document(member("alg", `"RS256"`, "key_ops", `["verify"]`)), document(member("d", `"AQ"`), jwk("\u0001", 1)),
		document(p256(), vector("P-384"), edKey("kid", `"e"`)), document(vector("P-521"), p256("kid", ""), edKey("kid", "", "alg", `"EdDSA"`)),
		document(p256("crv", `"P-384"`), edKey("x", `"AQ"`), member("alg", `"PS512"`))}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		set, skipped, err := Parse(doc)
		if err != nil {
			if set != nil {
				t.Fatal("an error and a set")
			}
			return
		}
		if set.Len() == 0 || set.Len()+len(skipped) > MaxKeys {
			t.Fatalf("%d keys, %d skipped", set.Len(), len(skipped))
		}
		for _, k := range set.keys {
			if len(k.ID) > MaxKID || k.Algorithm != "" && !k.Fits(k.Algorithm) {
				t.Fatalf("unusable key %+v", k)
			}
			if _, err := verify.NewKey(k.ID, k.Algorithm, k.Public); err != nil {
				t.Fatalf("unusable key %+v: %v", k, err)
			}
			if public, ok := k.Public.(*rsa.PublicKey); ok {
				if n := public.N.BitLen(); n < 2048 || n > 8192 || public.N.Bit(0) == 0 || public.E < 3 || public.E%2 == 0 {
					t.Fatalf("unusable key %+v", k)
				}
			}
		}
		normal := set.AppendJSON(nil)
		again, none, err := Parse(normal)
		if err != nil || len(none) > 0 || !again.Equal(set) || !bytes.Equal(again.AppendJSON(nil), normal) {
			t.Fatalf("%s does not read back: %v %v", normal, none, err)
		}
	})
}

func sampleRecord() *record {
	return &record{sequence: 7, written: 1777852800000, generation: 3, set: document(jwk("a", 1)), confirmed: 1777852700000, lifetime: 300, etag: `"x"`,
		lastModified: "Mon, 04 May 2026 00:00:00 GMT", skipped: 5, attempts: 9, attempted: 1777852700000, failures: 2, early: true, lastError: ErrNoAnswer, warned: 96,
		retryAfter: 5000, jitter: 1 << 31, earlyFetches: 4, lastEarlyFetch: 1777852600000, lease: lease{owner: 1 << 63, ticket: 8, from: 1777852800000, lasts: 7000, early: true},
		uri: "https://issuer.example/k", discovered: 1777852000000, discoveryFailed: true}
}

// FuzzRecord: bytes that were not written with the key are dropped. What is
// decoded encodes to the same bytes, and does not make a Source panic.
func FuzzRecord(f *testing.F) {
	for _, r := range []*record{sampleRecord(), {lifetime: noLifetime}, {lifetime: noLifetime, set: []byte(`{"keys":[]}`), confirmed: 1},
		{lifetime: noLifetime, set: document(p256(), edKey("kid", `"e"`)), confirmed: 1}} {
		b, _ := r.encode(sampleKey)
		f.Add(b[:len(b)-len(mac{})])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, _, ok := decodeRecord(body, sampleKey); ok {
			t.Fatalf("%x is taken without a MAC", body)
		}
		end := authenticate(sampleKey, body) // no mutation would find it
		b := append(bytes.Clone(body), end[:]...)
		r, _, ok := decodeRecord(b, sampleKey)
		if !ok {
			return
		}
		if again, _ := r.encode(sampleKey); !bytes.Equal(again, b) {
			t.Fatalf("%x encodes to %x", b, again)
		}
		m := New(urlPolicy, 1, rand.New(rand.NewPCG(1, 1)).Float64)
		m.key = sampleKey
		now := simEpoch
		exercise(m, now, m.Loaded(now, b, 5), b)
	})
}

// exercise carries actions out for a while, with an honest host.
func exercise(m *Source, now time.Time, actions []Action, stored []byte) {
	data := shared{record: stored, version: 5}
	for i := range 50 {
		for len(actions) > 0 {
			a := actions[0]
			var more []Action
			switch a.Kind {
			case Load:
				more = m.Loaded(now, data.record, data.version)
			case Save:
				more = m.Saved(now, data.set(a.Record, a.Version))
			case Fetch:
				more = m.Answered(now, a.Ticket, Answer{Status: 200 + i%3*100, Body: document(jwk("a", 1+i%2))})
			}
			actions = append(more, actions[1:]...)
		}
		keys, _ := m.Find(now, "a", "RS256")
		m.Recheck(now, "a", keys)
		m.Find(now, "b", "RS256")
		m.Status(now)
		now = now.Add(m.NextTick(now) + time.Duration(i)*time.Second)
		actions = m.Tick(now, uint64(i), true)
	}
}

// FuzzAnswer: no answer makes a Source forget a usable set, and none panics.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "cache-control", "max-age=15", document(jwk("a", 2)), false)
	f.Add(304, "etag", `W/"x"`, []byte{}, false)
	f.Add(429, "Retry-After", "120", []byte("slow down"), false)
	f.Add(200, "expires", "Mon, 04 May 2026 12:05:00 GMT", []byte("<html>"), false)
	f.Add(200, "date", "x", []byte(`{"issuer":"https://issuer.example/","jwks_uri":"https://issuer.example/k"}`), true)
	f.Add(-1, "age", "99999999999999999999", document(`{"kty":"EC"}`), true)
	f.Fuzz(func(t *testing.T, status int, name, value string, body []byte, discovery bool) {
		p := Policy{URL: urlPolicy.URL, Refresh: 10 * time.Second}
		if discovery {
			p = Policy{Issuer: "https://issuer.example/"}
		}
		b := newBench(t, p, 1)
		b.pass(100 * time.Millisecond)
		a := Answer{Status: status, Headers: [][2]string{{name, value}}, Body: body}
		b.answer(b.one(), a)
		b.pass(2 * time.Second)
		b.fetches = nil
		b = newBench(t, Policy{URL: urlPolicy.URL, Refresh: 10 * time.Second}, 1)
		b.start(good(jwk("a", 1)))
		b.answer(b.await(12*time.Second), a)
		m := b.workers[0]
		if !m.usable(b.now) || m.record.generation == 1 && m.usableKeys.Len() != 1 || m.record.failures == 0 && status != 200 {
			t.Fatalf("after %d: %+v", status, m.Status(b.now))
		}
		if r, _, ok := decodeRecord(b.data.record, m.key); !ok || !bytes.Equal(r.set, m.published.AppendJSON(nil)) {
			t.Fatal("the record that was written cannot be read")
		}
	})
}
