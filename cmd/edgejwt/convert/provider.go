package convert

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"edgejwt/plugin/config"
)

// A provider is who issues tokens, as another filter describes him.
type provider struct {
	name      string
	issuer    string
	audiences []string // nil: any
	jwksURI   string
	cluster   string
	inline    string // key set
	headers   []location
	cookies   []string
	params    []string
	forward   bool
	payload   string // header
	padded    bool   // the payload
	claims    []claimHeader
	skew      time.Duration // 0: the default of both, a minute
	subjects  []string
	lifetime  time.Duration
	metadata  string   // the name under which RBAC finds the payload
	spaced    []string // claims that are split at spaces for RBAC
	wanted    []string // audiences that single rules ask for instead
	// refresh is how often the keys are fetched; 0: the filter does not say.
	refresh time.Duration
	// timeout is how long a fetch of the keys may take; 0: the filter does not say.
	timeout time.Duration
	// placeless is true when no place was named where tokens stand.
	placeless bool
}

type location struct{ name, prefix string }

type claimHeader struct {
	header string
	way    []string
}

// standard gives the provider the place where tokens stand when none is named.
// jwt_authn then looks into the query parameter access_token, too.
func (p *provider) standard() {
	if p.headers == nil && p.cookies == nil && p.params == nil {
		p.headers = []location{{"authorization", "Bearer "}}
		p.placeless = true
	}
}

// unread is said where a parameter of the URL was looked into, though nobody had
// named it.
const unread = "Stricter here: where no place was named for tokens, the query parameter access_token was looked into as well. " +
	"It is left out, because tokens in URLs end up in logs (RFC 6750, section 2.3): one that stands there counts as none and is not checked. " +
	"Where clients need it, or the API reads it, write fromParams: [access_token]."

// takes are the audiences that edgejwt's rule takes; nil: any.
func (p *provider) takes() []string {
	if p.audiences == nil {
		return nil
	}
	return union(p.audiences, p.wanted)
}

// join makes one provider of two with one issuer, which edgejwt's rules have.
func (p *provider) join(q *provider) error {
	same := p.jwksURI == q.jwksURI && p.cluster == q.cluster && p.inline == q.inline &&
		slices.Equal(p.headers, q.headers) && slices.Equal(p.cookies, q.cookies) && slices.Equal(p.params, q.params) && p.metadata == q.metadata && slices.Equal(p.spaced, q.spaced) &&
		p.forward == q.forward && p.payload == q.payload && p.padded == q.padded && p.skew == q.skew &&
		slices.EqualFunc(p.claims, q.claims, func(a, b claimHeader) bool {
			return a.header == b.header && slices.Equal(a.way, b.way)
		})
	if !same {
		return fmt.Errorf("providers %s and %s have the same issuer, but differ in more than their audiences; edgejwt has one rule for each issuer", clean(p.name), clean(q.name))
	}
	if p.audiences == nil || q.audiences == nil {
		p.audiences = nil
	} else {
		p.audiences = union(p.audiences, q.audiences)
	}
	p.wanted = union(p.wanted, q.wanted)
	p.refresh = min(p.refresh, q.refresh) // of one key set: both or none have it
	p.timeout = max(p.timeout, q.timeout)
	p.placeless = p.placeless || q.placeless
	return nil
}

// entry is the provider as one of jwtRules. ownRefresh is true when it has a time of its own
// between two fetches.
func (p *provider) entry(ownRefresh bool) object {
	var o object
	o.add("issuer", p.issuer)
	if takes := p.takes(); takes != nil {
		o.add("audiences", list(takes))
	} else {
		o.add("anyAudience", true, "names no audience: tokens for every other API of this issuer pass too (RFC 8725, section 3.9)")
	}
	switch {
	case p.inline != "":
		o.add("jwks", json.RawMessage(p.inline))
		p.algorithms(&o)
	case p.jwksURI != "":
		o.add("jwksUri", p.jwksURI)
		fallthrough
	default:
		if p.cluster != "" {
			o.add("jwksCluster", p.cluster)
		}
	}
	switch {
	case p.skew > 10*time.Minute:
		o.add("clockSkew", "10m", "stricter here: it was "+p.skew.String()+", and 10m is the most")
	case p.skew != 0 && p.skew != time.Minute:
		o.add("clockSkew", p.skew.String())
	}
	if keys, notes := p.keys(ownRefresh); keys != nil {
		o.add("keys", keys, notes...)
	}
	p.places(&o)
	if !p.forward {
		o.add("forwardOriginalToken", false)
	}
	if p.payload != "" {
		o.add("outputPayloadToHeader", strings.ToLower(p.payload))
		if p.padded {
			o.add("outputPayloadPadding", true)
		}
	}
	var outputs []any
	for _, h := range p.claims {
		var claim any = h.way[0]
		if len(h.way) > 1 {
			claim = list(h.way)
		}
		outputs = append(outputs, object{{key: "header", value: strings.ToLower(h.header)}, {key: "claim", value: claim}})
	}
	if outputs != nil {
		o.add("outputClaimToHeaders", outputs, "a claim that no header can carry as it is leaves its header out; encoding: percent or base64url carries it")
	}
	return o
}

