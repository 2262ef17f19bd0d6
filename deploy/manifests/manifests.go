// Package manifests fills the Kustomize folders of deploy/istio and
// deploy/envoy-gateway in: your image, tenant and API in place of the examples'. It
// writes copies, which can be applied as they are or changed further.
package manifests

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"oras.land/oras-go/v2/registry"
)

// Options are the values that the example files have placeholders for. Image, Domain
// and Audience are required; the rest is left as it is when empty.
type Options struct {
	// Image is registry/name:tag@sha256:digest, as `make image IMAGE=…` prints it.
	// "oci://" before it is taken off.
	Image string
	// Domain is the tenant's bare host: tenant.eu.auth0.com.
	Domain string
	// Audience is the API's identifier; several are separated by commas.
	Audience string
	// Namespace is where the Gateway, the gateway's pods or the workload run.
	Namespace string
	// Gateway is the name of the Gateway that targetRefs name.
	Gateway string
	// Selector is the label of the pods that a WasmPlugin is for: app=orders.
	Selector string
	// ModuleURL and ModuleSHA256 are the address and the sum of edgejwt.wasm on a web
	// server, for envoy-gateway/http. Without them that folder is not written.
	ModuleURL, ModuleSHA256 string
}

// Folders are what can be applied, in the order of the pages. envoy-gateway/http is
// written only with Options.ModuleURL.
var Folders = []string{"istio/gateway", "istio/gateway-api", "istio/sidecar", "envoy-gateway/base", "envoy-gateway/static", "envoy-gateway/http"}

// The placeholders, as the files have them.
const (
	imagePlaceholder    = "registry.example.com/team/edgejwt:1.0.0"
	modulePlaceholder   = "https://releases.example.com/edgejwt/1.0.0/edgejwt.wasm"
	domainPlaceholder   = "tenant.eu.auth0.com"
	audiencePlaceholder = "audience: https://api.example.com"
	gatewayPlaceholder  = "name: edge\n"
)

var (
	digestPlaceholder    = strings.Repeat("0", 64)
	namespacePlaceholder = regexp.MustCompile(`(?m)^namespace: \S+.*$`)
	selectorPlaceholder  = regexp.MustCompile(`(?m)^( +matchLabels:\n +)\S+: \S+$`)

	host     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.[a-z]([a-z0-9-]*[a-z0-9])?$`)
	dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	label    = regexp.MustCompile(`^([A-Za-z0-9./_-]+)=([A-Za-z0-9._-]+)$`)
	sha256   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// filled are Options that were checked.
type filled struct {
	Options
	image, digest, audience string
}

// check reports all options that are missing or not usable.
func (o Options) check() (f filled, err error) {
	f.Options = o
	var faults []error
	bad := func(name, value, want string) {
		if value == "" {
			faults = append(faults, fmt.Errorf("%s is not set: %s", name, want))
			return
		}
		faults = append(faults, fmt.Errorf("%s=%s: %s", name, value, want))
	}
	f.image, f.digest, _ = strings.Cut(strings.TrimPrefix(o.Image, "oci://"), "@sha256:")
	ref, refErr := registry.ParseReference(f.image)
	if refErr != nil || ref.Reference == "" || !sha256.MatchString(f.digest) || f.digest == digestPlaceholder {
		bad("IMAGE", o.Image, "want registry/name:tag@sha256:digest, as `make image IMAGE=registry/name:tag` prints it")
	}
	if !host.MatchString(o.Domain) {
		bad("DOMAIN", o.Domain, "want the tenant's host in lower case, without https:// and slash, such as tenant.eu.auth0.com")
	}
	audiences := strings.Split(o.Audience, ",")
	if slices.Contains(audiences, "") || strings.ContainsAny(o.Audience, "\n\r") {
		bad("AUDIENCE", o.Audience, "want the API's identifier, or several with commas between them")
	}
	var value any = audiences
	if len(audiences) == 1 {
		value = o.Audience
	}
	text, jsonErr := json.Marshal(value)
	if jsonErr != nil {
		faults = append(faults, jsonErr)
	}
	f.audience = string(text)
	for _, name := range []struct{ option, value string }{{"NAMESPACE", o.Namespace}, {"GATEWAY", o.Gateway}} {
		if name.value != "" && !dnsLabel.MatchString(name.value) {
			bad(name.option, name.value, "want a name of Kubernetes: lower-case letters, digits and hyphens")
		}
	}
	if o.Selector != "" && !label.MatchString(o.Selector) {
		bad("SELECTOR", o.Selector, "want one label of the pods, such as app=orders")
	}
	if o.ModuleURL != "" {
		if u, urlErr := url.Parse(o.ModuleURL); urlErr != nil || u.Scheme != "https" || u.Host == "" {
			bad("MODULE_URL", o.ModuleURL, "want the https:// address of edgejwt.wasm")
		}
		if !sha256.MatchString(o.ModuleSHA256) {
			bad("MODULE_SHA256", o.ModuleSHA256, "want the SHA-256 of edgejwt.wasm in hex")
		}
	}
	return f, errors.Join(faults...)
}

// Write copies the folders from deploy, which holds them, to dir and fills them in.
// What stood in dir's folders of these names before is removed. It returns the
// folders that can be applied, below dir.
//
// The error names each option that is missing or wrong; then nothing is written.
func Write(deploy fs.FS, dir string, o Options) (folders []string, err error) {
	f, err := o.check()
	if err != nil {
		return nil, err
	}
	for _, top := range []string{"istio", "envoy-gateway"} {
		if err := os.RemoveAll(filepath.Join(dir, top)); err != nil {
			return nil, err
		}
		err := fs.WalkDir(deploy, top, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".yaml") || o.ModuleURL == "" && strings.HasPrefix(name, "envoy-gateway/http/") {
				return err
			}
			text, err := fs.ReadFile(deploy, name)
			if err != nil {
				return err
			}
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			return os.WriteFile(path, []byte(f.fill(name, string(text))), 0o644)
		})
		if err != nil {
			return nil, err
		}
	}
	for _, folder := range Folders {
		if _, err := os.Stat(filepath.Join(dir, folder)); err == nil {
			folders = append(folders, folder)
		}
	}
	return folders, nil
}

// fill replaces the placeholders of one file.
func (f *filled) fill(name, text string) string {
	digest := f.digest
	if strings.HasPrefix(name, "envoy-gateway/http/") {
		digest = f.ModuleSHA256
	}
	text = strings.NewReplacer(
		imagePlaceholder, f.image,
		modulePlaceholder, f.ModuleURL,
		digestPlaceholder, digest,
		domainPlaceholder, f.Domain,
		audiencePlaceholder, "audience: "+f.audience,
	).Replace(text)
	if f.Gateway != "" {
		text = strings.ReplaceAll(text, gatewayPlaceholder, "name: "+strconv.Quote(f.Gateway)+"\n")
	}
	if f.Namespace != "" {
		text = namespacePlaceholder.ReplaceAllLiteralString(text, "namespace: "+strconv.Quote(f.Namespace))
		text = strings.ReplaceAll(text, "cluster: httproute/ingress/", "cluster: httproute/"+f.Namespace+"/")
	}
	if m := label.FindStringSubmatch(f.Selector); m != nil {
		text = selectorPlaceholder.ReplaceAllString(text, "${1}"+m[1]+": "+strconv.Quote(m[2]))
	}
	return text
}
