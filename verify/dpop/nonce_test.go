package dpop

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

func TestNonces(t *testing.T) {
	secret := []byte("0123456789abcdef")
	start := time.Unix(1_800_000_000, 0) // the start of a period of 60 s
	n := NewNonces(secret, time.Minute)
	nonce := n.Current(start)
	for _, c := range []struct {
		name  string
		nonce string
		after time.Duration
		age   int64
		ok    bool
	}{
		{"at once", nonce, 0, 0, true},
		{"in its last second", nonce, 59 * time.Second, 0, true},
		{"in the next period", nonce, time.Minute, 1, true},
		{"in the last second of the next", nonce, 2*time.Minute - 1, 1, true},
		{"a period later", nonce, 2 * time.Minute, 0, false},
		{"of a proxy whose clock is ahead", nonce, -1, -1, true},
		{"of one whose clock is more than a period ahead", nonce, -time.Minute - 1, 0, false},
		{"an hour old", nonce, time.Hour, 0, false},
		{"empty", "", 0, 0, false},
		{"cut", nonce[:31], 0, 0, false},
		{"longer", nonce + "AAAA", 0, 0, false},
		{"padded", nonce + "=", 0, 0, false},
		{"with another MAC", nonce[:30] + "AA", 0, 0, false},
		{"with another period", "B" + nonce[1:], 0, 0, false},
		{"of another secret", NewNonces([]byte("0123456789abcdeF"), time.Minute).Current(start), 0, 0, false},
		{"of another length of periods", NewNonces(secret, time.Hour).Current(start), 0, 0, false},
		{"not base64url", strings.Repeat("+", 32), 0, 0, false},
	} {
		age, ok := n.age(c.nonce, start.Add(c.after))
		if ok != c.ok || ok && age != c.age {
			t.Errorf("%s: %d, %v; want %d, %v", c.name, age, ok, c.age, c.ok)
		}
	}
	if again := NewNonces(secret, time.Minute); again.Current(start.Add(30*time.Second)) != nonce {
		t.Error("two proxies with one secret hand out different nonces")
	}
	// RFC 9449 §8.1: the characters of a nonce.
	if strings.ContainsFunc(nonce, func(r rune) bool { return r < 0x21 || r > 0x7e || r == '"' || r == '\\' }) {
		t.Errorf("%q", nonce)
	}
	if NewNonces(secret[:15], time.Minute) != nil || NewNonces(secret, time.Second-1) != nil {
		t.Error("a secret of 15 bytes or a period under a second is taken")
	}
}

// FuzzNonce demands that only the nonces of the periods around now are recognized.
func FuzzNonce(f *testing.F) {
	n := NewNonces([]byte("0123456789abcdef"), time.Minute)
	now := time.Unix(1_800_000_000, 0)
	for _, d := range []time.Duration{-time.Hour, -time.Minute, 0, time.Minute, time.Hour} {
		f.Add(n.Current(now.Add(d)))
	}
	f.Add("")
	f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, 24)))
	f.Fuzz(func(t *testing.T, nonce string) {
		_, ok := n.age(nonce, now)
		want := nonce == n.Current(now.Add(-time.Minute)) || nonce == n.Current(now) || nonce == n.Current(now.Add(time.Minute))
		if ok != want {
			t.Fatalf("%q: %v", nonce, ok)
		}
	})
}
