package demo

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// template is an Envoy configuration shaped like the shipped envoy.yaml: one
// listener, the plugin in it, and clusters named api and auth0.
type template struct {
	name     string // for messages
	doc      yaml.MapSlice
	ports    ports
	domain   string
	audience string
	caFile   string
}

// readTemplate reads what the demonstration must know from Envoy's own
// configuration, so that a changed port or name is changed in one place.
func readTemplate(path string) (*template, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &template{name: path}
	if err := yaml.UnmarshalWithOptions(raw, &t.doc, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	auth0, api := t.cluster("auth0"), t.cluster("api")
	t.ports = ports{
		edge:  socket(find(t.doc, "static_resources", "listeners", 0)),
		admin: socket(find(t.doc, "admin")),
		api:   socket(endpoint(api)),
		auth0: socket(endpoint(auth0)),
	}
	for who, at := range map[string]address{"listener": t.ports.edge, "admin": t.ports.admin, "cluster api": t.ports.api, "cluster auth0": t.ports.auth0} {
		if at == "" {
			return nil, t.unlike("an address for " + who)
		}
	}
	var plugin struct {
		Auth0 struct{ Domain, Audience string }
	}
	value, _ := text(t.plugin(), "value")
	if err := json.Unmarshal([]byte(value), &plugin); err != nil || plugin.Auth0.Domain == "" || plugin.Auth0.Audience == "" {
		return nil, t.unlike("auth0.domain and one auth0.audience in the plugin's configuration")
	}
	t.domain, t.audience = plugin.Auth0.Domain, plugin.Auth0.Audience
	var ok bool
	if t.caFile, ok = text(find(t.tls(), "common_tls_context", "validation_context", "trusted_ca"), "filename"); !ok {
		return nil, t.unlike("trusted_ca with a filename in cluster auth0")
	}
	return t, nil
}

func (t *template) unlike(want string) error {
	return fmt.Errorf("%s: the demonstration looks for %s and does not find it", t.name, want)
}

// write saves a copy for a real tenant. The client's id and secret have no
// place in it.
func (t *template) write(path string, to *tenant) error {
	host, port := to.domain, "443"
	kind := "LOGICAL_DNS"
	if to.connect != "" {
		var err error
		if host, port, err = net.SplitHostPort(to.connect); err != nil {
			return fmt.Errorf("AUTH0_CONNECT: %w", err)
		}
	}
	if net.ParseIP(host) != nil {
		kind = "STATIC"
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return fmt.Errorf("AUTH0_CONNECT: %q is not a port", port)
	}
	cluster := t.cluster("auth0")
	set(cluster, "type", kind)
	sock := find(endpoint(cluster), "address", "socket_address").(yaml.MapSlice)
	set(sock, "address", host)
	set(sock, "port_value", number)
	set(t.tls(), "sni", to.domain)
	set(find(t.tls(), "common_tls_context", "validation_context", "trusted_ca").(yaml.MapSlice), "filename", to.caFile)

	value, _ := text(t.plugin(), "value")
	for old, new := range map[string]string{t.domain: to.domain, t.audience: to.audience} {
		if strings.Count(value, quoted(old)) != 1 {
			return t.unlike(quoted(old) + " once in the plugin's configuration")
		}
		value = strings.Replace(value, quoted(old), quoted(new), 1)
	}
	set(t.plugin(), "value", value)

	out, err := yaml.MarshalWithOptions(t.doc, yaml.UseLiteralStyleIfMultiline(true))
	if err != nil {
		return err
	}
	head := fmt.Sprintf("# Written by `make run` for %s, from envoy.yaml, which says why each part is there.\n", to.domain)
	return os.WriteFile(path, append([]byte(head), out...), 0o644)
}

func quoted(s string) string {
	q, _ := json.Marshal(s)
	return string(q)
}

// plugin is the StringValue that holds the plugin's configuration.
func (t *template) plugin() yaml.MapSlice {
	filters, _ := find(t.doc, "static_resources", "listeners", 0, "filter_chains", 0, "filters", 0, "typed_config", "http_filters").([]any)
	for _, f := range filters {
		if c, ok := find(f, "typed_config", "config", "configuration").(yaml.MapSlice); ok {
			return c
		}
	}
	return nil
}

func (t *template) cluster(name string) yaml.MapSlice {
	clusters, _ := find(t.doc, "static_resources", "clusters").([]any)
	for _, c := range clusters {
		if n, _ := text(c, "name"); n == name {
			return c.(yaml.MapSlice)
		}
	}
	return nil
}

func (t *template) tls() yaml.MapSlice {
	m, _ := find(t.cluster("auth0"), "transport_socket", "typed_config").(yaml.MapSlice)
	return m
}

func endpoint(cluster any) any {
	return find(cluster, "load_assignment", "endpoints", 0, "lb_endpoints", 0, "endpoint")
}

func socket(in any) address {
	host, _ := text(find(in, "address", "socket_address"), "address")
	port := find(in, "address", "socket_address", "port_value")
	if host == "" || port == nil {
		return ""
	}
	return address(net.JoinHostPort(host, fmt.Sprint(port)))
}

// find walks keys (strings) and indexes (ints); nil when the way ends.
func find(in any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := in.(yaml.MapSlice)
			in = nil
			for _, item := range m {
				if item.Key == step {
					in = item.Value
				}
			}
		case int:
			l, _ := in.([]any)
			if step >= len(l) {
				return nil
			}
			in = l[step]
		}
	}
	return in
}

func text(in any, key string) (string, bool) {
	s, ok := find(in, key).(string)
	return s, ok
}

// set changes a member that is there; a map of the template shares its items
// with the document.
func set(m yaml.MapSlice, key string, value any) {
	for i := range m {
		if m[i].Key == key {
			m[i].Value = value
		}
	}
}
