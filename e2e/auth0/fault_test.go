package auth0_test

import (
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
)

func TestFaults(t *testing.T) {
	s := start(t, auth0.Options{})
	c := client(t, s)
	c.Timeout = time.Second
	for _, tc := range []struct {
		fault  auth0.Fault
		status int    // 0: no answer
		body   string // prefix
	}{
		{auth0.Fault{Kind: auth0.Status, RetryAfter: "7"}, 503, `{"statusCode":503,"error":"Service Unavailable"`},
		{auth0.Fault{Kind: auth0.Status, Status: 500}, 500, `{"statusCode":500`},
		{auth0.Fault{Kind: auth0.Reset}, 0, ""},
		{auth0.Fault{Kind: auth0.Truncated}, 0, ""},
		{auth0.Fault{Kind: auth0.Hang}, 0, ""},
		{auth0.Fault{Kind: auth0.HTML}, 200, "<!DOCTYPE html>"},
		{auth0.Fault{Kind: auth0.Empty}, 200, ""},
		{auth0.Fault{Kind: auth0.NoKeys}, 200, `{"keys":[]}`},
		{auth0.Fault{Kind: auth0.Garbage}, 200, "\x00"},
		{auth0.Fault{Kind: auth0.Huge}, 200, "   "},
		{auth0.Fault{Kind: auth0.Redirect}, 302, ""},
		{auth0.Fault{Delay: 200 * time.Millisecond}, 200, `{"keys":[{"kty":"RSA"`},
	} {
		t.Run(string(tc.fault.Kind), func(t *testing.T) {
			tc.fault.Times = 1
			s.SetFault(tc.fault)
			s.ResetCounts()
			begin := time.Now()
			resp, err := c.Get("https://tenant/.well-known/jwks.json")
			var body []byte
			if err == nil {
				body, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			switch {
			case tc.status == 0 && err == nil:
				t.Errorf("answered %d %q", resp.StatusCode, body)
			case tc.status != 0 && err != nil:
				t.Error(err)
			case tc.status != 0 && (resp.StatusCode != tc.status || !strings.HasPrefix(string(body), tc.body)):
				t.Errorf("answered %d %.80q", resp.StatusCode, body)
			}
			if resp != nil && resp.Header.Get("Retry-After") != tc.fault.RetryAfter {
				t.Errorf("Retry-After %q", resp.Header.Get("Retry-After"))
			}
			if took := time.Since(begin); took < tc.fault.Delay {
				t.Errorf("took %v, want at least %v", took, tc.fault.Delay)
			}
			if resp, _ := get(t, c, "https://tenant/.well-known/jwks.json"); resp.StatusCode != 200 {
				t.Errorf("a fault for one request met the second: %d", resp.StatusCode)
			}
			log := s.FetchLog()
			if s.Fetches() != 2 || len(log) != 2 || log[0].Fault != tc.fault.Kind || log[1].Fault != auth0.None {
				t.Errorf("%d fetches, log %v", s.Fetches(), log)
			}
		})
	}
}

func TestGate(t *testing.T) {
	s := start(t, auth0.Options{})
	c := client(t, s)
	s.SetFault(auth0.Fault{Kind: auth0.Gate})
	const delay = 100 * time.Millisecond
	begin := time.Now()
	time.AfterFunc(delay, func() { s.SetFault(auth0.Fault{}) })
	if resp, _ := get(t, c, "https://tenant/.well-known/jwks.json"); resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
	if time.Since(begin) < delay {
		t.Error("answered before the gate opened")
	}
}

func TestStopAndResume(t *testing.T) {
	s := start(t, auth0.Options{})
	c := client(t, s)
	kids, at := s.KIDs(), s.Address()
	s.Stop()
	s.Stop()
	if conn, err := net.Dial("tcp", at); err == nil {
		conn.Close()
		t.Fatal("stopped, and still accepts connections")
	}
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	get(t, c, "https://tenant/.well-known/jwks.json")
	if s.Address() != at || !slices.Equal(s.KIDs(), kids) {
		t.Errorf("came back at %s with %v; was at %s with %v", s.Address(), s.KIDs(), at, kids)
	}
}
