package bench

import (
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/bench/load"
)

// Traffic says what token the requests of a row carry.
type Traffic int

// The kinds of traffic.
const (
	Repeated   Traffic = iota // one valid token
	New                       // a valid token that was never sent before
	Tenth                     // every tenth is new, the others repeat one
	Missing                   // none
	Malformed                 // another text that is no token, each time
	Expired                   // one that has expired
	Forged                    // another signature that does not verify, each time
	UnknownKey                // another key that the provider does not have, each time
)

// tokens are made before anything is measured. A token is three strings to us.
type tokens struct {
	repeated string
	fresh    []string // valid, each to be sent to a listener once
	expired  string
	tenant   *auth0.Server
	count    atomic.Int64 // of forged tokens, so that no two are alike
}

// mint makes the tokens of a run; fresh ones cost a millisecond each.
func mint(tenant *auth0.Server, fresh int) (*tokens, error) {
	t := &tokens{tenant: tenant, fresh: make([]string, fresh)}
	claims := func(i int) auth0.Claims {
		c := tenant.ClientClaims(auth0.DefaultClientID, auth0.DefaultAudience, "read:orders write:orders")
		c["iat"] = time.Now().Add(-time.Minute).Unix() // or a token may seem to come from the future
		c["jti"] = fmt.Sprintf("%012d", i)             // as long for all
		return c
	}
	old := claims(-1)
	old["iat"], old["exp"] = time.Now().Add(-3*time.Hour).Unix(), time.Now().Add(-2*time.Hour).Unix()
	var err error
	if t.repeated, err = tenant.MintToken(claims(fresh), auth0.Mint{}); err != nil {
		return nil, err
	}
	if t.expired, err = tenant.MintToken(old, auth0.Mint{}); err != nil {
		return nil, err
	}
	var all sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := next.Add(1) - 1; int(i) < fresh; i = next.Add(1) - 1 {
				token, err := tenant.MintToken(claims(int(i)), auth0.Mint{})
				if err != nil {
					panic(err) // the two above were signed with the same key
				}
				t.fresh[i] = token
			}
		})
	}
	all.Wait()
	return t, nil
}

// source hands out a row's requests. fresh are tokens that its listener has not
// seen.
func (t *tokens) source(r *Row, fresh []string) load.Source {
	one := func(token string) load.Request {
		more := ""
		if token != "" {
			more = "authorization: Bearer " + token + "\r\n"
		}
		if r.Authorization != "" {
			more += "authorization: " + r.Authorization + "\r\n"
		}
		if r.Cookies != "" {
			more += "cookie: " + r.Cookies + "\r\n"
		}
		return load.Request{Status: r.Status, Bytes: []byte("GET " + r.Path + " HTTP/1.1\r\nhost: api.example.com\r\n" +
			"user-agent: bench\r\naccept: */*\r\n" + more + "\r\n")}
	}
	all := make([]load.Request, len(fresh))
	for i, token := range fresh {
		all[i] = one(token)
	}
	// A token with a number in the place of something that is signed.
	parts := strings.Split(t.repeated, ".")
	numbered := func(part int, make func(n int64) string) load.Source {
		return func() (load.Request, bool) {
			p := [3]string(parts)
			p[part] = make(t.count.Add(1))
			return one(strings.Join(p[:], ".")), true
		}
	}
	switch r.Traffic {
	case New:
		return load.Once(all)
	case Tenth:
		return load.Every(10, load.Once(all), load.Repeat(one(t.repeated)))
	case Missing:
		return load.Repeat(one(""))
	case Malformed:
		return numbered(1, func(n int64) string { return "." + digits(n) + parts[1] })
	case Expired:
		return load.Repeat(one(t.expired))
	case Forged:
		signature := t.repeated[strings.LastIndexByte(t.repeated, '.')+1:]
		return numbered(2, func(n int64) string { return signature[:100] + digits(n) + signature[112:] })
	case UnknownKey:
		return numbered(0, func(n int64) string { return header("bench-" + digits(n)) })
	default:
		return load.Repeat(one(t.repeated))
	}
}

// needs is how many new tokens n requests of a row use.
func (t Traffic) needs(n int) int {
	switch t {
	case New:
		return n
	case Tenth:
		return n/10 + 1
	}
	return 0
}

func digits(n int64) string { return fmt.Sprintf("%012d", n) }

// header is a JOSE header that names a key.
func header(kid string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT","kid":"` + kid + `"}`))
}