// Bounds and defaults of keys in package config.
const (
	defaultRefresh  = 10 * time.Minute
	defaultCooldown = 30 * time.Second
	leastRefresh    = time.Second
	defaultTimeout  = 5 * time.Second
	leastTimeout    = 100 * time.Millisecond
	longestTimeout  = time.Minute
)

// keys is the field keys of the provider's rule; nil where the defaults are right.
func (p *provider) keys(ownRefresh bool) (keys object, notes []string) {
	if ownRefresh {
		var note string
		if keys, note = p.refreshes(); note != "" {
			notes = append(notes, note)
		}
	}
	if p.timeout != 0 && p.timeout != defaultTimeout {
		timeout := min(max(p.timeout, leastTimeout), longestTimeout)
		if timeout != p.timeout {
			notes = append(notes, "a fetch could take "+p.timeout.String()+"; from "+config.FormatDuration(leastTimeout)+" to "+config.FormatDuration(longestTimeout)+" is possible")
		}
		keys.add("timeout", config.FormatDuration(timeout))
	}
	return keys, notes
}

// period is the time between two fetches, as far as edgejwt has it.
func (p *provider) period() time.Duration {
	if p.refresh == 0 || p.refresh > defaultRefresh {
		return defaultRefresh
	}
	return max(p.refresh, leastRefresh)
}

// refreshes says how often the key set is fetched; nil where that is the default.
func (p *provider) refreshes() (keys object, note string) {
	refresh := p.period()
	if refresh == defaultRefresh {
		return nil, ""
	}
	note = "as often as the keys were fetched"
	if refresh > p.refresh {
		note = "less often than before: the keys were fetched every " + p.refresh.String() + ", and " + config.FormatDuration(refresh) + " is the least"
	}
	keys.add("refresh", config.FormatDuration(refresh))
	if refresh < defaultCooldown {
		keys.add("cooldown", config.FormatDuration(refresh)) // refresh may not be under it
	}
	return keys, note + "; when a provider cannot be reached, edgejwt goes on with the last keys for keys.maxStale (24h)"
}

func (p *provider) places(o *object) {
	if p.headers != nil {
		var all []any
		for _, l := range p.headers {
			all = append(all, object{{key: "name", value: strings.ToLower(l.name)}, {key: "prefix", value: l.prefix}})
		}
		o.add("fromHeaders", all)
	}
	if p.cookies != nil {
		o.add("fromCookies", list(p.cookies))
	}
	if p.params != nil {
		o.add("fromParams", list(p.params), "tokens in a URL end up in logs: leave this out unless a client needs it")
	}
}

// algorithms names those of an inline key set, which edgejwt does not take from
// the keys.
func (p *provider) algorithms(o *object) {
	var set jose.JSONWebKeySet
	if json.Unmarshal([]byte(p.inline), &set) != nil {
		return // config.Parse says what is wrong with it
	}
	var names []string
	for _, key := range set.Keys {
		name := key.Algorithm
		if name == "" {
			switch key := key.Key.(type) {
			case interface{ Size() int }: // *rsa.PublicKey
				name = "RS256"
			default:
				name = curves[fmt.Sprintf("%T", key)]
			}
		}
		if slices.Contains(edgeAlgorithms, name) {
			names = union(names, []string{name})
		}
	}
	if names != nil && !slices.Equal(names, edgeAlgorithms[:1]) {
		o.add("algorithms", list(names), "those of the keys")
	}
}

var edgeAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

var curves = map[string]string{"*ecdsa.PublicKey": "ES256", "ed25519.PublicKey": "EdDSA"}

// dotted reads the name of a claim, in which a dot leads into an object, also where
// it was meant as a part of the name.
func (c *conversion) dotted(name string) []string {
	way := strings.Split(name, ".")
	if len(way) == 1 {
		return way
	}
	found := slices.Clone(way)
	slices.Reverse(found)
	seldom := ""
	if strings.ContainsAny(name, "/:") {
		seldom = ", and so it was hardly ever found"
	}
	c.note("The claim %s is looked for as %s: each dot leads into an object, as it did%s. "+
		"If dots are part of a name, write the names one by one, claim: [first.name, second], or claim: %s for the whole.", name, strings.Join(found, " in "), seldom, name)
	return way
}

// list makes texts fit for an object.
func list(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// quoted is a text as JSON.
func quoted(text string) string {
	raw, err := json.Marshal(text)
	if err != nil {
		return strconv.Quote(text)
	}
	return string(raw)
}
