// Package plugin connects edgejwt with the host. It carries the host's events to
// the packages that decide, and their decisions back: it knows contexts, callouts,
// ticks, shared data, headers, metrics and the log. It decides nothing about
// requests (package plugin/authz), tokens (package verify), key sets (package jwks)
// or the configuration (package plugin/config).
//
// plugin.go has the plugin context: its configuration, its ticks, and what happens
// to a panic. request.go has streams and what becomes of their headers, pending.go
// the requests that wait for keys, keys.go the key sets (callouts and shared data),
// reply.go the replies, and metrics.go the metrics. Package plugin/abi is how the
// module is entered, and the host functions that the SDK lacks.
//
// The host runs a VM in one thread and calls it once at a time, so nothing here
// locks. One VM may run several plugins: all state belongs to a plugin context.
package plugin

import (
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

// Register makes the host's calls arrive here. It is called once, from init.
func Register() { proxywasm.SetVMContext(NewVM()) }

// NewVM gives the VM context, for Register and for tests with an emulated host.
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
	// clock has a monotonic reading; requestClock spares it.
	clock, requestClock func() time.Time
	*setup

	pending pendingRequests
	spare   *request      // what the next request is decided in, if no other waits in it
	period  time.Duration // the tick period that the host has now
	// spellings are those that the log has named.
	spellings route.Spelling
	faulty    bool      // a panic was recovered, or shared data failed, since the last tick was scheduled
	lastLook  time.Time // when a refused request last made the tick come soon
}

// setup is what follows from a configuration. Each configuration has its own, made
// from nothing; a request keeps the one that it was decided by.
type setup struct {
	realm    string
	resource *config.ResourceMetadata // nil when the API is not described
	wait     time.Duration
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

// firstTick is as soon as can be: at OnPluginStart the host has no clusters yet,
// and a callout would be accepted and then fail.
const firstTick = time.Millisecond

// OnPluginStart implements types.PluginContext. It reads the configuration, and
// fails, so that the host keeps what it had, unless every part of it is good.
func (ctx *pluginContext) OnPluginStart(size int) (status types.OnPluginStartStatus) {
	status = types.OnPluginStartStatusFailed
	defer ctx.recoverPanic("start", nil)

	document, err := configuration(size)
	if err != nil {
		proxywasm.LogCritical("edgejwt: the host did not hand over the configuration: " + err.Error())
		return status
	}
	cfg, err := config.Parse(document)
	if err != nil {
		logLines(proxywasm.LogCritical, "edgejwt: configuration refused: ", err.Error())
		return status
	}
	for _, warning := range cfg.Warnings {
		proxywasm.LogWarn("edgejwt: configuration: " + warning)
	}
	if err := ctx.configure(cfg); err != nil {
		proxywasm.LogCritical("edgejwt: configuration refused: " + err.Error())
		return status
	}
	if err := ctx.setPeriod(firstTick); err != nil {
		proxywasm.LogCritical("edgejwt: the host refuses to tick: " + err.Error())
		return status
	}
	proxywasm.LogInfo("edgejwt " + version.Number + ": issuers " + strconv.Itoa(len(cfg.Rules)) + ", routes " + strconv.Itoa(len(cfg.Routes)))
	return types.OnPluginStartStatusOK
}

// logLines writes each line of a text as a line of the log.
func logLines(log func(line string), prefix, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		log(prefix + line)
	}
}

// configuration reads what the host holds. Nothing at all is an empty document.
func configuration(size int) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	return proxywasm.GetPluginConfiguration()
}

// configure turns the parsed configuration into what requests are decided by. What
// was there before is replaced as a whole, or, after an error, stays as a whole.
func (ctx *pluginContext) configure(cfg *config.Config) error {
	s := &setup{realm: cfg.Realm, resource: cfg.ResourceMetadata, wait: cfg.Keys.Wait}
	s.metrics.signatures = newSignatureMetrics()
	engine, err := s.engine(cfg.Signature)
	if err != nil {
		return err
	}
	s.authz = authz.New(cfg, engine, func(rule *config.Rule) *jwks.Source {
		return ctx.keysOf(s, rule, cfg)
	})
	s.metrics.define(cfg, s.authz.Reports())
	ctx.flushMetrics() // of the configuration before
	ctx.setup = s
	return nil
}

