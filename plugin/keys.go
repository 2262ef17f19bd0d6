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

// keySource connects one key set's state machine (jwks.Source) with the host: it passes on
// events and carries out actions. It decides nothing.
type keySource struct {
	plugin  *pluginContext
	machine *jwks.Source
	cluster string         // reaches the keys
	issuer  issuerEndpoint // of the discovery document, if another cluster reaches it
	id      string         // identifies what is fetched, and over which clusters
	record  string         // key of the record in shared data
	hint    string         // key of the record's sequence number in shared data
	changed bool           // the requests that wait for this key set must be decided again
	metrics *keySourceMetrics
	// sharedDataFailing: shared data has failed, and that is in the log.
	sharedDataFailing bool
}

// issuerEndpoint is the issuer's host and the cluster that reaches it.
type issuerEndpoint struct{ authority, cluster string }

// clusterOf is the cluster that reaches an authority.
func (s *keySource) clusterOf(authority string) string {
	if s.issuer.cluster != "" && strings.TrimSuffix(authority, ":443") == strings.TrimSuffix(s.issuer.authority, ":443") {
		return s.issuer.cluster
	}
	return s.cluster
}

// tick calls the machine's Tick. A panic in one source does not stop the others, or the
// decision about pending requests.
func (s *keySource) tick(now time.Time) {
	defer s.plugin.recoverPanic("tick", nil)
	hint, ok := readHint(s.hint)
	s.carryOut(s.machine.Tick(now, hint, ok))
}

// carryOut carries out actions, and the actions that follow from them.
func (s *keySource) carryOut(actions []jwks.Action) {
	for _, action := range actions {
		switch action.Kind {
		case jwks.Load:
			// After a failure of the host nothing is done until the next tick: a record may
			// be created only if there surely is none.
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
			case types.ErrorStatusCasMismatch: // another worker was first
			default:
				s.sharedDataFailed()
			}
			s.carryOut(s.machine.Saved(s.plugin.clock(), err == nil))
		case jwks.Fetch:
			s.fetch(action)
		case jwks.Changed:
			// The requests are decided when the machine is done: see afterKeyEvents.
			s.changed = true
		case jwks.Info:
			proxywasm.LogInfo("edgejwt: " + action.Message)
		case jwks.Warn:
			proxywasm.LogWarn("edgejwt: " + action.Message)
		}
	}
}

// sharedDataFailed handles a failure of shared data, without which there are no keys. It
// logs the failure once and makes the next tick slower.
func (s *keySource) sharedDataFailed() {
	if s.plugin.faulty = true; !s.sharedDataFailing {
		s.sharedDataFailing = true
		proxywasm.LogError("edgejwt: the host fails to keep shared data; without it no keys can be had")
	}
}

// load reads a record. version is 0 when there is none. ok is false when the host fails.
func load(key string) (record []byte, version uint32, ok bool) {
	record, version, err := proxywasm.GetSharedData(key)
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

// fetch dispatches the callout. It must be called from a tick or from the answer of a
// callout, not from a stream: see OnTick.
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

// answered passes the answer of a callout to the machine, and then decides the requests
// that waited for it.
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

// readAnswer reads the answer of a callout. For a callout that failed, the host makes a
// status of its own (503, 504) or passes no headers.
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
	if status < 100 { // or there is none
		return jwks.Answer{}, errNoStatus
	}
	answer := jwks.Answer{Status: status, Headers: headers}
	if bodySize > 0 {
		// One byte over the bound, so that jwks.Parse refuses a body that is too long.
		answer.Body, err = proxywasm.GetHttpCallResponseBody(0, min(bodySize, jwks.MaxDocumentBytes+1))
		if err != nil && err != types.ErrorStatusNotFound {
			return jwks.Answer{}, err
		}
	}
	return answer, nil
}

// inherit gets the keys of the same key source of an earlier configuration.
func (s *keySource) inherit(from []*keySource) {
	for _, other := range from {
		if other.id == s.id {
			s.machine.Inherit(s.plugin.clock(), other.machine)
		}
	}
}

// All plugins of the proxy with the same vm_id, and all without one, share shared data. So
// the key of a record and the key of its MAC are derived from config.Config.RecordKey,
// which other plugins do not know. Plugins of ours with different RecordKeys use different
// records.

// recordName is the key in shared data of a key source's record.
func recordName(key [sha256.Size]byte, id string) string {
	return "edgejwt/keys/" + strconv.Itoa(jwks.RecordFormat) + "/" + base64.RawURLEncoding.EncodeToString(derive(key, "name", id)[:16])
}

// derive derives 32 bytes from the key, for one purpose and one key source. They reveal
// nothing of the key.
func derive(key [sha256.Size]byte, purpose, id string) []byte {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(purpose + "\x00" + id))
	return h.Sum(nil)
}

// readHint reads the record's sequence number. ok is false when there is none.
func readHint(key string) (hint uint64, ok bool) {
	data, _, err := proxywasm.GetSharedData(key)
	if err != nil || len(data) != 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(data), true
}

// writeHint writes the record's sequence number. It needs no compare-and-swap: of two
// workers that write at once, either number differs from the old one, so that other
// workers read the record.
func writeHint(key string, hint uint64) {
	_ = proxywasm.SetSharedData(key, binary.LittleEndian.AppendUint64(nil, hint), 0)
}
