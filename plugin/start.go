package plugin

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/jwks"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/plugin/version"
	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// root is one plugin in one VM.
type root struct {
	id    uint32
	clock func() time.Time
	*setup

	parked parked
	period time.Duration // the tick period that the host has now
	// spellings are those that the log has named.
	spellings route.Spelling
	faulty    bool      // a panic was contained, or shared data failed, since the last schedule
	glanced   time.Time // when a refused request last made the tick come soon
}

// setup is what follows from a configuration. Each configuration has its own, made
// from nothing; a request keeps the one that it was decided by.
type setup struct {
	realm   string
	about   *config.ResourceMetadata // nil when the API is not described
	wait    time.Duration
	authz   *authz.Authorizer
	sources []*source
	metrics metrics
}

func newRoot(id uint32) *root { return &root{id: id, clock: wallClock, setup: &setup{}} }

func wallClock() time.Time { return time.Now() }

// firstTick is as soon as can be: at OnPluginStart the host has no clusters yet,
// and a callout would be accepted and then fail.
const firstTick = time.Millisecond

// onStart reads the configuration, and fails, so that the host keeps what it
// had, unless every part of it is good.
func (r *root) onStart(size int) (status types.OnPluginStartStatus) {
	status = types.OnPluginStartStatusFailed
	defer r.contain(pluginStart, nil)

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
	if err := r.configure(cfg); err != nil {
		proxywasm.LogCritical("edgejwt: configuration refused: " + err.Error())
		return status
	}
	if err := r.setPeriod(firstTick); err != nil {
		proxywasm.LogCritical("edgejwt: the host refuses to tick: " + err.Error())
		return status
	}
	proxywasm.LogInfo("edgejwt " + version.Number + ": issuers " + strconv.Itoa(len(cfg.Rules)) + ", routes " + strconv.Itoa(len(cfg.Routes)))
	return types.OnPluginStartStatusOK
}

// logLines writes each line of a text as a line of the log.
func logLines(log func(line string), about, text string) {
	for more := true; more; {
		var line string
		line, text, more = ascii.Cut(text, '\n')
		log(about + line)
	}
}

// configuration reads what the host holds. Nothing at all is an empty document.
func configuration(size int) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	return proxywasm.GetPluginConfiguration()
}

// configure turns the parsed configuration into what requests are judged by. What
// was there before is replaced as a whole, or, after an error, stays as a whole.
func (r *root) configure(cfg *config.Config) error {
	s := &setup{realm: cfg.Realm, about: cfg.ResourceMetadata, wait: cfg.Keys.Wait}
	s.metrics.panics = r.metrics.panics
	s.metrics.checks = newChecks()
	engine, err := s.engine(cfg.Signature)
	if err != nil {
		return err
	}
	s.authz = authz.New(cfg, engine, func(rule *config.Rule) *jwks.Machine {
		return r.keysOf(s, rule, cfg)
	})
	s.metrics.define(cfg, s.authz.Reports())
	r.flushMetrics() // of the configuration before
	r.setup = s
	return nil
}

// keysOf gives the rule's key set. Rules with one place to fetch from share it.
func (r *root) keysOf(setup *setup, rule *config.Rule, cfg *config.Config) *jwks.Machine {
	if rule.InlineSet != nil {
		return jwks.Fixed(rule.InlineSet, cfg.Keys.Deny)
	}
	policy := rule.Policy(&cfg.Keys)
	address := rule.JWKSURI
	if rule.Discovery {
		address = rule.Issuer
	}
	place := strings.Join([]string{rule.Cluster, rule.DiscoveryCluster, policy.Source()}, "\x00")
	for _, s := range setup.sources {
		if s.place == place {
			return s.machine
		}
	}
	record := recordName(cfg.RecordKey, place)
	policy.RecordKey = derive(cfg.RecordKey, "key", place)
	s := &source{
		root:    r,
		cluster: rule.Cluster,
		issuer:  issuerPlace{rule.Authority, rule.DiscoveryCluster},
		place:   place,
		record:  record,
		hint:    record + "/hint",
		machine: jwks.New(policy, rand.Uint64()|1, rand.Float64),
		metrics: newSourceMetrics(address),
	}
	// While a changed configuration takes over, the plugin with the one before it is
	// still in this VM, or is this plugin itself, and knows the keys. Their record is
	// another's to this one.
	s.inherit(r.sources)
	for _, other := range r.siblings() {
		if other != r {
			s.inherit(other.sources)
		}
	}
	setup.sources = append(setup.sources, s)
	return s.machine
}

// inherit takes over what key sources of an earlier configuration know.
func (s *source) inherit(from []*source) {
	for _, o := range from {
		if o.place == s.place {
			s.machine.Inherit(s.root.clock(), o.machine)
		}
	}
}
