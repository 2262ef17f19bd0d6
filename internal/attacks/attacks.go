// Package attacks is the attack table: requests of attackers, careless clients and
// unusual issuers, each with the one right decision. It also holds valid requests
// that must pass, so that a filter cannot satisfy the table by refusing everything.
//
// Only tests import this package. Package verify's tests run the table natively,
// package plugin's run it in the compiled module, and e2e's send it through a real
// Envoy. The tokens are made with golang-jwt, go-jose or crypto/rsa, never with the
// code under test. The private keys in testkeys are public.
//
// The table has no cases about fetching keys, scopes or permissions.
package attacks

import (
	"fmt"
	"time"

	"edgejwt/verify"
)

// Case is one request.
type Case struct {
	// Name is unique in the table.
	Name string
	// Group is the name of the family to which it belongs.
	Group string
	// Headers are the header lines to send, in order, names and values as written.
	Headers [][2]string
	// Want is the right decision; Accepted when the request must pass.
	Want verify.Reason
	// Proxied is the right decision behind Envoy, which hands on less than it
	// got: repeated headers joined with a comma, empty ones among them left out,
	// carriage returns dropped. It is Want except where that loses something.
	Proxied verify.Reason
	// Why says in one sentence why Want is right.
	Why string
	// Raw marks bytes that HTTP does not allow in a header value (RFC 9110
	// §5.5): no ordinary client sends them, and a proxy may refuse the request
	// itself before any filter sees it.
	Raw bool
}

// The values that the tokens of the table claim where Options names no others.
const (
	Issuer   = "https://issuer.example/"
	Audience = "https://api.example.com"
	Skew     = 60 * time.Second
)

// Options fits the table to the filter under test.
type Options struct {
	// Issuer and Audience are what the filter accepts; Issuer starts with
	// "https://" and ends with "/", Audience starts with "https://" and does not.
	Issuer, Audience string
	// Skew is the clock skew that the filter allows, in whole seconds.
	Skew time.Duration
	// Slack keeps the times at the skew's edge that far away from it, for filters
	// with a clock of their own. Zero puts them exactly at the edge. The decisions
	// are then right only for a filter that decides at the time given to Table.
	Slack time.Duration
}

func (o Options) filled() Options {
	if o.Issuer == "" {
		o.Issuer = Issuer
	}
	if o.Audience == "" {
		o.Audience = Audience
	}
	if o.Skew == 0 {
		o.Skew = Skew
	}
	return o
}

// Rule is the verify.Rule that the table is written for.
func (o Options) Rule() verify.Rule {
	o = o.filled()
	return verify.Rule{
		Issuer:     o.Issuer,
		Audiences:  []string{o.Audience},
		Algorithms: []string{verify.RS256},
		ClockSkew:  o.Skew,
	}
}

// Table makes the whole table as of now, which is cut to the second. It panics
// when a token cannot be made. It takes some time, because some cases need a
// signature of a rare kind.
func Table(now time.Time, o Options) []Case {
	b := &builder{now: now.Truncate(time.Second), Options: o.filled()}
	for _, add := range []func(*builder){
		valid, algorithms, keyIDs, headers, claims, names, times,
		encodings, parts, signatures, paddings, transports,
	} {
		add(b)
	}
	return b.cases
}

// builder collects the cases.
type builder struct {
	Options
	now   time.Time
	group string
	cases []Case
}

// token adds a case that sends the token in the ordinary way.
func (b *builder) token(name, token string, want verify.Reason, why string) {
	b.request(name, want, why, bearer(token))
}

// request adds a case that sends these headers.
func (b *builder) request(name string, want verify.Reason, why string, headers ...[2]string) {
	for _, c := range b.cases {
		if c.Name == name {
			panic(fmt.Sprintf("attacks: two cases are named %q", name))
		}
	}
	b.cases = append(b.cases, Case{
		Name: name, Group: b.group, Headers: headers, Want: want, Proxied: want, Why: why,
	})
}

// raw marks the case added last as one that HTTP does not allow.
func (b *builder) raw() { b.cases[len(b.cases)-1].Raw = true }

// proxied sets what the case added last comes to behind Envoy.
func (b *builder) proxied(want verify.Reason) { b.cases[len(b.cases)-1].Proxied = want }

func bearer(token string) [2]string { return [2]string{"Authorization", "Bearer " + token} }
