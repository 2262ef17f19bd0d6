// Package bootstrap writes an Envoy bootstrap for a start: a listener with edgejwt, a
// cluster for the API and one for the provider's keys.
//
// What is written needs a valid token of every request, checks the certificate of the
// provider, and has the settings that edgejwt needs around it. The plugin's parser has
// accepted its configuration, and package validate finds nothing in it.
package bootstrap

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"text/template"

	"edgejwt/jwks"
	"edgejwt/plugin/config"
)

// Options are the values that differ from one user to another, by the names of the
// command's flags.
type Options struct {
	// Domain is an Auth0 tenant's domain. Exactly one of Domain and Issuer is set.
	Domain string
	// Issuer is the value of "iss" in another provider's tokens.
	Issuer string
	// JWKSURI is the address of Issuer's key set; empty to find it by OpenID Connect
	// Discovery.
	JWKSURI string
	// Audiences are the accepted values of "aud", at least one.
	Audiences []string
	// Upstream is the API: host:port, or an http or https URL without a path.
	Upstream string
	// Listen is the IP address and port that Envoy listens on.
	Listen string
	// Admin is the IP address and port of Envoy's admin endpoint.
	Admin string
	// Module is the file with the plugin's module.
	Module string
	// CAFile is the file with the certificate authorities that Envoy trusts.
	CAFile string
}

//go:embed envoy.yaml.tmpl
var text string

var envoy = template.Must(template.New("envoy.yaml").Funcs(template.FuncMap{"yaml": scalar, "json": quoted, "list": list}).Parse(text))

// Write writes the bootstrap as YAML. The error has one line for each option that is
// wrong, which begins with the flag's name; nothing is written then.
func Write(out io.Writer, o *Options) error {
	cluster := "auth0"
	if o.Domain == "" {
		cluster = "provider"
	}
	var wrong []error
	listen, err := listener("--listen", o.Listen)
	wrong = append(wrong, err)
	admin, err := listener("--admin", o.Admin)
	wrong = append(wrong, err)
	upstream, isTLS, err := upstreamOf(o.Upstream)
	wrong = append(wrong, err)
	var configuration strings.Builder
	if err := envoy.ExecuteTemplate(&configuration, "configuration", o); err != nil {
		return err
	}
	provider, err := providerOf(configuration.String())
	wrong = append(wrong, err)
	for _, file := range []struct{ flag, name string }{{"--module", o.Module}, {"--ca-file", o.CAFile}} {
		if file.name == "" {
			wrong = append(wrong, errors.New(file.flag+": is empty"))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	var b bytes.Buffer
	err = envoy.Execute(&b, map[string]any{
		"Listen": listen, "Admin": admin, "Module": o.Module, "CAFile": o.CAFile,
		"Upstream": upstream, "UpstreamTLS": isTLS, "Cluster": cluster, "Provider": provider,
		"Configuration": strings.ReplaceAll(configuration.String(), "\n", "\n                    "),
	})
	if err != nil {
		return err
	}
	_, err = out.Write(b.Bytes())
	return err
}

// providerOf runs the plugin's parser, and returns the host that has the keys.
func providerOf(configuration string) (at address, err error) {
	parsed, err := config.Parse([]byte(configuration))
	if refused := (*config.Error)(nil); errors.As(err, &refused) {
		var wrong []error
		for _, fault := range refused.Faults {
			fault.Path = flagOf(fault.Path)
			wrong = append(wrong, errors.New(fault.String()))
		}
		return at, errors.Join(wrong...)
	}
	if err != nil {
		return at, err
	}
	host, port := jwks.SplitAuthority(parsed.Rules[0].Authority)
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return at, fmt.Errorf("the provider's host %s is an IP address; Envoy compares its certificate with a name", host)
	}
	return address{host, port}, nil
}

// flagOf is the flag that a field of the configuration comes from.
func flagOf(path string) string {
	for field, flag := range map[string]string{
		"auth0.domain": "--domain", "auth0.audience": "--audience",
		"jwtRules[0].issuer": "--issuer", "jwtRules[0].audiences": "--audience", "jwtRules[0].jwksUri": "--jwks-uri",
	} {
		if rest, ok := strings.CutPrefix(path, field); ok && (rest == "" || rest[0] == '[') {
			return flag
		}
	}
	return path
}

// address is a host, without brackets around IPv6, and a port.
type address struct{ Host, Port string }

func (a address) String() string { return net.JoinHostPort(a.Host, a.Port) }

// IsName reports whether the host must be looked up.
func (a address) IsName() bool {
	_, err := netip.ParseAddr(a.Host)
	return err != nil
}

// listener reads the value of a flag: where Envoy listens.
func listener(flag, text string) (address, error) {
	at, err := netip.ParseAddrPort(text)
	if err != nil || at.Port() == 0 || at.Addr().Zone() != "" {
		return address{}, fmt.Errorf("%s: %q is not an IP address and a port (example: 127.0.0.1:10000)", flag, text)
	}
	return address{at.Addr().String(), strconv.Itoa(int(at.Port()))}, nil
}

// upstreamOf reads --upstream.
func upstreamOf(text string) (at address, isTLS bool, err error) {
	wrong := fmt.Errorf("--upstream: %q is not the API's host and port (examples: 127.0.0.1:8000, https://api.internal)", text)
	if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" {
			return at, false, wrong
		}
		if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return at, false, errors.New("--upstream: has more than scheme, host and port (example: https://api.internal)")
		}
		isTLS = u.Scheme == "https"
		at = address{u.Hostname(), cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])}
	} else if at.Host, at.Port, err = net.SplitHostPort(text); err != nil {
		return at, false, wrong
	}
	port, err := strconv.ParseUint(at.Port, 10, 16)
	switch {
	case err != nil || port == 0 || at.IsName() && !jwks.IsHost(at.Host):
		return at, false, wrong
	case isTLS && !at.IsName():
		return at, false, fmt.Errorf("--upstream: %q is an IP address; with https, Envoy compares the API's certificate with a name", text)
	}
	return at, isTLS, nil
}

// plain are texts that are strings in YAML without quotes.
var plain = regexp.MustCompile(`^(/[A-Za-z0-9._/-]+|[A-Za-z][A-Za-z0-9-]*[./][A-Za-z0-9._/-]*[A-Za-z0-9_]|[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)$`)

// scalar writes a text for YAML; a text in JSON is one (https://yaml.org/spec/1.2.2 §1.3).
func scalar(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return quoted(text)
}

// list writes texts as a JSON array.
func list(texts []string) string {
	var all []string
	for _, text := range texts {
		all = append(all, quoted(text))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// quoted writes a text as a JSON string.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic("bootstrap: " + err.Error()) // a string always has a form
	}
	return strings.TrimSpace(b.String())
}
