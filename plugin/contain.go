package plugin

import (
	"runtime"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"

	"edgejwt/verify"
)

// contain ends a panic at the edge of a callback, where it would otherwise end
// the VM and with it every request of this worker. Use: defer r.contain(…). The
// request in hand, if there is one, is refused: what was not judged to its end
// does not pass.
func (r *root) contain(during event, req *request) {
	fault := recover()
	if fault == nil {
		return
	}
	// Only the runtime's own words: another panic's value might quote anything.
	words := "panic"
	if err, ok := fault.(runtime.Error); ok {
		words = err.Error()
	}
	r.faulty = true
	r.metrics.panics.add(1)
	proxywasm.LogCritical("edgejwt: panic contained during " + eventNames[during] + ": " + words)
	if req != nil && during != streamDone && req.state != refused {
		r.parked.remove(req) // or it would be judged again
		_ = proxywasm.SetEffectiveContext(req.id)
		req.refuse(verify.Internal, nil, 0)
	}
}
