package e2e

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// intruder is another plugin that shares our shared data, seen from the test.
type intruder struct {
	w      *harness.World
	record string // name of the record
	hint   uint64
}

func (i *intruder) do(do string, headers ...string) string {
	return i.w.Do(harness.Request{To: i.w.At("vandal"), Headers: append([]string{"x-do", do, "x-name", i.record}, headers...)}).Body
}

// read gives the record as it is stored.
func (i *intruder) read(t *testing.T) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(i.do("get"))
	if err != nil || len(b) < 100 {
		t.Fatalf("the intruder finds %d bytes under %s: %v", len(b), i.record, err)
	}
	return b
}

// write stores a record and a hint that nobody has seen, so that every worker
// looks at it.
func (i *intruder) write(t *testing.T, record []byte) {
	t.Helper()
	i.hint += 1 << 41
	for _, v := range []struct {
		name  string
		value []byte
	}{{i.record, record}, {i.record + "/hint", binary.LittleEndian.AppendUint64(nil, i.hint)}} {
		said := i.w.Do(harness.Request{To: i.w.At("vandal"), Headers: []string{"x-do", "put", "x-name", v.name, "x-value", base64.StdEncoding.EncodeToString(v.value)}}).Body
		if said != "done" {
			t.Fatalf("put %s: %s", v.name, said)
		}
	}
}

// withoutVMIDs takes the vm_id from every filter, as Istio writes them.
func withoutVMIDs(node any) {
	switch n := node.(type) {
	case map[string]any:
		delete(n, "vm_id")
		for _, child := range n {
			withoutVMIDs(child)
		}
	case []any:
		for _, child := range n {
			withoutVMIDs(child)
		}
	}
}

var modulusInSet = regexp.MustCompile(`"n":"[A-Za-z0-9_-]{342}"`)

// forgeries are a genuine record with another key in it, ended in every way that
// somebody without the configuration can think of.
func forgeries(genuine []byte, stranger *rsa.PrivateKey) map[string][]byte {
	n := `"n":"` + base64.RawURLEncoding.EncodeToString(stranger.N.Bytes()) + `"`
	changed := modulusInSet.ReplaceAll(genuine, []byte(n))
	body := slices.Clone(changed[:len(changed)-8])
	checksum := fnv.New64a()
	checksum.Write(body)
	all := map[string][]byte{
		"with the old end":        changed,
		"with a checksum":         binary.LittleEndian.AppendUint64(body, checksum.Sum64()),
		"cut":                     changed[:len(changed)-32],
		"extended":                append(slices.Clone(genuine), n...),
		"with nothing at the end": append(slices.Clone(changed[:len(changed)-32]), make([]byte, 32)...),
	}
	for name, key := range map[string][]byte{"of nothing": nil, "of zeros": make([]byte, 32)} {
		mac := hmac.New(sha256.New, key)
		mac.Write(changed[:len(changed)-32])
		all["with a MAC "+name] = mac.Sum(slices.Clone(changed[:len(changed)-32]))
	}
	sum := sha256.Sum256(changed[:len(changed)-32])
	all["with a hash"] = append(slices.Clone(changed[:len(changed)-32]), sum[:]...)
	return all
}

