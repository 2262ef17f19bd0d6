// Package plugin connects edgejwt with the host. It passes the host's events to the
// packages that decide, and carries out their decisions: contexts, callouts, ticks,
// shared data, headers, metrics and the log are here. It decides nothing about requests
// (package plugin/authz), tokens (package verify), key sets (package jwks) or the
// configuration (package plugin/config).
//
// plugin.go has the plugin context: its configuration, its ticks and the recovery from
// panics. request.go has the streams and their headers, pending.go the requests that wait
// for keys, keys.go and callout.go the key sets (shared data and callouts), reply.go the
// replies, and metrics.go the metrics. Package plugin/abi has the module's callbacks and the host
// functions that the SDK lacks.
//
// The host calls a VM from one thread, one call at a time, so nothing here locks. One VM
// may run several plugins, so all state belongs to a plugin context.
package plugin

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/jwks"
	"edgejwt/plugin/abi"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/plugin/version"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// Register registers the plugin with the SDK. Call it once, from an init function.
func Register() { proxywasm.SetVMContext(NewVM()) }

// NewVM makes the VM context, for Register and for tests with an emulated host.
func NewVM() types.VMContext { return &vmContext{} }

type vmContext struct {
	types.DefaultVMContext
	plugins []*pluginContext
}

// NewPluginContext implements types.VMContext.
func (vm *vmContext) NewPluginContext(contextID uint32) types.PluginContext {
	ctx := newPluginContext(contextID)
	ctx.vm = vm
	vm.plugins = append(vm.plugins, ctx)
	abi.Add(contextID, ctx)
	return ctx
}

// pluginContext is one plugin in one VM.
type pluginContext struct {
	types.DefaultPluginContext
	id uint32
	vm *vmContext
	// clock has a monotonic reading; requestClock does without it and costs less.
	clock, requestClock func() time.Time
	*setup

	pending pendingRequests
	spare   *request      // memory for the next request; nil while a request that waits uses it
	period  time.Duration // the host's tick period
	// spellings are those that are in the log.
	spellings route.Spelling
	faulty    bool      // a panic was recovered, or shared data failed, since the last tick was scheduled
	lastLook  time.Time // when lookForKeysSoon last called tickNow
}

// setup is all state that depends on the configuration. A new configuration gets a new
// setup; a request keeps the setup that it was decided by.
type setup struct {
	realm    string
	resource *config.ResourceMetadata // nil when it is not served
	authz    *authz.Authorizer
	sources  []*keySource
	metrics  metrics
}

func newPluginContext(id uint32) *pluginContext {
	return &pluginContext{id: id, vm: &vmContext{}, clock: time.Now, requestClock: abi.Now, setup: &setup{}}
}

// OnGone implements abi.Plugin.
func (ctx *pluginContext) OnGone() {
	ctx.flushMetrics()
	ctx.vm.plugins = slices.DeleteFunc(ctx.vm.plugins, func(other *pluginContext) bool { return other == ctx })
}

// OnPluginDone implements types.PluginContext.
func (ctx *pluginContext) OnPluginDone() bool {
	ctx.OnGone()
	return true
}

// firstTick is the period until the first tick. At OnPluginStart the host has no clusters:
// it would accept a callout, which then fails.
const firstTick = time.Millisecond

// OnPluginStart implements types.PluginContext. It fails if the configuration has a fault;
// the host then keeps the configuration that it had.
func (ctx *pluginContext) OnPluginStart(size int) (status types.OnPluginStartStatus) {
	status = types.OnPluginStartStatusFailed
	defer ctx.recoverPanic("start", nil)

	document, err := configuration(size)
	if err != nil {
		proxywasm.LogCritical("the host did not give the configuration: " + err.Error())
		return status
	}
	cfg, err := config.Parse(document)
	if err != nil {
		logLines(proxywasm.LogCritical, "configuration refused: ", err.Error())
		return status
	}
	first := ctx.isFirst(cfg, document)
	if first {
		for _, warning := range cfg.Warnings {
			proxywasm.LogWarn("configuration: " + warning)
		}
	}
	if err := ctx.configure(cfg); err != nil {
		proxywasm.LogCritical("configuration refused: " + err.Error())
		return status
	}
	if err := ctx.setPeriod(firstTick); err != nil {
		proxywasm.LogCritical("the host refuses to tick: " + err.Error())
		return status
	}
	if !first {
		return types.OnPluginStartStatusOK
	}
	proxywasm.LogInfo("version " + version.Number + ": issuers " + strconv.Itoa(len(cfg.Rules)) + ", routes " + strconv.Itoa(len(cfg.Routes)))
	return types.OnPluginStartStatusOK
}

