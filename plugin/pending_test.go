package plugin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// knowing starts a plugin that has fetched the key k1.
func knowing(t *testing.T) *vm {
	t.Helper()
	v := newVM(t)
	if !v.plugin(1, auth0Config) {
		t.Fatalf("the plugin did not start: %q", v.logs)
	}
	v.tickUntilCallout()
	v.answer = keySet("k1")
	v.enter(1, "proxy_on_http_call_response", uint64(len(v.callouts)), 1, uint64(len(v.answer)), 0)
	v.now = v.now.Add(20 * time.Second) // an unknown kid is worth a fetch again
	v.enter(1, "proxy_on_tick")
	return v
}

// unknown gives tokens whose kid the provider does not have: one for each kid, because
// signing takes a while and nobody looks at the signature.
func (v *vm) unknown() func(kid string) [2]string {
	tokens := map[string][2]string{}
	return func(kid string) [2]string {
		if _, ok := tokens[kid]; !ok {
			tokens[kid] = bearer(signWith(signerOf("k1"), kid, v.now, nil))
		}
		return tokens[kid]
	}
}

// TestUnansweringHost: a stream that the host fails to select is tried until its
// deadline and then dropped, which is logged once.
func TestUnansweringHost(t *testing.T) {
	v := newVM(t)
	v.plugin(1, auth0Config)
	v.deaf = map[uint32]bool{}
	for _, id := range []uint32{10, 11, 12} {
		if got := v.request(id, 1, bearer(v.sign("k1", nil))); got != "held" {
			t.Fatal(got)
		}
		v.deaf[id] = id != 12
	}
	v.tickUntilCallout()
	for range 5 {
		v.now = v.now.Add(3 * time.Second)
		v.enter(1, "proxy_on_tick")
	}
	if v.period < 10 {
		t.Errorf("the next tick comes after %d ms, for requests that no tick can decide", v.period)
	}
	if n := strings.Count(strings.Join(v.logs, "\n"), "fails to select a stream"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
	v.calls = nil
	v.now = v.now.Add(time.Second)
	v.enter(1, "proxy_on_tick")
	if n := strings.Count(strings.Join(v.calls, " "), "proxy_set_effective_context"); n != 0 {
		t.Errorf("the host is asked for a context %d times, and no request waits", n)
	}
	if v.replies[10] != "" || v.replies[11] != "" || v.replies[12] != "keys_unavailable" {
		t.Errorf("replies %v", v.replies)
	}
}

// TestUnansweringHostRecovers: before the deadline nothing is lost.
func TestUnansweringHostRecovers(t *testing.T) {
	v := newVM(t)
	v.plugin(1, auth0Config)
	v.request(10, 1, bearer(v.sign("k1", nil)))
	v.deaf = map[uint32]bool{10: true}
	v.tickUntilCallout()
	v.answer = keySet("k1")
	v.enter(1, "proxy_on_http_call_response", 1, 1, uint64(len(v.answer)), 0)
	if len(v.resumed) != 0 {
		t.Fatal("it goes on, although the host did not select it")
	}
	v.deaf = nil
	v.now = v.now.Add(100 * time.Millisecond)
	v.enter(1, "proxy_on_tick")
	if len(v.resumed) != 1 {
		t.Errorf("resumed %v, reply %q", v.resumed, v.replies[10])
	}
}

// TestGoneClientsLeaveTheirSlots: a client that went away holds no slot against
// one that comes.
func TestGoneClientsLeaveTheirSlots(t *testing.T) {
	v := knowing(t)
	unknown := v.unknown()
	for n := range uint32(1024) {
		if got := v.request(1000+n, 1, unknown(fmt.Sprint("kid", n%8))); got != "held" {
			t.Fatalf("request %d: %s", n, got)
		}
	}
	if got := v.request(5000, 1, unknown("kid0")); got != "keys_unavailable" {
		t.Errorf("one too many: %s", got)
	}
	for n := range uint32(1024) {
		v.gone(1000 + n)
	}
	v.now = v.now.Add(50 * time.Millisecond)
	for n := range uint32(1024) {
		if got := v.request(6000+n, 1, unknown(fmt.Sprint("kid", n%8))); got != "held" {
			t.Fatalf("request %d after those that are gone: %s", n, got)
		}
	}
	// A crowd that stays is not asked after with each request.
	v.now = v.now.Add(50 * time.Millisecond)
	v.calls = nil
	for n := range uint32(20) {
		if got := v.request(8000+n, 1, unknown("kid0")); got != "keys_unavailable" {
			t.Fatalf("one too many: %s", got)
		}
	}
	if n := strings.Count(strings.Join(v.calls, " "), "proxy_set_effective_context"); n > 1100 {
		t.Errorf("the host is asked for a context %d times", n)
	}
}

// TestOneKIDLeavesSlots: requests with one unknown kid take half of the slots at
// most, but all of them where no key is known: then every kid is unknown.
func TestOneKIDLeavesSlots(t *testing.T) {
	v := knowing(t)
	unknown := v.unknown()
	for n := range uint32(600) {
		want := "held"
		if n >= 512 {
			want = "keys_unavailable"
		}
		if got := v.request(1000+n, 1, unknown("flood")); got != want {
			t.Fatalf("request %d of one kid: %s, want %s", n, got, want)
		}
	}
	for n := range uint32(512) {
		if got := v.request(2000+n, 1, unknown("next")); got != "held" {
			t.Fatalf("request %d of another kid: %s", n, got)
		}
	}
	if got := v.request(3000, 1, unknown("third")); got != "keys_unavailable" {
		t.Errorf("more than all slots: %s", got)
	}

	cold := newVM(t)
	cold.plugin(1, auth0Config)
	token := bearer(cold.sign("k1", nil))
	for n := range uint32(1024) {
		if got := cold.request(1000+n, 1, token); got != "held" {
			t.Fatalf("request %d of a cold start: %s", n, got)
		}
	}
}
