package explain

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
)

// Fetch gets the keys of every rule that has to fetch them, as the plugin would:
// by its own state machine, which also asks for the discovery document and judges
// what comes. at is the time for which decisions are made. The error is the
// machine's own words; keys of other rules are had all the same.
func (s *KeySource) Fetch(c *config.Config, client *http.Client, at time.Time) error {
	var failed []error
	s.workers = map[string]*worker{}
	for i := range c.Rules {
		rule := &c.Rules[i]
		if rule.Cluster == "" || s.Of[rule.Issuer] != nil || s.Default != nil {
			continue
		}
		policy := rule.Policy()
		policy.Cluster, policy.DiscoveryCluster = "", "" // nothing goes over Envoy here
		w := &worker{client: client, now: at, patience: rule.Keys.Wait, machine: jwks.New(policy, 1, func() float64 { return 0 })}
		if err := w.run(); err != nil {
			failed = append(failed, errors.New(rule.Path+": "+err.Error()))
			continue
		}
		s.workers[rule.Issuer] = w
	}
	return errors.Join(failed...)
}

// worker is a host with one worker and nobody else: it carries out what a machine
// asks for.
type worker struct {
	client  *http.Client
	machine *jwks.Source
	now     time.Time
	// patience is how long a request may wait for keys.
	patience time.Duration
	record   []byte
	version  uint32
	hint     uint64
	asked    int
	last     string // the last thing that the machine logged
}

// run ticks until the keys are there, or two fetches have failed: the discovery
// document's, and the key set's.
func (w *worker) run() error {
	start := w.now
	for w.now.Sub(start) < time.Minute {
		w.carry(w.machine.Tick(w.now, w.hint, w.version > 0))
		if _, usable := w.machine.Current(w.now); usable {
			return nil
		}
		if w.asked >= 2 && w.last != "" {
			return errors.New(w.last)
		}
		w.now = w.now.Add(50 * time.Millisecond)
	}
	if w.last == "" {
		w.last = "the keys cannot be had"
	}
	return errors.New(w.last)
}

// wait goes on for as long as a request may wait for keys, and gives the time then.
func (w *worker) wait() time.Time {
	for end := w.now.Add(w.patience); w.now.Before(end); w.now = w.now.Add(50 * time.Millisecond) {
		w.carry(w.machine.Tick(w.now, w.hint, true))
	}
	return w.now
}

func (w *worker) carry(actions []jwks.Action) {
	for _, a := range actions {
		switch a.Kind {
		case jwks.Load:
			w.carry(w.machine.Loaded(w.now, w.record, w.version))
		case jwks.Save:
			w.record, w.hint, w.version = a.Record, a.Hint, w.version+1
			w.carry(w.machine.Saved(w.now, true))
		case jwks.Fetch:
			w.asked++
			w.carry(w.machine.Answered(w.now, a.Ticket, w.ask(&a)))
		case jwks.Warn:
			w.last = a.Message
		}
	}
}

func (w *worker) ask(a *jwks.Action) jwks.Answer {
	status, headers, body, err := fetch(a.URL, a.Headers, a.Timeout, w.client)
	if err != nil {
		return jwks.Answer{Err: errorOf(err), Detail: err.Error()}
	}
	answer := jwks.Answer{Status: status, Body: body}
	for name, values := range headers {
		for _, value := range values {
			answer.Headers = append(answer.Headers, [2]string{name, value})
		}
	}
	return answer
}

// errorOf finds the plugin's error for one of package http's.
func errorOf(err error) jwks.Error {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var failed net.Error
	switch {
	case errors.As(err, &name):
		return jwks.ErrName
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return jwks.ErrTLS
	case errors.Is(err, syscall.ECONNREFUSED):
		return jwks.ErrRefused
	case errors.As(err, &failed) && failed.Timeout():
		return jwks.ErrTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return jwks.ErrReset
	}
	return jwks.ErrNoAnswer
}
