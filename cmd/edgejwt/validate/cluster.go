package validate

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/jwks"
	"edgejwt/plugin/config"
)

// way is one way to a provider: a cluster and who is to answer there.
type way struct {
	cluster, host, port string
	plain               bool // http is allowed
	rule                *config.Rule
}

// judgeKeys looks at every way on which keys come.
func (w *world) judgeKeys(p *plugin) {
	for i := range p.config.Rules {
		rule := &p.config.Rules[i]
		if rule.Cluster == "" {
			continue // an inline key set
		}
		host := rule.Authority
		if rule.KeysHost != "" {
			w.judgeWay(p, newWay(rule.DiscoveryCluster, rule.Authority, rule))
			host = rule.KeysHost
		}
		w.judgeWay(p, newWay(rule.Cluster, host, rule))
	}
}

func newWay(cluster, authority string, rule *config.Rule) *way {
	host, port := authority, "443"
	if mayBePlain(authority, rule) {
		port = "80"
	}
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		host, port = authority[:i], authority[i+1:]
	}
	return &way{cluster, host, port, mayBePlain(authority, rule), rule}
}

// mayBePlain reports whether the rule lets keys come from there by http (allowHttp). What
// a discovered jwks_uri will be is not known.
func mayBePlain(authority string, rule *config.Rule) bool {
	switch {
	case !rule.AllowHTTP:
		return false
	case rule.Discovery && authority != rule.Authority:
		return true
	case rule.Discovery:
		return strings.HasPrefix(rule.Issuer, "http://")
	}
	return strings.HasPrefix(rule.JWKSURI, "http://")
}

func (w *world) judgeWay(p *plugin, y *way) {
	name, port, isIstio := istioName(y.cluster)
	if isIstio && p.in == "EnvoyExtensionPolicy" {
		w.found(Finding{Severity: Error, What: "cluster " + y.cluster + " is Istio's name",
			Why:   "Envoy Gateway names its clusters otherwise; the keys would never be had, and every token be answered with 503.",
			Write: "cluster (auth0) or jwksCluster (jwtRules): the cluster of the backend that reaches " + y.host}, p.file, p.where(y.rule.Path))
		return
	}
	for _, cluster := range w.clusters {
		if cluster.Get("name").Str() == y.cluster {
			w.judgeCluster(cluster, y)
			return
		}
	}
	switch {
	case isIstio && (p.in == "WasmPlugin" || len(w.entries)+len(w.rules) > 0):
		w.judgeMesh(p, y, name, port)
	case p.in == "Envoy" && w.static:
		write := "a cluster of this name that reaches " + y.host + " over TLS"
		if isIstio {
			write = "the name of the cluster that reaches " + y.host + "; this one is the default, as Istio names it"
		}
		w.found(Finding{Severity: Error, What: "cluster " + y.cluster + " is not there",
			Why: "The keys are never had (" + jwks.ErrUnknownCluster.Error() + "), and every token is answered with 503.", Write: write}, p.file, p.where(y.rule.Path))
	case p.in == "Envoy":
		w.found(Finding{Severity: Hint, What: "cluster " + y.cluster + " is not in these files",
			Why: "Whether it reaches " + y.host + " over TLS, and checks the certificate, was not looked at."}, p.file, p.where(y.rule.Path))
	}
}

const whoAnswers = "Whoever can answer there decides which tokens are valid."

// judgeCluster looks at one of Envoy's clusters.
func (w *world) judgeCluster(c located, y *way) {
	w.judgeEndpoints(c, y)
	socket := c.Get("transport_socket")
	kind, tls := typed(socket.Get("typed_config"))
	switch {
	case c.Get("transport_socket_matches") != nil:
		w.found(Finding{Severity: Hint, What: "transport_socket_matches are not looked at", Why: whoAnswers}, c.file, c.Get("transport_socket_matches"))
		return
	case socket == nil && y.plain: // the configuration's own warning says what that means
		return
	case socket == nil:
		w.found(Finding{Severity: Error, What: "cluster " + y.cluster + " has no TLS", Why: "The keys of " + y.host + " would be asked for in the clear. " + whoAnswers,
			Write: "transport_socket with UpstreamTlsContext, as in envoy.yaml"}, c.file, c.Node)
		return
	case kind == "QuicUpstreamTransport":
		tls = tls.Get("upstream_tls_context")
	case kind != "UpstreamTlsContext":
		w.found(Finding{Severity: Warning, What: "the transport socket is not UpstreamTlsContext, which is all that is looked at", Why: whoAnswers}, c.file, socket)
		return
	}
	w.judgeTLS(c, tls, y)
}