// keysOf gives the rule's key set. Rules with one place to fetch from share it.
func (ctx *pluginContext) keysOf(s *setup, rule *config.Rule, cfg *config.Config) *jwks.Source {
	if rule.InlineSet != nil {
		return jwks.Fixed(rule.InlineSet, cfg.Keys.Deny)
	}
	policy := rule.Policy(&cfg.Keys)
	address := rule.JWKSURI
	if rule.Discovery {
		address = rule.Issuer
	}
	place := strings.Join([]string{rule.Cluster, rule.DiscoveryCluster, policy.SourceID()}, "\x00")
	for _, source := range s.sources {
		if source.place == place {
			return source.machine
		}
	}
	record := recordName(cfg.RecordKey, place)
	policy.RecordKey = derive(cfg.RecordKey, "key", place)
	source := &keySource{
		plugin:  ctx,
		cluster: rule.Cluster,
		issuer:  issuerPlace{rule.Authority, rule.DiscoveryCluster},
		place:   place,
		record:  record,
		hint:    record + "/hint",
		machine: jwks.New(policy, rand.Uint64()|1, rand.Float64),
		metrics: newKeySourceMetrics(address),
	}
	// While a changed configuration takes over, the plugin with the one before it is
	// still in this VM, or is this plugin itself, and knows the keys. Their record is
	// another's to this one.
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

// engine is what checks signatures under the configuration. That of the host is
// only taken after it has proved itself.
func (s *setup) engine(choice config.Signature) (verify.Engine, error) {
	if choice != config.SignatureGo {
		if verify.ProveHost(askHost) {
			return verify.NewHostEngine(askHost, s.metrics.signatures.count), nil
		}
		if choice == config.SignatureHost {
			return nil, errNoHostEngine
		}
		proxywasm.LogWarn("edgejwt: signature: auto: the host's verify_signature is missing or wrong; signatures are checked in the module")
	}
	return func(algorithm string, key *verify.Key, signed string, signature []byte) (bool, error) {
		s.metrics.signatures.count(false)
		return verify.GoEngine(algorithm, key, signed, signature)
	}, nil
}

// askHost is a verify.HostCall.
func askHost(message []byte) ([]byte, error) {
	return proxywasm.CallForeignFunction("verify_signature", message)
}

// minPeriod is the host's finest tick, faultyPeriod the next one after a fault.
// With maxPeriod the host's counters are never further behind than that.
// betweenLooks is the least time between two ticks of lookForKeysSoon.
const (
	minPeriod    = time.Millisecond
	faultyPeriod = time.Second
	maxPeriod    = time.Second
	betweenLooks = 25 * time.Millisecond
)

// OnTick implements types.PluginContext. Every fetch starts here: a callout made
// while a stream is handled would be lost with the stream.
func (ctx *pluginContext) OnTick() {
	defer ctx.recoverPanic("tick", nil)
	for _, s := range ctx.sources {
		s.tick(ctx.clock())
	}
	ctx.afterKeyEvents()
}

// afterKeyEvents follows every event of the key sets: it decides the requests that
// waited for it, updates the metrics, and asks for the next tick.
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
			q.source.changed = false // of an earlier configuration
		}
	}
	ctx.schedule(now)
}

// schedule asks the host for the next tick.
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
		// What fails with each tick must not fail a thousand times a second.
		ctx.faulty, next = false, max(next, faultyPeriod)
	}
	_ = ctx.setPeriod(max(next, minPeriod))
}

// tickNow makes the next tick come at once, from within a request.
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

// lookForKeysSoon makes the next tick come soon after a request was refused for want
// of keys: another worker may have them by now. The host does not say so, and to ask
// it with every such request would cost much in an outage.
func (ctx *pluginContext) lookForKeysSoon(streamID uint32, now time.Time) {
	if since := now.Sub(ctx.lastLook); since >= 0 && since < betweenLooks {
		return
	}
	ctx.lastLook = now
	ctx.tickNow(streamID)
}

// setPeriod sets the host's tick period, if that is another than it has.
func (ctx *pluginContext) setPeriod(period time.Duration) error {
	if period == ctx.period {
		return nil
	}
	// Rounded up: a tick before its time would find nothing due and come again.
	millis := (period + time.Millisecond - 1) / time.Millisecond
	if err := proxywasm.SetTickPeriodMilliSeconds(uint32(millis)); err != nil {
		return err
	}
	ctx.period = period
	return nil
}

// recoverPanic ends a panic at the edge of a callback, where it would otherwise end
// the VM and with it every request of this worker. Use: defer ctx.recoverPanic(…).
// The request in hand, if there is one, is refused: what was not decided to its end
// does not pass.
func (ctx *pluginContext) recoverPanic(during string, q *request) {
	fault := recover()
	if fault == nil {
		return
	}
	// Only the runtime's own text: another panic's value might quote anything.
	text := "panic"
	if err, ok := fault.(runtime.Error); ok {
		text = err.Error()
	}
	ctx.faulty = true
	ctx.metrics.panics.add(1)
	proxywasm.LogCritical("edgejwt: panic contained during " + during + ": " + text)
	if q != nil && q.state != refused {
		ctx.pending.remove(q) // or it would be decided again
		_ = proxywasm.SetEffectiveContext(q.id)
		q.refuse(verify.Internal, nil, 0)
	}
}
