package plugin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
)

// keySource connects one key set's state machine (jwks.Source) with the host: it passes on
// events and carries out actions. It decides nothing.
type keySource struct {
	plugin  *pluginContext
	machine *jwks.Source
	id      string // identifies what is fetched, and over which clusters
	keys    config.Keys
	record  string // key of the record in shared data
	hint    string // key of the record's sequence number in shared data
	changed bool   // the requests that wait for this key set must be decided again
	metrics *keySourceMetrics
	// sharedDataFailing: shared data has failed, and that is in the log.
	sharedDataFailing bool
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
			proxywasm.LogInfo(action.Message)
		case jwks.Warn:
			proxywasm.LogWarn(action.Message)
		}
	}
}

// sharedDataFailed handles a failure of shared data, without which there are no keys. It
// logs the failure once and makes the next tick slower.
func (s *keySource) sharedDataFailed() {
	if s.plugin.faulty = true; !s.sharedDataFailing {
		s.sharedDataFailing = true
		proxywasm.LogError("the host fails to keep shared data; without it no keys can be had")
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
