package plugin_test

import (
	"testing"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// TestResumesFewAtOnce: of many pending requests, few are decided in one callback (see
// maxResumed), and a tick follows at once for the others.
func TestResumesFewAtOnce(t *testing.T) {
	forms(t, func(t *testing.T, form form) {
		w := newWorld(t, form, auth0Config)
		token := bearer(form.sign("k1", nil))
		const many = 100
		var streams []*stream
		for range many {
			streams = append(streams, w.send(token))
		}
		decided := func() (n int) {
			for _, s := range streams {
				if w.GetCurrentHttpStreamAction(s.id) == types.ActionContinue || w.GetSentLocalResponse(s.id) != nil {
					n++
				}
			}
			return n
		}
		if n := decided(); n != 0 {
			t.Fatalf("%d do not wait for keys", n)
		}
		w.serveKeys(keySet("k1"))
		for before := 0; before < many; {
			n := decided()
			if n-before > 32 || n == before {
				t.Fatalf("%d were decided at once", n-before)
			}
			if period := w.GetTickPeriod(); n < many && period != 1 {
				t.Fatalf("the next tick is %d ms away", period)
			}
			before = n
			w.Tick()
		}
	})
}
