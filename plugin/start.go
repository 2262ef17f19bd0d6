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
	"edgejwt/verify/route"
)

// root is one configured plugin in one VM: a types.PluginContext.
type root struct {
	types.DefaultPluginContext
	id    uint32
	clock func() time.Time
	realm string
	about *config.ResourceMetadata // nil when the API is not described
	wait  time.Duration

	authz   *authz.Authorizer
	sources []*source

	parked  parked
	metrics metrics
	period  time.Duration // the tick period that the host has now
	// spellings are those that the log has named.
	spellings route.Spelling
	faulty    bool      // a panic was contained, or shared data failed, since the last schedule
	glanced   time.Time // when a refused request last made the tick come soon
}

func wallClock() time.Time { return time.Now() }

// firstTick is as soon as can be: at OnPluginStart the host has no clusters yet,
// and a callout would be accepted and then fail.
const firstTick = time.Millisecond

// OnPluginStart reads the configuration, and fails, so that the host keeps what it
// had, unless every part of it is good.
func (r *root) OnPluginStart(size int) (status types.OnPluginStartStatus) {
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
		line, text, more = strings.Cut(text, "\n")
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

// configure turns the parsed configuration into what requests are judged by.
func (r *root) configure(cfg *config.Config) error {
	r.realm = cfg.Realm
	r.about = cfg.ResourceMetadata
	r.wait = cfg.Keys.Wait
	r.metrics.checks = newChecks()
	engine, err := r.engine(cfg.Signature)
	if err != nil {
		return err
	}
	r.authz = authz.New(cfg, engine, func(rule *config.Rule) *jwks.Source {
		return r.keysOf(rule, cfg)
	})
	r.metrics.define(cfg, r.authz.Reports())
	return nil
}

// keysOf gives the rule's key set. Rules with one place to fetch from share it.
func (r *root) keysOf(rule *config.Rule, cfg *config.Config) *jwks.Source {
	if rule.InlineSet != nil {
		return jwks.Fixed(rule.InlineSet, cfg.Keys.Deny)
	}
	policy := rule.Policy(&cfg.Keys)
	address := rule.JWKSURI
	if rule.Discovery {
		address = rule.Issuer
	}
	place := strings.Join([]string{rule.Cluster, rule.DiscoveryCluster, policy.SourceID()}, "\x00")
	for _, s := range r.sources {
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
	// still in this VM, and knows the keys. Their record is another's to this one.
	for _, other := range r.siblings() {
		for _, o := range other.sources {
			if o.place == place {
				s.machine.Inherit(r.clock(), o.machine)
			}
		}
	}
	r.sources = append(r.sources, s)
	return s.machine
}
