package plugin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// inline is a configuration with the keys written into it.
func inline(kid, audience, more string) string {
	return fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q], "jwks": %s%s}]}`, issuer, audience, keySet(kid), more)
}

const subjectHeader = `, "outputClaimToHeaders": [{"header": "x-jwt-sub", "claim": "sub"}]`

func (v *vm) sign(kid string, changes map[string]any) string {
	return signWith(signerOf(kid), kid, v.now, changes)
}

// TestHostCalls bounds the host calls for a token in the cache: they cost more than the
// decision.
func TestHostCalls(t *testing.T) {
	for _, c := range []struct {
		name, more string
		want       []string
	}{
		{"no output", "", []string{"proxy_get_header_map_pairs", "clock"}},
		{"two headers", `, "outputPayloadToHeader": "x-jwt-payload"` + subjectHeader, []string{"proxy_get_header_map_pairs", "clock",
			"proxy_replace_header_map_value", "proxy_replace_header_map_value"}},
		{"token removed", `, "forwardOriginalToken": false`, []string{"proxy_get_header_map_pairs", "clock", "proxy_remove_header_map_value"}},
	} {
		v := newVM(t)
		if !v.plugin(1, inline("k1", audience, c.more)) {
			t.Fatalf("the plugin did not start: %q", v.logs)
		}
		token := bearer(v.sign("k1", nil))
		for n := range uint32(3) {
			v.calls = nil
			if got := v.request(10+n, 1, token); got != "passed" {
				t.Fatalf("%s: %s", c.name, got)
			}
			if n > 0 && !slices.Equal(v.calls, c.want) {
				t.Errorf("%s: host calls %q, want %q", c.name, v.calls, c.want)
			}
		}
	}
}

// TestTwoPlugins: each request is decided by the configuration of its own plugin, in any
// order of streams, and plugins do not share a token cache.
func TestTwoPlugins(t *testing.T) {
	v := newVM(t)
	configs := map[uint32]string{1: inline("k1", "a", subjectHeader), 2: inline("k2", "b", `, "outputClaimToHeaders": [{"header": "x-other", "claim": "sub"}]`)}
	for id, config := range configs {
		if !v.plugin(id, config) {
			t.Fatalf("plugin %d did not start: %q", id, v.logs)
		}
	}
	tokens := map[uint32]string{1: v.sign("k1", map[string]any{"aud": "a"}), 2: v.sign("k2", map[string]any{"aud": "b"})}
	id := uint32(100)
	for round := range 20 {
		for plugin := range configs {
			for of, token := range tokens {
				v.now = v.now.Add(300 * time.Millisecond)
				id++
				want := "passed"
				if of != plugin {
					want = "audience_mismatch"
				}
				if got := v.request(id, plugin, bearer(token), [2]string{"x-jwt-sub", "forged"}); got != want {
					t.Fatalf("round %d: a token of plugin %d at plugin %d: %s, want %s", round, of, plugin, got, want)
				}
				wantSub := map[uint32]string{1: "client@clients", 2: "forged"}[plugin]
				if got := v.header(id, "x-jwt-sub"); want == "passed" && got != wantSub {
					t.Fatalf("round %d: plugin %d sets %q, want %q", round, plugin, got, wantSub)
				}
			}
		}
	}
	// Another stream is announced before the headers come: their plugin is not known.
	v.create(id+1, 1)
	v.create(id+2, 2)
	if got := v.sendHeaders(id+1, bearer(tokens[1])); got != "internal" {
		t.Errorf("a stream that is not known: %s, want internal", got)
	}
	if got := v.sendHeaders(id+2, bearer(tokens[2])); got != "passed" {
		t.Errorf("the one that is: %s", got)
	}
}

// TestOnlyPlugin: with one plugin every stream belongs to it.
func TestOnlyPlugin(t *testing.T) {
	v := newVM(t)
	v.plugin(1, inline("k1", audience, ""))
	v.create(10, 1)
	v.create(11, 1)
	for _, id := range []uint32{10, 11, 12} {
		v.contexts[id] = true
		if got := v.sendHeaders(id, bearer(v.sign("k1", nil))); got != "passed" {
			t.Errorf("stream %d: %s", id, got)
		}
	}
}

// TestReplacedPlugin: while a listener drains, its requests are decided by its own
// configuration. Later its plugin context is removed.
func TestReplacedPlugin(t *testing.T) {
	v := newVM(t)
	v.plugin(1, inline("k1", "old", ""))
	v.plugin(2, inline("k1", "new", ""))
	old, young := bearer(v.sign("k1", map[string]any{"aud": "old"})), bearer(v.sign("k1", map[string]any{"aud": "new"}))
	for n := range uint32(10) {
		v.now = v.now.Add(500 * time.Millisecond)
		for i, c := range []struct {
			plugin uint32
			token  [2]string
			want   string
		}{{1, old, "passed"}, {2, young, "passed"}, {1, young, "audience_mismatch"}, {2, old, "audience_mismatch"}} {
			if got := v.request(100+10*n+uint32(i), c.plugin, c.token); got != c.want {
				t.Fatalf("plugin %d: %s, want %s", c.plugin, got, c.want)
			}
		}
	}
	v.gone(1)
	asked := func() (n int) {
		v.calls = nil
		if got := v.request(uint32(1000+v.now.Second()), 2, young); got != "passed" {
			t.Fatal(got)
		}
		for _, call := range v.calls {
			if call == "proxy_set_effective_context" {
				n++
			}
		}
		return n
	}
	v.now = v.now.Add(2 * time.Second)
	if asked() == 0 {
		t.Error("the host was not asked for the old plugin context")
	}
	v.now = v.now.Add(2 * time.Second)
	if asked() != 0 {
		t.Error("the old plugin context was not removed")
	}
	if v.plugin(3, `{"no": "configuration"}`) {
		t.Fatal("a plugin without a configuration started")
	}
	if got := v.request(2000, 2, young); got != "passed" {
		t.Errorf("beside one that did not start: %s", got)
	}
	if got := v.request(2001, 3, young); got != "internal" {
		t.Errorf("at one that did not start: %s, want internal", got)
	}
	v.gone(3)
	v.now = v.now.Add(2 * time.Second)
	if got := v.request(2002, 2, young); got != "passed" {
		t.Errorf("after one that did not start is gone: %s", got)
	}
}

// TestPending: requests wait for the first keys while other requests are decided. Then each
// is decided by its own token, and those whose client has left get no reply.
func TestPending(t *testing.T) {
	v := newVM(t)
	if !v.plugin(1, auth0Config) {
		t.Fatalf("the plugin did not start: %q", v.logs)
	}
	tokens := map[uint32]string{}
	for id := uint32(10); id < 40; id++ {
		tokens[id] = v.sign("k1", map[string]any{"sub": fmt.Sprint("client", id)})
		if id%3 == 0 {
			tokens[id] = v.sign("k1", map[string]any{"sub": fmt.Sprint("client", id), "aud": "another"})
		}
		got := v.request(id, 1, bearer(tokens[id]))
		if want := map[bool]string{true: "audience_mismatch", false: "held"}[id%3 == 0]; got != want {
			t.Fatalf("stream %d: %s, want %s", id, got, want)
		}
	}
	for id := uint32(11); id < 40; id += 5 {
		v.gone(id)
	}
	v.tickUntilCallout()
	v.resumed = nil
	v.answer = keySet("k1")
	v.enter(1, "proxy_on_http_call_response", uint64(len(v.callouts)), 1, uint64(len(v.answer)), 0)
	for id := uint32(10); id < 40; id++ {
		want := v.contexts[id] && id%3 != 0
		if got := slices.Contains(v.resumed, id); got != want {
			t.Errorf("stream %d goes on: %v, want %v", id, got, want)
		}
		if sub := v.header(id, "x-jwt-sub"); want && sub != fmt.Sprint("client", id) || !want && sub != "" {
			t.Errorf("stream %d has the subject %q", id, sub)
		}
		if !v.contexts[id] && id%3 != 0 && v.replies[id] != "" {
			t.Errorf("stream %d is gone and answered with %s", id, v.replies[id])
		}
	}
	for n := range 5 { // nobody gets a second reply
		v.resumed = nil
		v.now = v.now.Add(time.Second)
		v.enter(1, "proxy_on_tick")
		if v.resumed != nil {
			t.Errorf("tick %d lets %d go on", n, v.resumed)
		}
	}
}

// TestPendingTimeout: without keys a request waits for keys.wait and no longer.
func TestPendingTimeout(t *testing.T) {
	v := newVM(t)
	v.plugin(1, auth0Config)
	for _, id := range []uint32{10, 11} {
		if got := v.request(id, 1, bearer(v.sign("k1", nil))); got != "held" {
			t.Fatal(got)
		}
	}
	v.gone(11)
	v.now = v.now.Add(3 * time.Second)
	v.enter(1, "proxy_on_tick")
	if v.replies[10] != "keys_unavailable" || v.replies[11] != "" {
		t.Errorf("%v", v.replies)
	}
}

// tickUntilCallout ticks until the plugin asks for its keys.
func (v *vm) tickUntilCallout() {
	v.Helper()
	for range 1000 {
		v.now = v.now.Add(time.Millisecond)
		if v.enter(1, "proxy_on_tick"); len(v.callouts) > 0 {
			return
		}
	}
	v.Fatal("a thousand ticks and no callout")
}

// TestTrailersOfTwoPlugins: a trailer is removed if any plugin of the VM would remove it.
func TestTrailersOfTwoPlugins(t *testing.T) {
	v := newVM(t)
	v.plugin(1, inline("k1", "a", subjectHeader))
	v.plugin(2, inline("k1", "b", ""))
	for id, plugin := range map[uint32]uint32{10: 1, 11: 2} {
		v.request(id, plugin, bearer(v.sign("k1", map[string]any{"aud": map[uint32]string{1: "a", 2: "b"}[plugin]})))
		v.trailers[id] = [][2]string{{"x_jwt_sub", "forged"}, {"x-other", "1"}}
		if action := v.enter(id, "proxy_on_request_trailers", 2); action != 0 || len(v.trailers[id]) != 1 || v.trailers[id][0][0] != "x-other" {
			t.Errorf("stream %d: action %d, left %q", id, action, v.trailers[id])
		}
	}
}

// TestTrailersBesideOneThatDidNotStart: a plugin whose configuration was refused does not
// stop the trailers of others.
func TestTrailersBesideOneThatDidNotStart(t *testing.T) {
	v := newVM(t)
	v.plugin(1, inline("k1", "a", subjectHeader))
	if v.plugin(3, `{"no": "configuration"}`) {
		t.Fatal("a plugin without a configuration started")
	}
	v.request(10, 1, bearer(v.sign("k1", map[string]any{"aud": "a"})))
	v.trailers[10] = [][2]string{{"x-other", "1"}}
	if action := v.enter(10, "proxy_on_request_trailers", 1); action != 0 || v.replies[10] != "" {
		t.Errorf("action %d, reply %q", action, v.replies[10])
	}
}

// TestReplacedWhereNoRequestComes: the VM of the main thread, which has no streams, removes
// old plugin contexts, too.
func TestReplacedWhereNoRequestComes(t *testing.T) {
	v := newVM(t)
	v.plugin(1, inline("k1", "a", ""))
	asked := 0
	for id := uint32(2); id < 12; id++ {
		v.gone(id - 1)
		v.now = v.now.Add(2 * time.Second)
		v.calls = nil
		v.plugin(id, inline("k1", "a", ""))
		for _, call := range v.calls {
			if call == "proxy_set_effective_context" {
				asked++
			}
		}
	}
	// Each time for the one before, and once to return.
	if asked != 20 {
		t.Errorf("asked for a context %d times, want 20: one plugin at a time is there", asked)
	}
}

// TestLargeAndOddHeaders: headers beyond the buffer, empty ones and none.
func TestLargeAndOddHeaders(t *testing.T) {
	v := newVM(t)
	v.plugin(1, inline("k1", audience, subjectHeader))
	token := bearer(v.sign("k1", nil))
	for i, headers := range [][][2]string{
		{token}, {token, {"x-large", strings.Repeat("x", 60<<10)}}, {token}, {token, {"x-larger", strings.Repeat("x", 300<<10)}},
		{{"x-empty", ""}, token, {"y-empty", ""}}, {token, {"", "nameless"}},
	} {
		if got := v.request(uint32(10+i), 1, headers...); got != "passed" || v.header(uint32(10+i), "x-jwt-sub") != "client@clients" {
			t.Errorf("request %d: %s", i, got)
		}
	}
	for i := range 50 {
		all := [][2]string{token}
		for n := range i * 10 {
			all = append(all, [2]string{fmt.Sprint("x-", n), strings.Repeat("v", n)})
		}
		if got := v.request(uint32(100+i), 1, all...); got != "passed" {
			t.Errorf("%d headers: %s", len(all), got)
		}
	}
}

// TestNothingIsKept: ten thousand streams take no memory for good.
func TestNothingIsKept(t *testing.T) {
	v := newVM(t)
	v.plugin(1, inline("k1", audience, subjectHeader))
	token := bearer(v.sign("k1", nil))
	before := uint32(0)
	for n := range uint32(10_000) {
		v.request(100+n, 1, token)
		v.gone(100 + n)
		delete(v.headers, 100+n)
		v.calls = nil
		if n == 2000 {
			before = v.module.Memory().Size()
		}
	}
	if after := v.module.Memory().Size(); after > before {
		t.Errorf("the module's memory grew from %d to %d bytes", before, after)
	}
}
