package validate

import (
	"net/url"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/version"
)

// placeholderTag is the image's tag in the manifests of deploy/.
const placeholderTag = "1.0.0"

// checkPlaceholders looks for values of the example files that were not replaced:
// the digest of zeros, the example's tag, and hosts that nobody can own (RFC 2606
// §3) or that stand for the reader's tenant.
//
// A configuration by itself is not checked, because pages and drafts are full of
// such names. Neither are providers on this machine: they are stand-ins, and their
// example names are right.
func (w *world) checkPlaceholders(p *plugin) {
	if p.code == nil && p.in != "Envoy" {
		return
	}
	w.checkCode(p)
	if w.hasLocalKeys(p) {
		return
	}
	p.inner.Walk(func(n *document.Node) bool {
		switch n.Name {
		case "routes":
			return false // their hosts and claims belong to the reader's own tests and pages
		case "domain", "issuer", "jwksUri", "audience", "audiences", "resource":
			for _, value := range append(n.Items(), n) {
				if isPlaceholderHost(value.Str()) {
					w.found(Finding{Severity: Warning, What: "placeholder " + value.Str() + " in " + n.Name,
						Why:   "It stands in edgejwt's example files for a value of your own; with it, no token of yours is accepted.",
						Write: "your provider's domain, your API's identifier"}, p.file, p.where(withinInner(p, value)))
				}
			}
		}
		return true
	})
}

// checkCode looks at the module's address and digest.
func (w *world) checkCode(p *plugin) {
	address := p.code.Get("url")
	if isPlaceholderHost(address.Str()) {
		w.found(Finding{Severity: Warning, What: "placeholder " + address.Str() + " in url",
			Why: "Nobody can have an image there: the plugin never starts.", Write: "the name that `make image IMAGE=…` prints"}, p.file, address)
	} else if strings.HasSuffix(address.Str(), ":"+placeholderTag) && version.Number != placeholderTag {
		w.found(Finding{Severity: Warning, What: "placeholder tag " + placeholderTag + " in url",
			Why: "It is the example's tag; this command is edgejwt " + version.Number + ".", Write: "the tag that `make image IMAGE=…` prints"}, p.file, address)
	}
	digest := p.code.Get("sha256")
	if text := digest.Str(); text != "" && strings.Trim(text, "0") == "" {
		w.found(Finding{Severity: Warning, What: "placeholder digest of zeros in sha256",
			Why: "No module has it: the plugin never starts.", Write: "the digest that `make image` prints, without sha256:"}, p.file, digest)
	}
}

// withinInner is the path of a node from the configuration that holds it.
func withinInner(p *plugin, n *document.Node) string {
	return strings.TrimPrefix(strings.TrimPrefix(n.Path, p.inner.Path), ".")
}

// isPlaceholderHost reports whether text is a host, a URL or an image's name with a
// host that the example files use in place of the reader's own.
func isPlaceholderHost(text string) bool {
	if !strings.Contains(text, "://") {
		text = "//" + text
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return false
	}
	host := strings.ToLower(parsed.Hostname())
	if host == "tenant.eu.auth0.com" {
		return true
	}
	for _, domain := range []string{"example.com", "example.net", "example.org"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

// hasLocalKeys reports whether a cluster of the files takes the plugin to a provider
// on this machine.
func (w *world) hasLocalKeys(p *plugin) (local bool) {
	if p.config == nil {
		return false
	}
	for i := range p.config.Rules {
		for _, c := range w.clusters {
			if c.Get("name").Str() == p.config.Rules[i].Cluster {
				c.Get("load_assignment").Walk(func(n *document.Node) bool {
					local = local || isLocal(n.Get("socket_address", "address").Str())
					return true
				})
			}
		}
	}
	return local
}