func (w *world) judgeTLS(c located, tls *document.Node, y *way) {
	common := tls.Get("common_tls_context")
	validation := common.Get("validation_context")
	combined := common.Get("combined_validation_context")
	if validation == nil {
		validation = combined.Get("default_validation_context")
	}
	secret := first(common.Get("validation_context_sds_secret_config"), combined.Get("validation_context_sds_secret_config"))
	sni := tls.Get("sni")
	autoNames := tls.Get("auto_sni_san_validation").Is("true")
	autoSNI := tls.Get("auto_host_sni").Is("true") || hasAutoSNI(c.Node, "auto_sni")
	names := slices.Concat(validation.Get("match_typed_subject_alt_names").Items(), validation.Get("match_subject_alt_names").Items())
	pinned := len(validation.Get("verify_certificate_hash").Items())+len(validation.Get("verify_certificate_spki").Items()) > 0

	if lax := validation.Get("trust_chain_verification"); lax.Is("ACCEPT_UNTRUSTED") || lax.Is("1") {
		w.found(Finding{Severity: Error, What: "any certificate is accepted", Why: whoAnswers, Write: "leave trust_chain_verification out"}, c.file, lax)
	}
	if expired := validation.Get("allow_expired_certificate"); expired.Is("true") {
		w.found(Finding{Severity: Warning, What: "expired certificates are accepted", Why: whoAnswers, Write: "leave allow_expired_certificate out"}, c.file, expired)
	}
	authority := first(validation.Get("trusted_ca"), validation.Get("system_root_certs"), validation.Get("ca_certificate_provider_instance"), validation.Get("custom_validator_config"))
	switch {
	case authority != nil:
	case secret != nil:
		w.found(Finding{Severity: Hint, What: "the trusted authorities come by SDS, and are not looked at", Why: whoAnswers}, c.file, secret)
	case !pinned:
		w.found(Finding{Severity: Error, What: "no trusted authority: any certificate is accepted", Why: whoAnswers,
			Write: "common_tls_context: {validation_context: {trusted_ca: {filename: /etc/ssl/certs/ca-certificates.crt}}}"}, c.file, tls)
	}
	switch {
	case autoNames || pinned || hasAutoSNI(c.Node, "auto_san_validation"):
	case len(names) > 0:
		w.judgeNames(c, validation, names, y)
	case secret != nil: // the secret may hold them; told above
	default:
		w.found(Finding{Severity: Error, What: "a certificate of any name is accepted",
			Why:   "Envoy does not compare names by itself. " + whoAnswers,
			Write: "auto_sni_san_validation: true where your Envoy knows it, or match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: " + y.host + "}}]"}, c.file, tls)
	}
	switch {
	case sni == nil && !autoSNI:
		severity, why := Warning, "Providers with many tenants on one address need it."
		if autoNames {
			severity, why = Error, "There is no name to compare the certificate with."
		}
		w.found(Finding{Severity: severity, What: "no sni", Why: why, Write: "sni: " + y.host}, c.file, tls)
	case sni != nil && !strings.EqualFold(sni.Str(), y.host):
		w.found(Finding{Severity: Warning, What: "sni is " + strconv.Quote(sni.Str()) + ", and the keys are those of " + y.host,
			Why: "Another name is asked for, and another certificate comes.", Write: "sni: " + y.host}, c.file, sni)
	}
}

// judgeNames looks at whether a certificate of the host would be accepted at all.
func (w *world) judgeNames(c located, validation *document.Node, names []*document.Node, y *way) {
	for _, name := range names {
		w.judgeName(c, name, y)
	}
	for _, name := range names {
		matcher := first(name.Get("matcher"), name)
		exact := matcher.Get("exact").Str()
		if exact == "" || strings.EqualFold(exact, y.host) {
			return // what is no exact name is the operator's
		}
		if rest, ok := strings.CutPrefix(exact, "*."); ok && strings.HasSuffix(y.host, "."+rest) {
			return
		}
	}
	w.found(Finding{Severity: Warning, What: "no accepted name is " + y.host, Why: "Its certificate may be refused; and " + strings.ToLower(whoAnswers[:1]) + whoAnswers[1:],
		Write: "{san_type: DNS, matcher: {exact: " + y.host + "}}"}, c.file, or(validation.Get("match_typed_subject_alt_names"), validation))
}

