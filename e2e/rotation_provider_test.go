package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
)

// publication is the time for which the provider publishes a key, and tokens
// that the key signed.
type publication struct {
	kid     string
	from    time.Time // it is in every key set that is read later
	leaving time.Time // from then to until it may or may not be there
	until   time.Time // it is in no key set that is read later; zero: still published
	valid   []string
	expired []string
	foreign []string // signed by another key under this kid
}

// trouble is a time in which the provider cannot be asked.
type trouble struct{ from, to time.Time }

// provider plays the script on the stand-in and remembers what was true when.
// Its readers may be other goroutines.
type provider struct {
	t        *testing.T
	auth0    *auth0.Server
	attacker any

	mu       sync.Mutex
	keys     []*publication // oldest first
	current  *publication
	troubles []trouble
	minted   int
}

func newProvider(t *testing.T, a *auth0.Server, attacker any) *provider {
	p := &provider{t: t, auth0: a, attacker: attacker}
	now := time.Now()
	kids := a.KIDs()
	for _, kid := range kids {
		p.keys = append(p.keys, &publication{kid: kid, from: now})
	}
	p.sign(p.keys[0], auth0.Mint{}, tokensAhead)
	p.sign(p.keys[1], auth0.Mint{Next: true}, tokensAhead)
	p.current = p.keys[0]
	return p
}

// tokensAhead is how many tokens each key signs. A signature takes a
// millisecond of the processor that Envoy needs, so each is used several times.
const tokensAhead = 80

// sign makes tokens of a key that is current or next.
func (p *provider) sign(k *publication, how auth0.Mint, n int) {
	mint := func(m auth0.Mint, change func(auth0.Claims)) string {
		p.minted++
		c := p.auth0.ClientClaims(auth0.DefaultClientID, auth0.DefaultAudience, "read:orders")
		c["jti"] = fmt.Sprint(p.minted)
		change(c)
		token, err := p.auth0.MintToken(c, m)
		if err != nil {
			p.t.Error(err)
		}
		return token
	}
	as := func(list *[]string, token string) {
		p.mu.Lock()
		*list = append(*list, token)
		p.mu.Unlock()
	}
	for i := range n {
		as(&k.valid, mint(how, func(auth0.Claims) {}))
		if i%8 > 0 {
			continue
		}
		as(&k.expired, mint(how, func(c auth0.Claims) { c["exp"] = time.Now().Add(-2 * time.Hour).Unix() }))
		as(&k.foreign, mint(auth0.Mint{Key: p.attacker, Header: map[string]any{"kid": k.kid}}, func(auth0.Claims) {}))
	}
}

// reconcile notes which keys came, and which one signs now.
func (p *provider) reconcile() {
	now := time.Now()
	kids := p.auth0.KIDs()
	p.mu.Lock()
	for _, kid := range kids {
		if !slices.ContainsFunc(p.keys, func(k *publication) bool { return k.kid == kid }) {
			p.keys = append(p.keys, &publication{kid: kid, from: now})
		}
	}
	find := func(kid string) *publication {
		return p.keys[slices.IndexFunc(p.keys, func(k *publication) bool { return k.kid == kid })]
	}
	current, next := find(kids[0]), find(kids[1])
	p.mu.Unlock()
	// Every token is signed before its turn, but for a key that signs at once.
	if len(current.valid) == 0 {
		p.sign(current, auth0.Mint{}, 1)
	}
	p.mu.Lock()
	p.current = current
	p.mu.Unlock()
	if len(current.valid) < tokensAhead {
		p.sign(current, auth0.Mint{}, tokensAhead-len(current.valid))
	}
	if len(next.valid) == 0 {
		p.sign(next, auth0.Mint{Next: true}, tokensAhead)
	}
}

// rotate lets the next key sign, as Auth0 does.
func (p *provider) rotate() {
	if _, err := p.auth0.Rotate(); err != nil {
		p.t.Error(err)
	}
	p.reconcile()
}

// rotateUnseen lets a key sign that nobody can have seen.
func (p *provider) rotateUnseen() {
	if _, err := p.auth0.RotateUnseen(); err != nil {
		p.t.Error(err)
	}
	p.reconcile()
}

// withdraw takes a key out of the set.
func (p *provider) withdraw(k *publication) {
	p.mu.Lock()
	k.leaving = time.Now()
	p.mu.Unlock()
	if err := p.auth0.Withdraw(k.kid); err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	k.until = time.Now()
	p.mu.Unlock()
	p.reconcile()
}

// withdrawOld withdraws all former keys but the latest.
func (p *provider) withdrawOld() {
	for _, kid := range p.auth0.KIDs()[3:] {
		p.mu.Lock()
		k := p.keys[slices.IndexFunc(p.keys, func(k *publication) bool { return k.kid == kid })]
		p.mu.Unlock()
		p.withdraw(k)
	}
}

// suffer makes the provider useless for a while, in one way after the other.
func (p *provider) suffer(each time.Duration, faults ...auth0.Fault) {
	p.begin()
	for _, f := range faults {
		p.auth0.SetFault(f)
		time.Sleep(each)
	}
	p.auth0.SetFault(auth0.Fault{})
	p.end()
}

// die ends the provider's process, as it were, and brings it back.
func (p *provider) die(d time.Duration) {
	p.begin()
	p.auth0.Stop()
	time.Sleep(d)
	if err := p.auth0.Resume(); err != nil {
		p.t.Error(err)
	}
	p.end()
}

func (p *provider) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = append(p.troubles, trouble{from: time.Now()})
}

func (p *provider) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles[len(p.troubles)-1].to = time.Now()
}

// convalescence is how long after trouble nobody may expect the provider to
// have been asked again: the longest backoff (keys.refresh) and Retry-After.
const convalescence = 5 * time.Second

// troubled reports whether the provider could not be asked, or need not have
// been asked yet, at some time between from and to.
func (p *provider) troubled(from, to time.Time) bool {
	for _, t := range p.troubles {
		if t.from.Before(to) && (t.to.IsZero() || t.to.Add(convalescence).After(from)) {
			return true
		}
	}
	return false
}

// draw gives a token of a kind and the key that signed it or whose kid it
// bears; nothing when there is no such key at the moment.
func (p *provider) draw(want kind) (string, *publication) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.current
	var list []string
	switch want {
	case former, withdrawn:
		var some []*publication
		for _, k := range slices.Backward(p.keys) {
			switch {
			case len(k.valid) == 0, k == p.current, len(some) == 3:
			case want == withdrawn && !k.until.IsZero(), want == former && k.leaving.IsZero() && k.from.Before(p.current.from):
				some = append(some, k)
			}
		}
		if len(some) == 0 {
			return "", nil
		}
		k = some[rand.IntN(len(some))]
		list = k.valid
	case current:
		list = k.valid
	case expired:
		list = k.expired
	case foreignKey:
		list = k.foreign
	}
	if len(list) == 0 {
		return "", nil
	}
	return list[rand.IntN(len(list))], k
}
