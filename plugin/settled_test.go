package plugin_test

import (
	"testing"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// TestSettledBitByBit: of many requests that waited, few are let go in one
// callback, because Envoy answers them one within the other; a tick follows at
// once for the rest.
func TestSettledBitByBit(t *testing.T) {
	forms(t, func(t *testing.T, form form) {
		w := newWorld(t, form, auth0Config)
		token := bearer(form.sign("k1", nil))
		const many = 100
		var streams []*stream
		for range many {
			streams = append(streams, w.send(token))
		}
		gone := func() (n int) {
			for _, s := range streams {
				if w.GetCurrentHttpStreamAction(s.id) == types.ActionContinue || w.GetSentLocalResponse(s.id) != nil {
					n++
				}
			}
			return n
		}
		if n := gone(); n != 0 {
			t.Fatalf("%d do not wait for keys", n)
		}
		w.serveKeys(keySet("k1"))
		for before := 0; before < many; {
			n := gone()
			if n-before > 32 || n == before {
				t.Fatalf("%d were let go at once", n-before)
			}
			if period := w.GetTickPeriod(); n < many && period != 1 {
				t.Fatalf("the next tick is %d ms away", period)
			}
			before = n
			w.Tick()
		}
	})
}
