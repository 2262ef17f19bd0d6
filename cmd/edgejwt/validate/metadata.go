package validate

import (
	"strings"

	"edgejwt/cmd/edgejwt/document"
)

const (
	whyUnread   = "Requests are judged as if it were not there: by the routes of edgejwt's configuration, or for any valid token."
	writePolicy = `metadata: {filter_metadata: {edgejwt: {policy: '{"scopes": ["read:orders"]}'}}} in the route, beside its match`
)

// judgeMetadata looks for metadata that is meant for edgejwt and that it never reads.
// It reads one string, filter_metadata.edgejwt.policy in the metadata of a route.
func (w *world) judgeMetadata() {
	for _, s := range w.sources {
		w.judgeMetadataBelow(s.file, s.root, false)
	}
}

// judgeMetadataBelow looks at n and at all below it. patched is true in a patch of
// routes in Istio's EnvoyFilter, whose value is merged into each route.
func (w *world) judgeMetadataBelow(file string, n *document.Node, patched bool) {
	patched = n.Get("applyTo").Is("HTTP_ROUTE") || patched && (n.Name == "patch" || n.Name == "value")
	isRoute := n.Get("match") != nil && n.Get("applyTo") == nil || patched && n.Name == "value"
	for _, child := range n.Children {
		w.judgeFilterMetadata(file, child, isRoute && child.Name == "metadata")
		w.judgeMetadataBelow(file, child, patched)
	}
}

// judgeFilterMetadata looks at a message that may be a Metadata of Envoy.
func (w *world) judgeFilterMetadata(file string, metadata *document.Node, ofRoute bool) {
	for _, namespace := range metadata.Get("typed_filter_metadata").Members() {
		if looksLikeOurs(namespace.Name) {
			w.found(Finding{Severity: Error, What: "typed_filter_metadata is not read by edgejwt", Why: whyUnread, Write: writePolicy}, file, namespace)
		}
	}
	for _, namespace := range metadata.Get("filter_metadata").Members() {
		switch {
		case namespace.Name == "edgejwt" && ofRoute:
			w.judgeNamespace(file, namespace)
		case namespace.Name == "edgejwt":
			w.found(Finding{Severity: Error, What: "a policy of edgejwt that is not in the metadata of a route", Why: whyUnread, Write: writePolicy}, file, namespace)
		case looksLikeOurs(namespace.Name) || hasOurs(namespace):
			w.found(Finding{Severity: Error, What: namespace.Name + " is not the namespace that edgejwt reads", Why: whyUnread, Write: writePolicy}, file, namespace)
		}
	}
}

// judgeNamespace looks at the keys beside policy. What the policy itself says is judged
// with the connection manager.
func (w *world) judgeNamespace(file string, namespace *document.Node) {
	for _, key := range namespace.Members() {
		if key.Name != "policy" {
			w.found(Finding{Severity: Error, What: key.Name + " is not a key that edgejwt reads", Why: whyUnread, Write: writePolicy}, file, key)
		}
	}
	if len(namespace.Members()) == 0 {
		w.found(Finding{Severity: Error, What: "the metadata of edgejwt has no policy", Why: whyUnread, Write: writePolicy}, file, namespace)
	}
}

// looksLikeOurs reports whether a name is meant to be edgejwt's: "edge_jwt",
// "wasm.edgejwt", "EdgeJWT".
func looksLikeOurs(name string) bool {
	letters := strings.Map(func(c rune) rune {
		if c == '_' || c == '-' || c == '.' || c == ' ' {
			return -1
		}
		return c
	}, strings.ToLower(name))
	return strings.Contains(letters, "edgejwt")
}

func hasOurs(namespace *document.Node) bool {
	for _, key := range namespace.Members() {
		if looksLikeOurs(key.Name) {
			return true
		}
	}
	return false
}