// isFirst reports whether this VM is the first one of the process to start with the
// configuration, within a minute: what all of them would log alike is logged once.
// Where the host does not say, it is true.
func (ctx *pluginContext) isFirst(cfg *config.Config, document []byte) bool {
	const interval = time.Minute
	digest := sha256.Sum256(document)
	name := "edgejwt/started/" + base64.RawURLEncoding.EncodeToString(derive(cfg.RecordKey, "started", string(digest[:]))[:16])
	data, cas, ok := load(name)
	now := ctx.clock()
	if !ok {
		return true
	}
	if cas == 0 {
		cas = jwks.VersionNone
	} else if len(data) == 8 {
		since := now.Sub(time.UnixMilli(int64(binary.LittleEndian.Uint64(data))))
		if since >= 0 && since < interval {
			return false
		}
	}
	err := proxywasm.SetSharedData(name, binary.LittleEndian.AppendUint64(nil, uint64(now.UnixMilli())), cas)
	return err != types.ErrorStatusCasMismatch
}

// logLines writes each line of a text as a line of the log.
func logLines(log func(line string), prefix, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		log(prefix + line)
	}
}

// configuration reads the configuration's text, which may be empty.
func configuration(size int) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	return proxywasm.GetPluginConfiguration()
}

// configure makes the setup for a configuration. It replaces the setup as a whole, or
// leaves it unchanged after an error.
func (ctx *pluginContext) configure(cfg *config.Config) error {
	s := &setup{realm: cfg.Realm, resource: cfg.ResourceMetadata}
	s.metrics.signatures = newSignatureMetrics()
	engine, err := s.engine(cfg.Signature)
	if err != nil {
		return err
	}
	s.authz = authz.New(cfg, engine, func(rule *config.Rule) *jwks.Source {
		return ctx.keysOf(s, rule, cfg)
	})
	s.authz.SetHost(host{})
	s.metrics.define(cfg, s.authz.Reports())
	ctx.flushMetrics() // of the configuration before
	ctx.setup = s
	return nil
}

// keysOf returns the source of the rule's keys. Rules that fetch the same keys in the same
// way share it. Those that only fetch the same keys share the record.
func (ctx *pluginContext) keysOf(s *setup, rule *config.Rule, cfg *config.Config) *jwks.Source {
	if rule.InlineSet != nil {
		return jwks.Fixed(rule.InlineSet, rule.Keys.Deny)
	}
	policy := rule.Policy()
	address := rule.JWKSURI
	if rule.Discovery {
		address = rule.Issuer
	}
	id := policy.SourceID()
	for _, source := range s.sources {
		if source.id == id && source.keys.Equal(&rule.Keys) {
			return source.machine
		}
	}
	record := recordName(cfg.RecordKey, id)
	policy.RecordKey = derive(cfg.RecordKey, "key", id)
	source := &keySource{
		plugin:  ctx,
		id:      id,
		keys:    rule.Keys,
		record:  record,
		hint:    record + "/hint",
		machine: jwks.New(policy, rand.Uint64()|1, rand.Float64),
		metrics: newKeySourceMetrics(address),
	}
	// When the configuration changes, the plugin with the earlier configuration is still
	// in this VM, or is this plugin itself, and has the keys. The new configuration cannot
	// read its record, because its RecordKey is another.
	source.inherit(ctx.sources)
	for _, other := range ctx.vm.plugins {
		if other != ctx {
			source.inherit(other.sources)
		}
	}
	s.sources = append(s.sources, source)
	return source.machine
}

var errNoHostEngine = errors.New("signature: host, but this host has no verify_signature that tells good signatures from bad; " +
	"write auto or go")

// engine returns the configured engine for signatures. It uses the host's only if that
// passes verify.ProveHost.
func (s *setup) engine(choice config.Signature) (verify.Engine, error) {
	if choice != config.SignatureGo {
		if verify.ProveHost(askHost) {
			return verify.NewHostEngine(askHost, s.metrics.signatures.count), nil
		}
		if choice == config.SignatureHost {
			return nil, errNoHostEngine
		}
		proxywasm.LogWarn("signature: auto: the host's verify_signature is missing or wrong; signatures are checked in the module")
	}
	return func(algorithm string, key *verify.Key, signed string, signature []byte) (bool, error) {
		s.metrics.signatures.count(false)
		return verify.GoEngine(algorithm, key, signed, signature)
	}, nil
}