// judgeName looks at whether strangers would be accepted too: one matcher that holds
// is enough for Envoy.
func (w *world) judgeName(c located, name *document.Node, y *way) {
	write := "{san_type: DNS, matcher: {exact: " + y.host + "}}"
	kind := name.Get("san_type")
	_, err := netip.ParseAddr(y.host)
	if isAddress := err == nil; kind != nil && !kind.Is("DNS") && !kind.Is("2") && !(isAddress && (kind.Is("IP_ADDRESS") || kind.Is("4"))) {
		w.found(Finding{Severity: Warning, What: "the certificate's names of type " + kind.Text + " are compared, and " + y.host + " is a host",
			Why: "Authorities give such names to others than the host's owner. " + whoAnswers, Write: write}, c.file, kind)
	}
	matcher := first(name.Get("matcher"), name)
	for _, stranger := range strangers(y.host) {
		if accepts(matcher, stranger) {
			w.found(Finding{Severity: Warning, What: "a certificate of " + stranger + " would be accepted", Why: whoAnswers, Write: write}, c.file, matcher)
			return
		}
	}
}

// strangers are names that belong to somebody else, made to look like the host's.
func strangers(host string) []string {
	labels := strings.Split(host, ".")
	last := func(n int) string { return strings.Join(labels[max(0, len(labels)-n):], ".") }
	all := []string{"stranger.invalid", host + ".stranger.invalid", "stranger-" + host + ".invalid", "stranger." + last(1)}
	own := 2
	if len(labels) > 2 && slices.Contains([]string{"co", "com", "net", "org", "gov", "ac", "edu"}, labels[len(labels)-2]) {
		all, own = append(all, "stranger."+last(2)), 3 // as below .co.uk, where anybody may have a name
	}
	return append(all, "stranger"+last(own))
}

// accepts judges a StringMatcher as Envoy does; what is not known here accepts nothing.
func accepts(matcher *document.Node, name string) bool {
	fold := func(s string) string { return s }
	if matcher.Get("ignore_case").Is("true") {
		fold = strings.ToLower
		name = fold(name)
	}
	for _, kind := range []struct {
		field string
		holds func(s, text string) bool
	}{{"prefix", strings.HasPrefix}, {"suffix", strings.HasSuffix}, {"contains", strings.Contains}} {
		if text := matcher.Get(kind.field); text != nil {
			return kind.holds(name, fold(text.Str()))
		}
	}
	if text := matcher.Get("safe_regex", "regex"); text != nil {
		e, err := regexp.Compile(`\A(?:` + text.Str() + `)\z`)
		return err == nil && e.MatchString(name)
	}
	return false
}

// hasAutoSNI reports whether the cluster's HTTP options set a switch.
func hasAutoSNI(c *document.Node, name string) bool {
	for _, options := range c.Get("typed_extension_protocol_options").Members() {
		if _, body := typed(options); body.Get("upstream_http_protocol_options", name).Is("true") {
			return true
		}
	}
	return c.Get("upstream_http_protocol_options", name).Is("true")
}

// judgeEndpoints looks at where the cluster leads.
func (w *world) judgeEndpoints(c located, y *way) {
	kind := first(c.Get("type"), c.Get("discovery_type"))
	if kind.Is("EDS") || kind.Is("3") || kind.Is("ORIGINAL_DST") || kind.Is("4") || c.Get("cluster_type") != nil {
		return
	}
	count := 0
	c.Get("load_assignment").Walk(func(n *document.Node) bool {
		address := n.Get("socket_address")
		if address == nil {
			return true
		}
		count++
		host, port := address.Get("address").Str(), address.Get("port_value")
		if port != nil && !port.Is(y.port) && !isLocal(host) {
			w.found(Finding{Severity: Warning, What: "port " + port.Text + ", and the keys are at port " + y.port, Write: "port_value: " + y.port}, c.file, port)
		}
		if _, err := netip.ParseAddr(host); err != nil && host != "" && (kind == nil || kind.Is("STATIC") || kind.Is("0")) {
			w.found(Finding{Severity: Error, What: strconv.Quote(host) + " is a name, and the cluster STATIC", Why: "Envoy refuses it.",
				Write: "type: LOGICAL_DNS"}, c.file, or(kind, c.Node))
		}
		return false
	})
	if count == 0 {
		w.found(Finding{Severity: Error, What: "cluster " + y.cluster + " has no endpoint", Why: "The keys are never had (" + jwks.ErrNoEndpoint.Error() + "), and every token is answered with 503.",
			Write: "load_assignment with the address of " + y.host}, c.file, c.Node)
	}
}

// isLocal reports whether a host is this machine, where a stand-in may have any port.
func isLocal(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// first gives the first node that is there, or nil.
func first(nodes ...*document.Node) *document.Node {
	for _, n := range nodes {
		if n != nil {
			return n
		}
	}
	return nil
}
