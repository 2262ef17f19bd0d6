package plugin

import (
	"errors"
	"strings"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/jwks"
)

// source carries one key set's events and actions between the host and its state
// machine. It decides nothing.
type source struct {
	root    *root
	machine *jwks.Source
	cluster string      // that reaches the keys
	issuer  issuerPlace // where the discovery document is, if that is elsewhere
	place   string      // what is fetched, and over which clusters
	record  string      // name of the record in shared data
	hint    string      // name of the record's sequence number, eight bytes
	// changed: the requests that wait for this key set are to be judged again.
	changed bool
	metrics *sourceMetrics
	// unshared: the host has failed to keep shared data since it last did.
	unshared bool
}

// issuerPlace is the issuer's own host, when another cluster than the keys' has
// to be asked for it.
type issuerPlace struct{ authority, cluster string }

// clusterOf is the cluster that reaches an authority.
func (s *source) clusterOf(authority string) string {
	if s.issuer.cluster != "" && strings.TrimSuffix(authority, ":443") == strings.TrimSuffix(s.issuer.authority, ":443") {
		return s.issuer.cluster
	}
	return s.cluster
}

// tick lets the machine look whether another worker has changed the record, and
// do what is due. A fault in one source does not keep the others, or the requests
// that wait, from what is theirs.
func (s *source) tick(now time.Time) {
	defer s.root.contain(tick, nil)
	hint, ok := readHint(s.hint)
	s.carryOut(s.machine.Tick(now, hint, ok))
}

// carryOut does what the machine asks, and what it asks then, until it is content.
func (s *source) carryOut(actions []jwks.Action) {
	for _, action := range actions {
		switch action.Kind {
		case jwks.Load:
			// When the host does not say what is there, nothing is done until the
			// next tick: only a record that is surely absent may be made anew.
			record, version, ok := load(s.record)
			if !ok {
				s.unsharing()
				continue
			}
			s.carryOut(s.machine.Loaded(s.root.clock(), record, version))
		case jwks.Save:
			err := proxywasm.SetSharedData(s.record, action.Record, action.Version)
			switch err {
			case nil:
				writeHint(s.hint, action.Hint)
				s.unshared = false
			case types.ErrorStatusCasMismatch: // another was first
			default:
				s.unsharing()
			}
			s.carryOut(s.machine.Saved(s.root.clock(), err == nil))
		case jwks.Fetch:
			s.fetch(action)
		case jwks.Changed:
			// Not here: the machine is in the middle of its work. See root.settle.
			s.changed = true
		case jwks.Info:
			proxywasm.LogInfo("edgejwt: " + action.Message)
		case jwks.Warn:
			proxywasm.LogWarn("edgejwt: " + action.Message)
		}
	}
}

// unsharing is what follows when the host's shared data does not do its work.
// Then there are no keys; that is said once, and tried again at leisure.
func (s *source) unsharing() {
	if s.root.faulty = true; !s.unshared {
		s.unshared = true
		proxywasm.LogError("edgejwt: the host fails to keep shared data; without it no keys can be had")
	}
}

// load reads the record; nothing and version 0 when there is none. ok is false
// when the host could not tell.
func load(name string) (record []byte, version uint32, ok bool) {
	record, version, err := proxywasm.GetSharedData(name)
	return loaded(record, version, err)
}

func loaded(record []byte, version uint32, err error) ([]byte, uint32, bool) {
	switch err {
	case nil:
		return record, version, true
	case types.ErrorStatusNotFound:
		return nil, 0, true
	}
	return nil, 0, false
}

// fetch dispatches the callout. It is reached from a tick or from an answer,
// never from a stream: see OnTick.
func (s *source) fetch(action jwks.Action) {
	authority, path, _ := jwks.SplitURL(action.URL) // configuration and machine have made sure of it
	headers := append([][2]string{
		{":method", "GET"},
		{":scheme", "https"},
		{":authority", authority},
		{":path", path},
		{"accept", "application/json"},
		{"user-agent", "edgejwt"},
	}, action.Headers...)
	_, err := proxywasm.DispatchHttpCall(s.clusterOf(authority), headers, nil, nil, uint32(action.Timeout/time.Millisecond),
		func(numHeaders, bodySize, _ int) { s.answered(action.Ticket, numHeaders, bodySize) })
	if err != nil {
		s.carryOut(s.machine.Answered(s.root.clock(), action.Ticket, jwks.Answer{Err: true}))
	}
}

// answered takes the answer of a callout to the machine, and then judges the
// requests that waited for it.
func (s *source) answered(ticket uint64, numHeaders, bodySize int) {
	defer s.root.contain(calloutAnswer, nil)
	s.take(ticket, numHeaders, bodySize)
	s.root.settle()
}

func (s *source) take(ticket uint64, numHeaders, bodySize int) {
	defer s.root.contain(calloutAnswer, nil)
	answer, err := readAnswer(numHeaders, bodySize)
	if err != nil {
		answer = jwks.Answer{Err: true}
	}
	s.metrics.next = time.Time{} // the fetch is to be counted
	s.carryOut(s.machine.Answered(s.root.clock(), ticket, answer))
}

var errNoStatus = errors.New("the answer has no status")

// readAnswer reads what the host has of the answer. A callout that failed comes
// as a status of the host's own making (503, 504) or with no headers at all.
func readAnswer(numHeaders, bodySize int) (jwks.Answer, error) {
	if numHeaders == 0 {
		return jwks.Answer{}, errNoStatus
	}
	headers, err := proxywasm.GetHttpCallResponseHeaders()
	if err != nil {
		return jwks.Answer{}, err
	}
	text, status := "", 0
	for _, header := range headers {
		if header[0] == ":status" {
			text = header[1]
		}
	}
	for _, c := range []byte(text) {
		if status = 10*status + int(c-'0'); c < '0' || c > '9' || status > 999 {
			return jwks.Answer{}, errNoStatus
		}
	}
	if status < 100 { // or none at all
		return jwks.Answer{}, errNoStatus
	}
	answer := jwks.Answer{Status: status, Headers: headers}
	if bodySize > 0 {
		// One byte over the bound, so that the parser sees that it is too long.
		answer.Body, err = proxywasm.GetHttpCallResponseBody(0, min(bodySize, jwks.MaxDocumentBytes+1))
		if err != nil && err != types.ErrorStatusNotFound {
			return jwks.Answer{}, err
		}
	}
	return answer, nil
}
