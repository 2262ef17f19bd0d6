package plugin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/jwks"
)

// keySource carries one key set's events and actions between the host and its state
// machine. It decides nothing.
type keySource struct {
	plugin  *pluginContext
	machine *jwks.Source
	cluster string      // that reaches the keys
	issuer  issuerPlace // where the discovery document is, if that is elsewhere
	place   string      // what is fetched, and over which clusters
	record  string      // name of the record in shared data
	hint    string      // name of the record's sequence number, eight bytes
	// changed: the requests that wait for this key set are to be decided again.
	changed bool
	metrics *keySourceMetrics
	// sharedDataFailing: the host has failed to keep shared data, which the log says.
	sharedDataFailing bool
}

// issuerPlace is the issuer's own host, when another cluster than the keys' has
// to be asked for it.
type issuerPlace struct{ authority, cluster string }

// clusterOf is the cluster that reaches an authority.
func (s *keySource) clusterOf(authority string) string {
	if s.issuer.cluster != "" && strings.TrimSuffix(authority, ":443") == strings.TrimSuffix(s.issuer.authority, ":443") {
		return s.issuer.cluster
	}
	return s.cluster
}

// tick lets the machine look whether another worker has changed the record, and
// do what is due. A fault in one source does not keep the others, or the requests
// that wait, from what is theirs.
func (s *keySource) tick(now time.Time) {
	defer s.plugin.recoverPanic("tick", nil)
	hint, ok := readHint(s.hint)
	s.carryOut(s.machine.Tick(now, hint, ok))
}

// carryOut does what the machine asks, and what it asks then, until it asks for nothing.
func (s *keySource) carryOut(actions []jwks.Action) {
	for _, action := range actions {
		switch action.Kind {
		case jwks.Load:
			// When the host does not say what is there, nothing is done until the
			// next tick: only a record that is surely absent may be made anew.
			record, version, ok := load(s.record)
			if !ok {
				s.sharedDataFailed()
				continue
			}
			s.carryOut(s.machine.Loaded(s.plugin.clock(), record, version))
		case jwks.Save:
			err := proxywasm.SetSharedData(s.record, action.Record, action.Version)
			switch err {
			case nil:
				writeHint(s.hint, action.Hint)
				s.sharedDataFailing = false
			case types.ErrorStatusCasMismatch: // another was first
			default:
				s.sharedDataFailed()
			}
			s.carryOut(s.machine.Saved(s.plugin.clock(), err == nil))
		case jwks.Fetch:
			s.fetch(action)
		case jwks.Changed:
			// Not here: the machine is in the middle of its work. See afterKeyEvents.
			s.changed = true
		case jwks.Info:
			proxywasm.LogInfo("edgejwt: " + action.Message)
		case jwks.Warn:
			proxywasm.LogWarn("edgejwt: " + action.Message)
		}
	}
}

// sharedDataFailed is what follows when the host's shared data does not do its work.
// Then there are no keys; that is logged once, and tried again with slower ticks.
func (s *keySource) sharedDataFailed() {
	if s.plugin.faulty = true; !s.sharedDataFailing {
		s.sharedDataFailing = true
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
func (s *keySource) fetch(action jwks.Action) {
	authority, path, _ := jwks.SplitURL(action.URL)
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
		s.carryOut(s.machine.Answered(s.plugin.clock(), action.Ticket, jwks.Answer{Err: true}))
	}
}

// answered takes the answer of a callout to the machine, and then decides the
// requests that waited for it.
func (s *keySource) answered(ticket uint64, numHeaders, bodySize int) {
	defer s.plugin.recoverPanic("callout answer", nil)
	s.take(ticket, numHeaders, bodySize)
	s.plugin.afterKeyEvents()
}

func (s *keySource) take(ticket uint64, numHeaders, bodySize int) {
	defer s.plugin.recoverPanic("callout answer", nil)
	answer, err := readAnswer(numHeaders, bodySize)
	if err != nil {
		answer = jwks.Answer{Err: true}
	}
	s.metrics.next = time.Time{} // the fetch is to be counted
	s.carryOut(s.machine.Answered(s.plugin.clock(), ticket, answer))
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

// inherit takes over what key sources of an earlier configuration know.
func (s *keySource) inherit(from []*keySource) {
	for _, other := range from {
		if other.place == s.place {
			s.machine.Inherit(s.plugin.clock(), other.machine)
		}
	}
}

// Shared data belongs to all plugins of the proxy with the same vm_id, and to all
// without one. So the name of a record and what authenticates it follow from
// config.Config.RecordKey, which other plugins do not know. Plugins of ours with
// different keys do not meet there.

// recordName names the record of what is fetched from a place.
func recordName(key [sha256.Size]byte, place string) string {
	return "edgejwt/keys/" + strconv.Itoa(jwks.RecordFormat) + "/" + base64.RawURLEncoding.EncodeToString(derive(key, "name", place)[:16])
}

// derive gives 32 bytes for a purpose and a place, which tell nothing of the key.
func derive(key [sha256.Size]byte, purpose, place string) []byte {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(purpose + "\x00" + place))
	return h.Sum(nil)
}

// readHint reads the record's sequence number; ok is false when there is none.
func readHint(name string) (hint uint64, ok bool) {
	data, _, err := proxywasm.GetSharedData(name)
	if err != nil || len(data) != 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(data), true
}

// writeHint writes it without compare-and-swap: whichever of two numbers stands
// in the end, it is another than was there, and sends readers to the record.
func writeHint(name string, hint uint64) {
	_ = proxywasm.SetSharedData(name, binary.LittleEndian.AppendUint64(nil, hint), 0)
}