// askHost implements verify.HostCall.
func askHost(message []byte) ([]byte, error) {
	return proxywasm.CallForeignFunction("verify_signature", message)
}

// minPeriod is the host's shortest tick period. faultyPeriod is the shortest after a fault.
// maxPeriod bounds the age of the host's counters. betweenLooks is the least time between
// two ticks of lookForKeysSoon.
const (
	minPeriod    = time.Millisecond
	faultyPeriod = time.Second
	maxPeriod    = time.Second
	betweenLooks = 25 * time.Millisecond
)

// OnTick implements types.PluginContext. Fetches start here: a callout made in a stream's
// callback would end with the stream.
func (ctx *pluginContext) OnTick() {
	defer ctx.recoverPanic("tick", nil)
	for _, s := range ctx.sources {
		s.tick(ctx.clock())
	}
	ctx.afterKeyEvents()
}

// afterKeyEvents is called after each event of the key sets: it decides the requests that
// waited for the event, updates the metrics, and schedules the next tick.
func (ctx *pluginContext) afterKeyEvents() {
	now := ctx.clock()
	ctx.pending.resume(ctx, now)
	ctx.flushMetrics()
	for _, s := range ctx.sources {
		s.observe(now)
		s.changed = false
	}
	for _, q := range ctx.pending.requests {
		if q.source != nil {
			q.source.changed = false // the source may be of an earlier configuration
		}
	}
	ctx.schedule(now)
}

// schedule sets the time of the next tick.
func (ctx *pluginContext) schedule(now time.Time) {
	next := maxPeriod
	for _, s := range ctx.sources {
		next = min(next, s.machine.NextTick(now))
	}
	if deadline, ok := ctx.pending.next(); ok {
		next = min(next, deadline.Sub(now))
	}
	if ctx.pending.unfinished {
		next = 0
	}
	if ctx.faulty {
		// A fault that every tick repeats must not occur a thousand times a second.
		ctx.faulty, next = false, max(next, faultyPeriod)
	}
	_ = ctx.setPeriod(max(next, minPeriod))
}

// tickNow makes the next tick come at once. It is called from a stream's callback.
func (ctx *pluginContext) tickNow(streamID uint32) {
	if ctx.period == minPeriod {
		return
	}
	// The tick belongs to the plugin, not to the stream that is in effect.
	if err := proxywasm.SetEffectiveContext(ctx.id); err != nil {
		return
	}
	_ = ctx.setPeriod(minPeriod)
	_ = proxywasm.SetEffectiveContext(streamID)
}

// lookForKeysSoon makes the next tick come soon after a request was refused because there
// were no keys: another worker may have fetched them. It does so for few of such requests,
// because a tick for each would cost much in an outage.
func (ctx *pluginContext) lookForKeysSoon(streamID uint32, now time.Time) {
	if since := now.Sub(ctx.lastLook); since >= 0 && since < betweenLooks {
		return
	}
	ctx.lastLook = now
	ctx.tickNow(streamID)
}

// setPeriod sets the host's tick period, unless it is the current one.
func (ctx *pluginContext) setPeriod(period time.Duration) error {
	if period == ctx.period {
		return nil
	}
	// Rounded up: a tick that comes too early finds nothing due, and another must follow.
	millis := (period + time.Millisecond - 1) / time.Millisecond
	if err := proxywasm.SetTickPeriodMilliSeconds(uint32(millis)); err != nil {
		return err
	}
	ctx.period = period
	return nil
}

// recoverPanic recovers from a panic in a callback, which would end the VM and with it
// every request of this worker. Use: defer ctx.recoverPanic(…). It refuses the request of
// the callback, unless q is nil or was refused before.
func (ctx *pluginContext) recoverPanic(during string, q *request) {
	fault := recover()
	if fault == nil {
		return
	}
	// Only texts of the Go runtime are logged: any other value may quote the request.
	text := "panic"
	if err, ok := fault.(runtime.Error); ok {
		text = err.Error()
	}
	ctx.faulty = true
	ctx.metrics.panics.add(1)
	proxywasm.LogCritical("panic recovered in " + during + ": " + text)
	if q != nil && q.state != refused {
		ctx.pending.remove(q) // so that it is not decided again
		_ = proxywasm.SetEffectiveContext(q.id)
		q.refuse(verify.Internal, nil, 0)
	}
}