// TestForeignRecord: another plugin of the proxy, and no vm_id, so that both share
// one shared data. It writes keys of its own, and keys that were withdrawn, where
// ours are. No token of a key that the provider does not publish is taken.
func TestForeignRecord(t *testing.T) {
	config := with(`"keys": {"cooldown": "1s", "wait": "2s"}`)
	w := harness.Start(t, harness.Options{
		Workers: 2,
		Plugin:  config,
		Edges:   []harness.Edge{{Name: "vandal", Plugin: config, Before: strings.Replace(vandalFilter(vandalModule(t)), "vm_id: edgejwt, ", "", 1)}},
		Shape:   func(bootstrap map[string]any, _ string) { withoutVMIDs(bootstrap) },
	})
	w.AwaitKeys()
	other := &intruder{w: w, record: recordOf(w, config)}
	serial := 0
	fresh := func(mint auth0.Mint) []string { // a token that no cache knows
		serial++
		claims := w.Auth0.ClientClaims(auth0.DefaultClientID, auth0.DefaultAudience, "")
		claims["jti"] = strconv.Itoa(serial)
		token, err := w.Auth0.MintToken(claims, mint)
		if err != nil {
			t.Fatal(err)
		}
		return bearer(token)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}

	genuine := other.read(t)
	forged := forgeries(genuine, stranger)
	for name, record := range forged {
		t.Run("a stranger's key "+name, func(t *testing.T) {
			if name != "extended" && !modulusInSet.Match(genuine) {
				t.Fatal("there is no key in the record")
			}
			other.write(t, record)
			for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				if got := w.RawGet("/orders", "Authorization: "+fresh(auth0.Mint{Key: stranger})[1]); got.Status != 401 && got.Status != 503 {
					t.Fatalf("a stranger's token: %v", got)
				}
				if got := w.RawGet("/orders", "Authorization: "+fresh(auth0.Mint{})[1]); got.Status != 200 {
					t.Errorf("a valid token: %v", got)
				}
			}
		})
	}

	t.Run("a withdrawn key", func(t *testing.T) {
		old := other.read(t)
		claims := w.Auth0.ClientClaims(auth0.DefaultClientID, auth0.DefaultAudience, "")
		withdrawn, err := w.Auth0.MintToken(claims, auth0.Mint{})
		if err != nil {
			t.Fatal(err)
		}
		kid := w.Auth0.KIDs()[0]
		if _, err := w.Auth0.RotateUnseen(); err != nil {
			t.Fatal(err)
		}
		if err := w.Auth0.Withdraw(kid); err != nil {
			t.Fatal(err)
		}
		w.Eventually(10*time.Second, "the new key is known", func() bool { return w.Get("/orders", fresh(auth0.Mint{})...).Status == 200 })
		time.Sleep(1500 * time.Millisecond) // every worker has looked
		if got := w.RawGet("/orders", "Authorization: Bearer "+withdrawn); got.Status != 401 && got.Status != 503 {
			t.Fatalf("a withdrawn key's token, before: %v", got)
		}
		other.write(t, old)
		// Nothing is sent meanwhile: it would have keys fetched.
		time.Sleep(1500 * time.Millisecond)
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if got := w.RawGet("/orders", "Authorization: Bearer "+withdrawn); got.Status != 401 && got.Status != 503 {
				t.Fatalf("a withdrawn key's token: %v", got)
			}
		}
		for range 20 {
			if got := w.RawGet("/orders", "Authorization: "+fresh(auth0.Mint{})[1]); got.Status != 200 {
				t.Errorf("a valid token: %v", got)
			}
		}
	})

	t.Run("junk without end", func(t *testing.T) {
		count := func(what string) int {
			log, err := os.ReadFile(filepath.Join(w.Dir, "envoy.log"))
			if err != nil {
				t.Fatal(err)
			}
			return strings.Count(string(log), what)
		}
		said, counted := count("in shared data"), w.Stat("edgejwt_jwks_records_rejected")
		fetched := w.Auth0.Fetches()
		junk := make([]byte, 300)
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			other.write(t, junk)
			if got := w.RawGet("/orders", "Authorization: "+fresh(auth0.Mint{})[1]); got.Status != 200 {
				t.Errorf("a valid token: %v", got)
			}
		}
		if n := w.Auth0.Fetches() - fetched; n > 0 {
			t.Errorf("%d fetches because of it", n)
		}
		// And no worker is kept from fetching.
		if _, err := w.Auth0.RotateUnseen(); err != nil {
			t.Fatal(err)
		}
		w.Eventually(10*time.Second, "a new key is taken meanwhile", func() bool {
			other.write(t, junk)
			return w.RawGet("/orders", "Authorization: "+fresh(auth0.Mint{})[1]).Status == 200
		})
		w.Eventually(10*time.Second, "it is counted", func() bool { return w.Stat("edgejwt_jwks_records_rejected") > counted })
		// Two workers and the main thread, each at most once a minute.
		if n := count("in shared data") - said; n > 3 {
			t.Errorf("%d lines about it", n)
		}
	})
	stillGuarded(t, w, "")
}

// TestSharedFetches: listeners with one secret share one record whatever else they
// are told, and those without one have a record each. A changed configuration
// starts with the keys of the one before it, also while the provider is down.
func TestSharedFetches(t *testing.T) {
	const keys = `"keys": {"cooldown": "1s", "wait": "200ms", "timeout": "1s"}`
	const secret = `, "secret": "7d8a4c50ff6b4b5f9a2b9dd3f1f0b7c6"`
	start := func(t *testing.T, own string) *harness.World {
		w := harness.Start(t, harness.Options{
			Workers:    2,
			Reloadable: true,
			Plugin:     with(keys + own),
			Edges:      []harness.Edge{{Name: "other", Plugin: with(keys + own + `, "realm": "other"`)}},
		})
		w.AwaitKeys()
		w.Eventually(20*time.Second, "the other listener has keys", func() bool {
			return w.Do(harness.Request{To: w.At("other"), Headers: bearer(w.Auth0.Token())}).Status == 200
		})
		time.Sleep(1200 * time.Millisecond) // every worker has looked
		return w
	}
	for name, c := range map[string]struct {
		own     string
		fetches int
	}{"with a secret": {secret, 1}, "without": {"", 2}} {
		t.Run(name, func(t *testing.T) {
			w := start(t, c.own)
			if n := w.Auth0.Fetches(); n != c.fetches {
				t.Errorf("%d fetches, want %d", n, c.fetches)
			}
			w.Auth0.Stop()
			before := w.Auth0.Fetches()
			for _, realm := range []string{"second", "third"} {
				if err := w.Reload(with(keys + c.own + `, "realm": "` + realm + `"`)); err != nil {
					t.Fatal(err)
				}
				challenge := ""
				w.Eventually(10*time.Second, "the new configuration is in force", func() bool {
					challenge = w.RawGet("/orders").Header.Get("WWW-Authenticate")
					return strings.Contains(challenge, realm)
				})
				for range 40 { // new connections, so that both workers are met
					if got := w.RawGet("/orders", "Authorization: Bearer "+w.Auth0.Token()); got.Status != 200 {
						t.Fatalf("%s: a valid token: %v", realm, got)
					}
				}
				stillGuarded(t, w, "")
			}
			if n := w.Auth0.Fetches(); n != before {
				t.Errorf("%d fetches for new configurations", n-before)
			}
			if n := w.Stat("edgejwt_jwks_records_rejected"); n != 0 {
				t.Errorf("%d records dropped, and nobody forged one", n)
			}
			if w.Stat("edgejwt_jwks_keys") == 0 {
				t.Error("no keys are shown")
			}
		})
	}
}
