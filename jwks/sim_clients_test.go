package jwks

import (
	"fmt"
	"sync"
	"time"
)

// token is what matters of one: under which kid it was signed, and with what.
type token struct {
	kid string
	n   int // the modulus; 0: forged
}

// request is one on its way through a worker.
type request struct {
	token
	key    *provKey // that signed it; nil: forged or invented
	at     time.Duration
	until  time.Duration // when waiting ends
	parked bool
}

// mostParked is what the adapter parks per worker.
const mostParked = 50

// client sends one request, and the next one later.
func (w *world) client(mean time.Duration) {
	w.after(time.Duration(w.rng.ExpFloat64()*float64(mean)), func() {
		w.request()
		w.client(mean)
	})
}

func (w *world) request() {
	v := w.workers[w.rng.IntN(len(w.workers))]
	r := &request{}
	switch n := w.rng.IntN(w.prov.honest); {
	case n < 6: // an honest client with a token that was signed just now
		r.key = w.prov.current(w.t)
	case n < 8: // one with an older token, maybe of a withdrawn key
		r.key = w.prov.keys[w.rng.IntN(len(w.prov.keys))]
		if r.key.from > w.t {
			r.key = w.prov.keys[0]
		}
	case n == 8:
		r.kid = fmt.Sprintf("invented-%d", w.rng.IntN(20))
	default: // forged under a kid that exists
		r.kid = w.prov.current(w.t).kid
	}
	if r.key != nil {
		r.kid, r.n = r.key.kid, r.key.n
	}
	w.enter(v, func() {
		r.at, r.until = w.t, w.t+v.p.Wait
		w.judge(v, r)
	})
}

// judge does what the adapter does with a request: the cache, then the key, then
// the signature.
func (w *world) judge(v *worker, r *request) {
	now := w.wall()
	if c, ok := v.cache[r.token]; ok && r.n != 0 {
		if epoch, usable := v.m.Current(now); usable && epoch == c.epoch {
			w.accepted(v, r)
			return
		}
	}
	keys, outcome := v.m.Find(now, r.kid, true, "RS256")
	if outcome == Found {
		if r.n != 0 && isRSA(keys[0], moduli(r.n)) {
			epoch, _ := v.m.Current(now)
			v.cache[r.token] = cached{epoch}
			w.accepted(v, r)
			return
		}
		if outcome = v.m.RecheckKey(now, keys[0]); outcome == NotFound {
			w.refused(v, r, 401)
			return
		}
	}
	switch {
	case outcome == NotFound:
		w.refused(v, r, 401)
	case outcome == Wait && w.t < r.until && (r.parked || len(v.parked) < mostParked):
		w.park(v, r)
	default:
		w.refused(v, r, 503)
	}
}

func (w *world) park(v *worker, r *request) {
	v.parked = append(v.parked, r)
	w.wind(v)
	if r.parked {
		return
	}
	r.parked = true
	life := v.life
	w.after(r.until-w.t, func() {
		if v.life != life {
			return
		}
		w.enter(v, func() {
			for i, q := range v.parked {
				if q == r {
					v.parked = append(v.parked[:i:i], v.parked[i+1:]...)
					w.refused(v, r, 503)
					return
				}
			}
		})
	})
}

// wake judges every parked request again.
func (w *world) wake(v *worker) {
	parked := v.parked
	v.parked = nil
	for _, r := range parked {
		w.judge(v, r)
	}
}

var modulusOf, jwkOf sync.Map // made once, for all histories

// moduli gives the modulus that n names.
func moduli(n int) []byte {
	v, ok := modulusOf.Load(n)
	if !ok {
		v, _ = modulusOf.LoadOrStore(n, modulus(n))
	}
	return v.([]byte)
}

func simJWK(kid string, n int) string {
	name := token{kid, n}
	v, ok := jwkOf.Load(name)
	if !ok {
		v, _ = jwkOf.LoadOrStore(name, jwk(kid, n))
	}
	return v.(string)
}
